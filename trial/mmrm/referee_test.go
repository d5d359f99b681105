package mmrm

import (
	"bytes"
	"encoding/csv"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// observation is a row of testdata/trials.csv.
type observation struct {
	trial, subject, arm, visit, site int
	base, y                          float64
}

func readTrials(t testing.TB) [][]observation {
	t.Helper()
	var trials [][]observation
	for _, row := range readCSV(t, "testdata/trials.csv") {
		o := observation{
			trial: integer(t, row[0]), subject: integer(t, row[1]), arm: integer(t, row[2]),
			visit: integer(t, row[3]), site: integer(t, row[4]), base: number(t, row[5]), y: number(t, row[6]),
		}
		for len(trials) < o.trial {
			trials = append(trials, nil)
		}
		trials[o.trial-1] = append(trials[o.trial-1], o)
	}
	return trials
}

func readCSV(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func integer(t testing.TB, s string) int {
	t.Helper()
	x, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// layout is the model y ~ base + arm * visit (+ site) in R's treatment coding:
// intercept, base, arms, visits, sites, arms × visits.
type layout struct {
	arms, visits, sites int
	base                float64 // mean over rows, at which emmeans estimates
}

func (l layout) columns() int {
	return 2 + l.arms - 1 + l.visits - 1 + l.sites - 1 + (l.arms-1)*(l.visits-1)
}

func (l layout) interaction(arm, visit int) int {
	return l.arms + l.visits + l.sites - 1 + (visit-1)*(l.arms-1) + arm - 1
}

// mean is the row of X at the mean baseline and with equal weight of the sites.
func (l layout) mean(arm, visit int) []float64 {
	x := l.row(arm, visit, 0, l.base)
	for s := 1; s < l.sites; s++ {
		x[l.arms+l.visits+s-1] = 1 / float64(l.sites)
	}
	return x
}

func (l layout) row(arm, visit, site int, base float64) []float64 {
	x := make([]float64, l.columns())
	x[0], x[1] = 1, base
	if arm > 0 {
		x[1+arm] = 1
	}
	if visit > 0 {
		x[l.arms+visit] = 1
	}
	if site > 0 {
		x[l.arms+l.visits+site-1] = 1
	}
	if arm > 0 && visit > 0 {
		x[l.interaction(arm, visit)] = 1
	}
	return x
}

func assemble(rows []observation) (Data, layout) {
	l := layout{}
	subject := map[int]int{}
	var d Data
	for _, o := range rows {
		l.arms, l.visits, l.sites = max(l.arms, o.arm+1), max(l.visits, o.visit+1), max(l.sites, o.site+1)
		l.base += o.base / float64(len(rows))
		if _, ok := subject[o.subject]; !ok {
			subject[o.subject] = len(subject)
		}
		d.Subject = append(d.Subject, subject[o.subject])
		d.Visit = append(d.Visit, o.visit)
		d.Y = append(d.Y, o.y)
	}
	d.X = mat.NewDense(len(rows), l.columns(), nil)
	for i, o := range rows {
		d.X.SetRow(i, l.row(o.arm, o.visit, o.site, o.base))
	}
	return d, l
}

var kinds = []string{"UN", "CSH", "AR1", "CS"} // in the order of Covariance

// tolerance is how far a value may be from the referee's, relative to it.
//
// dense and lmerTest are at an optimum of their own. gls stops when the likelihood no
// longer changes, which leaves half of the digits of its estimates.
func tolerance(source, quantity string) float64 {
	switch {
	case quantity == "loglik":
		return 1e-9
	case source == "gls" && quantity == "sigma":
		return 5e-4
	case source == "gls":
		return 1e-4
	case source == "dense":
		return 1e-6
	}
	return 1e-4
}

type fitted struct {
	kr, satterthwaite *Model
	layout            layout
}

func (f fitted) value(t *testing.T, source, quantity string, arm, visit string) float64 {
	switch quantity {
	case "loglik":
		return f.kr.LogLik
	case "sigma":
		return f.kr.Sigma.At(integer(t, arm), integer(t, visit))
	}
	a, v := integer(t, arm), integer(t, visit)
	l := f.layout.mean(a, v)
	part, number, _ := strings.Cut(quantity, " ")
	if part == "difference" {
		for i, x := range f.layout.mean(0, v) {
			l[i] -= x
		}
	}
	kr, s := f.kr.Contrast(l), f.satterthwaite.Contrast(l)
	switch {
	case number == "estimate":
		return kr.Value
	case number == "se" && source == "pbkrtest", number == "adjusted se":
		return kr.SE
	case number == "se":
		return s.SE
	case number == "df" && source == "pbkrtest", number == "kenward-roger df":
		return kr.DF
	}
	return s.DF
}

func TestReferee(t *testing.T) {
	trials := readTrials(t)
	models := map[string]fitted{}
	for k, rows := range trials {
		d, l := assemble(rows)
		for c, kind := range kinds {
			kr, err := Fit(d, Options{Covariance: Covariance(c)})
			if err != nil {
				t.Errorf("trial %d %s: %v", k+1, kind, err)
				continue
			}
			s, err := Fit(d, Options{Covariance: Covariance(c), DF: Satterthwaite})
			if err != nil {
				t.Fatal(err)
			}
			models[strconv.Itoa(k+1)+kind] = fitted{kr, s, l}
		}
	}
	worst := map[string]float64{}
	for _, row := range readCSV(t, "testdata/referee.csv") {
		trial, kind, source, quantity := row[0], row[1], row[2], row[3]
		f, ok := models[trial+kind]
		if !ok {
			continue // said above
		}
		want := number(t, row[6])
		got := f.value(t, source, quantity, row[4], row[5])
		// Estimates and covariances may be near 0; the standard deviations are about 2.
		deviation := math.Abs(got-want) / math.Max(1, math.Abs(want))
		if strings.Contains(quantity, "se") || strings.Contains(quantity, "df") {
			deviation = math.Abs(got-want) / math.Abs(want)
		}
		worst[source+" "+quantity] = math.Max(worst[source+" "+quantity], deviation)
		if !(deviation <= tolerance(source, quantity)) {
			t.Errorf("trial %s %s, %s, %s of arm %s at visit %s: %.9g, R has %.9g", trial, kind, source, quantity,
				row[4], row[5], got, want)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(worst)) {
		t.Logf("%-40s within %.1e", k, worst[k])
	}
}

// TestRefereeAgain runs the script and compares with the committed files: other versions
// of R and its packages may end their searches elsewhere, within the tolerances above.
func TestRefereeAgain(t *testing.T) {
	if os.Getenv("T2MAP_R") == "" {
		t.Skip("R runs again where T2MAP_R=1 asks for it, as CI does")
	}
	rscript, err := exec.LookPath("Rscript")
	if err != nil {
		t.Skip("Rscript is not installed")
	}
	for _, p := range []string{"nlme", "lme4", "emmeans", "pbkrtest", "lmerTest"} {
		if exec.Command(rscript, "-e", "quit(status = length(find.package('"+p+"', quiet = TRUE)) == 0)").Run() != nil {
			t.Skipf("the R package %s is not installed", p)
		}
	}
	for mode, file := range map[string]string{
		"common": "referee.csv", "by-visit": "referee-by-visit.csv", "log": "referee-log.csv",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := exec.Command(rscript, "testdata/referee.R", "testdata/trials.csv", mode)
			var complaints strings.Builder
			c.Stderr = &complaints
			out, err := c.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, complaints.String())
			}
			again, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			compareAgain(t, again, readCSV(t, "testdata/"+file))
		})
	}
}

// compareAgain compares a run of R with the committed values.
func compareAgain(t *testing.T, again, committed [][]string) {
	t.Helper()
	if len(again) != len(committed)+1 {
		t.Fatalf("%d rows, %d are committed", len(again)-1, len(committed))
	}
	for i, row := range again[1:] {
		if !slices.Equal(row[:6], committed[i][:6]) {
			t.Fatalf("row %d is %v, committed is %v", i+1, row, committed[i])
		}
		got, want := number(t, row[6]), number(t, committed[i][6])
		if deviation := math.Abs(got-want) / math.Max(1, math.Abs(want)); deviation > 2*tolerance(row[2], row[3]) {
			t.Errorf("%v: %v is committed", row, committed[i][6])
		}
	}
}
