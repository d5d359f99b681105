package trial

import (
	"github.com/t2map/t2map/trial/compare"
	"github.com/t2map/t2map/trial/mmrm"
)

// Analysis is everything that is reported of a trial.
type Analysis struct {
	// Version is that of t2map.
	Version string
	Design  Design
	Plan    Plan
	// Inputs are the tables that were read.
	Inputs []Input
	// Endpoints are the compartments in the order of the results, then the others.
	Endpoints []EndpointAnalysis
	// Flow counts participants by arm, in the order of Design.Arms.
	Flow []Flow
	// Flags are in the order of kind, subject, visit.
	Flags []Flag
	// Correlations of the change of T2 with the change of other endpoints.
	Correlations []Correlation
	// Settings are the ways in which T2 was estimated, as compartments.csv says.
	Settings []string
	// Notes are remarks about the analysis as a whole: "one arm: nothing to compare".
	Notes []string
}

// Input is a table that was read.
type Input struct {
	// Name is the file's name without its folder.
	Name   string
	SHA256 string
}

// Plan is how the trial is analysed. The zero value is the default.
type Plan struct {
	// Covariance of the visits of a subject. Default: unstructured.
	Covariance mmrm.Covariance
	// DF is how degrees of freedom are had. Default: Kenward–Roger.
	DF mmrm.DF
	// Rows are the rows of compartments.csv to analyse, such as medial-tibial or medial deep;
	// see ReadResults. Default: the whole compartments.
	Rows []string
	// Covariates beside baseline, arm and visit: site, stratum, sex, age, bmi.
	Covariates []string
	// Level of the confidence intervals. Default: 0.95.
	Level float64
	// WithinCV is the within-subject coefficient of variation of T2 as a fraction.
	// Default: 0.05, the QIBA profile's (PMC8574057). WithinCVOf holds those of
	// compartments that have one of their own.
	WithinCV   float64
	WithinCVOf []CompartmentCV
	// MeanOfTwo takes the mean of two studies at one visit, which else give no value.
	MeanOfTwo bool
	// Permutations is how many are drawn where there are too many to try all.
	// Default: 9999.
	Permutations int
	// Seed of the permutations.
	Seed uint64
}

// CompartmentCV is the within-subject coefficient of variation of one compartment.
type CompartmentCV struct {
	Compartment string
	CV          float64 // fraction
}

// Flow counts the participants of one arm.
type Flow struct {
	// Planned is the number in the design.
	Planned int
	// Visits counts by visit of the design.
	Visits []FlowVisit
	// Analysed have a baseline and a later visit in at least one compartment.
	Analysed int
}

// FlowVisit counts the participants of one arm at one visit. Planned = Present +
// the counts of Missing.
type FlowVisit struct {
	// Present have a value in at least one compartment.
	Present int
	// Missing counts the others by reason, most frequent first.
	Missing []ReasonCount
}

// ReasonCount is a reason and the number of participants that it applies to.
type ReasonCount struct {
	Reason Missing
	N      int
}

// EndpointAnalysis is what is reported of one endpoint.
type EndpointAnalysis struct {
	Endpoint
	// Cells is indexed by arm and visit.
	Cells [][]Cell
	// Model is the mixed model for repeated measures of the change from baseline.
	Model Model
	// Contrasts are those of each arm against the reference at each visit after
	// baseline, arm by arm. Empty in a trial of one arm.
	Contrasts []Contrast
	// Changes is indexed by subject and visit; baseline's are NaN.
	Changes [][]Change
	// RC is the repeatability coefficient in percent, 1.96·√2·CV; NaN where none is
	// known, as for endpoints that are not compartments.
	RC float64
	// Responders holds, for each visit after baseline, what became of each arm's
	// subjects. Empty where RC is NaN.
	Responders []Responders
}

// Cell describes one arm at one visit.
type Cell struct {
	// Value, Change (endpoint's unit) and Percent (of baseline) describe the subjects who have them.
	Value, Change, Percent Description
	// Missing is how many subjects of the arm have no value here.
	Missing int
	// ValueFlags are those that figures of the values have to show, ChangeFlags those that
	// figures of changes have to: the flags of the values, or of these and their baselines, that
	// are in the description.
	ValueFlags, ChangeFlags []int
}

// Model is a fitted mixed model for repeated measures, or why there is none.
type Model struct {
	// Failed says why there is no model; empty where there is one.
	Failed string
	// Covariance is the structure that was fitted, and Rejected those that could not be fitted
	// before it.
	Covariance mmrm.Covariance
	Rejected   []mmrm.Rejected
	DF         mmrm.DF
	// Subjects and Observations that are in it.
	Subjects, Observations int
	// LogLik is the restricted log-likelihood.
	LogLik float64
	// Sigma is the covariance of a subject's changes at the visits after baseline,
	// in the square of the unit.
	Sigma   [][]float64
	Formula Formula
	// Omitted are planned terms and visits that are not in the model.
	Omitted []Omission
	// N is indexed by arm and visit after baseline: subjects who are in the model there.
	N [][]int
	// LSMeans is indexed by arm and visit after baseline: least-squares means of the
	// change, at the mean baseline and covariates of the observations, and with
	// equal weight of each level of a factor (as emmeans).
	LSMeans [][]mmrm.Estimate
	// BaselineMean is the baseline at which they stand.
	BaselineMean float64
}

// InIt counts the subjects of an arm who are in the model at a visit of the design.
func (m Model) InIt(arm, visit int) int {
	if arm >= len(m.N) || visit < 1 || visit > len(m.N[arm]) {
		return 0 // there is no model
	}
	return m.N[arm][visit-1]
}

// Contrast compares an arm with the reference at one visit.
type Contrast struct {
	// Arm and Visit are indices into the design.
	Arm, Visit int
	// N of the arm and of the reference: subjects with a change at this visit.
	N, NReference int
	// NAdjusted and NAdjustedReference are those of them whose covariates are known: who is
	// in the model, the analysis of covariance and the permutation test.
	NAdjusted, NAdjustedReference int
	// Primary marks the primary contrast.
	Primary bool
	// Model is the difference of least-squares means; Holm its p adjusted over the
	// compartments at this visit and arm (Holm 1979), NaN for other endpoints. The family is all
	// compartments of the analysis: one without a p counts as p = 1.
	Model mmrm.Estimate
	Holm  float64
	// Effect is Hedges' g of the change with its interval.
	Effect Interval
	// Ancova is the difference of changes at this visit, adjusted for baseline; Welch the same
	// unadjusted, by the t test of unequal variances.
	Ancova, Welch mmrm.Estimate
	// Wilcoxon is the Wilcoxon–Mann–Whitney test of the changes with the
	// Hodges–Lehmann shift.
	Wilcoxon RankTest
	// Permutation is the test of the baseline-adjusted difference; only for the primary visit,
	// else NaN.
	Permutation PermutationTest
	// Reasons say of each test why its numbers are NaN, or what it is not adjusted for.
	Reasons Reasons
}

// Reasons are remarks on the tests of a contrast. They are empty where there is nothing to remark.
type Reasons struct {
	Effect, Ancova, Welch, Wilcoxon, Permutation string
}

// Figures of package compare, where they are defined.
type (
	// Description is a sample in figures.
	Description = compare.Description
	// Interval is an estimate with a confidence interval.
	Interval = compare.Interval
	// RankTest is a Wilcoxon–Mann–Whitney test; U counts the pairs in which the arm's
	// change is larger.
	RankTest = compare.RankTest
	// PermutationTest is a test by shuffling arms among subjects, within strata.
	PermutationTest = compare.PermutationTest
)

// Change is one subject's change from baseline at one visit.
type Change struct {
	Delta   float64 // endpoint's unit
	Percent float64
	// Verdict compares |Percent| with RC.
	Verdict Verdict
	// Missing says why there is no change.
	Missing Missing
}

// Verdict says whether a change exceeds what repetition alone brings.
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
	// Arms is in the order of the design's.
	Arms []ResponderCount
	// Tests compare each arm after the reference with it: Fisher's exact test of
	// Increase against the rest, and of Decrease against the rest. NaN where it cannot be.
	Increase, Decrease []float64
}

// ResponderCount counts the verdicts of one arm.
type ResponderCount struct {
	Within, Decrease, Increase int
	// SDC is the smallest detectable change of the arm's mean in percent, RC/√n.
	SDC float64
}

// Whose changes are correlated, where it is not one arm's subjects.
const (
	// AllSubjects: regardless of arm. A difference between arms in both endpoints is part of it.
	AllSubjects = -1
	// WithinArms: partial rank correlation, given the arm.
	WithinArms = -2
)

// Correlation is Spearman's between the changes of two endpoints at one visit.
type Correlation struct {
	// X and Y are indices into Analysis.Endpoints: a compartment and another.
	X, Y int
	// Visit and Arm are indices into the design; Arm is AllSubjects or WithinArms where it is
	// not one arm's.
	Visit, Arm int
	N          int
	// Rho with its interval (Fisher's z, variance of Bonett and Wright 2000).
	Rho Interval
	P   float64
	// Reason says why figures are NaN.
	Reason string
}
