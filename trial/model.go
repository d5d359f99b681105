package trial

import (
	"math"
	"slices"

	"github.com/t2map/t2map/trial/mmrm"
)

// Repeated returns the data of the mixed model of an endpoint: the changes at its planned visits after
// baseline.
func (a *Analysis) Repeated(e *EndpointAnalysis) Repeated {
	r := Repeated{Arms: len(a.Design.Arms), CommonBaseline: a.Plan.CommonBaseline}
	for _, v := range e.After() {
		r.VisitNames = append(r.VisitNames, a.Design.Visits[v].Name)
	}
	for s, subject := range a.Design.Subjects {
		r.Arm = append(r.Arm, subject.Arm)
		r.Baseline = append(r.Baseline, e.scaled(e.Values[s][0].X))
		var changes []float64
		for _, v := range e.After() {
			changes = append(changes, e.Changes[s][v].Scaled)
		}
		r.Change = append(r.Change, changes)
	}
	for _, name := range a.ModelCovariates() {
		r.Covariates = append(r.Covariates, a.covariate(name))
	}
	return r
}

// fit fits the mixed model of the plan.
func (a *Analysis) fit(r Repeated) (*RepeatedFit, error) {
	return r.Fit(mmrm.Options{Covariance: a.Plan.Covariance, DF: a.Plan.DF, Level: a.Plan.Level})
}

// model fits the mixed model of an endpoint. It returns nil if the model cannot be fitted.
func (a *Analysis) model(e *EndpointAnalysis) *RepeatedFit {
	visits := len(a.Design.Visits) - 1
	m := &e.Model
	*m = Model{Covariance: a.Plan.Covariance, DF: a.Plan.DF, LogLik: math.NaN(), BaselineMean: math.NaN()}
	for range a.Design.Arms {
		m.LSMeans = append(m.LSMeans, slices.Repeat([]mmrm.Estimate{nothing}, visits))
		m.N = append(m.N, make([]int, visits))
	}
	f, err := a.fit(a.Repeated(e))
	m.Rejected = f.Rejected
	for _, o := range f.Omitted {
		if o.Term == "" {
			o.Visit = e.After()[o.Visit-1]
		}
		m.Omitted = append(m.Omitted, o)
	}
	for arm := range f.N {
		for i, v := range e.After() {
			m.N[arm][v-1] = f.N[arm][i]
		}
	}
	if err != nil {
		m.Failed = err.Error()
		return nil
	}
	m.Covariance, m.DF, m.Subjects, m.Observations, m.LogLik = f.Covariance, f.DF, f.Subjects, f.Observations, f.LogLik
	m.BaselineMean, m.Formula = f.BaselineMean, f.Formula
	for range visits {
		m.Sigma = append(m.Sigma, slices.Repeat([]float64{math.NaN()}, visits))
	}
	for i, v := range e.After() {
		for k, w := range e.After() {
			if f.Visits[i] >= 0 && f.Visits[k] >= 0 {
				m.Sigma[v-1][w-1] = f.Sigma.At(f.Visits[i], f.Visits[k])
			}
		}
		for arm := range a.Design.Arms {
			m.LSMeans[arm][v-1] = f.LSMean(arm, i)
		}
	}
	return f
}
