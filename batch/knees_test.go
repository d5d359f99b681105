package batch

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/t2fit"
)

// One series is one knee, though its side was corrected: its earlier row does not stay beside the new one.
func TestCorrectedSide(t *testing.T) {
	for _, c := range []struct {
		name, was, is, refused string // rows of a manifest
	}{
		{"side", "S1,V1,L", "S1,V1,R", ""},
		{"side and visit", "S1,V1,L", "S1,V2,R", `"S1/V2"`},
		{"side and subject", "S1,V1,R", "S2,V1,L", `"S2/V1"`},
		{"a side that was not known", "S1,V1,", "S1,V2,R", `"S1/V2"`},
	} {
		for _, series := range []int{1, 2} { // of two, which is meant is known late
			dir := t.TempDir()
			folder := filepath.Join(dir, "studies", "a")
			scanOf(t, folder, map[string]string{"SeriesNumber": "5"}, false)
			s := settings(t, dir)
			if series == 2 {
				scanOf(t, filepath.Join(folder, "again"), map[string]string{"SeriesNumber": "6",
					"SeriesInstanceUID": "2.25.900.22"}, false)
				remove(t, filepath.Join(folder, "again", "labels.nii.gz"))
				s.Series = "5"
			}
			s.Manifest = filepath.Join(dir, "m.csv")
			writeText(t, s.Manifest, "folder,subject,visit,side\nstudies/a,"+c.was+"\n")
			if out := run(t, s); len(out.Results) != 1 {
				t.Fatalf("%s: %+v", c.name, out)
			}
			writeText(t, s.Manifest, "folder,subject,visit,side\nstudies/a,"+c.is+"\n")
			if c.refused != "" {
				out := run(t, s)
				if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, c.refused) ||
					out.Earlier != 1 || len(statuses(t, s.Out)) != 1 {
					t.Errorf("%s, %d series: %+v, %q", c.name, series, out, statuses(t, s.Out))
				}
				sameTables(t, s.Out)
				s.Rename = true
			}
			if out := run(t, s); len(out.Results) != 1 || out.Earlier != 0 || len(statuses(t, s.Out)) != 1 {
				t.Errorf("%s, %d series: %+v, %q", c.name, series, out, statuses(t, s.Out))
			}
			sameTables(t, s.Out)
		}
	}
}

// Two knees of one study that are mapped one after the other, and two studies of one visit, both stay,
// each in its folder, however often and beside which others they are mapped again.
func TestFoldersOfOthersAreNotTaken(t *testing.T) {
	for _, c := range []struct {
		name     string
		other    map[string]string // attributes of the second scan
		together int               // results of a run that finds both
		warns    bool
	}{
		{"the other knee", map[string]string{"SeriesInstanceUID": "2.25.900.22", "Laterality": "R"}, 0, false},
		{"another study", map[string]string{"StudyInstanceUID": "2.25.901.1", "Laterality": "L"}, 2, true},
		{"another study of the other knee", map[string]string{"StudyInstanceUID": "2.25.901.1", "Laterality": "R"}, 2,
			false},
	} {
		dir := t.TempDir()
		visit := filepath.Join(dir, "studies", "P", "V1")
		scanOf(t, filepath.Join(visit, "x"), map[string]string{"Laterality": "L"}, false)
		scanOf(t, filepath.Join(visit, "y"), c.other, false)
		s := settings(t, dir)
		s.Layout = "studies/{subject}/{visit}"
		folders := func() (all []string) {
			found, _ := filepath.Glob(filepath.Join(s.Out, "P", "*"))
			for _, f := range found {
				all = append(all, filepath.Base(f))
			}
			return all
		}
		var before []string
		for n, folder := range []string{"x", "y", "y", "x", "", "x"} {
			s.Roots = []string{filepath.Join(visit, folder)}
			out := run(t, s)
			want := 1
			if folder == "" {
				want = c.together
			}
			if len(out.Results) != want || n > 0 && len(statuses(t, s.Out)) != 2 {
				t.Errorf("%s, run %d: %+v, %q", c.name, n, out, statuses(t, s.Out))
			}
			for _, r := range out.Results {
				if n > 0 && (len(r.Warnings) > 0) != c.warns {
					t.Errorf("%s, run %d: warnings %q", c.name, n, r.Warnings)
				}
			}
			if n > 1 && !cmp.Equal(before, folders()) {
				t.Errorf("%s, run %d: folders %q, before %q", c.name, n, folders(), before)
			}
			before = folders()
		}
		if len(before) != 2 || before[0] != "V1" {
			t.Errorf("%s: folders %q", c.name, before)
		}
		sameTables(t, s.Out)
	}
}

// A setting that fits no study takes nothing away, though --replace is given.
func TestReplaceThatMapsNothing(t *testing.T) {
	_, s := twoVisits(t)
	run(t, s)
	before := tree(t, s.Out)["compartments.csv"]
	s.Replace, s.Series = true, "nope*"
	s.Protocol.Fit.Method = t2fit.LogLinear
	out := run(t, s)
	if len(out.Failures) != 2 || out.Earlier != 2 || tree(t, s.Out)["compartments.csv"] != before ||
		!strings.HasSuffix(out.Failures[0].Reason, "stays in the tables") {
		t.Errorf("%+v", out)
	}
	// Where one of the studies is mapped, the earlier result of the other does not stay.
	s.Series, s.Mask = "", "labels.nii.gz"
	if err := os.Rename(filepath.Join(s.Roots[0], "S01", "M12", "labels.nii.gz"), filepath.Join(s.Roots[0], "S01",
		"M12", "reader.nii.gz")); err != nil {
		t.Fatal(err)
	}
	out = run(t, s)
	if len(out.Results) != 1 || len(out.Failures) != 1 || out.Earlier != 0 ||
		strings.Contains(out.Failures[0].Reason, "stays in the tables") {
		t.Errorf("%+v", out)
	}
	sameTables(t, s.Out)
}

// A run that ends before all names that were moved along are done keeps the rows of the others.
func TestInterruptedRenaming(t *testing.T) {
	dir := t.TempDir()
	const n = 5
	folder := func(i int) string { return filepath.Join(dir, "studies", fmt.Sprintf("S%02d", i), "V1") }
	for i := range n {
		scanOf(t, folder(i), map[string]string{"PatientID": "", "StudyInstanceUID": fmt.Sprint("2.25.1", i)}, false)
	}
	s := settings(t, dir)
	s.Layout, s.Workers = "studies/{subject}/{visit}", 1
	run(t, s)
	for i := range n { // S00 to S04, which is away, S01 to S00 and so on
		target := folder(i - 1)
		if i == 0 {
			target = folder(n)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(folder(i), target); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(folder(n), folder(n-1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	interrupted := s
	interrupted.Rename = true
	interrupted.Progress = func(stage Stage, done, _ int) {
		if stage == StageStudies && done == 2 {
			cancel()
		}
	}
	out, err := runAll(ctx, interrupted)
	if !errors.Is(err, context.Canceled) || len(out.Results) < 2 || len(out.NotDone) == 0 ||
		len(out.Results)+out.Earlier != n {
		t.Errorf("%d done, %d earlier, %d not done, %v", len(out.Results), out.Earlier, len(out.NotDone), err)
	}
	if rows := statuses(t, s.Out); len(rows) != n || strings.Contains(strings.Join(rows, "\n"), "not done") {
		t.Errorf("%q", rows)
	}
	sameTables(t, s.Out)
	s.Rename = true
	if out := run(t, s); len(out.Results) != n || out.Earlier != 0 || len(statuses(t, s.Out)) != n {
		t.Errorf("again: %+v", out)
	}
}

// The tables of a run that was killed are not used before they are written again.
func TestKilledRun(t *testing.T) {
	_, s := twoVisits(t)
	run(t, s)
	if err := CheckIdle(s.Out); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func() error{
		func() error { _, err := Tables(t.Context(), Settings{Out: s.Out}); return err },
		func() error { _, err := Run(t.Context(), s); return err },
	} {
		lock, _, err := s.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = lock.file.Close() // as the system does
		var unfinished *UnfinishedError
		check := func(state string) {
			if err := CheckIdle(s.Out); !errors.As(err, &unfinished) || unfinished.Holder.PID != os.Getpid() ||
				!strings.Contains(hint.Find(err), "t2map tables "+s.Out) {
				t.Errorf("%s: %v, hint %q", state, err, hint.Find(err))
			}
		}
		check("killed")
		refused := s
		refused.Protocol.Fit.Method = t2fit.ARLO
		if _, err := Run(t.Context(), refused); !errors.As(err, new(*SettingsError)) {
			t.Errorf("%v", err)
		}
		check("and refused") // which changes nothing
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := CheckIdle(s.Out); err != nil {
			t.Error(err)
		}
	}
}

// separated returns a CSV with another separator.
func separated(t *testing.T, text []byte, separator rune) []byte {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = separator
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// studies.csv that a spreadsheet program has saved in another form still lists the studies that failed; one
// that cannot be read at all is not written over.
func TestStudiesTableSavedOtherwise(t *testing.T) {
	for _, c := range []struct {
		name string
		save func([]byte) []byte
		bad  bool
	}{
		{"semicolons", func(b []byte) []byte { return separated(t, b, ';') }, false},
		{"tabs and CR", func(b []byte) []byte {
			return bytes.ReplaceAll(separated(t, b, '\t'), []byte("\n"),
				[]byte("\r"))
		}, false},
		{"UTF-16", func(b []byte) []byte {
			wide := []byte{0xff, 0xfe}
			for _, c := range separated(t, b, '\t') {
				wide = append(wide, c, 0)
			}
			return wide
		}, false},
		{"a workbook", func([]byte) []byte { return []byte("PK\x03\x04") }, true},
		{"another table", func([]byte) []byte { return []byte("a,b\n1,2\n") }, true},
		{"nothing", func([]byte) []byte { return nil }, true},
	} {
		dir, s := twoVisits(t)
		knee(t, filepath.Join(dir, "studies", "S02", "M00"), phantom.Options{Subject: "S02", Seed: 3})
		remove(t, filepath.Join(dir, "studies", "S02", "M00", "labels.nii.gz"))
		run(t, s)
		file := filepath.Join(s.Out, "studies.csv")
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), "S02,M00") {
			t.Fatalf("%v\n%s", err, text)
		}
		if err := os.WriteFile(file, c.save(text), 0o666); err != nil {
			t.Fatal(err)
		}
		before := tree(t, s.Out)
		s.Roots = []string{filepath.Join(dir, "studies", "S01")}
		out, err := runAll(t.Context(), s)
		if c.bad {
			_, tablesErr := Tables(t.Context(), s)
			for _, err := range []error{err, tablesErr} {
				if err == nil || !strings.Contains(err.Error(), "studies.csv") || !strings.Contains(hint.Find(err),
					"restore studies.csv") {
					t.Errorf("%s: %v, hint %q", c.name, err, hint.Find(err))
				}
			}
			if diff := cmp.Diff(before, tree(t, s.Out)); diff != "" {
				t.Errorf("%s: the folder has changed:\n%s", c.name, diff)
			}
			continue
		}
		failed := text[bytes.Index(text, []byte("S02,M00")):]
		if again, readErr := os.ReadFile(file); err != nil || readErr != nil || !bytes.HasSuffix(again, failed) ||
			len(out.Listed) != 1 {
			t.Errorf("%s: %v, %v, listed %+v\n%s", c.name, err, readErr, out.Listed, again)
		}
	}
}
