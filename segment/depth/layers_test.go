package depth

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// TestDepthOfTurnedGrids: the same knee with its axes mirrored or exchanged has the same depths.
func TestDepthOfTurnedGrids(t *testing.T) {
	if testing.Short() {
		t.Skip("costs seconds")
	}
	s := shellSphere(20)
	for _, bone := range []bool{true, false} {
		m := s.draw(shellGrid(shellFine, shellOblique), bone, 0)
		want := layersAtPositions(t, m)
		for _, order := range [][3]int{{0, 1, 2}, {2, 0, 1}, {1, 0, 2}} {
			for _, mirrored := range [][3]bool{{true, false, false}, {false, true, true}, {false, false, false}} {
				if moved := order != [3]int{0, 1, 2}; mirrored == [3]bool{} && !moved || bone && mirrored[0] == moved {
					continue
				}
				got := layersAtPositions(t, layersTurned(m, order, mirrored))
				if len(got) != len(want) {
					t.Fatalf("%d voxels, want %d", len(got), len(want))
				}
				others := 0
				for index, depth := range want {
					d := math.Abs(float64(got[index] - depth))
					if !(d < 0.03) {
						t.Fatalf("order %v, mirrored %v: depth %g at %v, want %g", order, mirrored, got[index], index, depth)
					}
					if d > 1e-4 { // of two pieces at the same distance, the first counts
						others++
					}
				}
				if others > len(want)/100 {
					t.Errorf(
						"order %v, mirrored %v: %d of %d depths differ by 1e-4", order, mirrored, others, len(want),
					)
				}
			}
		}
	}
}

// layersAtPositions returns the depths by position in hundredths of a mm.
func layersAtPositions(t *testing.T, m anatomy.Mask) map[[3]int]float32 {
	d, err := Measure(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, _ := newLattice(m.Geometry)
	out := map[[3]int]float32{}
	for n, v := range d.Voxels {
		var index [3]int
		for c, x := range l.centre(shellIndex(l, int(v))) {
			index[c] = int(math.Round(x * 100))
		}
		out[index] = d.Depth[n]
	}
	return out
}

// layersTurned returns the mask with axis c of the new grid along axis order[c] of the old one, backwards if mirrored.
func layersTurned(m anatomy.Mask, order [3]int, mirrored [3]bool) anatomy.Mask {
	out := anatomy.Mask{Data: make([]anatomy.Tissue, len(m.Data))}
	for row := range 3 {
		out.Affine[row][3] = m.Affine[row][3]
		for c, source := range order {
			out.Size[c] = m.Size[source]
			out.Affine[row][c] = m.Affine[row][source]
			if mirrored[c] {
				out.Affine[row][c] *= -1
				out.Affine[row][3] += m.Affine[row][source] * float64(m.Size[source]-1)
			}
		}
	}
	l, _ := newLattice(out.Geometry)
	for v := range out.Data {
		index := shellIndex(l, v)
		var i [3]int
		for c, source := range order {
			i[source] = int(index[c])
			if mirrored[c] {
				i[source] = m.Size[source] - 1 - i[source]
			}
		}
		out.Data[v] = m.Data[i[0]+m.Size[0]*(i[1]+m.Size[1]*i[2])]
	}
	return out
}

// TestDepthWorkers: the number of workers changes nothing, to the last bit.
func TestDepthWorkers(t *testing.T) {
	for _, bone := range []bool{true, false} {
		m := shellCylinder(20).draw(shellGrid([3]float64{0.5, 0.5, 1}, shellOblique), bone, 0)
		want, err := Measure(t.Context(), m, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{0, 2, 3, 7, 1000} {
			got, err := Measure(t.Context(), m, Options{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			same := reflect.DeepEqual(got.Sheets, want.Sheets) && slices.Equal(got.Voxels, want.Voxels) &&
				slices.Equal(got.Normal, want.Normal)
			for v := range want.Depth {
				same = same && math.Float32bits(got.Depth[v]) == math.Float32bits(want.Depth[v]) &&
					math.Float32bits(got.Thickness[v]) == math.Float32bits(want.Thickness[v])
			}
			if !same {
				t.Errorf("bone %v: %d workers give another result than one", bone, workers)
			}
		}
	}
}

// layersBox returns a mask of n³ voxels of 0.5 × 0.5 × 1 mm with a box of medial tibial cartilage in it.
func layersBox(n int, start, end [3]int) anatomy.Mask {
	m := anatomy.Mask{
		Geometry: volume.Geometry{Size: [3]int{n, n, n}, Affine: [3][4]float64{{0.5}, {0, 0.5}, {0, 0, 1}}},
		Data:     make([]anatomy.Tissue, n*n*n),
	}
	for k := start[2]; k < end[2]; k++ {
		for j := start[1]; j < end[1]; j++ {
			for i := start[0]; i < end[0]; i++ {
				m.Data[i+n*(j+n*k)] = anatomy.MedialTibialCartilage
			}
		}
	}
	return m
}

// TestDepthDegenerate: what is hardly a plate has depth 0.5 or none, and no layers; nothing panics.
func TestDepthDegenerate(t *testing.T) {
	for _, test := range []struct {
		name      string
		mask      anatomy.Mask
		undefined int
		halves    bool // layers
	}{
		{"empty", layersBox(9, [3]int{}, [3]int{}), 0, false},
		{"no voxels at all", anatomy.Mask{Geometry: volume.Geometry{Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}},
			0, false},
		{"one voxel", layersBox(9, [3]int{4, 4, 4}, [3]int{5, 5, 5}), 0, false},
		{"one voxel thick", layersBox(30, [3]int{3, 3, 15}, [3]int{27, 27, 16}), 0, false},
		{"two voxels thick", layersBox(30, [3]int{3, 3, 14}, [3]int{27, 27, 16}), 0, true},
		{"all of the grid", layersBox(9, [3]int{}, [3]int{9, 9, 9}), 729, false},
	} {
		d, err := Measure(t.Context(), test.mask, Options{})
		if err != nil {
			t.Fatal(test.name, err)
		}
		if got := d.Sheets[anatomy.OfTibia].Undefined; got != test.undefined {
			t.Errorf("%s: %d of %d voxels have no depth, want %d", test.name, got, len(d.Voxels), test.undefined)
		}
		wrong := 0
		for n, layer := range d.Layers(2) {
			depth := d.Depth[n]
			if !test.halves && layer != 0 {
				t.Fatalf("%s: layer %d at depth %g, want none", test.name, layer, depth)
			}
			if !test.halves && test.undefined == 0 && depth != 0.5 {
				t.Fatalf("%s: depth %g, want 0.5", test.name, depth)
			}
			if want := uint8(1 + d.Voxels[n]/900 - 14); test.halves && layer != want {
				wrong++
			}
		}
		if wrong > len(d.Voxels)/50 { // at the corners, which are rounded off
			t.Errorf("%s: %d of %d voxels are in the wrong layer", test.name, wrong, len(d.Voxels))
		}
	}
}

// TestDepthOfOneSlice: a mask drawn on one slice has depths within that slice.
func TestDepthOfOneSlice(t *testing.T) {
	m := layersBox(60, [3]int{10, 20, 30}, [3]int{50, 29, 31})
	m.Affine = [3][4]float64{{0.5}, {0, 0, 3}, {0, 0.5, 0}} // rows go up, slices to the back
	d, err := Measure(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for n, v := range d.Voxels {
		if want := (float64(int(v)/60%60-20) + 0.5) / 9; math.Abs(float64(d.Depth[n])-want) > 0.05 {
			wrong++
		}
	}
	if wrong > len(d.Voxels)/20 || len(d.Voxels) != 360 {
		t.Errorf("%d of %d voxels are off by more than 0.05", wrong, len(d.Voxels))
	}
}

// TestDepthDirections: without a label of the bone, the given directions say where it is. The box would be
// upside down in the patient.
func TestDepthDirections(t *testing.T) {
	m := layersBox(30, [3]int{3, 3, 13}, [3]int{27, 27, 17})
	for _, up := range [][3]float64{{}, {0, 0, 2}, {0, 0, -1}, {0.5, 0, -1}} {
		d, err := Measure(
			t.Context(), m,
			Options{Axes: func(context.Context) (anatomy.Axes, error) { return anatomy.Axes{Superior: up}, nil }},
		)
		if err != nil {
			t.Fatal(err)
		}
		for n, v := range d.Voxels {
			slice := int(v) / 900
			if deep, want := d.Depth[n] < 0.5, (slice < 15) == (up[2] >= 0); deep != want {
				t.Fatalf("up %v: slice %d has depth %g", up, slice, d.Depth[n])
			}
		}
	}
}

func TestDepthAffine(t *testing.T) {
	m := layersBox(9, [3]int{1, 1, 1}, [3]int{5, 5, 5})
	m.Affine[2] = m.Affine[1]
	var fault *AffineError
	if _, err := Measure(t.Context(), m, Options{}); !errors.As(err, &fault) {
		t.Errorf("error %v, want an *AffineError", err)
	}
	if _, err := Erode(t.Context(), m, 1); !errors.As(err, &fault) {
		t.Errorf("Erode: error %v, want an *AffineError", err)
	}
	if _, err := (Field{}).ThinFor(m.Geometry, 2, nil); !errors.As(err, &fault) {
		t.Errorf("ThinFor: error %v, want an *AffineError", err)
	}
}

// TestLayers: n layers of a plate of 12 voxels have 12/n slices each.
func TestLayers(t *testing.T) {
	m := layersBox(40, [3]int{3, 3, 14}, [3]int{37, 37, 26})
	m.Affine[2][2] = 0.5
	d, err := Measure(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 2, 3, 4, 6} {
		layers := n
		if n == 0 {
			layers = DefaultLayers
		}
		wrong := 0
		for v, layer := range d.Layers(n) {
			slice := int(d.Voxels[v])/1600 - 14
			if want := uint8(1 + slice*layers/12); layer != want {
				wrong++
			}
		}
		if wrong > len(d.Voxels)/100 { // beside the rim
			t.Errorf("%d layers: %d of %d voxels are in the wrong one", n, wrong, len(d.Voxels))
		}
	}
}

// TestThinFor: 2.5 mm of cartilage are thin for slices of 3 mm across it, and not for pixels of 0.5 mm; at
// 45° half of it is neither.
func TestThinFor(t *testing.T) {
	s := shellFlat(2.5)
	d, err := Measure(t.Context(), s.draw(shellGrid(shellFine, shellOblique), true, 0), Options{})
	if err != nil {
		t.Fatal(err)
	}
	series := [3]float64{0.5, 0.5, 3}
	for _, test := range []struct {
		turned [3]float64
		across float64 // voxels
	}{
		{[3]float64{}, 2.5 / 3},
		{[3]float64{90, 0, 0}, 5},
		{[3]float64{0, 90, 0}, 5},
		{[3]float64{45, 0, 0}, 2.5 * math.Sqrt(0.5/0.25+0.5/9)},
	} {
		thin, err := d.ThinFor(shellGrid(series, test.turned), 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		if test.across < 2 {
			want = 1
		}
		if math.Abs(thin.VoxelsAcross/test.across-1) > 0.06 || math.Abs(thin.Fraction()-want) > 0.03 ||
			math.Abs(thin.Thickness-2.5) > 0.06 {
			t.Errorf(
				"turned %v: %.2f voxels across, %.3f thin, %.2f mm; want %.2f, %g, 2.5", test.turned, thin.VoxelsAcross,
				thin.Fraction(), thin.Thickness, test.across, want,
			)
		}
	}
	none, err := d.ThinFor(d.Geometry, 2, func(int) bool { return false })
	if err != nil || none.Voxels != 0 || !math.IsNaN(none.Fraction()) || !math.IsNaN(none.Thickness) {
		t.Errorf("no voxels: %+v, %v", none, err)
	}
}
