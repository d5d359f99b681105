package accuracy

import (
	"github.com/t2map/t2map/phantom"

	"github.com/t2map/t2map/t2fit"
)

// condition is a cell of the grid without its method.
type condition struct {
	train       phantom.Train
	t2, snr, b1 float64
}

// Grid holds the conditions to measure: every combination of its values.
type Grid struct {
	Trains []phantom.Train
	// T2 in ms, SNR as S0/σ, B1 as the refocusing angle over 180°.
	T2, SNR, B1 []float64
}

// oai is the train of the Osteoarthritis Initiative, to which the limits apply.
var oai = phantom.Train{Echoes: 7, Spacing: 10}

// DefaultGrid returns the grid of validate. Its trains are those of the OAI, of GE's CartiGram and of Siemens' MapIt,
// and a long train as used with phantoms. T2 extends from the deepest cartilage to the end of the accepted range, SNR
// from unusable to better than in a knee, and B1 over the range of EPG fits of cartilage.
func DefaultGrid() Grid {
	return Grid{
		Trains: []phantom.Train{oai, {Echoes: 8, Spacing: 6.3}, {Echoes: 5, Spacing: 13.8}, {Echoes: 32, Spacing: 8}},
		T2:     []float64{10, 20, 30, 40, 50, 60, 80, 100},
		SNR:    []float64{5, 10, 20, 30, 50, 100},
		B1:     []float64{0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2},
	}
}

// method is a Method with the options of its fit.
type method struct {
	Method
	fit   t2fit.Options
	model model
	// sigmaGiven reports that the noise is passed to the fit, which otherwise estimates it.
	sigmaGiven bool
}

// The names of the methods with limits.
const (
	nlls           = "nlls"
	ricianGiven    = "rician-sigma-given"
	ricianEstimate = "rician-sigma-estimated"
	epg            = "epg"
)

// methods returns every method of t2fit with its default options, and variants with others.
func methods() []method {
	list := []method{
		{Method: named(nlls, "least squares, the default"), fit: t2fit.Options{Method: t2fit.NLLS}},
		{Method: named("nlls-all-echoes", "least squares, all echoes"),
			fit: t2fit.Options{Method: t2fit.NLLS, SkipEchoes: t2fit.NoSkip}},
		{Method: named("nlls-echo-floor-3", "without echoes under 3 σ"),
			fit: t2fit.Options{Method: t2fit.NLLS, EchoFloor: 3}, sigmaGiven: true},
		{Method: named("loglinear", "ln S, weights S²"), fit: t2fit.Options{Method: t2fit.LogLinear}},
		{Method: named("loglinear-unweighted", "ln S, equal weights"),
			fit: t2fit.Options{Method: t2fit.LogLinearUnweighted}},
		{Method: named("arlo", "auto-regression"), fit: t2fit.Options{Method: t2fit.ARLO}},
		{Method: named("nlls-offset", "decay over a constant"),
			fit: t2fit.Options{Method: t2fit.NLLSOffset}, model: withOffset},
		{Method: named(ricianGiven, "Rician mean, σ given"),
			fit: t2fit.Options{Method: t2fit.Rician}, sigmaGiven: true},
		{Method: named(ricianEstimate, "Rician mean, σ estimated"), fit: t2fit.Options{Method: t2fit.Rician}},
		{Method: named(epg, "phase graph with B1"), fit: t2fit.Options{Method: t2fit.EPG}, model: phaseGraph},
	}
	for i := range list {
		m := &list[i]
		// Accept any estimate: an accepted range would hide a bias.
		m.fit.T2Range = [2]float64{0, 1e6}
		m.Skipped = 1
		m.Variant = i > 0 && m.fit.Method == list[i-1].fit.Method
		if m.model == phaseGraph || m.fit.SkipEchoes == t2fit.NoSkip {
			m.Skipped = 0
		}
	}
	return list
}

func named(name, words string) Method {
	return Method{Name: name, Words: words}
}
