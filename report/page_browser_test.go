package report

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	cmpdiff "github.com/google/go-cmp/cmp"
)

// studiesOfTest is the number of studies that the issue of the page names.
const studiesOfTest = 10000

// truth is a study of a generated cohort, with its T2, change and outliers calculated by the test.
type truth struct {
	id, subject string
	visit       int
	status      string
	t2, change  [3]float64 // of medial, lateral and patellofemoral; NaN without a value
	odd         [3]bool
	flags       []QualityFlag
	warnings    []string
}

// truthOf returns the studies of a generated cohort in the order of subject and visit.
func truthOf(c studyList) []truth {
	var all []truth
	for _, r := range c.Results {
		s := truth{id: identifier(r.Subject, r.Visit, r.Study, r.Series, r.Side), subject: r.Subject, status: "done",
			visit: slices.Index(cohortVisits, r.Visit), flags: r.QualityFlags, warnings: r.Warnings}
		for k := range s.t2 {
			s.t2[k] = float64(r.Compartments[k].MeanT2)
		}
		all = append(all, s)
	}
	for _, f := range c.Failures {
		all = append(all, truth{id: identifier(f.Subject, f.Visit, f.Study, f.Series, f.Side, f.Folder, f.Reason),
			subject: f.Subject, visit: slices.Index(cohortVisits, f.Visit), status: f.status()})
	}
	slices.SortFunc(all, func(a, b truth) int {
		return cmp.Or(cmp.Compare(a.subject, b.subject), cmp.Compare(a.visit, b.visit))
	})
	first := map[string]truth{} // the first finished visit, which is the baseline if that is done
	for i, s := range all {
		known, ok := first[s.subject]
		if s.status == "done" && !ok {
			first[s.subject] = s
		}
		for k := range s.change {
			all[i].change[k] = math.NaN()
			if s.status != "done" {
				all[i].t2[k] = math.NaN()
			} else if ok {
				all[i].change[k] = twoDecimals(s.t2[k] - known.t2[k])
			}
		}
	}
	for i := range all {
		for k := range all[i].t2 {
			all[i].t2[k] = twoDecimals(all[i].t2[k])
		}
	}
	for k := range 3 {
		mark(all, k, func(s truth) float64 { return s.t2[k] })
		mark(all, k, func(s truth) float64 { return s.change[k] })
	}
	return all
}

// twoDecimals is a number as the page shows it.
func twoDecimals(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 2, 64), 64)
	return y
}

// mark marks outliers of a value.
func mark(all []truth, k int, value func(truth) float64) {
	middle := func(values []float64) float64 {
		values = slices.DeleteFunc(values, math.IsNaN)
		slices.Sort(values)
		n := len(values)
		return (values[(n-1)/2] + values[n/2]) / 2
	}
	var values, sizes []float64
	for _, s := range all {
		values = append(values, value(s))
	}
	center := middle(slices.Clone(values))
	for _, x := range values {
		sizes = append(sizes, math.Abs(x-center))
	}
	mad := middle(sizes)
	for i, x := range values {
		if math.Abs(0.6745*(x-center)/mad) > 3.5 {
			all[i].odd[k] = true
		}
	}
}

// hasValues reports whether any of the compartments k has a T2 and a change in the ranges.
func hasValues(s truth, t2, change [2]float64, compartments ...int) bool {
	inside := func(x float64, r [2]float64) bool {
		return math.IsInf(r[0], -1) && math.IsInf(r[1], 1) || x >= r[0] && x <= r[1]
	}
	return slices.ContainsFunc(compartments, func(k int) bool {
		return s.status == "done" && inside(s.t2[k], t2) && inside(s.change[k], change)
	})
}

var anyValue = [2]float64{math.Inf(-1), math.Inf(1)}

// ordered orders studies by a value; those without one come last.
func ordered(sign float64, value func(truth) float64) func(a, b truth) int {
	return func(a, b truth) int {
		x, y := sign*value(a), sign*value(b)
		switch {
		case math.IsNaN(x) && math.IsNaN(y):
			return 0
		case math.IsNaN(x):
			return 1
		case math.IsNaN(y):
			return -1
		}
		return cmp.Compare(x, y)
	}
}

func hasFlag(s truth, keep func(QualityFlag) bool) bool { return slices.ContainsFunc(s.flags, keep) }

// selections are views of a generated cohort: the address, the studies that it shows and their order.
var selections = []struct {
	hash  string
	keep  func(truth) bool
	order func(a, b truth) int // nil: subject and visit
}{
	{"#", func(truth) bool { return true }, nil},
	{"#q=s00123", func(s truth) bool { return strings.Contains(s.subject, "S00123") }, nil},
	{"#q=MONTH12+loss", func(s truth) bool { return s.visit == 2 && len(s.warnings) > 0 }, nil},
	{"#q=echotime", func(s truth) bool { return s.status != "done" }, nil},
	{"#q=S00200%2Fmonth3", func(s truth) bool { return s.subject == "S00200" && s.visit == 1 }, nil},
	{"#subject=s0033", func(s truth) bool { return strings.HasPrefix(s.subject, "S0033") }, nil},
	{"#subject=s00333", func(s truth) bool { return s.subject == "S00333" }, nil},
	{"#visit=month3", func(s truth) bool { return s.visit == 1 }, nil},
	{"#status=done", func(s truth) bool { return s.status == "done" }, nil},
	{"#status=failed", func(s truth) bool { return s.status == "failed" }, nil},
	{"#status=not-done", func(s truth) bool { return s.status == "not done" }, nil},
	{"#compartment=lateral", func(s truth) bool { return s.status == "done" }, nil},
	{"#flag=any", func(s truth) bool { return len(s.flags) > 0 }, nil},
	{"#flag=any&compartment=medial", func(s truth) bool {
		return hasFlag(s, func(f QualityFlag) bool { return f.Compartment != "lateral" })
	}, nil},
	{"#flag=fail", func(s truth) bool { return hasFlag(s, func(f QualityFlag) bool { return f.Level == Fail }) }, nil},
	{"#flag=measure%3Aacquisition", func(s truth) bool {
		return hasFlag(s, func(f QualityFlag) bool { return f.Measure == MeasureAcquisition })
	}, nil},
	{"#flag=warnings", func(s truth) bool { return len(s.warnings) > 0 }, nil},
	{"#flag=outlier", func(s truth) bool { return s.odd[0] || s.odd[1] || s.odd[2] }, nil},
	{"#flag=outlier&compartment=lateral", func(s truth) bool { return s.odd[1] }, nil},
	{"#flag=none", func(s truth) bool {
		return s.status == "done" && len(s.flags)+len(s.warnings) == 0 && s.odd == [3]bool{}
	}, nil},
	{"#t2-from=47.5", func(s truth) bool {
		return hasValues(s, [2]float64{47.5, math.Inf(1)}, anyValue, 0, 1, 2)
	}, nil},
	{"#t2-from=36&t2-to=36.5&compartment=medial", func(s truth) bool {
		return hasValues(s, [2]float64{36, 36.5}, anyValue, 0)
	}, nil},
	{"#change-to=-3", func(s truth) bool { return hasValues(s, anyValue, [2]float64{math.Inf(-1), -3}, 0, 1, 2) }, nil},
	{"#change-from=2&t2-to=40&compartment=lateral", func(s truth) bool {
		return hasValues(s, [2]float64{math.Inf(-1), 40}, [2]float64{2, math.Inf(1)}, 1)
	}, nil},
	{"#order=descending&visit=month3", func(s truth) bool { return s.visit == 1 },
		func(a, b truth) int { return cmp.Compare(b.subject, a.subject) }},
	{"#sort=visit&q=S000", func(s truth) bool { return strings.HasPrefix(s.subject, "S000") },
		ordered(1, func(s truth) float64 { return float64(s.visit) })},
	{"#sort=t2%3Apatellofemoral", func(truth) bool { return true },
		ordered(1, func(s truth) float64 { return s.t2[2] })},
	{"#sort=t2%3Amedial&order=descending", func(truth) bool { return true },
		ordered(-1, func(s truth) float64 { return s.t2[0] })},
	{"#sort=change%3Alateral&order=descending&visit=month12", func(s truth) bool { return s.visit == 2 },
		ordered(-1, func(s truth) float64 { return s.change[1] })},
	{"#sort=quality&order=descending&visit=baseline", func(s truth) bool { return s.visit == 0 },
		ordered(-1, func(s truth) float64 {
			score := 10*float64(count(s.odd)) + float64(len(s.warnings)) + 100*float64(len(s.flags))
			if hasFlag(s, func(f QualityFlag) bool { return f.Level == Fail }) {
				score += 1e4
			}
			return score + map[string]float64{"failed": 1e6, "not done": 2e6}[s.status]
		})},
}

func count(marks [3]bool) (n int) {
	for _, m := range marks {
		if m {
			n++
		}
	}
	return n
}

// A page of 10,000 studies selects and sorts them as the test does.
func TestPageOfManyStudies(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	c := generatedStudies(dir, studiesOfTest)
	start := time.Now()
	writePageOf(t, dir, c)
	t.Logf("written in %v", time.Since(start))
	studies := truthOf(c)
	b.open(dir, "")
	var ready float64
	b.evaluate("performance.getEntriesByName('usable')[0].startTime", &ready)
	t.Logf("usable %.0f ms after navigation", ready)
	for _, c := range selections {
		var want []string
		kept := slices.DeleteFunc(slices.Clone(studies), func(s truth) bool { return !c.keep(s) })
		if c.order != nil {
			slices.SortStableFunc(kept, c.order)
		}
		for _, s := range kept {
			want = append(want, s.id)
		}
		if len(want) == 0 {
			t.Errorf("%s: the test expects no studies", c.hash)
		}
		checkSelection(t, b, c.hash, want)
	}
	checkCells(t, b, dir, studies)
	// The details of a study in the last file.
	last := studies[len(studies)-2]
	b.open(dir, "#open="+last.id)
	b.until("document.querySelector('#study .links a')")
	want := "/" + last.subject + "/" + cohortVisits[last.visit] + "/overlay.png"
	if got := b.text("document.querySelector('#study .links a').href"); !strings.HasSuffix(got, want) {
		t.Errorf("the study links %s, want %s", got, want)
	}
	checkRequests(t, b, dir)
}

// checkSelection compares the number of studies that an address shows, and those on the first and on the last page.
func checkSelection(t *testing.T, b *browser, hash string, want []string) {
	t.Helper()
	const size = 100 // studies on a page
	last := (len(want) - 1) / size * size
	for page, part := range map[string][]string{"": want[:min(size, len(want))], "&page=999": want[last:]} {
		b.evaluate("location.hash = '#x'", nil)
		b.until("location.hash === '#x' && document.getElementById('count').textContent === '10,000 studies'")
		b.evaluate("location.hash = '"+hash+page+"'", nil)
		words := "10,000 studies"
		if len(want) < studiesOfTest {
			words = thousands(len(want)) + " of " + words
		}
		b.until("document.getElementById('count').textContent === '" + words + "'")
		var got []string
		b.evaluate(`[...document.querySelectorAll("tr[data-id]")].map(r => r.dataset.id)`, &got)
		if diff := cmpdiff.Diff(part, got); diff != "" {
			t.Errorf("%s%s (-want +got):\n%s", hash, page, diff)
		}
	}
}

// thousands writes a number below a million with a comma.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// checkCells compares the cells of a page of the table with the truth.
func checkCells(t *testing.T, b *browser, dir string, studies []truth) {
	t.Helper()
	b.open(dir, "#page=50")
	var rows [][]string
	b.evaluate(`[...document.querySelectorAll("tr[data-id]")].map(r => [...r.cells].map(c => c.textContent))`, &rows)
	if len(rows) != 100 {
		t.Fatalf("%d rows", len(rows))
	}
	text := func(x float64, sign bool) string {
		words := strings.ReplaceAll(strconv.FormatFloat(x, 'f', 2, 64), "-", "−")
		switch {
		case math.IsNaN(x) && sign:
			return ""
		case math.IsNaN(x):
			return "–"
		case sign && x > 0:
			return "+" + words
		}
		return words
	}
	for n, s := range studies[4900:5000] {
		want := []string{s.subject, cohortVisits[s.visit]}
		if s.status != "done" {
			want = append(want, "", "read: IM_0042: EchoTime (0018,0081): missing"+"ask the site for the original export",
				s.status)
		} else {
			want = append(want, "left")
			for k := range 3 {
				want = append(want, text(s.t2[k], false), text(s.change[k], true))
			}
			rows[n] = rows[n][:len(want)] // quality is tested by the filters
		}
		if diff := cmpdiff.Diff(want, rows[n]); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", n, diff)
		}
	}
}

// checkRequests reports messages of the browser, and requests for anything but files of the page.
func checkRequests(t *testing.T, b *browser, dir string) {
	t.Helper()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, address := range b.requests {
		if address != "about:blank" && !strings.HasPrefix(address, "file://"+dir+"/") {
			t.Errorf("the page requests %s", address)
		}
	}
	for _, line := range b.logged {
		if strings.HasSuffix(line, previewFile) { // generated studies have no folders
			continue
		}
		t.Errorf("the browser says %s", line)
	}
	b.requests, b.logged = nil, nil
}

// Keys search, move, open and close, and the address follows, so that it can be sent.
func TestPageByKeys(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	c := generatedStudies(dir, 300)
	writePageOf(t, dir, c)
	studies := truthOf(c)
	b.open(dir, "")
	focused := func() string { return b.text("document.activeElement.dataset.id ?? document.activeElement.id") }
	b.press("/")
	if got := focused(); got != "q" {
		t.Errorf("after /: %q has the focus", got)
	}
	for _, letter := range "month12" {
		b.press(string(letter))
	}
	b.press("Enter")
	b.press("ArrowDown")
	b.press("ArrowDown")
	b.press("ArrowUp")
	want := studies[5].id // the second of visit month12
	if got := focused(); got != want {
		t.Errorf("%q has the focus, want the second row, %q", got, want)
	}
	b.press("Enter")
	b.until("document.getElementById('study').open")
	b.until("location.hash === '#q=month12&open=" + want + "'")
	b.press("ArrowRight")
	b.until("location.hash === '#q=month12&open=" + studies[8].id + "'")
	b.until("document.querySelector('#study .rows')")
	if got, want := b.text("document.querySelector('#study h3').textContent"), "S00003 · month12 · left"; got != want {
		t.Errorf("%q is open, want %q", got, want)
	}
	b.press("Escape")
	b.until("!document.getElementById('study').open && location.hash === '#q=month12'")
	if got := focused(); got != studies[8].id {
		t.Errorf("%q has the focus, want the row of the study that was open", got)
	}
	checkRequests(t, b, dir)
}

// The mouse sorts, opens and closes.
func TestPageByMouse(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	writePageOf(t, dir, generatedStudies(dir, 300))
	b.open(dir, "#q=month12")
	for _, want := range []string{"ascending", "descending"} {
		b.evaluate(`document.querySelector("[data-sort='t2:lateral']").click()`, nil)
		if got := b.text(`document.querySelector("[data-sort='t2:lateral']").closest("th").ariaSort`); got != want {
			t.Errorf("aria-sort is %q, want %q", got, want)
		}
	}
	b.until("location.hash === '#q=month12&sort=t2%3Alateral&order=descending'")
	b.evaluate("location.hash = '#open=000000000000'", nil)
	b.until("!document.getElementById('trouble').hidden")
	b.evaluate("location.hash = '#view=subjects&subject=S00007'", nil)
	b.until("document.querySelectorAll('.multiples figure').length === 1")
	var points int
	if b.evaluate("document.querySelectorAll('.multiples .point').length", &points); points < 7 || points > 9 {
		t.Errorf("%d points, want one for each visit and compartment", points)
	}
	b.click(".multiples .point")
	b.until("document.getElementById('study').open")
	b.click("#study-close")
	b.until("!document.getElementById('study').open && location.hash === '#view=subjects&subject=S00007'")
	b.evaluate("location.hash = '#'", nil)
	b.until("document.querySelector('tr[data-id]')")
	b.click("tr[data-id] td.t2")
	b.until("document.querySelector('#study h3')?.textContent === 'S00001 · baseline · left'")
	checkRequests(t, b, dir)
}

// Nothing is wider than a telephone, nor than a window in which tables scroll by themselves. In the dark, text is light.
func TestPageFitsWindows(t *testing.T) {
	b := newBrowser(t, 390, 844)
	dir, few := t.TempDir(), t.TempDir()
	c := generatedStudies(dir, 300)
	writePageOf(t, dir, c)
	writePageOf(t, few, fewStudies(t, few))
	b.dark(true)
	for _, width := range []int{390, 820, 1280} {
		b.size(width, 844)
		for name, view := range map[string][2]string{
			"table": {dir, "#flag=any"}, "failed": {dir, "#status=failed"}, "subjects": {dir, "#view=subjects"},
			"pictures": {few, ""}, "study": {dir, "#open=" + truthOf(c)[4].id},
		} {
			b.open(view[0], view[1])
			b.until("!document.querySelector('.rest')") // details are there
			var wide float64
			b.evaluate("Math.max(document.documentElement.scrollWidth, "+
				"document.getElementById('study-content').scrollWidth)", &wide)
			if wide > float64(width) {
				t.Errorf("%s: %.0f pixels wide, in a window of %d", name, wide, width)
			}
			b.picture(fmt.Sprintf("%s-%d.png", name, width))
		}
	}
	if got := b.text("getComputedStyle(document.body).color"); got != "rgb(230, 233, 239)" {
		t.Errorf("the colour of text is %s in the dark", got)
	}
}

// A page of few studies shows their pictures at once, and everything that is known about them.
func TestPageOfFewStudies(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	writePageOf(t, dir, fewStudies(t, dir))
	b.open(dir, "")
	b.until("document.images.length === 3 && [...document.images].every(i => i.complete && i.naturalWidth > 0)")
	text := strings.Join(strings.Fields(b.text("document.body.innerText")), " ")
	for _, want := range []string{
		"3 studies done", "3 with warnings", "2 failed", "2 subjects", "ask the site for the original export",
		"failed: -no multi-echo series", "S 01 · baseline · left", "medial 38.21 ± 9.10 median 37.00 (31.00–44.25)",
		"SE of the mean 0.123 100 / 120 6 low signal 5 not decaying",
		"0.9877 SNR 29.6–17.3 41.3 SNR at the last echo 17.3 (limit 20)",
		"lateral no voxel with a sound T2 0 / 3 3 low signal", "patellofemoral no voxels in the mask 0 / 0",
		"2 files passed over: not DICOM", "mask S01/seg.dcm (SEG)", "images were compressed with loss", "study 5f0c1a",
		"mask carried from baseline", "elastix 5.2.0", "+2.50 from baseline",
		"Quality of the study 1 deviation from the protocol: TR 2500 ms, expected 2700 ± 1 ms echoes shifted by 1.40 px " +
			"(limit 1) Compartment",
		"overlay, full size · regions · unrolled · depth · registration · decay · values", "Quality",
		"Regions and layers",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	if n := strings.Count(text, "TR 2500 ms"); n != 3 {
		t.Errorf("the deviation of each of three studies is shown %d times", n)
	}
	var links []string
	b.evaluate("[...document.querySelectorAll('article a')].map(a => a.href)", &links)
	for _, a := range links {
		name, err := unescaped(a)
		if _, statErr := os.Stat(name); err != nil || statErr != nil {
			t.Errorf("link %s: %v %v", a, err, statErr)
		}
	}
	b.picture("few.png")
	b.picture("few.pdf")
	if err := os.Remove(filepath.Join(dir, "S 01", "baseline", previewFile)); err != nil {
		t.Fatal(err)
	}
	checkRequests(t, b, dir)
	b.open(dir, "#view=studies&visit=baseline&compartment=medial")
	b.until("document.body.innerText.includes('No picture: preview.jpg cannot be read')")
	details, err := filepath.Glob(filepath.Join(dir, PageFolder, "details-*"))
	if err != nil || len(details) != 1 || os.Remove(details[0]) != nil {
		t.Fatal(details, err)
	}
	b.open(dir, "")
	b.until("document.body.innerText.includes('The details of this study cannot be read')")
	rows, err := filepath.Glob(filepath.Join(dir, PageFolder, "studies-*"))
	if err != nil || len(rows) != 1 || os.Remove(rows[0]) != nil {
		t.Fatal(rows, err)
	}
	b.open(dir, "")
	b.until("document.getElementById('incomplete').innerText === '0 of 5 studies are shown: files are missing in the folder page.'")
}

// The page prints what is selected.
func TestPagePrints(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("pdftotext is not installed")
	}
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	c := generatedStudies(dir, 900)
	writePageOf(t, dir, c)
	b.open(dir, "#visit=month12")
	text := printedText(t, b)
	if got := strings.Count(text, "month12"); got < 300 {
		t.Errorf("%d studies are printed, want 300", got)
	}
	if want := "Shown: visit month12."; !strings.Contains(text, want) {
		t.Errorf("the print does not say %q", want)
	}
	t.Logf("%d sheets", strings.Count(text, "\f"))
	b.picture("table.pdf")
	b.open(dir, "#visit=month12&page=2")
	b.evaluate("document.querySelectorAll('tr[data-id]')[3].click()", nil)
	b.until("document.querySelector('#study .rows')")
	text = printedText(t, b)
	if n := strings.Count(text, "month12"); strings.Contains(text, "Knee cartilage T2") || n == 0 || n > 20 {
		t.Errorf("an open study is not printed alone: %s", text)
	}
	b.picture("study.pdf")
	b.until("document.querySelector('#study .rows')") // it is in its dialog again
	b.press("Escape")
	b.until("location.hash === '#visit=month12&page=2' && document.querySelectorAll('tr[data-id]').length === 100")
	b.open(dir, "#view=subjects&visit=month12")
	if n := strings.Count(printedText(t, b), "S00"); n < 300 {
		t.Errorf("%d subjects are printed, want 300", n)
	}
}

// printedText returns the text of the page in print.
func printedText(t *testing.T, b *browser) string {
	t.Helper()
	c := exec.Command("pdftotext", "-layout", "-", "-")
	c.Stdin = bytes.NewReader(b.pdf())
	text, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fewStudies writes the folders of some studies and returns their cohort.
func fewStudies(t *testing.T, dir string) studyList {
	t.Helper()
	c := studyList{Version: "1.2.3", Failures: sampleList(dir).Failures}
	for _, visit := range []string{"month3", "baseline", "month12"} {
		s := full()
		s.Result.Subject, s.Result.Visit = "S 01", visit
		if visit == "month3" {
			s.Result.Compartments[0].MeanT2 += 2.5
		}
		s.Result.Protocol.Quality = &QualityLimits{Baseline: "baseline"}
		s.Result.Quality = &Quality{ShiftI: 0.1, ShiftJ: 0.2, ShiftCorrelation: 0.9}
		s.Result.QualityFlags = []QualityFlag{{Measure: MeasureSNRLast, Compartment: "medial", Value: 17.3, Limit: 20,
			Level: Fail}, {Measure: MeasureAcquisition, Value: 1, Level: Warn},
			{Measure: MeasureShift, Value: 1.4, Limit: 1, Level: Fail}}
		s.Result.Deviations = generatedDeviations
		s.Result.Warnings = append(s.Result.Warnings, DeviationsWarning(s.Result.Deviations))
		r, err := WriteStudy(filepath.Join(dir, s.Result.Subject, visit), s)
		if err != nil {
			t.Fatal(err)
		}
		c.Results = append(c.Results, r)
	}
	return c
}

// unescaped returns the path of a URL of a file.
func unescaped(address string) (string, error) {
	path, ok := strings.CutPrefix(address, "file://")
	if !ok {
		return "", fmt.Errorf("%s is not a file", address)
	}
	return url.PathUnescape(path)
}
