package panel

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/segment/unroll"
)

// unrolledFolder writes what the panel of unrolled maps reads of a study.
func unrolledFolder(t *testing.T, u *report.Unrolled, change func(r *report.Result)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "study")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r := report.Result{Version: "1", Protocol: report.Protocol{Maps: "mask"}}
	if u != nil {
		r.Side = u.Side
		r.Outputs = []report.File{{Path: report.UnrolledFile}}
		var b bytes.Buffer
		if err := nifti.WriteMap(&b, u.Volume(), "test"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, report.UnrolledFile), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(&r)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, report.ResultFile), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// flat is a map of one T2.
func flat(side string, rows, columns [2]int, angle, across, t2 float64) *report.Unrolled {
	u := &report.Unrolled{Map: unroll.Map{Angle: angle, Width: across, Rows: rows, Columns: columns}, Side: side}
	u.T2 = slices.Repeat([]float64{t2}, (rows[1]-rows[0])*(columns[1]-columns[0]))
	return u
}

// What WriteStudy has written of an unrolled map is read as it was, whatever its steps.
func TestReadUnrolled(t *testing.T) {
	for _, u := range []*report.Unrolled{
		sampleUnrolled(), flat("left", [2]int{-30, 55}, [2]int{3, 4}, 2, 3.3, 40),
		flat("", [2]int{-90, -89}, [2]int{-200, -150}, 2, 5.9, 40),
		flat("right", [2]int{0, 90}, [2]int{-1, 2}, 0.7, 0.1, 33),
	} {
		got, err := readUnrolled(unrolledFolder(t, u, nil))
		if err != nil {
			t.Fatal(err)
		}
		g := got.unrolled
		same := func(a, b float64) bool { return float32(a) == float32(b) || math.IsNaN(a) && math.IsNaN(b) }
		if g.Angle != u.Angle || g.Width != u.Width || g.Rows != u.Rows || g.Columns != u.Columns || g.Side != u.Side ||
			!slices.EqualFunc(g.T2, u.T2, same) {
			t.Errorf("got %g° × %g mm, rows %v, columns %v, %q; want %g° × %g mm, %v, %v, %q", g.Angle, g.Width, g.Rows,
				g.Columns, g.Side, u.Angle, u.Width, u.Rows, u.Columns, u.Side)
		}
	}
}

// The file of a change holds the later T2 less that of baseline, cell by cell by angle and
// position, on a grid that covers both, and nothing where either has none.
func TestWriteUnrolledChange(t *testing.T) {
	was, is := flat("right", [2]int{-2, 3}, [2]int{-3, 2}, 2, 3, 40),
		flat("right", [2]int{-1, 4}, [2]int{-2, 4}, 2, 3, 43.5)
	was.T2[1*5+1] = math.NaN() // angle step −1, column −2
	was.T2[2*5+4] = 60         // angle step 0, column 1
	var b bytes.Buffer
	if err := WriteUnrolledChange(&b, unrolledFolder(t, is, nil), unrolledFolder(t, was, nil)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "change.nii.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	read := tools.ReadMap(t, path)
	g, got := read.Geometry, read.Data
	if g.Size != [3]int{7, 6, 1} {
		t.Fatalf("size %v, want 7 × 6", g.Size)
	}
	for row := -2; row < 4; row++ {
		for column := -3; column < 4; column++ {
			want := float32(math.NaN())
			switch {
			case row < -1 || row >= 3 || column < -2 || column >= 2 || row == -1 && column == -2:
			case row == 0 && column == 1:
				want = -16.5
			default:
				want = 3.5
			}
			n := (row+2)*7 + column + 3
			p := g.Position(float64(column+3), float64(row+2), 0)
			if at := [2]float64{(float64(column) + 0.5) * 3, (float64(row) + 0.5) * 2}; math.Abs(p[0]-at[0]) > 1e-4 ||
				math.Abs(p[1]-at[1]) > 1e-4 {
				t.Fatalf("cell %d, %d lies at %v, want %v", column, row, p, at)
			}
			if got[n] != want && !(got[n] != got[n] && want != want) {
				t.Errorf("angle step %d, column %d: change %g, want %g", row, column, got[n], want)
			}
		}
	}
}

// A tile is empty for a reason, and none is resampled.
func TestUnrolledPanelMissing(t *testing.T) {
	base := unrolledFolder(t, flat("left", [2]int{-20, 40}, [2]int{-10, 10}, 2, 3, 40), nil)
	cells := func(side string, angle, across float64) string {
		return unrolledFolder(t, flat(side, [2]int{-20, 40}, [2]int{-10, 10}, angle, across, 40), nil)
	}
	spoiled := cells("left", 2, 3)
	if err := os.WriteFile(filepath.Join(spoiled, report.UnrolledFile), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	gone := cells("left", 2, 3)
	if err := os.Remove(filepath.Join(gone, report.UnrolledFile)); err != nil {
		t.Fatal(err)
	}
	missing := map[string]Visit{
		"cells of 2° × 6 mm, at baseline 2° × 3 mm: not compared":               {Folder: cells("left", 2, 6)},
		"cells of 1° × 3 mm, at baseline 2° × 3 mm: not compared":               {Folder: cells("left", 1, 3)},
		"the right knee, at baseline the left: not compared":                    {Folder: cells("right", 2, 3)},
		"unrolled.nii.gz cannot be read: map the study again":                   {Folder: spoiled},
		"unrolled.nii.gz is missing: map the study again":                       {Folder: gone},
		"no unrolled map: the mask is not divided, or has no femoral cartilage": {Folder: unrolledFolder(t, nil, nil)},
		"no maps: mapped with --maps none": {Folder: unrolledFolder(t, nil,
			func(r *report.Result) { r.Protocol.Maps = "none" })},
		"its folder holds no result.json": {Folder: t.TempDir()},
		"study failed: no mask":           {Missing: "study failed:\nno mask"},
	}
	for want, v := range missing {
		p, err := newUnrolledPanel(t.Context(), []Row{{Label: "S01", Visits: []Visit{{Folder: base}, v}}},
			[]string{"baseline", "later"})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.tiles[0][1].missing; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if remarks := p.remarks(); !slices.Equal(remarks, []string{"S01, later: " + want + "."}) {
			t.Errorf("remarks %q", remarks)
		}
	}
	// Later visits have nothing to be compared with where the first has no map.
	p, err := newUnrolledPanel(t.Context(), []Row{{Label: "S01",
		Visits: []Visit{{Missing: "no study"}, {Folder: base}}}}, []string{"baseline", "later"})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.tiles[0][1].missing; got != "the first visit has no map to compare with" {
		t.Errorf("without a baseline: %q", got)
	}
	if _, err := Unrolled(t.Context(), []Row{{Label: "S01",
		Visits: []Visit{missing["no maps: mapped with --maps none"]}}},
		Options{Visits: []string{"baseline"}}); !errors.Is(err, ErrNoMaps) {
		t.Errorf("no map at all: %v, want ErrNoMaps", err)
	}
}

// Medial is at the left of a tile for both knees, and anterior at the top: a cell of another T2
// has its colour there.
func TestUnrolledTiles(t *testing.T) {
	for _, side := range []string{"left", "right"} {
		// The medial end is the patient's right for a left knee: the lowest columns.
		medial := 0
		if side == "right" {
			medial = 19
		}
		was, is := flat(side, [2]int{-20, 40}, [2]int{-10, 10}, 2, 3, 40),
			flat(side, [2]int{-20, 40}, [2]int{-10, 10}, 2, 3, 40)
		was.T2[0*20+medial] = 70         // anterior, medial
		is.T2[59*20+medial] = 52         // posterior, medial
		is.T2[30*20+9] = math.NaN()      // inside
		is.T2[0*20+19-medial] = 40 - 7.5 // anterior, lateral
		rows := []Row{{Label: "S01", Visits: []Visit{{Folder: unrolledFolder(t, was, nil)},
			{Folder: unrolledFolder(t, is, nil)}}}}
		p, err := newUnrolledPanel(t.Context(), rows, []string{"baseline", "later"})
		if err != nil {
			t.Fatal(err)
		}
		if p.tiles[0][1].shown != [2]string{"change", "1199 of 1200 cells"} {
			t.Errorf("%s: below the tile %q", side, p.tiles[0][1].shown)
		}
		size := image.Pt(660, 640)
		mm := p.window.mm()
		at := func(img *image.Paletted, column, row int) color.Color { // columns from medial
			x := (unrolledMarginX + (float64(column)+0.5)*3) / mm[0] * float64(size.X)
			y := (unrolledMarginY + (float64(row)+0.5)*2*unrolledMMPerDegree) / mm[1] * float64(size.Y)
			return img.At(int(x), int(y))
		}
		first, change := p.window.draw(&p.tiles[0][0], size), p.window.draw(&p.tiles[0][1], size)
		inside := 9
		if side == "right" {
			inside = 10
		}
		for _, c := range []struct {
			what        string
			img         *image.Paletted
			column, row int
			want        color.Color
		}{
			{"T2", first, 5, 30, figure.MapPalette[figure.T2Index(40)]},
			{"T2 anterior, medial", first, 0, 0, figure.MapPalette[figure.T2Index(70)]},
			{"no change", change, 5, 30, changeNeutral}, {"growth posterior, medial", change, 0, 59, changeColour(0.8)},
			{"decrease anterior, medial", change, 0, 0, changeColour(-1)},
			{"decrease anterior, lateral", change, 19, 0, changeColour(-0.5)},
			{"no T2", change, inside, 30, color.RGBA{A: 0xff}},
		} {
			if got := at(c.img, c.column, c.row); got != c.want {
				t.Errorf("%s knee, %s: %v, want %v", side, c.what, got, c.want)
			}
		}
		if got := change.At(1, 1); got != (color.RGBA{A: 0xff}) {
			t.Errorf("%s knee: the margin is %v", side, got)
		}
	}
}

// The scale of changes is neutral in its middle, grows darker to both ends, and its two ends are
// told from each other by every reader from 3 ms on: a difference of 10 in CIELAB is seen at a
// glance.
func TestChangeColours(t *testing.T) {
	if unrolledPalette[changeIndex(0)] != changeNeutral || len(unrolledPalette) > 256 {
		t.Errorf("0 ms: %v, %d colours", unrolledPalette[changeIndex(0)], len(unrolledPalette))
	}
	if changeIndex(-99) != firstChange || int(changeIndex(99)) != len(unrolledPalette)-1 ||
		changeIndex(15) != changeIndex(99) {
		t.Error("changes beyond the scale do not have its last colours")
	}
	for name, eye := range sampletest.Eyes {
		light := func(ms float64) float64 { return sampletest.Lab(changeColour(ms/changeMaxMS), eye)[0] }
		for ms := 0.5; ms <= changeMaxMS; ms += 0.5 {
			for _, sign := range []float64{1, -1} {
				if light(sign*ms) >= light(sign*(ms-0.5)) {
					t.Errorf("%s: %g ms is not darker than the change before", name, sign*ms)
				}
			}
			p, q := sampletest.Lab(changeColour(ms/changeMaxMS), eye), sampletest.Lab(changeColour(-ms/changeMaxMS), eye)
			if d := math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]); ms >= 3 && d < 10 {
				t.Errorf("%s: −%g and %g ms differ by %.0f", name, ms, ms, d)
			}
		}
	}
}

// unrolledPicture draws a figure of one picture.
func unrolledPicture(t *testing.T, rows []Row, o Options) figure.Picture {
	t.Helper()
	pictures, err := Unrolled(t.Context(), rows, o)
	if err != nil || len(pictures) != 1 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	return pictures[0]
}

// The picture has its words, and those of a mask that was carried, and is the same each time.
func TestUnrolledPanelPicture(t *testing.T) {
	carried := func(r *report.Result) { r.Mask.SourceVisit = "baseline" }
	at := func(side string, t2 float64, change func(*report.Result)) Visit {
		return Visit{Folder: unrolledFolder(t, flat(side, [2]int{-50, 50}, [2]int{-12, 12}, 2, 3, t2), change)}
	}
	rows := []Row{
		{Label: "S01, control", Visits: []Visit{at("left", 40, nil), at("left", 41, carried)}},
		{Label: "S02, treatment", Visits: []Visit{at("right", 40, nil), {Missing: "no study"}}},
	}
	o := Options{Visits: []string{"baseline", "month12"}}
	pic := unrolledPicture(t, rows, o)
	texts := strings.Join(regexp.MustCompile(`>[^<>]+<`).FindAllString(string(pic.SVG), -1), " ")
	for _, want := range []string{"baseline", "month12", "S01, control · left knee", "S02, treatment · right knee",
		"mask carried from baseline", "no study", "2400 of 2400 cells",
		"T2 (ms)", "change (ms)", "≤−15", "≥15", "≥80", "medial", "lateral", "anterior", "posterior"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
	for _, want := range []string{"Cells without a T2 at one of the two visits are empty", "registration",
		"−15 to 15 ms", "72 mm × 200°"} {
		if !strings.Contains(pic.Caption, want) {
			t.Errorf("caption without %q: %s", want, pic.Caption)
		}
	}
	if want := []string{"S01, control, month12: mask carried from baseline.",
		"S02, treatment, month12: no study."}; pic.Name != "unrolled" || !slices.Equal(pic.Remarks, want) {
		t.Errorf("%s: remarks %q, want %q", pic.Name, pic.Remarks, want)
	}
	again := unrolledPicture(t, rows, o)
	if !bytes.Equal(pic.PNG, again.PNG) || !bytes.Equal(pic.SVG, again.SVG) ||
		!bytes.Equal(pic.PDF, again.PDF) {
		t.Error("a second picture differs")
	}
	one := rows[:1]
	one[0].Visits = one[0].Visits[:1]
	pic = unrolledPicture(t, one, Options{Visits: o.Visits[:1]})
	if strings.Contains(string(pic.SVG), "change (ms)") || strings.Contains(pic.Caption, "change") {
		t.Error("one visit: a change is explained")
	}
}

// The panel of T2 maps says of a visit that its mask was carried, too.
func TestPanelSaysCarried(t *testing.T) {
	base := panelStudy(t, nil)
	later := panelStudy(t, func(s *study) { s.Result.Mask.SourceVisit = "baseline" })
	s := sightsOf(t, nil, base, later)
	if len(s[0].notes) != 0 || !slices.Equal(s[1].notes, []string{"mask carried from baseline"}) {
		t.Errorf("baseline %q, later %q", s[0].notes, s[1].notes)
	}
}
