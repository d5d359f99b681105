package tools

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/volume"
)

// empty returns a mask without labels with the given spacing in mm along i and j, and 3 mm between slices.
func empty(size [3]int, spacing [2]float64) volume.Labels {
	g := volume.Geometry{Size: size}
	g.Affine[0][0], g.Affine[1][1], g.Affine[2][2] = spacing[0], spacing[1], 3
	return volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
}

// parse returns a mask of 1 mm with slices such as "1.2/.1.", in which rows are divided by slashes and a dot is 0.
func parse(slices ...string) volume.Labels {
	rows := strings.Split(slices[0], "/")
	m := empty([3]int{len(rows[0]), len(rows), len(slices)}, [2]float64{1, 1})
	for n, c := range strings.ReplaceAll(strings.Join(slices, ""), "/", "") {
		if c != '.' {
			m.Data[n] = uint16(c - '0')
		}
	}
	return m
}

// format returns the slices of labels in the form of parse.
func format(m volume.Labels) []string {
	var out []string
	for k := range m.Size[2] {
		var rows []string
		for j := range m.Size[1] {
			var row strings.Builder
			for _, label := range volume.Slice(m.Geometry, m.Data, k)[j*m.Size[0]:][:m.Size[0]] {
				row.WriteByte(".123456789"[label])
			}
			rows = append(rows, row.String())
		}
		out = append(out, strings.Join(rows, "/"))
	}
	return out
}

// stroked returns the mask after a gesture. It checks what every stroke must fulfil: it fits, its runs are merged, have
// only voxels that change, and the mask itself is unchanged.
func stroked(t testing.TB, m volume.Labels, g Gesture) volume.Labels {
	t.Helper()
	original := slices.Clone(m.Data)
	s, err := g.Stroke(m)
	if err != nil {
		t.Fatalf("%+v: %v", g, err)
	}
	if !slices.Equal(original, m.Data) {
		t.Fatalf("%+v: the mask was changed", g)
	}
	for n, r := range s.Runs {
		if n > 0 && s.Runs[n-1].Label == r.Label && s.Runs[n-1].First+s.Runs[n-1].Length == r.First {
			t.Fatalf("%+v: runs %v and %v are not merged", g, s.Runs[n-1], r)
		}
		if r.First < 0 || r.Length < 1 || r.First+r.Length > len(m.Data) {
			t.Fatalf("%+v: run %v", g, r)
		}
		if slices.Contains(m.Data[r.First:][:r.Length], r.Label) {
			t.Fatalf("%+v: run %v does not change all of its voxels", g, r)
		}
	}
	d, err := drawing.New(m, slices.Concat(m.Data, []uint16{g.Label}))
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := d.Apply(s); err != nil || changed != (len(s.Runs) > 0) {
		t.Fatalf("%+v: %v, %v", g, changed, err)
	}
	return d.Mask()
}

// Voxels that were checked by hand. Distances are in mm on a grid of 1 mm.
func TestTools(t *testing.T) {
	limits := &Limits{[]float32{1, 2, 3, 4, float32(math.NaN())}, 2, 4}
	for name, c := range map[string]struct {
		mask    []string
		gesture Gesture
		want    []string
	}{
		"a click with a point": {[]string{".../.../..."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{1.4, 0.6}}}, []string{".../.1./..."}},
		"a click on a corner of voxels": {[]string{".../.../..."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{0.5, 1.5}}}, []string{".../.../.1."}},
		"a disc of one voxel": {[]string{".../.../..."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{1, 1}}, RadiusMM: 1}, []string{".1./111/.1."}},
		"a disc between voxels": {[]string{"..../..../..../...."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{1.5, 1.5}}, RadiusMM: 0.71}, []string{"..../.11./.11./...."}},
		"a disc beyond the corner": {[]string{".../.../..."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{-1, -1}}, RadiusMM: 1.5}, []string{"1../.../..."}},
		"a disc elsewhere": {[]string{".../.../..."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{-9, 1}, {-9, 50}}, RadiusMM: 5}, []string{".../.../..."}},
		"a path of a point": {[]string{"...../...../....."}, // it enters row 1 at i = 2, in the middle of column 2
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{0, 0}, {4, 1}}}, []string{"111../..111/....."}},
		"a path along a border of voxels": {[]string{".../.../..."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{0.5, -4}, {0.5, 9}}}, []string{".1./.1./.1."}},
		"a path back": {[]string{"...../...../....."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{1, 1}, {3, 1}, {3, 1}, {1, 1}}, RadiusMM: 1},
			[]string{".111./11111/.111."}},
		"an eraser": {[]string{"121/212/121"},
			Gesture{Tool: Brush, Points: [][2]float64{{1, 1}}, RadiusMM: 1}, []string{"1.1/.../1.1"}},
		"an eraser of one label": {[]string{"121/212/121"},
			Gesture{Tool: Brush, Points: [][2]float64{{1, 1}}, RadiusMM: 1, Erase: 2, Keep: true}, []string{"1.1/.1./1.1"}},
		"a brush that keeps": {[]string{"121/.1./3.3"},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{1, 1}}, RadiusMM: 9, Keep: true}, []string{"121/111/313"}},
		"a brush within limits": {[]string{"....."},
			Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{1, 0}}, RadiusMM: 9, Only: limits}, []string{".111."}},
		"the second slice": {[]string{"..", ".."},
			Gesture{Tool: Brush, Label: 7, Slice: 1, Points: [][2]float64{{1, 0}}}, []string{"..", ".7"}},

		"a triangle": {[]string{"..../..../..../...."}, // its sides are on centres
			Gesture{Tool: Polygon, Label: 1, Points: [][2]float64{{0, 0}, {3, 0}, {0, 3}}}, []string{"1111/111./11../1..."}},
		"a triangle within them": {[]string{"..../..../..../...."},
			Gesture{Tool: Polygon, Label: 1, Points: [][2]float64{{0.1, 0.1}, {2.7, 0.1}, {0.1, 2.7}}},
			[]string{"..../.1../..../...."}},
		"an outline that crosses itself": {[]string{"...../...../...../...../....."}, // the square is wound twice
			Gesture{Tool: Polygon, Label: 1, Points: [][2]float64{{-.5, -.5}, {3.4, -.5}, {3.4, 3.4}, {.6, 3.4}, {.6, .6},
				{4.5, .6}, {4.5, 4.5}, {-.5, 4.5}}}, []string{"1111./11111/11111/11111/11111"}},
		"an outline without area": {[]string{".../.../..."},
			Gesture{Tool: Polygon, Label: 1, Points: [][2]float64{{0, 0}, {2, 2}, {0, 0}}}, []string{"1../.1./..1"}},
		"a polygon around all": {[]string{"12/34"},
			Gesture{Tool: Polygon, Label: 1, Points: [][2]float64{{-9, -9}, {1e5, -9}, {-9, 1e5}}}, []string{"11/11"}},
		"a spline": {[]string{"...../...../...../...../....."}, // it passes (0.94, 0.94), outside of the straight line
			Gesture{Tool: Spline, Label: 1, Points: [][2]float64{{.3, 2}, {2, .3}, {3.7, 2}, {2, 3.7}}},
			[]string{"...../.111./.111./.111./....."}},
		"a spline of two points": {[]string{".../.../..."},
			Gesture{Tool: Spline, Label: 1, Points: [][2]float64{{0, 0}, {2, 0}, {2, 0}, {0, 0}}}, []string{"111/.../..."}},

		"a fill": {[]string{"..1/.1./1.."}, // corners do not connect
			Gesture{Tool: Fill, Label: 2, Points: [][2]float64{{0.2, 0.4}}}, []string{"221/21./1.."}},
		"a fill of a label": {[]string{"1133/1233"},
			Gesture{Tool: Fill, Label: 2, Points: [][2]float64{{0, 0}}}, []string{"2233/2233"}},
		"a fill that keeps": {[]string{"1133/1233"},
			Gesture{Tool: Fill, Label: 2, Points: [][2]float64{{0, 0}}, Keep: true}, []string{"1133/1233"}},
		"a fill within a radius": {[]string{"...../...../....."},
			Gesture{Tool: Fill, Label: 2, Points: [][2]float64{{1, 1}}, RadiusMM: 1}, []string{".2.../222../.2..."}},
		"a fill within less than a voxel": {[]string{"..."},
			Gesture{Tool: Fill, Label: 2, Points: [][2]float64{{1.4, 0.4}}, RadiusMM: 0.1}, []string{".2."}},
		"a fill within limits": {[]string{"....."},
			Gesture{Tool: Fill, Label: 2, Points: [][2]float64{{2, 0}}, Only: limits}, []string{".222."}},
		"a fill outside of limits": {[]string{"....."},
			Gesture{Tool: Fill, Label: 2, Points: [][2]float64{{4, 0}}, Only: limits}, []string{"....."}},
		"a fill that erases": {[]string{"11.11"},
			Gesture{Tool: Fill, Points: [][2]float64{{0, 0}}}, []string{"...11"}},

		"a copy":        {[]string{"123.", "4..5"}, Gesture{Tool: Copy, Label: 2, Slice: 1}, []string{"123.", "42.5"}},
		"a copy of all": {[]string{"4..5", "123."}, Gesture{Tool: Copy, From: 1}, []string{"1235", "123."}},
		"a copy that keeps": {[]string{"4..5", "123."}, Gesture{Tool: Copy, From: 1, Keep: true},
			[]string{"4235", "123."}},

		"a square that shrinks": {[]string{"11111/11111/11111/11111/11111", "2..../...../...../...../.....",
			"...../...../...../...../.....", "...../...../..1../...../....."}, // in the first row of slice 1, 2·1 − 1·2 at i = 2, and 2·1 − 1·√5 at i = 1
			Gesture{Tool: Interpolate, Label: 1, Slice: 3}, []string{"11111/11111/11111/11111/11111",
				"2.1../.111./11111/.111./..1..", "...../..1../.111./..1../.....", "...../...../..1../...../....."}},
		"a voxel that moves": {[]string{"1....", ".....", ".....", ".....", "....1"},
			Gesture{Tool: Interpolate, Label: 1, Slice: 0, From: 4}, []string{"1....", ".1...", "..1..", "...1.", "....1"}},
		"a voxel that is kept": {[]string{"1....", "22222", "..1.."},
			Gesture{Tool: Interpolate, Label: 1, Slice: 2, Keep: true}, []string{"1....", "22222", "..1.."}},

		"a hole": {[]string{".111./.1.1./.111./.1..."}, Gesture{Tool: Holes, Label: 1}, []string{".111./.111./.111./.1..."}},
		"holes behind corners": {[]string{"1.1../.1.1./..1../....."}, Gesture{Tool: Holes, Label: 1},
			[]string{"1.1../.111./..1../....."}}, // (1, 0) is at the border of the slice
		"a bay at the border":     {[]string{"1.1/1.1/111"}, Gesture{Tool: Holes, Label: 1}, []string{"1.1/1.1/111"}},
		"another label in a hole": {[]string{"111/121/111"}, Gesture{Tool: Holes, Label: 1}, []string{"111/111/111"}},
		"a label that is kept in a hole": {[]string{"1111/12.1/1111"}, Gesture{Tool: Holes, Label: 1, Keep: true},
			[]string{"1111/1211/1111"}},
		"holes of all": {[]string{"111/1.1/111", "111/1.1/111"}, Gesture{Tool: Holes, Label: 1, All: true},
			[]string{"111/111/111", "111/111/111"}},
		"no label": {[]string{"..2"}, Gesture{Tool: Holes, Label: 1}, []string{"..2"}},

		"clear": {[]string{"123", "123"}, Gesture{Tool: Clear, Label: 2, Slice: 1}, []string{"123", "1.3"}},
		"clear all": {[]string{"123", "123"}, Gesture{Tool: Clear, All: true, Keep: true, Erase: 2},
			[]string{"...", "..."}},

		"a spike and a notch": {[]string{"........./..1....../11111.111/111111111/111111111/111111111"},
			Gesture{Tool: Smooth, Label: 1, RadiusMM: 3},
			[]string{"........./........./111111111/111111111/111111111/111111111"}},
		"a label beside another": {[]string{"........./..1....../112111111/111111111/111111111/111111111"},
			Gesture{Tool: Smooth, Label: 1, RadiusMM: 3},
			[]string{"........./..1....../112111111/111111111/111111111/111111111"}},
		"a single voxel": {[]string{"..../.1../....", "..../..../.1.."},
			Gesture{Tool: Smooth, Label: 1, RadiusMM: 3, All: true}, []string{"..../.1../....", "..../..../.1.."}},
		"nothing to smooth": {[]string{".2"}, Gesture{Tool: Smooth, Label: 1, RadiusMM: 1}, []string{".2"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := format(stroked(t, parse(c.mask...), c.gesture)); !slices.Equal(got, c.want) {
				t.Errorf("%+v:\n%s\nwant\n%s", c.gesture, got, c.want)
			}
		})
	}
}

// Voxels that are 0.5 mm wide and 2 mm high.
func TestAnisotropic(t *testing.T) {
	m := empty([3]int{9, 5, 1}, [2]float64{0.5, 2})
	got := format(stroked(t, m, Gesture{Tool: Brush, Label: 1, Points: [][2]float64{{4, 2}}, RadiusMM: 2}))[0]
	if want := "........./....1..../111111111/....1..../........."; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// The nearest voxel outside is that of the next column.
	m = empty([3]int{9, 3, 3}, [2]float64{0.5, 2})
	for i := range 9 {
		m.Data[9+i] = 1
	}
	m.Data[2*27+9+4] = 1
	got = format(stroked(t, m, Gesture{Tool: Interpolate, Label: 1, From: 0, Slice: 2}))[1]
	if want := "........./..11111../........."; got != want { // 1.5 − 1 in column 2, 1 − 1.5 in column 1
		t.Errorf("%s, want %s", got, want)
	}
}

func TestErrors(t *testing.T) {
	good := parse("1..", "...", "..2")
	here := [][2]float64{{1, 0}}
	three := [][2]float64{{1, 0}, {2, 0}, {2, 2}}
	nan, inf := math.NaN(), math.Inf(1)
	for name, g := range map[string]Gesture{
		"no tool":                {},
		"unknown":                {Tool: "Brush", Points: here},
		"slice":                  {Tool: Clear, Slice: 3},
		"negative slice":         {Tool: Clear, Slice: -1, All: true},
		"from":                   {Tool: Copy, From: 3},
		"negative from":          {Tool: Interpolate, From: -1, Label: 1},
		"itself":                 {Tool: Copy},
		"no points":              {Tool: Brush, Label: 1},
		"nothing to fill":        {Tool: Fill, Label: 1},
		"two points":             {Tool: Polygon, Label: 1, Points: three[:2]},
		"two points of a spline": {Tool: Spline, Label: 1, Points: three[:2]},
		"many points":            {Tool: Brush, Label: 1, Points: make([][2]float64, MostPoints+1)},
		"many unused points":     {Tool: Clear, Points: make([][2]float64, MostPoints+1)},
		"NaN":                    {Tool: Brush, Label: 1, Points: [][2]float64{{0, nan}}},
		"infinite":               {Tool: Polygon, Label: 1, Points: [][2]float64{{0, 0}, {0, 1}, {-inf, 0}}},
		"far":                    {Tool: Brush, Label: 1, Points: [][2]float64{{0, 1e300}}},
		"radius":                 {Tool: Brush, Label: 1, Points: here, RadiusMM: 100.1},
		"negative radius":        {Tool: Brush, Label: 1, Points: here, RadiusMM: -1},
		"NaN radius":             {Tool: Brush, Label: 1, Points: here, RadiusMM: nan},
		"infinite radius":        {Tool: Brush, Label: 1, Points: here, RadiusMM: inf},
		"smooth by 0":            {Tool: Smooth, Label: 1},
		"smooth by much":         {Tool: Smooth, Label: 1, RadiusMM: 3.1},
		"smooth nothing":         {Tool: Smooth, RadiusMM: 1},
		"holes of nothing":       {Tool: Holes},
		"interpolate nothing":    {Tool: Interpolate, Slice: 2},
		"no first shape":         {Tool: Interpolate, Label: 2, Slice: 2},
		"no second shape":        {Tool: Interpolate, Label: 1, Slice: 2},
		"nothing between":        {Tool: Interpolate, Label: 1, Slice: 1},
		"fill outside":           {Tool: Fill, Label: 1, Points: [][2]float64{{2.5, 0}}},
		"keep all":               {Tool: Brush, Points: here, Keep: true},
		"draw and erase":         {Tool: Brush, Label: 1, Points: here, Erase: 2},
		"a small map":            {Tool: Brush, Label: 1, Points: here, Only: &Limits{make([]float32, 8), 0, 1}},
		"no map":                 {Tool: Brush, Label: 1, Points: here, Only: &Limits{High: 1}},
		"limits exchanged":       {Tool: Brush, Label: 1, Points: here, Only: &Limits{make([]float32, 9), 2, 1}},
		"limits NaN":             {Tool: Brush, Label: 1, Points: here, Only: &Limits{make([]float32, 9), nan, 1}},
	} {
		if s, err := g.Stroke(good); !errors.Is(err, drawing.ErrStroke) || s.Runs != nil {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	// Shapes that differ too much: a ring, and the voxel in its middle.
	ring := parse("111111111/1.......1/1.......1/1.......1/1.......1/1.......1/1.......1/1.......1/111111111",
		"........./........./........./........./........./........./........./........./.........",
		"........./........./........./........./....1..../........./........./........./.........")
	if _, err := (Gesture{Tool: Interpolate, Label: 1, Slice: 2}).Stroke(ring); !errors.Is(err, drawing.ErrStroke) {
		t.Errorf("%v", err)
	}
	brush := Gesture{Tool: Brush, Label: 1, Points: here, RadiusMM: 1}
	for name, change := range map[string]func(m *volume.Labels){
		"no voxels":       func(m *volume.Labels) { *m = volume.Labels{} },
		"few labels":      func(m *volume.Labels) { m.Data = m.Data[1:] },
		"negative sizes":  func(m *volume.Labels) { m.Size = [3]int{-3, -1, 3} },
		"large sizes":     func(m *volume.Labels) { m.Size = [3]int{math.MaxInt32, math.MaxInt32, 8}; m.Data = nil },
		"no spacing":      func(m *volume.Labels) { m.Affine = [3][4]float64{} },
		"NaN spacing":     func(m *volume.Labels) { m.Affine[2][1] = nan },
		"infinite":        func(m *volume.Labels) { m.Affine[2][0] = inf },
		"spacing of 1 km": func(m *volume.Labels) { m.Affine[0][0] = 1e6 },
	} {
		m := parse("1..", "...", "..2")
		change(&m)
		if s, err := brush.Stroke(m); !errors.Is(err, drawing.ErrStroke) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

// A stroke with more runs than a drawing takes is an error that says what to do.
func TestManyRuns(t *testing.T) {
	m := empty([3]int{1024, 514, 1}, [2]float64{1, 1})
	for v := range m.Data {
		m.Data[v] = uint16(v % 2)
	}
	if _, err := (Gesture{Tool: Clear}).Stroke(m); !errors.Is(err, drawing.ErrStroke) || !strings.Contains(err.Error(), "fewer") {
		t.Errorf("%v", err)
	}
}

// randomPath returns points in and around a slice.
func randomPath(r *rand.Rand, size [3]int, points int) [][2]float64 {
	out := make([][2]float64, points)
	for n := range out {
		out[n] = [2]float64{r.Float64()*float64(size[0]+8) - 4, r.Float64()*float64(size[1]+8) - 4}
	}
	return out
}

// A larger brush covers what a smaller one covers, and a path what its parts cover.
func TestBrushGrows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		m := empty([3]int{30, 20, 1}, [2]float64{0.2 + r.Float64(), 0.2 + r.Float64()})
		g := Gesture{Tool: Brush, Label: 1, Points: randomPath(r, m.Size, 1+r.IntN(4)), RadiusMM: 3 * r.Float64()}
		small := stroked(t, m, g)
		larger, part := g, g
		larger.RadiusMM += r.Float64()
		part.Points = part.Points[:1+r.IntN(len(part.Points))]
		for name, pair := range map[string][2]volume.Labels{
			"larger": {small, stroked(t, m, larger)}, "part": {stroked(t, m, part), small},
		} {
			for v, label := range pair[0].Data {
				if label > pair[1].Data[v] {
					t.Fatalf("%s: %+v omits voxel %d", name, g, v)
				}
			}
		}
	}
}

// A rectangle between centres has exactly the voxels between its sides, in any order of its corners.
func TestRectangles(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	between := func() float64 { return float64(r.IntN(16)) - 3 + 0.02 + 0.96*r.Float64() }
	for range 300 {
		m := empty([3]int{11, 9, 1}, [2]float64{1, 1})
		x, y := [2]float64{between(), between()}, [2]float64{between(), between()}
		points := [][2]float64{{x[0], y[0]}, {x[1], y[0]}, {x[1], y[1]}, {x[0], y[1]}}
		if r.IntN(2) == 0 {
			points = append(points, points[0])
		}
		got := stroked(t, m, Gesture{Tool: Polygon, Label: 1, Points: points})
		for v, label := range got.Data {
			i, j := float64(v%11), float64(v/11)
			in := (i > x[0]) != (i > x[1]) && (j > y[0]) != (j > y[1])
			if in != (label == 1) {
				t.Fatalf("%v: voxel (%v, %v) has label %d", points, i, j, label)
			}
		}
	}
}

// The curve goes through its points, and is that of the pyramid of Barry and Goldman (1988, SIGGRAPH, 199–204).
func TestCurve(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		spacing := [2]float64{0.2 + r.Float64(), 0.2 + r.Float64()}
		points := rounded(randomPath(r, [3]int{60, 60, 1}, 3+r.IntN(6)))
		n := len(points)
		line := curve(points, spacing)
		for k := range n {
			first := slices.Index(line, points[k])
			if first < 0 {
				t.Fatalf("%v is not on the curve", points[k])
			}
			knots := [4]float64{}
			for m := range 3 {
				a, b := points[(k+n-1+m)%n], points[(k+m)%n]
				knots[m+1] = knots[m] + math.Pow(math.Hypot(float64(b.x-a.x)*spacing[0], float64(b.y-a.y)*spacing[1]), 0.5)
			}
			pieces := piecesBetween(points[k], points[(k+1)%n])
			for piece := range min(pieces, len(line)-first) {
				u := knots[1] + (knots[2]-knots[1])*float64(piece)/float64(pieces)
				for d, got := range [2]int64{line[first+piece].x, line[first+piece].y} {
					var level [4]float64
					for m := range level {
						p := points[(k+n-1+m)%n]
						level[m] = float64([2]int64{p.x, p.y}[d])
					}
					for _, h := range []struct{ m, low, high int }{
						{0, 0, 1}, {1, 1, 2}, {2, 2, 3}, {0, 0, 2}, {1, 1, 3}, {0, 1, 2},
					} {
						level[h.m] = (level[h.m]*(knots[h.high]-u) + level[h.m+1]*(u-knots[h.low])) / (knots[h.high] - knots[h.low])
					}
					if math.Abs(level[0]-float64(got)) > 0.51 {
						t.Fatalf("coordinate %d is %d, want %.2f", d, got, level[0])
					}
				}
			}
		}
	}
}

// mirrored returns a mask with i or j reversed, or both exchanged.
func mirrored(m volume.Labels, flip [2]bool, transpose bool) volume.Labels {
	out := volume.Labels{Geometry: m.Geometry, Data: make([]uint16, len(m.Data))}
	if transpose {
		out.Size[0], out.Size[1] = m.Size[1], m.Size[0]
		for r := range out.Affine {
			out.Affine[r][0], out.Affine[r][1] = m.Affine[r][1], m.Affine[r][0]
		}
	}
	for v, label := range m.Data {
		at := m.Index(v)
		for d := range flip {
			if flip[d] {
				at[d] = m.Size[d] - 1 - at[d]
			}
		}
		if transpose {
			at[0], at[1] = at[1], at[0]
		}
		out.Data[at[0]+out.Size[0]*(at[1]+out.Size[1]*at[2])] = label
	}
	return out
}

// Mirrored and transposed gestures make mirrored and transposed strokes.
func TestMirrored(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 400 {
		m := randomMask(r, [3]int{14, 11, 4}, [2]float64{0.25 + float64(r.IntN(3))/4, 0.5})
		g := randomGesture(r, m)
		if _, err := g.Stroke(m); err != nil {
			continue
		}
		flip, transpose := [2]bool{r.IntN(2) == 0, r.IntN(2) == 0}, r.IntN(2) == 0
		h := g
		h.Points = slices.Clone(g.Points)
		for n := range h.Points {
			for d := range flip {
				if flip[d] {
					h.Points[n][d] = float64(m.Size[d]-1) - h.Points[n][d]
				}
			}
			if transpose {
				h.Points[n][0], h.Points[n][1] = h.Points[n][1], h.Points[n][0]
			}
		}
		if g.Only != nil {
			continue // the map is not mirrored here
		}
		want := mirrored(stroked(t, m, g), flip, transpose)
		if got := stroked(t, mirrored(m, flip, transpose), h); !slices.Equal(got.Data, want.Data) {
			t.Fatalf("%+v, mirrored %v, transposed %v:\n%s\n%s\nwant\n%s", g, flip, transpose, format(m), format(got),
				format(want))
		}
	}
}

// Equal discs have equal discs between them, wherever they are, and no shape depends on the order of the slices.
func TestInterpolateDiscs(t *testing.T) {
	m := empty([3]int{60, 40, 7}, [2]float64{0.5, 0.4})
	disc := func(k int, i, j float64) Gesture {
		return Gesture{Tool: Brush, Label: 3, Slice: k, Points: [][2]float64{{i, j}}, RadiusMM: 3}
	}
	same := stroked(t, stroked(t, m, disc(0, 30, 20)), disc(6, 30, 20))
	between := stroked(t, same, Gesture{Tool: Interpolate, Label: 3, From: 0, Slice: 6})
	for k := range 7 {
		if !slices.Equal(volume.Slice(m.Geometry, between.Data, k), volume.Slice(m.Geometry, between.Data, 0)) {
			t.Errorf("slice %d differs", k)
		}
	}
	apart := stroked(t, stroked(t, m, disc(0, 12, 9)), disc(6, 48, 27)) // 6 voxels along i per slice, and 3 along j
	between = stroked(t, apart, Gesture{Tool: Interpolate, Label: 3, From: 6, Slice: 0})
	for k := range 7 {
		want := stroked(t, m, disc(k, 12+6*float64(k), 9+3*float64(k)))
		if !slices.Equal(volume.Slice(m.Geometry, between.Data, k), volume.Slice(m.Geometry, want.Data, k)) {
			t.Errorf("slice %d: discs that do not overlap", k)
		}
	}
	r := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		m := randomMask(r, [3]int{12, 9, 5}, [2]float64{0.7, 0.4})
		g := Gesture{Tool: Interpolate, Label: 1, From: r.IntN(5), Slice: r.IntN(5)}
		s, err := g.Stroke(m)
		g.From, g.Slice = g.Slice, g.From
		if other, otherErr := g.Stroke(m); !slices.Equal(s.Runs, other.Runs) || (err == nil) != (otherErr == nil) {
			t.Fatalf("%v, %v and %v, %v", s, err, other, otherErr)
		}
	}
}
