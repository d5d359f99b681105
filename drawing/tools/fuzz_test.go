package tools

import (
	"errors"
	"image"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/volume"
)

// randomMask returns a mask with labels up to 3, of which many are in pieces of some voxels.
func randomMask(r *rand.Rand, size [3]int, spacing [2]float64) volume.Labels {
	m := empty(size, spacing)
	for v := range m.Data {
		switch r.IntN(6) {
		case 0, 1:
			m.Data[v] = uint16(r.IntN(4))
		case 2:
			m.Data[v] = m.Data[max(v-size[0], 0)]
		default:
			m.Data[v] = m.Data[max(v-1, 0)]
		}
	}
	return m
}

var allTools = []Tool{Brush, Polygon, Spline, Fill, Copy, Interpolate, Smooth, Holes, Clear}

// randomGesture returns a gesture that is often valid. Half of its points are halves of whole numbers, for which ties are
// frequent.
func randomGesture(r *rand.Rand, m volume.Labels) Gesture {
	g := Gesture{Tool: allTools[r.IntN(len(allTools))], Label: uint16(r.IntN(4)), Slice: r.IntN(m.Size[2]),
		From: r.IntN(m.Size[2]), RadiusMM: 3 * r.Float64(), Points: randomPath(r, m.Size, r.IntN(9)),
		Keep: r.IntN(3) == 0, All: r.IntN(2) == 0}
	for n := range g.Points {
		if r.IntN(2) == 0 && g.Tool != Brush && g.Tool != Fill { // the border of a voxel belongs to one side of it
			g.Points[n] = [2]float64{math.Round(2*g.Points[n][0]) / 2, math.Round(2*g.Points[n][1]) / 2}
		}
	}
	if r.IntN(4) == 0 {
		g.RadiusMM = 0
	}
	if g.Label == 0 && r.IntN(2) == 0 {
		g.Erase = uint16(1 + r.IntN(3))
	}
	if r.IntN(3) == 0 {
		g.Only = &Limits{Map: make([]float32, len(m.Data)), Low: 0.2, High: 0.9}
		for v := range g.Only.Map {
			if g.Only.Map[v] = r.Float32(); r.IntN(9) == 0 {
				g.Only.Map[v] = float32(math.NaN())
			}
		}
	}
	return g
}

// No gesture makes Stroke panic, and each does what a slow and simple method does.
func FuzzGesture(f *testing.F) {
	for seed := range 300 {
		f.Add(uint64(seed), 0.0, 0.0, 0.0, 0, 0)
	}
	f.Add(uint64(1), math.NaN(), math.Inf(-1), -1.0, -1, math.MaxInt32)
	f.Add(uint64(2), 1e300, 1e5, 100.0, 1, 2)
	f.Add(uint64(3), -99_990.0, 99_990.0, 97.0, 0, 0)
	f.Fuzz(func(t *testing.T, seed uint64, x, y, radius float64, slice, from int) {
		r := rand.New(rand.NewPCG(seed, 0))
		spacings := []float64{0.3, 0.3125, 1, 2.5, leastSpacing, mostSpacing}
		m := randomMask(r, [3]int{1 + r.IntN(12), 1 + r.IntN(9), 1 + r.IntN(4)},
			[2]float64{spacings[r.IntN(6)], spacings[r.IntN(6)]})
		g := randomGesture(r, m)
		if len(g.Points) > 1 {
			g.Points[1][0] += x
			g.Points[len(g.Points)-1][1] += y
		}
		g.RadiusMM += radius
		g.Slice += slice
		g.From += from
		if _, err := g.Stroke(m); err != nil {
			if !errors.Is(err, drawing.ErrStroke) {
				t.Fatal(err)
			}
			return
		}
		after := stroked(t, m, g)
		for v, label := range after.Data {
			checkVoxel(t, m, g, v, label)
		}
		if o := oracle(m, g); o != nil {
			for v, label := range after.Data {
				if want := o(v); want >= 0 && int(label) != want {
					t.Fatalf("%+v: voxel %v has label %d, want %d\n%v\n%s\n%s", g, m.Index(v), label, want,
						m.Spacing(), format(m), format(after))
				}
			}
		}
	})
}

// checkVoxel checks that a voxel may have the label that it has after a gesture.
func checkVoxel(t *testing.T, m volume.Labels, g Gesture, v int, label uint16) {
	t.Helper()
	present, k := m.Data[v], m.Index(v)[2]
	if label == present {
		return
	}
	allowed := label == g.Label || g.Tool == Copy || g.Tool == Clear && label == 0
	switch g.Tool {
	case Interpolate:
		allowed = allowed && k > min(g.From, g.Slice) && k < max(g.From, g.Slice)
	case Smooth:
		allowed = g.Label == label && present == 0 || g.Label == present && label == 0
		allowed = allowed && (g.All || k == g.Slice)
	case Holes, Clear:
		allowed = allowed && (g.All || k == g.Slice)
	default:
		allowed = allowed && k == g.Slice
	}
	if g.Keep && g.Tool != Clear && g.Tool != Smooth && label != 0 {
		allowed = allowed && present == 0
	}
	if !allowed {
		t.Fatalf("%+v: voxel %d with label %d has label %d", g, v, present, label)
	}
}

// oracle returns a function that says which label a voxel must have after a gesture, or -1 if rounding may decide. It is
// nil for tools that are tested otherwise.
func oracle(m volume.Labels, g Gesture) func(v int) int {
	var selected func(i, j, v int) int // 1 if the tool reaches a voxel of Slice, -1 if rounding may decide
	points := rounded(g.Points)
	switch g.Tool {
	case Brush:
		selected = func(i, j, _ int) int { return brushed(m, points, g.RadiusMM, i, j) }
	case Spline:
		points = curve(points, [2]float64{m.Spacing()[0], m.Spacing()[1]})
		fallthrough
	case Polygon:
		selected = func(i, j, _ int) int { return wound(points, i, j) }
	case Fill:
		reached := queued(m, g, points[0].voxel())
		selected = func(_, _, v int) int { return reached[v] }
	case Holes:
		return func(v int) int { return holed(m, g, v) }
	case Interpolate:
		return blended(m, g)
	case Copy:
		n := m.SliceVoxels()
		return func(v int) int {
			label := m.Data[v%n+n*g.From]
			if v/n == g.Slice && label != 0 && (g.Label == 0 || g.Label == label) && (!g.Keep || m.Data[v] == 0) {
				return int(label)
			}
			return int(m.Data[v])
		}
	case Clear:
		return func(v int) int {
			if (g.All || v/m.SliceVoxels() == g.Slice) && (g.Label == 0 || m.Data[v] == g.Label) {
				return 0
			}
			return int(m.Data[v])
		}
	default:
		return nil
	}
	return func(v int) int {
		at := m.Index(v)
		present := m.Data[v]
		if at[2] != g.Slice || g.Keep && present != 0 && g.Label != 0 || g.Erase != 0 && g.Erase != present {
			return int(present)
		}
		if g.Only != nil && !(g.Only.Map[v] >= 0.2 && g.Only.Map[v] <= 0.9) {
			return int(present)
		}
		switch selected(at[0], at[1], v) {
		case 0:
			return int(present)
		case 1:
			return int(g.Label)
		}
		return -1
	}
}

// brushed returns 1 if voxel (i, j) is near a path or the path enters it, 0 if not, and -1 if its distance is so near to
// the radius that rounding may decide.
func brushed(m volume.Labels, points []point, radius float64, i, j int) int {
	s := m.Spacing()
	nearest := math.Inf(1)
	for n := range points {
		a, b := points[max(n-1, 0)], points[n]
		if enters(a, b, i, j) {
			return 1
		}
		ax, ay := float64(a.x)/unit*s[0], float64(a.y)/unit*s[1]
		dx, dy := float64(b.x)/unit*s[0]-ax, float64(b.y)/unit*s[1]-ay
		px, py := float64(i)*s[0]-ax, float64(j)*s[1]-ay
		part := 0.0
		if d := dx*dx + dy*dy; d > 0 {
			part = min(max((px*dx+py*dy)/d, 0), 1)
		}
		nearest = min(nearest, math.Hypot(px-part*dx, py-part*dy))
	}
	// A path may be 10⁸ mm long, on a grid with the largest spacing, so that distances are known to 10⁻⁷ mm.
	switch tolerance := 3*slack*radius + 1e-6*max(s[0], s[1]); {
	case nearest < radius-tolerance:
		return 1
	case nearest > radius+tolerance:
		return 0
	}
	return -1
}

// enters reports whether the line from a to b enters the area of voxel (i, j), with exact fractions.
func enters(a, b point, i, j int) bool {
	low, high := big.NewRat(0, 1), big.NewRat(1, 1)
	lowIn, highIn := true, true // whether the ends of the range belong to it
	for _, c := range [2][3]int64{{a.x, b.x, int64(i)}, {a.y, b.y, int64(j)}} {
		from, to := c[2]*unit-unit/2, c[2]*unit+unit/2 // from ≤ coordinate < to
		d := c[1] - c[0]
		if d == 0 {
			if c[0] < from || c[0] >= to {
				return false
			}
			continue
		}
		enter, leave, enterIn, leaveIn := big.NewRat(from-c[0], d), big.NewRat(to-c[0], d), true, false
		if d < 0 {
			enter, leave, enterIn, leaveIn = leave, enter, leaveIn, enterIn
		}
		switch enter.Cmp(low) {
		case 1:
			low, lowIn = enter, enterIn
		case 0:
			lowIn = lowIn && enterIn
		}
		switch leave.Cmp(high) {
		case -1:
			high, highIn = leave, leaveIn
		case 0:
			highIn = highIn && leaveIn
		}
	}
	c := low.Cmp(high)
	return c < 0 || c == 0 && lowIn && highIn
}

// wound returns 1 if the centre of voxel (i, j) is on a closed outline or has a winding number, which is the number of
// sides that a ray to the right crosses, by their directions.
func wound(points []point, i, j int) int {
	x, y, winding := int64(i)*unit, int64(j)*unit, 0
	a := points[len(points)-1]
	for _, b := range points {
		left := (b.x-a.x)*(y-a.y) - (x-a.x)*(b.y-a.y)
		if left == 0 && x >= min(a.x, b.x) && x <= max(a.x, b.x) && y >= min(a.y, b.y) && y <= max(a.y, b.y) {
			return 1
		}
		if a.y <= y && b.y > y && left > 0 {
			winding++
		} else if a.y > y && b.y <= y && left < 0 {
			winding--
		}
		a = b
	}
	return min(winding*winding, 1)
}

// queued returns 1 for each voxel that a queue reaches from the start of a fill, and -1 for all if the radius is so near
// to the distance of a voxel that rounding may decide.
func queued(m volume.Labels, g Gesture, start image.Point) []int {
	out := make([]int, len(m.Data))
	s := m.Spacing()
	index := func(p image.Point) int { return p.X + m.Size[0]*(p.Y+m.Size[1]*g.Slice) }
	queue := []image.Point{start}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		if !p.In(image.Rect(0, 0, m.Size[0], m.Size[1])) || out[index(p)] == 1 || m.Data[index(p)] != m.Data[index(start)] {
			continue
		}
		if g.Only != nil && !(g.Only.Map[index(p)] >= 0.2 && g.Only.Map[index(p)] <= 0.9) {
			continue
		}
		d := math.Hypot((float64(p.X)-g.Points[0][0])*s[0], (float64(p.Y)-g.Points[0][1])*s[1])
		if g.RadiusMM > 0 && p != start {
			if math.Abs(d-g.RadiusMM) < 0.002*max(s[0], s[1]) { // points are rounded
				return slices.Repeat([]int{-1}, len(out))
			}
			if d > g.RadiusMM {
				continue
			}
		}
		out[index(p)] = 1
		for _, side := range sides {
			queue = append(queue, p.Add(side.out))
		}
	}
	return out
}

// holed returns the label of a voxel after holes were filled: it is in a hole unless a path leads to the border.
func holed(m volume.Labels, g Gesture, v int) int {
	at := m.Index(v)
	if m.Data[v] == g.Label || g.Keep && m.Data[v] != 0 || !g.All && at[2] != g.Slice {
		return int(m.Data[v])
	}
	seen := map[image.Point]bool{}
	stack := []image.Point{{X: at[0], Y: at[1]}}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !p.In(image.Rect(0, 0, m.Size[0], m.Size[1])) {
			return int(m.Data[v]) // the path leaves the slice
		}
		if seen[p] || m.Data[p.X+m.Size[0]*(p.Y+m.Size[1]*at[2])] == g.Label {
			continue
		}
		seen[p] = true
		for _, side := range sides {
			stack = append(stack, p.Add(side.out))
		}
	}
	return int(g.Label)
}

// blended returns the labels after an interpolation of shapes that overlap, from all pairs of voxels.
func blended(m volume.Labels, g Gesture) func(v int) int {
	n, s := m.SliceVoxels(), m.Spacing()
	overlap := false
	for v := range n {
		overlap = overlap || m.Data[n*g.From+v] == g.Label && m.Data[n*g.Slice+v] == g.Label
	}
	if !overlap {
		return nil
	}
	distance := func(v, k int) float64 {
		in := m.Data[n*k+v] == g.Label
		nearest := math.Inf(1)
		for j := -1; j <= m.Size[1]; j++ { // what is outside of the slice has no label
			for i := -1; i <= m.Size[0]; i++ {
				inside := i >= 0 && j >= 0 && i < m.Size[0] && j < m.Size[1]
				if other := inside && m.Data[n*k+j*m.Size[0]+i] == g.Label; other != in {
					nearest = min(nearest, math.Hypot(float64(v%m.Size[0]-i)*s[0], float64(v/m.Size[0]-j)*s[1]))
				}
			}
		}
		if !in {
			return -nearest
		}
		return nearest
	}
	return func(v int) int {
		k := v / n
		if k <= min(g.From, g.Slice) || k >= max(g.From, g.Slice) || g.Keep && m.Data[v] != 0 {
			return int(m.Data[v])
		}
		part := float64(k-g.From) / float64(g.Slice-g.From)
		if (1-part)*distance(v%n, g.From)+part*distance(v%n, g.Slice) >= -1e-7*min(s[0], s[1]) {
			return int(g.Label)
		}
		return int(m.Data[v])
	}
}

// A smoothed piece never vanishes, whatever its shape.
func TestSmoothKeepsPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		m := randomMask(r, [3]int{20, 20, 1}, [2]float64{0.3 + r.Float64(), 0.3 + r.Float64()})
		after := stroked(t, m, Gesture{Tool: Smooth, Label: 1, RadiusMM: 0.01 + 2.9*r.Float64()})
		a := newArea(image.Rect(0, 0, 20, 20))
		for v, label := range m.Data {
			if label == 1 {
				a.state[v] = open
			}
		}
		for v := range a.state {
			if a.state[v] != open {
				continue
			}
			kept := false
			a.flood(v%20, v/20, 1, func(j, first, last int) {
				kept = kept || slices.Contains(after.Data[20*j+first:20*j+last+1], 1)
			})
			if !kept {
				t.Fatalf("the piece with voxel %d has vanished:\n%s\n%s", v, format(m), format(after))
			}
		}
	}
}
