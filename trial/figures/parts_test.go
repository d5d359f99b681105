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

	"gonum.org/v1/plot/vg"

	"github.com/t2map/t2map/trial"
)

func TestThin(t *testing.T) {
	for _, c := range []struct {
		places []vg.Length
		want   []int
	}{
		{nil, nil}, {[]vg.Length{5}, []int{0}}, {[]vg.Length{0, 5}, []int{0}}, {[]vg.Length{0, 13}, []int{0, 1}},
		{[]vg.Length{0, 5, 13, 20, 40}, []int{0, 2, 4}}, {[]vg.Length{0, 30, 40}, []int{0, 2}}, {[]vg.Length{0, 1, 2, 3}, []int{0}},
	} {
		if got := thin(c.places, same(len(c.places), 10), 3); !slices.Equal(got, c.want) {
			t.Errorf("thin(%v) = %v, want %v", c.places, got, c.want)
		}
	}
}

// An interval that would flatten all else is cut; one that would not is not.
func TestSight(t *testing.T) {
	if r, _ := sight([]float64{30, 40}, []float64{25, 45}); !r.Has(25) || !r.Has(45) {
		t.Errorf("an interval is cut by %v", r)
	}
	r, _ := sight([]float64{30, 40}, []float64{-500, 600})
	if r.Has(-500) || r.Has(600) || !r.Has(30) || !r.Has(40) {
		t.Errorf("intervals of hundreds give %v", r)
	}
	if r, any := sight(nil, nil); any || !(r.Length() > 0) {
		t.Errorf("of nothing: %v, %v", r, any)
	}
	if r, _ := sight([]float64{35}, []float64{20, 50}); !r.Has(20) || !r.Has(50) {
		t.Errorf("the interval of one mean is cut by %v", r)
	}
}

// Intervals of which most are alike are shown whole, however near their estimates are to each
// other; one that is far wider, or none, is not asked for.
func TestUsualIntervals(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct{ in, want []float64 }{
		{nil, nil}, {[]float64{nan, nan}, nil}, {[]float64{-1, 1}, []float64{-1, 1}},
		{[]float64{-1, 1, nan, nan, 0, 3, -90, 90}, []float64{-1, 1, 0, 3}}, {[]float64{-1, 1, -90, 90}, []float64{-1, 1}},
		{[]float64{-90, 90, -80, 80}, []float64{-90, 90, -80, 80}}, {[]float64{math.Inf(-1), math.Inf(1), 0, 1}, []float64{0, 1}},
	} {
		if got := usual(c.in); !slices.Equal(got, c.want) {
			t.Errorf("usual(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestRuns(t *testing.T) {
	if got := runs(7, func(n int) bool { return strings.Contains("0124", fmt.Sprint(n)) }); !slices.Equal(got, [][2]int{{0, 3}, {4, 5}}) {
		t.Errorf("%v", got)
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		errors []float64
		want   int
	}{{nil, 2}, {[]float64{math.NaN(), 0, -1}, 2}, {[]float64{0.8}, 2}, {[]float64{1.2}, 1}, {[]float64{0.01, 0.8, 0.9}, 2}, {[]float64{25}, 0}, {[]float64{1e-9}, 4}} {
		if got := decimalsFor(c.errors); got != c.want {
			t.Errorf("decimalsFor(%v) = %d, want %d", c.errors, got, c.want)
		}
	}
}

func TestReasons(t *testing.T) {
	got := frequent(map[string]int{"a": 1, "b": 5, "c": 5, "d": 2, "e": 1, "f": 1})
	if want := []string{"b", "c", "d", "a", "other reasons"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for in, want := range map[string]string{"study failed: s07: read": "study failed", "no study": "no study", "": "no reason given", " : x": "no reason given"} {
		if got := category(in); got != want {
			t.Errorf("category(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPValue(t *testing.T) {
	for p, want := range map[float64]string{0.0001: "< 0.001", 0: "< 0.001", 0.001: "0.001", 0.0456: "0.046", 1: "1.000"} {
		if got := pValue(p); got != want {
			t.Errorf("pValue(%g) = %q, want %q", p, got, want)
		}
	}
	if got := pValue(math.NaN()); got != "–" {
		t.Errorf("of NaN: %q", got)
	}
}

// A month that is none, or visits that do not follow each other, are drawn in order.
func TestVisitAxis(t *testing.T) {
	of := func(months ...float64) visitAxis {
		var d trial.Design
		for n, m := range months {
			d.Visits = append(d.Visits, trial.Visit{Name: fmt.Sprintf("v%d", n), Month: m})
		}
		return newVisitAxis(d)
	}
	if v := of(0, 3, 12); v.label != "Month" || v.words[2] != "12" || v.x[2] != 12 {
		t.Errorf("%+v", v)
	}
	for name, v := range map[string]visitAxis{"no number": of(0, math.NaN(), 3), "equal": of(0, 0, 3), "infinite": of(0, math.Inf(1), 1)} {
		if v.label != "Visit" || v.words[1] != "v1" || v.x[2] != 2 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// An analysis as it is made of tables gives all figures, with its scanner change on
// every one that it touches.
func TestOfTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var design, values, scores strings.Builder
	design.WriteString("# visits: baseline=0, month03=3, month12=12\n# reference: control\nsubject,arm\n")
	values.WriteString("subject,visit,study,series,side,compartment,mean_t2_ms,method,settings,scanner,acquisition,lossy_images,note\n")
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
				fmt.Fprintf(&values, "%s,%s,st%d%d,se%d%d,right,%s,%.2f,nlls,plain,%s,7 echoes,,\n", id, visit, n, v, n, v, c, 36+rng.NormFloat64(), scanner)
			}
			fmt.Fprintf(&scores, "%s,%s,VAS,%.0f,higher is worse,mm\n", id, visit, 50+9*rng.NormFloat64())
		}
	}
	source := func(name string, b *strings.Builder) trial.Source {
		return trial.Source{Name: name, Data: []byte(b.String())}
	}
	a, err := trial.Analyse(context.Background(), "test", trial.Tables{
		Design: source("trial.csv", &design), Compartments: source("compartments.csv", &values), Scores: []trial.Source{source("scores.csv", &scores)},
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
			t.Errorf("%s does not show the change of scanner: %q", name, p.Flags)
		}
		if text := joined(t, p); name != "forest" && !strings.Contains(text, "\n†\n") {
			t.Errorf("%s: no dagger at a point", name)
		}
	}
	for _, name := range []string{"means-scores", "change-scores"} {
		if p := pictures[name]; len(p.Flags) != 0 {
			t.Errorf("%s has flags of T2: %q", name, p.Flags)
		}
	}
	look(t, "tables", slices.Collect(maps.Values(pictures)))
}
