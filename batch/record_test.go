package batch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/audit"
)

// The record has the start and the end of each run, and each result, failure and superseded result.
func TestRecordOfRuns(t *testing.T) {
	dir, s := resumable(t)
	s.Options = []string{"--scheme compartments"}
	run(t, s)
	run(t, s) // nothing to do
	if err := os.RemoveAll(filepath.Join(dir, "studies", "S02")); err != nil {
		t.Fatal(err)
	}
	remove(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"))
	run(t, s)
	var events []audit.Event
	_, faults, err := audit.Read(s.Out, func(e audit.Event) { events = append(events, e) })
	if err != nil || len(faults) > 0 {
		t.Fatal(faults, err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, strings.TrimSpace(string(e.Kind)+" "+e.Subject))
		if e.Run == "" || e.Kind == audit.StudyDone && (len(e.Result) != 64 || e.Folder != e.Subject+"/study") {
			t.Errorf("%+v", e)
		}
	}
	if diff := cmp.Diff([]string{"run started", "study done S01", "study done S02", "tables written",
		"run ended", "run started", "run ended", "run started", "result superseded S01", "study failed S01",
		"tables written", "run ended"},
		kinds); diff != "" {
		t.Error(diff)
	}
	if e := events[0]; e.Version == "" || len(e.Protocol) != 64 || !cmp.Equal(e.Options, s.Options) {
		t.Errorf("%+v", e)
	}
	if e := events[9]; !strings.Contains(e.Reason, "mask") {
		t.Errorf("%+v", e)
	}
}
