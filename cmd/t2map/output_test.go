package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/report"
)

// Inputs are not overwritten, by whatever name.
func TestInputsAreKept(t *testing.T) {
	results, design := trialFiles(t, plainName)
	text, err := os.ReadFile(design)
	if err != nil {
		t.Fatal(err)
	}
	const scores = "subject,visit,name,value\nS01,baseline,VAS,5\nS01,month03,VAS,4\n"
	const wcv = "compartment,wcv_percent\nmedial,3\n"
	studyDesign, studyResults := writeStudy(t)
	for _, c := range []struct {
		name, file, content string
		args                func(dir, file string) []string
		hint                string
	}{
		{"endpoints", "values.csv", scores, func(dir, file string) []string {
			return []string{"trial", results, "--design", design, "--endpoints", file, "--out", dir}
		}, "values.csv is an input; give another --out"},
		{"the design", "flow.csv", string(text), func(dir, file string) []string {
			return []string{"trial", results, "--design", file, "--out", dir}
		}, "flow.csv is an input"},
		{"repeatability", "dictionary/flow.csv", wcv, func(dir, file string) []string {
			return []string{"trial", results, "--design", design, "--repeatability", file, "--out", dir}
		}, "flow.csv is an input"},
		{"a picture", "figures/means.svg", string(text), func(dir, file string) []string {
			return []string{"trial", results, "--design", file, "--out", dir}
		}, "means.svg is an input"},
		{"repeat", "repeat.csv", pairsTable, func(dir,
			file string) []string {
			return []string{"repeat", file, "--out", dir}
		}, "repeat.csv is an input"},
		{"power", "d.csv", string(must(os.ReadFile(studyDesign))), func(dir, file string) []string {
			return []string{"power", studyResults, "--design", file, "--endpoint", "medial", "--difference", "2",
				"--out", file}
		}, "d.csv is an input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, filepath.FromSlash(c.file))
			write(t, file, c.content)
			before := readAll(t, dir)
			code, stdout, stderr := call(c.args(dir, file)...)
			if code != exitUsage || !strings.Contains(stderr, "would be overwritten") ||
				!strings.Contains(stderr, "hint: "+c.hint) {
				t.Errorf("status %d\n%s%s", code, stdout, stderr)
			}
			if after := readAll(t, dir); len(after) != len(before) || after[file[len(dir):]] != c.content {
				t.Errorf("the folder held %d files, and now %d", len(before), len(after))
			}
		})
	}
	// A link to it is the same file.
	dir := t.TempDir()
	if err := os.Symlink(design, filepath.Join(dir, "flow.csv")); err != nil {
		t.Skip("no links here: ", err)
	}
	if code, _, stderr := call("trial", results, "--design", design, "--out", dir); code != exitUsage ||
		!strings.Contains(stderr, "trial.csv is an input") {
		t.Errorf("status %d\n%s", code, stderr)
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// A report that discloses the arms is not written to folders that blinded readers open.
func TestReportIsNotAmongResults(t *testing.T) {
	results, design := trialFiles(t, plainName)
	study := filepath.Join(results, "S01", "baseline")
	write(t, filepath.Join(study, "result.json"), "{}")
	before := readAll(t, results)
	for _, c := range []struct{ name, out, want string }{
		{"the results", results, "is the folder of the results"},
		{"the results, otherwise", filepath.Join(results, "S01", ".."), "is the folder of the results"},
		{"a study", study, "is a study's folder"},
		{"below a study", filepath.Join(study, "report"), "is a study's folder, or lies in one"},
		{"below the results", filepath.Join(results, "report"), "lies in the folder of the results"},
		{"below the results, deeper", filepath.Join(results, "S99", "a", "b"), "lies in the folder of the results"},
		{"a subject", filepath.Join(results, "S01"), "contains the folders of studies"},
	} {
		for _, source := range []string{results, filepath.Join(results, "compartments.csv")} {
			code, _, stderr := call("trial", source, "--design", design, "--out", c.out)
			if code != exitUsage || !strings.Contains(stderr, c.want) ||
				!strings.Contains(stderr, "hint: people who look at the results are blinded") {
				t.Errorf("%s: status %d\n%s", c.name, code, stderr)
			}
		}
	}
	if after := readAll(t, results); len(after) != len(before) {
		t.Errorf("%d files, there were %d", len(after), len(before))
	}
}

func TestOutIsNoFolder(t *testing.T) {
	results, design := trialFiles(t, plainName)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "x")
	for _, out := range []string{file, filepath.Join(file, "report", "again")} {
		for _, args := range [][]string{{"trial", results, "--design", design},
			{"repeat", writeTable(t, filepath.Join(dir, "pairs.csv"), pairsTable)},
			{"run", dir, "--scheme", "compartments"}} {
			code, _, stderr := call(append(args, "--out", out)...)
			if code != exitUsage || !strings.Contains(stderr, "file is a file, not a folder") ||
				!strings.Contains(stderr, "hint: name a folder") {
				t.Errorf("%v: status %d\n%s", args[0], code, stderr)
			}
		}
	}
	// The error names a folder in place of a file, and no temporary file.
	out := filepath.Join(dir, "out")
	write(t, filepath.Join(out, "repeat.csv", "x"), "")
	code, _, stderr := call("repeat", filepath.Join(dir, "pairs.csv"), "--out", out)
	if code != exitUsage ||
		!strings.Contains(stderr, "repeat.csv: not written: a folder of that name exists") ||
		strings.Contains(stderr, ".repeat.csv") {
		t.Errorf("status %d\n%s", code, stderr)
	}
}

// Every command ends with exit status 1 if the disk is full, and does not refer to tables that are not written.
func TestFullDiskInWords(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, err := range []error{&batch.TablesError{Err: full}, &batch.DiskFullError{Err: full},
		fmt.Errorf("trial.html: %w", full)} {
		if got := status(err); got != exitFailed {
			t.Errorf("%v: status %d, want %d", err, got, exitFailed)
		}
	}
	if got := status(&batch.TablesError{Err: errors.New("open elsewhere")}); got != exitUsage {
		t.Errorf("status %d, want %d", got, exitUsage)
	}
	for _, written := range []bool{true, false} {
		var b bytes.Buffer
		printOutcome(&b, "out", "out", batch.Outcome{NotDone: make([]report.Failure, 2)}, collected(), written)
		if strings.Contains(b.String(), "See out") != written ||
			strings.Contains(b.String(), "Not all tables are written") == written {
			t.Errorf("written %t: %s", written, b.String())
		}
	}
}
