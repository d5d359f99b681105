package report

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/t2map/t2map/segment"
)

var (
	addresses = regexp.MustCompile(`(?i)(?:src|href|action|data|poster|srcset|url)\s*[=(]\s*["']?([^"'\s)>]*)`)
	tags      = regexp.MustCompile(`(?s)<[^>]*>`)
)

// pageOf writes the tables of c and returns index.html.
func pageOf(t *testing.T, dir string, c Cohort) string {
	t.Helper()
	if err := WriteTables(dir, c); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// readable is what a reader sees of a page: its texts, with single spaces.
func readable(page string) string {
	body := page[strings.Index(page, "<body>"):]
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(body, " "))), " ")
}

func TestPageShowsTheFigures(t *testing.T) {
	dir := t.TempDir()
	results, failures := sampleStudies(dir)
	results[1].Warnings = nil
	got := readable(pageOf(t, dir, Cohort{Version: "1.2.3", Results: Sorted(results), Failures: failures}))
	for _, want := range []string{
		"3 studies done", "2 of them with warnings", "2 failed", "3 subjects",
		"S02 · baseline S02/baseline study 77aa read: IM_0042: EchoTime (0018,0081): missing ask the site for the original " +
			"export",
		"loose -no multi-echo series",
		"S01 month03 · left", "medial 38.21 ± 9.10 median 37.00 (31.00–44.25)",
		"100 / 120 6 low signal 5 not decaying 1 not converged 4 T2 out of range 1 poor fit 1 at bound 2 saturated 0.9877 " +
			"41.3",
		"lateral no voxel with a sound T2 0 / 3 3 low signal", "patellofemoral no voxels in the mask 0 / 0",
		"2 files passed over: not DICOM", "mask S01/seg.dcm (SEG)", "images were compressed with loss",
		"nlls, first echo not fitted, T2 from 0 to 100 ms, labels: compartments, protocol: oai, t2map 1.2.3 (2 studies)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "NaN") {
		t.Error("the page shows NaN")
	}
}

// The page asks for nothing but what lies beside it.
func TestPageIsSelfContained(t *testing.T) {
	dir := t.TempDir()
	r, err := WriteStudy(filepath.Join(dir, "S01", "x"), smallStudy())
	if err != nil {
		t.Fatal(err)
	}
	results, failures := sampleStudies(dir)
	page := pageOf(t, dir, Cohort{Version: "1.2.3", Results: Sorted(append(results, r)), Failures: failures})
	var embedded, relative int
	for _, m := range addresses.FindAllStringSubmatch(page, -1) {
		switch a := html.UnescapeString(m[1]); {
		case strings.HasPrefix(a, "data:image/jpeg;base64,"):
			embedded++
		case strings.Contains(a, ":") || strings.HasPrefix(a, "/") || strings.HasPrefix(a, "\\"):
			t.Errorf("the page asks for %q", a)
		default:
			relative++
		}
	}
	if embedded != 1 || relative == 0 {
		t.Errorf("%d embedded and %d relative addresses, want 1 and some", embedded, relative)
	}
	for _, name := range []string{"overlay.png", "decay.png", "result.json"} {
		if want := `href="S01/x/` + name + `"`; !strings.Contains(page, want) {
			t.Errorf("no link %s", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("the page has a script")
	}
}

// Text from headers is text, wherever it stands.
func TestPageEscapes(t *testing.T) {
	dir := t.TempDir()
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'` + "\u202e"
	r := sampleResult(sampleGeometry())
	r.Version, r.Subject, r.Visit, r.Side, r.Study, r.Series = evil, evil, evil, evil, evil, evil
	r.Protocol.Name, r.Protocol.Method, r.Protocol.Scheme = evil, evil, evil
	r.Notes, r.Warnings = []string{evil}, []string{evil}
	r.Mask = Mask{Path: evil, Kind: evil}
	r.Compartments[0].Compartment, r.Compartments[0].Note = evil, evil
	r.Regions[0] = segment.Summary{Compartment: evil, Region: evil, Layer: evil, Note: evil}
	r.Regions[1].Compartment = evil
	r.Mask.SourceVisit, r.Registration = evil, &Registration{Source: EarlierVisit, Program: evil}
	r.Outputs = []File{{Path: evil}}
	r.Dir = filepath.Join(dir, `javascript:alert(1)" onclick="x`)
	f := Failure{Subject: evil, Visit: evil, Study: evil, Folder: evil, Reason: evil, Hint: evil}
	page := pageOf(t, dir, Cohort{Version: evil, Results: Sorted([]Result{r}), Failures: []Failure{f}})
	harmless := sampleResult(sampleGeometry())
	harmless.Dir = filepath.Join(dir, "harmless")
	harmless.Mask.SourceVisit, harmless.Registration = "v", &Registration{Source: EarlierVisit, Program: "p"}
	plain := pageOf(t, dir, Cohort{Version: "1", Results: Sorted([]Result{harmless}),
		Failures: []Failure{{Subject: "a", Folder: "b", Study: "c", Visit: "d", Reason: "e", Hint: "f"}}})
	count := func(s string) map[string]int {
		n := map[string]int{}
		for _, tag := range tags.FindAllString(s, -1) {
			name, _, _ := strings.Cut(strings.Trim(tag, "<>/"), " ")
			n[name]++
		}
		return n
	}
	got, want := count(page), count(plain)
	for _, name := range []string{"script", "img", "style", "b", "td", "table", "li"} {
		if got[name] != want[name] {
			t.Errorf("<%s> stands %d times with hostile texts, %d with plain ones", name, got[name], want[name])
		}
	}
	for _, tag := range tags.FindAllString(page, -1) {
		if strings.Contains(tag, "onclick") && !strings.Contains(tag, "%22%20onclick") || strings.Contains(tag, "onerror") {
			t.Errorf("a text became an attribute: %s", tag)
		}
	}
	if strings.Contains(page, `href="javascript:`) || strings.Contains(page, "\u202e") {
		t.Error("a folder's name became a program, or a mark that turns the text round stayed")
	}
}

// Previews beyond the budget are linked, and a thousand studies make a page
// below 40 MB, whatever their previews.
func TestPageOfALargeCohort(t *testing.T) {
	dir := t.TempDir()
	study := smallStudy()
	study.WriteMaps = false
	r, err := WriteStudy(filepath.Join(dir, "s"), study)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Stat(filepath.Join(dir, "s", previewFile))
	if err != nil {
		t.Fatal(err)
	}
	budget := 100*int(file.Size()) + 1
	p := newPageWriter(dir, "1")
	p.budget = budget
	for n := range 1000 {
		r.Subject = fmt.Sprintf("S%04d", n)
		_ = p.add(r)
	}
	page, err := p.content(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(page), "data:image/jpeg;base64,"); got != 100 {
		t.Errorf("%d previews are embedded, want 100", got)
	}
	if got := strings.Count(string(page), `src="s/preview.jpg"`); got != 900 {
		t.Errorf("%d previews are linked, want 900", got)
	}
	text := readable(string(page))
	want := "overlays of 100 studies are part of this page, which has reached its size limit. The other 900 are loaded"
	if !strings.Contains(text, want) {
		t.Errorf("the page does not say %q", want)
	}
	if got := strings.Count(text, "This picture is not part of the page"); got != 900 {
		t.Errorf("%d pictures are said to be linked, want 900", got)
	}
	rest := len(page) - budget*4/3 // base64
	if full := rest + previewBudget*4/3; full > 40e6 {
		t.Errorf("with previews up to the budget the page has %d bytes, want less than 40 MB", full)
	}
}

func TestPageWithoutPreview(t *testing.T) {
	dir := t.TempDir()
	c := sampleCohort(dir) // no folder of its studies exists
	page := pageOf(t, dir, c)
	if strings.Contains(page, "<img") || strings.Contains(page, "<input") {
		t.Error("a picture that does not exist is shown, or can be hidden")
	}
	if got := strings.Count(page, "there is no preview.jpg"); got != 3 {
		t.Errorf("%d studies are said to have no picture, want 3", got)
	}
	bad := filepath.Join(dir, "S01", "month03")
	if err := os.MkdirAll(bad, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bad, previewFile), []byte("<svg onload=alert(1)>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteTables(dir, c); err != nil {
		t.Errorf("a picture of an earlier study fails the tables: %v", err)
	}
	written, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || !strings.Contains(readable(string(written)), "No picture: preview.jpg cannot be read.") ||
		strings.Contains(string(written), "<img") {
		t.Errorf("the page does not say that a picture is missing (%v)", err)
	}
}

func TestDescribe(t *testing.T) {
	got := describe(Protocol{Method: "loglinear", SkippedEchoes: 2, T2RangeMS: [2]float64{1, 80}, MinR2: 0.9,
		MinSignal: 12.5, Scheme: "oai-zib"}, "1.0")
	want := "loglinear, first 2 echoes not fitted, T2 from 1 to 80 ms, R² ≥ 0.9, signal ≥ 12.5, labels: oai-zib, t2map 1.0"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestBar(t *testing.T) {
	b := newBarView(40, 10)
	if b.Start != 37.5 || b.Length != 25 || b.Mean != 50 || b.Colour != "#cb4778" {
		t.Errorf("40 ± 10 ms of 80: %+v", *b)
	}
	if b := newBarView(90, 20); b.Mean != 100 || b.Start+b.Length != 100 {
		t.Errorf("beyond the scale: %+v", *b)
	}
	nan := float64(sampleResult(sampleGeometry()).Compartments[1].MeanT2)
	if newBarView(nan, nan) != nil {
		t.Error("a bar without a mean")
	}
	if b := newBarView(40, nan); b.Length != 0 {
		t.Errorf("one voxel has a length: %+v", *b)
	}
}

// The page has the regions and layers of a study, below it, and links what it has.
func TestPageOfRegions(t *testing.T) {
	dir := t.TempDir()
	r, err := WriteStudy(filepath.Join(dir, "S01", "x"), full())
	if err != nil {
		t.Fatal(err)
	}
	page := pageOf(t, dir, Cohort{Version: "1", Results: Sorted([]Result{r})})
	text := readable(page)
	for _, want := range []string{
		"Regions and layers Region Layer T2, mean ± SD (ms) used / voxels fraction Note medial whole deep 34.50 ± " +
			"8.00 59 / 60 0.950 1 low signal medial-tibial 40.00 1 / 1 0.750 one voxel with a sound T2, no SD",
		"mask carried from baseline",
		"registered: the first echo of baseline turned by 3.2°, moved by 5.1 mm; mutual information 0.210 before, 0.412 " +
			"after; elastix 5.2.0",
		"overlay, full size · regions · unrolled · depth · registration · decay · values",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	for _, name := range []string{"regions.png", "unrolled.png", "profile.png", "checkerboard.png"} {
		if want := `href="S01/x/` + name + `"`; strings.Count(page, want) != 1 {
			t.Errorf("%d links %s, want one", strings.Count(page, want), want)
		}
	}
	plain := sampleResult(sampleGeometry())
	plain.Regions, plain.Dir = nil, filepath.Join(dir, "S02")
	page = pageOf(t, dir, Cohort{Version: "1", Results: Sorted([]Result{plain})})
	if strings.Contains(page, "<details") || strings.Contains(page, "regions.png") ||
		strings.Contains(readable(page), "carried") {
		t.Error("a study without regions has some on the page")
	}
}
