package dicomio

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// inside is the rule of ReadMask, written out for one voxel: a ray to the left for each
// contour, and the distance to each edge.
func inside(x, y float64, contours [][]point) bool {
	odd := false
	for _, c := range contours {
		for i, p := range c {
			q := c[(i+1)%len(c)]
			d := point{q.x - p.x, q.y - p.y}
			t := 0.0
			if n := d.x*d.x + d.y*d.y; n > 0 {
				t = min(max(((x-p.x)*d.x+(y-p.y)*d.y)/n, 0), 1)
			}
			if math.Hypot(x-p.x-t*d.x, y-p.y-t*d.y) <= onOutline {
				return true
			}
			if (p.y > y) != (q.y > y) && p.x+(y-p.y)/d.y*d.x < x {
				odd = !odd
			}
		}
	}
	return odd
}

// rasterized returns what a raster finds in contours.
func rasterized(r *raster, contours [][]point) []uint32 {
	for _, c := range contours {
		r.add(c)
	}
	return r.collect([]uint32{}, 0)
}

// For any contours, exactly the voxels inside by the rule are inside: with vertices on
// centres and off, with contours that cross themselves, lie in another, or partly outside
// the slice.
func TestRasterAgainstRays(t *testing.T) {
	const nx, ny = 13, 9
	rnd := rand.New(rand.NewPCG(1, 2))
	r := newRaster(nx, ny)
	for n := range 3000 {
		contours := make([][]point, 1+rnd.IntN(3))
		for c := range contours {
			for range 3 + rnd.IntN(6) {
				p := point{rnd.Float64()*(nx+6) - 3, rnd.Float64()*(ny+6) - 3}
				switch n % 3 {
				case 1: // many vertices and edges through centres
					p = point{math.Round(p.x), math.Round(p.y)}
				case 2:
					p = point{math.Round(2*p.x) / 2, math.Round(2*p.y) / 2}
				}
				contours[c] = append(contours[c], p)
			}
		}
		want := []uint32{}
		for y := range ny {
			for x := range nx {
				if inside(float64(x), float64(y), contours) {
					want = append(want, uint32(y*nx+x))
				}
			}
		}
		if got := rasterized(r, contours); !slices.Equal(got, want) {
			t.Fatalf("%v:\ngot  %v\nwant %v", contours, got, want)
		}
	}
}

// A mask whose regions were traced through the centres of their outermost pixels, and their
// holes through the centres of the pixels around them, is recovered, also if positions were
// rounded to a ten thousandth of a voxel. This is how cv2.findContours traces, by the
// method of Suzuki and Abe (doi:10.1016/0734-189X(85)90016-7).
func TestTracedContoursGiveBackTheMask(t *testing.T) {
	const nx, ny = 17, 14
	rnd := rand.New(rand.NewPCG(5, 6))
	r := newRaster(nx, ny)
	for n := range 2000 {
		mask := make([]bool, nx*ny)
		for i := range mask {
			mask[i] = rnd.IntN(10) < 1+n%9
		}
		want := []uint32{}
		for i, in := range mask {
			if in {
				want = append(want, uint32(i))
			}
		}
		contours := traced(mask, nx, ny)
		for _, c := range contours {
			for i := range c {
				c[i].x += 1e-4 * (2*rnd.Float64() - 1)
				c[i].y += 1e-4 * (2*rnd.Float64() - 1)
			}
		}
		if got := rasterized(r, contours); !slices.Equal(got, want) {
			t.Fatalf("mask %v:\ngot  %v\nwant %v", mask, got, want)
		}
	}
}

// traced follows the borders of the mask's 8-connected regions and of their holes.
func traced(mask []bool, nx, ny int) [][]point {
	f := make([][]int, ny+2) // with a frame of zeros
	for y := range f {
		f[y] = make([]int, nx+2)
		for x := range f[y] {
			if y > 0 && y <= ny && x > 0 && x <= nx && mask[(y-1)*nx+x-1] {
				f[y][x] = 1
			}
		}
	}
	// The neighbours, counter-clockwise in a picture whose rows grow downwards.
	step := [8][2]int{{0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}, {1, 0}, {1, 1}}
	var out [][]point
	border := 1
	for i := 1; i <= ny; i++ {
		for j := 1; j <= nx; j++ {
			var direction int // the direction of the zero beside the border
			switch {
			case f[i][j] == 1 && f[i][j-1] == 0:
				direction = 4
			case f[i][j] >= 1 && f[i][j+1] == 0:
				direction = 0
			default:
				continue
			}
			border++
			out = append(out, follow(f, i, j, direction, border, step))
		}
	}
	return out
}

func follow(f [][]int, i, j, direction, border int, step [8][2]int) []point {
	start := -1
	for k := range 8 { // clockwise from the zero
		d := (direction - k + 8) % 8
		if f[i+step[d][0]][j+step[d][1]] != 0 {
			start = d
			break
		}
	}
	if start < 0 {
		f[i][j] = -border
		return []point{{float64(j - 1), float64(i - 1)}}
	}
	i1, j1 := i+step[start][0], j+step[start][1]
	i3, j3, back := i, j, start
	var out []point
	for {
		right := false // whether the pixel to the right was seen to be zero
		d := back
		for range 8 {
			d = (d + 1) % 8
			if f[i3+step[d][0]][j3+step[d][1]] != 0 {
				break
			}
			right = right || d == 0
		}
		if right {
			f[i3][j3] = -border
		} else if f[i3][j3] == 1 {
			f[i3][j3] = border
		}
		out = append(out, point{float64(j3 - 1), float64(i3 - 1)})
		i4, j4 := i3+step[d][0], j3+step[d][1]
		if i4 == i && j4 == j && i3 == i1 && j3 == j1 {
			return out
		}
		i3, j3, back = i4, j4, (d+4)%8
	}
}

// Contours of 100,000 points on 30 slices of 384 × 384 voxels.
func BenchmarkRaster(b *testing.B) {
	contour := make([]point, 100_000/30)
	for i := range contour {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(len(contour)))
		contour[i] = point{192 + 150*c + 3*s*c, 192 + 150*s}
	}
	r := newRaster(384, 384)
	var out []uint32
	b.ReportAllocs()
	for b.Loop() {
		out = out[:0]
		for range 30 {
			r.add(contour)
			out = r.collect(out, 0)
		}
	}
	if len(out) == 0 {
		b.Error("no voxels")
	}
}
