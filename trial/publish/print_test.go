package publish

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// onPaper counts the rows of a grid that are printed, by group.
func onPaper(g grid) []int {
	var n []int
	for _, block := range g.Groups {
		k := 0
		for _, r := range block.Rows {
			if !r.Screen {
				k++
			}
		}
		n = append(n, k)
		if block.Screen != (k == 0) {
			n = append(n, -1)
		}
	}
	return n
}

// gridOf returns a grid of groups with these numbers of rows. Each visit has two rows, the second of which
// has an empty first cell.
func gridOf(named bool, sizes ...int) grid {
	g := grid{Heads: heads("Visit")}
	for i, size := range sizes {
		block := group{}
		if named {
			block.Name = fmt.Sprint("endpoint ", i)
		}
		for k := range size {
			c := cell{Text: fmt.Sprint("visit ", k/2)}
			if k%2 == 1 {
				c.Text = ""
			}
			block.Rows = append(block.Rows, row{Cells: []cell{c}})
		}
		g.Groups = append(g.Groups, block)
	}
	return g
}

func TestPrintedRows(t *testing.T) {
	last := gridOf(false, 70)
	last.Groups[0].Rows[69].Marked, last.Groups[0].Rows[68].Kept = true, true
	for name, c := range map[string]struct {
		g       grid
		want    []int
		onPaper string
	}{
		"short":    {gridOf(false, 30, 30), []int{30, 30}, ""},
		"one long": {gridOf(false, 200), []int{40}, "Printed: 40 of 200 rows; see x.csv."},
		"whole groups": {gridOf(false, 12, 12, 12, 12, 4, 12), []int{12, 12, 12, 0, 0, 0},
			"Printed: 36 of 64 rows; see x.csv."},
		"a share each":    {gridOf(true, 78, 78, 78), []int{14, 14, 14}, "Printed: 42 of 234 rows; see x.csv."},
		"short named":     {gridOf(true, 4, 78), []int{4, 20}, "Printed: 24 of 82 rows; see x.csv."},
		"marked and kept": {last, []int{42}, "Printed: 42 of 70 rows; see x.csv."},
		"no rows":         {gridOf(false), nil, ""},
		"a visit each": {gridOf(true, slices.Repeat([]int{4}, 50)...), slices.Repeat([]int{2}, 50),
			"Printed: 100 of 200 rows; see x.csv."},
	} {
		g := c.g.finish("x.csv")
		if got := onPaper(g); c.want != nil && fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: printed %v, want %v", name, got, c.want)
		}
		if g.OnPaper != c.onPaper {
			t.Errorf("%s: %q, want %q", name, g.OnPaper, c.onPaper)
		}
	}
}

// More than four primary contrasts are a table.
func TestPrimaryTable(t *testing.T) {
	few := newPageView(new(usual.analysis()), nil)
	if len(few.Headlines) != 3 || few.Primary.rows() != 0 {
		t.Errorf("three contrasts: %d sentences, %d rows", len(few.Headlines), few.Primary.rows())
	}
	a := sample{arms: 6, visits: 3, perArm: 5}.analysis()
	c := &a.Endpoints[1].Contrasts[1]
	c.Model.Value, c.Model.Low, c.Model.High, c.Model.P, c.Holm = -2.314, -3.9, -0.731, 0.0061, 0.0183
	v := newPageView(&a, nil)
	if len(v.Headlines) != 0 || v.Primary.rows() != 15 {
		t.Fatalf("15 contrasts: %d sentences, %d rows", len(v.Headlines), v.Primary.rows())
	}
	head, _, _ := strings.Cut(readable(page(t, a)), "Participants Methods")
	for _, want := range []string{"Primary results", "Lateral T2 (ms)", "Change to visit 2", "low dose − control",
		"−2.31", "[−3.90, −0.73] 0.006 0.018", "The report draws no conclusion"} {
		if !strings.Contains(head, want) {
			t.Errorf("the head of the page does not say %q: %s", want, head)
		}
	}
}

var pages = regexp.MustCompile(`(?m)^Pages:\s+(\d+)$`)

// A trial of many visits, and one of many participants with one upgrade of the scanner, print on
// few sheets.
func TestPrintsShort(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	pdfinfo, err := exec.LookPath("pdfinfo")
	if err != nil {
		t.Skip("pdfinfo is not installed")
	}
	upgraded := sample{arms: 2, visits: 3, perArm: 30}.analysis()
	p := picture("means")
	for _, subject := range upgraded.Design.Subjects[:40] {
		p.Flags = append(p.Flags, len(upgraded.Flags))
		upgraded.Flags = append(upgraded.Flags,
			trial.Flag{Kind: trial.ScannerChange, Subject: subject.ID, Visit: "visit 2",
				Text: strings.Repeat("another scanner; ", 12)})
	}
	for name, c := range map[string]struct {
		a    trial.Analysis
		p    figure.Picture
		most int // sheets without figures; those of a trial add about six
	}{
		"40 visits": {sample{arms: 2, visits: 40, perArm: 6}.analysis(), picture("means"), 25},
		"upgrade":   {upgraded, p, 12},
	} {
		dir := t.TempDir()
		written(t, dir, c.a, c.p)
		pdf := filepath.Join(dir, "page.pdf")
		run := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu",
			"--user-data-dir="+t.TempDir(),
			"--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+filepath.Join(dir, pageFile))
		run.Env = append(os.Environ(), "HOME="+t.TempDir())
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		info, err := exec.CommandContext(t.Context(), pdfinfo, pdf).Output()
		if err != nil {
			t.Fatal(err)
		}
		m := pages.FindStringSubmatch(string(info))
		if m == nil {
			t.Fatalf("pdfinfo says no pages: %s", info)
		}
		if n, _ := strconv.Atoi(m[1]); n > c.most {
			t.Errorf("%s: %d sheets, want at most %d", name, n, c.most)
		} else {
			t.Logf("%s: %d sheets", name, n)
		}
	}
}
