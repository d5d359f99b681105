package dicomio

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// philipsSlopes are RescaleSlope and Scale Slope, as Philips writes them, of four echoes whose
// stored values use the whole range.
var philipsSlopes = [4]struct{ rs, ss float64 }{{4.03418803418803, 0.00412}, {2.01709401709402, 0.00824},
	{1.00854700854701, 0.01648}, {0.5, 0.0333}}

// philipsMR1 creates the block of private elements with Scale Slope, philipsMR5 that
// with the private RescaleSlope and the sequence of a frame.
const philipsMR1, philipsMR5 = "Philips MR Imaging DD 001", "Philips MR Imaging DD 005"

// philipsTrain writes trainOf like a Philips scanner; with same, all echoes have the slopes
// of the first.
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
		return inserted(t, file, false, scaleSlopeIn(0x10, philipsMR1, float32(ss)))
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

// Display values are mapped if one scale applies to all echoes, and refused with a hint
// otherwise.
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
		{"dv, scales differ", "Philips", false, true, DisplayValues, "rescale slope × scale slope is",
			"--philips-scaling fp"},
		{"dv, no scale slope, one rescale slope", "Philips", true, false, DisplayValues, "", ""},
		{"dv, no scale slope, rescale slopes differ", "Philips", false, false, DisplayValues,
			"without Scale Slope (2005,100E) that could reconcile them", "private attributes"},
		{"fp, one scale", "Philips", true, true, FloatingPoint, "", ""},
		{"fp, no scale slope", "Philips", true, false, FloatingPoint, "(2005,100E): missing or 0",
			"--philips-scaling dv"},
		{"fp asked for, another vendor", other, false, false, FloatingPoint, "", ""},
		{"another vendor's private element of that number", other, false, true, FloatingPoint, "", ""},
	} {
		echo, err := readScaled(t, philipsTrain(t, c.manufacturer, c.same, c.withScale), c.scaling)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(hint.Find(err), c.hint)):
			t.Errorf("%s: %v, hint %q; want …%s…", c.name, err, hint.Find(err), c.want)
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

// In enhanced objects each frame has its slopes; the scale slope is in a private sequence.
func TestPhilipsScalingOfFrames(t *testing.T) {
	object := func(withScale bool) string {
		m := multiFrame{frames: 6, rows: 3, columns: 5, pixels: nativePixels(90), inFrame: func(n int) []byte {
			s := philipsSlopes[1+n%3]
			b := sequenceElement(0x0028, 0x9145, false, append(textElement(0x0028, 0x1052, "DS", "0"),
				textElement(0x0028, 0x1053, "DS", fmt.Sprint(s.rs))...))
			if withScale {
				b = append(sequenceElement(0x2005, 0x140F, false, floatElement(0x2005, 0x100E, "FL", float32(s.ss))),
					b...)
			}
			return b
		}}
		dir := t.TempDir()
		file := m.file(t, "")
		write(t, dir+"/object", inserted(t, file, false, textElement(0x0008, 0x0070, "LO", "Philips")))
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
	if _, err := readScaled(t, object(true), DisplayValues); err == nil ||
		!strings.Contains(hint.Find(err), "--philips-scaling fp") {
		t.Errorf("display values: %v", err)
	}
	if _, err := readScaled(t, object(false), FloatingPoint); err == nil ||
		!strings.Contains(err.Error(), "object frame 1: private (2005,100E): missing or 0") {
		t.Errorf("no scale slope: %v", err)
	}
}

// scaledBy writes trainOf with additional attributes about an image's scale.
func scaledBy(t *testing.T, manufacturer string, rescale func(echo int) float64, others func(echo int) []byte) string {
	t.Helper()
	images, dir := trainOf(), t.TempDir()
	for n := range images {
		images[n].Manufacturer = manufacturer
		if rescale != nil {
			images[n].RescaleSlope = rescale(echoOf(n))
		}
	}
	saveFiles(t, dir, images, func(n int, file []byte) []byte {
		if b := others(echoOf(n)); b != nil {
			return inserted(t, file, false, b)
		}
		return file
	})
	return dir
}

func refused(t *testing.T, name, dir string, scaling PhilipsScaling, want, advice string) {
	t.Helper()
	_, err := readScaled(t, dir, scaling)
	switch {
	case want == "" && err != nil:
		t.Errorf("%s, %s: %v", name, scaling, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want) ||
		!strings.Contains(hint.Find(err), advice)):
		t.Errorf("%s, %s: %v, hint %q; want …%s…", name, scaling, err, hint.Find(err), want)
	}
}

// One image with a Scale Slope makes a train without manufacturer a Philips train, and then
// all images need one.
func TestPhilipsInPart(t *testing.T) {
	for _, only := range []int{0, 2} {
		dir := scaledBy(t, "", func(int) float64 { return 2 }, func(echo int) []byte {
			if echo != only {
				return nil
			}
			return scaleSlopeIn(0x10, philipsMR1, 0.125)
		})
		refused(t, "one echo", dir, FloatingPoint, "(2005,100E): missing or 0", "private attributes")
		_, err := readScaled(t, dir, DisplayValues)
		if err == nil || strings.Count(err.Error(), "IM_00") != 2 ||
			!strings.Contains(err.Error(), "it is not known whether") || hint.Find(err) == "" {
			t.Errorf("dv, echo %d: %v, want both files", only, err)
		}
	}
}

// If another attribute says that the echoes are on different scales but RescaleSlope does
// not, the train is refused.
func TestPhilipsScaleElsewhere(t *testing.T) {
	mapping := func(slope float64) []byte {
		return sequenceElement(0x0040, 0x9096, false, append(plainElement(0x0040, 0x9224, "FD", double(0)),
			plainElement(0x0040, 0x9225, "FD", double(slope))...))
	}
	private := func(creator string, slope float64) []byte {
		return append(textElement(0x2005, 0x0011, "LO", creator),
			textElement(0x2005, 0x110A, "DS", fmt.Sprint(slope))...)
	}
	slope := func(echo int) float64 { return float64(1 + echo) }
	ones := func(int) float64 { return 1 }
	for _, c := range []struct {
		name, manufacturer string
		rescale            func(int) float64
		others             func(echo int) []byte
		want               string
	}{
		{"mappings differ", "Philips", nil, func(e int) []byte { return mapping(slope(e)) },
			"RealWorldValueSlope (0040,9225): 2, but 1 in IM_"},
		{"mappings differ, one rescale slope", "Philips", ones, func(e int) []byte { return mapping(slope(e)) },
			"RealWorldValueSlope (0040,9225)"},
		{"mappings as the rescale slopes", "Philips", slope, func(e int) []byte { return mapping(slope(e)) },
			"without Scale Slope (2005,100E)"},
		{"one mapping", "Philips", nil, func(int) []byte { return mapping(2) }, ""},
		{"a mapping of one echo", "Philips", nil, func(e int) []byte {
			if e == 1 {
				return mapping(2)
			}
			return nil
		}, "but missing in IM_"},
		{"mappings differ, another vendor", "T2MAP", nil, func(e int) []byte { return mapping(slope(e)) }, ""},
		{"private slopes differ", "Philips", nil, func(e int) []byte { return private(philipsMR5, slope(e)) },
			"private (2005,140A): 2, but 1 in IM_"},
		{"one private slope", "Philips", nil, func(int) []byte { return private(philipsMR5, 2) }, ""},
		{"another's private numbers", "Philips", nil, func(e int) []byte { return private("ELSCINT1", slope(e)) }, ""},
	} {
		refused(t, c.name, scaledBy(t, c.manufacturer, c.rescale, c.others), DisplayValues, c.want, "")
	}
	framed := func(slope func(n int) float64) string {
		m := multiFrame{frames: 6, rows: 3, columns: 5, pixels: nativePixels(90),
			inFrame: func(n int) []byte { return mapping(slope(n % 3)) }}
		dir := t.TempDir()
		write(t, dir+"/object", inserted(t, m.file(t, ""), false, textElement(0x0008, 0x0070, "LO", "Philips")))
		return dir
	}
	refused(t, "mappings of frames differ", framed(slope), DisplayValues,
		"object frame 2: RealWorldValueSlope (0040,9225): 2, but 1 in object frame 1", "RescaleSlope (0028,1053)")
	refused(t, "one mapping of frames", framed(ones), DisplayValues, "", "")
}

// A private element belongs to the creator of its block, not to the usual owner of its
// number.
func TestPrivateCreators(t *testing.T) {
	ones := func(int) float64 { return 1 }
	for _, c := range []struct {
		name, manufacturer string
		block              uint16
		creator            string
		want               string // fp
	}{
		{"as usual", "Philips", 0x10, philipsMR1, ""},
		{"re-numbered", "Philips", 0x11, philipsMR1, ""},
		{"re-numbered, no manufacturer", "", 0xE0, philipsMR1 + " ", ""},
		{"a foreign creator", "Philips", 0x10, philipsMR5, "(2005,100E): missing or 0"},
		{"no creator", "Philips", 0x10, "", ""},
	} {
		dir := scaledBy(t, c.manufacturer, ones, func(int) []byte { return scaleSlopeIn(c.block, c.creator, 0.5) })
		refused(t, c.name, dir, FloatingPoint, c.want, "")
		echo, err := readScaled(t, dir, FloatingPoint)
		if err == nil && echo[1][7] != 2*1007 {
			t.Errorf("%s: %g, want %d", c.name, echo[1][7], 2*1007)
		}
	}
	// Without manufacturer and creator it is not known whether Philips wrote the numbers.
	dir := scaledBy(t, "", ones, func(e int) []byte { return scaleSlopeIn(0x10, "", float32(1+e)) })
	refused(t, "neither", dir, DisplayValues, "", "")
	refused(t, "neither", dir, FloatingPoint, "", "")
}

// The private sequence of a frame is found in another block, and its elements by the
// creators within it.
func TestPrivateCreatorsOfFrames(t *testing.T) {
	for _, c := range []struct{ outer, inner, want string }{
		{philipsMR5, philipsMR1, ""},
		{"ELSCINT1", philipsMR1, "(2005,100E): missing or 0"},
		{philipsMR5, "ELSCINT1", "(2005,100E): missing or 0"},
	} {
		m := multiFrame{frames: 6, rows: 3, columns: 5, pixels: nativePixels(90), inFrame: func(int) []byte {
			return append(textElement(0x2005, 0x0015, "LO", c.outer),
				sequenceElement(0x2005, 0x150F, false, scaleSlopeIn(0x12, c.inner, 0.5))...)
		}}
		dir := t.TempDir()
		write(t, dir+"/object", inserted(t, m.file(t, ""), false, textElement(0x0008, 0x0070, "LO", "Philips")))
		refused(t, c.outer+", "+c.inner, dir, FloatingPoint, c.want, "")
	}
}
