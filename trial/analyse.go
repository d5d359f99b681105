package trial

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial/mmrm"
)

// Tables are the tables of a trial.
type Tables struct {
	Design Source
	// Compartments and Studies are the tables of `t2map run`. Studies.Data may be nil.
	Compartments, Studies Source
	// Scores hold other endpoints; see ReadScores.
	Scores []Source
	// Repeatability is the table of `t2map repeat`. Data may be nil, and must be nil if the plan has a
	// within-subject CV.
	Repeatability Source
	// Overrides replaces lines of the heading of the design.
	Overrides Heading
}

// The defaults of a Plan.
const (
	defaultLevel        = 0.95
	defaultPermutations = 9999 // the standard error of p = 0.05 is 0.0022
)

// withDefaults returns the plan with its defaults filled in.
func (p Plan) withDefaults() Plan {
	p.Level = cmp.Or(p.Level, defaultLevel)
	p.WithinCV = cmp.Or(p.WithinCV, defaultWithinCV)
	p.Permutations = cmp.Or(p.Permutations, defaultPermutations)
	return p
}

// Adjust changes the plan of a design, as the command line does. It may refuse the design with an error.
type Adjust func(Design, *Plan) error

// Analyse reads the tables of a trial and analyses them. adjust, if not nil, may change the plan.
//
// It returns an error if a table cannot be read (see ReadDesign, ReadResults, ReadScores), if a name in
// the plan is not in the tables, or if ctx ends. Numbers that cannot be computed from the data are NaN
// with a reason, which is not an error.
func Analyse(ctx context.Context, version string, t Tables, adjust Adjust) (Analysis, error) {
	a := Analysis{Version: version}
	var err error
	if a.Design, a.Plan, err = ReadDesign(t.Design, t.Overrides); err != nil {
		return a, err
	}
	if adjust != nil {
		if err := adjust(a.Design, &a.Plan); err != nil {
			return a, err
		}
	}
	endpoints, err := a.join(t)
	if err != nil {
		return a, err
	}
	if err := a.checkNames(endpoints); err != nil {
		return a, err
	}
	if err := a.takeRepeatability(t.Repeatability, endpoints); err != nil {
		return a, err
	}
	a.Plan = a.Plan.withDefaults()
	a.remark()
	if err := a.analyse(ctx, endpoints); err != nil {
		return a, err
	}
	a.adjustFamily()
	a.Flow = flow(a.Design, a.Endpoints)
	return a, a.correlate(ctx)
}

// join reads the results and assigns them to the subjects and visits of the design.
func (a *Analysis) join(t Tables) ([]Endpoint, error) {
	res, err := ReadResults(t.Compartments, t.Studies, a.Plan.Rows)
	if err != nil {
		return nil, err
	}
	subjects, visits, err := a.Design.match(t.Compartments, res.places())
	if err != nil {
		return nil, err
	}
	_, failedAt, err := a.Design.alike(t.Studies, res.failedPlaces())
	if err != nil {
		return nil, err
	}
	a.Settings, a.Notes = res.settings, t.remarks()
	a.Notes = append(a.Notes, res.notes...)
	a.Notes = append(a.Notes, a.Design.notes()...)
	a.Notes = append(a.Notes, a.Design.unmatched(t.Compartments.Name, "result", subjects)...)
	a.Notes = append(a.Notes, a.Design.unvisited(visits.join(failedAt))...)
	j := newJoiner(a.Design, a.Plan)
	endpoints := j.compartments(res)
	a.Notes = append(a.Notes, j.notes...)
	for _, source := range t.Scores {
		scores, err := ReadScores(source)
		if err != nil {
			return nil, err
		}
		for _, s := range scores {
			subjects, _, err := a.Design.match(source, s.places())
			if err != nil {
				return nil, err
			}
			a.Notes = append(a.Notes, a.Design.unmatched(source.Name, fmt.Sprintf("%.40q", s.name), subjects)...)
			if i := slices.IndexFunc(endpoints,
				func(e Endpoint) bool { return table.IsAlike(e.Name, s.name) }); i >= 0 {
				return nil, hint.Errorf("give each endpoint a name of its own",
					"%s: endpoint %.40q appears twice, or differs from another %s", source.Name, s.name, table.Alike)
			}
			endpoints = append(endpoints, j.scores(s))
		}
	}
	a.Flags = j.sorted(endpoints)
	for _, s := range t.all() {
		if s.Data != nil {
			sum := sha256.Sum256(s.Data)
			a.Inputs = append(a.Inputs, Input{Name: s.Name, SHA256: hex.EncodeToString(sum[:])})
		}
	}
	return endpoints, nil
}

// all returns the tables in the order in which a report lists them.
func (t Tables) all() []Source {
	return append([]Source{t.Design, t.Compartments, t.Studies, t.Repeatability}, t.Scores...)
}

// remarks returns notes on how tables without a declared format were read, and on short rows of tables
// that people write.
func (t Tables) remarks() []string {
	var notes []string
	for _, s := range t.all() {
		if text := s.Remark(); text != "" {
			notes = append(notes, text)
		}
		if read, err := table.Read(s); s.MadeBy == "" && s.Data != nil && err == nil {
			notes = append(notes, read.Remarks()...)
		}
	}
	return notes
}

// checkNames returns an error if the plan names an endpoint that does not exist.
func (a *Analysis) checkNames(endpoints []Endpoint) error {
	if len(endpoints) == 0 {
		return hint.Errorf("see studies.csv for why every study failed", "the results have no compartment")
	}
	var names []string
	for _, e := range endpoints {
		names = append(names, e.Name)
	}
	if p := a.Design.Primary.Endpoint; p != "" && !slices.Contains(names, p) {
		return hint.Errorf(fmt.Sprintf("there are %q", names), "the primary endpoint %.40q is not in the results", p)
	}
	for _, cv := range a.Plan.CompartmentCVs {
		if !slices.Contains(names, cv.Compartment) {
			return hint.Errorf(fmt.Sprintf("there are %q", names),
				"a within-subject CV is given for %.40q, which is not in the results", cv.Compartment)
		}
	}
	return nil
}

// takeRepeatability adds the CV of each compartment to the plan.
func (a *Analysis) takeRepeatability(s Source, endpoints []Endpoint) error {
	if s.Data == nil {
		return nil
	}
	if a.Plan.WithinCV != 0 || a.Plan.CompartmentCVs != nil {
		return hint.Errorf("omit one of them", "%s: the design or --wcv also gives a within-subject CV", s.Name)
	}
	all, err := ReadRepeatability(s)
	if err != nil {
		return err
	}
	for _, cv := range all {
		if slices.ContainsFunc(endpoints, func(e Endpoint) bool { return e.Compartment && e.Name == cv.Compartment }) {
			a.Plan.CompartmentCVs = append(a.Plan.CompartmentCVs, cv)
		} else {
			a.Notes = append(a.Notes, fmt.Sprintf("%s has a within-subject CV of %q, which is not in the results",
				s.Name, cv.Compartment))
		}
	}
	for _, e := range endpoints {
		if e.Compartment && !slices.ContainsFunc(all, func(cv CompartmentCV) bool { return cv.Compartment == e.Name }) {
			a.Notes = append(a.Notes,
				fmt.Sprintf("%s has no within-subject CV of %q: that of the QIBA profile, %g %%, is used", s.Name,
					e.Name, 100*defaultWithinCV))
		}
	}
	return nil
}

// remark adds notes on analyses that the design does not allow, and on missing covariates.
func (a *Analysis) remark() {
	if len(a.Design.Arms) == 1 {
		a.Notes = append(a.Notes, "the design has one arm: there is no comparison")
	}
	if len(a.Design.Visits) == 1 {
		a.Notes = append(a.Notes, "the design has one visit: there is no change from baseline")
	}
	for _, name := range a.Plan.Covariates {
		c := a.covariate(name)
		unknown := 0
		for _, x := range c.X {
			if math.IsNaN(x) {
				unknown++
			}
		}
		if unknown > 0 {
			a.Notes = append(a.Notes,
				fmt.Sprintf("%d of %d subjects have no %s in the design and are not in the models", unknown, len(c.X),
					name))
		}
	}
}

// analyse analyses every endpoint, several at a time.
func (a *Analysis) analyse(ctx context.Context, endpoints []Endpoint) error {
	a.Endpoints = make([]EndpointAnalysis, len(endpoints))
	return each(ctx, len(endpoints), func(i int) {
		e := &a.Endpoints[i]
		e.Endpoint = endpoints[i]
		e.changes(a.Plan)
		e.describeCells(a.Design, a.Flags, a.Plan.Level)
		e.responders(a.Design)
		a.contrasts(e, a.model(e))
	})
}

// each calls do for 0 to n−1, several at a time.
func each(ctx context.Context, n int, do func(i int)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			do(i)
			return nil
		})
	}
	return g.Wait()
}

// covariate returns a covariate for every subject of the design.
func (a *Analysis) covariate(name string) Covariate {
	c := Covariate{Name: name}
	var levels []string
	for _, s := range a.Design.Subjects {
		x, level := s.covariate(name)
		if level != "" {
			i := slices.Index(levels, level)
			if i < 0 {
				i = len(levels)
				levels = append(levels, level)
			}
			x = float64(i)
		}
		c.X = append(c.X, x)
	}
	c.Levels = len(levels)
	return c
}

// InModel reports whether a subject's change at a visit of the design is an observation of the
// mixed model.
func (a *Analysis) InModel(e *EndpointAnalysis, subject, visit int) bool {
	s := a.Design.Subjects[subject]
	if visit == 0 || math.IsNaN(e.Changes[subject][visit].Delta) || e.Model.Failed != "" ||
		e.Model.SubjectsAt(s.Arm, visit) == 0 {
		return false
	}
	return !slices.ContainsFunc(a.Plan.Covariates, func(name string) bool {
		x, level := s.covariate(name)
		return level == "" && math.IsNaN(x)
	})
}

// Repeated returns the data of the mixed model of an endpoint.
func (a *Analysis) Repeated(e *EndpointAnalysis) Repeated {
	r := Repeated{Arms: len(a.Design.Arms)}
	for _, v := range a.Design.Visits[1:] {
		r.VisitNames = append(r.VisitNames, v.Name)
	}
	for s, subject := range a.Design.Subjects {
		r.Arm = append(r.Arm, subject.Arm)
		r.Baseline = append(r.Baseline, e.Values[s][0].X)
		var changes []float64
		for _, c := range e.Changes[s][1:] {
			changes = append(changes, c.Delta)
		}
		r.Change = append(r.Change, changes)
	}
	for _, name := range a.Plan.Covariates {
		r.Covariates = append(r.Covariates, a.covariate(name))
	}
	return r
}

// model fits the mixed model of an endpoint. It returns nil if the model cannot be fitted.
func (a *Analysis) model(e *EndpointAnalysis) *RepeatedFit {
	visits := len(a.Design.Visits) - 1
	e.Model = Model{Covariance: a.Plan.Covariance, DF: a.Plan.DF, LogLik: math.NaN(), BaselineMean: math.NaN()}
	for range a.Design.Arms {
		e.Model.LSMeans = append(e.Model.LSMeans, slices.Repeat([]mmrm.Estimate{nothing}, visits))
	}
	f, err := a.Repeated(e).Fit(mmrm.Options{Covariance: a.Plan.Covariance, DF: a.Plan.DF, Level: a.Plan.Level})
	e.Model.Rejected, e.Model.Omitted, e.Model.N = f.Rejected, f.Omitted, f.N
	if err != nil {
		e.Model.Failed = err.Error()
		return nil
	}
	m := &e.Model
	m.Covariance, m.DF, m.Subjects, m.Observations, m.LogLik = f.Covariance, f.DF, f.Subjects, f.Observations, f.LogLik
	m.BaselineMean, m.Formula = f.BaselineMean, f.Formula
	for v := range visits {
		m.Sigma = append(m.Sigma, slices.Repeat([]float64{math.NaN()}, visits))
		for w := range visits {
			if f.Visits[v] >= 0 && f.Visits[w] >= 0 {
				m.Sigma[v][w] = f.Sigma.At(f.Visits[v], f.Visits[w])
			}
		}
		for arm := range a.Design.Arms {
			m.LSMeans[arm][v] = f.LSMean(arm, v)
		}
	}
	return f
}
