package t2fit

import (
	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// logLinear fits the straight line ln S = ln S0 − TE/T2, with weights S² or without weights. An
// echo that is not above zero has no logarithm: with weights, its weight is 0; without, it is
// omitted.
type logLinear struct {
	train
	weighted bool
	sums     lanes.Sums
	single   *block
}

func newLogLinear(k train, o Resolved) *logLinear {
	return &logLinear{train: k, weighted: o.Method == LogLinear, single: newBlock(len(k.t))}
}

// estimate is estimateBlock for a single decay.
func (k *logLinear) estimate(y []float64, _ float64) result { return k.single.only(k, y) }

func (k *logLinear) estimateBlock(b *block, floor float64) {
	lanes.LogLine(b.y, k.lanes(), floor, k.weighted, b.n, &k.sums, &b.curves)
	b.totals(&k.sums)
	for i := range b.n {
		switch {
		case low(&k.sums, i):
			b.status[i] = volume.LowSignal
		case !(b.curves.T2[i] > 0):
			b.status[i] = volume.NotDecaying
		default:
			b.status[i] = volume.Fitted
		}
	}
}
