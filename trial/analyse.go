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
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

// Tables are the tables of a trial.
type Tables struct {
	Design Source
	// Plan is a plan file; Data may be nil.
	Plan Source
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
	p.Reads = cmp.Or(p.Reads, AnyMask)
	p.Level = cmp.Or(p.Level, defaultLevel)
	p.WithinCV = cmp.Or(p.WithinCV, defaultWithinCV)
	p.Permutations = cmp.Or(p.Permutations, defaultPermutations)
	p.Limits = p.Limits.withDefaults()
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
	if a.Design, a.Plan, err = ReadDesign(t.Design, t.Plan, t.Overrides); err != nil {
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
	if err := cmp.Or(a.checkNames(t.Design.Name, endpoints), a.setScales(endpoints), a.Design.setTargets(endpoints),
		a.takeRepeatability(t.Repeatability, endpoints)); err != nil {
		return a, err
	}
	a.Plan = a.Plan.withDefaults()
	a.remark()
	if err := a.analyse(ctx, endpoints); err != nil {
		return a, err
	}
	a.adjustFamilies()
	a.analyseSensitivity()
	a.Flow, a.Characteristics = a.flow(), a.Design.characteristics(a.Plan.Level)
	return a, a.correlate(ctx)
}

// join reads the results and assigns them to the subjects and visits of the design.
func (a *Analysis) join(t Tables) ([]Endpoint, error) {
	res, err := ReadResults(t.Compartments, t.Studies, a.Plan)
	if err != nil {
		return nil, err
	}
	subjects, visits, err := a.Design.match(t.Compartments, mapped(res.measurements, Measurement.place))
	if err != nil {
		return nil, err
	}
	_, failedAt, err := a.Design.alike(t.Studies, mapped(res.failures, func(f failure) placed { return f.placed }))
	if err != nil {
		return nil, err
	}
	j := newJoiner(a.Design, a.Plan)
	endpoints := j.compartments(res)
	a.Unsigned = j.countUnsigned(endpoints)
	a.Settings = res.settings
	a.Notes = slices.Concat(t.remarks(), res.notes, a.Design.notes(),
		a.Design.unmatched(t.Compartments.Name, "result", subjects),
		a.Design.unvisited(visits.join(failedAt), endpoints), j.notes)
	for _, source := range t.Scores {
		scores, err := ReadScores(source)
		if err != nil {
			return nil, err
		}
		for _, s := range scores {
			if table.IsAlike(s.name, AllT2) {
				return nil, hint.Errorf("T2 means every compartment: give the endpoint another name",
					"%s: the endpoint %.40q has the name of the compartments", source.Name, s.name)
			}
			subjects, _, err := a.Design.match(source, mapped(s.values, func(v score) placed { return v.placed }))
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
	j.flagMissing(endpoints)
	a.Flags, a.LastSeen = j.sorted(endpoints), j.last
	for _, s := range t.all() {
		if s.Data != nil {
			sum := sha256.Sum256(s.Data)
			a.Inputs = append(a.Inputs, Input{Name: s.Name, SHA256: hex.EncodeToString(sum[:])})
		}
	}
	if t.Plan.Data != nil {
		a.PlanFile = a.Inputs[0] // Tables.all has it first
	}
	return endpoints, nil
}

// all returns the tables in the order in which a report lists them.
func (t Tables) all() []Source {
	return append([]Source{t.Plan, t.Design, t.Compartments, t.Studies, t.Repeatability}, t.Scores...)
}

// remarks returns notes on how tables without a declared format were read, and on short rows of tables
// that people write.
func (t Tables) remarks() []string {
	var notes []string
	for _, s := range t.all()[1:] { // without the plan file
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
func (a *Analysis) checkNames(design string, endpoints []Endpoint) error {
	if len(endpoints) == 0 {
		return hint.Errorf("see studies.csv for why every study failed", "the results have no compartment")
	}
	names := endpointNames(endpoints)
	compartments := endpointNames(slices.DeleteFunc(slices.Clone(endpoints),
		func(e Endpoint) bool { return !e.Compartment }))
	for _, e := range endpoints {
		if e.Visits == nil {
			return hint.Errorf(fmt.Sprintf("add a line visits for all endpoints, or visits[%s]", printable.Line(e.Name)),
				"%s: the visits of the endpoint %.40q are not planned", design, e.Name)
		}
	}
	for _, m := range a.Plan.Mentions {
		switch {
		case m.Key == cvKey && !slices.Contains(compartments, m.Endpoint):
			return hint.Errorf(hint.Nearest(m.Endpoint, compartments), "%s: %s names the compartment %.40q, which is not in "+
				"the results", m.Place, m.Key, m.Endpoint)
		case m.Key == "group" && (m.Endpoint == AllT2 || slices.Contains(compartments, m.Endpoint)):
			return hint.Errorf("omit the line", "%s: the figures of compartments have no groups", m.Place)
		case m.Endpoint != AllT2 && !slices.Contains(names, m.Endpoint):
			return hint.Errorf(hint.Nearest(m.Endpoint, append(names, AllT2)), "%s: %s names the endpoint %.40q, which is "+
				"not in the tables", m.Place, m.Key, m.Endpoint)
		}
	}
	return nil
}

func endpointNames(endpoints []Endpoint) []string {
	return mapped(endpoints, func(e Endpoint) string { return e.Name })
}

// setScales fills in the scale, the decimals and the group of each endpoint. It is an error if groups are alike but
// not the same or, on the log scale, if a value is not above 0.
func (a *Analysis) setScales(endpoints []Endpoint) error {
	var groups table.Names
	for i := range endpoints {
		e := &endpoints[i]
		e.Log, _ = planned(a.Plan.Log, *e)
		if decimals, ok := planned(a.Plan.Decimals, *e); ok {
			e.PlannedDecimals = &decimals
		}
		if group, ok := a.Plan.Groups[e.Name]; ok {
			e.Group = group
		}
		if other, alike := groups.Add(e.Group); alike && e.Group != "" {
			return hint.Errorf("use one spelling", "groups %.40q and %.40q of endpoints differ %s", other, e.Group, table.Alike)
		}
		for s, values := range e.Values {
			for v, value := range values {
				if e.Log && value.X <= 0 {
					return hint.Errorf("write what is below the limit of detection as a number above 0, as the plan of the trial "+
						"says, or use the linear scale", "%s of %s at %s is %g: the log scale needs values above 0",
						printable.Line(e.Name), printable.Line(a.Design.Subjects[s].ID), printable.Line(a.Design.Visits[v].Name),
						value.X)
				}
			}
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
	for i, s := range a.Design.Subjects {
		if s.Discontinued != "" && a.LastSeen[i] == len(a.Design.Visits)-1 {
			a.Notes = append(a.Notes, fmt.Sprintf("%.40q has a reason in the column discontinued and was seen at the last visit",
				s.ID))
		}
	}
	for _, name := range a.Strata() {
		if levels := a.covariate(name).Levels; 2*levels > len(a.Design.Subjects) {
			a.Notes = append(a.Notes, fmt.Sprintf("%s has %d levels among %d subjects, which leaves little for the models: "+
				"\"strata: none\" omits it", name, levels, len(a.Design.Subjects)))
		}
	}
	for _, name := range a.Plan.Strata {
		if !slices.Contains(a.Strata(), name) {
			a.Notes = append(a.Notes, fmt.Sprintf("%s has only one level and is not in the models", name))
		}
	}
	for _, name := range a.ModelCovariates() {
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
		e.changes(a.Design, a.Plan)
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
	return !slices.ContainsFunc(a.ModelCovariates(), func(name string) bool {
		x, level := s.covariate(name)
		return level == "" && math.IsNaN(x)
	})
}

// Strata returns the columns by which the randomisation was stratified, those with several levels: of the plan, or
// stratum. They are in the models, and permutations stay within them.
func (a *Analysis) Strata() []string {
	strata := a.Plan.Strata
	if strata == nil {
		strata = []string{"stratum"}
	}
	return slices.DeleteFunc(slices.Clone(strata), func(name string) bool { return a.covariate(name).Levels < 2 })
}

// ModelCovariates returns the strata and covariates of the models.
func (a *Analysis) ModelCovariates() []string {
	names := slices.DeleteFunc(slices.Clone(a.Strata()),
		func(name string) bool { return slices.Contains(a.Plan.Covariates, name) })
	return append(names, a.Plan.Covariates...)
}
