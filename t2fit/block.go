package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// block is up to lanes.Width decays that are fitted together. They are stored echo by echo: echo e
// of decay i is y[e*lanes.Width+i].
type block struct {
	n     int
	y     []float64
	sigma column
	// The results: TSS = Σ(y − mean)², and the curves, which are meaningless unless the status is
	// Fitted or AtBound.
	total  column
	curves lanes.Curves
	status [lanes.Width]volume.Status
	// These are set only if the estimator works decay by decay.
	offset, b1 column
	echoes     [lanes.Width]uint8
	// scratch for the echoes of one decay.
	scratch []float64
}

type column = [lanes.Width]float64

// newBlock returns a block for decays of that many echoes.
func newBlock(echoes int) *block {
	return &block{y: make([]float64, echoes*lanes.Width), scratch: make([]float64, echoes)}
}

// decay returns the echoes of decay i. They are valid until the next call.
func (b *block) decay(i int) []float64 {
	for e := range b.scratch {
		b.scratch[e] = b.y[e*lanes.Width+i]
	}
	return b.scratch
}

// take copies a decay from another block to the end of this one.
func (b *block) take(source []float64, i int) {
	for column := 0; column < len(b.y); column += lanes.Width {
		b.y[column+b.n] = source[column+i]
	}
	b.n++
}

// only fits a single decay, without a lower limit of the signal.
func (b *block) only(fit blockEstimator, y []float64) result {
	b.n = 1
	for e, v := range y {
		b.y[e*lanes.Width] = v
	}
	fit.estimateBlock(b, math.Inf(-1))
	return b.result(0)
}

// result returns the result of decay i.
func (b *block) result(i int) result {
	c, nan := &b.curves, math.NaN()
	return result{
		t2: c.T2[i], s0: c.S0[i], rss: c.RSS[i], se: c.SE[i],
		offset: nan, b1: nan, echoes: len(b.scratch), status: b.status[i],
	}
}

// keep stores the result of decay i.
func (b *block) keep(i int, v result) {
	c := &b.curves
	c.T2[i], c.S0[i], c.RSS[i], c.SE[i] = v.t2, v.s0, v.rss, v.se
	b.offset[i], b.b1[i], b.echoes[i], b.status[i] = v.offset, v.b1, uint8(min(v.echoes, math.MaxUint8)), v.status
}

// blockEstimator is an estimator that is faster on blocks of decays.
type blockEstimator interface {
	estimator
	// estimateBlock sets total, curves and status of a block. A decay with fewer than two echoes
	// above floor, or with an echo that is not a number, is LowSignal.
	estimateBlock(b *block, floor float64)
}

// sums computes the sums of a block and sets its totals.
func (b *block) sums(k *train, floor float64, s *lanes.Sums) {
	lanes.Sum(b.y, k.t, floor, b.n, s)
	b.totals(s)
}

// totals sets the totals of a block from its sums.
func (b *block) totals(s *lanes.Sums) {
	for i := range b.n {
		b.total[i] = s.Total[i]
		if s.Total[i] < steady*s.Squares[i] {
			b.total[i] = scatter(b.decay(i), s.Sum[i]/float64(len(b.scratch)))
		}
	}
}

// low reports whether decay i of a block with the sums s is LowSignal. If an echo is infinite or
// NaN, the sum of squares is not finite.
func low(s *lanes.Sums, i int) bool {
	return s.Above[i] < 2 || !(s.Squares[i] <= math.MaxFloat64)
}

// findBlock is find for the decays of a block.
func (f *fitter) findBlock(b *block) {
	if fit, ok := f.estimator.(blockEstimator); ok {
		fit.estimateBlock(b, f.o.MinSignal)
		return
	}
	for i := range b.n {
		v, tss := f.find(b.decay(i), b.sigma[i])
		b.keep(i, v)
		b.total[i] = tss
	}
}

// lanes returns the train in the form that package lanes takes.
func (k *train) lanes() lanes.Train { return lanes.Train{TE0: k.te0, Step: k.step, T: k.t} }
