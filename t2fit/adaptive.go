package t2fit

import (
	"math"
	"sync"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// adaptive omits from each voxel's fit the trailing echoes below the
// noise floor, with an estimator for every number of echoes.
//
// The trailing echoes are determined from a first fit by nlls, not from their magnitudes. An echo
// that is kept only because noise lifted it above the floor would bias T2 upwards, by 7 % at T2 30
// ms and a signal-to-noise ratio of 20.
type adaptive struct {
	train
	floor float64 // in units of sigma
	least int
	first estimator
	// newFitter[n] returns an estimator of the first n echoes, and fitters[n] is this worker's, or nil
	// until it is needed. Both are nil below least.
	newFitter []func() estimator
	fitters   []estimator
}

func newAdaptive(k train, o Resolved) func() estimator {
	floor := o.EchoFloor
	o.EchoFloor = 0
	least := max(MinEchoes, o.parameters()+1)
	// Few of the lengths occur, and some are costly to prepare.
	makers := make([]func() estimator, len(k.t)+1)
	for n := least; n <= len(k.t); n++ {
		prepared := sync.OnceValue(func() func() estimator { return newEstimators(k.first(n), o) })
		makers[n] = func() estimator { return prepared()() }
	}
	first := newNLLS(k)
	return func() estimator {
		return &adaptive{
			train: k, floor: floor, least: least, first: first(), newFitter: makers,
			fitters: make([]estimator, len(makers)),
		}
	}
}

// estimate fits the echoes up to the last one at which the first fit is above the floor. If the
// first fit finds no decay, or the noise is not known, it fits all echoes.
func (a *adaptive) estimate(y []float64, sigma float64) result {
	n := len(y)
	if v := a.first.estimate(y, sigma); sigma > 0 && v.status == volume.Fitted {
		// After this time, which counts from the first fitted echo, the first fit is below the
		// floor.
		end := float64(v.t2*lanes.Log(max(v.s0/(a.floor*sigma), math.SmallestNonzeroFloat32))) - a.te0
		for n > a.least && a.t[n-1] > end {
			n--
		}
	}
	if a.fitters[n] == nil {
		a.fitters[n] = a.newFitter[n]()
	}
	v := a.fitters[n].estimate(y[:n], sigma)
	v.echoes = n
	return v
}
