package accuracy

import (
	"bytes"
	"encoding/csv"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sampleResult is a small result with what occurs: a bias of every size, none,
// an infinite one, a limit met and one missed.
func sampleResult() Result {
	a := Result{
		Version: "1.2.3", Platform: "here", Draws: 2000, JudgedDraws: 20000, Seed: 7, Echoes: 7, Spacing: 10,
		Methods: []Method{{Name: "nlls", Words: "plain <b>", Skipped: 1},
			{Name: "nlls-all-echoes", Words: "all", Variant: true}},
	}
	for n, m := range a.Methods {
		for _, b1 := range []float64{0.8, 1} {
			for s, snr := range []float64{5, 50, 100} {
				for _, t2 := range []float64{20, 40, 80} {
					c := Cell{
						Method: m.Name, Skipped: m.Skipped, Echoes: 7, Spacing: 10, T2: t2, SNR: snr, B1: b1, Draws: 20000,
						Bias: 0.01 * float64(n+1) / float64(s+1), SD: 1.5, RobustSD: 1.4, RMSE: 1.6,
						Bound: 1.25, GaussianBound: 1.2, Coverage: 0.951, Failed: 0.02,
					}
					if b1 != 1 {
						c.Bound, c.GaussianBound, c.Bias = math.NaN(), math.NaN(), -0.07
					}
					if snr == 5 {
						c.Bias, c.SD = math.Inf(1), 1e5
					}
					a.Cells = append(a.Cells, c)
				}
			}
		}
	}
	a.Null = []Null{{
		Method: "mmrm", Words: "unstructured <i>", Scope: "all visits", PerArm: 12,
		First: Rate{Trials: 100, Found: 6, Share: 0.06, Low: 0.022, High: 0.126},
		All:   Rate{Trials: 1000, Found: 50, FellBack: 3, Failed: 1, Share: 0.05, Low: 0.0373, High: 0.0654},
	}}
	a.Limits = []Limit{
		{Method: "nlls", Quantity: QuantityBias, Low: -0.02, High: 0.02, Scope: "SNR 50, B1 1", Cells: 3,
			Worst: a.Cells[12], Value: 0.005, Chance: 0.0004, Met: true},
		{Method: "nlls", Quantity: QuantitySD, High: 1.05, Scope: "SNR 50, B1 1", Cells: 3, Worst: a.Cells[12],
			Value: 1.2, Chance: 0.004},
		{Method: "nlls", Quantity: QuantityCoverage, Low: 0.93, High: 0.97, Scope: "nowhere", Value: math.NaN(),
			Chance: math.NaN()},
	}
	return a
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	a := sampleResult()
	if err := Write(dir, a); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	rows, err := csv.NewReader(bytes.NewReader(read("accuracy.csv"))).ReadAll()
	if err != nil || len(rows) != 1+len(a.Cells) {
		t.Fatalf("%d rows for %d cells: %v", len(rows), len(a.Cells), err)
	}
	if got, want := strings.Join(rows[1], ","), "nlls,1,7,10,20,5,0.8,20000,inf,1e+05,1.4,1.6,,,,95.1,2"; got != want {
		t.Errorf("row %s, want %s", got, want)
	}
	for _, name := range []string{"bias-snr.png", "bias-b1.png"} {
		if size, err := png.DecodeConfig(bytes.NewReader(read(name))); err != nil || size.Width != 1200 {
			t.Errorf("%s: %+v, %v", name, size, err)
		}
	}
	page, text := string(read("index.html")), string(read("accuracy.md"))
	for _, w := range []string{"<b>2</b>missed", "plain &lt;b&gt;", "data:image/png;base64,", "no such cell", "−7.00",
		"∞", "on here", "unstructured &lt;i&gt;", "50 of 1000"} {
		if !strings.Contains(page, w) {
			t.Errorf("the page has no %q", w)
		}
	}
	for _, w := range []string{"**1 met, 2 missed.**", "| `nlls` | bias within ±2 % | SNR 50, B1 1 | +0.50 ± 0.04 % |",
		"| SD over bound ≤ 1.05 |", "(bias-b1.png)", "(2.0 %)", "Trials of 12 per arm", "| 50 of 1000 | 5.00 % | " +
			"3.73–6.54 % | 6 of 100 | 6.00 % | 2.20–12.60 % | 3, 1 |"} {
		if !strings.Contains(text, w) {
			t.Errorf("accuracy.md has no %q", w)
		}
	}
	if strings.Contains(page, "://") || strings.Contains(text, "on here") {
		t.Error("the page needs the network, or the text names the machine")
	}

	again := t.TempDir()
	if err := Write(again, a); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"accuracy.csv", "accuracy.md", "index.html", "bias-snr.png", "bias-b1.png"} {
		if other, err := os.ReadFile(filepath.Join(again, name)); err != nil || !bytes.Equal(other, read(name)) {
			t.Errorf("%s differs when written again: %v", name, err)
		}
	}
}

func TestWriteNothing(t *testing.T) {
	if err := Write(t.TempDir(), Result{}); err != nil {
		t.Error(err)
	}
	if err := Print(&bytes.Buffer{}, Result{}); err != nil {
		t.Error(err)
	}
}

func TestPrint(t *testing.T) {
	var b bytes.Buffer
	if err := Print(&b, sampleResult()); err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"SNR 100", "+0.33", "1.20", "95.1 %", "met", "missed", "bias within ±2 %"} {
		if !strings.Contains(b.String(), w) {
			t.Errorf("no %q in\n%s", w, b.String())
		}
	}
}

func TestCheckFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := CheckFolder(dir); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "index.html")
	if err := os.WriteFile(page, []byte("a trial's"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CheckFolder(dir); err == nil {
		t.Error("a trial's page would be overwritten")
	}
	if err := Write(dir, sampleResult()); err != nil {
		t.Fatal(err)
	}
	if err := CheckFolder(dir); err != nil {
		t.Errorf("an earlier validation's folder: %v", err)
	}
}
