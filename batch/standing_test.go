package batch

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/t2fit"
)

// statuses returns the rows of studies.csv as subject, side and status.
func statuses(t testing.TB, out string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "studies.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, strings.TrimSpace(row[0]+" "+row[4])+" "+row[6])
	}
	return got
}

// sameTables asks that t2map tables leaves the tables that stand in the folder as they are.
func sameTables(t testing.TB, out string) {
	t.Helper()
	want := tree(t, out)
	if _, err := Tables(context.Background(), Settings{Out: out}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, tree(t, out)); diff != "" {
		t.Errorf("tables alone (-run +tables):\n%s", diff)
	}
}

// A setting of the run that does not fit a sound study takes nothing from its earlier result,
// which is its one row.
func TestSettingsDisplaceNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(t *testing.T, s *Settings, study string)
	}{
		{"a series that is not there", func(_ *testing.T, s *Settings, _ string) { s.Series = "77" }},
		{"a series of the protocol", func(_ *testing.T, s *Settings,
			_ string) {
			s.Protocol.Series.Description = "SGA*"
		}},
		{"a series that is not chosen", func(t *testing.T, s *Settings, study string) {
			s.Series = ""
			secondTrain(t,
				study)
		}},
		{"a mistyped mask", func(_ *testing.T, s *Settings, _ string) { s.Mask = "lables.nii.gz" }},
		{"a mask that is no mask", func(_ *testing.T, s *Settings, _ string) { s.Mask = "*.dcm" }},
		{"a pattern of several masks", func(t *testing.T, s *Settings, study string) {
			copyFile(t, filepath.Join(study, "labels.nii.gz"), filepath.Join(study, "labels2.nii.gz"))
			s.Mask = "labels*"
		}},
		{"a forgotten mask", func(t *testing.T, _ *Settings, study string) {
			if err := os.Rename(filepath.Join(study, "labels.nii.gz"), filepath.Join(study,
				"reader2.nii.gz")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a mistyped layout", func(_ *testing.T, s *Settings, _ string) { s.Layout = "site/{subject}" }},
		{"little memory", func(_ *testing.T, s *Settings, _ string) { s.MemoryMB = 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			study := filepath.Join(dir, "studies", "S01")
			knee(t, study, phantom.Options{})
			s := settings(t, dir)
			run(t, s)
			c.set(t, &s, study)
			out := run(t, s)
			if len(out.Failures) != 1 || !strings.HasSuffix(out.Failures[0].Reason, "; the earlier result of the "+
				"study stays in the tables") || out.Earlier != 1 {
				t.Errorf("%+v", out)
			}
			if got := statuses(t, s.Out); tableRows(t, s.Out) != 3 || !cmp.Equal(got, []string{"S01 right done"}) {
				t.Errorf("%d rows, %q", tableRows(t, s.Out), got)
			}
			sameTables(t, s.Out)
			// Without an earlier result it is a failure as others are.
			s.Out = filepath.Join(dir, "elsewhere")
			out = run(t, s)
			if len(out.Failures) != 1 || strings.Contains(out.Failures[0].Reason, "earlier result") ||
				!strings.HasSuffix(statuses(t, s.Out)[0], " failed") {
				t.Errorf("%+v", out.Failures)
			}
			sameTables(t, s.Out)
		})
	}
}

// Mapping a study again sets aside all that the folder holds of it: a copy, and results that
// contradict each other.
func TestMappingAgainEndsContradictions(t *testing.T) {
	for _, edit := range []bool{false, true} {
		dir := t.TempDir()
		knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
		s := settings(t, dir)
		run(t, s)
		for _, name := range []string{"baseline - copy", "baseline - copy 2"} {
			backup := filepath.Join(s.Out, "S01", name)
			if err := os.CopyFS(backup, os.DirFS(filepath.Join(s.Out, "S01", "baseline"))); err != nil {
				t.Fatal(err)
			}
			if !edit {
				continue
			}
			file := filepath.Join(backup, report.ResultFile)
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, bytes.Replace(text, []byte(`"visit": "`), []byte(`"visit": "`+name), 1), 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		run(t, s)
		out, err := Tables(context.Background(), Settings{Out: s.Out})
		if err != nil || len(out.Unreadable) != 0 || len(out.Failures) != 0 || len(out.Remarks) != 0 ||
			tableRows(t, s.Out) != 3 {
			t.Errorf("edited %t: %+v, %v, %d rows", edit, out, err, tableRows(t, s.Out))
		}
		if aside, _ := filepath.Glob(filepath.Join(s.Out, supersededFolder, "S01", "*",
			report.ResultFile)); len(aside) != 2 {
			t.Errorf("edited %t: set aside: %q", edit, aside)
		}
	}
}

// A run keeps the rows of studies that failed before and that it does not search, as tables does,
// and drops them when the study has a result.
func TestFailuresOfEarlierRunsStayListed(t *testing.T) {
	dir := t.TempDir()
	for n, name := range []string{"S01", "S02", "S03"} {
		knee(t, filepath.Join(dir, "studies", name), phantom.Options{Subject: name, Seed: uint64(n)})
	}
	masked := filepath.Join(dir, "studies", "S02", "labels.nii.gz")
	kept := filepath.Join(dir, "kept.nii.gz")
	if err := os.Rename(masked, kept); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	interrupted := s
	interrupted.Workers = 1
	interrupted.Progress = func(stage Stage, done, _ int) {
		if stage == StageStudies && done == 1 {
			cancel()
		}
	}
	if _, err := Run(ctx, interrupted); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := statuses(t, s.Out); !cmp.Equal(got, []string{"S01 right done", "S02 right failed",
		"S03 right not done"}) {
		t.Fatalf("%q", got)
	}
	again := s
	again.Roots = []string{filepath.Join(dir, "studies", "S01")}
	if out := run(t, again); len(out.Failures) != 0 || len(out.NotDone) != 0 || len(out.Listed) != 2 {
		t.Errorf("%+v", out)
	}
	if got := statuses(t, s.Out); !cmp.Equal(got, []string{"S01 right done", "S02 right failed",
		"S03 right not done"}) {
		t.Errorf("%q", got)
	}
	sameTables(t, s.Out)
	if err := os.Rename(kept, masked); err != nil {
		t.Fatal(err)
	}
	again.Roots = []string{filepath.Join(dir, "studies", "S02"), filepath.Join(dir, "studies", "S03")}
	run(t, again)
	if got := statuses(t, s.Out); !cmp.Equal(got, []string{"S01 right done", "S02 right done", "S03 right done"}) {
		t.Errorf("%q", got)
	}
}

// Of two knees of one study, one that failed is listed beside the one that is done.
func TestSecondKneeThatFailed(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	secondTrain(t, study)
	otherSide(t, study)
	s := settings(t, dir)
	s.Protocol.Series.Side = "R"
	run(t, s)
	remove(t, filepath.Join(study, "labels.nii.gz"))
	s.Protocol.Series.Side = "L"
	out := run(t, s)
	if len(out.Failures) != 1 || out.Failures[0].Side != "left" || out.Failures[0].Series == "" ||
		out.Earlier != 1 {
		t.Errorf("%+v", out)
	}
	if got := statuses(t, s.Out); !cmp.Equal(got, []string{"S01 right done", "S01 left failed"}) {
		t.Errorf("%q", got)
	}
	sameTables(t, s.Out)
}

// A study that is refused for its name has one row: that of its earlier result, also where results
// of other settings are replaced.
func TestRefusedStudyHasOneRow(t *testing.T) {
	dir, s := twoVisits(t)
	run(t, s)
	if err := os.Rename(filepath.Join(dir, "studies", "S01"), filepath.Join(dir, "studies", "S77")); err != nil {
		t.Fatal(err)
	}
	out := run(t, s)
	if len(out.Failures) != 2 || !strings.Contains(out.Failures[0].Reason, `"S77/M00"`) {
		t.Errorf("%+v", out)
	}
	if got := statuses(t, s.Out); !cmp.Equal(got, []string{"S01 right done", "S01 right done"}) &&
		!cmp.Equal(got, []string{"S01 done", "S01 right done"}) {
		t.Errorf("%q", got)
	}
	sameTables(t, s.Out)
	s.Replace = true
	s.Protocol.Fit.Method = t2fit.LogLinear
	out = run(t, s)
	if len(out.Results) != 0 || len(out.Failures) != 2 || !strings.Contains(out.Failures[0].Reason, `"S77/M00"`) {
		t.Errorf("--replace: %+v", out)
	}
	s.Rename = true
	if out = run(t, s); len(out.Results) != 2 || len(out.Failures) != 0 {
		t.Errorf("--replace --rename: %+v", out)
	}
}

// Results of an older version, or of another method, are not added to, and tables refuses them beside
// others.
func TestResultsOfOtherVersions(t *testing.T) {
	for _, c := range []struct{ was, edit, want, mixed string }{
		{`"version": "` + pipeline.Version + `"`, `"version": "0.1.0"`, "version 0.1.0 of t2map, now " +
			pipeline.Version, "version 0.1.0 of t2map (S01/M00)"},
		{`"method": "nlls"`, `"method": "arlo"`, "method arlo, now nlls", "method arlo (S01/M00)"},
	} {
		_, s := twoVisits(t)
		run(t, s)
		file := filepath.Join(s.Out, "S01", "M00", report.ResultFile)
		text, err := os.ReadFile(file)
		if err != nil || bytes.Count(text, []byte(c.was)) != 1 {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, bytes.Replace(text, []byte(c.was), []byte(c.edit), 1), 0o666); err != nil {
			t.Fatal(err)
		}
		want := tree(t, s.Out)
		var differ *SettingsError
		if _, err := Run(t.Context(), s); !errors.As(err, &differ) || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(hint.Find(err), "--replace") {
			t.Errorf("run: %v", err)
		}
		var mixed *MixedError
		if _, err := Tables(t.Context(), s); !errors.As(err, &mixed) || len(mixed.Groups) != 2 ||
			!strings.Contains(err.Error(), c.mixed) || !strings.Contains(hint.Find(err), "--replace") {
			t.Errorf("tables: %v", err)
		}
		if diff := cmp.Diff(want, tree(t, s.Out)); diff != "" {
			t.Errorf("the folder has changed:\n%s", diff)
		}
		s.Replace = true
		if out := run(t, s); len(out.Results) != 2 || tableRows(t, s.Out) != 6 {
			t.Errorf("replaced: %+v", out)
		}
		sameTables(t, s.Out)
	}
}
