package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/t2map/t2map/volume"
)

// oblique is a grid whose axes lie across the patient's.
func oblique(size [3]int) volume.Geometry {
	return volume.Geometry{
		Size: size, Affine: [3][4]float64{{0.3, -0.2, 0.5, 10}, {0.1, 0.4, 0.6, -20}, {-0.2, 0.1, 1.5, 30}},
	}
}

// labelsAt returns the labels by position in thousandths of a mm.
func labelsAt(l volume.Labels) map[[3]int]uint16 {
	out := map[[3]int]uint16{}
	for v, label := range l.Data {
		if label == 0 {
			continue
		}
		var key [3]int
		for r, x := range l.Position(float64(v%l.Size[0]), float64(v/l.Size[0]%l.Size[1]), float64(v/l.SliceVoxels())) {
			key[r] = int(math.Round(1000 * x))
		}
		out[key] = label
	}
	return out
}

// Every label stays where it is, and the margin is what the grid has, up to the one asked for.
func TestBox(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 11))
		l := volume.Labels{Geometry: oblique([3]int{1 + r.IntN(40), 1 + r.IntN(20), 1 + r.IntN(20)})}
		l.Data = make([]uint16, l.Voxels())
		lo, hi := l.Size, [3]int{}
		for range 1 + r.IntN(4) {
			v := r.IntN(len(l.Data))
			l.Data[v] = uint16(1 + r.IntN(math.MaxUint16))
			for a, x := range [3]int{v % l.Size[0], v / l.Size[0] % l.Size[1], v / l.SliceVoxels()} {
				lo[a], hi[a] = min(lo[a], x), max(hi[a], x)
			}
		}
		whole, margin := slices.Clone(l.Data), r.IntN(5)
		got := boxed(t, l, margin)
		for a, n := range got.Size {
			if want := min(l.Size[a], hi[a]+1+margin) - max(0, lo[a]-margin); n != want {
				t.Fatalf(
					"seed %d: size %v of %v, labels from %v to %v, margin %d: want %d along axis %d", seed, got.Size,
					l.Size, lo, hi, margin, want, a,
				)
			}
		}
		want, have := labelsAt(l), labelsAt(got)
		if len(got.Data) != got.Voxels() || len(have) != len(want) {
			t.Fatalf("seed %d: %d labels in %d voxels, want %d", seed, len(have), len(got.Data), len(want))
		}
		for p, label := range want {
			if have[p] != label {
				t.Fatalf("seed %d: label %d at %v, want %d", seed, have[p], p, label)
			}
		}
		if !slices.Equal(l.Data, whole) {
			t.Fatalf("seed %d: the mask was changed", seed)
		}
	}
}

// boxed returns the labels of a mask in their box.
func boxed(t *testing.T, l volume.Labels, margin int) volume.Labels {
	t.Helper()
	var s Scheme
	for _, label := range l.Data {
		if label != 0 && !slices.ContainsFunc(s.Labels, func(l Label) bool { return l.Value == label }) {
			s.Labels = append(s.Labels, Label{Value: label, Name: fmt.Sprint("row-", label)})
		}
	}
	m, err := s.InterpretBox(l, BoxOf(l, margin))
	if err != nil {
		t.Fatal(err)
	}
	for v, mark := range m.Data {
		if mark != 0 {
			if _, err := fmt.Sscanf(m.Names[mark-1], "row-%d", &m.Data[v]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return m.Labels
}

// A mask without labels keeps a voxel, one of no voxels none, and one that fills its grid all.
func TestBoxAtTheEnds(t *testing.T) {
	empty := volume.Labels{Geometry: oblique([3]int{7, 5, 3}), Data: make([]uint16, 105)}
	if got := boxed(t, empty, 0); got.Size != [3]int{1, 1, 1} || len(got.Data) != 1 || got.Data[0] != 0 ||
		got.Affine != empty.Affine {
		t.Errorf("%+v", got)
	}
	if got := boxed(t, volume.Labels{Geometry: oblique([3]int{0, 4, 4})}, 3); len(got.Data) != 0 || got.Size[0] != 0 {
		t.Errorf("%+v", got)
	}
	full := empty
	full.Data = make([]uint16, 105)
	full.Data[0], full.Data[104] = 1, 2
	if got := boxed(t, full, 0); !slices.Equal(got.Data, full.Data) || got.Geometry != full.Geometry {
		t.Errorf("%+v", got.Geometry)
	}
}

// Runs of every length and alignment end where the label changes.
func TestRun(t *testing.T) {
	for n := 1; n < 5*many; n++ {
		for before := range 9 {
			x := make([]uint16, before, before+n+5)
			for range n {
				x = append(x, 258)
			}
			if got := run(x[before:]); got != n {
				t.Errorf("%d to the end: %d", n, got)
			}
			// Labels that share a byte, or are the same but for one voxel of four.
			for _, next := range [][]uint16{{2}, {256, 258, 258, 258}, {0, 258},
				append([]uint16{0}, slices.Repeat([]uint16{258}, 2*many)...)} {
				if got := run(append(x[before:], next...)); got != n {
					t.Errorf("%d before %v: %d", n, next, got)
				}
			}
		}
	}
}
