package figures

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

var show = flag.String("show", "", "a folder to write the pictures of the tests to, for looking at them")

// TestMain makes most tests draw only the SVG: PNG and PDF are most of the work, and package figure tests
// that they show the same. Tests that need all files call allFiles.
func TestMain(m *testing.M) {
	flag.Parse()
	if *show == "" {
		renderFiles = figure.Picture.RenderSVG
	}
	os.Exit(m.Run())
}

// allFiles makes the pictures of this test whole. It must not run beside another test.
func allFiles(t *testing.T) {
	t.Helper()
	before := renderFiles
	renderFiles = figure.Picture.Render
	t.Cleanup(func() { renderFiles = before })
}

// look writes pictures to the folder of -show, if there is one.
func look(t *testing.T, name string, pictures []figure.Picture) {
	t.Helper()
	if *show == "" {
		return
	}
	dir := filepath.Join(*show, strings.ReplaceAll(name, " ", "-"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range pictures {
		for ext, data := range map[string][]byte{"svg": p.SVG, "png": p.PNG, "pdf": p.PDF} {
			if err := os.WriteFile(filepath.Join(dir, p.Name+"."+ext), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// ofT2 draws one kind of figure of the compartments.
func ofT2(draw kind, a trial.Analysis) ([]figure.Picture, error) {
	_, t2, _, _ := families(a)
	return draw(a, t2, Options{})
}

// drawAll returns all pictures of an analysis by name.
func drawAll(t *testing.T, a trial.Analysis, o Options) map[string]figure.Picture {
	t.Helper()
	pictures, err := All(a, o)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]figure.Picture{}
	for _, p := range pictures {
		byName[p.Name] = p
	}
	return byName
}

// written is a text of a picture with its box on the sheet, in points.
type written struct {
	text           string
	x0, y0, x1, y1 float64
}

// texts reads the texts of a picture's SVG, which must be well-formed.
func texts(t *testing.T, svg []byte) []written {
	t.Helper()
	var out []written
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "text" {
			continue
		}
		var w written
		if err := d.DecodeElement(&w.text, &start); err != nil {
			t.Fatal(err)
		}
		attributes := map[string]float64{}
		turned := false
		for _, a := range start.Attr {
			attributes[a.Name.Local], _ = strconv.ParseFloat(a.Value, 64)
			turned = turned || a.Name.Local == "transform"
		}
		size, width := attributes["font-size"], attributes["textLength"]
		w.x0, w.y0, w.x1, w.y1 = attributes["x"], attributes["y"]-0.7*size, attributes["x"]+width, attributes["y"]
		if turned { // reads upwards
			w.x0, w.y0, w.x1, w.y1 = attributes["x"]-0.7*size, attributes["y"]-width, attributes["x"], attributes["y"]
		}
		out = append(out, w)
	}
}

// All texts are on the sheet, and none overlap.
func checkTexts(t *testing.T, name string, p figure.Picture) {
	t.Helper()
	all := texts(t, p.SVG)
	width, height := p.Width*72/25.4, p.Height*72/25.4
	for n, w := range all {
		if w.x0 < -0.5 || w.y0 < -0.5 || w.x1 > width+0.5 || w.y1 > height+0.5 {
			t.Errorf("%s: %s: %q at (%.1f, %.1f) to (%.1f, %.1f) is outside the sheet of %.1f × %.1f", name, p.Name,
				w.text, w.x0, w.y0, w.x1, w.y1, width, height)
		}
		for _, o := range all[:n] {
			const slack = 0.5 // points
			if !strings.Contains("*†", w.text) && !strings.Contains("*†", o.text) &&
				w.x0 < o.x1-slack && o.x0 < w.x1-slack && w.y0 < o.y1-slack &&
				o.y0 < w.y1-slack {
				t.Errorf("%s: %s: %q and %q overlap at (%.1f, %.1f)", name, p.Name, w.text, o.text, w.x0,
					w.y0)
			}
		}
	}
}

func joined(t *testing.T, p figure.Picture) string {
	t.Helper()
	var b strings.Builder
	for _, w := range texts(t, p.SVG) {
		b.WriteString(w.text + "\n")
	}
	return b.String()
}

// The figures have units, n, descriptions of intervals, and flags.
func TestContent(t *testing.T) {
	a := trialOf(founding)
	pictures := drawAll(t, a, Options{})
	look(t, "founding", slices.Collect(maps.Values(pictures)))
	wants := map[string][]string{
		"flow": {"Randomised: 24", "Control", "Randomised: 12", "Month 3, in the trial: 12", "of 12 randomised"},
		"means": {"Mean T2 (ms)", "Month", "Control", "Cell therapy", "Medial T2", "Patellofemoral T2",
			"† S001 at month0: another scanner than at baseline"},
		"means-scores":   {"Mean (mm)", "VAS pain", "WOMAC"},
		"change":         {"Change of T2 (ms)", "−2", "† S008 at month3: two studies, neither is taken"},
		"change-scores":  {"Change (mm)", "Change (ng/ml)"},
		"lsmeans":        {"Change of T2 (ms)"},
		"lsmeans-scores": {"VAS pain"},
		"forest": {"← favours Cell therapy", "favours Control →", "Difference of least-squares means (ms)",
			"Holm p", "difference [95 % CI]", "Month 12"},
		"forest-scores":  {"Difference of least-squares means (mm)"},
		"waterfall":      {"±13.9 %: repeatability", "Change at month 12 (%)", "n = "},
		"missing":        {"12/12", "S001", "Month 3", "some values"},
		"missing-scores": {"Control (12)"},
		"correlation": {"within arms ρ = −0.06 [−0.49, 0.39]", "all participants ρ = 0.71 [0.37, 0.88], n = 20",
			"Change of VAS pain (mm)"},
	}
	delete(pictures, "correlation-2")
	if len(pictures) != len(wants) {
		t.Errorf("%d pictures, want %d", len(pictures), len(wants))
	}
	for name, want := range wants {
		text := joined(t, pictures[name])
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q:\n%s", name, w, text)
			}
		}
	}
	for _, e := range a.Endpoints[:3] {
		for _, arm := range e.Cells {
			for _, cell := range arm {
				if n := fmt.Sprintf("\n%d\n", cell.Value.N); !strings.Contains(joined(t, pictures["means"]), n) {
					t.Errorf("means does not hold n = %d", cell.Value.N)
				}
			}
		}
	}
	for _, want := range []string{"95 % t intervals", "24 participants (12 Control, 12 Cell therapy)"} {
		if c := pictures["means"].Caption; !strings.Contains(c, want) {
			t.Errorf("the caption of means does not say %q: %s", want, c)
		}
	}
	if n := strings.Count(joined(t, pictures["means"]), "Mean T2 (ms)"); n != 1 {
		t.Errorf("the shared axis is named %d times", n)
	}
}

// A block with an unknown direction, or several, does not say which arm a side favours. If higher is better,
// the sides are swapped.
func TestDirection(t *testing.T) {
	for name, c := range map[string]struct {
		first, rest trial.Direction
		left        string
	}{
		"worse":   {trial.HigherIsWorse, trial.HigherIsWorse, "← favours Cell therapy"},
		"better":  {trial.HigherIsBetter, trial.HigherIsBetter, "← favours Control"},
		"unknown": {trial.Unknown, trial.Unknown, ""},
		"mixed":   {trial.HigherIsWorse, trial.HigherIsBetter, ""},
	} {
		a := trialOf(founding)
		for n := range a.Endpoints {
			a.Endpoints[n].Direction = c.rest
		}
		a.Endpoints[0].Direction = c.first
		pictures, err := ofT2(forest, a)
		if err != nil {
			t.Fatal(err)
		}
		text := joined(t, pictures[0])
		if got := strings.Contains(text, "favours"); got != (c.left != "") {
			t.Errorf("%s: favours: %v", name, got)
		}
		if !strings.Contains(text, c.left) {
			t.Errorf("%s: no %q in\n%s", name, c.left, text)
		}
	}
}

// Every flag that concerns a figure is in its Flags. The picture names a few and the number of others. Flags
// of other kinds are not shown.
func TestFlags(t *testing.T) {
	s := founding
	s.flags = 40
	s.missing = 0
	a := trialOf(s)
	p := drawAll(t, a, Options{})["means"]
	var shown []trial.Flag
	for _, f := range a.Flags {
		if f.Kind.OnFigures() {
			shown = append(shown, f)
		}
	}
	want := len(trial.GroupFlags(shown))
	if len(p.Flags) != len(shown) {
		t.Errorf("%d flags, want %d", len(p.Flags), len(shown))
	}
	text := joined(t, p)
	if rest := fmt.Sprintf("† and %d more, see flags.csv", want-4); !strings.Contains(text, rest) {
		t.Errorf("no %q in\n%s", rest, text)
	}
	if strings.Contains(text, "lossy") {
		t.Error("a flag that is not for figures is shown")
	}
	if n := strings.Count(text, "\n†\n"); n == 0 {
		t.Error("no dagger at a point")
	}
}

// A change of scanner of many subjects is one footnote, which names two of them.
func TestFlagGroups(t *testing.T) {
	s := founding
	s.missing, s.flags = 0, 0
	a := trialOf(s)
	for n, subject := range a.Design.Subjects[:10] {
		a.Flags = append(a.Flags, trial.Flag{Kind: trial.ScannerChange, Subject: subject.ID, Visit: "month12",
			Text: "another scanner"})
		for e := range a.Endpoints[:3] {
			a.Endpoints[e].Values[n][2].Flags = []int{n}
		}
	}
	a.Flags = append(a.Flags, trial.Flag{Kind: trial.TwoStudies, Subject: "S024", Visit: "month3", Text: "two studies"})
	a.Endpoints[0].Values[23][1].Flags = []int{10}
	spreadFlags(&a)
	p := drawAll(t, a, Options{})["means"]
	text := joined(t, p)
	for _, want := range []string{"† 10 participants at month12 (S001, S002, …): another scanner\n",
		"† S024 at month3: two studies\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(p.Flags, want) {
		t.Errorf("flags %d, want %d", p.Flags, want)
	}
}

func TestSentence(t *testing.T) {
	text := func(f trial.Flag, subjects ...string) string {
		return sentence(trial.FlagGroup{Flag: f, Subjects: subjects})
	}
	for got, want := range map[string]string{
		text(trial.Flag{Text: "x", Visit: "v", Endpoint: "e"}, "a"): "a at v, e: x",
		text(trial.Flag{Text: "x"}, "a", "b", "c"):                  "a, b, c: x",
		text(trial.Flag{Text: "x", Visit: "v"}, "a", "b", "c", "d"): "4 participants at v (a, b, …): x",
		text(trial.Flag{Kind: trial.TwoStudies}, ""):                "two studies",
		text(trial.Flag{Text: "x", Visit: "v"}, ""):                 "at v: x",
		text(trial.Flag{Text: "x", Endpoint: "e"}, ""):              "e: x",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The same analysis results in the same bytes, drawn alone or in parallel: all kinds as SVG, and the
// files of two kinds.
func TestSameBytes(t *testing.T) {
	small := founding
	small.compartments, small.scores = 1, 0
	for _, c := range []struct {
		name  string
		shape shape
		kinds []func(trial.Analysis) ([]figure.Picture, error)
		files bool
	}{
		{"all", founding, []func(trial.Analysis) ([]figure.Picture, error){
			func(a trial.Analysis) ([]figure.Picture, error) { return All(a, Options{}) }}, false},
		{"files", small, []func(trial.Analysis) ([]figure.Picture, error){
			func(a trial.Analysis) ([]figure.Picture, error) { return ofT2(means, a) },
			func(a trial.Analysis) ([]figure.Picture, error) { return ofT2(missing, a) }}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.files {
				allFiles(t)
			}
			all := func() (out []figure.Picture) {
				for _, kind := range c.kinds {
					pictures, err := kind(trialOf(c.shape))
					if err != nil {
						t.Error(err)
					}
					out = append(out, pictures...)
				}
				return out
			}
			first := all()
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					for n, q := range all() {
						if p := first[n]; c.files && len(p.PNG) == 0 || !bytes.Equal(p.SVG, q.SVG) ||
							!bytes.Equal(p.PNG, q.PNG) || !bytes.Equal(p.PDF, q.PDF) {
							t.Errorf("%s differs from run to run", p.Name)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
