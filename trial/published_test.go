package trial

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// A trial with exactly the means and SDs that the founding trial published has about the published p: the change of
// two scores from baseline to 9 months, 12 subjects per arm (Lee et al., Cell Transplantation 2025,
// doi:10.1177/09636897241303275, abstract; control and cells). Its primary model is then the analysis of covariance
// with a baseline that explains nothing: t = t of Student's test · √(21/22), with 21 degrees of freedom. Welch's p are
// those of an independent program.
func TestPublishedMoments(t *testing.T) {
	const n = 12
	all := []struct {
		name                    string
		mean, sd                [2]float64
		published, welch, mixed float64
	}{
		{"WOMAC", [2]float64{-0.1, -5.0}, [2]float64{5.5, 3.6}, 0.02, 0.018, 0.0198},
		{"KOOS", [2]float64{7.2, 23.9}, [2]float64{15.9, 18.3}, 0.028, 0.026, 0.0298},
	}
	// odd and even have 12 numbers with mean 0 and SD 1, and are not correlated.
	var odd, even [n]float64
	for i := range n {
		x := float64(i) - float64(n-1)/2
		odd[i], even[i] = x, x*x
	}
	for _, x := range [][]float64{odd[:], even[:]} {
		mean, sd := moments(x)
		for i := range x {
			x[i] = (x[i] - mean) / sd
		}
	}
	visits := []string{"baseline", "month03", "month06", "month09", "month12"}
	tables := made{arms: twoArms, visits: visits, perArm: n, heading: "# visits[T2]: baseline, month03, month12\n" +
		"# primary: WOMAC@month09, KOOS@month09\n"}.tables()
	tables.Compartments.Data = []byte(withoutVisits(string(tables.Compartments.Data), "month06", "month09"))
	for _, s := range all {
		text := "subject,visit,name,value\n"
		for i := range 2 * n {
			arm, k := i%2, i/2
			baseline := 50 + 5*even[k]
			change := s.mean[arm] + s.sd[arm]*odd[k]
			for v, visit := range visits {
				value := baseline + change*float64(v)/3 // the changes grow until month 9, and beyond
				if v != 0 && v != 3 {
					value += s.sd[arm] * math.Sin(float64(7*v*i)) / 2
				}
				text += fmt.Sprintf("S%02d,%s,%s,%.12g\n", i+1, visit, s.name, value)
			}
		}
		tables.Scores = append(tables.Scores, Source{Name: s.name + ".csv", Data: []byte(text)})
	}
	a := analyse(t, tables)
	for i, s := range all {
		e := a.Endpoints[2+i]
		const month09 = 3
		for arm := range 2 {
			if d := e.Cells[arm][month09].Change; math.Abs(d.Mean-s.mean[arm]) > 1e-9 || math.Abs(d.SD-s.sd[arm]) > 1e-9 {
				t.Fatalf("%s, arm %d: %+v", e.Name, arm, d)
			}
		}
		c := e.Contrasts[month09-1]
		if !c.Primary() || c.Visit != month09 || math.Abs(c.Welch.P-s.welch) > 5e-4 ||
			math.Abs(c.Model.P-s.mixed) > 1e-4 || math.Abs(c.Ancova.P-s.mixed) > 1e-4 ||
			math.Abs(c.Model.P-s.published) > 0.002 {
			t.Errorf("%s: model p %.4f with %.2f df, ANCOVA %.4f, Welch %.4f; published %g", s.name, c.Model.P, c.Model.DF,
				c.Ancova.P, c.Welch.P, s.published)
		}
		t.Logf("%s: model p %.4f, Holm %.4f, Welch %.4f; published %g", s.name, c.Model.P, c.Holm, c.Welch.P, s.published)
	}
	if sum := 2 * a.Endpoints[2].Contrasts[2].Model.P; math.Abs(a.Endpoints[2].Contrasts[2].Holm-sum) > 1e-12 {
		t.Errorf("Holm of the smaller of two: %g", a.Endpoints[2].Contrasts[2].Holm)
	}
}

func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, math.Sqrt(sd)
}

func withoutVisits(text string, visits ...string) string {
	for _, v := range visits {
		var kept []string
		for line := range strings.SplitSeq(text, "\n") {
			if !strings.Contains(line, ","+v+",") {
				kept = append(kept, line)
			}
		}
		text = strings.Join(kept, "\n")
	}
	return text
}
