package t2fit

import (
	"math"
	"sync"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// adaptive omits from each voxel's fit the trailing echoes that the noise has
// swallowed, by an estimator for every number of echoes.
//
// Which echoes these are is told from a first fit by nlls, not from the echoes
// themselves: one that is kept because noise has lifted it over the floor would bias
// T2 upwards, by 7 % at T2 30 ms and a signal-to-noise ratio of 20.
type adaptive struct {
	train
	floor float64 // in units of sigma
	least int
	first estimator
	// make[n] makes what fits the first n echoes, and by[n] is this worker's, where it
	// was asked for; nil below least.
	make []func() estimator
	by   []estimator
}

func newAdaptive(k train, o Resolved) func() estimator {
	floor := o.EchoFloor
	o.EchoFloor = 0
	least := max(MinEchoes, o.parameters()+1)
	// Few of the lengths are met, and some are costly to prepare for.
	makers := make([]func() estimator, len(k.t)+1)
	for n := least; n <= len(k.t); n++ {
		prepared := sync.OnceValue(func() func() estimator { return newEstimators(k.first(n), o) })
		makers[n] = func() estimator { return prepared()() }
	}
	first := newNLLS(k)
	return func() estimator {
		return &adaptive{train: k, floor: floor, least: least, first: first(), make: makers, by: make([]estimator, len(makers))}
	}
}

// estimate fits the echoes up to the last one where the first fit is above the floor.
// Where it finds no decay, or the noise is not known, all are fitted.
func (a *adaptive) estimate(y []float64, sigma float64) found {
	n := len(y)
	if v := a.first.estimate(y, sigma); sigma > 0 && v.status == volume.Fitted {
		// From this time on, counted like a.t, the first fit is under the floor.
		end := float64(v.t2*lanes.Log(max(v.s0/(a.floor*sigma), math.SmallestNonzeroFloat32))) - a.te0
		for n > a.least && a.t[n-1] > end {
			n--
		}
	}
	if a.by[n] == nil {
		a.by[n] = a.make[n]()
	}
	v := a.by[n].estimate(y[:n], sigma)
	v.echoes = n
	return v
}
