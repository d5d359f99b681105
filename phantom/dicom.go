package phantom

import (
	"context"
	"fmt"
	"math/big"
	"strconv"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/volume"
)

const (
	repetitionTime = 2700 // ms, the OAI's T2 map
	fieldStrength  = 3    // T
	flipAngle      = 90   // degrees; of the excitation
	pixelBandwidth = 250  // Hz, the OAI's T2 map
)

// Write writes the study into dir, which is made if need be: one DICOM file per
// slice and echo, IM_0001.dcm …, echo fastest, and the mask labels.nii.gz in
// the scheme `compartments`. The same study gives the same bytes. Errors: those
// of the file system, with the path, and the context's.
func (s *Study) Write(ctx context.Context, dir string) error { return s.WriteAs(ctx, dir, Form{}) }

// series returns what all images of the study share.
func (s *Study) series() dicomwrite.Image {
	o := s.Options
	spacing := s.Echoes.Spacing()
	im := dicomwrite.Image{
		StudyUID: s.uid("study"), SeriesUID: s.uid("series"), FrameOfReferenceUID: s.uid("frame"),
		PatientID: o.Subject, TrialSponsor: "T2MAP", TrialProtocol: "T2MAP-PHANTOM",
		TrialSubject: o.Subject, TrialTimepoint: o.Visit,
		BodyPart: "KNEE", Laterality: o.Side, Manufacturer: "T2MAP PHANTOM", Model: "ANALYTIC KNEE",
		Serial: "T2MAP-1", Software: "PHANTOM 1", SequenceName: "SE",
		StudyDescription: "KNEE T2", SeriesDescription: fmt.Sprintf("SAG T2 MAP %d ECHO", o.Echoes),
		SeriesNumber: 1, EchoTrainLength: o.Echoes, TR: repetitionTime, FieldStrength: fieldStrength, FlipAngle: flipAngle, PixelBandwidth: pixelBandwidth,
		Rows: o.Matrix, Columns: o.Matrix, PixelSpacing: [2]float64{spacing[1], spacing[0]},
		SliceThickness: sliceFilling * spacing[2], SpacingBetweenSlices: spacing[2],
		BitsAllocated: 16, BitsStored: 12, WindowCenter: 800, WindowWidth: 1600,
	}
	for r, a := range s.Echoes.Affine {
		im.Orientation[r], im.Orientation[3+r] = a[0]/spacing[0], a[1]/spacing[1]
	}
	return im
}

// image is image n of the study, echo fastest.
func (s *Study) image(series dicomwrite.Image, n int) dicomwrite.Image {
	slice, echo := n/s.Options.Echoes, n%s.Options.Echoes
	im := series
	im.InstanceUID = s.uid("image", strconv.Itoa(slice), strconv.Itoa(echo))
	im.InstanceNumber, im.EchoNumber = n+1, echo+1
	im.TE = s.Echoes.TE[echo]
	im.Position = s.Echoes.Position(0, 0, float64(slice))
	im.Pixels = make([]int32, s.Echoes.SliceVoxels())
	first := slice * len(im.Pixels)
	for v := range im.Pixels {
		im.Pixels[v] = int32(s.Echoes.Echo[echo][first+v])
	}
	return im
}

// uid derives a UID from what the study is: 2.25 and a UUID of version 8
// (PS3.5 B.2, RFC 9562 5.8), so that two studies that differ in any option
// differ in their UIDs.
func (s *Study) uid(what ...string) string {
	o := s.Options
	what = append(what, o.Subject, o.Visit, o.Side, strconv.FormatUint(o.Seed, 10),
		fmt.Sprint(o.Matrix, o.Slices, o.Echoes, o.EchoSpacing, o.SNR, o.Shift))
	if moved := orIdentity(o.Moved); moved != volume.Identity() {
		what = append(what, fmt.Sprint(moved))
	}
	h := hash(what...)
	uuid := h[:16]
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	return "2.25." + new(big.Int).SetBytes(uuid).String()
}
