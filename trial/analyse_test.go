package trial

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/trial/mmrm"
)

var same = cmpopts.EquateNaNs()

// The model and the supporting tests find a planted effect.
func TestFindsAPlantedEffect(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	a := made{arms: twoArms, visits: threeVisits, perArm: 12, t2: func(arm, n, v int) float64 {
		level := 36 + float64((7*n+3*arm)%5)                              // people differ
		return level + float64(v)*2*float64(1-arm) + random.NormFloat64() // control grows by 2 a visit
	}}.analyse(t)
	for _, e := range a.Endpoints {
		c := e.Contrasts[1]
		if c.Visit != 2 || !c.Primary() || c.N != 12 || c.NReference != 12 {
			t.Fatalf("%+v", c)
		}
		for name, est := range map[string]mmrm.Estimate{"model": c.Model, "ANCOVA": c.Ancova, "Welch": c.Welch} {
			// 4 ms of noise √2 ms: some seven standard errors.
			if est.Low > -4 || est.High < -4 || est.P > 1e-4 {
				t.Errorf("%s: %s: %+v, want about −4", e.Name, name, est)
			}
		}
		if c.Wilcoxon.P > 1e-3 || c.Permutation.P > 1e-3 || c.Wilcoxon.Shift.Estimate > -3 || c.Effect.Estimate > -1.5 {
			t.Errorf("%s: %+v", e.Name, c)
		}
		if !(c.Holm >= c.Model.P) || c.Holm > 2*c.Model.P {
			t.Errorf("%s: Holm %g of %g", e.Name, c.Holm, c.Model.P)
		}
		if e.Model.Failed != "" || e.Model.Covariance != mmrm.Unstructured ||
			e.Model.Formula.String() != "change ~ baseline + arm + visit + baseline:visit + arm:visit" {
			t.Errorf("%+v", e.Model)
		}
		diff := e.Model.LSMeans[1][1].Value - e.Model.LSMeans[0][1].Value
		if math.Abs(diff-c.Model.Value) > 1e-9 {
			t.Errorf("%s: means differ by %g, the contrast is %g", e.Name, diff, c.Model.Value)
		}
	}
}

// The order of rows and the number of processors change nothing.
func TestOrderDoesNotMatter(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 8}.tables()
	want := analyse(t, tables)
	head, rest, _ := strings.Cut(string(tables.Compartments.Data), "\n")
	rows := strings.Split(strings.TrimSpace(rest), "\n")
	rand.New(rand.NewPCG(5, 6)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	slices.SortStableFunc(rows,
		func(a, b string) int { // medial is named first, as compartments come in the file's order
			return strings.Compare(fmt.Sprint(!strings.Contains(a, "medial")),
				fmt.Sprint(!strings.Contains(b, "medial")))
		})
	tables.Compartments.Data = []byte(head + "\n" + strings.Join(rows, "\n") + "\n")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	got := analyse(t, tables)
	if diff := cmp.Diff(want, got, same, cmpopts.IgnoreFields(Analysis{}, "Inputs")); diff != "" {
		t.Error(diff)
	}
}

// The reference arm changes only signs.
func TestReferenceDecidesAboutSigns(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 6}.tables()
	a := analyse(t, tables)
	tables.Overrides = lines("reference", "treatment")
	b := analyse(t, tables)
	for e := range a.Endpoints {
		for i, c := range a.Endpoints[e].Contrasts {
			d := b.Endpoints[e].Contrasts[i]
			for _, pair := range [][2]float64{
				{c.Model.Value, -d.Model.Value}, {c.Model.P, d.Model.P}, {c.Model.Low, -d.Model.High},
				{c.Model.DF, d.Model.DF},
				{c.Welch.Value, -d.Welch.Value}, {c.Ancova.Value, -d.Ancova.Value}, {c.Wilcoxon.P, d.Wilcoxon.P},
				{c.Wilcoxon.Shift.Estimate, -d.Wilcoxon.Shift.Estimate}, {c.Effect.Estimate, -d.Effect.Estimate},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-7*(1+math.Abs(pair[0])) {
					t.Errorf("%+v\n%+v", c, d)
				}
			}
		}
	}
}

func TestOneArm(t *testing.T) {
	a := made{arms: []string{"only"}, visits: threeVisits, perArm: 6}.analyse(t)
	e := a.Endpoints[0]
	if len(e.Contrasts) != 0 || e.Model.Failed != "" || math.IsNaN(e.Model.LSMeans[0][1].Low) ||
		e.Cells[0][2].Change.N != 6 {
		t.Errorf("%+v", e)
	}
	if e.Model.Formula.String() != "change ~ baseline + visit + baseline:visit" || len(a.Notes) != 1 ||
		!strings.Contains(a.Notes[0], "one arm") {
		t.Errorf("%q, %q", e.Model.Formula, a.Notes)
	}
	if len(e.Responders) != 2 || len(e.Responders[0].Increase) != 0 {
		t.Errorf("%+v", e.Responders)
	}
}

func TestOneVisit(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits[:1], perArm: 6}.analyse(t)
	e := a.Endpoints[0]
	if len(e.Contrasts) != 0 || e.Model.Failed == "" || e.Cells[0][0].Value.N != 6 || e.Cells[0][0].Change.N != 0 {
		t.Errorf("%+v", e)
	}
	if len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "one visit") {
		t.Errorf("%q", a.Notes)
	}
}

// With one visit after baseline, the model is the analysis of covariance.
func TestOneFollowUpIsAncova(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits[:2], perArm: 7}.analyse(t)
	c := a.Endpoints[0].Contrasts[0]
	m, o := c.Model, c.Ancova
	for _, pair := range [][2]float64{{m.Value, o.Value}, {m.SE, o.SE}, {m.DF, o.DF}, {m.P, o.P}, {m.Low, o.Low}} {
		if math.Abs(pair[0]-pair[1]) > 1e-8*math.Abs(pair[1]) {
			t.Fatalf("model %+v\nANCOVA %+v", m, o)
		}
	}
}

func TestFewSubjects(t *testing.T) {
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprint(n, " per arm"), func(t *testing.T) {
			a := made{arms: twoArms, visits: threeVisits, perArm: n}.analyse(t)
			for _, e := range a.Endpoints {
				v := e.Cells[0][1].Value
				if v.N != n || math.IsNaN(v.Mean) || (n == 1) != math.IsNaN(v.SD) || (n == 1) != math.IsNaN(v.Low) {
					t.Errorf("%+v", v)
				}
				for _, c := range e.Contrasts {
					checkEstimate(t, "model", c.Model, e.Model.Failed != "")
					checkEstimate(t, "ANCOVA", c.Ancova, c.Reasons.Ancova != "")
					checkEstimate(t, "Welch", c.Welch, c.Reasons.Welch != "")
				}
			}
		})
	}
}

// checkEstimate holds an estimate to be whole, or to have a reason where it is not.
func checkEstimate(t *testing.T, name string, e mmrm.Estimate, reason bool) {
	t.Helper()
	for _, x := range []float64{e.Value, e.SE, e.DF, e.T, e.P, e.Low, e.High} {
		if math.IsInf(x, 0) || math.IsNaN(x) && !reason {
			t.Errorf("%s: %+v without a reason", name, e)
			return
		}
	}
	if !math.IsNaN(e.P) && !(e.P >= 0 && e.P <= 1 && e.SE > 0 && e.DF > 0 && e.Low <= e.Value && e.Value <= e.High) {
		t.Errorf("%s: %+v", name, e)
	}
}

func TestNoVariance(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits, perArm: 5,
		t2: func(_, _, v int) float64 { return 35 + float64(v) }}.analyse(t)
	e := a.Endpoints[0]
	if e.Model.Failed == "" {
		t.Errorf("a model of changes that do not vary: %+v", e.Model)
	}
	for _, c := range e.Contrasts {
		if c.Welch.Value != 0 || !math.IsNaN(c.Welch.P) || !math.IsNaN(c.Ancova.P) || !math.IsNaN(c.Effect.Low) ||
			c.Reasons.Ancova == "" || c.Reasons.Welch == "" || c.Reasons.Effect == "" {
			t.Errorf("%+v", c)
		}
	}
	if d := e.Cells[0][1].Change; d.Mean != 1 || d.SD != 0 || d.Low != 1 || d.High != 1 {
		t.Errorf("%+v", d)
	}
}

func TestNoBaseline(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits, perArm: 5, t2: func(_, n, v int) float64 {
		if v == 0 {
			return math.NaN()
		}
		return 35 + float64(n)
	}}.analyse(t)
	e := a.Endpoints[0]
	if e.Model.Failed == "" || e.Cells[0][1].Value.N != 5 || e.Cells[0][1].Change.N != 0 || a.Flow[0].Analysed != 0 {
		t.Errorf("%+v", e)
	}
	if c := e.Changes[0][1]; c.Missing != (Missing{Kind: NoStudy, OfBaseline: true}) || c.Verdict != NoVerdict {
		t.Errorf("%+v", c)
	}
	if f := a.Flow[0].Visits[0]; f.Present != 0 || len(f.Missing) != 1 ||
		f.Missing[0] != (ReasonCount{Missing{Kind: NoStudy}, 5}) {
		t.Errorf("%+v", f)
	}
}

// 200 visits of 24 subjects: no unstructured covariance can be had, and that is said.
func TestManyVisits(t *testing.T) {
	visits := make([]string, 200)
	for i := range visits {
		visits[i] = fmt.Sprintf("v%03d", i)
	}
	a := made{arms: twoArms, visits: visits, perArm: 12}.analyse(t)
	m := a.Endpoints[0].Model
	if m.Failed != "" || m.Covariance == mmrm.Unstructured || len(m.Rejected) == 0 {
		t.Errorf("failed %q, covariance %v, fallbacks %q", m.Failed, m.Covariance, m.Rejected)
	}
	if len(a.Endpoints[0].Contrasts) != 199 {
		t.Errorf("%d contrasts", len(a.Endpoints[0].Contrasts))
	}
}

// Missing visits stay missing: a subject with one of two follow-ups is in the model with that visit.
func TestMissingStaysMissing(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	a := made{arms: twoArms, visits: threeVisits, perArm: 8, t2: func(_, n, v int) float64 {
		if n == 0 && v == 2 || n == 1 && v == 1 || n == 2 && v > 0 {
			return math.NaN()
		}
		return 35 + 3*random.NormFloat64()
	}}.analyse(t)
	e := a.Endpoints[0]
	if m := e.Model; m.Failed != "" || m.Subjects != 14 || m.Observations != 2*(8+8-2-2) {
		t.Errorf("%q: %d subjects, %d observations", m.Failed, m.Subjects, m.Observations)
	}
	if f := a.Flow[1]; f.Randomised != 8 || f.Visits[1].Present != 6 || f.Visits[2].Present != 6 || f.Analysed != 7 {
		t.Errorf("%+v", f)
	}
	if c := e.Contrasts[1]; c.N != 6 || c.NReference != 6 {
		t.Errorf("%+v", c)
	}
}

func TestCovariates(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 10, heading: "# covariates: site, age\n",
		column: func(arm, n int) string {
			age := fmt.Sprint(50 + (7*n+3*arm)%11)
			if n == 9 && arm == 1 {
				age = ""
			}
			return [...]string{"A", "B", "C"}[n%3] + "," + age
		}}
	a := m.analyse(t)
	e := a.Endpoints[0]
	if e.Model.Subjects != 19 ||
		e.Model.Formula.String() != "change ~ baseline + site + age + arm + visit + baseline:visit + arm:visit" {
		t.Errorf("%d subjects, %q", e.Model.Subjects, e.Model.Formula)
	}
	if len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "1 of 20 subjects have no age") {
		t.Errorf("%q", a.Notes)
	}
	if c := e.Contrasts[0]; c.N != 9 && c.N != 10 || c.NAdjusted+c.NAdjustedReference != 19 {
		t.Errorf("%+v", c)
	}
	if c := e.Contrasts[0]; c.Ancova.DF != 19-6 { // intercept, baseline, two sites, age, arm
		t.Errorf("%+v", c.Ancova)
	}
}

// A visit with no more changes than arms has no information about other visits: the model is that of the
// data without it.
func TestThinVisit(t *testing.T) {
	for _, seen := range []int{1, 2} { // subjects at the last visit
		m := made{arms: twoArms, visits: []string{"baseline", "month03", "month06", "month12"}, perArm: 8}
		tables := m.tables()
		var kept []string
		for line := range strings.SplitSeq(strings.TrimSpace(string(tables.Compartments.Data)), "\n") {
			last := strings.Contains(line, ",month12,")
			if !last || strings.HasPrefix(line, "S01,") || strings.HasPrefix(line, "S02,") && seen > 1 {
				kept = append(kept, line)
			}
		}
		tables.Compartments.Data = []byte(strings.Join(kept, "\n"))
		got := analyse(t, tables).Endpoints[0]
		tables.Overrides = lines("visits", "baseline=0, month03=3, month06=6")
		want := analyse(t, tables).Endpoints[0]
		if got.Model.Failed != "" || len(got.Model.Omitted) != 1 || got.Model.Omitted[0].Visit != 3 ||
			got.Model.Omitted[0].Term != "" {
			t.Fatalf("%q, omitted %+v", got.Model.Failed, got.Model.Omitted)
		}
		if diff := cmp.Diff(want.Contrasts[0].Model, got.Contrasts[0].Model); diff != "" {
			t.Error(diff)
		}
		if c := got.Contrasts[2]; !math.IsNaN(c.Model.P) || got.Model.N[0][2] != 0 {
			t.Errorf("%+v", c)
		}
	}
}

// A covariate that follows from another is omitted with a reason; the model is that without it.
func TestAliasedCovariate(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 9, heading: "# covariates: site, age\n",
		column: func(_, n int) string {
			return fmt.Sprintf("%c,%d", 'A'+n%3, 50+n%3) // age is known from the site
		}}
	got := m.analyse(t).Endpoints[0]
	m.heading = "# covariates: site\n"
	want := m.analyse(t).Endpoints[0]
	if diff := cmp.Diff([]Omission{{Term: "age", Reason: "it follows from site"}}, got.Model.Omitted); diff != "" {
		t.Error(diff)
	}
	for i := range want.Contrasts {
		if diff := cmp.Diff(want.Contrasts[i], got.Contrasts[i], same, cmpopts.EquateApprox(1e-9, 0),
			cmpopts.IgnoreFields(Contrast{}, "Reasons")); diff != "" {
			t.Error(diff)
		}
		if r := got.Contrasts[i].Reasons.Ancova; r != "not adjusted for age: it follows from site" {
			t.Errorf("%q", r)
		}
	}
}

// If levels of two factors coincide, differences are those of R's lm and gls, which drop a column.
// Least-squares means of equal weights do not exist.
func TestPartlyAliasedFactors(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 12, heading: "# covariates: site, stratum\n",
		column: func(_, n int) string {
			return [...]string{"A,,x", "B,,y", "C,,z", "B,,z", "C,,y", "A,,x"}[n%6]
		}}
	tables := m.tables()
	tables.Design.Data = []byte(strings.Replace(string(tables.Design.Data), "subject,arm,site,age",
		"subject,arm,site,age,stratum", 1))
	e := analyse(t, tables).Endpoints[0]
	if e.Model.Failed != "" || len(e.Model.Omitted) != 1 || e.Model.Omitted[0].Term != "stratum" ||
		!strings.HasPrefix(e.Model.Omitted[0].Reason, "levels follow") {
		t.Fatalf("%q, omitted %+v", e.Model.Failed, e.Model.Omitted)
	}
	// baseline, two columns of sites, one of strata, two arms at two visits.
	if c := e.Contrasts[1]; math.IsNaN(c.Model.P) || c.Ancova.DF != 24-6 || !math.IsNaN(e.Model.LSMeans[0][0].Value) {
		t.Errorf("%+v", c)
	}
}

// The plan determines the family: a compartment without a model counts as p = 1.
func TestHolmOverThePlannedFamily(t *testing.T) {
	tables := made{arms: twoArms, visits: threeVisits, perArm: 8}.tables()
	var kept []string
	for line := range strings.SplitSeq(string(tables.Compartments.Data), "\n") {
		if !strings.Contains(line, ",lateral,") || strings.Contains(line, ",baseline,") {
			kept = append(kept, line)
		}
	}
	tables.Compartments.Data = []byte(strings.Join(kept, "\n"))
	a := analyse(t, tables)
	for i, c := range a.Endpoints[0].Contrasts {
		if math.Abs(c.Holm-min(1, 2*c.Model.P)) > 1e-12 {
			t.Errorf("Holm %g of %g", c.Holm, c.Model.P)
		}
		if !math.IsNaN(a.Endpoints[1].Contrasts[i].Holm) {
			t.Errorf("%+v", a.Endpoints[1].Contrasts[i])
		}
	}
}

// A factor that coincides with the arm cannot be adjusted for, and the error says so.
func TestConfoundedCovariate(t *testing.T) {
	m := made{arms: twoArms, visits: threeVisits, perArm: 5, heading: "# covariates: site\n",
		column: func(arm, _ int) string { return fmt.Sprintf("%d,", arm) }}
	e := m.analyse(t).Endpoints[0]
	if !strings.Contains(e.Model.Failed, "site cannot be distinguished from arm") ||
		e.Contrasts[0].Reasons.Ancova == "" || math.IsNaN(e.Contrasts[0].Welch.P) {
		t.Errorf("%q, %+v", e.Model.Failed, e.Contrasts[0])
	}
}

func TestRepeatability(t *testing.T) {
	a := made{arms: twoArms, visits: threeVisits, perArm: 4, heading: "# wcv: lateral=4\n",
		t2: func(arm, n, v int) float64 {
			return 40 * (1 + 0.139*float64(v*(n%2)*(1-arm))) // a growth of 13.9 % and 27.8 %
		}}.analyse(t)
	// 1.96·√2·5 % (QIBA, PMC8574057).
	if rc := a.Endpoints[0].RC; math.Abs(rc-13.859) > 0.001 {
		t.Errorf("RC %g", rc)
	}
	if rc := a.Endpoints[1].RC; math.Abs(rc-1.96*math.Sqrt2*4) > 1e-12 {
		t.Errorf("RC %g", rc)
	}
	r := a.Endpoints[0].Responders[0]
	if r.Arms[0].Increase != 2 || r.Arms[0].Within != 2 || r.Arms[1].Within != 4 ||
		math.Abs(r.Arms[1].SDC-13.859/2) > 0.001 {
		t.Errorf("%+v", r)
	}
	// 2 of 4 against 0 of 4: 2·C(4,2)/C(8,2) = 12/28.
	if math.Abs(r.Increase[0]-12.0/28) > 1e-12 || r.Decrease[0] != 1 {
		t.Errorf("%+v", r)
	}
}

// Changes of decimal numbers are decimal: 37.70 − 37.35 and 36.40 − 36.05 are equal.
func TestEqualChangesAreEqual(t *testing.T) {
	a := change(Value{X: 37.35}, Value{X: 37.70}, false)
	b := change(Value{X: 36.05}, Value{X: 36.40}, false)
	if a.Delta != b.Delta || a.Delta != 0.35 {
		t.Errorf("%v %v", a.Delta, b.Delta)
	}
	for _, x := range []struct{ a, b, want float64 }{
		{1e8 + 36.4, 1e8 + 36.05, 0.35}, // ulp 1.5e-8
		{3.77e-10, 3.735e-10, 3.5e-12},
		{1e-300, 1e-301, 9e-301},
		{5, 5, 0},
		{0, 0, 0},
		{0, 1e30, -1e30},
	} {
		if got := difference(x.a, x.b); got != x.want {
			t.Errorf("%g − %g: %g, want %g", x.a, x.b, got, x.want)
		}
	}
}

// Units do not change p.
func TestScaleDoesNotMatter(t *testing.T) {
	scores := func(scale, shift float64) Analysis {
		tables := made{arms: twoArms, visits: threeVisits, perArm: 9}.tables()
		random := rand.New(rand.NewPCG(11, 12))
		text := "subject,visit,name,value\n"
		for n := range 18 {
			for _, visit := range threeVisits {
				text += fmt.Sprintf("S%02d,%s,score,%.15g\n", n+1, visit, shift+
					scale*math.Round(400+20*random.NormFloat64())/10)
			}
		}
		tables.Scores = []Source{{Name: "scores.csv", Data: []byte(text)}}
		return analyse(t, tables)
	}
	want := scores(1, 0).Endpoints[2]
	for _, x := range []struct{ scale, shift float64 }{{1e-9, 0}, {1e9, 0}, {1, 1e8}} {
		got := scores(x.scale, x.shift).Endpoints[2]
		for i, c := range want.Contrasts {
			d := got.Contrasts[i]
			for _, pair := range [][2]float64{{c.Model.P, d.Model.P}, {c.Ancova.P, d.Ancova.P}, {c.Welch.P, d.Welch.P},
				{c.Wilcoxon.P, d.Wilcoxon.P}, {c.Wilcoxon.U, d.Wilcoxon.U},
				{x.scale * c.Wilcoxon.Shift.Estimate, d.Wilcoxon.Shift.Estimate}} {
				if math.Abs(pair[0]-pair[1]) > 1e-6*math.Abs(pair[0]) {
					t.Errorf("%+v: %g, want %g", x, pair[1], pair[0])
				}
			}
		}
	}
}

// Any tables result in an analysis or an error.
func FuzzAnalyse(f *testing.F) {
	m := made{arms: []string{"a", "b", "c"}, visits: threeVisits, perArm: 3, heading: "# covariates: site, age\n",
		column: func(arm, n int) string {
			return fmt.Sprintf("%d,%d", n%2, 50+n*arm)
		}}
	tables := m.tables()
	f.Add(string(tables.Design.Data), string(tables.Compartments.Data),
		"subject,visit,name,value,direction\nS01,baseline,VAS,1e29,\nS01,month03,VAS,-3,\n"+
			"S02,baseline,VAS,0,\nS02,month12,VAS,1e-29,\n")
	f.Fuzz(func(t *testing.T, design, compartments, scores string) {
		if strings.Count(design+compartments+scores, "\n") > 200 || strings.Count(design, "=") > 8 {
			return // work grows with subjects × visits
		}
		a, err := Analyse(t.Context(), "fuzz", Tables{
			Design:       Source{Name: "trial.csv", Data: []byte(design)},
			Compartments: Source{Name: "compartments.csv", Data: []byte(compartments)},
			Scores:       []Source{{Name: "scores.csv", Data: []byte(scores)}},
		}, func(_ Design, p *Plan) error { p.Permutations, p.MeanOfTwo = 50, len(scores)%2 == 0; return nil })
		if err != nil {
			return
		}
		for _, e := range a.Endpoints {
			for _, c := range e.Contrasts {
				checkEstimate(t, "model", c.Model, e.Model.Failed != "" || len(e.Model.Omitted) > 0 ||
					c.NAdjusted == 0 || c.NAdjustedReference == 0)
				checkEstimate(t, "ANCOVA", c.Ancova, c.Reasons.Ancova != "" || c.NAdjusted == 0)
			}
		}
	})
}
