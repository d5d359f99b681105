package trial

import (
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

func readReferee(t *testing.T) []refereed {
	var all []refereed
	for _, row := range records(t, "mmrm/testdata/referee.csv") {
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

// refereeTables are the tables of one of the referee's trials, as a lab would have them.
func refereeTables(t *testing.T, trial int) Tables {
	t.Helper()
	var subjects, results []string
	sites := map[string]bool{}
	visits := 0
	for _, row := range records(t, "mmrm/testdata/trials.csv") {
		if integer(t, row[0]) != trial {
			continue
		}
		id := "S" + row[1]
		if subject := fmt.Sprintf("%s,arm%s,site%s", id, row[2], row[4]); !slices.Contains(subjects, subject) {
			subjects = append(subjects, subject)
			results = append(results, fmt.Sprintf("%s,v0,medial,%s", id, row[5]))
		}
		sites[row[4]] = true
		visits = max(visits, integer(t, row[3])+1)
		base, _ := strconv.ParseFloat(row[5], 64)
		change, _ := strconv.ParseFloat(row[6], 64)
		results = append(results, fmt.Sprintf("%s,v%d,medial,%.6f", id, integer(t, row[3])+1, base+change))
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

// Least-squares means and differences, computed from tables, agree with nlme and emmeans. Degrees of freedom
// agree with pbkrtest if lme4 has the structure, otherwise with the formulas in referee.R. The 20 trials
// are balanced or not, and some have sites.
func TestAgreesWithR(t *testing.T) {
	names := map[string]string{"UN": "unstructured", "CSH": "hcs", "AR1": "ar1", "CS": "cs"}
	analyses := map[string]Analysis{}
	checked := 0
	for _, r := range readReferee(t) {
		key := fmt.Sprint(r.trial, r.structure)
		if _, done := analyses[key]; !done {
			tables := refereeTables(t, r.trial)
			tables.Overrides = lines("covariance", names[r.structure], "baseline", "common")
			analyses[key] = analyse(t, tables)
		}
		a := analyses[key]
		e := a.Endpoints[0]
		if e.Model.Failed != "" || len(e.Model.Rejected) > 0 {
			t.Fatalf("trial %s: %q %q", key, e.Model.Failed, e.Model.Rejected)
		}
		kind, quantity, _ := strings.Cut(r.quantity, " ")
		got := e.Model.LSMeans[r.arm][r.visit]
		if kind == "difference" {
			got = e.Contrasts[(r.arm-1)*(len(a.Design.Visits)-1)+r.visit].Model
		}
		var have, tolerance float64
		switch r.source + " " + quantity {
		case "gls estimate", "dense estimate":
			have, tolerance = got.Value, 1e-4 // of the issue; relative to the standard error below
		case "dense adjusted se", "pbkrtest se":
			have, tolerance = got.SE, 1e-4
		case "dense kenward-roger df", "pbkrtest df":
			have, tolerance = got.DF, 1e-3 // R's derivatives are numerical
		default:
			continue // standard errors that are not adjusted, and Satterthwaite's: in mmrm
		}
		checked++
		if scale := max(math.Abs(r.value), got.SE); !(math.Abs(have-r.value) <= tolerance*scale) {
			t.Errorf("trial %s, %s %s, arm %d visit %d: %g, R has %g", key, r.source, r.quantity, r.arm, r.visit, have,
				r.value)
		}
	}
	if checked < 4*20*3 {
		t.Errorf("only %d values", checked)
	}
}
