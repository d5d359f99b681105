package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/phantom"
)

// A trial of studies with tissue masks has the figure of unrolled maps, and the change of each subject as NIfTI. The
// mean change in the trochlea is 0, as in the phantom.
func TestTrialOfUnrolledMaps(t *testing.T) {
	if testing.Short() {
		t.Skip("maps four studies")
	}
	dir := t.TempDir()
	studies, results, out := filepath.Join(dir, "studies"), filepath.Join(dir, "results"), filepath.Join(dir, "report")
	_, err := phantom.WriteTrial(t.Context(), studies, phantom.Trial{
		Subjects: 2, Matrix: 112, Slices: 18, Echoes: 4, DESSMatrix: 132, DESSSlices: 36,
		Form: phantom.Form{Mask: phantom.MaskTissues}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"S01", "S02"} {
		if err := os.RemoveAll(filepath.Join(studies, s, "month03")); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, stderr := call("run", studies, "--out", results, "--scheme", "skm-tea", "--quiet"); code != exitOK {
		t.Fatal(stderr)
	}
	code, stdout, stderr := call("trial", results, "--design", filepath.Join(studies, "trial.csv"), "--visits",
		"baseline=0,month12=12", "--reference", phantom.Control, "--out", out)
	if code != exitOK {
		t.Fatal(stderr)
	}
	for _, name := range []string{"unrolled.svg", "unrolled.png", "unrolled.pdf", "maps.svg"} {
		if _, err := os.Stat(filepath.Join(out, "figures", name)); err != nil {
			t.Error(err)
		}
	}
	files := readAll(t, out)
	page := files[string(filepath.Separator)+"trial.html"]
	if !strings.Contains(page, "Unrolled femoral T2 and its change") ||
		!strings.Contains(page, "figures/unrolled.png") || strings.Contains(stdout, "no map of the change") {
		t.Errorf("the page does not show the unrolled maps\n%s", stdout)
	}
	for _, s := range []string{"S01", "S02"} {
		change := tools.ReadMap(t, filepath.Join(out, "maps", s+"-month12-unrolled-change.nii.gz"))
		sum, n := 0.0, 0.0
		for v, x := range change.Data {
			angle := change.Position(0, float64(v/change.Size[0]), 0)[1]
			if x == x && angle < -30 { // the trochlea is in front
				sum, n = sum+float64(x), n+1
			}
		}
		// Some 350 cells whose changes have an SD of 5 ms: the mean is known to 0.3 ms.
		if !(n > 200) || math.Abs(sum/n) > 1 {
			t.Errorf("%s: the trochlea changed by %.2f ms in %g cells, want 0", s, sum/n, n)
		}
	}
}

// Names of maps are valid file names on every system, and distinct.
func TestMapName(t *testing.T) {
	used := map[string]bool{}
	for _, c := range []struct{ subject, visit, want string }{
		{"S01", "month12", "S01-month12"}, {"s01", "Month12", "s01-Month12-2"}, {"S/01", "m 12", "S_01-m_12"},
		{"S:01", "m.12", "S_01-m_12-2"},
		{"患", "m", "_-m"}, {strings.Repeat("x", 80), "m", strings.Repeat("x", 60)},
		{strings.Repeat("x", 80), "n", strings.Repeat("x", 60) + "-2"},
	} {
		if got := mapName(used, c.subject, c.visit); got != c.want {
			t.Errorf("%q at %q: %q, want %q", c.subject, c.visit, got, c.want)
		}
	}
}
