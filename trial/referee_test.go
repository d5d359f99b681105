package trial

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// refereed is one value of R for one trial: see mmrm/testdata/referee.R.
type refereed struct {
	trial                       int
	structure, source, quantity string
	arm, visit                  int
	value                       float64
}

func records(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
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

func integer(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func readReferee(t *testing.T, file string) []refereed {
	var all []refereed
	for _, row := range records(t, "mmrm/testdata/"+file) {
		if !strings.HasPrefix(row[3], "mean ") && !strings.HasPrefix(row[3], "difference ") {
			continue
		}
		v, err := strconv.ParseFloat(row[6], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, refereed{integer(t, row[0]), row[1], row[2], row[3], integer(t, row[4]), integer(t, row[5]),
			v})
	}
	return all
}

// refereeTables are the tables of one of the referee's trials, as a lab would have them. value is the endpoint in
// which R has x.
func refereeTables(t *testing.T, trial int, value func(x float64) float64) Tables {
	t.Helper()
	var subjects, results []string
	sites := map[string]bool{}
	visits := 0
	for _, row := range records(t, "mmrm/testdata/trials.csv") {
		if integer(t, row[0]) != trial {
			continue
		}
		id := "S" + row[1]
		base, _ := strconv.ParseFloat(row[5], 64)
		change, _ := strconv.ParseFloat(row[6], 64)
		if subject := fmt.Sprintf("%s,arm%s,site%s", id, row[2], row[4]); !slices.Contains(subjects, subject) {
			subjects = append(subjects, subject)
			results = append(results, fmt.Sprintf("%s,v0,medial,%.12g", id, value(base)))
		}
		sites[row[4]] = true
		visits = max(visits, integer(t, row[3])+1)
		results = append(results, fmt.Sprintf("%s,v%d,medial,%.12g", id, integer(t, row[3])+1, value(base+change)))
	}
	heading := "# reference: arm0\n# visits: v0=0"
	for v := range visits {
		heading += fmt.Sprintf(", v%d=%d", v+1, v+1)
	}
	if len(sites) > 1 {
		heading += "\n# covariates: site"
	}
	return Tables{
		Design: Source{Name: "trial.csv",
			Data: []byte(heading + "\nsubject,arm,site\n" + strings.Join(subjects, "\n"))},
		Compartments: Source{Name: "compartments.csv",
			Data: []byte("subject,visit,compartment,mean_t2_ms\n" + strings.Join(results, "\n"))},
	}
}

// Least-squares means and differences, computed from tables, agree with nlme and emmeans, with one slope on the
// baseline, with one at each visit, and on the log scale. Degrees of freedom agree with pbkrtest if lme4 has the
// structure, otherwise with the formulas in referee.R. The 20 trials are balanced or not, and some have sites.
func TestAgreesWithR(t *testing.T) {
	linear := func(x float64) float64 { return x }
	for _, c := range []struct {
		file    string
		heading []string
		value   func(float64) float64
		// without has the models that have no optimum in R.
		without []string
	}{
		{"referee.csv", []string{"baseline", "common"}, linear, nil},
		{"referee-by-visit.csv", nil, linear, []string{"13UN"}},
		{"referee-log.csv", []string{"scale[medial]", "log"}, func(x float64) float64 { return math.Exp(x / 4) },
			[]string{"13UN"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			analyses := map[string]Analysis{}
			for trial := 1; trial <= 20; trial++ {
				tables := refereeTables(t, trial, c.value)
				for structure, name := range map[string]string{"UN": "unstructured", "CSH": "hcs", "AR1": "ar1", "CS": "cs"} {
					tables.Overrides = lines(append([]string{"covariance", name}, c.heading...)...)
					key := fmt.Sprint(trial, structure)
					a, err := Analyse(context.Background(), "test", tables, func(_ Design, p *Plan) error {
						p.Permutations = 1 // not compared
						return nil
					})
					if err != nil {
						t.Fatal(err)
					}
					analyses[key] = a
					m := analyses[key].Endpoints[0].Model
					if rejected := len(m.Rejected) > 0; m.Failed != "" || rejected != slices.Contains(c.without, key) {
						t.Errorf("trial %s: %q %q", key, m.Failed, m.Rejected)
					}
				}
			}
			checked, worst := 0, 0.0
			for _, r := range readReferee(t, c.file) {
				deviation, known := r.compare(analyses[fmt.Sprint(r.trial, r.structure)])
				if !known {
					continue
				}
				checked++
				worst = max(worst, deviation)
				if !(deviation <= 1) {
					t.Errorf("%+v: %g times the tolerance", r, deviation)
				}
			}
			t.Logf("%d values, within %.2g of the tolerance", checked, worst)
			if checked < 4000 {
				t.Errorf("only %d values", checked)
			}
		})
	}
}

// compare returns the deviation from R's value relative to the tolerance; false for values that package mmrm
// compares: standard errors that are not adjusted, and Satterthwaite's.
func (r refereed) compare(a Analysis) (float64, bool) {
	e := a.Endpoints[0]
	kind, quantity, _ := strings.Cut(r.quantity, " ")
	got := e.Model.LSMeans[r.arm][r.visit]
	if kind == "difference" {
		got = e.Contrasts[(r.arm-1)*(len(a.Design.Visits)-1)+r.visit].Model
	}
	var have, tolerance float64
	scale := got.SE
	switch r.source + " " + quantity {
	case "gls estimate", "dense estimate", "pbkrtest estimate":
		have, tolerance = got.Value, 1e-4 // of the issue; relative to the standard error below
	case "dense adjusted se", "pbkrtest se":
		have, tolerance = got.SE, 1e-4
	case "dense kenward-roger df", "pbkrtest df":
		have, tolerance, scale = got.DF, 1e-3, got.DF // R's derivatives are numerical
	default:
		return 0, false
	}
	return math.Abs(have-r.value) / (tolerance * scale), true
}
