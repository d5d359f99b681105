package panel

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// moved returns the affine shifted by x, y, z mm.
func moved(a [3][4]float64, by ...float64) [3][4]float64 {
	for r, d := range by {
		a[r][3] += d
	}
	return a
}

// rotated returns the affine turned about the patient's long axis by degrees.
func rotated(a [3][4]float64, degrees float64) [3][4]float64 {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for c := range 4 {
		a[0][c], a[1][c] = cos*a[0][c]-sin*a[1][c], sin*a[0][c]+cos*a[1][c]
	}
	return a
}

// sightsOf looks at a row of folders.
func sightsOf(t *testing.T, at *float64, folders ...string) []sight {
	t.Helper()
	row := Row{Position: at}
	for _, f := range folders {
		row.Visits = append(row.Visits, Visit{Folder: f})
	}
	s, err := openRow(t.Context(), row, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Later visits show the slice at baseline's patient position, and say when they cannot.
func TestPanelSlices(t *testing.T) {
	at := func(change func(s *study)) string { return panelStudy(t, change) }
	shift := func(by ...float64) func(s *study) {
		return func(s *study) { s.place(moved(s.Echo.Affine, by...)) }
	}
	base := at(nil)
	for _, c := range []struct {
		name  string
		dir   string
		slice int
		place string
		notes string
	}{
		{"the same", at(nil), 5, "R 32.5 mm, slice 6 of 12", ""},
		{"two slices further", at(shift(7)), 3, "R 32.5 mm, slice 4 of 12", ""},
		{"within half a slice", at(shift(-1.7)), 5, "R 34.2 mm, slice 6 of 12", ""},
		{"off in the plane", at(shift(0, 30, -20)), 5, "R 32.5 mm, slice 6 of 12", ""},
		{"too far left", at(shift(40)), 0, "R 10.0 mm, slice 1 of 12", "22.5 mm from the slice at baseline"},
		{"beyond the middle", at(shift(60)), 0, "L 10.0 mm, slice 1 of 12", "42.5 mm from the slice at baseline"},
		{"from left to right", at(func(s *study) {
			a := s.Echo.Affine
			a[0][2], a[0][3] = -3.5, -50+11*3.5
			s.place(a)
		}), 6, "R 32.5 mm, slice 7 of 12", ""},
		{"turned a little", at(func(s *study) { s.place(rotated(s.Echo.Affine, 4)) }), 5, "", ""},
		{"turned", at(func(s *study) { s.place(rotated(s.Echo.Affine, 12)) }), 5, "", "turned by 12° from baseline"},
		{"the other knee", at(func(s *study) { s.Result.Side = "right" }), 5, "R 32.5 mm, slice 6 of 12",
			"the right knee, at baseline the left"},
		{"coronal", at(func(s *study) { s.place(rotated(s.Echo.Affine, 90)) }), -1, "", "turned by 90° from baseline"},
	} {
		s := sightsOf(t, nil, base, c.dir)[1]
		if s.missing != "" || c.slice >= 0 && s.slice != c.slice ||
			c.place != "" && strings.Join(s.place[:], ", ") != c.place ||
			!strings.Contains(strings.Join(s.notes, "; "), c.notes) || c.notes == "" && len(s.notes) > 0 {
			t.Errorf("%s: slice %d, %q, notes %q, missing %q", c.name, s.slice, s.place, s.notes, s.missing)
		}
	}
	for want, position := range map[int]float64{0: -50, 11: -11.6, 3: -40} {
		if s := sightsOf(t, &position, base, base); s[0].slice != want || s[1].slice != want ||
			len(s[0].notes)+len(s[1].notes) > 0 {
			t.Errorf("at %g mm: slices %d and %d, notes %q", position, s[0].slice, s[1].slice, s[0].notes)
		}
	}
	far := 30.
	if s := sightsOf(t, &far, base)[0]; s.slice != 11 ||
		!slices.Equal(s.notes, []string{"41.5 mm from the requested position"}) {
		t.Errorf("at 30 mm: slice %d, notes %q", s.slice, s.notes)
	}
}

// What is missing has a reason, and the other visits are shown.
func TestPanelMissing(t *testing.T) {
	sound := panelStudy(t, nil)
	without := func(name string) string {
		dir := panelStudy(t, nil)
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	spoiled := func(name, text string) string {
		dir := panelStudy(t, nil)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	swapped := func(name string) string {
		dir, other := panelStudy(t, nil), panelStudy(t, func(s *study) { s.place(moved(s.Echo.Affine, 1)) })
		raw, err := os.ReadFile(filepath.Join(other, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	cases := []struct {
		name  string
		visit Visit
		want  string
		shown bool
	}{
		{"no study", Visit{}, "no study", false},
		{"a reason", Visit{Missing: "study failed:\n\u202eread"}, "study failed:  read", false},
		{"no folder", Visit{Folder: filepath.Join(t.TempDir(), "absent")}, "its folder holds no result.json", false},
		{"broken result", Visit{Folder: spoiled("result.json", "{")}, "its result.json cannot be read", false},
		{"no maps", Visit{Folder: panelStudy(t, func(s *study) { s.WriteMaps, s.Result.Protocol.Maps = false, "none" })},
			"no maps: mapped with --maps none", false},
		{"an earlier version", Visit{Folder: without("compartments.nii.gz")},
			"compartments.nii.gz is missing: map the study again", false},
		{"no T2", Visit{Folder: without("t2.nii.gz")}, "t2.nii.gz is missing: map the study again", false},
		{"no status", Visit{Folder: without("status.nii.gz")}, "status.nii.gz is missing: map the study again", false},
		{"broken T2", Visit{Folder: spoiled("t2.nii.gz", "\x1f\x8b")}, "t2.nii.gz cannot be read: map the study again",
			false},
		{"broken mask", Visit{Folder: spoiled("compartments.nii.gz", "")},
			"compartments.nii.gz cannot be read: map the study again", false},
		{"another grid", Visit{Folder: swapped("t2.nii.gz")}, "its maps are on different grids: map the study again", false},
		{"empty mask", Visit{Folder: panelStudy(t, func(s *study) { clear(s.Regions.Data) })},
			"no voxel of the mask is in a compartment", false},
		{"no anatomy", Visit{Folder: panelStudy(t, func(s *study) { s.Anatomy.Data, s.Result.Anatomy = nil, nil })},
			"no anatomy", true},
		{"broken anatomy", Visit{Folder: spoiled("anatomy.nii.gz", "x")}, "anatomy.nii.gz is missing or damaged", true},
	}
	// Seven beside a sound one, in tiles that are small and quickly drawn.
	titles := []string{"baseline", "v1", "v2", "v3", "v4", "v5", "v6", "v7"}
	var rows []Row
	var remarks []string
	for n, c := range cases {
		if n%7 == 0 {
			rows = append(rows, Row{Label: fmt.Sprintf("S%02d", n/7), Visits: []Visit{{Folder: sound}}})
		}
		row := &rows[n/7]
		row.Visits = append(row.Visits, c.visit)
		remarks = append(remarks, fmt.Sprintf("%s, %s: %s.", row.Label, titles[n%7+1], c.want))
	}
	p, err := newPanel(t.Context(), rows, Options{Visits: titles})
	if err != nil {
		t.Fatal(err)
	}
	for n, c := range cases {
		got := p.tiles[n/7][n%7+1]
		if shown := got.missing == ""; shown != c.shown || got.missing+strings.Join(got.notes, "; ") != c.want ||
			p.tiles[n/7][0].picture == nil {
			t.Errorf("%s: missing %q, notes %q, want %q", c.name, got.missing, got.notes, c.want)
		}
	}
	if got := p.remarks(); !slices.Equal(got, remarks) {
		t.Errorf("remarks %q, want %q", got, remarks)
	}
}

// Without a first visit the second is followed, and says so.
func TestPanelWithoutBaseline(t *testing.T) {
	s := sightsOf(t, nil, "", panelStudy(t, nil), panelStudy(t, nil))
	if s[0].missing != "no study" || s[1].slice != 5 || s[2].slice != 5 ||
		!slices.Equal(s[1].notes, []string{"the slice is chosen at this visit, since no earlier one has maps"}) ||
		len(s[2].notes) > 0 {
		t.Errorf("%q, %q, %q", s[0].missing, s[1].notes, s[2].notes)
	}
}

// Trilinear interpolation gives back a plane in patient space, on any grid, and nothing
// outside of its voxels.
func TestTrilinear(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		m := volume.Map{Geometry: volume.Geometry{Size: [3]int{1 + r.IntN(6), 1 + r.IntN(6), 1 + r.IntN(6)}}}
		var slope [3]float64
		for d := range slope {
			slope[d] = r.NormFloat64()
		}
		plane := func(p [3]float64) float64 { return 10 + dot3(slope, p) }
		m.Data = make([]float32, m.Voxels())
		for v := range m.Data {
			i, j, k := v%m.Size[0], v/m.Size[0]%m.Size[1], v/m.SliceVoxels()
			m.Data[v] = float32(plane([3]float64{float64(i), float64(j), float64(k)}))
		}
		for range 50 {
			var at, inside [3]float64
			in := true
			for d := range at {
				at[d] = (float64(m.Size[d])+2)*r.Float64() - 1.5
				in = in && at[d] >= -0.5 && at[d] <= float64(m.Size[d])-0.5
				inside[d] = min(max(at[d], 0), float64(m.Size[d]-1))
			}
			want := 0.
			if in {
				want = plane(inside)
			}
			if got := float64(trilinear(m, at)); math.Abs(got-want) > 1e-4 { // float32 of some tens
				t.Fatalf("%v at %v: got %g, want %g", m.Size, at, got, want)
			}
		}
	}
	nan := math.NaN()
	if got := trilinear(volume.Map{Geometry: volume.Geometry{Size: [3]int{1, 1, 1}}, Data: []float32{3}},
		[3]float64{nan, 0, 0}); got != 0 {
		t.Errorf("nowhere: %g", got)
	}
}

// Anatomy on a grid of its own lies where the slice does: a ramp along the patient's y axis is
// the same ramp in the tile, and T2 has the colour of its voxel.
func TestPanelTile(t *testing.T) {
	dir := panelStudy(t, func(s *study) {
		// Axial, with voxels of 2 × 3 × 4 mm, over all of the joint.
		g := volume.Geometry{Size: [3]int{40, 60, 40}, Affine: [3][4]float64{{2, 0, 0, -80}, {0, 3, 0, -90}, {0, 0, 4, -80}}}
		a := volume.Map{Geometry: g, Data: make([]float32, g.Voxels())}
		for v := range a.Data {
			a.Data[v] = float32(90 + g.Position(0, float64(v/40%60), 0)[1] + 3)
		}
		s.Anatomy = a
		s.Result.Anatomy.Series = "another"
	})
	p, err := newPanel(t.Context(), []Row{{Label: "S01", Visits: []Visit{{Folder: dir}, {}, {}, {}}}},
		Options{Visits: []string{"baseline", "2", "3", "4"}})
	if err != nil {
		t.Fatal(err)
	}
	tile := p.tiles[0][0].picture
	if want := [4]string{"A", "P", "S", "I"}; tile == nil || tile.edges != want {
		t.Fatalf("%q: %+v", p.tiles[0][0].missing, tile)
	}
	mm := p.window[0] / float64(p.tile.X)
	middle := tile.Pix[tile.PixOffset(p.tile.X/2, p.tile.Y/2)]
	coloured := 0
	for y := range p.tile.Y {
		for x := range p.tile.X {
			got := tile.Pix[tile.PixOffset(x, y)]
			if got >= figure.FirstT2 {
				coloured++
				continue
			}
			// 93 + y, of which the middle of the joint is at 93 − 1.25.
			want := float64(middle) * (91.75 + (float64(x)+0.5-float64(p.tile.X)/2)*mm) / 91.75
			if math.Abs(float64(got)-min(want, figure.GreyWhite)) > 2 {
				t.Fatalf("pixel %d, %d: grey %d, want %.1f", x, y, got, want)
			}
		}
	}
	// A ring of 24 to 28 mm.
	if want := math.Pi * (28*28 - 24*24) / (mm * mm); math.Abs(float64(coloured)/want-1) > 0.1 {
		t.Errorf("%d pixels have a colour, want some %.0f", coloured, want)
	}
	if !strings.Contains(p.caption(), "over the series named as anatomy") {
		t.Error(p.caption())
	}
}

// Names from headers and tables do no harm to any of the files, and the same panel has the
// same bytes.
func TestPanelPicture(t *testing.T) {
	s := rings(48, 12)
	s.Anatomy = s.Echo
	s.Result.Anatomy = &report.Anatomy{Series: s.Result.Series, TE: 10}
	dir := filepath.Join(t.TempDir(), "study")
	if _, err := report.WriteStudy(dir, s.Study); err != nil {
		t.Fatal(err)
	}
	row := Row{Label: "=cmd <script>alert('1')</script> & \u202e\x00\n" + strings.Repeat("long ", 100),
		Visits: []Visit{{Folder: dir}, {Missing: strings.Repeat("<b>very", 500)}, {Folder: dir}, {}, {}, {}}}
	draw := func() (files [3][]byte) {
		pictures, err := Maps(t.Context(), []Row{row, row},
			Options{Visits: []string{"base\u2028line]]>", strings.Repeat("W", 1000), "c", "d", "e", "f"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(pictures) != 2 {
			t.Fatalf("six visits: %d pictures", len(pictures))
		}
		p, second := pictures[0], pictures[1]
		if p.Name != "maps" || second.Name != "maps-2" || second.Part != 1 || len(p.Remarks) != 2 ||
			len(second.Remarks) != 6 || max(p.Width, second.Width) > figure.PictureWidth+0.1 {
			t.Errorf("%s and %s, %g mm, %d and %d remarks", p.Name, second.Name, p.Width, len(p.Remarks), len(second.Remarks))
		}
		for _, f := range append(p.Remarks, second.Remarks...) {
			if len(f) > 4000 || strings.ContainsAny(f[:min(100, len(f))], "\n\x00\u202e") {
				t.Errorf("remark %.200q", f)
			}
		}
		return [3][]byte{p.SVG, p.PNG, p.PDF}
	}
	files := draw()
	if again := draw(); !slices.EqualFunc(files[:], again[:], bytes.Equal) {
		t.Error("the same panel has other bytes")
	}
	d := xml.NewDecoder(bytes.NewReader(files[0]))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok &&
			!slices.Contains([]string{"svg", "title", "desc", "rect", "g", "path", "text", "image"}, e.Name.Local) {
			t.Errorf("element %s", e.Name.Local)
		}
	}
	if _, err := png.Decode(bytes.NewReader(files[1])); err != nil || !bytes.HasPrefix(files[2], []byte("%PDF-")) {
		t.Error(err)
	}
}

func TestPanelRefuses(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	visit := []Visit{{}}
	for _, c := range []struct {
		name string
		ctx  context.Context
		rows []Row
		o    Options
		want string
	}{
		{"no rows", t.Context(), nil, Options{Visits: []string{"a"}}, "no subject"},
		{"no visits", t.Context(), []Row{{}}, Options{}, "no visit"},
		{"too many rows", t.Context(), make([]Row, MostRows+1), Options{Visits: []string{"a"}}, "13 subjects, at most 12"},
		{"200 visits", t.Context(), []Row{{}}, Options{Visits: make([]string, 200)}, "200 visits, at most 8"},
		{"a visit short", t.Context(), []Row{{Label: "S01", Visits: visit}}, Options{Visits: []string{"a", "b"}},
			`"S01" has 1 visits, want 2`},
		{"interrupted", ended, []Row{{Visits: visit}}, Options{Visits: []string{"a"}}, "canceled"},
	} {
		if _, err := Maps(c.ctx, c.rows, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A panel has a page's width at most, and a size that can be drawn, whatever its tiles.
func TestPanelLayout(t *testing.T) {
	for rows := 1; rows <= MostRows; rows++ {
		for visits := 1; visits <= MostVisits; visits++ {
			for _, window := range [][2]float64{{108, 85}, {85, 108}, {24, 400}, {400, 24}, {100, 100}, {1, 1e6}, {1e6, 1}} {
				l := newLayout(window, rows, columns(visits))
				last := l.corner(rows-1, columns(visits)-1)
				if l.width.mm() > figure.PictureWidth+0.1 || l.height.mm() > 595 || l.tile.X < 1 || l.tile.Y < 1 || last.Y < 0 {
					t.Errorf("%d × %d of %v: %g × %g mm, tile %v", rows, visits, window, l.width.mm(), l.height.mm(), l.tile)
				}
			}
		}
	}
	l := newLayout([2]float64{108, 85}, 2, 3)
	if l.height.mm() > panelPageMM || l.tile != image.Pt(479, 378) {
		t.Errorf("two rows of three: %g mm high, tiles %v", l.height.mm(), l.tile)
	}
}

// The notes of a visit stand below its tile, and its flags are the picture's, also where it has no
// maps, whatever the notes say.
func TestPanelNotes(t *testing.T) {
	dir, askew := panelStudy(t, nil), panelStudy(t, func(s *study) { s.place(rotated(s.Echo.Affine, 12)) })
	rows := []Row{{Label: "S01", Visits: []Visit{
		{Folder: dir},
		{Folder: askew, Notes: []string{"scanner: B; at\nbaseline: A"}, Flags: []int{7, 2}},
		{Missing: "no study", Notes: []string{"acquisition: 5 echoes"}, Flags: []int{2, 3}},
	}}}
	p, err := newPanel(t.Context(), rows, Options{Visits: []string{"v0", "v1", "v2"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"S01, v1: turned by 12° from baseline.", "S01, v2: no study."}
	if got := p.remarks(); !slices.Equal(got, want) {
		t.Errorf("remarks %q, want %q", got, want)
	}
	if got := allFlags(rows); !slices.Equal(got, []int{2, 3, 7}) {
		t.Errorf("flags %d", got)
	}
	if got := strings.Join(p.notes(p.tiles[0][1].flags, p.tiles[0][1].notes), " "); !strings.HasPrefix(got,
		"scanner: B; at baseline: A; turned") {
		t.Errorf("below the tile: %q", got)
	}
	if p.lines() < 2 {
		t.Errorf("%d lines of notes", p.lines())
	}
}

// A panel that would show nothing can be refused.
func TestPanelNeedsMaps(t *testing.T) {
	none := panelStudy(t, nil)
	if err := os.Remove(filepath.Join(none, "t2.nii.gz")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		visit Visit
		want  error
	}{{Visit{Missing: "no study"}, ErrNoMaps}, {Visit{Folder: none}, ErrNoMaps},
		{Visit{Folder: panelStudy(t, nil)}, nil}} {
		rows := []Row{{Label: "S01", Visits: []Visit{c.visit}}}
		if _, err := newPanel(t.Context(), rows, Options{Visits: []string{"v0"}, NeedMaps: true}); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.visit, err)
		}
		if _, err := newPanel(t.Context(), rows, Options{Visits: []string{"v0"}}); err != nil {
			t.Errorf("%+v: %v", c.visit, err)
		}
	}
}

// The slice is the one with most of the row that the trial is about; a row, a region or a
// layer stands for its compartment.
func TestPanelSliceOfTheRow(t *testing.T) {
	// Slice 5 has the most voxels of all; slice 8 has the only ones of the patellofemoral
	// compartment, for all others were turned into lateral.
	folder := panelStudy(t, func(s *study) {
		n := s.Regions.SliceVoxels()
		for v, r := range s.Regions.Data {
			if r == 3 && v/n != 8 {
				s.Regions.Data[v] = 2
			}
		}
		s.Result.Regions = []segment.Summary{
			{Compartment: "patellofemoral", Region: segment.All, Layer: "deep"},
			{Compartment: "patellofemoral", Region: "trochlear", Layer: segment.All},
			{Compartment: "patellofemoral", Region: "trochlear", Layer: "deep"},
		}
	})
	for row, want := range map[string]int{"": 5, "lateral": 5, "patellofemoral": 8, "patellofemoral deep": 8,
		"trochlear": 8, "trochlear deep": 8, "WOMAC": 5} {
		s, err := openRow(t.Context(), Row{Visits: []Visit{{Folder: folder}}}, row)
		if err != nil {
			t.Fatal(err)
		}
		if s[0].slice != want {
			t.Errorf("%q: slice %d, want %d", row, s[0].slice, want)
		}
		if noted := slices.ContainsFunc(s[0].notes,
			func(n string) bool { return strings.Contains(n, "no voxel of WOMAC") }); noted != (row == "WOMAC") {
			t.Errorf("%q: notes %q", row, s[0].notes)
		}
	}
}
