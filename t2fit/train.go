package t2fit

import (
	"fmt"
	"math"
)

// train holds the echo times of a fit, without the skipped ones. It is not modified after newTrain,
// so that workers can share it.
type train struct {
	te0 float64   // TE of the first fitted echo, ms
	t   []float64 // TE after the first fitted echo, ms; t[0] = 0
	sum float64   // Σt
	// scatter is Σ(t − mean t)², ms².
	scatter float64
	// step is the echo spacing in ms if the echoes are equally spaced, and otherwise 0.
	step float64
}

// equalSpacing is the tolerance, relative to the spacing, for an echo of an equally spaced train.
// It allows for the rounding of binary numbers only. A train with rounded echo times in its header
// (6.3, 12.6, 18.9, 25.2, 31.6 ms) is fitted as an uneven one, which takes time but loses no
// accuracy.
const equalSpacing = 1e-9

// newTrain returns the train of the echo times te in ms, strictly increasing.
func newTrain(te []float64) train {
	k := train{te0: te[0], t: make([]float64, len(te))}
	k.step = (te[len(te)-1] - te[0]) / float64(len(te)-1)
	equal := true
	for e := range te {
		k.t[e] = te[e] - te[0]
		k.sum += k.t[e]
		equal = equal && math.Abs(k.t[e]-float64(float64(e)*k.step)) <= equalSpacing*k.step
	}
	k.scatter = scatter(k.t, k.sum/float64(len(te)))
	if !equal {
		k.step = 0
	}
	return k
}

// first returns the train of the first n echoes.
func (k train) first(n int) train {
	te := make([]float64, n)
	for e := range te {
		te[e] = k.te0 + k.t[e]
	}
	short := newTrain(te)
	// The spacing has the same bits as that of the whole train.
	short.step = k.step
	return short
}

// nearMultiple is the tolerance, relative to the spacing, for the echo times of EPG, which are
// multiples of the spacing. Headers round TE to 0.1 ms. A hundredth of a spacing of 10 ms changes
// an echo of T2 35 ms by 0.3 %, which is less than the noise of a knee.
const nearMultiple = 0.01

// multiples reports whether the echo times are consecutive multiples of one spacing.
func (k *train) multiples() bool {
	spacing := (k.te0 + k.t[len(k.t)-1]) / float64(len(k.t))
	for e, t := range k.t {
		if math.Abs(k.te0+t-float64(float64(e+1)*spacing)) > nearMultiple*spacing {
			return false
		}
	}
	return true
}

// scatter returns Σ(y − mean)², computed from the differences to avoid cancellation.
func scatter(y []float64, mean float64) float64 {
	sum := 0.0
	for _, v := range y {
		d := v - mean
		sum += float64(d * d)
	}
	return sum
}

// CheckTE returns an error unless the echo times te, in ms, are positive and strictly
// increasing, spaced as the method requires, and enough of them remain after the skipped ones.
func (o Resolved) CheckTE(te []float64) error {
	for e, t := range te {
		if !(t > 0) || math.IsInf(t, 0) {
			return fmt.Errorf("echo time %d is %.7g ms", e+1, t)
		}
		if e > 0 && t <= te[e-1] {
			return fmt.Errorf("echo times do not increase: %.7g ms follows %.7g ms", t, te[e-1])
		}
	}
	if left, need := len(te)-o.SkipEchoes, max(MinEchoes, o.parameters()+1); left < need {
		return fmt.Errorf(
			"%d echoes less %d skipped leave %d, but a fit by %s needs at least %d",
			len(te), o.SkipEchoes, max(left, 0), o.Method, need,
		)
	}
	switch k := newTrain(te[o.SkipEchoes:]); {
	case o.Method == ARLO && k.step == 0:
		return fmt.Errorf("echo times %.7g ms are not equally spaced, which arlo needs; nlls does not", te)
	case o.Method == EPG && !k.multiples():
		return fmt.Errorf("echo times %.7g ms are not multiples of the first, which epg needs; nlls does not", te)
	}
	return nil
}
