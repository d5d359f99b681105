package anatomy

import (
	"fmt"
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

// shell is a piece of cartilage of known depth: given a position in mm in its own axes, inside returns
// the depth (0 … 1 within the cartilage, below 0 in the bone, above 1 at the joint) and the thickness;
// within says whether the position lies over the cartilage, not beyond its rim.
type shell struct {
	name   string
	tissue Tissue
	depth  func(x lps) (depth, thickness float64)
	within func(x lps) bool
}

const shellThick = 2.5

func shellSphere(radius float64) shell {
	return shell{fmt.Sprintf("sphere %g", radius), FemoralCartilage,
		func(x lps) (float64, float64) {
			return (x.minus(lps{0, 0, radius}).length() - radius) / shellThick, shellThick
		},
		func(x lps) bool {
			x = x.minus(lps{0, 0, radius})
			return -x[2] > 0.5*x.length() && math.Hypot(x[0], x[1]) < 22
		}}
}

func shellCylinder(radius float64) shell {
	return shell{fmt.Sprintf("cylinder %g", radius), FemoralCartilage,
		func(x lps) (float64, float64) {
			return (math.Hypot(x[1], x[2]) - radius) / shellThick, shellThick
		},
		func(x lps) bool {
			return math.Abs(x[0]) < 15 && -x[2] > -0.3*math.Hypot(x[1], x[2])
		}}
}

// shellDish is hollow at the joint, as a medial plateau.
func shellDish(radius float64) shell {
	return shell{fmt.Sprintf("dish %g", radius), MedialTibialCartilage,
		func(x lps) (float64, float64) {
			return (radius + shellThick/2 - x.minus(lps{0, 0, radius}).length()) / shellThick, shellThick
		},
		func(x lps) bool { return math.Hypot(x[0], x[1]) < 12 && x[2] < radius }}
}

func shellFlat(thick float64) shell {
	return shell{fmt.Sprintf("flat %g", thick), LateralTibialCartilage,
		func(x lps) (float64, float64) { return (x[2] + thick/2) / thick, thick },
		func(x lps) bool { return math.Abs(x[0]) < 14 && math.Abs(x[1]) < 12 }}
}

// shellWedge is 1.5 mm thick at one end and 4 mm at the other; its depth is measured along z.
func shellWedge() shell {
	return shell{"wedge", LateralTibialCartilage,
		func(x lps) (float64, float64) {
			t := 2.75 + x[0]*(1.25/14)
			return (x[2] + 1.375) / t, t
		},
		func(x lps) bool { return math.Abs(x[0]) < 14 && math.Abs(x[1]) < 12 }}
}

// shellGrid covers 60 mm around the origin with voxels of the given size, turned by angles in degrees
// about x, y and z.
func shellGrid(spacing, angles [3]float64) volume.Geometry {
	r := volume.Identity().Rotation
	for axis, angle := range angles {
		s, c := math.Sincos(angle * math.Pi / 180)
		a, b := (axis+1)%3, (axis+2)%3
		for row := range 3 {
			p, q := r[row][a], r[row][b]
			r[row][a], r[row][b] = c*p+s*q, c*q-s*p
		}
	}
	var g volume.Geometry
	var middle lps
	for c := range 3 {
		g.Size[c] = int(60 / spacing[c])
		for row := range 3 {
			g.Affine[row][c] = r[row][c] * spacing[c]
			middle[row] += g.Affine[row][c] * (float64(g.Size[c])/2 + 0.21)
		}
	}
	for row := range 3 {
		g.Affine[row][3] = -middle[row]
	}
	return g
}

func shellIndex(l lattice, v int) [3]int32 {
	row := v / l.size[0]
	return [3]int32{int32(v % l.size[0]), int32(row % l.size[1]), int32(row / l.size[1])}
}

// draw marks what the shell is at every voxel centre. bone labels the bone; gap is the width in mm of the strip between
// bone and cartilage that has no label.
func (s shell) draw(g volume.Geometry, bone bool, gap float64) Mask {
	m := Mask{g, make([]Tissue, g.Voxels())}
	l, _ := newLattice(g)
	b, _ := BoneOf(s.tissue)
	for v := range m.Data {
		x := l.centre(shellIndex(l, v))
		depth, thick := s.depth(x)
		switch {
		case depth*thick < -gap && depth*thick > -8 && bone:
			m.Data[v] = b.Tissue()
		case depth >= 0 && depth <= 1 && s.within(x):
			m.Data[v] = s.tissue
		}
	}
	return m
}

// shellScore is how a depth compares with the truth.
type shellScore struct {
	voxels, undefined, halves int     // halves: in the right half
	depth, thick              float64 // mean absolute differences; thick in mm
	bias                      float64 // mean difference of the depth
}

func (s shell) score(d Depths) shellScore {
	l, _ := newLattice(d.Geometry)
	var out shellScore
	for n, v := range d.Voxels {
		want, thick := s.depth(l.centre(shellIndex(l, int(v))))
		got := float64(d.Depth[n])
		out.voxels++
		if math.IsNaN(got) {
			out.undefined++
			continue
		}
		if (got < 0.5) == (want < 0.5) {
			out.halves++
		}
		out.depth += math.Abs(got - want)
		out.bias += got - want
		out.thick += math.Abs(float64(d.Thickness[n]) - thick)
	}
	defined := float64(out.voxels - out.undefined)
	out.depth /= defined
	out.bias /= defined
	out.thick /= defined
	return out
}

func (s shellScore) right() float64 { return float64(s.halves) / float64(s.voxels) }

func (s shellScore) String() string {
	return fmt.Sprintf("%6d voxels, %.2f %% in the right half, %d undefined, depth ±%.3f (bias %+.3f), thickness ±%.3f mm",
		s.voxels, 100*s.right(), s.undefined, s.depth, s.bias, s.thick)
}

var (
	shellFine    = [3]float64{0.36, 0.36, 0.7}
	shellOblique = [3]float64{17, -23, 31}
)

// TestDepthOfShells: at the resolution of a DESS mask, with and without a label of the bone,
// straight, oblique, and with the slices along another axis, at least 98 % of the voxels are in the right half.
func TestDepthOfShells(t *testing.T) {
	for _, s := range []shell{shellSphere(20), shellSphere(35), shellCylinder(22), shellDish(30), shellFlat(2.5), shellWedge()} {
		for _, bone := range []bool{true, false} {
			for _, turned := range [][3]float64{{}, shellOblique, {0, 90, 0}, {3, 88, 4}, {45, 0, 0}} {
				d, err := Depth(s.draw(shellGrid(shellFine, turned), bone, 0), DepthOptions{})
				if err != nil {
					t.Fatal(err)
				}
				got := s.score(d)
				t.Logf("%-12s bone %-5v turned %v: %v", s.name, bone, turned, got)
				if got.right() < 0.98 || got.voxels < 5000 {
					t.Errorf("%s, bone %v, turned %v: %v; want 98 %%", s.name, bone, turned, got)
				}
			}
		}
	}
}
