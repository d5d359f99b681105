package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// Studies that failed for the same reason are listed under it, with one hint. A reason of one study is printed
// unchanged.
func TestFailuresAreGrouped(t *testing.T) {
	var failures []report.Failure
	for n := range 15 {
		folder := fmt.Sprintf("S%02d/V1", n)
		failures = append(failures, report.Failure{Folder: folder, Study: fmt.Sprint("f00", n), Reason: "mask: " +
			folder + "/labels.nii.gz: neither qform nor sform", Hint: "save it again"})
	}
	failures = append(failures, report.Failure{Folder: "S99/V1", Reason: "read: S99/V1/IM1: the file ends early",
		Hint: "copy it"},
		report.Failure{Reason: "x: not sure whose"}, report.Failure{Subject: "S07", Visit: "M12",
			Reason: "manifest m.csv: line 3: no MR study in the folder"},
		report.Failure{Folder: "v", Study: "aa", SharedFolder: true, Reason: "alone"},
		report.Failure{Folder: "v", Study: "bb", SharedFolder: true, Reason: "alone too"})
	var b bytes.Buffer
	printFailures(&b, failures)
	want := `failed:
  15 studies: mask: labels.nii.gz: neither qform nor sform
    S00/V1, S01/V1, S02/V1, S03/V1, S04/V1, S05/V1, S06/V1, S07/V1, S08/V1, S09/V1, S10/V1, S11/V1 and 3 more
    hint: save it again
  study S99/V1: read: S99/V1/IM1: the file ends early
    hint: copy it
  x: not sure whose
  study S07 M12: manifest m.csv: line 3: no MR study in the folder
  study v (aa): alone
  study v (bb): alone too
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// Failures and warnings that differ only in hashes of UIDs are grouped; those that differ in other words and numbers
// are not. A single one keeps its hash.
func TestHashesDoNotDivideGroups(t *testing.T) {
	var failures []report.Failure
	var results []report.Result
	for n := range 3 {
		text := fmt.Sprintf("read: series %012x: it has frame %012x, number 5 (hash %012x, \"T2\")", n+1<<20, n+7<<30,
			n+9<<20)
		failures = append(failures, report.Failure{Folder: fmt.Sprint("S", n), Reason: text})
		name := fmt.Sprint("S", n)
		results = append(results, report.Result{Subject: name, Dir: name, Warnings: []string{text}})
	}
	failures = append(failures, report.Failure{Folder: "S7", Reason: "series 0123456789ab: alone"},
		report.Failure{Folder: "S8", Reason: "series 5: x"}, report.Failure{Folder: "S9", Reason: "series 6: x"})
	var b bytes.Buffer
	printFailures(&b, failures)
	collected(results...).printWarnings(&b)
	const want = `failed:
  3 studies: read: series …: it has frame …, number 5 (hash …, "T2")
    S0, S1, S2
  study S7: series 0123456789ab: alone
  study S8: series 5: x
  study S9: series 6: x
warning: 3 studies: read: series …: it has frame …, number 5 (hash …, "T2")
    S0, S1, S2
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// A damaged file that concerns two studies is listed once, with their names.
func TestDamagedOnce(t *testing.T) {
	var b bytes.Buffer
	printDamaged(&b, []batch.Problem{{Reason: "IM1: ends", Folder: "v", Study: "aa", Alike: true},
		{Reason: "IM2: ends", Folder: "S2"}, {Reason: "IM1: ends", Folder: "v", Study: "bb", Alike: true}})
	if want := "damaged:\n  2 studies: IM1: ends\n    v (aa), v (bb)\n  IM2: ends\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// Files with the same reason are listed together. Unsupported files are not called damaged.
func TestUnsupportedIsNotDamaged(t *testing.T) {
	var b bytes.Buffer
	var all []batch.Problem
	for i := range 14 {
		name := fmt.Sprintf("a/IM%02d", i)
		p := batch.Problem{Reason: name + ": not supported (x)", File: name, FileReason: "not supported (x)",
			Unsupported: true}
		all = append(all, p, p) // two studies lie there
	}
	printDamaged(&b, append(all, batch.Problem{Reason: "b/IM1: ends", File: "b/IM1", FileReason: "ends"}))
	want := "damaged:\n  b/IM1: ends\nnot supported:\n  14 files: not supported (x)\n" +
		"    a/IM00, a/IM01, a/IM02, a/IM03, a/IM04, a/IM05, a/IM06, a/IM07, a/IM08, a/IM09, a/IM10, a/IM11 and 2 " +
		"more\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// All warnings of a run are printed; shared ones once. A long list is truncated.
func TestWarningsAreGrouped(t *testing.T) {
	results := []report.Result{
		{Subject: "S1", Visit: "V1", Warnings: []string{"lossy", "small\x1b[2J"}},
		{Subject: "S2", Visit: "V1", Warnings: []string{"lossy"}}, {Subject: "S3"},
		{Subject: "S4", Visit: "V1", Study: "aa", Warnings: []string{"alone"}},
		{Subject: "S4", Visit: "V1", Study: "bb"},
	}
	for n := range results {
		results[n].Dir = fmt.Sprint("dir", n)
	}
	slices.Reverse(results) // studies are mapped in any order
	var b bytes.Buffer
	collected(results...).printWarnings(&b)
	want := "warning: 2 studies: lossy\n    S1 V1, S2 V1\nwarning: S1 V1: " + printable.Line("small\x1b[2J") +
		"\nwarning: S4 V1 (aa): alone\n"
	if b.String() != want || strings.Contains(want, "\x1b") {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	var many report.Result
	for n := range 30 {
		many.Warnings = append(many.Warnings, fmt.Sprint("warning ", n))
	}
	collected(many).printWarnings(&b)
	if got := b.String(); strings.Count(got, "\n") != 21 ||
		!strings.HasSuffix(got, "warning: 10 more, in index.html and in each study's result.json\n") {
		t.Errorf("%q", got)
	}
}

// Of a warning that thousands of studies share, the first names and a count are kept.
func TestManyStudiesWithOneWarning(t *testing.T) {
	m := collected()
	for _, n := range rand.New(rand.NewPCG(1, 2)).Perm(1000) {
		name := fmt.Sprintf("S%03d", n)
		m.add(report.Result{Subject: name, Dir: name, Warnings: []string{fmt.Sprintf("mask %012x is empty", n)}})
	}
	var b bytes.Buffer
	m.printWarnings(&b)
	want := "warning: 1000 studies: mask … is empty\n    S000, S001, S002, S003, S004, S005, S006, S007, S008, S009, " +
		"S010, S011 and 988 more\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	for text, w := range m.warnings {
		if len(m.warnings) != 1 || len(w.first) != shownNames {
			t.Errorf("%d texts; %s: %d studies are kept", len(m.warnings), text, len(w.first))
		}
	}
}

// run and inspect warn of a scheme that does not belong to the mask.
func TestWrongSchemeIsWarnedOf(t *testing.T) {
	dir := studies(t, 2)
	scheme := filepath.Join(t.TempDir(), "wrong.yaml") // medial and patellofemoral exchanged
	if err := os.WriteFile(scheme, []byte("name: wrong\nlabels: {1: patellofemoral, 2: lateral, 3: medial}\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	const want = "the row patellofemoral lies "
	code, _, stderr := call("run", dir, "--out", filepath.Join(t.TempDir(), "r"), "--scheme", scheme)
	if code != exitOK || !strings.Contains(stderr, "warning: ") || !strings.Contains(stderr, want) ||
		!strings.Contains(stderr, "the scheme may belong to another mask") {
		t.Errorf("status %d\n%s", code, stderr)
	}
	if _, stdout, _ := call("inspect", dir, "--scheme", scheme); !strings.Contains(stdout, "warning: "+want) {
		t.Errorf("inspect:\n%s", stdout)
	}
	_, stdout, stderr := call("run", dir, "--out", filepath.Join(t.TempDir(), "r"), "--scheme", scheme, "--quiet")
	if stdout+stderr != "" {
		t.Errorf("--quiet says %q %q", stdout, stderr)
	}
	if _, _, stderr = call("run", dir, "--out", filepath.Join(t.TempDir(), "r"), "--scheme",
		"compartments"); strings.Contains(stderr, "warning") {
		t.Errorf("the right scheme:\n%s", stderr)
	}
}

// Studies in the same folder are distinguished by their hashes.
func TestStudiesOfOneFolder(t *testing.T) {
	dir := t.TempDir()
	for n, subject := range []string{"SA", "SB"} {
		s, err := phantom.New(context.Background(), phantom.Options{Subject: subject, Matrix: 64, Slices: 6,
			Seed: uint64(n)})
		if err == nil {
			err = s.Write(context.Background(), filepath.Join(dir, subject))
		}
		if err != nil {
			t.Fatal(err)
		}
		images, err := filepath.Glob(filepath.Join(dir, subject, "IM_*"))
		if err != nil || len(images) == 0 {
			t.Fatal(images, err)
		}
		if err := os.MkdirAll(filepath.Join(dir, "v"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, path := range images {
			if err := os.Rename(path, filepath.Join(dir, "v", subject+filepath.Base(path))); err != nil {
				t.Fatal(err)
			}
		}
	}
	in, err := batch.Inspect(context.Background(), batch.Settings{Roots: []string{dir}})
	if err != nil || len(in.Studies) != 2 || in.Studies[0].Folder != in.Studies[1].Folder {
		t.Fatalf("%+v, %v", in, err)
	}
	_, _, stderr := call("run", dir, "--out", filepath.Join(t.TempDir(), "r"), "--scheme", "compartments")
	for _, s := range in.Studies {
		if want := fmt.Sprintf("v (%s)", s.Study); !strings.Contains(stderr, want) {
			t.Errorf("%s\nhas no %q", stderr, want)
		}
	}
	if !strings.Contains(stderr, "2 studies: mask: the folder holds several studies") {
		t.Errorf("not grouped:\n%s", stderr)
	}
}

// run and inspect note links that lead out of the searched folders.
func TestLinksAreNotes(t *testing.T) {
	dir := studies(t, 1)
	search := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "SA"), filepath.Join(search, "S01")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if err := os.Symlink("nowhere", filepath.Join(search, "S02")); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := call("run", search, "--out", filepath.Join(t.TempDir(), "r"), "--scheme", "compartments")
	_, stdout, _ := call("inspect", search)
	for _, text := range []string{stderr, stdout} {
		for _, want := range []string{"note: links that lead out of the searched folders were followed (1): S01\n",
			"note: broken links were ignored (1): S02\n"} {
			if n := strings.Count(text, want); n != 1 {
				t.Errorf("%s\nhas %q %d times, want once", text, want, n)
			}
		}
	}
	if code != exitOK || strings.Contains(stderr+stdout, dir) {
		t.Errorf("status %d, or the target of a link is shown", code)
	}
}

// run and inspect note folders and files that are ignored although they hold data.
func TestPassedOverIsNoted(t *testing.T) {
	dir := studies(t, 2)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Rename(filepath.Join(dir, "SB"), filepath.Join(dir, "SB~"))) // a study all the same
	check(os.MkdirAll(filepath.Join(dir, "SA", "@eaDir", "x"), 0o755))
	check(os.MkdirAll(filepath.Join(dir, "$RECYCLE.BIN"), 0o755)) // holds nothing
	check(os.WriteFile(filepath.Join(dir, "SA", "@eaDir", "x", "IM1"), []byte("x"), 0o644))
	images, err := filepath.Glob(filepath.Join(dir, "SA", "IM_*"))
	check(err)
	for _, path := range images[:2] {
		data, err := os.ReadFile(path)
		check(err)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err = z.Write(data)
		check(errors.Join(err, z.Close(), os.WriteFile(path+".gz", b.Bytes(), 0o644)))
	}
	code, _, stderr := call("run", dir, "--out", filepath.Join(t.TempDir(), "r"), "--scheme", "compartments")
	_, stdout, _ := call("inspect", dir)
	for _, text := range []string{stderr, stdout} {
		for _, want := range []string{"though they hold files (1): SA/@eaDir\n", "are beside them (2): SA/" +
			filepath.Base(images[0]) + ".gz, "} {
			if !strings.Contains(text, want) {
				t.Errorf("%s\nhas no %q", text, want)
			}
		}
	}
	if code != exitOK || !strings.Contains(stdout, "2 studies in ") {
		t.Errorf("status %d\n%s", code, stdout)
	}
}

// The studies with quality flags are counted, and those that should not be used.
func TestPrintFlagged(t *testing.T) {
	flag := func(levels ...report.Level) (r report.Result) {
		for _, l := range levels {
			r.QualityFlags = append(r.QualityFlags, report.QualityFlag{Level: l})
		}
		return r
	}
	for _, c := range []struct {
		results []report.Result
		want    string
	}{
		{[]report.Result{flag(), flag()}, ""},
		{[]report.Result{flag(), flag(report.Warn)}, "1 study has quality flags, 0 at the level fail. See out/qc.csv.\n"},
		{[]report.Result{flag(report.Warn, report.Fail), flag(report.Warn), flag()},
			"2 studies have quality flags, 1 at the level fail. See out/qc.csv.\n"},
	} {
		var b strings.Builder
		collected(c.results...).printFlagged(&b, "out")
		if got := strings.ReplaceAll(b.String(), `\`, "/"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// collected returns what a run would collect of the results.
func collected(results ...report.Result) *mapped {
	m := newMapped()
	for _, r := range results {
		m.add(r)
	}
	return m
}
