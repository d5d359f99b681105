package report

import (
	"bytes"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/unroll"
	"github.com/t2map/t2map/volume"
)

// divided cuts the ring of a study into the fifteen regions by angle, and into layers from
// the inside on.
func divided(s Study, layers int) Study {
	n := s.Echo.Size[0]
	r := &s.Regions
	r.Names = []string{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"}
	for _, region := range anatomy.Regions() {
		for layer := range max(layers, 1) {
			p := segment.Part{Compartment: region.Compartment(), Plate: string(region.Plate()), Region: region.String()}
			if layers > 0 {
				p.Layer = layer + 1
			}
			r.Parts = append(r.Parts, p)
		}
	}
	r.Part, r.Fraction = make([]uint16, len(r.Data)), make([]float32, len(r.Data))
	sp := 120 / float64(n)
	for v, row := range r.Data {
		if row == 0 {
			continue
		}
		x, y := (float64(v%n)+0.5)*sp-60, (float64(v/n%n)+0.5)*sp-60
		sector := min(int((math.Atan2(y, x)+math.Pi)/(2*math.Pi)*15), 14)
		layer := min(int((math.Hypot(x, y)-24)/4*float64(max(layers, 1))), max(layers, 1)-1)
		r.Part[v] = uint16(1 + sector*max(layers, 1) + layer)
		r.Data[v] = uint16(1 + slices.Index(r.Names, r.Parts[r.Part[v]-1].Compartment))
		r.Fraction[v] = 0.5 + float32(v%64)/128
	}
	return s
}

func sampleUnrolled() *Unrolled {
	u := &Unrolled{
		Map:  unroll.Map{Angle: 4, Width: 1.5, Rows: [2]int{-15, 50}, Columns: [2]int{-27, 27}},
		Side: "right",
	}
	for a := u.Rows[0]; a < u.Rows[1]; a++ {
		for c := u.Columns[0]; c < u.Columns[1]; c++ {
			t2 := float64(50 + a/2 + c/2)
			if c > -6 && c < 6 && a > 15 { // the notch
				t2 = math.NaN()
			}
			u.T2 = append(u.T2, t2)
		}
	}
	return u
}

func sampleProfiles() []Profile {
	var out []Profile
	for _, plate := range anatomy.Plates() {
		p := Profile{Plate: string(plate)}
		for n := range 10 {
			d := float64(n) / 10
			p.Bins = append(p.Bins, ProfileBin{Start: d, End: d + 0.1, Used: 50, Depth: number.Float(d + 0.05),
				MeanT2: number.Float(25 + 20*d), SDT2: 8})
		}
		nan := number.Float(math.NaN())
		p.Bins[4] = ProfileBin{Start: 0.4, End: 0.5, Depth: nan, MeanT2: nan, SDT2: nan}
		out = append(out, p)
	}
	return out
}

// full has all that a study can have.
func full() Study {
	s := divided(smallStudy(), 2)
	s.Registration = &Aligned{Before: s.Echo, After: s.Echo}
	s.Result.Registration = &Registration{Source: EarlierVisit, Moving: "aa00", Rotation: volume.Identity().Rotation,
		ShiftMM:      [3]float64{1, 2, 3},
		AngleDegrees: 3.24, CentreShiftMM: 5.06, MutualInformationBefore: 0.21, MutualInformationAfter: 0.4125,
		Program: "elastix 5.2.0"}
	s.Result.Mask.SourceVisit = "baseline"
	s.Unrolled, s.Result.Profiles = sampleUnrolled(), sampleProfiles()
	return s
}

// What only some studies have is there where they have it, and read as it was handed over.
func TestWriteStudyOfRegions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := full()
	r, err := WriteStudy(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"checkerboard.png", "compartments.nii.gz", "compartments.txt", "decay.png", "fraction.nii.gz",
		"overlay.png", "preview.jpg", "profile.png", "r2.nii.gz",
		"regions.nii.gz", "regions.png", "regions.txt", "result.json", "s0.nii.gz", "status.nii.gz", "t2.nii.gz",
		"t2_se.nii.gz", "unrolled.nii.gz", "unrolled.png"}
	if diff := cmp.Diff(want, list(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	read, err := ReadResult(filepath.Join(dir, ResultFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, read, sameNumbers); diff != "" {
		t.Errorf("result.json (-returned +read):\n%s", diff)
	}
	for name, want := range map[string][]float32{"regions.nii.gz": floats(s.Regions.Part),
		"compartments.nii.gz": floats(s.Regions.Data), "fraction.nii.gz": s.Regions.Fraction} {
		read := tools.ReadMap(t, filepath.Join(dir, name))
		g, got := read.Geometry, read.Data
		if g.Size != s.Echo.Size || !slices.Equal(got, want) {
			t.Errorf("%s holds other numbers than the mask", name)
		}
	}
	unrolled := tools.ReadMap(t, filepath.Join(dir, "unrolled.nii.gz"))
	g, got := unrolled.Geometry, unrolled.Data
	if g.Size != [3]int{54, 65, 1} {
		t.Errorf("unrolled.nii.gz: size %v", g.Size)
	}
	// The middle of the first cell is half a step from −60° and −40.5 mm.
	if p := g.Position(0, 0, 0); math.Abs(p[0]+39.75) > 1e-4 || math.Abs(p[1]+58) > 1e-4 {
		t.Errorf("unrolled.nii.gz: the first cell is at %v, want −39.75 mm, −58°", p)
	}
	for n, want := range s.Unrolled.T2 {
		if float64(got[n]) != want && !(math.IsNaN(want) && got[n] != got[n]) {
			t.Fatalf("unrolled.nii.gz: cell %d: got %g, want %g", n, got[n], want)
		}
	}
}

func floats(data []uint16) []float32 {
	out := make([]float32, len(data))
	for n, v := range data {
		out[n] = float32(v)
	}
	return out
}

// The legend of regions.png is in the order of anatomy, each region with its layers from the
// bone on, whatever the order of parts; what has no layer stands in the middle and is named so.
func TestDivisionKeys(t *testing.T) {
	r := segment.Regions{Names: []string{"medial", "patellofemoral", "x"}, Parts: []segment.Part{
		{Compartment: "patellofemoral", Region: "trochlear"},
		{Compartment: "patellofemoral", Region: "trochlear", Layer: 2},
		{Compartment: "patellofemoral", Region: "trochlear", Layer: 1},
		{Compartment: "x"},
		{Compartment: "medial", Region: "medial-tibial-anterior"},
		{Compartment: "medial", Region: "medial-tibial-central", Layer: 1},
	}}
	d := newDivision(r)
	_, index := d.paletted()
	got := d.keys(index, []uint16{0, 1, 2, 3, 4, 5, 5})
	want := []figure.Key{{Text: "x", Colours: []uint8{index[3]}},
		{Text: "medial-tibial-anterior", Colours: []uint8{index[4]}},
		{Text: "trochlear", Colours: []uint8{index[2], index[0], index[1]}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for n, want := range []string{"trochlear without a layer", "trochlear superficial", "trochlear deep", "x",
		"medial-tibial-anterior", "medial-tibial-central deep"} {
		if got := d.name(n); got != want {
			t.Errorf("part %d: %q, want %q", n, got, want)
		}
	}
}

// The new pictures take hostile names, and draw nothing in the margin of a caption.
func TestPicturesOfHostileNames(t *testing.T) {
	s := full()
	evil := strings.Repeat("<script>\u202e\n", 400)
	s.Result.Subject, s.Result.Mask.SourceVisit, s.Result.Registration.Program = evil, evil, evil
	s.Regions.Names[0] = evil
	s.Result.Profiles[0].Plate = evil
	sc := newScene(s)
	for name, write := range map[string]func(io.Writer) error{
		"overlay":      func(w io.Writer) error { return writeOverlay(w, sc, s.Result) },
		"regions":      func(w io.Writer) error { return writeRegions(w, sc, s.Result) },
		"checkerboard": func(w io.Writer) error { return writeCheckerboard(w, sc, *s.Registration, s.Result) },
		"unrolled":     func(w io.Writer) error { return writeUnrolled(w, *s.Unrolled, s.Result) },
		"profile":      func(w io.Writer) error { return writeProfiles(w, s.Result) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// The last pixels of the first lines hold no letter: the text was cut before them.
		background := img.At(img.Bounds().Max.X-1, 0)
		for y := range 30 {
			for x := img.Bounds().Max.X - 4; x < img.Bounds().Max.X; x++ {
				if img.At(x, y) != background {
					t.Fatalf("%s: a letter at (%d, %d) of %v", name, x, y, img.Bounds())
				}
			}
		}
	}
}
