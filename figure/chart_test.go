package figure

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
)

// steps returns n places at that distance.
func steps(n int, step vg.Length) []vg.Length {
	out := make([]vg.Length, n)
	for i := range out {
		out[i] = step * vg.Length(i)
	}
	return out
}

func TestSparse(t *testing.T) {
	for _, c := range []struct {
		places []vg.Length
		want   []int
	}{
		{nil, nil}, {[]vg.Length{5}, []int{0}}, {[]vg.Length{0, 5}, []int{0}}, {[]vg.Length{0, 13}, []int{0, 1}},
		{[]vg.Length{0, 5, 13, 20, 40}, []int{0, 2, 4}}, {[]vg.Length{0, 30, 40}, []int{0, 2}},
		{[]vg.Length{0, 1, 2, 3}, []int{0}},
		{steps(5, 13), []int{0, 1, 2, 3, 4}}, {steps(13, 5), []int{0, 3, 6, 9, 12}}, {steps(11, 5), []int{0, 5, 10}},
		{steps(12, 5), []int{0, 3, 6, 11}},
	} {
		if got := Sparse(c.places, slices.Repeat([]vg.Length{10}, len(c.places)), 3); !slices.Equal(got, c.want) {
			t.Errorf("Sparse(%v) = %v, want %v", c.places, got, c.want)
		}
	}
}

// Only an interval that would make all others too small to read is cut.
func TestSight(t *testing.T) {
	if r, _ := Sight([]float64{30, 40}, []float64{25, 45}); !r.Has(25) || !r.Has(45) {
		t.Errorf("an interval is cut by %v", r)
	}
	r, _ := Sight([]float64{30, 40}, []float64{-500, 600})
	if r.Has(-500) || r.Has(600) || !r.Has(30) || !r.Has(40) {
		t.Errorf("intervals of hundreds give %v", r)
	}
	if r, any := Sight(nil, nil); any || !(r.Length() > 0) {
		t.Errorf("of nothing: %v, %v", r, any)
	}
	if r, _ := Sight([]float64{35}, []float64{20, 50}); !r.Has(20) || !r.Has(50) {
		t.Errorf("the interval of one mean is cut by %v", r)
	}
}

func TestRuns(t *testing.T) {
	if got := runs(7, func(n int) bool { return strings.Contains("0124", fmt.Sprint(n)) }); !slices.Equal(got,
		[][2]int{{0, 3}, {4, 5}}) {
		t.Errorf("%v", got)
	}
}

func TestLetterOf(t *testing.T) {
	if got := letterOf(25) + letterOf(26) + letterOf(27); got != "zaaab" {
		t.Error(got)
	}
}
