package resample

import (
	"context"
	"math"
	"reflect"
	"testing"

	"github.com/t2map/t2map/volume"
)

// A mask on the grid of the series has fractions of exactly 1 and 0, oblique or not.
func TestSameGrid(t *testing.T) {
	for _, rotation := range [][3][3]float64{turned(0, 0, 0), turned(20, 70, -33)} {
		g := grid([3]int{21, 18, 9}, [3]float64{0.4, 0.5, 3}, rotation, [3]float64{50, -20, 7})
		mask := noise(g, 3)
		f := mustOnto(t, mask, g, Options{})
		assigned, err := f.Assign(1, nil)
		if err != nil || !reflect.DeepEqual(assigned.Labels, mask) {
			t.Fatalf("the mask changed: %v", err)
		}
		for n, x := range f.Fraction {
			if x != 1 {
				t.Fatalf("entry %d: %g", n, x)
			}
		}
		for _, m := range assigned.Means {
			if m.Fraction != 1 {
				t.Errorf("label %d: mean %g", m.Label, m.Fraction)
			}
		}
	}
}

// A coarser grid whose voxels hold whole voxels of the mask has exact fractions.
func TestWholeVoxels(t *testing.T) {
	mask := noise(grid([3]int{16, 16, 16}, [3]float64{0.5, 0.5, 0.5}, turned(0, 0, 0), [3]float64{}), 9)
	g := grid([3]int{8, 8, 4}, [3]float64{1, 1, 2}, turned(0, 0, 0), [3]float64{})
	want := map[[2]uint32]float32{}
	for v, label := range mask.Data {
		if label != 0 {
			want[[2]uint32{uint32(v%16/2 + 8*(v/16%16/2) + 64*(v/256/4)), uint32(label)}] += 1.0 / 16
		}
	}
	got := dense(mustOnto(t, mask, g, Options{}))
	for key, x := range want {
		// A sixteenth is a box of half, half and a quarter of the voxel.
		if math.Abs(float64(x-got[key])) > 0.012 {
			t.Errorf("voxel %d, label %d: %g, want %g", key[0], key[1], got[key], x)
		}
	}
}

// reordered returns the same mask with its axes permuted and flipped.
func reordered(l volume.Labels, axis [3]int, flip [3]bool) volume.Labels {
	out := volume.Labels{Data: make([]uint16, len(l.Data))}
	for d, a := range axis {
		out.Size[d] = l.Size[a]
	}
	for r := range 3 {
		out.Affine[r][3] = l.Affine[r][3]
		for d, a := range axis {
			out.Affine[r][d] = l.Affine[r][a]
			if flip[d] {
				out.Affine[r][d] = -l.Affine[r][a]
				out.Affine[r][3] += l.Affine[r][a] * float64(l.Size[a]-1)
			}
		}
	}
	for v := range out.Data {
		target := [3]int{v % out.Size[0], v / out.Size[0] % out.Size[1], v / out.SliceVoxels()}
		var in [3]int
		for d, a := range axis {
			in[a] = target[d]
			if flip[d] {
				in[a] = l.Size[a] - 1 - target[d]
			}
		}
		out.Data[v] = l.Data[in[0]+l.Size[0]*(in[1]+l.Size[1]*in[2])]
	}
	return out
}

// The order and direction of the mask's axes do not matter: fractions differ by what rounding
// positions to 2^−12 voxels does.
func TestReordered(t *testing.T) {
	mask := noise(grid([3]int{12, 19, 7}, [3]float64{0.7, 0.4, 1.1}, turned(10, 20, 30), [3]float64{1, 1, 1}), 5)
	g := grid([3]int{9, 10, 4}, [3]float64{0.8, 0.8, 3}, turned(-70, 15, 5), [3]float64{})
	o := Options{LeastCovered: AnyCover, ThicknessMM: 2.5}
	want := mustOnto(t, mask, g, o)
	for _, axis := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		for flips := range 8 {
			got := mustOnto(t, reordered(mask, axis, [3]bool{flips&1 != 0, flips&2 != 0, flips&4 != 0}), g, o)
			for _, label := range want.Labels {
				if d := farthest(t, full(got, label), full(want, label)); d > 4.0/1024 {
					t.Fatalf("axes %v, flips %03b: fractions of label %d differ by %g", axis, flips, label, d)
				}
			}
			if !reflect.DeepEqual(got.Coverage, want.Coverage) && flips == 0 {
				t.Errorf("axes %v: coverage %+v, want %+v", axis, got.Coverage, want.Coverage)
			}
		}
	}
}

// A moved mask with its transform has the same fractions; with the inverse transform it does not.
func TestTransform(t *testing.T) {
	g := grid([3]int{40, 40, 9}, [3]float64{0.5, 0.5, 3}, turned(10, 80, 0), [3]float64{})
	mask := painted(
		grid([3]int{40, 40, 30}, [3]float64{0.5, 0.5, 0.7}, turned(0, 90, 0), [3]float64{}),
		ellipsoid([3]float64{1, 0, 1}, [3]float64{5, 7, 6}, turned(0, 0, 30)),
	)
	want := full(mustOnto(t, mask, g, Options{}), 1)
	for _, move := range []volume.Rigid{
		{Rotation: turned(0, 0, 0), Shift: [3]float64{30, -20, 10}},
		{Rotation: turned(4, -9, 12), Shift: [3]float64{3, 4, 5}},
		{Rotation: turned(90, 0, 90)},
	} {
		moved := mask
		moved.Geometry = mask.Moved(move)
		// Positions round differently: some of 1024 points move.
		if d := farthest(t, full(mustOnto(t, moved, g, Options{Transform: &move}), 1), want); d > 4.0/1024 {
			t.Errorf("%v: fractions differ by %g", move, d)
		}
		inverse := move.Inverse()
		f, err := ComputeFractions(context.Background(), moved, g, Options{Transform: &inverse, LeastCovered: AnyCover})
		if err == nil && farthest(t, full(f, 1), want) < 0.5 {
			t.Errorf("%v: the reverse transform gives the same", move)
		}
	}
}

// Labels between slices cover nothing. Without a thickness the slices have no gaps.
func TestGaps(t *testing.T) {
	// Slices of 2 mm at z = −4, 0 and 4; the mask has slices of 1 mm at z = −4.5 to 4.5.
	g := grid([3]int{10, 10, 3}, [3]float64{1, 1, 4}, turned(0, 0, 0), [3]float64{})
	m := grid([3]int{10, 10, 10}, [3]float64{1, 1, 1}, turned(0, 0, 0), [3]float64{})
	for _, c := range []struct {
		z, thickness float64
		want         [3]float64
	}{
		{-1.5, 2, [3]float64{}},                    // in the gap
		{-0.5, 2, [3]float64{0, 0.5, 0}},           // half of a slice
		{-1.5, 0, [3]float64{0, 0.25, 0}},          // a quarter of 4 mm
		{-1.5, 3, [3]float64{0, 1.0 / 6, 0}},       // half of it in the slice
		{2.5, 5, [3]float64{0, 0.1, 0.2}},          // slices that overlap
		{1.5, 5, [3]float64{0, 0.2, 0.1}},          // in two of them
		{-4.5, 2, [3]float64{0.5, 0, 0}},           // at the edge
		{-3.5, 2, [3]float64{0.5, 0, 0}},           //
		{4.5, 12, [3]float64{0, 1. / 12, 1. / 12}}, // thick
	} {
		mask := painted(m, func(p [3]float64) uint16 {
			if p[2] == c.z {
				return 7
			}
			return 0
		})
		f := mustOnto(t, mask, g, Options{ThicknessMM: c.thickness})
		got := full(f, 7)
		for k, want := range c.want {
			// Exact to 1 of 1024 points.
			if x := got[55+100*k]; math.Abs(x-want) > 1.0/1024 {
				t.Errorf(
					"slice of the mask at %g mm, thickness %g: %.4f of slice %d, want %.4f", c.z, c.thickness, x, k,
					want,
				)
			}
		}
		// In the gap it is in the field of view all the same.
		if s := f.Coverage[0].share(); s != 1 {
			t.Errorf("z %g: share %g", c.z, s)
		}
		if assigned, _ := f.Assign(0, nil); c.want == [3]float64{} && !math.IsNaN(assigned.Means[0].Fraction) {
			t.Errorf("nothing was taken, and the mean fraction is %g", assigned.Means[0].Fraction)
		}
	}
}
