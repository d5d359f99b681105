package phantom

import (
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

// Series returns the attributes that all images of the T2 series share.
func (s *Study) Series() dicomwrite.Image {
	o := s.Options
	spacing := s.Echoes.Spacing()
	im := dicomwrite.Image{
		Series: dicomwrite.Series{
			StudyUID: s.UID("study"), SeriesUID: s.UID("series"), FrameOfReferenceUID: s.UID("frame"),
			PatientID: o.Subject, TrialSponsor: "T2MAP", TrialProtocol: "T2MAP-PHANTOM", TrialSubject: o.Subject,
			TrialTimepoint: o.Visit, BodyPart: "KNEE", Laterality: o.Side, Manufacturer: "T2MAP PHANTOM",
			Model: "ANALYTIC KNEE", Serial: "T2MAP-1", Software: o.Software, StudyDescription: "KNEE T2",
			SeriesDescription: fmt.Sprintf("SAG T2 MAP %d ECHO", o.Echoes), SeriesNumber: 1,
		},
		Grid: dicomwrite.Grid{
			Rows: o.Matrix, Columns: o.Matrix, PixelSpacing: [2]float64{spacing[1], spacing[0]},
			SliceThickness: sliceFilling * spacing[2], SpacingBetweenSlices: spacing[2],
		},
		SequenceName: "SE", EchoTrainLength: o.Echoes, TR: repetitionTime, FieldStrength: fieldStrength,
		FlipAngle: flipAngle, PixelBandwidth: pixelBandwidth, BitsAllocated: 16, BitsStored: 12,
		WindowCenter: 800, WindowWidth: 1600,
	}
	for r, a := range s.Echoes.Affine {
		im.Orientation[r], im.Orientation[3+r] = a[0]/spacing[0], a[1]/spacing[1]
	}
	return im
}

// Image returns image n of the T2 series; the echo varies fastest.
func (s *Study) Image(n int) dicomwrite.Image {
	slice, echo := n/s.Options.Echoes, n%s.Options.Echoes
	im := s.Series()
	im.InstanceUID = s.UID("image", strconv.Itoa(slice), strconv.Itoa(echo))
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

// UID derives the UID of an object of the study from the study's options and a name: 2.25
// and a UUID of version 8 (PS3.5 B.2, RFC 9562 5.8). Two studies that differ in any option
// differ in their UIDs.
func (s *Study) UID(name ...string) string {
	o := s.Options
	name = append(name, o.Subject, o.Visit, o.Side, strconv.FormatUint(o.Seed, 10),
		fmt.Sprint(o.Matrix, o.Slices, o.Echoes, o.EchoSpacing, o.SNR, o.Shift))
	if moved := orIdentity(o.Moved); moved != volume.Identity() {
		name = append(name, fmt.Sprint(moved))
	}
	if o.Software != defaultSoftware {
		name = append(name, o.Software)
	}
	h := hash(name...)
	uuid := h[:16]
	uuid[6] = uuid[6]&0x0f | 0x80
	uuid[8] = uuid[8]&0x3f | 0x80
	return "2.25." + new(big.Int).SetBytes(uuid).String()
}
