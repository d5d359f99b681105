package depth

import (
	"fmt"
	"math"
	"testing"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// shell is a piece of cartilage of known depth: given a position in mm in its own axes, inside returns
// the depth (0 … 1 within the cartilage, below 0 in the bone, above 1 at the joint) and the thickness;
// within reports whether the position is above the cartilage, inside its rim.
type shell struct {
	name   string
	tissue anatomy.Tissue
	depth  func(x vector) (depth, thickness float64)
	within func(x vector) bool
}

const shellThick = 2.5

func shellSphere(radius float64) shell {
	return shell{fmt.Sprintf("sphere %g", radius), anatomy.FemoralCartilage,
		func(x vector) (float64, float64) {
			return (x.Minus(vector{0, 0, radius}).Length() - radius) / shellThick, shellThick
		},
		func(x vector) bool {
			x = x.Minus(vector{0, 0, radius})
			return -x[2] > 0.82*x.Length()
		}}
}

func shellCylinder(radius float64) shell {
	return shell{fmt.Sprintf("cylinder %g", radius), anatomy.FemoralCartilage,
		func(x vector) (float64, float64) {
			return (math.Hypot(x[1], x[2]) - radius) / shellThick, shellThick
		},
		func(x vector) bool {
			return math.Abs(x[0]) < 15 && -x[2] > -0.3*math.Hypot(x[1], x[2])
		}}
}

// shellDish is hollow at the joint, as a medial plateau.
func shellDish(radius float64) shell {
	return shell{fmt.Sprintf("dish %g", radius), anatomy.MedialTibialCartilage,
		func(x vector) (float64, float64) {
			return (radius + shellThick/2 - x.Minus(vector{0, 0, radius}).Length()) / shellThick, shellThick
		},
		func(x vector) bool { return math.Hypot(x[0], x[1]) < 12 && x[2] < radius }}
}

func shellFlat(thick float64) shell {
	return shell{fmt.Sprintf("flat %g", thick), anatomy.LateralTibialCartilage,
		func(x vector) (float64, float64) { return (x[2] + thick/2) / thick, thick },
		func(x vector) bool { return math.Abs(x[0]) < 14 && math.Abs(x[1]) < 12 }}
}

// shellWedge is 1.5 mm thick at one end and 4 mm at the other; its depth is measured along z.
func shellWedge() shell {
	return shell{"wedge", anatomy.LateralTibialCartilage,
		func(x vector) (float64, float64) {
			t := 2.75 + x[0]*(1.25/14)
			return (x[2] + 1.375) / t, t
		},
		func(x vector) bool { return math.Abs(x[0]) < 14 && math.Abs(x[1]) < 12 }}
}

// shellGrid covers 50 mm around the origin with voxels of the given size, turned by angles in degrees
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
	var middle vector
	for c := range 3 {
		g.Size[c] = int(50 / spacing[c])
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

func shellIndex(l *lattice, v int) [3]int32 {
	row := v / l.size[0]
	return [3]int32{int32(v % l.size[0]), int32(row % l.size[1]), int32(row / l.size[1])}
}

// draw marks what the shell is at every voxel centre. bone labels the bone; gap is the width in mm of the strip between
// bone and cartilage that has no label.
func (s shell) draw(g volume.Geometry, bone bool, gap float64) anatomy.Mask {
	m := anatomy.Mask{Geometry: g, Data: make([]anatomy.Tissue, g.Voxels())}
	l, _ := newLattice(g)
	b, _ := anatomy.BoneOf(s.tissue)
	step := l.columns[0].Length()
	parallel.Split(g.Size[1]*g.Size[2], 0, worthSharing, func(_, start, end int) {
		for row := start; row < end; row++ {
			position := row * g.Size[0]
			data := m.Data[position:][:g.Size[0]]
			for i := 0; i < len(data); {
				x := l.centre(shellIndex(l, position+i))
				depth, thick := s.depth(x)
				h := depth * thick // mm above the bone, which no step along the row changes by more than step
				same := min(math.Abs(h), math.Abs(h-thick), math.Abs(h+gap), math.Abs(h+shellBone))
				tissue := anatomy.NoTissue
				switch {
				case h < -gap && h > -shellBone && bone:
					tissue = b.Tissue()
				case depth >= 0 && depth <= 1:
					same = 0
					if s.within(x) {
						tissue = s.tissue
					}
				}
				for n := max(1, int(0.99*same/step)); n > 0 && i < len(data); n-- {
					data[i] = tissue
					i++
				}
			}
		}
	})
	return m
}

// shellBone is how thick the bone is, in mm.
const shellBone = 8

// shellScore is how a depth compares with the truth.
type shellScore struct {
	voxels, undefined, halves int     // halves: in the right half
	depth, thick              float64 // mean absolute differences; thick in mm
	bias                      float64 // mean difference of the depth
}

func (s shell) score(d Field) shellScore {
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
	return fmt.Sprintf(
		"%6d voxels, %.2f %% in the right half, %d undefined, depth ±%.3f (bias %+.3f), thickness ±%.3f mm", s.voxels,
		100*s.right(), s.undefined, s.depth, s.bias, s.thick,
	)
}

var (
	shellFine    = [3]float64{0.36, 0.36, 0.7}
	shellOblique = [3]float64{17, -23, 31}
)

// layersDepth measures a mask's depth and checks the score against the least part in the right half.
func layersDepth(t *testing.T, s shell, m anatomy.Mask, name string, least float64) Field {
	t.Helper()
	d, err := Measure(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := s.score(d)
	t.Logf("%-12s %s: %v", s.name, name, got)
	if got.right() < least || got.voxels < 500 {
		t.Errorf("%s, %s: %v; want %.1f %%", s.name, name, got, 100*least)
	}
	return d
}

// layersCurved are shells whose surfaces cross the grid at many angles.
var layersCurved = []shell{shellSphere(20), shellSphere(35), shellCylinder(20), shellDish(30)}

// TestDepthOfShells: at the resolution of a DESS mask, with and without a label of the bone,
// straight, oblique, and with the slices along another axis, at least 98 % of the voxels are in the right half.
// The dish has a rim that is not at a right angle to it, and rim is all that it has: 97.5 % without bone.
func TestDepthOfShells(t *testing.T) {
	shells := append([]shell{shellFlat(2.5), shellWedge()}, layersCurved...)
	if testing.Short() {
		shells = []shell{shellSphere(20), shellDish(30)}
	}
	for _, s := range shells {
		for _, bone := range []bool{true, false} {
			for _, turned := range [][3]float64{{}, shellOblique, {3, 88, 4}} {
				if turned == [3]float64{} && (bone || s.tissue == anatomy.LateralTibialCartilage) {
					continue // the harder case is without bone; for plates see TestDepthOfAlignedPlate
				}
				least := 0.98
				if s.tissue == anatomy.MedialTibialCartilage && !bone {
					least = 0.975
				}
				layersDepth(
					t, s, s.draw(shellGrid(shellFine, turned), bone, 0),
					fmt.Sprintf("bone %-5v turned %v", bone, turned), least,
				)
			}
		}
	}
}

// TestDepthOfAlignedPlate: where a flat plate lies along the grid, no method knows where between two slices its
// surfaces lie, and the middle one of three slices may belong to either half. All others are right.
func TestDepthOfAlignedPlate(t *testing.T) {
	s := shellFlat(shellThick)
	for n := range 6 {
		turned, h := [3]float64{}, shellFine[2]
		if n%2 == 1 {
			turned, h = [3]float64{0, 90, 0}, shellFine[0]
		}
		g := shellGrid(shellFine, turned)
		g.Affine[2][3] += h * (float64(n) + 0.3) / 6
		d, err := Measure(t.Context(), s.draw(g, n%3 == 0, 0), Options{})
		if err != nil {
			t.Fatal(err)
		}
		l, _ := newLattice(g)
		wrong := 0
		for v, index := range d.Voxels {
			want, _ := s.depth(l.centre(shellIndex(l, int(index))))
			if math.Abs(want-0.5)*shellThick > h/2 && (d.Depth[v] < 0.5) != (want < 0.5) {
				wrong++
			}
		}
		if wrong > 0 || len(d.Voxels) < 5000 {
			t.Errorf(
				"%d of %d voxels are in the wrong half, %.2f mm or more from the middle", wrong, len(d.Voxels), h/2,
			)
		}
	}
}

// TestDepthOnCoarseGrids: accuracy falls with the number of voxels across 2.5 mm, and not off a cliff.
func TestDepthOnCoarseGrids(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, test := range []struct {
		spacing [3]float64
		least   float64
	}{
		{[3]float64{0.3, 0.3, 0.3}, 0.985},
		{[3]float64{0.5, 0.5, 0.5}, 0.97},
		{[3]float64{0.31, 0.31, 1.5}, 0.98},
		{[3]float64{0.5, 0.5, 1.5}, 0.97},
		{[3]float64{0.8, 0.8, 0.8}, 0.95},
		{[3]float64{0.5, 0.5, 3}, 0.95},
		{[3]float64{1.2, 1.2, 1.2}, 0.92},
	} {
		for _, s := range []shell{shellSphere(20), shellCylinder(20)} {
			for _, bone := range []bool{true, false} {
				if bone && s.name == shellCylinder(20).name {
					continue // the harder case is without
				}
				layersDepth(t, s, s.draw(shellGrid(test.spacing, [3]float64{4, 87, -5}), bone, 0),
					fmt.Sprintf("bone %-5v voxels %v", bone, test.spacing), test.least)
			}
		}
	}
}

// TestDepthAcrossGap: one or two voxels without a label between cartilage and bone change nothing.
func TestDepthAcrossGap(t *testing.T) {
	if testing.Short() {
		t.Skip("costs seconds")
	}
	for _, gap := range []float64{0.3, 0.7} {
		for _, s := range []shell{shellSphere(20), shellDish(30)} {
			d := layersDepth(
				t, s, s.draw(shellGrid(shellFine, shellOblique), true, gap), fmt.Sprintf("gap %.1f mm", gap), 0.975,
			)
			b, _ := anatomy.BoneOf(s.tissue)
			if got := d.Sheets[b].Source; got == BoneByShape {
				t.Errorf("%s: bone not found by its label across a gap of %.1f mm", s.name, gap)
			}
		}
	}
}

// TestDepthWithHalfTheBone: where the label of the bone ends short of the cartilage, the shape says the rest.
func TestDepthWithHalfTheBone(t *testing.T) {
	if testing.Short() {
		t.Skip("costs seconds")
	}
	for _, s := range layersCurved {
		m := s.draw(shellGrid(shellFine, shellOblique), true, 0)
		l, _ := newLattice(m.Geometry)
		for v, tissue := range m.Data {
			if !tissue.Cartilage() && l.centre(shellIndex(l, v))[0] > -2 {
				m.Data[v] = anatomy.NoTissue
			}
		}
		layersDepth(t, s, m, "half the bone", 0.975)
	}
}

// TestDepthOutsideOfView: where the grid cuts the cartilage off, the cut is not a surface.
func TestDepthOutsideOfView(t *testing.T) {
	for _, s := range layersCurved {
		for _, bone := range []bool{true, false} {
			g := shellGrid(shellFine, [3]float64{4, 87, -5})
			for c := range 3 { // keep what is right of, or behind, the middle
				if math.Abs(g.Affine[0][c]) > 0.3 || math.Abs(g.Affine[1][c]) > 0.3 {
					g.Size[c] = g.Size[c]/2 + 3
				}
			}
			layersDepth(t, s, s.draw(g, bone, 0), fmt.Sprintf("bone %-5v half outside", bone), 0.95)
		}
	}
}

// TestDepthOfTouchingCartilage: femur on tibia, and a meniscus on the tibia's other half. All that touches
// is joint side.
func TestDepthOfTouchingCartilage(t *testing.T) {
	g := shellGrid(shellFine, shellOblique)
	l, _ := newLattice(g)
	for _, bone := range []bool{true, false} {
		m := anatomy.Mask{Geometry: g, Data: make([]anatomy.Tissue, g.Voxels())}
		for v := range m.Data {
			x := l.centre(shellIndex(l, v))
			if math.Abs(x[0]) > 14 || math.Abs(x[1]) > 12 {
				continue
			}
			switch z := x[2]; {
			case z > -2.5 && z < 0:
				m.Data[v] = anatomy.MedialTibialCartilage
			case z >= 0 && z < 2 && x[1] < 0:
				m.Data[v] = anatomy.FemoralCartilage
			case z >= 0 && z < 2:
				m.Data[v] = anatomy.MedialMeniscus
			case bone && z >= 2 && z < 9:
				m.Data[v] = anatomy.Femur
			case bone && z <= -2.5 && z > -9:
				m.Data[v] = anatomy.Tibia
			}
		}
		d, err := Measure(t.Context(), m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		right, all := 0, 0
		for n, v := range d.Voxels {
			z := l.centre(shellIndex(l, int(v)))[2]
			want := 1 + z/2.5
			if m.Data[v] == anatomy.FemoralCartilage {
				want = 1 - z/2
			}
			all++
			if (d.Depth[n] < 0.5) == (want < 0.5) {
				right++
			}
		}
		t.Logf(
			"bone %-5v: %.2f %% of %d in the right half, undefined %d and %d", bone, 100*float64(right)/float64(all),
			all, d.Sheets[anatomy.OfFemur].Undefined, d.Sheets[anatomy.OfTibia].Undefined,
		)
		if float64(right) < 0.98*float64(all) {
			t.Errorf("bone %v: %d of %d in the right half, want 98 %%", bone, right, all)
		}
	}
}
