package tools

import (
	"slices"
	"testing"

	"github.com/t2map/t2map/volume"
)

// The average of two rectangles has the edges between theirs; a voxel exactly between is that of the first. A label of one
// mask alone is omitted, and two equal masks are their average.
func TestAverage(t *testing.T) {
	grid := volume.Geometry{Size: [3]int{20, 12, 2}, Affine: [3][4]float64{{0.5}, {0, 0.5}, {0, 0, 3}}}
	mask := func(label uint16, i0, i1 int) volume.Labels {
		m := volume.Labels{Geometry: grid, Data: make([]uint16, grid.Voxels())}
		for j := 2; j < 10; j++ {
			for i := i0; i <= i1; i++ {
				m.Data[i+20*j] = label
			}
		}
		return m
	}
	average := func(a, b volume.Labels) []uint16 {
		t.Helper()
		out, err := Average(a, b)
		if err != nil {
			t.Fatal(err)
		}
		return out.Data
	}
	wide, narrow := mask(2, 3, 16), mask(2, 5, 12)
	if got := average(wide, narrow); got[20*5+3] != 0 || got[20*5+4] != 2 || got[20*5+14] != 2 || got[20*5+15] != 0 {
		t.Error(got[20*5 : 20*6])
	}
	near := mask(2, 3, 15)
	if !slices.Equal(average(wide, near)[20*5:20*6], wide.Data[20*5:20*6]) ||
		!slices.Equal(average(near, wide)[20*5:20*6], near.Data[20*5:20*6]) {
		t.Error("a difference of one voxel is not decided by the first mask")
	}
	if !slices.Equal(average(wide, wide), wide.Data) {
		t.Error("the average of a mask with itself differs")
	}
	if got := average(mask(1, 3, 9), mask(3, 3, 9)); slices.Max(got) != 0 {
		t.Error("a label of one mask alone is in the average")
	}
	short := grid
	short.Size[2] = 1
	if _, err := Average(wide, volume.Labels{Geometry: short, Data: make([]uint16, short.Voxels())}); err == nil {
		t.Error("masks of different sizes")
	}
}
