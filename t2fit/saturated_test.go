package t2fit

import (
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/volume"
)

// twoSlices returns a noisy series of two slices, of which the second is clipped at echo e.
func twoSlices(e int, level float32) (s volume.MultiEcho, mask volume.Labels) {
	s, mask = noisySeries(2000)
	s.Size = [3]int{100, 10, 2}
	mask.Geometry = s.Geometry
	for range s.TE {
		s.Ceiling = append(s.Ceiling, []float32{float32(math.Inf(1)), float32(math.Inf(1))})
	}
	s.Ceiling[e][1] = level
	for v := 1000; v < 2000; v++ {
		s.Echo[e][v] = min(s.Echo[e][v], level)
	}
	return s, mask
}

// With every method, a voxel that was clipped at a fitted echo has no estimate, and other voxels
// are unchanged, for any number of workers.
func TestSaturated(t *testing.T) {
	for _, method := range Methods {
		for _, whole := range []bool{false, true} {
			s, mask := twoSlices(2, 500)
			if whole {
				mask = volume.Labels{}
			}
			o := Options{Method: method, Sigma: 20, Workers: 1}
			got, err := Fit(t.Context(), s, mask, o)
			if err != nil {
				t.Fatal(err)
			}
			o.Workers = 3
			again, err := Fit(t.Context(), s, mask, o)
			if err != nil || !sameBits(again.T2, got.T2) || !slices.Equal(again.Status, got.Status) {
				t.Errorf("%s: the workers matter, or %v", method, err)
			}
			s.Ceiling = nil
			free, err := Fit(t.Context(), s, mask, o)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for v, status := range got.Status {
				clipped := v >= 1000 && s.Echo[2][v] == 500 && (mask.Data == nil || mask.Data[v] != 0)
				if clipped {
					n++
					for _, m := range [][]float32{got.T2, got.S0, got.R2, got.SE, got.Offset, got.B1} {
						if m != nil && m[v] == m[v] {
							t.Fatalf("%s: voxel %d keeps %g", method, v, m[v])
						}
					}
				}
				if (status == volume.Saturated) != clipped {
					t.Fatalf("%s: voxel %d is %v, signal %g", method, v, status, s.Echo[2][v])
				}
				if !clipped && (status != free.Status[v] ||
					math.Float32bits(got.T2[v]) != math.Float32bits(free.T2[v]) ||
					math.Float32bits(got.SE[v]) != math.Float32bits(free.SE[v])) {
					t.Fatalf("%s: voxel %d differs without being clipped", method, v)
				}
			}
			if n < 100 {
				t.Fatalf("%d voxels of the test are clipped", n)
			}
		}
	}
}

// An echo that is skipped or below the floor may be clipped.
func TestSaturatedElsewhere(t *testing.T) {
	count := func(e int, level float32, o Options) int {
		s, mask := twoSlices(e, level)
		o.Sigma = 20
		m, err := Fit(t.Context(), s, mask, o)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, status := range m.Status {
			if status == volume.Saturated {
				n++
			}
		}
		return n
	}
	if n := count(0, 500, Options{}); n != 0 {
		t.Errorf("the first echo is skipped, and %d voxels are saturated", n)
	}
	if n := count(0, 500, Options{SkipEchoes: NoSkip}); n == 0 {
		t.Error("the first echo is fitted, and no voxel is saturated")
	}
	if n := count(1, 500, Options{SkipEchoes: 2}); n != 0 {
		t.Errorf("two echoes are skipped, and %d voxels are saturated", n)
	}
	// At the last echo, all but a few voxels are 30 or more.
	all, floored := count(6, 30, Options{}), count(6, 30, Options{EchoFloor: 5})
	if floored == 0 || floored > all*9/10 {
		t.Errorf("at the last echo %d voxels are saturated, %d with a floor for echoes", all, floored)
	}
}

// The noise is estimated from voxels that were not clipped: clipping half of a slice far below its
// signal changes it by less than its standard error.
func TestNoiseWithoutSaturatedVoxels(t *testing.T) {
	s, _ := noisySeries(20000)
	s.Size = [3]int{200, 100, 1}
	want := mustNoise(t, s, Options{})
	for range s.TE {
		s.Ceiling = append(s.Ceiling, []float32{float32(math.Inf(1))})
	}
	s.Ceiling[1][0] = 500
	for v, y := range s.Echo[1] {
		s.Echo[1][v] = min(y, 500)
	}
	if got := mustNoise(t, s, Options{}); !near(got.Sigma[0], want.Sigma[0], 0.1) {
		t.Errorf("σ %g, want %g", got.Sigma[0], want.Sigma[0])
	}
}

func TestCeilingsAreChecked(t *testing.T) {
	s, mask := twoSlices(2, 500)
	s.Ceiling[3] = s.Ceiling[3][:1]
	if _, err := Fit(t.Context(), s, mask, Options{}); err == nil {
		t.Error("an echo with one ceiling for two slices passes")
	}
	s.Ceiling = s.Ceiling[:2]
	if _, err := Fit(t.Context(), s, mask, Options{}); err == nil {
		t.Error("ceilings of two echoes pass")
	}
}
