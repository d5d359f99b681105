package figures

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// Differences have the decimals of the page, and more if a limit other than 0 would be printed as 0.
func TestDecimals(t *testing.T) {
	estimates := func(low, high float64) []mmrm.Estimate {
		return []mmrm.Estimate{{Value: (low + high) / 2, Low: low, High: high}}
	}
	for _, c := range []struct {
		estimates []mmrm.Estimate
		want      int
	}{
		{nil, 2}, {estimates(0.04, 1.67), 2}, {estimates(math.NaN(), math.NaN()), 2}, {estimates(0, 1), 2},
		{estimates(0.004, 1.7), 3}, {estimates(-0.0006, 1.7), 3}, {estimates(-1.7, -0.0004), 4},
		{estimates(1e-9, 2), 2}, {estimates(-20, 30), 2},
	} {
		if got := decimalsFor(c.estimates, 2); got != c.want {
			t.Errorf("decimalsFor(%v) = %d, want %d", c.estimates, got, c.want)
		}
	}
	e := trial.EndpointAnalysis{Endpoint: trial.Endpoint{Unit: "ms"},
		Cells: [][]trial.Cell{{{Value: trial.Description{SD: 12}, Change: trial.Description{SD: math.NaN()}}}}}
	for unit, want := range map[string]int{"ms": 2, "mm": 1} {
		if e.Unit = unit; e.Decimals() != want {
			t.Errorf("%s: %d decimals, want %d", unit, e.Decimals(), want)
		}
	}
	if got := (trial.EndpointAnalysis{}).Decimals(); got != 2 {
		t.Errorf("of nothing: %d", got)
	}
}

// Usual intervals of small differences are whole. An interval many times as wide as the others is cut.
func TestForestRange(t *testing.T) {
	estimate := func(value, half float64) mmrm.Estimate {
		return mmrm.Estimate{Value: value, Low: value - half, High: value + half}
	}
	null := []mmrm.Estimate{estimate(0.02, 1), estimate(-0.03, 1.2), estimate(0.01, 2.9)}
	if r, cut := forestRange(null); cut || !r.Has(2.91) {
		t.Errorf("a trial without an effect: %v, cut %v", r, cut)
	}
	r, cut := forestRange(append(null, estimate(0.5, 400)))
	if !cut || r.Has(10) || !r.Has(2.91) {
		t.Errorf("an interval of hundreds: %v, cut %v", r, cut)
	}
	if r, cut := forestRange([]mmrm.Estimate{estimate(1, 300)}); cut || !r.Has(0) {
		t.Errorf("one alone: %v, cut %v", r, cut)
	}
	if r, cut := forestRange([]mmrm.Estimate{estimate(1, 1), estimate(1, 300)}); !cut || r.Has(100) {
		t.Errorf("of two: %v, cut %v", r, cut)
	}
	if r, cut := forestRange([]mmrm.Estimate{estimate(math.NaN(), 1), {Value: math.Inf(1)}}); cut || !(r.Length() > 0) {
		t.Errorf("of none: %v, cut %v", r, cut)
	}
}

// Reasons are grouped by their kind, whatever their texts say.
func TestReasons(t *testing.T) {
	note := func(text string) trial.Missing { return trial.Missing{Kind: trial.Noted, Detail: text} }
	got := frequent(map[trial.Missing]int{note("a"): 1, note("b"): 5, note("c"): 5, {Kind: trial.NoStudy}: 2,
		note("e"): 1, note("f"): 1})
	if want := []trial.Missing{note("b"), note("c"), {Kind: trial.NoStudy}, note("a")}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, detail := range []string{"s07: read", "no study", "", ": x"} {
		if got := category(trial.Missing{Kind: trial.StudyFailed, Detail: detail}); got.String() != "study failed" {
			t.Errorf("a study that failed by %q: %v", detail, got)
		}
		if got := category(note(detail)); got != note(detail) {
			t.Errorf("the note %q: %v", detail, got)
		}
	}
}

func steps40() (out []float64) {
	for n := range 40 {
		out = append(out, float64(n))
	}
	return out
}

// Visits whose months are not numbers or do not ascend are drawn in order.
func TestVisitAxis(t *testing.T) {
	axis := func(months ...float64) figure.Steps {
		var d trial.Design
		for n, m := range months {
			d.Visits = append(d.Visits, trial.Visit{Name: fmt.Sprintf("v%d", n), Month: m})
		}
		visits := make([]int, len(months))
		for n := range visits {
			visits[n] = n
		}
		return newVisitAxis(d, visits)
	}
	if v := axis(0, 3, 12); v.Label != "Month" || v.Words[2] != "12" || v.At[2] != 12 {
		t.Errorf("%+v", v)
	}
	if v := axis(0, 0.03, 0.1, 0.25, 12, 24); v.Label != "Month (not to scale)" || !v.Evenly || v.Words[1] != "0.03" ||
		v.At[1] != 1 {
		t.Errorf("too close together: %+v", v)
	}
	for name, v := range map[string]figure.Steps{"close to each other": axis(0, 1, 12), "many": axis(steps40()...),
		"one": axis(3), "none": axis()} {
		if v.Label != "Month" || v.Evenly {
			t.Errorf("%s: %+v", name, v)
		}
	}
	for name, v := range map[string]figure.Steps{"no number": axis(0, math.NaN(), 3), "equal": axis(0, 0, 3),
		"infinite": axis(0, math.Inf(1), 1)} {
		if v.Label != "Visit" || v.Words[1] != "v1" || v.At[2] != 2 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// The analysis of tables has all figures, with its scanner change on each that it concerns.
func TestOfTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var design, values, scores strings.Builder
	design.WriteString("# visits: baseline=0, month03=3, month12=12\n# reference: control\nsubject,arm\n")
	values.WriteString("subject,visit,study,series,side,compartment,mean_t2_ms,method,settings,scanner,acquisition," +
		"lossy_images,note\n")
	scores.WriteString("subject,visit,name,value,direction,unit\n")
	for n := range 16 {
		id := fmt.Sprintf("S%02d", n+1)
		fmt.Fprintf(&design, "%s,%s\n", id, []string{"control", "treatment"}[n%2])
		for v, visit := range []string{"baseline", "month03", "month12"} {
			scanner := "Maker One"
			if n == 4 && v == 2 {
				scanner = "Maker Two"
			}
			for _, c := range []string{"medial", "lateral"} {
				fmt.Fprintf(&values, "%s,%s,st%d%d,se%d%d,right,%s,%.2f,nlls,plain,%s,7 echoes,,\n", id, visit, n, v, n,
					v, c, 36+rng.NormFloat64(), scanner)
			}
			fmt.Fprintf(&scores, "%s,%s,VAS,%.0f,higher is worse,mm\n", id, visit, 50+9*rng.NormFloat64())
		}
	}
	source := func(name string, b *strings.Builder) trial.Source {
		return trial.Source{Name: name, Data: []byte(b.String())}
	}
	a, err := trial.Analyse(context.Background(), "test", trial.Tables{
		Design: source("trial.csv", &design), Compartments: source("compartments.csv", &values),
		Scores: []trial.Source{source("scores.csv", &scores)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pictures := drawAll(t, a, Options{})
	for _, name := range []string{"means", "change", "lsmeans", "forest", "waterfall", "missing", "correlation"} {
		p, ok := pictures[name]
		if !ok {
			t.Errorf("no %s", name)
			continue
		}
		checkTexts(t, "tables", p)
		if text := joined(t, p); !strings.Contains(text, "† S05 at month12: ") || len(p.Flags) != 1 {
			t.Errorf("%s does not show the change of scanner: %d", name, p.Flags)
		}
		if text := joined(t, p); name != "forest" && !strings.Contains(text, "\n†\n") {
			t.Errorf("%s: no dagger at a point", name)
		}
	}
	for _, name := range []string{"means-scores", "change-scores"} {
		if p := pictures[name]; len(p.Flags) != 0 {
			t.Errorf("%s has flags of T2: %d", name, p.Flags)
		}
	}
	look(t, "tables", slices.Collect(maps.Values(pictures)))
}
