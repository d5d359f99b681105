package report

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/number"
)

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

// writtenPage is a page as a browser reads it.
type writtenPage struct {
	index   string
	files   []string // names of the files in the folder page, in the order of index.html
	pieces  []rowPiece
	details []pageDetail
}

var pageAddresses = regexp.MustCompile(`(?:href|src)="(page/[^"]*)"`)

// pageOf writes the tables of c and reads the page. Every file in the folder page must be named.
func pageOf(t *testing.T, dir string, c studyList) writtenPage {
	t.Helper()
	if err := WriteTables(dir, c.cohort()); err != nil {
		t.Fatal(err)
	}
	return readPage(t, dir)
}

func readPage(t *testing.T, dir string) writtenPage {
	t.Helper()
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	p := writtenPage{index: read(pageFile)}
	decode := func(name, function string, out any) {
		text, called := strings.CutPrefix(read(name), "t2map."+function+"(")
		text, ended := strings.CutSuffix(text, ");\n")
		if !called || !ended {
			t.Fatalf("%s does not call %s", name, function)
		}
		if strings.ContainsAny(text, "<>\u2028\u2029") {
			t.Errorf("%s has characters of markup", name)
		}
		if err := json.Unmarshal([]byte(text), out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, m := range pageAddresses.FindAllStringSubmatch(p.index, -1) {
		p.files = append(p.files, m[1])
		if strings.HasPrefix(m[1], "page/studies-") {
			var piece rowPiece
			decode(m[1], "rows", &piece)
			p.pieces = append(p.pieces, piece)
			for _, name := range piece.Details {
				p.files = append(p.files, name)
				var details []pageDetail
				decode(name, "details", &details)
				p.details = append(p.details, details...)
			}
		}
	}
	if got := len(list(t, filepath.Join(dir, PageFolder))); got != len(p.files) {
		t.Errorf("the folder page has %d entries, want the %d files that are named", got, len(p.files))
	}
	return p
}

// readable is the text of a page, with single spaces.
func readable(page string) string {
	body := page[strings.Index(page, "<body"):]
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(body, " "))), " ")
}

func TestPageHead(t *testing.T) {
	dir := t.TempDir()
	c := sampleList(dir)
	c.Results[1].Warnings = nil
	c.Failures = append(c.Failures, Failure{Subject: "S01", NotDone: true})
	p := pageOf(t, dir, c)
	got := readable(p.index)
	for _, want := range []string{"3 studies done", "2 with warnings", "2 failed", "1 not done", "3 subjects",
		"nlls, first echo not fitted, T2 from 0 to 100 ms, labels: compartments, protocol: oai, t2map 1.2.3 (2 studies)",
		"mapped with different settings", "Failures by reason"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q:\n%s", want, got)
		}
	}
	if !strings.Contains(p.index, `href="failures.html"`) {
		t.Error("the page does not link failures.html")
	}
	c.Failures = c.Failures[2:] // only the one that is not done
	if p = pageOf(t, dir, c); !strings.Contains(p.index, `href="failures.html"`) {
		t.Error("after an interrupted run, the page does not link failures.html")
	}
	c.Failures = nil
	if p = pageOf(t, dir, c); strings.Contains(p.index, "failures.html") {
		t.Error("without failures, the page links failures.html")
	}
	empty := pageOf(t, t.TempDir(), studyList{Version: "1"})
	if len(empty.pieces) != 0 || !strings.Contains(readable(empty.index), "0 studies done") {
		t.Errorf("a page without studies: %v", empty.files)
	}
}

// The page asks for nothing but files beside it, allows no script in its markup, and names its files by their content.
func TestPageNamesItsFiles(t *testing.T) {
	dir := t.TempDir()
	p := pageOf(t, dir, sampleList(dir))
	for _, m := range addresses.FindAllStringSubmatch(p.index, -1) {
		if a := html.UnescapeString(m[1]); strings.ContainsAny(a, ":\\") || strings.HasPrefix(a, "/") {
			t.Errorf("the page asks for %q", a)
		}
	}
	if regexp.MustCompile(`<script>|<style|style=|\son[a-z]+=`).MatchString(p.index) {
		t.Error("the markup has a script or a style of its own")
	}
	if !strings.Contains(p.index, "default-src &#39;none&#39;") && !strings.Contains(p.index, "default-src 'none'") {
		t.Error("the page has no policy")
	}
	for _, name := range p.files {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("-%.8x.", sha256.Sum256(raw)); !strings.Contains(name, want) {
			t.Errorf("%s has no %s", name, want)
		}
		base := filepath.Base(name)
		if !pageFileNames.MatchString(base) || !unfinishedPageFile.MatchString("."+base+"17") {
			t.Errorf("%s would not be removed", name)
		}
	}
}

var addresses = regexp.MustCompile(`(?i)(?:src|href|action|data|poster|srcset|url)\s*[=(]\s*["']([^"'\s)>]*)`)

// Rows are written in pieces, and every row has its details, whatever the number of studies.
func TestPagePieces(t *testing.T) {
	for _, n := range []int{1, 99, 100, 101, 1000, 1021, 2345} {
		dir := t.TempDir()
		c := generatedStudies(dir, n)
		writePageOf(t, dir, c)
		p := readPage(t, dir)
		slices.SortStableFunc(c.Results, Result.compare)
		var rows [][]any
		for i, piece := range p.pieces {
			if len(piece.Rows) > rowsOfPiece || i < len(p.pieces)-1 && len(piece.Rows) != rowsOfPiece {
				t.Errorf("%d studies: piece %d has %d rows", n, i, len(piece.Rows))
			}
			rows = append(rows, piece.Rows...)
		}
		if len(rows) != n || len(p.details) != len(c.Results) {
			t.Fatalf("%d studies: %d rows, %d details", n, len(rows), len(p.details))
		}
		for i, r := range c.Results {
			if folder := r.Subject + "/" + r.Visit; rows[i][4] != folder || p.details[i].Folder != folder+"/" {
				t.Errorf("row %d is of %v, its details of %s, want %s", i, rows[i][4], p.details[i].Folder, folder)
			}
		}
		seen := map[any]bool{}
		for _, row := range rows {
			if seen[row[0]] {
				t.Errorf("two rows are %v", row[0])
			}
			seen[row[0]] = true
		}
	}
}

// A page is replaced as a whole. If a file cannot be written, the earlier page stays complete; the same page is written
// without changing a file.
func TestPageIsReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	c := generatedStudies(dir, 150)
	writePageOf(t, dir, c)
	before := readPage(t, dir)
	stamp := time.Unix(1e9, 0)
	for _, name := range append(before.files, pageFile) {
		if err := os.Chtimes(filepath.Join(dir, name), stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	writePageOf(t, dir, c)
	for _, name := range append(before.files, pageFile) {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(stamp) {
			t.Errorf("%s was written again (%v)", name, err)
		}
	}
	changed := generatedStudies(dir, 180)
	err := func() error { // index.html cannot be replaced
		if err := os.Rename(filepath.Join(dir, pageFile), filepath.Join(dir, "kept")); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(dir, pageFile), 0o777); err != nil {
			t.Fatal(err)
		}
		return writePage(dir, changed)
	}()
	if err == nil || !strings.Contains(err.Error(), "index.html: not written") {
		t.Errorf("error %v", err)
	}
	if err := os.Remove(filepath.Join(dir, pageFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "kept"), filepath.Join(dir, pageFile)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.files, readPage(t, dir).files); diff != "" { // also fails if a file is left
		t.Errorf("after an error (-want +got):\n%s", diff)
	}
	litter := filepath.Join(dir, PageFolder, ".page-0123456789abcdef.js42")
	stay := filepath.Join(dir, PageFolder, "month3") // a study of the subject "page"
	if err := errors.Join(os.WriteFile(litter, nil, 0o666), os.Mkdir(stay, 0o777)); err != nil {
		t.Fatal(err)
	}
	writePageOf(t, dir, changed)
	if _, err := os.Stat(litter); err == nil {
		t.Error("an unfinished file stays")
	}
	if err := os.Remove(stay); err != nil {
		t.Errorf("another folder was removed: %v", err)
	}
	after := readPage(t, dir)
	if slices.Equal(before.files, after.files) {
		t.Error("another page has the same files")
	}
}

// A page whose folder cannot be made is not written, and the error says why.
func TestPageWithoutFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, PageFolder), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	err := writePage(dir, generatedStudies(dir, 3))
	if err == nil || !strings.Contains(err.Error(), "page: not written: ") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, pageFile)); err == nil {
		t.Error("index.html was written")
	}
}

// The change of T2 is from the visit that the protocol calls the baseline, or else from the first in natural order.
func TestReferences(t *testing.T) {
	none := math.NaN()
	study := func(visit, side string, t2 number.Float) Result {
		r := soundStudy(visit)
		r.Side, r.Compartments[0].MeanT2 = side, t2
		return r
	}
	for name, c := range map[string]struct {
		results []Result
		want    []float64 // NaN: none
		visit   string    // with which the last is compared
	}{
		"baseline last": {[]Result{study("M12", "", 40), study("baseline", "", 36)}, []float64{4, none}, ""},
		"natural order": {[]Result{study("month12", "", 40), study("month3", "", 36), study("month6", "", 35)},
			[]float64{4, none, -1}, "month3"},
		"case": {[]Result{study("Baseline", "", 40), study("aaa", "", 36)}, []float64{none, -4}, "Baseline"},
		"two baselines": {[]Result{study("baseline", "", 40), study("BASELINE", "", 36), study("x", "", 30)},
			[]float64{none, none, none}, ""},
		"knees": {[]Result{study("baseline", "left", 40), study("x", "right", 36), study("y", "right", 30)},
			[]float64{none, none, -6}, "x"},
		"no value": {[]Result{study("baseline", "", nan), study("x", "", 36)}, []float64{none, none}, "baseline"},
		"two at a visit": {[]Result{study("v1", "", 40), study("v2", "", 36), study("v2", "", 30)},
			[]float64{none, -4, -10}, "v1"},
		"two at the first": {[]Result{study("v1", "", 40), study("v1", "", 36), study("v2", "", 30)},
			[]float64{none, none, none}, ""},
	} {
		for range 2 {
			all := findReferences(c.results)
			for n, r := range c.results {
				got := all.change(r, "medial")
				if got != c.want[n] && !(math.IsNaN(got) && math.IsNaN(c.want[n])) {
					t.Errorf("%s: change of %s is %v, want %v", name, r.Visit, got, c.want[n])
				}
				if visit, _ := all.before(r); n == len(c.results)-1 && visit != c.visit {
					t.Errorf("%s: compared with %q, want %q", name, visit, c.visit)
				}
			}
			slices.Reverse(c.results) // the order of results does not matter
			slices.Reverse(c.want)
			c.visit = ""
			if visit, ok := all.before(c.results[len(c.results)-1]); ok {
				c.visit = visit
			}
		}
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

// The details have the regions and layers of a study, and links to the pictures that it has.
func TestPageOfRegions(t *testing.T) {
	dir := t.TempDir()
	r, err := WriteStudy(filepath.Join(dir, "S01", "x"), full())
	if err != nil {
		t.Fatal(err)
	}
	d := pageOf(t, dir, studyList{Version: "1", Results: []Result{r}}).details[0]
	want := []regionGroup{{Compartment: "medial", Rows: []regionRow{
		{"whole", "deep", "34.50 ± 8.00", "59 / 60", "0.950", "1 low signal"},
		{"medial-tibial", "", "40.00", "1 / 1", "0.750", "one voxel with a sound T2, no SD"},
	}}}
	if diff := cmp.Diff(want, d.Regions); diff != "" || !d.Fractions {
		t.Errorf("regions (-want +got):\n%s", diff)
	}
	var files []string
	for _, l := range d.Links {
		files = append(files, l[1])
	}
	const pictures = "overlay.png regions.png unrolled.png profile.png checkerboard.png decay.png result.json"
	if got := strings.Join(files, " "); got != pictures {
		t.Errorf("links %s", got)
	}
	const registered = "registered: the first echo of baseline turned by 3.2°, moved by 5.1 mm; mutual information 0.210 " +
		"before, 0.412 after; elastix 5.2.0"
	if !slices.Contains(d.Facts, registered) || d.Carried != "mask carried from baseline" {
		t.Errorf("%q, %q", d.Facts, d.Carried)
	}
	plain := sampleResult(sampleGeometry())
	plain.Regions, plain.Dir = nil, filepath.Join(dir, "S02")
	d = pageOf(t, dir, studyList{Version: "1", Results: []Result{plain}}).details[0]
	if d.Regions != nil || d.Carried != "" || len(d.Links) != 3 {
		t.Errorf("a study without regions: %+v", d)
	}
}
