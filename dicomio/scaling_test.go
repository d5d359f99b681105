package dicomio

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

// philipsSlopes are those of four echoes whose stored values use the whole range:
// RescaleSlope and Scale Slope as Philips writes them.
var philipsSlopes = [4]struct{ rs, ss float64 }{{4.03418803418803, 0.00412}, {2.01709401709402, 0.00824}, {1.00854700854701, 0.01648}, {0.5, 0.0333}}

// philipsTrain writes trainOf as a Philips scanner would; same gives all echoes the
// slopes of the first.
func philipsTrain(t *testing.T, manufacturer string, same, withScale bool) string {
	t.Helper()
	dir := t.TempDir()
	images := trainOf()
	slopes := func(n int) (rs, ss float64) {
		if same {
			n = 0 // an image of the first echo
		}
		s := philipsSlopes[echoOf(n)]
		return s.rs, s.ss
	}
	for n := range images {
		images[n].Manufacturer = manufacturer
		images[n].RescaleSlope, _ = slopes(n)
		images[n].RescaleIntercept = 3
	}
	saveFiles(t, dir, images, func(n int, file []byte) []byte {
		if !withScale {
			return file
		}
		_, ss := slopes(n)
		return with(t, file, false, scaleSlopeIn(0x10, philipsCreator1, float32(ss)))
	})
	return dir
}

// scaleSlopeIn returns a Scale Slope in block bb of the private group, and the block's
// creator if there is one.
func scaleSlopeIn(block uint16, creator string, v float32) []byte {
	var b []byte
	if creator != "" {
		b = textElement(0x2005, block, "LO", creator)
	}
	return append(b, floatElement(0x2005, block<<8|0x0E, "FL", v)...)
}

// echoOf is the echo of image n of trainOf.
func echoOf(n int) int { return n * 5 % 12 / 3 }

func readScaled(t *testing.T, dir string, scaling PhilipsScaling) ([][]float32, error) {
	t.Helper()
	f, err := Find(t.Context(), []string{dir}, FindOptions{PhilipsScaling: scaling})
	if err != nil || len(f.Studies) != 1 || len(f.Studies[0].Trains) != 1 {
		t.Fatalf("%v, %+v", err, f)
	}
	s, _, err := Read(context.Background(), f.Studies[0].Trains[0], 0)
	return s.Echo, err
}

// FP = DV / (RS·SS), with DV = SV·RS + RI (Chenevert et al. 2014), for slopes that
// differ over the echoes.
func TestPhilipsFloatingPoint(t *testing.T) {
	for _, manufacturer := range []string{"Philips", "Philips Medical Systems", "PHILIPS", ""} {
		echo, err := readScaled(t, philipsTrain(t, manufacturer, false, true), FloatingPoint)
		if err != nil {
			t.Fatalf("%q: %v", manufacturer, err)
		}
		for e, s := range philipsSlopes {
			for k := range 3 {
				for v := range 15 {
					stored := float64(1000*e + 100*k + v)
					want := (stored*s.rs + 3) / (s.rs * s.ss)
					// SS has the 7 digits of a float32, of which the library keeps all.
					if got := float64(echo[e][15*k+v]); math.Abs(got-want) > 3e-7*want {
						t.Fatalf("%q, echo %d, slice %d, pixel %d: %g, want %g", manufacturer, e, k, v, got, want)
					}
				}
			}
		}
	}
}

// Display values are mapped where one scale holds for all echoes, refused with a way
// out where it does not.
func TestPhilipsScalingRefusals(t *testing.T) {
	const other = "T2MAP"
	for _, c := range []struct {
		name            string
		manufacturer    string
		same, withScale bool
		scaling         PhilipsScaling
		want, hint      string
	}{
		{"dv, one scale", "Philips", true, true, DisplayValues, "", ""},
		{"dv is the default", "Philips", true, true, "", "", ""},
		{"dv, scales differ", "Philips", false, true, DisplayValues, "rescale slope × scale slope is", "--philips-scaling fp"},
		{"dv, no scale slope, one rescale slope", "Philips", true, false, DisplayValues, "", ""},
		{"dv, no scale slope, rescale slopes differ", "Philips", false, false, DisplayValues, "without Scale Slope (2005,100E) that could reconcile them", "private attributes"},
		{"fp, one scale", "Philips", true, true, FloatingPoint, "", ""},
		{"fp, no scale slope", "Philips", true, false, FloatingPoint, "(2005,100E): missing or 0", "--philips-scaling dv"},
		{"fp asked for, another vendor", other, false, false, FloatingPoint, "", ""},
		{"another vendor's private element of that number", other, false, true, FloatingPoint, "", ""},
	} {
		echo, err := readScaled(t, philipsTrain(t, c.manufacturer, c.same, c.withScale), c.scaling)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(Hint(err), c.hint)):
			t.Errorf("%s: %v, hint %q; want …%s…", c.name, err, Hint(err), c.want)
		case c.want == "" && (c.scaling != FloatingPoint || c.manufacturer == other):
			rs := philipsSlopes[0].rs
			if !c.same {
				rs = philipsSlopes[3].rs
			}
			if got, want := float64(echo[3][7]), 3007*rs+3; math.Abs(got-want) > 1e-6*want {
				t.Errorf("%s: %g, want %g", c.name, got, want)
			}
		}
	}
}

// In enhanced objects the slopes stand with each frame, the scale slope in a private
// sequence.
func TestPhilipsScalingOfFrames(t *testing.T) {
	object := func(withScale bool) string {
		m := multiFrame{frames: 6, rows: 3, columns: 5, pixels: nativePixels(90), inFrame: func(n int) []byte {
			s := philipsSlopes[1+n%3]
			b := sequenceElement(0x0028, 0x9145, false, append(textElement(0x0028, 0x1052, "DS", "0"), textElement(0x0028, 0x1053, "DS", fmt.Sprint(s.rs))...))
			if withScale {
				b = append(sequenceElement(0x2005, 0x140F, false, floatElement(0x2005, 0x100E, "FL", float32(s.ss))), b...)
			}
			return b
		}}
		dir := t.TempDir()
		file := m.file(t, "")
		write(t, dir+"/object", with(t, file, false, textElement(0x0008, 0x0070, "LO", "Philips")))
		return dir
	}
	echo, err := readScaled(t, object(true), FloatingPoint)
	if err != nil {
		t.Fatal(err)
	}
	for e := range 3 {
		for v := range 30 {
			want := float64(15*(3*(v/15)+e)+v%15) / philipsSlopes[1+e].ss
			if got := float64(echo[e][v]); math.Abs(got-want) > 3e-7*want {
				t.Fatalf("echo %d, voxel %d: %g, want %g", e, v, got, want)
			}
		}
	}
	if _, err := readScaled(t, object(true), DisplayValues); err == nil || !strings.Contains(Hint(err), "--philips-scaling fp") {
		t.Errorf("display values: %v", err)
	}
	if _, err := readScaled(t, object(false), FloatingPoint); err == nil || !strings.Contains(err.Error(), "object frame 1: private (2005,100E): missing or 0") {
		t.Errorf("no scale slope: %v", err)
	}
}
