package publish

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

var nan = math.NaN()

// none is an estimate that does not exist.
var none = mmrm.Estimate{Value: nan, SE: nan, DF: nan, T: nan, P: nan, Low: nan, High: nan}

// sample describes a synthetic trial, the same at each call: small tables, analysed by package trial.
type sample struct {
	arms, visits, perArm int
	// scores adds an endpoint that is not a compartment.
	scores bool
}

const permutations = 199

func (s sample) analysis() trial.Analysis {
	tables := trial.Tables{
		Design:       trial.Source{Name: "design.csv", Data: s.design()},
		Compartments: trial.Source{Name: "compartments.csv", Data: s.compartments()},
		Studies:      trial.Source{Name: "studies.csv", Data: []byte("subject,visit,status,reason\n")},
	}
	if s.scores {
		tables.Scores = []trial.Source{{Name: "scores.csv", Data: s.womac()}}
	}
	a, err := trial.Analyse(context.Background(), "1.2.3", tables, func(_ trial.Design, p *trial.Plan) error {
		p.Permutations = permutations
		if s.visits > 50 {
			p.Covariance = mmrm.CompoundSymmetry
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return a
}

// noise is a number of [−1, 1) that depends on its arguments alone.
func noise(n ...int) float64 {
	h := uint64(1469598103934665603) // FNV-1a
	for _, x := range n {
		h = (h ^ uint64(x+7)) * 1099511628211
		h ^= h >> 29
	}
	return float64(h%20011)/10005.5 - 1
}

func (s sample) visit(v int) string {
	if v == 0 {
		return "baseline"
	}
	return fmt.Sprintf("visit %d", v)
}

func subjectID(n int) string { return fmt.Sprintf("S%03d", n+1) }

// csvOf returns a table, with lines of a heading.
func csvOf(heading string, rows ...[]string) []byte {
	var b strings.Builder
	b.WriteString(heading)
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		panic(err)
	}
	return []byte(b.String())
}

func (s sample) design() []byte {
	var visits []string
	for v := range s.visits {
		visits = append(visits, fmt.Sprintf("%s=%d", s.visit(v), 3*v))
	}
	rows := [][]string{{"subject", "arm", "side", "site", "sex", "age", "bmi"}}
	arms := []string{"control", "low dose", "high dose", "arm 4", "arm 5", "arm 6"}
	for n := range s.arms * s.perArm {
		bmi := fmt.Sprintf("%.1f", 26+4*noise(n, 1))
		if n == 4 {
			bmi = ""
		}
		rows = append(rows, []string{
			subjectID(n), arms[n%s.arms], []string{"left", "right"}[n%2], fmt.Sprintf("site %d", n%3+1),
			[]string{"F", "M"}[n/2%2],
			fmt.Sprintf("%.0f", 55+10*noise(n)), bmi,
		})
	}
	return csvOf("# trial: DEMO-1\n# reference: control\n# visits: "+strings.Join(visits, ", ")+"\n", rows...)
}

// compartments has values, a missing visit of S003 and others, an upgrade of the scanner
// of S001 at visit 1, lossy images of S002, and a subject who is not in the design.
func (s sample) compartments() []byte {
	rows := [][]string{{"subject", "visit", "side", "study", "series", "compartment", "mean_t2_ms", "method",
		"settings", "scanner", "acquisition", "lossy_images"}}
	row := func(n, v, compartment int) []string {
		scanner, lossy := "Maker One", ""
		if n == 0 && v == 1 {
			scanner = "Maker Two"
		}
		if n == 1 && v == 0 {
			lossy = "yes"
		}
		arm := float64(n % s.arms)
		x := 38 + 4*noise(n, compartment) + float64(v)*(0.6-1.3*arm) + 2.2*noise(n, compartment, v)*float64(min(v, 1))
		return []string{
			subjectID(n), s.visit(v), []string{"left", "right"}[n%2], fmt.Sprintf("%012x", n*1000+v),
			fmt.Sprintf("77aa%d-%d", n, v),
			[]string{"medial", "lateral", "patellofemoral"}[compartment], fmt.Sprintf("%.2f", max(x, 5)), "nlls",
			"nlls, first echo omitted, T2 from 0 to 100 ms, labels: compartments, protocol: demo, t2map 1.2.3", scanner,
			"7 echoes", lossy,
		}
	}
	for n := range s.arms * s.perArm {
		for v := range s.visits {
			if n == 2 && v == 2 || v > 0 && n%11 == 10 {
				continue
			}
			for compartment := range 3 {
				rows = append(rows, row(n, v, compartment))
			}
		}
	}
	stranger := row(1, 0, 0)
	stranger[0], stranger[3], stranger[4], stranger[11] = "X9", "ffff", "ffff", ""
	return csvOf("", append(rows, stranger)...)
}

func (s sample) womac() []byte {
	rows := [][]string{{"subject", "visit", "name", "value", "direction"}}
	for n := range s.arms * s.perArm {
		for v := range s.visits {
			if n == 2 && v == 2 || v > 0 && n%11 == 10 {
				continue
			}
			rows = append(rows, []string{subjectID(n), s.visit(v), "WOMAC pain",
				fmt.Sprintf("%.1f", 40+20*noise(n, 9)-float64(v*(n%s.arms))+5*noise(n, 9, v)), "higher is worse"})
		}
	}
	return csvOf("", rows...)
}

// fail makes a model one that could not be fitted.
func fail(m *trial.Model, reason string) {
	*m = trial.Model{Failed: reason, LSMeans: m.LSMeans, LogLik: nan, BaselineMean: nan}
	for arm := range m.LSMeans {
		for v := range m.LSMeans[arm] {
			m.LSMeans[arm][v] = none
		}
	}
}

// flagOf returns the index of the first flag of a kind.
func flagOf(a *trial.Analysis, kind trial.FlagKind) int {
	for i, f := range a.Flags {
		if f.Kind == kind {
			return i
		}
	}
	panic("no flag of " + string(kind))
}

// picture is a drawing of a few bytes.
func picture(name string) figure.Picture {
	return figure.Picture{
		Name: name, Width: 180, Height: 60, Title: "Change of T2",
		Caption: "Means with 95 % t intervals; n under each point.",
		SVG: []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="180mm" height="60mm" ` +
			`viewBox="0 0 180 60"><rect width="180" height="60" fill="#eef"/>` +
			`<path d="M10 50L60 20L170 40" stroke="#0b5fa5" fill="none"/></svg>`),
		PNG: []byte("\x89PNG\r\n\x1a\n"), PDF: []byte("%PDF-1.4\n"),
	}
}
