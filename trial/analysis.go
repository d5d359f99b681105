package trial

import (
	"github.com/t2map/t2map/trial/compare"
	"github.com/t2map/t2map/trial/mmrm"
)

// Analysis has all results of a trial.
type Analysis struct {
	// Version is that of t2map.
	Version string
	Design  Design
	Plan    Plan
	// Inputs are the tables that were read, and PlanFile the plan file; its Name is empty if there is none.
	Inputs   []Input
	PlanFile Input
	// Endpoints are the compartments in the order of the results, then the others.
	Endpoints []EndpointAnalysis
	// Characteristics are the known numbers of the subjects at baseline: age and bmi.
	Characteristics []Characteristic
	// Flow counts participants by arm, in the order of Design.Arms.
	Flow []Flow
	// Flags are sorted by kind, subject and visit.
	Flags []Flag
	// Sensitivity has the sensitivity analyses of the primary contrasts, in the order of Endpoints and
	// Contrasts.
	Sensitivity []Sensitivity
	// Correlations of the change of T2 with the change of other endpoints.
	Correlations []Correlation
	// Unsigned counts the values of T2 that are missing because of Plan.Reads: NotSigned or NotAdjudicated.
	Unsigned int
	// Settings are the different texts of the column settings of compartments.csv.
	Settings []string
	// Notes are remarks about the whole analysis: "the design has one arm: there is no comparison".
	Notes []string
	// LastSeen is the last visit of the design at which each subject was seen, with results that may not be used;
	// −1 if there is none.
	LastSeen []int
}

// Input is a table that was read.
type Input struct {
	// Name is the file's name without its folder.
	Name   string
	SHA256 string
}

// Characteristic describes a number of the subjects in the design, by arm.
type Characteristic struct {
	// Name is the column of the design.
	Name string
	Arms []Description
}

// Flow counts the participants of one arm.
type Flow struct {
	// Randomised is the number of participants in the design, and OutsideSet the number of those who are not in the
	// analysis set.
	Randomised, OutsideSet int
	// Visits has an element for each visit of the design.
	Visits []FlowVisit
	// Analysed counts those with an observation in the model of a primary endpoint; with a change if it has none.
	Analysed int
}

// FlowVisit counts the participants of one arm at one visit.
type FlowVisit struct {
	// InTrial counts those who were seen at this or a later visit, used or not: from visit to visit it only
	// decreases. Left has those who were in the trial at the visit before, by reason.
	InTrial int
	Left    []Exclusion
	// T2Planned reports whether T2 is planned at the visit. Of those in the trial, Present counts the participants
	// with a value in at least one compartment, and Missing the others by reason, most frequent first.
	T2Planned bool
	Present   int
	Missing   []ReasonCount
}

// Count is the number of persons to whom a reason applies.
type Count[R comparable] struct {
	Reason R
	N      int
}

// ReasonCount counts participants whose value is missing.
type ReasonCount = Count[Missing]

// EndpointAnalysis is the analysis of one endpoint.
type EndpointAnalysis struct {
	Endpoint
	// Cells is indexed by arm and visit.
	Cells [][]Cell
	// Model is the mixed model for repeated measures of the change from baseline.
	Model Model
	// Contrasts compare each arm with the reference at each visit after baseline, arm by arm. There
	// are none in a trial of one arm.
	Contrasts []Contrast
	// Changes is indexed by subject and visit; baseline's are NaN.
	Changes [][]Change
	// RC is the repeatability coefficient in percent, 100·1.96·√2·CV; NaN for endpoints that are not
	// compartments.
	RC float64
	// Responders counts the verdicts at each visit after baseline. It is empty where RC is NaN.
	Responders []Responders
}

// Cell describes one arm at one visit.
type Cell struct {
	// Value and Change, in the endpoint's unit, and Percent, of baseline, describe the subjects who have
	// them.
	Value, Change, Percent Description
	// Logs describes the natural logarithms of the values; nil unless the endpoint is on the log scale.
	Logs *Description
	// Missing counts the subjects of the arm without a value.
	Missing int
	// ValueFlags are the flags of the described values that figures have to show, ChangeFlags those of
	// the described changes: of the values and of their baselines. They are indices into
	// Analysis.Flags.
	ValueFlags, ChangeFlags []int
	// Quality describes the images and masks of compartments; it has an N of 0 for other endpoints.
	Quality QualityCell
}

// Model is a fitted mixed model for repeated measures, or the reason why there is none.
type Model struct {
	// Failed says why there is no model; empty if there is one.
	Failed string
	// Covariance is the structure that was fitted. Rejected are the structures before it, which could not
	// be fitted.
	Covariance mmrm.Covariance
	Rejected   []mmrm.Rejected
	DF         mmrm.DF
	// Subjects and Observations are the numbers in the model.
	Subjects, Observations int
	// LogLik is the restricted log-likelihood.
	LogLik float64
	// Sigma is the covariance of a subject's changes at the visits after baseline,
	// in the square of the unit.
	Sigma   [][]float64
	Formula Formula
	// Omitted are planned terms and visits that are not in the model.
	Omitted []Omission
	// N counts the subjects in the model, by arm and visit after baseline.
	N [][]int
	// LSMeans is indexed by arm and visit after baseline: least-squares means of the change, at the mean
	// baseline and covariates of the observations, with equal weight of each level of a factor (as in
	// emmeans).
	LSMeans [][]mmrm.Estimate
	// BaselineMean is the baseline at which the means are estimated.
	BaselineMean float64
}

// SubjectsAt returns the number of subjects of an arm in the model at a visit of the design.
func (m Model) SubjectsAt(arm, visit int) int {
	if arm >= len(m.N) || visit < 1 || visit > len(m.N[arm]) {
		return 0 // there is no model
	}
	return m.N[arm][visit-1]
}

// Family is a family of planned contrasts, within which p is adjusted.
type Family int8

// The families. Contrasts without a family are exploratory: their p is not adjusted.
const (
	NoFamily Family = iota
	PrimaryFamily
	SecondaryFamily
)

var familyNames = [...]string{NoFamily: "", PrimaryFamily: "primary", SecondaryFamily: "secondary"}

// String returns primary, secondary, or empty for no family.
func (f Family) String() string { return familyNames[f] }

// Primary reports whether the contrast is one of the primary contrasts.
func (c Contrast) Primary() bool { return c.Family == PrimaryFamily }

// Contrast compares an arm with the reference at one visit. Its estimates are on the scale of the analysis, as are
// those of Model: of an endpoint on the log scale, differences of natural logarithms. Reports show
// Endpoint.Displayed of them.
type Contrast struct {
	// Arm and Visit are indices into the design.
	Arm, Visit int
	// N and NReference count the subjects of the arm and of the reference with a change at this visit.
	N, NReference int
	// NAdjusted and NAdjustedReference count those among them whose covariates are known. The analysis
	// of covariance and the permutation test use their changes.
	NAdjusted, NAdjustedReference int
	// Family is the family of planned contrasts that it belongs to.
	Family Family
	// Model is the difference of least-squares means. Holm is its p adjusted over all contrasts of its family:
	// endpoints, visits and arms (Holm 1979); NaN without a family.
	Model mmrm.Estimate
	Holm  float64
	// Effect is Hedges' g of the change with its interval.
	Effect Interval
	// Ancova is the difference of changes at this visit adjusted for baseline, Welch the unadjusted
	// difference with the t test for unequal variances.
	Ancova, Welch mmrm.Estimate
	// Wilcoxon is the Wilcoxon–Mann–Whitney test of the changes, with the Hodges–Lehmann shift.
	Wilcoxon RankTest
	// Permutation is the test of the baseline-adjusted difference; NaN without a family.
	Permutation PermutationTest
	// Reasons say why numbers of a test are NaN, or which terms it is not adjusted for.
	Reasons Reasons
}

// Reasons are remarks on the tests of a contrast; empty if there are none.
type Reasons struct {
	Effect, Ancova, Welch, Wilcoxon, Permutation string
}

// Types of package compare.
type (
	// Description has the statistics of a sample.
	Description = compare.Description
	// Interval is an estimate with a confidence interval.
	Interval = compare.Interval
	// RankTest is a Wilcoxon–Mann–Whitney test. U counts the pairs in which the arm's change is larger.
	RankTest = compare.RankTest
	// PermutationTest is a test by shuffling arms among subjects, within strata.
	PermutationTest = compare.PermutationTest
)

// Change is one subject's change from baseline at one visit.
type Change struct {
	Delta   float64 // endpoint's unit
	Percent float64
	// Scaled is the change on the scale of the analysis: Delta, or ln(value/baseline) on the log scale.
	Scaled float64
	// Verdict compares |Percent| with RC.
	Verdict Verdict
	// Missing says why there is no change.
	Missing Missing
}

// Verdict compares a change with the repeatability coefficient.
type Verdict int8

// The verdicts.
const (
	NoVerdict Verdict = iota // no change, or no RC
	Within                   // |Δ| ≤ RC
	Decrease                 // Δ < −RC
	Increase                 // Δ > RC
)

// Responders counts the verdicts of each arm at one visit.
type Responders struct {
	Visit int
	// Arms are in the order of the design.
	Arms []ResponderCount
	// Increase and Decrease have p of Fisher's exact test of each other arm against the reference: of
	// increase, or decrease, against the other verdicts. NaN if an arm is empty.
	Increase, Decrease []float64
}

// ResponderCount counts the verdicts of one arm.
type ResponderCount struct {
	Within, Decrease, Increase int
	// SDC is the smallest detectable change of the arm's mean in percent, RC/√n.
	SDC float64
}

// Groups of subjects whose changes are correlated, other than one arm.
const (
	// AllSubjects are all subjects, regardless of arm. A difference between arms in both endpoints
	// contributes to the correlation.
	AllSubjects = -1
	// WithinArms is the partial rank correlation given the arm.
	WithinArms = -2
)

// Correlation is Spearman's correlation of the changes of two endpoints at one visit.
type Correlation struct {
	// X and Y are indices into Analysis.Endpoints: a compartment and another endpoint.
	X, Y int
	// Visit and Arm are indices into the design; Arm may be AllSubjects or WithinArms.
	Visit, Arm int
	N          int
	// Rho with its interval (Fisher's z, variance of Bonett and Wright 2000).
	Rho Interval
	P   float64
	// Reason says why numbers are NaN.
	Reason string
}
