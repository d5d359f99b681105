// Package mmrm fits mixed models for repeated measures by restricted maximum likelihood: y = Xβ + e,
// where the errors of one subject at its visits have the covariance Σ, which all subjects share. It
// tests contrasts of β with degrees of freedom for small samples.
//
// Data has one row per subject and visit with a value; a subject who misses visits contributes the
// others. β has the unit of y per unit of the columns of X, and Σ the square of the unit of y.
package mmrm

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// Covariance is the structure of Σ, the covariance of one subject's visits.
type Covariance int8

// The structures.
const (
	// Unstructured: a variance for each visit, a covariance for each pair.
	Unstructured Covariance = iota
	// HeterogeneousCS: a variance for each visit, one correlation.
	HeterogeneousCS
	// AR1: one variance, correlation ρ^|i − j| of the visits at places i and j.
	AR1
	// CompoundSymmetry: one variance, one correlation.
	CompoundSymmetry
)

// DF selects the method for the degrees of freedom of a contrast.
type DF int8

// The methods.
const (
	// KenwardRoger: adjusted standard errors and degrees of freedom (Kenward and
	// Roger 1997, doi:10.2307/2533558), from the expected information about θ.
	KenwardRoger DF = iota
	// Satterthwaite: standard errors of the model, degrees of freedom 2v²/(gᵀWg) of a contrast with the
	// variance v and its gradient g in the parameters θ of Σ. W, the covariance of θ, is the inverse of
	// the observed information: the second derivatives of the log-likelihood at its maximum, as in lmerTest.
	Satterthwaite
)

// Data is one row per observation.
type Data struct {
	// Subject and Visit of each row, each counted from 0 without gaps.
	Subject, Visit []int
	// X is rows × parameters, of full rank.
	X *mat.Dense
	Y []float64
	// Place is the place of each visit among the planned visits, ascending, from which AR1 computes the
	// distance between two visits. nil: 0, 1, 2, …
	Place []int
	// VisitNames are the visits' names in errors; nil: visit 1, visit 2.
	VisitNames []string
}

// visitName returns the name of a visit in errors.
func visitName(names []string, visit int) string {
	if visit < len(names) {
		return names[visit]
	}
	return fmt.Sprintf("visit %d", visit+1)
}

// Estimate is a linear combination of β with its test against 0.
type Estimate struct {
	// Value with its standard error, degrees of freedom, and t = Value/SE.
	Value, SE, DF, T float64
	// P is two-sided; Low and High are the confidence interval.
	P, Low, High float64
}

var covarianceNames = [...]string{Unstructured: "unstructured", HeterogeneousCS: "heterogeneous compound symmetry",
	AR1: "first-order autoregressive", CompoundSymmetry: "compound symmetry"}

// String returns the structure in words: "heterogeneous compound symmetry".
func (c Covariance) String() string { return covarianceNames[c] }

var dfNames = [...]string{KenwardRoger: "Kenward–Roger", Satterthwaite: "Satterthwaite"}

// String returns the method in words: "Kenward–Roger".
func (d DF) String() string { return dfNames[d] }
