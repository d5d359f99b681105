package report

import (
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
)

// Text from headers is text, wherever it stands: no script runs and nothing breaks.
func TestPageOfHostileTexts(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	for n, evil := range []string{
		`"><script>window.hit=1</script><img src=x onerror="window.hit=2">'` + "\u202e",
		`</script><svg onload=window.hit=3>`, `javascript:window.hit=4`, `__proto__`, `constructor`, `'-window.hit=5-'`,
		"a\u2028b\u2029c\x00\n\td", `${window.hit=6}`, `\"); window.hit=7; ("`, "\xff\xfe", `%22%3E<b>`, `../../etc`,
		`//example.com/x`, `#&=+ ?`, strings.Repeat("long", 500),
	} {
		dir := t.TempDir()
		c := hostileCohort(dir, evil)
		writePageOf(t, dir, c)
		for _, hash := range []string{"", "#view=subjects&compartment=" + url.QueryEscape(printable.Line(evil)),
			strings.ReplaceAll("#q=@&subject=@&sort=t2:@&flag=measure:@&view=@&open=@&page=@", "@", url.QueryEscape(evil))} {
			b.open(dir, hash)
			var hit, markup int
			b.evaluate("window.hit ?? 0", &hit)
			b.evaluate("document.querySelectorAll('script:not([src]), iframe, [onload], [onerror], [onclick]').length", &markup)
			if hit != 0 || markup != 0 {
				t.Errorf("%q at %s: %d, %d", evil, hash, hit, markup)
			}
		}
		b.open(dir, "#view=table")
		var rows int
		b.evaluate("document.querySelectorAll('tr[data-id]').length", &rows)
		if rows != len(c.Results)+len(c.Failures) {
			t.Errorf("%q: %d rows", evil, rows)
		}
		b.evaluate("document.querySelector('tr[data-id]:not(.failed)').click()", nil)
		b.until("document.getElementById('study').open && document.querySelector('#study .rows')")
		shown := b.text("document.getElementById('study').textContent")
		if want := printable.Line(evil); strings.Count(shown, want) < 6 {
			t.Errorf("%q: the study shows it %d times", evil, strings.Count(shown, want))
		}
		var schemes []string
		b.evaluate("[...document.querySelectorAll('a')].map(a => a.protocol)", &schemes)
		if i := slices.IndexFunc(schemes, func(s string) bool { return s != "file:" && s != "" }); i >= 0 {
			t.Errorf("%q: a link with %s", evil, schemes[i])
		}
		if n == 0 {
			b.picture("hostile.png")
		}
		var hit int
		if b.evaluate("window.hit ?? 0", &hit); hit != 0 {
			t.Errorf("%q runs when a study is opened", evil)
		}
		checkRequests(t, b, dir)
	}
}

// hostileCohort has a text in every field.
func hostileCohort(dir, evil string) studyList {
	r := sampleResult(sampleGeometry())
	r.Version, r.Subject, r.Visit, r.Side, r.Study, r.Series = evil, evil, evil, evil, evil, evil
	r.Protocol.Name, r.Protocol.Method, r.Protocol.Scheme = evil, evil, evil
	r.Notes, r.Warnings = []string{evil}, []string{evil}
	r.Mask = Mask{Path: evil, Kind: evil, SourceVisit: evil, Read: &SignedRead{Reader: evil, SHA256: evil}}
	r.Noise.Source = evil
	r.Registration = &Registration{Source: EarlierVisit, Program: evil}
	r.Compartments[0].Compartment, r.Compartments[0].Note = evil, evil
	r.Regions[0] = segment.Summary{Compartment: evil, Region: evil, Layer: evil, Note: evil}
	r.QualityFlags = []QualityFlag{{Measure: Measure(evil), Compartment: evil, Level: Level(evil)}}
	r.Quality = &Quality{Compartments: []CompartmentQuality{{Compartment: evil}}}
	r.Deviations = []Deviation{{Item: DeviationScanners, Model: evil, Models: []string{evil}}}
	r.Outputs = []File{{Path: evil}}
	r.Dir = filepath.Join(dir, "x", strings.ReplaceAll(evil, "\x00", ""))
	later := r
	later.Visit, later.Study = "later", "0123"
	f := Failure{Subject: evil, Visit: evil, Study: evil, Series: evil, Side: evil, Folder: evil, Reason: evil,
		Hint: evil}
	return studyList{Version: evil, Results: []Result{r, later}, Failures: []Failure{f}}
}
