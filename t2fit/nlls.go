package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// The non-linear fit by variable projection (Golub & Pereyra 1973,
// 10.1137/0710036). For a given rate the best amplitude is
// a = Σy·g/Σg² with g = exp(−rate·t), and what is left to minimise over the
// rate alone is Σy² − u²/w with u = Σy·g and w = Σg². Its derivative is zero
// where
//
//	φ = u'·w − u·w'/2 = 0,
//
// and a minimum of the residuals is a place where φ, taken along growing g,
// turns from positive to negative. Newton's step on φ converges in three or four
// rounds; a bracket around the sign change catches the steps that would leave
// it. Noise, or two decays in one voxel, make more than one such place: the scan
// finds them all where there may be.
//
// Equally spaced echoes are solved in blocks by package lanes, whose unknown is
// q = exp(−step/T2); other trains one by one, in the rate itself (uneven.go).

// nlls is least squares on the magnitudes, over all decays with rates from 0 to
// infinity. It is NotDecaying where no decay leaves less than the constant, and
// NotConverged where the residual falls as the rate grows without bound: the
// echoes after the first hold no decay.
type nlls struct {
	train
	*scan
	sums lanes.Sums
	best lanes.Minima // of each decay of the block
	// What is asked of the solver where all decays of the block are: from 0 to 1.
	whole lanes.Asks
	// What is asked of it else: decay of[j] of the block between two ratios.
	asked   *block
	asks    lanes.Asks
	owner   [lanes.Width]int
	answers lanes.Minima
	// The decays whose minima are to be searched: decay which[j] of the block.
	searched *block
	which    [lanes.Width]int
	below    [lanes.Width]uint64
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

// certain is the R² from which a minimum of an even train is taken for the
// global one. Hill climbing over the signals of 3 to 32 echoes for the
// second-best minimum with the highest R² found 0.67 for 6 echoes, 0.73 for 8
// and 0.78 for 20; among 60 000 noisy decays a limit of 0.5 misses none. Uneven
// trains know no such bound (two echoes close together and one far away have
// two curves of R² near 1), so they are always scanned.
const certain = 0.8

// solve finds a minimum of the decays that show one, and leaves those whose
// minimum is not certainly the best to be searched.
func (k *nlls) solve(b *block) {
	direct := 0
	for i := range b.n {
		k.best.RSS[i] = math.Inf(1)
		b.status[i] = volume.Fitted
		if low(&k.sums, i) {
			b.status[i] = volume.LowSignal
		} else if k.isDirect(b, i) {
			k.owner[direct] = i
			direct++
		}
	}
	k.asked.n, k.searched.n = 0, 0
	if direct == b.n { // as in tissue
		copy(k.whole.Start[:b.n], k.sums.Start[:b.n])
		lanes.Solve(b.y, len(k.t), b.n, &k.whole, &k.best)
	} else {
		for _, i := range k.owner[:direct] {
			k.ask(b, i, i, bracket{k.sums.Start[i], 0, 1})
		}
		k.answer()
	}
	for i := range b.n {
		if b.status[i] != volume.LowSignal && !(k.best.RSS[i] <= (1-certain)*b.total[i]) {
			k.which[k.searched.n] = i
			k.searched.take(b.y, i)
		}
	}
}

// isDirect reports whether a decay is solved before any scan: where not even half the
// scatter lies on a falling line, the scan will be needed anyway, and starts the
// solver better.
func (k *nlls) isDirect(b *block, i int) bool {
	line := k.sums.Line[i]
	return line < 0 && line*line > 0.5*k.scatter*b.total[i]
}

// bracket is where a minimum is looked for, in the solver's unknown, and where the
// search starts.
type bracket struct{ start, lo, hi float64 }

// ask asks for a minimum of decay i of the block, which is decay j of from.
func (k *nlls) ask(source *block, j, i int, interval bracket) {
	n := k.asked.n
	k.asked.take(source.y, j)
	k.owner[n], k.asks.Start[n], k.asks.Lo[n], k.asks.Hi[n] = i, interval.start, interval.lo, interval.hi
	if k.asked.n == lanes.Width {
		k.answer()
	}
}

// answer solves what was asked and keeps each decay's best minimum.
func (k *nlls) answer() {
	f := &k.answers
	lanes.Solve(k.asked.y, len(k.t), k.asked.n, &k.asks, f)
	for j := range k.asked.n {
		if i := k.owner[j]; f.RSS[j] < k.best.RSS[i] {
			k.best.A[i], k.best.Ratio[i], k.best.Spread[i], k.best.RSS[i] = f.A[j], f.Ratio[j], f.Spread[j], f.RSS[j]
		}
	}
	k.asked.n = 0
}
