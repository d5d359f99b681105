package batch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
)

// A study that goes by another name now fails, and keeps its rows, unless the new name is asked for:
// then it is in the tables once, and the earlier folder is named.
func TestRenamedStudyIsInTheTablesOnce(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "X1"), phantom.Options{})
	knee(t, filepath.Join(dir, "studies", "X2"), phantom.Options{Subject: "S02"})
	s := settings(t, dir)
	run(t, s)
	before := tree(t, s.Out)["compartments.csv"]
	s.Layout, s.Roots = "{subject}", []string{filepath.Join(dir, "studies")}
	refused := run(t, s)
	const want = `identity: the study is now "X1" (from layout), but the output folder holds its results as ` +
		`"S01/baseline", in the folder S01/baseline`
	if len(refused.Results) != 0 || refused.Earlier != 2 || len(refused.Failures) != 2 ||
		!strings.HasPrefix(refused.Failures[0].Reason, want+"; ") || !strings.Contains(refused.Failures[0].Hint,
		"--rename") {
		t.Errorf("%+v", refused)
	}
	if tree(t, s.Out)["compartments.csv"] != before {
		t.Error("the rows have changed though the new name was refused")
	}
	s.Rename = true
	out := run(t, s)
	if len(out.Results) != 2 || out.Earlier != 0 || len(out.Remarks) != 3 || !strings.Contains(out.Remarks[1],
		"S01/baseline was moved to superseded/S01/baseline-") || !strings.Contains(out.Remarks[1], "now in X1/study") {
		t.Errorf("%d results, %d earlier, remarks %q", len(out.Results), out.Earlier, out.Remarks)
	}
	table, err := os.ReadFile(filepath.Join(s.Out, "compartments.csv"))
	if err != nil || strings.Count(string(table), "\n") != 1+2*3 || strings.Contains(string(table), "S01") {
		t.Errorf("%v\n%s", err, table)
	}
}

// A study that fails loses its earlier rows, whether a series had been chosen or not, and its folder is
// set aside; an interruption takes nothing.
func TestFailureDisplacesItsStudy(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(t *testing.T, s *Settings, study string)
	}{
		{"a mask that is gone", func(t *testing.T, _ *Settings, study string) {
			remove(t, filepath.Join(study,
				"labels.nii.gz"))
		}},
		{"an echo that is gone", func(t *testing.T, _ *Settings, study string) { remove(t, first(t, study)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			study := filepath.Join(dir, "studies", "S01")
			knee(t, study, phantom.Options{})
			knee(t, filepath.Join(dir, "studies", "S02"), phantom.Options{Subject: "S02"})
			s := settings(t, dir)
			run(t, s)
			ctx, cancel := context.WithCancel(context.Background())
			interrupted := s
			interrupted.Progress = func(stage Stage, _, _ int) {
				if stage == StageStudies {
					cancel()
				}
			}
			out, err := runAll(ctx, interrupted)
			if !errors.Is(err, context.Canceled) || len(out.NotDone) == 0 || len(out.Failures) != 0 ||
				tableRows(t, s.Out) != 6 {
				t.Errorf("interrupted: %+v, %v, %d rows", out, err, tableRows(t, s.Out))
			}
			s.Roots = []string{study}
			c.fail(t, &s, study)
			out = run(t, s)
			if len(out.Failures) != 1 || out.Earlier != 1 || len(out.Remarks) != 1 || tableRows(t, s.Out) != 3 {
				t.Errorf("%+v, %d rows", out, tableRows(t, s.Out))
			}
			aside, _ := filepath.Glob(filepath.Join(s.Out, supersededFolder, "S01", "*", report.ResultFile))
			if len(aside) != 1 {
				t.Errorf("set aside: %v", aside)
			}
			if _, err := os.Stat(filepath.Join(s.Out, "S01")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("its folder: %v", err)
			}
		})
	}
}

// tableRows counts the rows of compartments.csv.
func tableRows(t testing.TB, out string) int {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(out, "compartments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(table), "\n") - 1
}

// A result that cannot be read is said, not forgotten.
func TestUnreadableResult(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	s := settings(t, dir)
	broken := filepath.Join(s.Out, "S00", "v1")
	if err := os.MkdirAll(broken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, report.ResultFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := run(t, s)
	if len(out.Results) != 1 || len(out.Failures) != 1 || out.Failures[0].Folder != "S00/v1" ||
		!strings.Contains(out.Failures[0].Reason, "cannot be read") || out.Failures[0].Code != report.ReasonResult {
		t.Errorf("%+v", out)
	}
}
