package dicomio

import (
	"math"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

var writtenSyntaxes = []struct{ name, uid string }{
	{"implicit", uid.ImplicitVRLittleEndian},
	{"explicit", uid.ExplicitVRLittleEndian},
	{"big endian", uid.ExplicitVRBigEndian},
	{"deflated", uid.DeflatedExplicitVRLittleEndian},
}

// obliqueImage has an odd number of pixels, an oblique orientation and numbers
// that do not fit into a decimal string as they are.
func obliqueImage() dicomwrite.Image {
	c, s := math.Cos(0.1234567), math.Sin(0.1234567)
	return dicomwrite.Image{
		Series: dicomwrite.Series{
			StudyUID: "2.25.1", SeriesUID: "2.25.2", FrameOfReferenceUID: "2.25.4", PatientID: "P01",
			TrialSponsor: "none", TrialProtocol: "T2", TrialSubject: "S01", TrialTimepoint: "month03",
			BodyPart: "KNEE", Laterality: "L", Manufacturer: "T2MAP PHANTOM", SeriesDescription: "SAG T2 größe",
			SeriesNumber: 5,
		},
		Grid: dicomwrite.Grid{
			Rows: 3, Columns: 5, PixelSpacing: [2]float64{0.3125, 1.0 / 3},
			Orientation: [6]float64{-s * s, c, s * c, -s, 0, -c}, SliceThickness: 3, SpacingBetweenSlices: 3.5,
		},
		InstanceUID: "2.25.3", InstanceNumber: 17, EchoNumber: 2, EchoTrainLength: 7, TE: 20.1, TR: 2700,
		FieldStrength: 3, Position: [3]float64{-100.0 / 3, 1e-5 / 3, -1234.5678901234},
		Pixels: []int32{0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 11, 12, 13, 200},
	}
}
