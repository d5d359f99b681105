package t2fit

import (
	"fmt"
	"math"
	"runtime"
)

// Method names a way to estimate T2.
type Method string

// The methods.
const (
	// NLLS is two-parameter least squares on the magnitudes themselves: variable
	// projection with a safeguarded Newton step, to convergence.
	NLLS Method = "nlls"
	// LogLinear is linear least squares on ln S, each echo weighted by S², which
	// makes it the first-order equal of NLLS at high signal-to-noise.
	LogLinear Method = "loglinear"
)

// Methods lists the methods by name, the default first.
var Methods = []Method{NLLS, LogLinear}

// NoSkip as Options.SkipEchoes fits every echo.
const NoSkip = -1

// MinEchoes is the number of fitted echoes below which a fit is refused: two
// parameters need a third point before a residual says anything.
const MinEchoes = 3

// Options says how to fit. The zero value is the default of every field.
type Options struct {
	// Method; empty means NLLS.
	Method Method
	// SkipEchoes is the number of echoes left out at the start of the train. 0
	// means the default, 1, because stimulated echoes make the first echo of a
	// multi-echo spin-echo train too dark for the rest; NoSkip fits all.
	SkipEchoes int
	// T2Range is the range (low, high] in ms of accepted T2; a voxel outside
	// keeps its value in the maps and is OutOfRange. The zero value means 0 to
	// 100 ms (the range of DOSMA's cartilage summaries).
	T2Range [2]float64
	// MinR2 makes a fit with a lower R² a PoorFit. 0 means no threshold.
	MinR2 float64
	// MinSignal is the magnitude that an echo must exceed to count as signal; a
	// voxel with fewer than two such echoes is LowSignal. 0, the default, asks
	// for positive echoes.
	MinSignal float64
	// Workers is the number of voxel slabs fitted at a time; 0 means one per
	// processor. It never changes a result.
	Workers int
}

// Defaults returns o with every zero field replaced by its default, and
// SkipEchoes as the number of echoes to leave out (NoSkip becomes 0). It is an
// error when a field makes no sense.
func (o Options) Defaults() (Options, error) {
	if o.Method == "" {
		o.Method = NLLS
	}
	switch {
	case o.SkipEchoes == 0:
		o.SkipEchoes = 1
	case o.SkipEchoes == NoSkip:
		o.SkipEchoes = 0
	case o.SkipEchoes < 0:
		return o, fmt.Errorf("skip echoes: %d is negative", o.SkipEchoes)
	}
	if o.T2Range == [2]float64{} {
		o.T2Range = [2]float64{0, 100}
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	switch lo, hi := o.T2Range[0], o.T2Range[1]; {
	case o.Method != NLLS && o.Method != LogLinear:
		return o, fmt.Errorf("method %q is not one of %v", o.Method, Methods)
	case !(lo >= 0) || !(hi > lo):
		return o, fmt.Errorf("t2 range %g to %g ms is empty or negative", lo, hi)
	case !(o.MinR2 >= 0) || o.MinR2 > 1:
		return o, fmt.Errorf("minimal R² %g is not between 0 and 1", o.MinR2)
	case !(o.MinSignal >= 0) || math.IsInf(o.MinSignal, 0):
		return o, fmt.Errorf("minimal signal %g is not a magnitude", o.MinSignal)
	}
	return o, nil
}
