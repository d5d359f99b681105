package report

import (
	"fmt"
	"testing"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
)

// In charts and their legend, compartments differ in their colour or shape.
func TestPageTellsCompartmentsApart(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	for _, n := range []int{6, 25} {
		dir := t.TempDir()
		c := generatedStudies(dir, 15)
		for i, r := range c.Results {
			var all []segment.Summary
			for k := range n {
				s := r.Compartments[0]
				s.Compartment, s.MeanT2 = fmt.Sprintf("part %d", k+1), s.MeanT2+number.Float(2*k)
				all = append(all, s)
			}
			c.Results[i].Compartments, c.Results[i].QualityFlags = all, nil
		}
		writePageOf(t, dir, c)
		b.open(dir, "#view=subjects")
		b.until("document.querySelector('.multiples .point')")
		const look = `g => g.getAttribute("class") + " " + [...g.children].filter(e => !/title|ring/.test(e.localName +
			e.getAttribute("class"))).map(e => e.localName + (e.getAttribute("d") ?? "").replace(/[-\d. ]+/g, "")).join()`
		var legend, points []string
		b.evaluate(`[...document.querySelectorAll(".legend .point")].map(`+look+`)`, &legend)
		b.evaluate(`[...document.querySelectorAll(".multiples figure:first-of-type .chart a.point")].map(`+look+`)`, &points)
		if d := distinct(legend); d != n || len(legend) != n {
			t.Errorf("%d of %d marks of the legend differ for %d compartments: %q", d, len(legend), n, legend)
		}
		if d := distinct(points); d != n {
			t.Errorf("%d marks of a chart differ for %d compartments: %q", d, n, points)
		}
		for _, dark := range []bool{false, true} {
			b.dark(dark)
			b.picture(fmt.Sprintf("parts-%d-dark-%t.png", n, dark))
		}
		b.dark(false)
	}
}

func distinct(texts []string) int {
	set := map[string]bool{}
	for _, s := range texts {
		set[s] = true
	}
	return len(set)
}
