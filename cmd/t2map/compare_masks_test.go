package main

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

// rewriteMask changes the labels of a file.
func rewriteMask(t *testing.T, source, target string, change func(l volume.Labels)) {
	t.Helper()
	f, err := os.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	l, err := nifti.ReadLabels(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	change(l)
	var out bytes.Buffer
	if err := nifti.WriteLabels(&out, l.Geometry, l.Data, "test"); err != nil {
		t.Fatal(err)
	}
	write(t, target, out.String())
}

// shifted moves labels by one voxel along the rows.
func shifted(l volume.Labels) {
	copy(l.Data[1:], slices.Clone(l.Data[:len(l.Data)-1]))
}

// maskOf returns the one label map of a phantom's folder.
func maskOf(t *testing.T, folder string) string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".nii.gz") {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("label maps %v, %v", found, err)
	}
	return found[0]
}

// twoReaders maps three studies with two masks each, the second of which is the first one moved by a voxel. It returns
// both folders of results.
func twoReaders(t *testing.T) (a, b string) {
	t.Helper()
	dir := studies(t, 3)
	out := t.TempDir()
	a, b = filepath.Join(out, "first"), filepath.Join(out, "second")
	mustCall(t, "run", dir, "--out", a, "--scheme", "compartments", "--maps", "mask", "--quiet")
	for _, s := range []string{"SA", "SB", "SC"} {
		path := maskOf(t, filepath.Join(dir, s))
		rewriteMask(t, path, path, shifted)
	}
	mustCall(t, "run", dir, "--out", b, "--scheme", "compartments", "--maps", "mask", "--quiet")
	return a, b
}

func mustCall(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := call(args...)
	if code != exitOK {
		t.Fatalf("%q: exit status %d: %s", args, code, stderr)
	}
	return stdout
}

// readTable reads a table; a row maps columns to cells.
func readTable(t *testing.T, path string) []map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		row := map[string]string{}
		for n, name := range rows[0] {
			row[name] = r[n]
		}
		out = append(out, row)
	}
	return out
}

func numberOf(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A note says that T2 was estimated with different settings. Different masks alone have no note.
func TestCompareMasksNotesOtherEstimates(t *testing.T) {
	dir, out := studies(t, 1), t.TempDir()
	for name, extra := range map[string][]string{"a": nil, "fraction": {"--mask-fraction", "0.7"},
		"echoes": {"--skip-echoes", "0"}} {
		mustCall(t, append([]string{"run", dir, "--out", filepath.Join(out, name), "--scheme", "compartments",
			"--maps", "mask", "--quiet"}, extra...)...)
	}
	const note = "fitted with different settings at A and B"
	for name, want := range map[string]bool{"fraction": false, "echoes": true} {
		if text := mustCall(t, "compare-masks", filepath.Join(out, "a"),
			filepath.Join(out, name)); strings.Contains(text, note) != want {
			t.Errorf("%s: a note of %q: want %v\n%s", name, note, want, text)
		}
	}
}

func TestCompareMasks(t *testing.T) {
	a, b := twoReaders(t)
	out := filepath.Join(t.TempDir(), "agreement")
	stdout := mustCall(t, "compare-masks", a, b, "--out", out)
	for _, w := range []string{"COMPARTMENT", "DICE", "medial", "patellofemoral", "BIAS OF T2", "RMS-CV",
		"mask_agreement.csv", "A is " + a} {
		if !strings.Contains(stdout, w) {
			t.Errorf("%q is not in\n%s", w, stdout)
		}
	}
	rows := readTable(t, filepath.Join(out, "mask_agreement_studies.csv"))
	if len(rows) != 9 {
		t.Fatalf("%d rows", len(rows))
	}
	mean := map[string]map[string]float64{} // of T2, by folder and row
	for _, folder := range []string{a, b} {
		mean[folder] = map[string]float64{}
		for _, r := range readTable(t, filepath.Join(folder, "compartments.csv")) {
			if r["region"] == "all" && r["layer"] == "all" {
				mean[folder][r["subject"]+r["compartment"]] = numberOf(t, r["mean_t2_ms"])
			}
		}
	}
	differences := map[string][]float64{}
	for _, r := range rows {
		na, nb, common := numberOf(t, r["voxels_a"]), numberOf(t, r["voxels_b"]), numberOf(t, r["voxels_common"])
		if dice := numberOf(t, r["dice"]); math.Abs(dice-2*common/(na+nb)) > 5e-5 || common >= na || common == 0 {
			t.Errorf("%v: Dice %g", r, dice)
		}
		// Nothing is farther apart than the voxel by which the mask was moved.
		if d := numberOf(t, r["largest_distance_mm"]); d <= 0 || numberOf(t, r["mean_distance_mm"]) > d ||
			numberOf(t, r["p95_distance_mm"]) > d || d > 160.0/64+0.01 {
			t.Errorf("%v", r)
		}
		key := r["subject"] + r["compartment"]
		if math.Abs(numberOf(t, r["mean_t2_a_ms"])-mean[a][key]) > 0.005 ||
			math.Abs(numberOf(t, r["mean_t2_b_ms"])-mean[b][key]) > 0.005 {
			t.Errorf("%s: T2 %s and %s, want %g and %g", key, r["mean_t2_a_ms"], r["mean_t2_b_ms"], mean[a][key],
				mean[b][key])
		}
		differences[r["compartment"]] = append(differences[r["compartment"]], mean[b][key]-mean[a][key])
	}
	summary := readTable(t, filepath.Join(out, "mask_agreement.csv"))
	if len(summary) != 3 {
		t.Fatalf("%d compartments", len(summary))
	}
	for _, r := range summary {
		sum := 0.0
		for _, d := range differences[r["compartment"]] {
			sum += d / 3
		}
		// T2 in tables has two decimals.
		if r["n_studies"] != "3" || r["n_t2_pairs"] != "3" || math.Abs(numberOf(t, r["t2_bias_ms"])-sum) > 0.011 ||
			!(numberOf(t, r["t2_rms_cv_percent"]) > 0) || r["dice_min"] > r["dice_max"] {
			t.Errorf("%v, want a bias of %g", r, sum)
		}
	}
	for _, name := range []string{"bland-altman.svg", "bland-altman.png", "bland-altman.pdf"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The same input gives the same bytes, and a folder agrees with itself.
	again := filepath.Join(t.TempDir(), "again")
	mustCall(t, "compare-masks", a, b, "--out", again)
	for _, name := range []string{"mask_agreement.csv", "mask_agreement_studies.csv", "bland-altman.svg"} {
		x, _ := os.ReadFile(filepath.Join(out, name))
		y, err := os.ReadFile(filepath.Join(again, name))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs: %v", name, err)
		}
	}
	mustCall(t, "compare-masks", a, a, "--out", again)
	for _, r := range readTable(t, filepath.Join(again, "mask_agreement_studies.csv")) {
		if r["dice"] != "1.0000" || r["largest_distance_mm"] != "0.000" || r["t2_difference_ms"] != "0.00" {
			t.Errorf("%v", r)
		}
	}
}

func TestCompareMasksOfFewerStudies(t *testing.T) {
	a, b := twoReaders(t)
	// SA is not in B, and the mask of SB in B does not exist.
	if err := os.RemoveAll(filepath.Join(b, "SA")); err != nil {
		t.Fatal(err)
	}
	mustCall(t, "tables", b)
	err := filepath.WalkDir(filepath.Join(b, "SB"), func(path string, d os.DirEntry, err error) error {
		if d.Name() == "compartments.nii.gz" {
			return os.Remove(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := call("compare-masks", a, b)
	if code != exitFailed || !strings.Contains(stderr, "1 study cannot be compared") {
		t.Errorf("exit status %d: %s", code, stderr)
	}
	for _, w := range []string{"omitted:", "SA, baseline", "only A has it", "SB, baseline", "B: ",
		"compartments.nii.gz"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("%q is not in\n%s", w, stdout)
		}
	}
}

func TestCompareMaskFiles(t *testing.T) {
	dir := studies(t, 2)
	first, second, third := maskOf(t, filepath.Join(dir, "SA")), filepath.Join(dir, "moved.nii.gz"),
		filepath.Join(dir, "less.nii.gz")
	rewriteMask(t, first, second, shifted)
	rewriteMask(t, first, third, func(l volume.Labels) {
		for v, n := range l.Data {
			if n == 1 {
				l.Data[v] = 0
			}
		}
	})
	stdout := mustCall(t, "compare-masks", first, second)
	if !strings.Contains(stdout, "DICE") || strings.Contains(stdout, "RMS-CV") || strings.Contains(stdout, "note:") {
		t.Errorf("%s", stdout)
	}
	out := filepath.Join(dir, "out")
	stdout = mustCall(t, "compare-masks", first, third, "--out", out)
	if !strings.Contains(stdout, "note: 1: no voxels in B") {
		t.Errorf("%s", stdout)
	}
	for _, r := range readTable(t, filepath.Join(out, "mask_agreement.csv")) {
		want := map[bool]string{true: "0.0000", false: "1.0000"}[r["compartment"] == "1"]
		if r["dice"] != want || (r["mean_distance_mm"] == "") != (r["compartment"] == "1") || r["t2_bias_ms"] != "" {
			t.Errorf("%v", r)
		}
	}
}

func TestCompareMasksExitStatus(t *testing.T) {
	dir := studies(t, 1)
	mask := maskOf(t, dir)
	other := filepath.Join(dir, "other.nii.gz")
	rewriteMask(t, mask, other, func(l volume.Labels) { clear(l.Data) })
	elsewhere := filepath.Join(dir, "elsewhere.nii.gz")
	write(t, filepath.Join(dir, "text.nii"), "no image")
	var g volume.Geometry
	rewriteMask(t, mask, other, func(l volume.Labels) { g = l.Geometry; clear(l.Data) })
	g.Affine[0][3] += 20
	var moved bytes.Buffer
	if err := nifti.WriteLabels(&moved, g, make([]uint16, g.Voxels()), "test"); err != nil {
		t.Fatal(err)
	}
	write(t, elsewhere, moved.String())
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"one":             {[]string{mask}, "hint: "},
		"missing":         {[]string{mask, filepath.Join(dir, "nothing.nii")}, "nothing.nii"},
		"file and folder": {[]string{mask, dir}, "two folders of results, or two label maps"},
		"no results":      {[]string{dir, dir}, "hint: RESULTS is the folder"},
		"not a mask":      {[]string{mask, filepath.Join(dir, "text.nii")}, "text.nii"},
		"another grid":    {[]string{mask, elsewhere}, "up to 20.00 mm apart"},
		"empty":           {[]string{other, other}, "both masks are empty"},
		"out is a file":   {[]string{mask, mask, "--out", mask}, "is a file, not a folder"},
	} {
		code, _, stderr := call(append([]string{"compare-masks"}, c.args...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit status %d: %s", name, code, stderr)
		}
	}
}
