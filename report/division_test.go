package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
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
	u := &Unrolled{Angle: 4, Across: 1.5, Rows: [2]int{-15, 50}, Columns: [2]int{-27, 27}, Side: "right"}
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
			p.Bins = append(p.Bins, ProfileBin{From: d, To: d + 0.1, Used: 50, Depth: segment.Number(d + 0.05), MeanT2: segment.Number(25 + 20*d), SDT2: 8})
		}
		nan := segment.Number(math.NaN())
		p.Bins[4] = ProfileBin{From: 0.4, To: 0.5, Depth: nan, MeanT2: nan, SDT2: nan}
		out = append(out, p)
	}
	return out
}

// full has all that a study can have.
func full() Study {
	s := divided(smallStudy(), 2)
	s.Registration = &Aligned{Before: s.Echo, After: s.Echo}
	s.Result.Registration = &Registration{Of: EarlierVisit, Moving: "aa00", Rotation: volume.Identity().Rotation, ShiftMM: [3]float64{1, 2, 3},
		AngleDegrees: 3.24, CentreShiftMM: 5.06, MutualInformationBefore: 0.21, MutualInformationAfter: 0.4125, Program: "elastix 5.2.0"}
	s.Result.Mask.From = "baseline"
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
	want := []string{"checkerboard.png", "compartments.nii.gz", "compartments.txt", "decay.png", "fraction.nii.gz", "overlay.png", "preview.jpg", "profile.png", "r2.nii.gz",
		"regions.nii.gz", "regions.png", "regions.txt", "result.json", "s0.nii.gz", "status.nii.gz", "t2.nii.gz", "t2_se.nii.gz", "unrolled.nii.gz", "unrolled.png"}
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
	for name, want := range map[string][]float32{"regions.nii.gz": floats(s.Regions.Part), "compartments.nii.gz": floats(s.Regions.Data), "fraction.nii.gz": s.Regions.Fraction} {
		g, got := readFloats(t, filepath.Join(dir, name))
		if g.Size != s.Echo.Size || !slices.Equal(got, want) {
			t.Errorf("%s holds other numbers than the mask", name)
		}
	}
	g, got := readFloats(t, filepath.Join(dir, "unrolled.nii.gz"))
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

func readFloats(t *testing.T, path string) (volume.Geometry, []float32) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, frames, err := nifti.ReadFrames(f)
	if err != nil {
		t.Fatal(err)
	}
	return g, frames[0]
}

// labelLine is a line of ITK-SNAP's label descriptions as its parser takes it: seven numbers
// and a name in quotes.
var labelLine = regexp.MustCompile(`^ *(\d+) +(\d+) +(\d+) +(\d+) +([01]) +([01]) +([01]) +"([^"]*)"$`)

// readLabelTable returns names and colours by number.
func readLabelTable(t *testing.T, path string) (names []string, colours []color.RGBA) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if strings.HasPrefix(l, "#") {
			continue
		}
		m := labelLine.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("%s: not a label: %q", filepath.Base(path), l)
		}
		if want := fmt.Sprint(len(names)); m[1] != want {
			t.Errorf("label %s, want %s", m[1], want)
		}
		var c color.RGBA
		if _, err := fmt.Sscan(strings.Join(m[2:5], " "), &c.R, &c.G, &c.B); err != nil {
			t.Fatal(err)
		}
		c.A = 0xff
		names, colours = append(names, m[8]), append(colours, c)
	}
	return names, colours
}

// Each number of a label map has its name in the table beside it, and the colour that the
// picture shows.
func TestLabelTables(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := full()
	if _, err := WriteStudy(dir, s); err != nil {
		t.Fatal(err)
	}
	names, colours := readLabelTable(t, filepath.Join(dir, "compartments.txt"))
	if want := append([]string{"Clear Label"}, s.Regions.Names...); !slices.Equal(names, want) {
		t.Errorf("compartments.txt: %q, want %q", names, want)
	}
	img, sh, _ := drawOverlay(t, s)
	if swatch := img.At(sh.keys.lines[0][0].x, 3*sh.textSize(sh.size.X)+sh.keys.em/2); swatch != colours[1] {
		t.Errorf("medial is %v in the legend and %v in the table", swatch, colours[1])
	}
	names, colours = readLabelTable(t, filepath.Join(dir, "regions.txt"))
	if len(names) != 31 || names[1] != "medial-tibial-anterior deep" || names[30] != "lateral-meniscus superficial" {
		t.Errorf("regions.txt: %q", names)
	}
	sc := newScene(s)
	var b bytes.Buffer
	if err := writeRegions(&b, sc, s.Result); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	sh = newSheet(sc, false, nil)
	sh.header = picture.Bounds().Dy() - (sh.size.Y - sh.header) // with its keys
	n, seen := s.Echo.Size[0], map[uint16]bool{}
	for v, p := range slice(s.Regions.Geometry, s.Regions.Part, 1) {
		if p == 0 {
			continue
		}
		at := sh.pixelOf(1, v%n, v/n)
		if got := picture.At(at.X, at.Y); got != colours[p] {
			t.Fatalf("a voxel of %s is %v in regions.png and %v in the table", names[p], got, colours[p])
		}
		seen[p] = true
	}
	if len(seen) < 25 {
		t.Errorf("the test saw %d parts", len(seen))
	}
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
	want := []key{{text: "x", colours: []uint8{index[3]}}, {text: "medial-tibial-anterior", colours: []uint8{index[4]}}, {text: "trochlear", colours: []uint8{index[2], index[0], index[1]}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(key{})); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for n, want := range []string{"trochlear without a layer", "trochlear superficial", "trochlear deep", "x", "medial-tibial-anterior", "medial-tibial-central deep"} {
		if got := d.name(n); got != want {
			t.Errorf("part %d: %q, want %q", n, got, want)
		}
	}
}

// A name from a scheme cannot break the table.
func TestLabelTableOfHostileNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.txt")
	var b bytes.Buffer
	if err := writeLabelTable(&b, []labelRow{{number: 1, name: "a\"\n    2 0 0 0 1 1 1 \"b"}, {number: 2, name: `c\`}, {number: 3, name: ""}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if names, _ := readLabelTable(t, path); len(names) != 4 || names[2] != "c'" {
		t.Errorf("names %q", names)
	}
}

// machado are the matrices by which Machado, Oliveira and Fernandes (2009,
// 10.1109/TVCG.2009.113) simulate a complete loss of the long and of the middle cones, on
// linear RGB.
var machado = map[string][3][3]float64{
	"normal":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
}

// labOf returns CIE L*a*b* (D65) of a colour as someone sees it.
func labOf(c color.RGBA, eye [3][3]float64) [3]float64 {
	var linear, seen, xyz [3]float64
	for n, v := range []uint8{c.R, c.G, c.B} {
		x := float64(v) / 255
		if linear[n] = x / 12.92; x > 0.04045 {
			linear[n] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	for r, row := range eye {
		seen[r] = min(max(row[0]*linear[0]+row[1]*linear[1]+row[2]*linear[2], 0), 1)
	}
	white := [3]float64{0.95047, 1, 1.08883}
	for r, row := range [3][3]float64{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}} {
		v := (row[0]*seen[0] + row[1]*seen[1] + row[2]*seen[2]) / white[r]
		if xyz[r] = (24389*v/27 + 16) / 116; v > 216.0/24389 {
			xyz[r] = math.Cbrt(v)
		}
	}
	return [3]float64{116*xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])}
}

// Outlines are told from each other, from grey and from excluded voxels by every reader, and
// from the usual T2 of cartilage by most. A difference of 10 in CIELAB is seen at a glance in areas; lines need
// more.
func TestLineColours(t *testing.T) {
	distance := func(a, b color.RGBA, eye [3][3]float64) float64 {
		p, q := labOf(a, eye), labOf(b, eye)
		return math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2])
	}
	for name, eye := range machado {
		for n, c := range lineColours[:strongLines] {
			for _, other := range lineColours[n+1 : strongLines] {
				if d := distance(c, other, eye); d < 40 {
					t.Errorf("%s: %v and %v differ by %.0f", name, c, other, d)
				}
			}
			if d := distance(c, excludedColour, eye); d < 30 {
				t.Errorf("%s: %v and the excluded colour differ by %.0f", name, c, d)
			}
			for _, grey := range greyPalette() {
				if d := distance(c, grey.(color.RGBA), eye); d < 30 {
					t.Errorf("%s: %v and the grey %v differ by %.0f", name, c, grey, d)
				}
			}
			for ms := 25; ms <= 45; ms++ {
				least := 15.
				if name == "normal" {
					least = 40
				}
				if d := distance(c, scaleColour(float64(ms)/scaleMaxMS), eye); d < least {
					t.Errorf("%s: %v and T2 of %d ms differ by %.0f", name, c, ms, d)
				}
			}
		}
	}
}

func TestLineColoursOf(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  []int
	}{
		{[]string{"medial", "lateral", "patellofemoral"}, []int{0, 1, 2}},
		{[]string{"patellofemoral", "medial"}, []int{2, 0}},
		{[]string{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"}, []int{0, 1, 2, 3, 4}},
		{[]string{"medial-tibial", "lateral-tibial", "patellar", "femoral"}, []int{0, 1, 2, 3}},
		{[]string{"medial", "medial-tibial", "x", "y", "z", "u", "v"}, []int{0, 3, 4, 5, 6, 3, 4}},
	} {
		if got := lineColoursOf(c.names); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.names, got, c.want)
		}
	}
}

// Regions that touch differ at a glance, and a layer is darker the nearer it is to the bone.
func TestRegionColours(t *testing.T) {
	if len(regionColours) != len(anatomy.Regions()) {
		t.Errorf("%d colours for %d regions", len(regionColours), len(anatomy.Regions()))
	}
	for a, c := range regionColours {
		for b, d := range regionColours {
			p, q := labOf(c, machado["normal"]), labOf(d, machado["normal"])
			if e := math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]); a < b && e < 20 {
				t.Errorf("%v and %v differ by %.0f", a, b, e)
			}
		}
		last := -1.
		for layer := 1; layer <= 5; layer++ {
			l := lightness(shade(c, layer, 5))
			if l <= last {
				t.Errorf("%v: layer %d is not lighter than the one below", a, layer)
			}
			last = l
		}
	}
	// Whatever a mask holds fits the palette.
	r := segment.Regions{Names: []string{"a", "b", "c", "d", "e", "f", "g"}}
	for _, name := range r.Names {
		r.Parts = append(r.Parts, segment.Part{Compartment: name})
	}
	for _, region := range anatomy.Regions() {
		for layer := range 40 {
			r.Parts = append(r.Parts, segment.Part{Compartment: region.Compartment(), Region: region.String(), Layer: layer + 1})
		}
	}
	if p, _ := newDivision(r).paletted(); len(p) > 256 {
		t.Errorf("%d colours", len(p))
	}
}

// The outlines lie around the voxels of each compartment: no T2 is hidden but by a line between two.
func TestOverlayOutlines(t *testing.T) {
	s := smallStudy()
	s.Regions.Names = []string{"medial", "lateral", "patellofemoral"}
	img, sh, _ := drawOverlay(t, s)
	n := s.Echo.Size[0]
	colour := func(p image.Point) color.Color { return img.At(p.X, p.Y) }
	counts := map[color.Color]int{}
	for v, r := range slice(s.Regions.Geometry, s.Regions.Data, 1) {
		i, j := v%n, v/n
		if r == 0 || i == 0 || s.Regions.Data[n*n+v-1] != 0 {
			continue
		}
		// The voxel begins a run: left of its first pixel is its outline.
		at := sh.pixelOf(1, i, j)
		edge := sh.at(1).X + (i-sh.view.crop.Min.X)*sh.view.size.X/sh.view.crop.Dx()
		if got, want := colour(image.Pt(edge-1, at.Y)), color.Color(lineColours[r-1]); got != want {
			// Another compartment's outline may lie over it where two meet.
			if got != color.Color(lineColours[0]) && got != color.Color(lineColours[1]) && got != color.Color(lineColours[2]) {
				t.Fatalf("left of voxel (%d, %d) of compartment %d is %v, want %v", i, j, r, got, want)
			}
			continue
		}
		counts[lineColours[r-1]]++
		plain := at
		plain.X -= sh.lead
		if !isGrey(colour(plain)) {
			t.Fatalf("the plain slice has the colour %v at voxel (%d, %d)", colour(plain), i, j)
		}
	}
	if len(counts) != 3 {
		t.Errorf("outlines %v, want three colours", counts)
	}
}

// Texts stay on the sheet, whatever names hold and however many there are.
func TestKeyRow(t *testing.T) {
	var many []key
	for n := range 200 {
		many = append(many, key{text: fmt.Sprintf("compartment %d", n), colours: []uint8{1}})
	}
	long := []key{{text: strings.Repeat("x\n\u202e", 4000), colours: []uint8{1}}, {text: "b", colours: []uint8{1}}}
	for name, keys := range map[string][]key{"none": nil, "many": many, "long": long} {
		r := newKeyRow(keys, 720, 14)
		if len(r.lines) > mostKeyLines {
			t.Errorf("%s: %d lines", name, len(r.lines))
		}
		for _, line := range r.lines {
			for _, k := range line {
				end := k.x + textWidth(r.face(), k.text)
				if len(k.colours) > 0 {
					end += r.swatch()
				}
				if end > 720 {
					t.Errorf("%s: %q ends at %d", name, k.text, end)
				}
			}
		}
		if name == "many" {
			last := r.lines[len(r.lines)-1]
			if got := last[len(last)-1].text; !strings.HasPrefix(got, "and ") || !strings.HasSuffix(got, " more") {
				t.Errorf("the last key is %q", got)
			}
		}
	}
}

// The new pictures take hostile names, and draw nothing in the margin of a caption.
func TestPicturesOfHostileNames(t *testing.T) {
	s := full()
	evil := strings.Repeat("<script>\u202e\n", 400)
	s.Result.Subject, s.Result.Mask.From, s.Result.Registration.Program = evil, evil, evil
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

// Squares of two images alternate from the top left one on, which is of the study, and
// each image has its own grey levels.
func TestCheckerboard(t *testing.T) {
	s := smallStudy()
	for v := range s.Echo.Data {
		s.Echo.Data[v] = 300
	}
	dark := volume.Map{Geometry: s.Echo.Geometry, Data: make([]float32, len(s.Echo.Data))}
	for v := range dark.Data {
		dark.Data[v] = float32(math.NaN()) // nothing of the other image is here: black
	}
	bright := volume.Map{Geometry: s.Echo.Geometry, Data: slices.Repeat([]float32{9000}, len(s.Echo.Data))}
	sc := newScene(s)
	var b bytes.Buffer
	if err := writeCheckerboard(&b, sc, Aligned{Before: dark, After: bright}, s.Result); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	c := newChecks(sc)
	side := checkMM * float64(c.view.size.X) / (float64(c.view.crop.Dx()) * s.Echo.Spacing()[0])
	for row := range 4 {
		for col := range 4 {
			at := c.at(0).Add(image.Pt(int((float64(col)+0.5)*side), int((float64(row)+0.5)*side)))
			if row == 0 {
				continue // words
			}
			before, after := grey(img.At(at.X-c.lead, at.Y)), grey(img.At(at.X, at.Y))
			want := uint8(255)
			if (row+col)%2 == 1 {
				want = 0
			}
			if before != want || after != 255 {
				t.Errorf("square %d, %d: grey %d before and %d after, want %d and 255", col, row, before, after, want)
			}
		}
	}
	if got := spread([]int{3, 4, 5, 6, 7, 8, 9}, 3); !slices.Equal(got, []int{4, 6, 8}) {
		t.Errorf("slices %v", got)
	}
}

// The unrolled map is where its axes say: a cell of known T2 has its colour at its angle and position.
func TestUnrolledPicture(t *testing.T) {
	u := sampleUnrolled()
	rows, cols := u.size()
	row, col := rows*3/4, cols*3/4
	u.T2[row*cols+col] = 60
	var b bytes.Buffer
	if err := writeUnrolled(&b, *u, sampleResult(sampleGeometry())); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	left, bottom := unrolledLeft, img.Bounds().Dy()-unrolledBottom
	x := left + int((float64(col)+0.5)*unrolledWidth/float64(cols))
	y := bottom - unrolledHeight + int((float64(row)+0.5)*unrolledHeight/float64(rows))
	if got := img.At(x, y); !within(got, plasmaAt[60], 5) {
		t.Errorf("60 ms has the colour %v", got)
	}
	notch := img.At(left+unrolledWidth/2, bottom-unrolledHeight/10)
	if !within(notch, color.Black, 0) {
		t.Errorf("the notch has the colour %v", notch)
	}
	for side, want := range map[string][2]string{"left": {"medial", "lateral"}, "right": {"lateral", "medial"}, "": {"right", "left"}} {
		u.Side = side
		if got := u.ends(); got != want {
			t.Errorf("%q knee: ends %q, want %q", side, got, want)
		}
	}
}

// A profile is drawn in pieces around bins without a T2.
func TestProfileRuns(t *testing.T) {
	runs := sampleProfiles()[0].runs()
	if len(runs) != 2 || len(runs[0]) != 4 || len(runs[1]) != 5 {
		t.Errorf("runs %v", runs)
	}
	if runs := (Profile{}).runs(); runs != nil {
		t.Errorf("runs of nothing: %v", runs)
	}
}
