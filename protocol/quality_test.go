package protocol

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/report"
)

// readProtocolText reads a protocol with that text.
func readProtocolText(t *testing.T, text string) (Protocol, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return ReadProtocol(path)
}

// .inf switches a limit off, and 0 does where values below the limit are flagged. A warning that is switched off also
// switches off the default limit of failing.
func TestLimitsSwitchedOff(t *testing.T) {
	limits := map[string]func(report.QualityLimits) report.Limits{
		"snr_last":         func(q report.QualityLimits) report.Limits { return q.SNRLast },
		"voxels":           func(q report.QualityLimits) report.Limits { return q.Voxels },
		"shift_px":         func(q report.QualityLimits) report.Limits { return q.ShiftPX },
		"excluded_percent": func(q report.QualityLimits) report.Limits { return q.ExcludedPercent },
	}
	off := math.NaN()
	for _, c := range []struct {
		key, levels string
		warn, fail  float64
	}{
		{"snr_last", "warn: 0", off, off}, {"voxels", "warn: 0", off, off}, {"snr_last", "warn: .inf", off, off},
		{"snr_last", "fail: 0", 5, off}, {"voxels", "least: 0", 200, off}, {"voxels", "warn: 0, least: 0", off, off},
		{"shift_px", "warn: .inf", off, off}, {"excluded_percent", "fail: .inf", 10, off},
		{"shift_px", "warn: 0", 0, 1}, {"excluded_percent", "warn: 0, fail: 0", 0, 0}, {"snr_last", "warn: 4", 4, 3},
	} {
		p, err := readProtocolText(t, "quality: {"+c.key+": {"+c.levels+"}}\n")
		if err != nil {
			t.Errorf("%s: {%s}: %v", c.key, c.levels, err)
			continue
		}
		same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
		got := limits[c.key](p.Quality.Limits())
		if !same(float64(got.Warn), c.warn) || !same(float64(got.Fail), c.fail) {
			t.Errorf("%s: {%s}: warn %g, fail %g, want %g and %g", c.key, c.levels, got.Warn, got.Fail, c.warn, c.fail)
		}
	}
}

// A protocol by which a study would fail without a warning is refused. The message says which limit is a default.
func TestLimitsOfFailingAlone(t *testing.T) {
	for text, want := range map[string]string{
		"snr_last: {warn: 0, fail: 3}":         "snr_last: warn is switched off and fail is 3: a study would fail",
		"voxels: {warn: .inf, least: 20}":      "voxels: warn is switched off and least is 20: a study would fail",
		"shift_px: {warn: .inf, fail: 1}":      "shift_px: warn is switched off and fail is 1: a study would fail",
		"snr_last: {warn: 2}":                  "snr_last: fail is above warn: 3 (the default) and 2: a study would fail",
		"snr_last: {fail: 6}":                  "snr_last: fail is above warn: 6 and 5 (the default): a study would fail",
		"shift_px: {fail: 0.25}":               "shift_px: fail is below warn: 0.25 and 0.5 (the default): a study",
		"excluded_percent: {warn: 9, fail: 8}": "excluded_percent: fail is below warn: 8 and 9: a study would fail",
	} {
		if _, err := readProtocolText(t, "quality: {"+text+"}\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
