package accuracy

import (
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/t2fit"
)

// condition is what a cell of the grid has in common for all methods.
type condition struct {
	train       phantom.Train
	t2, snr, b1 float64
}

// Grid is what is measured: every combination of its values.
type Grid struct {
	Trains []phantom.Train
	// T2 in ms, SNR as S0/σ, B1 as the turn of the refocusing pulses over 180°.
	T2, SNR, B1 []float64
}

// oai is the train of the Osteoarthritis Initiative; the limits are about it.
var oai = phantom.Train{Echoes: 7, Spacing: 10}

// DefaultGrid returns the whole grid: the trains of the OAI, of GE's CartiGram and
// of Siemens' MapIt, and a long one as on phantoms; the T2 of the deepest cartilage
// up to that of the accepted range; SNR from hopeless to better than a knee's; the
// B1 at which EPG fits of cartilage are laid out.
func DefaultGrid() Grid {
	return Grid{
		Trains: []phantom.Train{oai, {Echoes: 8, Spacing: 6.3}, {Echoes: 5, Spacing: 13.8}, {Echoes: 32, Spacing: 8}},
		T2:     []float64{10, 20, 30, 40, 50, 60, 80, 100},
		SNR:    []float64{5, 10, 20, 30, 50, 100},
		B1:     []float64{0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2},
	}
}

// method is a way to fit that is measured.
type method struct {
	report.AccuracyMethod
	fit   t2fit.Options
	model model
	// sigmaGiven tells the fit the noise; else it finds out for itself.
	sigmaGiven bool
}

// The names of the methods that limits are about.
const (
	nlls           = "nlls"
	ricianGiven    = "rician-sigma-given"
	ricianEstimate = "rician-sigma-estimated"
	epg            = "epg"
)

// methods returns every method of t2fit, as it is used unless told otherwise, and
// what its options make of it.
func methods() []method {
	list := []method{
		{AccuracyMethod: named(nlls, "least squares, the default"), fit: t2fit.Options{Method: t2fit.NLLS}},
		{AccuracyMethod: named("nlls-all-echoes", "least squares, all echoes"), fit: t2fit.Options{Method: t2fit.NLLS, SkipEchoes: t2fit.NoSkip}},
		{AccuracyMethod: named("nlls-echo-floor-3", "without echoes under 3 σ"), fit: t2fit.Options{Method: t2fit.NLLS, EchoFloor: 3}, sigmaGiven: true},
		{AccuracyMethod: named("loglinear", "ln S, weights S²"), fit: t2fit.Options{Method: t2fit.LogLinear}},
		{AccuracyMethod: named("loglinear-unweighted", "ln S, equal weights"), fit: t2fit.Options{Method: t2fit.LogLinearUnweighted}},
		{AccuracyMethod: named("arlo", "auto-regression"), fit: t2fit.Options{Method: t2fit.ARLO}},
		{AccuracyMethod: named("nlls-offset", "decay over a constant"), fit: t2fit.Options{Method: t2fit.NLLSOffset}, model: overOffset},
		{AccuracyMethod: named(ricianGiven, "Rician mean, σ given"), fit: t2fit.Options{Method: t2fit.Rician}, sigmaGiven: true},
		{AccuracyMethod: named(ricianEstimate, "Rician mean, σ estimated"), fit: t2fit.Options{Method: t2fit.Rician}},
		{AccuracyMethod: named(epg, "phase graph with B1"), fit: t2fit.Options{Method: t2fit.EPG}, model: phaseGraph},
	}
	for i := range list {
		m := &list[i]
		// No estimate is refused for its value: a bias would hide behind the range.
		m.fit.T2Range = [2]float64{0, 1e6}
		m.Skipped = 1
		m.Variant = i > 0 && m.fit.Method == list[i-1].fit.Method
		if m.model == phaseGraph || m.fit.SkipEchoes == t2fit.NoSkip {
			m.Skipped = 0
		}
	}
	return list
}

func named(name, words string) report.AccuracyMethod {
	return report.AccuracyMethod{Name: name, Words: words}
}
