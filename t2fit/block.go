package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// block is up to lanes.Width decays that are fitted together, echo by echo: echo e
// of decay i is y[e*lanes.Width+i].
type block struct {
	n     int
	y     []float64
	sigma [lanes.Width]float64
	// What the fit makes of each: TSS = Σ(y − mean)², and the estimate.
	total [lanes.Width]float64
	found [lanes.Width]found
	// column is scratch for the echoes of one decay.
	column []float64
}

// newBlock returns a block for decays of that many echoes.
func newBlock(echoes int) *block {
	return &block{y: make([]float64, echoes*lanes.Width), column: make([]float64, echoes)}
}

// decay returns the echoes of decay i side by side, until the next call.
func (b *block) decay(i int) []float64 {
	for e := range b.column {
		b.column[e] = b.y[e*lanes.Width+i]
	}
	return b.column
}

// take copies a decay from another block to the end of this one.
func (b *block) take(from []float64, i int) {
	for at := 0; at < len(b.y); at += lanes.Width {
		b.y[at+b.n] = from[at+i]
	}
	b.n++
}

// only fits a single decay, whatever its magnitudes.
func (b *block) only(by blockEstimator, y []float64) found {
	b.n = 1
	for e, v := range y {
		b.y[e*lanes.Width] = v
	}
	by.estimateBlock(b, math.Inf(-1))
	return b.found[0]
}

// blockEstimator is an estimator that is faster by the block.
type blockEstimator interface {
	estimator
	// estimateBlock fills total and found of a block. A decay with fewer than two
	// echoes above floor, or with one that is no number, is LowSignal.
	estimateBlock(b *block, floor float64)
}

// sums takes the sums of a block and fills in its totals.
func (b *block) sums(k *train, floor float64, s *lanes.Sums) {
	lanes.Sum(b.y, k.t, floor, b.n, s)
	for i := range b.n {
		b.total[i] = s.Total[i]
		if s.Total[i] < steady*s.Squares[i] {
			b.total[i] = scatter(b.decay(i), s.Sum[i]/float64(len(k.t)))
		}
	}
}

// low says whether decay i of a block with the sums s is LowSignal. An infinite or
// missing echo leaves no finite sum of squares.
func low(s *lanes.Sums, i int) bool {
	return s.Above[i] < 2 || !(s.Squares[i] <= math.MaxFloat64)
}

// estimateBlock fills in the estimates of a block and judges them.
func (f *fitter) estimateBlock(b *block, put func(i int, est Estimate)) {
	if by, ok := f.estimator.(blockEstimator); ok {
		by.estimateBlock(b, f.o.MinSignal)
		for i := range b.n {
			put(i, f.o.judge(b.found[i], b.total[i]))
		}
		return
	}
	for i := range b.n {
		put(i, f.estimate(b.decay(i), b.sigma[i]))
	}
}

// curve turns decay i of some curves into what an estimator returns.
func (k *train) curve(c *lanes.Curves, i int) found {
	nan := math.NaN()
	return found{
		t2: c.T2[i], s0: c.S0[i], rss: c.RSS[i], se: c.SE[i],
		offset: nan, b1: nan, echoes: len(k.t), status: volume.Fitted,
	}
}

// lanes returns the train as package lanes knows it.
func (k *train) lanes() lanes.Train { return lanes.Train{TE0: k.te0, Step: k.step, T: k.t} }
