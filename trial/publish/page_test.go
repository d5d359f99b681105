package publish

import (
	"encoding/xml"
	"html"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

// readable is what a reader sees of a page: its texts, with single spaces.
func readable(page []byte) string {
	body := string(page)[strings.Index(string(page), "<body>"):]
	text := html.UnescapeString(tags.ReplaceAllString(body, " "))
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\u200b", "")), " ")
}

func page(t *testing.T, a trial.Analysis, pictures ...figure.Picture) []byte {
	t.Helper()
	p, err := pageOf(a, pictures)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPageSaysTheResult(t *testing.T) {
	a := usual.analysis()
	c := &a.Endpoints[0].Contrasts[1]
	c.Model.Value, c.Model.Low, c.Model.High, c.Model.P, c.Model.DF, c.Holm = -2.314, -3.9, -0.731, 0.0061, 17.84,
		0.0183
	c.Wilcoxon.P, c.Wilcoxon.Exact = 0.0123, true
	a.Endpoints[0].Changes[1][2].Verdict = trial.Decrease
	a.Endpoints[0].Model.Sigma = [][]float64{{1.21, 0.594}, {0.594, 2.25}}
	lateral := &a.Endpoints[1].Model
	lateral.Covariance, lateral.Rejected = mmrm.HeterogeneousCS,
		[]mmrm.Rejected{{Covariance: mmrm.Unstructured, Reason: "did not converge"}}
	a.Correlations[0].Rho = trial.Interval{Estimate: 0.31, Low: -0.1, High: 0.63}
	a.Inputs[0] = trial.Input{Name: "compartments.csv",
		SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
	p := picture("means")
	p.Flags = []int{flagOf(&a, trial.ScannerChange)}
	got := readable(page(t, a, p))
	for _, want := range []string{
		"DEMO-1", "Primary results", "Medial T2, change to visit 2, low dose − control",
		"no frozen plan", "−2.31 ms [95 % CI −3.90 to −0.73], adjusted p = 0.018",
		"n = 11 and 10; p = 0.006 before the adjustment over 3 primary contrasts (Holm); mixed model, unstructured " +
			"covariance, Kenward–Roger, 17.8 degrees of freedom",
		"The report draws no conclusion", "24 participants", "2 arms", "3 visits", "4 endpoints", "13 flags",
		"Medial T2 (ms) 38.38 ± 2.55 37.65 ± 3.03",
		"WOMAC pain 40.8 ± 10.4",
		"Age (years), mean ± SD", "25.6 ± 2.1 (n = 11)", "F: 6, M: 6",
		"The fixed effects were baseline, arm, visit, baseline × visit and arm × visit. The planned model has a " +
			"slope on the baseline for each visit",
		"control is the reference", "restricted maximum likelihood", "Kenward and Roger (1997)", "Holm (1979)",
		"RC = 1.96·√2·wCV", "(RC 13.9 %)",
		"The fitted covariance was unstructured for medial T2, patellofemoral T2 and WOMAC pain; heterogeneous " +
			"compound symmetry for lateral T2.",
		"planned unstructured, could not be fitted: did not converge", "1.10, 1.50 correlation 0.36",
		"first echo omitted", "t2map 1.2.3",
		"Change of T2. Means with 95 % t intervals; n under each point. SVG · PNG · PDF",
		"† S001 at visit 1: scanner change (see Flags )",
		"scanner change", "p = 0.012, exact", "199 arrangements", "0.31 [−0.10, 0.63]", "▼ decrease", "within",
		"if a visit had two studies, its value was treated as missing", "no result (10)",
		"S003, S011, S022 3 participants visit 2 – no study", "compartments.csv 9f86d081884c7d65",
	} {
		if !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{"NaN", "Inf", "%!", "<no value>", "significant"} {
		if strings.Contains(got, never) {
			t.Errorf("the page says %q", never)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// The page of any trial is well-formed, refers only to files of the report, and does not contain NaN.
func TestPageIsSound(t *testing.T) {
	for name, a := range samples() {
		p := page(t, a, picture("means"))
		if text := readable(p); strings.Contains(text, "NaN") || strings.Contains(text, "%!") ||
			strings.Contains(text, "Inf ") {
			t.Errorf("%s: the page shows NaN", name)
		}
		checkHead(t, name, string(p))
		checkTags(t, name, p)
	}
}

// besideNames are of files that lie beside the page, and of places on it.
var besideNames = regexp.MustCompile(`^(#[a-z]+|[a-z]+\.(csv|json)|figures/[A-Za-z0-9_-]+\.(svg|png|pdf))$`)

// checkAddress holds that an attribute asks for nothing else.
func checkAddress(t *testing.T, name string, a xml.Attr) {
	t.Helper()
	switch strings.ToLower(a.Name.Local) {
	case "class", "title", "id", "lang", "charset", "name", "content", "http-equiv", "colspan", "scope", "alt",
		"aria-label", "style":
	case "href", "src":
		if !besideNames.MatchString(a.Value) && !strings.HasPrefix(a.Value, "data:image/svg+xml;base64,") {
			t.Errorf("%s: the page asks for %.80q", name, a.Value)
		}
	default:
		t.Errorf("%s: an attribute %s", name, a.Name.Local)
	}
}

func checkHead(t *testing.T, name, p string) {
	t.Helper()
	head := p[:strings.Index(p, "<body>")]
	for _, never := range []string{"http:", "https:", "//", "url(", "@import", "<script", "<link"} {
		if strings.Contains(head, never) {
			t.Errorf("%s: the page's head has %s", name, never)
		}
	}
}

// checkTags holds that elements are closed in their order, as XML would have it, and that they
// ask for nothing.
func checkTags(t *testing.T, name string, p []byte) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(p)))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			for _, a := range e.Attr {
				checkAddress(t, name, a)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				t.Fatalf("%s: </%s> closes %v", name, e.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: not closed: %v", name, open)
	}
}

// Names are text everywhere.
func TestPageEscapes(t *testing.T) {
	a, evilPicture := hostile(), picture("means")
	evilPicture.Title, evilPicture.Caption, evilPicture.Flags, evilPicture.Remarks = evil, evil,
		[]int{0, len(a.Flags) - 2}, slices.Repeat([]string{evil}, 7)
	p := string(page(t, a, evilPicture))
	for _, never := range []string{"<script", "<img src=x", "\u202e", "onerror=alert(2)>'\"", "\xff"} {
		if strings.Contains(p, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for _, tag := range tags.FindAllString(p, -1) {
		attributes := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(tag, "")
		if strings.Contains(attributes, "onerror") {
			t.Errorf("a text became an attribute: %s", tag)
		}
	}
	if text := readable([]byte(p)); !strings.Contains(text,
		`"><script>alert(1)</script><img src=x onerror=alert(2)>'`) {
		t.Error("the text is not shown as it is")
	}
}

func TestPageOfLittle(t *testing.T) {
	one := readable(page(t, sample{arms: 1, visits: 3, perArm: 8}.analysis()))
	for _, want := range []string{"One arm: there is no comparison.", "Least-squares means of the change",
		"p of no change", "The fixed effects were baseline, visit and baseline × visit."} {
		if !strings.Contains(one, want) {
			t.Errorf("one arm: the page does not say %q", want)
		}
	}
	for _, never := range []string{"by arm Participants", "draws no conclusion", "Supporting tests.",
		"Differences from the reference", "Supporting tests", "Holm"} {
		if strings.Contains(one, never) {
			t.Errorf("one arm: the page says %q", never)
		}
	}
	visit := readable(page(t, sample{arms: 2, visits: 1, perArm: 6}.analysis()))
	if !strings.Contains(visit, "One visit: there is no change to compare.") ||
		strings.Contains(visit, "change from baseline Visit Arm") {
		t.Error("one visit: the page does not say that there is no change, or shows one")
	}
	failed := usual.analysis()
	for i := range failed.Endpoints {
		fail(&failed.Endpoints[i].Model, "nobody has a baseline")
	}
	if got := readable(page(t, failed)); !strings.Contains(got, "no model nobody has a baseline; other tests") {
		t.Error("a failed model: the page does not say why")
	}
}

// 200 visits stay a page: long tables are folded, the longest are cut and say so.
func TestPageOfManyVisits(t *testing.T) {
	a := sample{arms: 2, visits: 200, perArm: 12}.analysis()
	p := page(t, a)
	const most = 8 << 20 // bytes; a browser shows it at once
	if len(p) > most {
		t.Errorf("the page has %d bytes", len(p))
	}
	text := readable(p)
	for _, want := range []string{"The first 1,500 of 4,776 rows; all are in individuals.csv.", "400 rows"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(string(p), "<details>"); n < 8 {
		t.Errorf("%d tables are folded", n)
	}
}

// A browser reports no error and requests nothing.
func TestPageInChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	dir := t.TempDir()
	written(t, dir, hostile(), picture("means"))
	// Requests other than for files or data have nowhere to go, and would be logged.
	c := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+
		t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom", "file://"+
			filepath.Join(dir, "trial.html"))
	var log strings.Builder
	c.Stderr = &log
	c.Env = append(os.Environ(), "HOME="+t.TempDir())
	dom, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if !strings.Contains(string(dom), "Made by t2map") {
		t.Error("chromium did not show the page to its end")
	}
	for _, line := range strings.Split(log.String(), "\n") {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("chromium: %s", line)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{figure.PValue(0.0341), "0.034"}, {figure.PValue(0.00099), "<0.001"}, {figure.PValue(0.001), "0.001"},
		{figure.PValue(1), "1.000"}, {figure.PValue(nan), "–"},
		{pIs(0.0004), "p\u00a0<\u00a00.001"}, {figure.Number(-0.001, 2), "0.00"}, {figure.Number(-1.005, 1), "−1.0"},
		{figure.Number(math.Inf(1), 1), "–"},
		{interval(-1, 2, 1), "[−1.0, 2.0]"}, {interval(nan, 2, 1), "–"}, {thousands(1234567), "1,234,567"},
		{thousands(999), "999"},
		{percentOf(0.95), "95\u00a0%"}, {percentOf(0.055), "5.5\u00a0%"}, {months(1.5), "1.5"},
		{plural(1, "row", "rows"), "1 row"},
		{called(""), "–"}, {called("a\u202eb"), "a b"}, {listed([]string{"a", "b", "c"}), "a, b and c"},
		{listed(nil), "none"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for sd, want := range map[float64]int{12.3: 1, 1.23: 2, 0.0123: 4, 321: 0, 0: 2} {
		e := trial.EndpointAnalysis{Cells: [][]trial.Cell{{{Value: trial.Description{SD: sd}}}}}
		if got := e.Decimals(); got != want {
			t.Errorf("an endpoint with SD %v has %d decimals, want %d", sd, got, want)
		}
	}
}

func TestImageOf(t *testing.T) {
	big, small := make([]byte, 1<<20), []byte("x")
	for _, c := range []struct {
		p    figure.Picture
		want string
	}{
		{figure.Picture{SVG: small, PNG: big}, "data:image/svg+xml;"},
		{figure.Picture{SVG: big, PNG: small}, "data:image/png;"},
		{figure.Picture{SVG: big[:1000], PNG: small}, "data:image/svg+xml;"},
		{figure.Picture{SVG: big}, "data:image/svg+xml;"},
		{figure.Picture{PNG: small}, "data:image/png;"},
		{figure.Picture{}, ""},
	} {
		got, _, _ := strings.Cut(string(imageOf(c.p)), "base64")
		if got != c.want {
			t.Errorf("SVG of %d, PNG of %d bytes: %q, want %q", len(c.p.SVG), len(c.p.PNG), got, c.want)
		}
	}
}
