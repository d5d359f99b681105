package publish

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// odd are names with characters that mean something to R, to CSV or to spreadsheets.
var odd = struct{ reference, arm, other, visit, last, endpoint string }{
	`dose "0" \n`, `=Präparat 'A'; 20 µg\`, "対照 #{1}", "+Woche\\12 `x`", `%d "Ende"; ü`, `WOMAC "Schmerz" \U00e4`,
}

// scripted describes a trial for analysis.R: a heading, columns of the design, and the share of missing visits.
type scripted struct {
	heading string
	arms    []string
	visits  []string // names; the months are 0, 3, 6, …
	perArm  int
	missing bool
	name    string // of the endpoint beside medial
	nested  bool   // each site has one stratum
}

func (s scripted) analysis(t *testing.T) trial.Analysis {
	t.Helper()
	var visits []string
	for v, name := range s.visits {
		visits = append(visits, fmt.Sprintf("%s=%d", name, 3*v))
	}
	design := [][]string{{"subject", "arm", "site", "stratum", "sex", "age", "bmi", "fas", "side"}}
	results := [][]string{{"subject", "visit", "compartment", "mean_t2_ms"}}
	scores := [][]string{{"subject", "visit", "name", "value"}}
	for n := range len(s.arms) * s.perArm {
		id, arm := fmt.Sprintf(`S%02d "é"`, n), n%len(s.arms)
		site := n / len(s.arms) % 3
		if s.nested {
			site = n/3%2*2 + n/6%2
		}
		design = append(design, []string{id, s.arms[arm], fmt.Sprintf("site %d", site), []string{"früh", "spät"}[n/3%2],
			[]string{"F", "M"}[n/2%2], fmt.Sprint(50 + n*7%13), fmt.Sprintf("%.1f", 25+3*noise(n, 2)),
			[]string{"yes", "no"}[max(0, n%9-7)], "left"})
		for v, visit := range s.visits {
			if s.missing && v > 0 && (n+v)%5 == 0 {
				continue
			}
			own := noise(n, 3)
			x := 38 + 4*own + float64(v)*(0.5-0.4*float64(arm))*(1+own/3) + noise(n, v)*float64(min(1, v))
			results = append(results, []string{id, visit, "medial", fmt.Sprintf("%.3f", x)})
			scores = append(scores, []string{id, visit, s.name, fmt.Sprintf("%.3f", math.Exp((x+noise(n, v, 4))/10))})
		}
	}
	heading := quoted(fmt.Sprintf("# reference: %s", s.arms[0]), "# visits: "+strings.Join(visits, ", ")) +
		quoted(strings.Split(s.heading, "\n")...)
	a, err := trial.Analyse(t.Context(), "1.2.3", trial.Tables{
		Design:       trial.Source{Name: "design.csv", Data: csvOf(heading, design...)},
		Compartments: trial.Source{Name: "compartments.csv", Data: csvOf("", results...)},
		Scores:       []trial.Source{{Name: "scores.csv", Data: csvOf("", scores...)}},
	}, func(_ trial.Design, p *trial.Plan) error { p.Permutations = 19; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// quoted returns lines as cells of a CSV.
func quoted(lines ...string) string {
	rows := make([][]string, len(lines))
	for i, line := range lines {
		rows[i] = []string{line}
	}
	return string(csvOf("", rows...))
}

// needsR skips a test unless R and the packages of analysis.R are to be used.
func needsR(t *testing.T) {
	t.Helper()
	if os.Getenv("T2MAP_R") == "" {
		t.Skip("R runs analysis.R where T2MAP_R=1 asks for it, as CI does")
	}
	if _, err := exec.LookPath("Rscript"); err != nil {
		t.Skip("Rscript is not installed")
	}
	if exec.Command("Rscript", "-e", "library(nlme); library(emmeans)").Run() != nil {
		t.Skip("R's packages nlme and emmeans are not installed")
	}
}

// analysis.R agrees with contrasts.csv: the estimates of the primary contrasts to 1e-4, which is the tolerance of the
// issue, and where contrasts.csv has Satterthwaite's method also their standard errors and p.
func TestScriptAgrees(t *testing.T) {
	needsR(t)
	two, three := []string{"control", "treatment"}, []string{"control", "low dose", "high dose"}
	for name, s := range map[string]scripted{
		"by visit": {heading: "# df: satterthwaite", arms: two, visits: []string{"baseline", "month03", "month12"},
			perArm: 12},
		"common baseline, three arms, missing visits": {
			heading: "# baseline: common\n# primary: medial@month03, medial@month12, WOMAC@month12",
			arms:    three, visits: []string{"baseline", "month03", "month06", "month12"}, perArm: 11, missing: true},
		"strata, covariates and a set": {
			heading: "# covariates: age, site, sex\n# df: satterthwaite\n# sets: full analysis=fas\n" +
				"# primary: medial@month03, medial@month12",
			arms: two, visits: []string{"baseline", "month03", "month12"}, perArm: 18, missing: true},
		"log scale, odd names": {
			heading: fmt.Sprintf("# scale[%s]: log\n# primary: %[1]s@%s, medial", odd.endpoint, odd.visit),
			arms:    []string{odd.reference, odd.arm, odd.other}, visits: []string{"día 0", odd.visit, odd.last}, perArm: 9,
			missing: true, name: odd.endpoint},
		"one visit, a term that follows from others": {
			heading: "# visits[T2]: baseline, month12\n# covariates: site, sex", arms: two, nested: true,
			visits: []string{"baseline", "month03", "month12"},
			perArm: 12},
		"heterogeneous compound symmetry": {heading: "# covariance: hcs\n# df: satterthwaite", arms: two,
			visits: []string{"baseline", "month03", "month06", "month12"}, perArm: 10, missing: true},
		"autoregressive": {heading: "# covariance: ar1\n# df: satterthwaite", arms: two,
			visits: []string{"baseline", "month03", "month06", "month12"}, perArm: 10, missing: true},
		"fallback": {arms: two, visits: []string{"baseline", "m1", "m2", "m3", "m4", "m5"}, perArm: 4, missing: true},
	} {
		t.Run(name, func(t *testing.T) {
			if s.name == "" {
				s.name = "WOMAC"
			}
			a := s.analysis(t)
			m := a.Endpoints[0].Model
			if name == "fallback" && len(m.Rejected) == 0 || s.nested && len(m.Omitted) != 1 {
				t.Fatalf("covariances that were rejected: %v; terms that were omitted: %v", m.Rejected, m.Omitted)
			}
			if formula := m.Formula.String(); !s.nested && !strings.Contains(formula, "+ stratum") {
				t.Fatalf("the formula is %s", formula)
			}
			dir := filepath.Join(t.TempDir(), "a report")
			written(t, dir, a)
			agree(t, &a, dir)
		})
	}
}

// agree compares the primary contrasts of analysis.R in a folder with contrasts.csv.
func agree(t *testing.T, a *trial.Analysis, dir string) {
	t.Helper()
	c := exec.Command("Rscript", "-e", "invisible(capture.output(source('"+scriptFile+"'))); options(digits = 15); "+
		"write.csv(primary, 'primary.csv', row.names = FALSE, na = '', fileEncoding = 'UTF-8')")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	table := contrastTable(a)
	want := rowsWith(table, "primary", "Y", "method", byModel)
	records := parsed(t, "primary.csv", contents(t, dir)["primary.csv"])
	if len(records) != len(want)+1 || len(want) == 0 {
		t.Fatalf("%d primary contrasts in R, want %d", len(records)-1, len(want))
	}
	for _, record := range records[1:] {
		got := map[string]string{}
		for i, column := range records[0] {
			got[column] = record[i]
		}
		w := only(t, table, "endpoint", got["endpoint"], "arm", got["arm"], "visit", got["visit"], "method", byModel,
			"scale", got["scale"])
		tolerances := map[string]float64{"estimate": 1e-4}
		if w["df_method"] == "satterthwaite" {
			tolerances["se"] = 1e-4
			// Satterthwaite's degrees of freedom use the approximate covariance of gls, by numerical derivatives.
			tolerances["df"], tolerances["p"], tolerances["p_holm"] = 0.02, 0.02, 0.02
		}
		for column, tolerance := range tolerances {
			x, err := strconv.ParseFloat(got[column], 64)
			y, err2 := strconv.ParseFloat(w[column], 64)
			scale := math.Abs(y)
			if se, _ := strconv.ParseFloat(w["se"], 64); column == "estimate" {
				scale = max(scale, se)
			}
			if err != nil || err2 != nil || !(math.Abs(x-y) <= tolerance*scale) {
				t.Errorf("%s, %s at %s, %s: R has %s, contrasts.csv %s", got["endpoint"], got["arm"], got["visit"], column,
					got[column], w[column])
			}
		}
	}
}

// Names of any kind stay strings of R, in ASCII.
func TestScriptQuotes(t *testing.T) {
	for in, want := range map[string]string{
		`a"b\c`: `"a\"b\\c"`, "ü": `"\U000000fc"`, "=x": `"'=x"`, "two\nlines": `"two lines"`, "": `""`,
		"😀": `"\U0001f600"`,
	} {
		if got := rText(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	a := hostile()
	script, err := scriptOf(&a)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(script), rText(evil)) || strings.Contains(string(script), "\n"+printable.Line(evil)) {
		t.Errorf("names are not quoted:\n%s", script)
	}
	for i, r := range string(script) {
		if r > '~' {
			t.Fatalf("%q at %d", r, i)
		}
	}
}

// analysis.R finds values.csv from any folder. Without a primary contrast or without models, and for any names,
// it ends well.
func TestScriptEndsWell(t *testing.T) {
	needsR(t)
	for name, want := range map[string]string{"usual": "medial linear low dose visit 2", "one arm": "no primary contrast",
		"alone": "no model of medial", "hostile": "no model of"} {
		dir := filepath.Join(t.TempDir(), "a report")
		written(t, dir, samples()[name])
		out, err := exec.Command("Rscript", filepath.Join(dir, scriptFile)).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want %q:\n%s", name, err, want, out)
		}
	}
}
