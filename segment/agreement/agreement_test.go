package agreement

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/volume"
)

// reference is a case of testdata/reference.json.
type reference struct {
	Size          [3]int
	Spacing       [3]float64
	First, Second []shape
	Labels        []struct {
		Label              uint16
		Voxels             [2]int
		Common             int
		Dice               float64
		Mean, P95, Largest float64
	}
}

// shape is a label, a centre and semi-axes.
type shape struct {
	label        uint16
	centre, axes [3]int
}

func (s *shape) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&s.label, &s.centre, &s.axes})
}

// drawn draws the shapes as reference.py does. The axes of the grid lie obliquely.
func drawn(r reference, shapes []shape) volume.Labels {
	l := volume.Labels{Geometry: volume.Geometry{Size: r.Size}}
	l.Data = make([]uint16, l.Voxels())
	for d, s := range r.Spacing {
		axis := [3][3]float64{{0.6, 0.8, 0}, {0, 0, -1}, {-0.8, 0.6, 0}}[d]
		for row := range 3 {
			l.Affine[row][d] = s * axis[row]
		}
	}
	for v := range l.Data {
		value := [3]int{v % r.Size[0], v / r.Size[0] % r.Size[1], v / l.SliceVoxels()}
		for _, s := range shapes {
			sum, all := 0, 1
			for d := range 3 {
				x := value[d] - s.centre[d]
				x *= s.axes[(d+1)%3] * s.axes[(d+2)%3]
				sum += x * x
				all *= s.axes[d]
			}
			if sum <= all*all {
				l.Data[v] = s.label
			}
		}
	}
	return l
}

func references(t *testing.T) []reference {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []reference
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// All figures are those of numpy and scipy, to the rounding of sums.
func TestAgainstScipy(t *testing.T) {
	const rounding = 1e-12
	for n, r := range references(t) {
		a, b := drawn(r, r.First), drawn(r, r.Second)
		for _, want := range r.Labels {
			all, err := Compare(t.Context(), a, b, []uint16{want.Label})
			if err != nil {
				t.Fatal(err)
			}
			got := all[0]
			if got.Voxels != want.Voxels || got.Common != want.Common || got.Missing != NotMissing {
				t.Errorf("case %d, label %d: %+v, want %+v", n, want.Label, got, want)
			}
			for _, c := range []struct {
				name      string
				got, want float64
			}{{"dice", got.Dice, want.Dice}, {"mean", got.MeanMM, want.Mean}, {"p95", got.P95MM, want.P95},
				{"largest", got.LargestMM, want.Largest}} {
				if math.Abs(c.got-c.want) > rounding*math.Max(1, c.want) {
					t.Errorf("case %d, label %d: %s %.15g, want %.15g", n, want.Label, c.name, c.got, c.want)
				}
			}
			// The other way about, only the sign of the difference changes.
			back, err := Compare(t.Context(), b, a, []uint16{want.Label})
			if err != nil || back[0].Dice != got.Dice || math.Abs(back[0].MeanMM-got.MeanMM) > rounding ||
				back[0].DifferenceMM3 != -got.DifferenceMM3 ||
				back[0].DifferencePercent != -got.DifferencePercent {
				t.Errorf("case %d, label %d, exchanged: %+v, %v; want %+v", n, want.Label, back[0], err, got)
			}
		}
	}
}

// The reference file equals the output of its script.
func TestReference(t *testing.T) {
	python := "/usr/bin/python3"
	if exec.Command(python, "-c", "import scipy").Run() != nil {
		t.Skip("python with scipy (Debian: python3-scipy) is not installed")
	}
	got, err := exec.Command(python, filepath.Join("testdata", "reference.py")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var fresh []reference
	if err := json.Unmarshal(got, &fresh); err != nil {
		t.Fatal(err)
	}
	// Versions of numpy may sum in another order.
	near := cmpopts.EquateApprox(1e-12, 1e-12)
	if d := cmp.Diff(fresh, references(t), near, cmp.AllowUnexported(shape{})); d != "" {
		t.Errorf("reference.json is not what reference.py prints:\n%s", d)
	}
}

// blocks are masks of a row of voxels of 1 × 2 × 3 mm.
func blocks(data ...uint16) volume.Labels {
	g := volume.Geometry{Size: [3]int{len(data), 1, 1}, Affine: [3][4]float64{{1}, {0, 2}, {0, 0, 3}}}
	return volume.Labels{Geometry: g, Data: data}
}

// Figures by hand, and what does not exist.
func TestByHand(t *testing.T) {
	a, b := blocks(0, 1, 1, 1, 2, 0, 3), blocks(0, 0, 1, 1, 0, 4, 0)
	got, err := Compare(t.Context(), a, b, nil)
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	x := got[0]
	// Every voxel is surface: distances 1, 0, 0 and 0, 0.
	if x.Value != 1 || x.Dice != 0.8 || x.VolumeMM3 != [2]float64{18, 12} || x.DifferenceMM3 != -6 ||
		x.DifferencePercent != -40 ||
		x.MeanMM != 0.2 ||
		math.Abs(x.P95MM-0.8) > 1e-12 ||
		x.LargestMM != 1 ||
		x.Missing.String() != "" {
		t.Errorf("%+v", x)
	}
	for n, want := range map[int]Missing{1: EmptySecond, 2: EmptySecond, 3: EmptyFirst} {
		x := got[n]
		percent := map[Missing]float64{EmptySecond: -200, EmptyFirst: 200}[want]
		if x.Missing != want || x.Dice != 0 || x.DifferencePercent != percent || !math.IsNaN(x.MeanMM) ||
			!math.IsNaN(x.P95MM) ||
			!math.IsNaN(x.LargestMM) ||
			x.Missing.String() == "" {
			t.Errorf("%+v", x)
		}
	}
	got, err = Compare(t.Context(), a, b, []uint16{9})
	if err != nil || got[0].Missing != EmptyBoth || !math.IsNaN(got[0].Dice) || !math.IsNaN(got[0].DifferencePercent) ||
		got[0].DifferenceMM3 != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = Compare(t.Context(), blocks(0, 0), blocks(0, 0), nil); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	same, _ := Compare(t.Context(), a, a, nil)
	for _, x := range same {
		if x.Dice != 1 || x.DifferencePercent != 0 || x.LargestMM != 0 || x.MeanMM != 0 {
			t.Errorf("a mask and itself: %+v", x)
		}
	}
}

func TestGrids(t *testing.T) {
	a, b := blocks(1, 1, 1), blocks(1, 1, 1)
	b.Affine[1][3] = 0.09
	if _, err := Compare(t.Context(), a, b, nil); err != nil {
		t.Error(err)
	}
	b.Affine[1][3] = 0.2
	if _, err := Compare(t.Context(), a, b, nil); err == nil {
		t.Error("masks 0.2 mm apart are compared")
	}
	b.Affine[1][3] = math.NaN()
	if _, err := Compare(t.Context(), a, b, nil); err == nil {
		t.Error("a mask that lies nowhere is compared")
	}
	if _, err := Compare(t.Context(), a, blocks(1, 1), nil); err == nil {
		t.Error("masks of two sizes are compared")
	}
}

// The distance transform equals the minimum over all pairs.
func TestTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		size := [3]int{1 + r.IntN(9), 1 + r.IntN(9), 1 + r.IntN(9)}
		spacing := [3]float64{0.1 + r.Float64(), 0.1 + r.Float64(), 0.1 + 5*r.Float64()}
		n := size[0] * size[1] * size[2]
		var points []int
		for v := range n {
			if r.IntN(12) == 0 {
				points = append(points, v)
			}
		}
		for v, got := range transform(t.Context(), points, size, spacing) {
			want := math.Inf(1)
			for _, p := range points {
				x := float64(v%size[0]-p%size[0]) * spacing[0]
				y := float64(v/size[0]%size[1]-p/size[0]%size[1]) * spacing[1]
				z := float64(v/(size[0]*size[1])-p/(size[0]*size[1])) * spacing[2]
				want = min(want, x*x+y*y+z*z)
			}
			if got != want && !(math.Abs(got-want) < 1e-12*want) {
				t.Fatalf("size %v, voxel %d: %g, want %g", size, v, got, want)
			}
		}
	}
}

// countdown is a context that ends after it was asked so many times whether it has.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelled: the comparison stops when the context ends, also in its midst, without a result.
func TestCancelled(t *testing.T) {
	a := volume.Labels{
		Geometry: volume.Geometry{Size: [3]int{80, 80, 80}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}},
	}
	a.Data = make([]uint16, a.Voxels())
	b := a
	b.Data = slices.Clone(a.Data)
	a.Data[0], a.Data[len(a.Data)-1] = 1, 1 // the box of the label is the whole grid
	b.Data[len(b.Data)-1] = 1
	asked := countdown{t.Context(), math.MaxInt}
	if _, err := Compare(&asked, a, b, nil); err != nil {
		t.Fatal(err)
	}
	times := math.MaxInt - asked.left
	if slabs := 2 * 3 * a.Voxels() / voxelsPerCheck; times < slabs { // three axes, there and back
		t.Errorf("asked %d times whether the context has ended, want %d or more", times, slabs)
	}
	for _, after := range []int{0, times / 2, times - 1} {
		if got, err := Compare(&countdown{t.Context(), after}, a, b, nil); !errors.Is(err, context.Canceled) ||
			got != nil {
			t.Errorf("ended after %d of %d questions: %v, %v", after, times, got, err)
		}
	}
}
