package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// The non-linear fit by variable projection (Golub & Pereyra 1973, 10.1137/0710036). For a given
// rate, the best amplitude is a = Σy·g/Σg² with g = exp(−rate·t). The function of the rate that
// remains to be minimised is Σy² − u²/w with u = Σy·g and w = Σg². Its derivative is zero where
//
//	φ = u'·w − u·w'/2 = 0,
//
// and the residual has a minimum where φ, as g increases, changes from positive to negative.
// Newton's method for φ converges in three or four steps; a bracket around the sign change catches
// the steps that would leave it. With noise, or with two decays in one voxel, there may be several
// minima. The scan finds all of them.
//
// Equally spaced echoes are solved in blocks by package lanes, with the unknown q = exp(−step/T2).
// Other trains are solved one decay at a time, with the rate as the unknown (uneven.go).

// nlls is least squares on the magnitudes, over all decays with rates from 0 to infinity. The
// result is NotDecaying if no decay has a smaller residual than a constant, and NotConverged if the
// residual decreases as the rate grows without bound, since the echoes after the first then show no
// decay.
type nlls struct {
	train
	*scan
	sums lanes.Sums
	best lanes.Minima // of each decay of the block
	// The brackets if every decay of the block is solved: from 0 to 1.
	whole lanes.Brackets
	// The brackets otherwise, each for decay askedIndex[j] of the block.
	asked      *block
	brackets   lanes.Brackets
	askedIndex [lanes.Width]int
	answers    lanes.Minima
	// The decays whose minima the scan searches: decay searchedIndex[j] of the block.
	searched      *block
	searchedIndex [lanes.Width]int
	below         [lanes.Width]uint64
	// A block for a single decay.
	single *block
}

func newNLLS(k train) func() estimator {
	s := newScan(k.t, k.step)
	return func() estimator {
		n := len(k.t)
		fit := &nlls{train: k, scan: s, asked: newBlock(n), searched: newBlock(n), single: newBlock(n)}
		for i := range fit.whole.Hi {
			fit.whole.Hi[i] = 1
		}
		return fit
	}
}

// estimate is estimateBlock for a single decay.
func (k *nlls) estimate(y []float64, _ float64) result { return k.single.only(k, y) }

func (k *nlls) estimateBlock(b *block, floor float64) {
	b.sums(&k.train, floor, &k.sums)
	if k.step == 0 {
		for i := range b.n {
			v := none(volume.LowSignal)
			if !low(&k.sums, i) {
				v = k.uneven(b.decay(i), b.total[i])
			}
			b.keep(i, v)
		}
		return
	}
	k.solve(b)
	k.search(b)
	lanes.Finish(k.lanes(), b.n, &k.best, &b.curves)
}

// certain is the R² above which a minimum of an even train is assumed to be the global one. Hill
// climbing over the signals of 3 to 32 echoes for the second-best minimum with the highest R² found
// 0.67 for 6 echoes, 0.73 for 8 and 0.78 for 20; among 60 000 noisy decays, even a limit of 0.5
// misses none. Uneven trains have no such bound, because two echoes close together and a distant
// one have two curves with R² near 1. They are always scanned.
const certain = 0.8

// solve finds a minimum of the decays that show one. It adds those whose minimum may not be the
// global one to searched.
func (k *nlls) solve(b *block) {
	direct := 0
	for i := range b.n {
		k.best.RSS[i] = math.Inf(1)
		b.status[i] = volume.Fitted
		if low(&k.sums, i) {
			b.status[i] = volume.LowSignal
		} else if k.isDirect(b, i) {
			k.askedIndex[direct] = i
			direct++
		}
	}
	k.asked.n, k.searched.n = 0, 0
	if direct == b.n { // as in tissue
		copy(k.whole.Start[:b.n], k.sums.Start[:b.n])
		lanes.Solve(b.y, len(k.t), b.n, &k.whole, &k.best)
	} else {
		for _, i := range k.askedIndex[:direct] {
			k.ask(b, i, i, bracket{k.sums.Start[i], 0, 1})
		}
		k.answer()
	}
	for i := range b.n {
		if b.status[i] != volume.LowSignal && !(k.best.RSS[i] <= (1-certain)*b.total[i]) {
			k.searchedIndex[k.searched.n] = i
			k.searched.take(b.y, i)
		}
	}
}

// isDirect reports whether a decay is solved before any scan. If a falling line explains less than
// half of the scatter, the scan is needed anyway and provides better starts.
func (k *nlls) isDirect(b *block, i int) bool {
	line := k.sums.Line[i]
	return line < 0 && line*line > 0.5*k.scatter*b.total[i]
}

// bracket is the interval in which a minimum is searched, in the solver's unknown, and the start.
type bracket struct{ start, lo, hi float64 }

// ask adds a bracket for the minimum of decay i of the block, which is decay j of source.
func (k *nlls) ask(source *block, j, i int, interval bracket) {
	n := k.asked.n
	k.asked.take(source.y, j)
	k.askedIndex[n], k.brackets.Start[n], k.brackets.Lo[n], k.brackets.Hi[n] = i, interval.start, interval.lo, interval.hi
	if k.asked.n == lanes.Width {
		k.answer()
	}
}

// answer solves all brackets and keeps the best minimum of each decay.
func (k *nlls) answer() {
	f := &k.answers
	lanes.Solve(k.asked.y, len(k.t), k.asked.n, &k.brackets, f)
	for j := range k.asked.n {
		if i := k.askedIndex[j]; f.RSS[j] < k.best.RSS[i] {
			k.best.A[i], k.best.Ratio[i], k.best.Spread[i], k.best.RSS[i] = f.A[j], f.Ratio[j], f.Spread[j], f.RSS[j]
		}
	}
	k.asked.n = 0
}
