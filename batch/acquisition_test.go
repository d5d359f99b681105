package batch

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// A study whose acquisition is not that of the protocol has a warning and its facts, or fails, as the protocol says.
func TestExpectedAcquisition(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	s := settings(t, dir)
	s.Protocol.Acquisition = protocol.Acquisition{Echoes: 32}
	out := run(t, s)
	if len(out.Results) != 1 {
		t.Fatalf("%+v", out.Failures)
	}
	r := out.Results[0]
	if len(r.Deviations) != 1 || r.Deviations[0].Item != report.DeviationEchoes || r.Deviations[0].Expected[0] != 32 ||
		!strings.Contains(strings.Join(r.Warnings, "\n"), "not that of the protocol: number of echoes") {
		t.Errorf("%+v, %q", r.Deviations, r.Warnings)
	}
	if again, err := report.ReadResult(filepath.Join(r.Dir, report.ResultFile)); err != nil ||
		len(again.Deviations) != 1 || again.Protocol.SHA256 != r.Protocol.SHA256 || len(r.Protocol.SHA256) != 64 {
		t.Errorf("as written: %+v, %v", again.Deviations, err)
	}
	s.Out = filepath.Join(dir, "strict")
	s.Protocol.Acquisition.Deviation = protocol.DeviationFail
	out = run(t, s)
	if len(out.Results) != 0 || len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "expected 32") ||
		!strings.Contains(out.Failures[0].Hint, "ask the site") || out.Failures[0].Code != report.ReasonAcquisition {
		t.Errorf("%+v", out)
	}
}
