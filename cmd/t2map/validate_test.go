package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/accuracy"
)

func TestValidate(t *testing.T) {
	if testing.Short() {
		t.Skip("the whole grid takes some seconds")
	}
	dir := filepath.Join(t.TempDir(), "accuracy")
	// With few draws, limits may be missed by chance; nothing else may fail.
	code, stdout, stderr := call("validate", "--out", dir, "--draws", "20")
	if code != exitOK && code != exitFailed {
		t.Fatalf("status %d\n%s", code, stderr)
	}
	if failed := strings.Contains(stderr, "missed"); failed != (code == exitFailed) {
		t.Errorf("status %d, stderr %q", code, stderr)
	}
	for _, w := range []string{"nlls", "rician-sigma-given", "epg", "bias within", "limits met", "index.html"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("validate does not say %q:\n%s", w, stdout)
		}
	}
	if !strings.Contains(stderr, "measuring: 172 of 172") {
		t.Errorf("no progress on stderr: %q", stderr)
	}
	for _, name := range []string{"index.html", "accuracy.csv", "accuracy.md", "bias-snr.png", "bias-b1.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestValidateUsage(t *testing.T) {
	trial := t.TempDir()
	if err := os.WriteFile(filepath.Join(trial, "index.html"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no out":     {[]string{"validate"}, "--out is missing"},
		"no draws":   {[]string{"validate", "--out", t.TempDir(), "--draws", "19"}, "--draws 19"},
		"a trial's":  {[]string{"validate", "--out", trial}, "hint: name another folder"},
		"a file":     {[]string{"validate", "--out", filepath.Join(trial, "index.html")}, "index.html"},
		"an extra":   {[]string{"validate", "there", "--out", t.TempDir()}, "hint: t2map validate --help"},
		"no number":  {[]string{"validate", "--seed", "x"}, "--seed"},
		"what is it": {[]string{"validate", "--method", "nlls"}, "--method"},
	} {
		if code, _, stderr := call(c.args...); code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, %q, want …%s…", name, code, stderr, c.want)
		}
	}
	if _, stdout, _ := call("validate", "--help"); !strings.Contains(stdout, "Examples:") ||
		!strings.Contains(stdout, "1 a limit is missed") {
		t.Errorf("help: %s", stdout)
	}
}

// A biased method misses its limit, and the exit status is 1.
func TestMissedLimitFails(t *testing.T) {
	cell := accuracy.Cell{Method: "nlls", Echoes: 7, Spacing: 10, T2: 40, SNR: 100, B1: 1, Draws: 2000,
		Bias: 0.02, SD: 1, Bound: 1, Coverage: 0.95}
	err := verdict(accuracy.Result{Limits: accuracy.Judge([]accuracy.Cell{cell})})
	if err == nil || status(err) != exitFailed || !strings.Contains(err.Error(), "missed") {
		t.Errorf("got %v", err)
	}
	if err := verdict(accuracy.Result{Limits: []accuracy.Limit{{Met: true}}}); err != nil {
		t.Errorf("all met: %v", err)
	}
	if status(errors.New("x")) == exitOK {
		t.Error("an error that is not a failure")
	}
}
