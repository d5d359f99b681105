package segment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

// series is an oblique sagittal grid with three different spacings, whose
// columns are turned by 25° about x and 10° about z.
func series(nx, ny, nz int) volume.Geometry {
	s1, c1 := math.Sincos(25 * math.Pi / 180)
	s2, c2 := math.Sincos(10 * math.Pi / 180)
	axes := [3][3]float64{ // rotation z·x, its columns as rows
		{c2, s2, 0}, {-s2 * c1, c2 * c1, s1}, {s2 * s1, -c2 * s1, c1},
	}
	g := volume.Geometry{Size: [3]int{nx, ny, nz}}
	for c, spacing := range [3]float64{0.4, 0.5, 3} {
		for r := range 3 {
			g.Affine[r][c] = axes[c][r] * spacing
		}
	}
	g.Affine[0][3], g.Affine[1][3], g.Affine[2][3] = -61.5, 22.25, 7.125
	return g
}

// permuted returns the grid of the same voxels whose axis n runs along axis
// axes[n] of g, backwards where flip[n].
func permuted(g volume.Geometry, axes [3]int, flip [3]bool) volume.Geometry {
	out := g
	for n, a := range axes {
		out.Size[n] = g.Size[a]
		for r := range 3 {
			out.Affine[r][n] = g.Affine[r][a]
			if flip[n] {
				out.Affine[r][n] = -g.Affine[r][a]
				out.Affine[r][3] += float64(g.Size[a]-1) * g.Affine[r][a]
			}
		}
	}
	return out
}

// eachOrder calls f with all 48 orders of three axes.
func eachOrder(f func(axes [3]int, flip [3]bool)) {
	for _, axes := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for n := range 8 {
			f(axes, [3]bool{n&1 != 0, n&2 != 0, n&4 != 0})
		}
	}
}

// labelAt gives every voxel of g its own label, found by position: the number
// of the nearest voxel of truth plus one.
func labelAt(t *testing.T, g, truth volume.Geometry) []uint16 {
	t.Helper()
	out := make([]uint16, 0, g.Voxels())
	for k := range g.Size[2] {
		for j := range g.Size[1] {
			for i := range g.Size[0] {
				p := g.Position(float64(i), float64(j), float64(k))
				best, label := math.Inf(1), uint16(0)
				v := uint16(0)
				for c := range truth.Size[2] {
					for b := range truth.Size[1] {
						for a := range truth.Size[0] {
							v++
							q := truth.Position(float64(a), float64(b), float64(c))
							if d := math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]); d < best {
								best, label = d, v
							}
						}
					}
				}
				if best > 1e-9 {
					t.Fatalf("test grid: voxel (%d, %d, %d) lies on no voxel of the truth", i, j, k)
				}
				out = append(out, label)
			}
		}
	}
	return out
}

// TestOnGridOrders brings every order of the axes back, judged by where each
// label lies in the patient. Equal sizes leave the affine as the only guide.
func TestOnGridOrders(t *testing.T) {
	for _, size := range [][3]int{{5, 4, 3}, {3, 3, 3}, {4, 4, 1}} {
		g := series(size[0], size[1], size[2])
		eachOrder(func(axes [3]int, flip [3]bool) {
			m := permuted(g, axes, flip)
			mask := volume.Labels{Geometry: m, Data: labelAt(t, m, g)}
			before := slices.Clone(mask.Data)
			got, err := OnGrid(mask, g)
			name := fmt.Sprintf("size %v, axes %v, flip %v", size, axes, flip)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			if got.Geometry != g {
				t.Errorf("%s: geometry %v", name, got.Geometry)
			}
			for v, label := range got.Data {
				if int(label) != v+1 {
					t.Errorf("%s: voxel %d has the label of %d", name, v, label-1)
					return
				}
			}
			if !slices.Equal(before, mask.Data) {
				t.Errorf("%s: the mask was changed", name)
			}
		})
	}
}

// TestOnGridShares: nothing is copied where nothing moves.
func TestOnGridShares(t *testing.T) {
	g := series(5, 4, 3)
	near := g
	near.Affine[1][3] += 0.05
	mask := volume.Labels{Geometry: near, Data: make([]uint16, g.Voxels())}
	got, err := OnGrid(mask, g)
	if err != nil {
		t.Fatal(err)
	}
	if &got.Data[0] != &mask.Data[0] || got.Geometry != g {
		t.Error("an identical order was copied, or the mask's geometry kept")
	}
}

func TestOnGridDiffers(t *testing.T) {
	g := series(5, 4, 3)
	shift := func(direction int, mm float64) volume.Geometry {
		m := g
		m.Affine[direction][3] += mm
		return m
	}
	column := func(c int, factor float64) volume.Geometry {
		m := g
		for r := range 3 {
			m.Affine[r][c] *= factor
		}
		return m
	}
	tiny := series(5, 4, 3)
	for r := range 3 {
		tiny.Affine[r][0] *= 0.2 // 0.08 mm
	}
	tinyShifted := tiny
	for r := range 3 {
		tinyShifted.Affine[r][3] += tiny.Affine[r][0]
	}
	broken := shift(0, 0)
	broken.Affine[2][2] = math.NaN()
	cases := []struct {
		name string
		mask volume.Geometry
		on   volume.Geometry
		want string // "" is agreement
	}{
		{"float32 rounding", shift(0, 1e-5), g, ""},
		{"just inside", shift(2, 0.099), g, ""},
		{
			"just outside", shift(2, 0.101), g,
			"mask grid differs from the series: voxel centres up to 0.10 mm apart (allowed 0.10 mm)",
		},
		{"another knee", shift(0, -12.5), g, "voxel centres up to 12.50 mm apart (allowed 0.10 mm)"},
		// Two slice steps of 3 mm grow to 3.3: the last slice is 0.6 mm off.
		{"spacing with another gap", column(2, 1.1), g, "up to 0.60 mm apart"},
		// Four columns of 0.4 mm, doubled.
		{"half the resolution", column(0, 2), g, "up to 1.60 mm apart"},
		{"a slice less", series(5, 4, 2), g, "mask is 5×4×2 voxels, the series 5×4×3"},
		{
			"a slice less, another order", permuted(series(5, 4, 2), [3]int{2, 0, 1}, [3]bool{true, false, false}), g,
			"mask is 2×5×4 voxels, the series 5×4×3",
		},
		{"one voxel of 0.08 mm", tinyShifted, tiny, "up to 0.08 mm apart (allowed 0.03 mm)"},
		{"not a number", broken, g, "up to +Inf mm apart"},
		{"series not a number", g, broken, "up to +Inf mm apart"},
	}
	for _, c := range cases {
		_, err := OnGrid(volume.Labels{Geometry: c.mask, Data: make([]uint16, c.mask.Voxels())}, c.on)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var grid *GridError
		if !errors.As(err, &grid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
			continue
		}
		if grid.Mask != c.mask.Size || grid.Series != c.on.Size {
			t.Errorf("%s: sizes %v, %v", c.name, grid.Mask, grid.Series)
		}
	}
	if _, err := OnGrid(volume.Labels{Geometry: g, Data: make([]uint16, 59)}, g); err == nil ||
		err.Error() != "mask has 59 labels, want 5×4×3" {
		t.Errorf("59 labels: %v", err)
	}
}

// TestOnGridFarthestCorner: the distance is the one of the farthest voxel, by
// search over all, under a small rotation.
func TestOnGridFarthestCorner(t *testing.T) {
	g := series(40, 30, 10)
	m := g
	s, c := math.Sincos(0.02)
	for col := range 4 {
		x, y := g.Affine[0][col], g.Affine[1][col]
		m.Affine[0][col], m.Affine[1][col] = c*x-s*y, s*x+c*y
	}
	want := 0.0
	for k := range 10 {
		for j := range 30 {
			for i := range 40 {
				p, q := g.Position(float64(i), float64(j), float64(k)), m.Position(float64(i), float64(j), float64(k))
				want = max(want, math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]))
			}
		}
	}
	_, err := OnGrid(volume.Labels{Geometry: m, Data: make([]uint16, g.Voxels())}, g)
	var grid *GridError
	if !errors.As(err, &grid) || math.Abs(grid.Distance-want) > 1e-9 {
		t.Errorf("%v, want %g mm", err, want)
	}
}

func BenchmarkOnGridPermuted(b *testing.B) {
	g := series(384, 384, 30)
	m := permuted(g, [3]int{2, 0, 1}, [3]bool{true, false, true})
	mask := volume.Labels{Geometry: m, Data: make([]uint16, g.Voxels())}
	for b.Loop() {
		if _, err := OnGrid(mask, g); err != nil {
			b.Fatal(err)
		}
	}
}

// CheckGrid says what OnGrid would, without voxels.
func TestCheckGrid(t *testing.T) {
	g := volume.Geometry{Size: [3]int{4, 3, 2}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	for name, mask := range map[string]volume.Geometry{
		"the same":                  g,
		"permuted":                  {Size: [3]int{3, 4, 2}, Affine: [3][4]float64{{0, 1}, {1}, {0, 0, 1}}},
		"moved":                     {Size: g.Size, Affine: [3][4]float64{{1, 0, 0, 5}, {0, 1}, {0, 0, 1}}},
		"larger":                    {Size: [3]int{5, 3, 2}, Affine: g.Affine},
		"nowhere":                   {Size: g.Size, Affine: [3][4]float64{{math.NaN()}, {0, 1}, {0, 0, 1}}},
		"as many, in another shape": {Size: [3]int{24, 1, 1}, Affine: g.Affine},
	} {
		_, want := OnGrid(volume.Labels{Geometry: mask, Data: make([]uint16, mask.Voxels())}, g)
		got := CheckGrid(mask, g)
		if (got == nil) != (want == nil) || got != nil && got.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if sound := name == "the same" || name == "permuted"; sound != (got == nil) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
