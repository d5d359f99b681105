package batch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

// timesIn returns the rows of timing.csv.
func timesIn(t *testing.T, out string) []table.Row {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(out, "timing.csv"))
	if err != nil {
		t.Fatal(err)
	}
	tab, err := table.Read(table.Source{Name: "timing.csv", Data: raw})
	if err != nil {
		t.Fatal(err)
	}
	return tab.Rows
}

// timing.csv has the last time of each result that is in the tables. A run with nothing to do, and t2map tables, keep
// it. The record has the times of failures too.
func TestTiming(t *testing.T) {
	dir, s := resumable(t)
	run(t, s)
	rows := timesIn(t, s.Out)
	if len(rows) != 2 || rows[0].Text("subject") != "S01" || rows[1].Text("folder") != "S02/study" {
		t.Fatalf("%+v", rows)
	}
	for _, r := range rows {
		seconds, err := r.Number("seconds")
		peak, peakErr := r.Number("peak_bytes")
		if err != nil || peakErr != nil || !(seconds > 0 && seconds < 300) || !(peak > 1<<20) {
			t.Errorf("%v s, %v bytes, %v, %v", seconds, peak, err, peakErr)
		}
	}
	first, err := os.ReadFile(filepath.Join(s.Out, "timing.csv"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	if _, err := Tables(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(s.Out, "timing.csv")); err != nil || string(again) != string(first) {
		t.Errorf("%v\n%s\n%s", err, first, again)
	}
	// S01 fails once its mask is damaged; S02 is mapped again.
	writeText(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"), "not a mask")
	s.Force = true
	run(t, s)
	if again := timesIn(t, s.Out); len(again) != 1 || again[0].Text("subject") != "S02" ||
		again[0].Text("seconds")+again[0].Text("peak_bytes") == rows[1].Text("seconds")+rows[1].Text("peak_bytes") {
		t.Errorf("%+v, before %+v", again, rows)
	}
	timed := map[audit.Kind]int{}
	if _, _, err := audit.Read(s.Out, func(e audit.Event) {
		if e.Seconds > 0 && e.PeakBytes > 0 {
			timed[e.Kind]++
		}
	}); err != nil || len(timed) != 2 || timed[audit.StudyDone] != 3 || timed[audit.StudyFailed] != 1 {
		t.Errorf("%v, %v", timed, err)
	}
	// Without a record, times are not known.
	remove(t, filepath.Join(s.Out, audit.File))
	if _, err := Tables(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if again := timesIn(t, s.Out); len(again) != 1 || again[0].Text("seconds")+again[0].Text("peak_bytes") != "" {
		t.Errorf("%+v", again)
	}
}

// If the results end with an error, timing.csv stays as it was, as all tables do.
func TestTimingOfABrokenSequence(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("broken")
	results := func(yield func(report.Result, error) bool) {
		if yield(report.Result{Subject: "S01", Dir: filepath.Join(dir, "S01")}, nil) {
			yield(report.Result{}, broken)
		}
	}
	if err := writeCohort(dir, report.Cohort{Results: results}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	// A table that cannot be written does not keep the others from being written.
	if err := os.Mkdir(filepath.Join(dir, "studies.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	sound := report.Sorted([]report.Result{{Subject: "S01", Dir: filepath.Join(dir, "S01")}})
	err := writeCohort(dir, report.Cohort{Results: sound})
	if err == nil || !strings.Contains(err.Error(), "studies.csv") {
		t.Error(err)
	}
	if rows := timesIn(t, dir); len(rows) != 1 || rows[0].Text("subject") != "S01" {
		t.Errorf("%+v", rows)
	}
}
