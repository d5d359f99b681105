package segment

import (
	"math"

	"github.com/t2map/t2map/volume"
)

// Break is a change of the mean signal of a compartment that no decay explains.
type Break struct {
	Compartment string
	// Slice is the index of the slice, from 0, or −1 for all slices of the compartment.
	Slice int
	// Rise reports that the signal at echo Last is Factor times that at the earlier echo First. If it is
	// false, the signal at Last is Factor times that of a decay through First and the echo between.
	Rise        bool
	First, Last int // indices of echoes
	Factor      float64
}

const (
	// mostRise is the largest factor by which a signal may rise. No signal of a slice in ../shared/data
	// rises by more than 1.17.
	mostRise = 1.5
	// leastLeft is the least ratio of a signal S(e) to S(e−1)²/S(e−2) at evenly spaced echoes; a sum of
	// decays has 1 or more. No slice in ../shared/data has less than 0.8.
	leastLeft = 0.5
	// fewestVoxels is the least number of voxels in a slice for its mean and standard error to be checked.
	fewestVoxels = 10
	// deviations is the number of standard errors by which a mean must exceed these limits. Chance exceeds
	// it at most once in 10⁴ times, even if the standard error is from fewestVoxels, and a study has some
	// hundred slices of compartments.
	deviations = 6
	// leastJudged is the least signal that is checked, measured or predicted, as a share of the largest
	// mean. If T2 is only one or two echo spacings long, stimulated echoes exceed the limits where a fifth
	// of the signal remains (spheres 12 to 14 of ../shared/data/nist-philips-3t).
	leastJudged = 0.3
	// evenGaps is the largest relative difference between two gaps that count as equal.
	evenGaps = 0.02
)

// Breaks returns the first break of the mean signal of each compartment: in all its slices together or, if
// there is none, in one slice. Echoes before first are not checked. Neither is echo 0, which lacks the
// stimulated echoes of the later ones. Only fitted voxels count. Breaks panics if s, m and r are not on
// one grid.
func Breaks(s volume.MultiEcho, m volume.Maps, r Regions, first int) []Break {
	parts := signals(s, m, r)
	first = max(first, 1)
	var out []Break
	for n, name := range r.Names {
		all := signal{sum: make([]float64, len(s.Echo)), squares: make([]float64, len(s.Echo))}
		for _, part := range parts[n] {
			all.add(part)
		}
		for k, part := range append([]signal{all}, parts[n]...) {
			if b, ok := part.broken(s.TE, first); ok {
				b.Compartment, b.Slice = name, k-1
				out = append(out, b)
				break
			}
		}
	}
	return out
}

// signal is the signal of some voxels: sums, and sums of squares, at each echo.
type signal struct {
	voxels       int
	sum, squares []float64
}

func (x *signal) add(y signal) {
	x.voxels += y.voxels
	for e := range y.sum {
		x.sum[e] += y.sum[e]
		x.squares[e] += y.squares[e]
	}
}

// signals returns the signal of each region in each slice; it is zero without voxels.
func signals(s volume.MultiEcho, m volume.Maps, r Regions) [][]signal {
	out := make([][]signal, len(r.Names))
	for n := range out {
		out[n] = make([]signal, r.Size[2])
	}
	for v, region := range r.Data {
		if region == 0 || m.Status[v] != volume.Fitted {
			continue
		}
		x := &out[region-1][v/r.SliceVoxels()]
		if x.voxels++; x.sum == nil {
			x.sum, x.squares = make([]float64, len(s.Echo)), make([]float64, len(s.Echo))
		}
		for e, echo := range s.Echo {
			y := float64(echo[v])
			x.sum[e] += y
			x.squares[e] += y * y
		}
	}
	return out
}

// mean returns the mean at an echo and the square of its standard error.
func (x signal) mean(e int) (mean, square float64) {
	n := float64(x.voxels)
	mean = x.sum[e] / n
	return mean, max(0, x.squares[e]/n-mean*mean) / (n - 1)
}

// broken returns the first break of the mean signal at the echoes from first on, if there is one.
func (x signal) broken(te []float64, first int) (Break, bool) {
	if x.voxels < fewestVoxels {
		return Break{}, false
	}
	least := 0.0
	for e := first; e < len(te); e++ {
		mean, _ := x.mean(e)
		least = max(least, leastJudged*mean)
	}
	for e := first; e < len(te); e++ {
		last, square := x.mean(e)
		for f := first; f < e; f++ {
			earlier, other := x.mean(f)
			if most := mostRise * earlier; earlier > 0 && last > least &&
				last-most > deviations*math.Sqrt(square+mostRise*mostRise*other) {
				return Break{Rise: true, First: f, Last: e, Factor: last / earlier}, true
			}
		}
		if e < first+2 || math.Abs(te[e]-2*te[e-1]+te[e-2]) > evenGaps*(te[e-1]-te[e-2]) {
			continue
		}
		a, squareA := x.mean(e - 2)
		b, squareB := x.mean(e - 1)
		if !(a > 0 && b > 0) {
			continue
		}
		ratio := b / a
		decayed := b * ratio
		deviation := math.Sqrt(square + leastLeft*leastLeft*(4*ratio*ratio*squareB+ratio*ratio*ratio*ratio*squareA))
		if decayed > least && leastLeft*decayed-last > deviations*deviation {
			return Break{First: e - 2, Last: e, Factor: last / decayed}, true
		}
	}
	return Break{}, false
}
