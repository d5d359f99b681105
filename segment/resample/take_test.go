package resample

import (
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/volume"
)

// fractions returns the fractions of voxels that each have a list of label and fraction.
func fractions(voxels ...[]float64) Fractions {
	f := Fractions{
		Geometry: volume.Geometry{Size: [3]int{len(voxels), 1, 1}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 2}}},
		Start:    []uint32{0},
	}
	for v, list := range voxels {
		if len(list) > 0 {
			for n := 0; n < len(list); n += 2 {
				label := uint16(list[n])
				f.Label, f.Fraction = append(f.Label, label), append(f.Fraction, float32(list[n+1]))
				if !slices.Contains(f.Labels, label) {
					f.Labels = append(f.Labels, label)
				}
			}
			f.Voxels, f.Start = append(f.Voxels, uint32(v)), append(f.Start, uint32(len(f.Label)))
		}
	}
	slices.Sort(f.Labels)
	return f
}

func TestTake(t *testing.T) {
	group := []uint16{0, 1, 1, 2, 2, 0} // 1 and 2 are parts of one tissue, 3 and 4 of another, 5 competes for nothing
	for _, c := range []struct {
		name      string
		voxel     []float64
		threshold float64
		group     []uint16
		want      uint16
		fraction  float32
	}{
		{"most", []float64{1, 0.625}, 0, nil, 1, 0.625},
		{"reaches", []float64{1, 0.5}, 0, nil, 1, 0.5},
		{"does not", []float64{1, 0.5 - 1.0/1024}, 0, nil, 0, 0.5 - 1.0/1024},
		{"reaches less", []float64{1, 0.25}, 0.25, nil, 1, 0.25},
		{"the larger", []float64{1, 0.25, 3, 0.5}, 0.25, nil, 3, 0.5},
		{"equal", []float64{1, 0.5, 3, 0.5}, 0.5, nil, 1, 0.5},
		{"apart too little", []float64{1, 0.375, 2, 0.375}, 0, nil, 0, 0.375},
		{"together", []float64{1, 0.25, 2, 0.375}, 0, group, 2, 0.625},
		{"equal in the group", []float64{1, 0.25, 2, 0.25}, 0, group, 1, 0.5},
		{"the larger group, not the largest leaf", []float64{1, 0.25, 2, 0.25, 3, 0.375}, 0, group, 1, 0.5},
		{"equal groups", []float64{1, 0.25, 2, 0.25, 3, 0.25, 4, 0.25}, 0, group, 1, 0.5},
		{"the lower group wins, not the lower label", []float64{1, 0.5, 2, 0.5}, 0, []uint16{0, 9, 4}, 2, 0.5},
		{"no competitor", []float64{1, 0.25, 5, 0.75}, 0.25, group, 1, 0.25},
		{"beyond the groups", []float64{1, 0.25, 700, 0.75}, 0.25, group, 1, 0.25},
		{"no group", []float64{5, 1}, 0, group, 0, 0},
		{"nothing", nil, 0, group, 0, 0},
	} {
		got, err := fractions(c.voxel).Assign(c.threshold, c.group)
		covered, share := float32(0), float32(0)
		if len(got.Fraction) > 0 {
			covered = got.Fraction[0]
		}
		if c.want != 0 {
			share = c.fraction
		}
		if err != nil || got.Data[0] != c.want || covered != c.fraction || got.Shares()[0] != share {
			t.Errorf(
				"%s: label %d, fraction %v, %v; want %d, %g", c.name, got.Data[0], got.Fraction, err, c.want,
				c.fraction,
			)
		}
	}
}

func TestMeans(t *testing.T) {
	f := fractions(
		[]float64{1, 0.25, 2, 0.5}, []float64{1, 1}, nil, []float64{1, 0.25}, []float64{2, 0.625, 3, 0.375},
		[]float64{5, 1},
	)
	got, err := f.Assign(0, []uint16{0, 1, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	want := []Mean{{1, 1, 1, 1, 3}, {2, 1, 2, (0.75 + 0.625) / 2, 2.25}, {3, 2, 0, math.NaN(), 0.75}}
	if len(got.Means) != len(want) {
		t.Fatalf("%+v", got.Means)
	}
	for n, w := range want {
		g := got.Means[n]
		if math.IsNaN(w.Fraction) && math.IsNaN(g.Fraction) {
			w.Fraction, g.Fraction = 0, 0
		}
		if g != w {
			t.Errorf("%+v, want %+v", g, w)
		}
	}
	if want := []uint32{0, 1, 3, 4}; !slices.Equal(got.Voxels, want) {
		t.Errorf("voxels %v, want %v", got.Voxels, want)
	}
}
