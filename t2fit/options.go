package t2fit

import (
	"fmt"
	"math"
	"slices"
)

// Method is a method to estimate T2.
type Method string

// The methods.
const (
	// NLLS is two-parameter least squares on the magnitudes themselves: variable projection with a
	// safeguarded Newton step, iterated to convergence. It returns the best of all minima.
	NLLS Method = "nlls"
	// LogLinear is linear least squares on ln S, each echo weighted by S². To first order, at a
	// high signal-to-noise ratio, it is equal to NLLS.
	LogLinear Method = "loglinear"
	// LogLinearUnweighted is the same with equal weights, as in many programs. Late,
	// noisy echoes bias it most.
	LogLinearUnweighted Method = "loglinear-unweighted"
	// ARLO is auto-regression on linear operations (Pei et al. 2015,
	// 10.1002/mrm.25137), for equally spaced echoes.
	ARLO Method = "arlo"
	// NLLSOffset is three-parameter least squares: a decay over a constant.
	NLLSOffset Method = "nlls-offset"
	// Rician is least squares on the expectation of Rician magnitudes, for noise
	// of known or estimated standard deviation.
	Rician Method = "rician"
	// EPG is least squares on the extended phase graph of a train of imperfect
	// refocusing pulses: T2, S0 and B1 for a fixed T1, all echoes.
	EPG Method = "epg"
)

// Methods lists the methods by name, the default first.
var Methods = []Method{NLLS, LogLinear, LogLinearUnweighted, ARLO, NLLSOffset, Rician, EPG}

// NoSkip is the value of Options.SkipEchoes that fits every echo.
const NoSkip = -1

// MinEchoes is the least number of echoes for a fit of two parameters: with two echoes there is no
// residual. A fit of three parameters needs one more.
const MinEchoes = 3

// SigmaSource is the source of the noise of a series.
type SigmaSource string

// The sources of the noise.
const (
	// FromResiduals pools the residuals of a first fit over the foreground of each
	// slice.
	FromResiduals SigmaSource = "residuals"
	// FromBackground measures the air in the corners of each slice, and refuses images in which the
	// scanner set it to zero.
	FromBackground SigmaSource = "background"
)

// SigmaGiven is the source of noise that is given by Options.Sigma.
const SigmaGiven SigmaSource = "given"

// Options are the options of a fit. The zero value of each field is its default.
type Options struct {
	// Method; empty means NLLS.
	Method Method
	// SkipEchoes is the number of echoes omitted at the start of the train. 0 means the
	// default, 1, because stimulated echoes make the first echo of a multi-echo spin-echo
	// train too dark compared with the others; EPG, which models them, fits all echoes
	// and refuses to skip any. NoSkip fits all.
	SkipEchoes int
	// T2Range is the range (low, high] in ms of accepted T2; a voxel outside
	// keeps its value in the maps and is OutOfRange. The zero value means 0 to
	// 150 ms (the range of KMCQ): an upper limit of 100 ms, as DOSMA has it, hides
	// a tenth and more of a change, see TestDefaultRangeKeepsAChange.
	T2Range [2]float64
	// MinR2 makes a fit with a lower R² a PoorFit. 0 means no threshold.
	MinR2 float64
	// MinSignal is the magnitude that an echo must exceed to count as signal; a voxel
	// with fewer than two such echoes is LowSignal. 0, the default, requires positive
	// echoes.
	MinSignal float64
	// Sigma is the standard deviation of the noise in each channel, in the units
	// of the series; 0 means that it is estimated per slice.
	Sigma float64
	// SigmaFrom is the source of an estimated Sigma; empty means FromResiduals.
	SigmaFrom SigmaSource
	// EchoFloor omits from each voxel's fit the trailing echoes at which a first fit is below
	// EchoFloor times the noise, but never the first three, or four if three parameters are fitted.
	// 0 omits none.
	EchoFloor float64
	// T1 in ms is assumed for all tissue by EPG and not used by other methods; 0 means 1200
	// (cartilage at 3 T, and the fixed value of barma7/EPGfit_for_cartilage_T2_mapping).
	T1 float64
	// B1Range is the range of the refocusing angle that EPG searches, as fractions of 180°. An
	// estimate at an end of the range is AtBound. Without a profile, an angle above 180° gives the
	// same echoes as its mirror image below; the angle below is reported, and 180° itself is not a
	// bound. The zero value means 0.4 to 1.2 (the range of the same program).
	B1Range [2]float64
	// RefocusingProfile is the refocusing angle at evenly spaced positions across the slice, as
	// fractions of the nominal angle; nil means {1}, the same angle everywhere.
	RefocusingProfile []float64
	// Workers is the number of slabs of voxels that are fitted at the same time; 0 means one per
	// processor. It does not affect the result.
	Workers int
}

// Resolved holds the options of a fit with every default filled in and every value
// checked. SkipEchoes is the number of echoes to omit. Options.Resolve makes one.
type Resolved Options

// Resolve fills in the defaults of the zero fields and checks the options. It returns an
// error for a value that is not possible.
func (o Options) Resolve() (Resolved, error) {
	if o.Method == "" {
		o.Method = NLLS
	}
	if o.Method != EPG && (o.T1 != 0 || o.B1Range != [2]float64{} || o.RefocusingProfile != nil) {
		return Resolved{}, fmt.Errorf(
			"t1, b1 range and refocusing profile are options of epg; %s does not use them", o.Method,
		)
	}
	if o.T2Range == [2]float64{} {
		o.T2Range = [2]float64{0, 150}
	}
	if o.SigmaFrom == "" {
		o.SigmaFrom = FromResiduals
	}
	if o.T1 == 0 {
		o.T1 = 1200
	}
	if o.B1Range == [2]float64{} {
		o.B1Range = [2]float64{0.4, 1.2}
	}
	if o.RefocusingProfile == nil {
		o.RefocusingProfile = []float64{1}
	}
	skip, err := o.skip()
	if err != nil {
		return Resolved{}, err
	}
	o.SkipEchoes = skip
	r := Resolved(o)
	return r, r.check()
}

// skip returns the number of echoes to omit.
func (o Options) skip() (int, error) {
	switch n := o.SkipEchoes; {
	case n == NoSkip:
		return 0, nil
	case n < 0:
		return 0, fmt.Errorf("skip echoes: %d is negative", n)
	case o.Method == EPG && n > 0:
		return 0, fmt.Errorf(
			"skip echoes: %d, but epg models the first echo and needs all echoes: omit the option, or set it to 0", n,
		)
	case o.Method == EPG:
		return 0, nil
	case n == 0:
		return 1, nil
	default:
		return n, nil
	}
}

// leastT1 in ms is the least T1 for EPG: that of fat at 1.5 T is 250.
const leastT1 = 100

// check returns an error for a value that is not possible.
func (o Resolved) check() error {
	lo, hi := o.T2Range[0], o.T2Range[1]
	b1 := o.B1Range
	switch {
	case !slices.Contains(Methods, o.Method):
		return fmt.Errorf("method %q is not one of %v", o.Method, Methods)
	case !(lo >= 0) || !(hi > lo):
		return fmt.Errorf("t2 range %g to %g ms is empty or negative", lo, hi)
	case math.IsInf(hi, 0):
		return fmt.Errorf("t2 range %g to %g ms has no end: write a number above any T2, such as 10000", lo, hi)
	case !(o.MinR2 >= 0) || o.MinR2 > 1:
		return fmt.Errorf("minimal R² %g is not between 0 and 1", o.MinR2)
	case !(o.MinSignal >= 0) || math.IsInf(o.MinSignal, 0):
		return fmt.Errorf("minimal signal %g is not a magnitude", o.MinSignal)
	case !(o.Sigma >= 0) || math.IsInf(o.Sigma, 0):
		return fmt.Errorf("sigma %g is not a standard deviation", o.Sigma)
	case o.SigmaFrom != FromResiduals && o.SigmaFrom != FromBackground:
		return fmt.Errorf("sigma from %q, want %q or %q", o.SigmaFrom, FromResiduals, FromBackground)
	case !(o.EchoFloor >= 0) || math.IsInf(o.EchoFloor, 0):
		return fmt.Errorf("echo floor %g is not a multiple of the noise", o.EchoFloor)
	case !(o.T1 > 0) || math.IsInf(o.T1, 0):
		return fmt.Errorf("t1 %g ms is not a time", o.T1)
	case o.Method == EPG && o.T1 < leastT1:
		return fmt.Errorf(
			"t1 %g ms is shorter than any tissue's T2 of interest: "+
				"below %d ms, T1 and the refocusing angle cannot be distinguished",
			o.T1, leastT1,
		)
	case !(b1[0] > 0) || !(b1[1] > b1[0]) || b1[1] > 2:
		return fmt.Errorf("b1 range %g to %g is empty or not within 0 to 2", b1[0], b1[1])
	case len(o.RefocusingProfile) == 0:
		return fmt.Errorf("the refocusing profile is empty")
	}
	for _, f := range o.RefocusingProfile {
		// Angles repeat above 360°.
		if !(f > 0) || f*b1[1] > 2 {
			return fmt.Errorf("refocusing profile: %g is not above 0, or is above 360° with a b1 of %g", f, b1[1])
		}
	}
	return nil
}

// parameters returns the number of parameters that the method fits.
func (o Resolved) parameters() int {
	if o.Method == NLLSOffset || o.Method == EPG {
		return 3
	}
	return 2
}
