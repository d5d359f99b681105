package trial

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/trial/mmrm"
)

// Direction says whether an increase of an endpoint is better or worse.
type Direction int8

// The directions.
const (
	// Unknown: the report does not say which arm a difference favours.
	Unknown Direction = iota
	HigherIsWorse
	HigherIsBetter
)

// Endpoint is one measure of every subject at every visit.
type Endpoint struct {
	// Name is its name in tables: medial, WOMAC.
	Name string
	// Title is its name in figures: "Medial T2", "WOMAC".
	Title string
	// Unit is ms for T2, as given for other endpoints, and empty for scores.
	Unit string
	// Compartment reports that it is the T2 of a compartment: the mean or median of its voxels.
	Compartment bool
	Direction   Direction
	// Log reports that it is analysed on the log scale: as ratios of geometric means.
	// Estimates of the Analysis are then differences of natural logarithms; Displayed has the ratios.
	Log bool
	// Group is the group of panels that it belongs to, such as WOMAC, or MarkerGroup; empty if it is in none.
	Group string
	// PlannedDecimals are the decimals of the plan; nil if it has none. See EndpointAnalysis.Decimals.
	PlannedDecimals *int
	// Visits are its planned visits: ascending indices into Design.Visits, the baseline first.
	Visits []int
	// Values is indexed by subject and visit of the design; NotPlanned where Visits has no such visit.
	Values [][]Value
}

// MarkerGroup is the group of the endpoints that are markers, such as CRP: figures show their changes as mean ± SD.
const MarkerGroup = "markers"

// TitleInText is the title within a sentence: "medial T2".
func (e Endpoint) TitleInText() string {
	if first := title(e.Name); e.Compartment && strings.HasPrefix(e.Title, first) {
		return e.Name + e.Title[len(first):]
	}
	return e.Title
}

// IsMarker reports whether the endpoint is in MarkerGroup, in upper or lower case.
func (e Endpoint) IsMarker() bool { return !e.Compartment && strings.EqualFold(e.Group, MarkerGroup) }

// After returns the planned visits after the baseline.
func (e Endpoint) After() []int { return e.Visits[1:] }

// Planned reports whether a visit of the design is planned for the endpoint.
func (e Endpoint) Planned(visit int) bool { return slices.Contains(e.Visits, visit) }

// unscaled returns a number on the scale of the analysis as it is displayed: its exponential on the log scale.
func (e Endpoint) unscaled(x float64) float64 {
	if e.Log {
		return math.Exp(x)
	}
	return x
}

// Displayed returns an estimate as reports show it. On the log scale the value and the interval of a change or of
// a difference become ratios of geometric means; SE, DF, T and P remain those of the logarithm.
func (e Endpoint) Displayed(x mmrm.Estimate) mmrm.Estimate {
	x.Value, x.Low, x.High = e.unscaled(x.Value), e.unscaled(x.Low), e.unscaled(x.High)
	return x
}

// DisplayedInterval is Displayed for an interval without a test.
func (e Endpoint) DisplayedInterval(i Interval) Interval {
	return Interval{Estimate: e.unscaled(i.Estimate), Low: e.unscaled(i.Low), High: e.unscaled(i.High)}
}

// Value is one measurement, or the reason why it is missing.
type Value struct {
	// X is NaN if it is missing.
	X float64
	// Missing says why X is NaN.
	Missing Missing
	// Flags are the flags of this value, or those because of which it is missing, as indices into
	// Analysis.Flags.
	Flags []int
	// Side of the knee in the images, the hashes of the UIDs of Study and Series, and the Method of
	// estimating T2; empty for endpoints from other tables.
	Side, Study, Series, Method string
	// MaskFrom is the visit whose mask was carried to this one by registration; empty if the mask was
	// drawn, or the endpoint has none.
	MaskFrom string
	// Folder is the folder of the study below the results, as in studies.csv; empty if it is not
	// known.
	Folder string
	// Quality is that of the images and the mask; nil without a row of the results that is used.
	Quality *ImageQuality
}

// FlagKind is the kind of problem of a flag.
type FlagKind string

// The kinds of flags.
const (
	// NotInDesign: results of a subject or visit that the design does not have.
	NotInDesign FlagKind = "not in the design"
	// NoResult: a planned visit without a result.
	NoResult FlagKind = "no result"
	// OtherSide: results of the other knee, which are not used.
	OtherSide FlagKind = "other side"
	// TwoStudies: several studies at one visit. Figures show it.
	TwoStudies FlagKind = "two studies"
	// ProtocolChange: settings, method, echo times, matrix or spacing differ from those of the subject's
	// first study, or the settings differ between subjects. Figures show it.
	ProtocolChange FlagKind = "protocol change"
	// ScannerChange: a scanner or software other than in the subject's first study. Figures show it.
	ScannerChange FlagKind = "scanner change"
	// CarriedMask: the mask was carried from another visit by registration; or masks were carried for some
	// subjects and drawn for others at the same visits. Figures show it.
	CarriedMask FlagKind = "carried mask"
	// BeyondLimit: a number is beyond a limit of quality of the plan, which is Flag.Excess. Figures show it.
	BeyondLimit FlagKind = "beyond limit"
	// Quality: a remark of the pipeline, such as lossy images.
	Quality FlagKind = "quality"
)

// FlagKinds are the kinds in the order of listings.
var FlagKinds = []FlagKind{NotInDesign, NoResult, OtherSide, TwoStudies, ProtocolChange, ScannerChange, CarriedMask,
	BeyondLimit, Quality}

// OnFigures reports whether figures that a flag concerns must show it.
func (k FlagKind) OnFigures() bool {
	return slices.Contains([]FlagKind{TwoStudies, ProtocolChange, ScannerChange, CarriedMask, BeyondLimit}, k)
}

// Flag is a problem that a reader of the report has to know.
type Flag struct {
	Kind FlagKind
	// Subject and Visit are names as in the tables; empty for all.
	Subject, Visit string
	// Endpoint is empty for every compartment.
	Endpoint string
	// Text describes the problem, unless Excess does; see Problem.
	Text string
	// Excess is the number of a flag of BeyondLimit.
	Excess Excess
}

// Problem describes the problem in words, as a page and figures show it.
func (f Flag) Problem() string {
	if f.Excess == (Excess{}) {
		return f.Text
	}
	return strings.ReplaceAll(f.ProblemASCII(), "-", "−")
}

// ProblemASCII describes the problem in words, with a hyphen for the minus sign, as the tables have it.
func (f Flag) ProblemASCII() string {
	if f.Excess == (Excess{}) {
		return f.Text
	}
	return fmt.Sprintf(problems[f.Excess.Measure], f.Excess.Value, f.Excess.Limit)
}
