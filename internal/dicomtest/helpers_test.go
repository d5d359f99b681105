package dicomtest

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/phantom"
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

func writeTo(t *testing.T, path string, write func(io.Writer) error) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		t.Fatal(err)
	}
}

// checkConforms runs dcmdump, which checks the encoding, and dciodvfy, which checks the
// modules and macros of each object.
func checkConforms(t *testing.T, path string) {
	t.Helper()
	if dcmdump, err := exec.LookPath("dcmdump"); err == nil {
		out, err := exec.Command(dcmdump, "+E", path).CombinedOutput()
		if err != nil {
			t.Errorf("dcmdump: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			// In implicit syntaxes nothing marks a private element as a sequence; scanners
			// write them there too.
			if (strings.HasPrefix(line, "W:") || strings.HasPrefix(line, "E:")) && !strings.Contains(line, "(CP-246)") {
				t.Errorf("dcmdump: %s", line)
			}
		}
	}
	dciodvfy, err := exec.LookPath("dciodvfy")
	if err != nil {
		t.Skip("dciodvfy is not installed")
	}
	out, _ := exec.Command(dciodvfy, path).CombinedOutput() // its status is that of warnings too
	if bytes.Contains(out, []byte("Error")) || len(out) == 0 {
		t.Errorf("dciodvfy:\n%s", out)
	}
}

func mustNew(t *testing.T, o phantom.Options) *phantom.Study {
	t.Helper()
	s, err := phantom.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
