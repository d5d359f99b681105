package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const manyStudies = 10000

// A page of 10,000 studies is usable soon, and asks for nothing but the files beside it.
func TestPageOfManyStudies(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	c := generated(dir, manyStudies)
	start := time.Now()
	writePageOf(t, dir, c)
	t.Logf("written in %v", time.Since(start))
	b.open(dir, "")
	for _, hash := range []string{"", "#flag=any&visit=month12&sort=change%3Amedial&order=descending"} {
		b.open(dir, hash)
		var ready float64
		b.evaluate("performance.getEntriesByType('mark').find(m => m.name === 'usable').startTime", &ready)
		t.Logf("usable %.0f ms after navigation (%q)", ready, hash)
		t.Log(b.text("document.getElementById('count').textContent"))
	}
	b.picture("table.png")
	b.open(dir, "")
	b.picture("table-all.png")
	b.open(dir, "#view=subjects&sort=change%3Amedial&order=descending")
	b.picture("subjects.png")
	b.dark(true)
	b.picture("subjects-dark.png")
	b.open(dir, "#flag=outlier")
	b.picture("table-dark.png")
	b.size(390, 844)
	b.open(dir, "#flag=any")
	b.picture("narrow-dark.png")
	b.dark(false)
	b.evaluate("scrollTo(0, 500)", nil)
	b.picture("narrow.png")
	b.open(dir, "#view=subjects")
	b.picture("narrow-subjects.png")
}

// A page of few studies shows their pictures at once.
func TestPageOfFewStudies(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	c := fewStudies(t, dir)
	writePageOf(t, dir, c)
	b.open(dir, "")
	b.until("document.images.length > 0 && [...document.images].every(i => i.complete && i.naturalWidth > 0)")
	b.evaluate("document.querySelectorAll('details.parts').forEach(d => { d.open = true })", nil)
	b.evaluate("scrollTo(0, 300)", nil)
	b.picture("few.png")
	b.picture("few.pdf")
	b.open(dir, "#view=table")
	b.press("ArrowDown")
	b.press("ArrowDown")
	b.press("Enter")
	b.until("document.getElementById('study').open && document.images.length > 0 && document.images[0].complete")
	b.picture("dialog.png")
	b.dark(true)
	b.picture("dialog-dark.png")
	b.size(390, 844)
	b.picture("dialog-narrow-dark.png")
	t.Log(b.logged)
}

// fewStudies writes the folders of some studies and returns their cohort.
func fewStudies(t *testing.T, dir string) Cohort {
	c := Cohort{Version: "1.2.3", Failures: sampleCohort(dir).Failures}
	for n, visit := range []string{"month3", "baseline", "month12"} {
		s := full()
		s.Result.Subject, s.Result.Visit, s.Result.Study = "S 01", visit, fmt.Sprint(n)
		s.Result.Compartments[0].MeanT2 += 2 * s.Result.Compartments[0].SEMeanT2 * 10
		s.Result.Protocol.Quality = &QualityLimits{VolumePercent: 20, Baseline: "baseline", SNRLast: Limits{30, 20}}
		s.Result.Quality = &Quality{ShiftI: 0.1, ShiftJ: 0.2, ShiftCorrelation: 0.9}
		s.Result.QualityFlags = s.Result.FindFlags()
		r, err := WriteStudy(filepath.Join(dir, s.Result.Subject, visit), s)
		if err != nil {
			t.Fatal(err)
		}
		c.Results = append(c.Results, r)
	}
	return c
}

var _ = json.Marshal
var _ = os.Remove
