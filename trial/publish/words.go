package publish

import (
	"math"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// verdictName names a verdict as tables have it; empty where there is none.
func verdictName(v trial.Verdict) string {
	switch v {
	case trial.Within:
		return "within"
	case trial.Decrease:
		return "decrease"
	case trial.Increase:
		return "increase"
	}
	return ""
}

// dfTerm names a method of degrees of freedom as tables and designs have it: data are ASCII where
// t2map chooses the words, since spreadsheets read UTF-8 without a mark as another encoding.
func dfTerm(d mmrm.DF) string {
	if d == mmrm.KenwardRoger {
		return "kenward-roger"
	}
	return strings.ToLower(d.String())
}

// directionName names what growth of an endpoint means.
func directionName(d trial.Direction) string {
	switch d {
	case trial.HigherIsWorse:
		return "higher is worse"
	case trial.HigherIsBetter:
		return "higher is better"
	}
	return "unknown"
}

// trialName is the trial's code on one line; empty where it has none.
func trialName(d trial.Design) string { return strings.TrimSpace(printable.Line(d.Name)) }

// flagKinds are in the order of listings.
var flagKinds = []trial.FlagKind{
	trial.NotInDesign, trial.NoResult, trial.OtherSide, trial.TwoStudies,
	trial.ProtocolChange, trial.ScannerChange, trial.CarriedMask, trial.Quality,
}

// kindsOf joins the kinds of the flags, each once, in the order of listings.
func kindsOf(a trial.Analysis, flags []int) string {
	there := map[trial.FlagKind]bool{}
	for _, i := range flags {
		if i >= 0 && i < len(a.Flags) {
			there[a.Flags[i].Kind] = true
		}
	}
	var names []string
	for _, k := range flagKinds {
		if there[k] {
			names = append(names, string(k))
		}
	}
	return strings.Join(names, "; ")
}

// flagText says what a flag is about and what is the matter, on one line.
func flagText(f trial.Flag) string {
	var about []string
	for _, s := range []string{f.Subject, f.Visit, f.Endpoint} {
		if s != "" {
			about = append(about, s)
		}
	}
	s := string(f.Kind)
	if len(about) > 0 {
		s += " (" + strings.Join(about, ", ") + ")"
	}
	if f.Text != "" {
		s += ": " + f.Text
	}
	return printable.Line(s)
}

// armSizes counts the subjects of each arm in the design.
func armSizes(d trial.Design) []int {
	n := make([]int, len(d.Arms))
	for _, s := range d.Subjects {
		if s.Arm >= 0 && s.Arm < len(n) {
			n[s.Arm]++
		}
	}
	return n
}

// armName and visitName guard against an index that the design does not have.
func armName(d trial.Design, i int) string {
	if i < 0 || i >= len(d.Arms) {
		return ""
	}
	return d.Arms[i]
}

func visitName(d trial.Design, i int) string {
	if i < 0 || i >= len(d.Visits) {
		return ""
	}
	return d.Visits[i].Name
}

func monthOf(d trial.Design, i int) float64 {
	if i < 0 || i >= len(d.Visits) {
		return math.NaN()
	}
	return d.Visits[i].Month
}

// noValue and noChange stand for what an analysis does not hold.
var (
	noValue  = trial.Value{X: math.NaN(), Missing: "not analysed"}
	noChange = trial.Change{Delta: math.NaN(), Percent: math.NaN(), Missing: "not analysed"}
)
