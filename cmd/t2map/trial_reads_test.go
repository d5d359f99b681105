package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A plan may use signed masks alone. The report says how many values are left out; a table of an earlier version, which
// does not say whose masks are signed, is refused.
func TestTrialOfSignedMasks(t *testing.T) {
	design, results := writeStudy(t)
	plan := filepath.Join(t.TempDir(), "plan.yaml")
	write(t, plan, "reads: signed\n")
	out := filepath.Join(t.TempDir(), "report")
	report := []string{"trial", results, "--design", design, "--out", out, "--panel", "none"}
	code, _, stderr := call(append(report, "--plan", plan)...)
	if code != exitUsage || !strings.Contains(stderr, "compartments.csv has no column mask_read, which reads: signed needs") ||
		!strings.Contains(stderr, "hint: rebuild the tables (t2map tables), or plan reads: any") {
		t.Fatalf("status %d, %s", code, stderr)
	}

	path := filepath.Join(results, "compartments.csv")
	table, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(table), "\n"), "\n")
	for n := range lines {
		switch {
		case n == 0:
			lines[n] += ",mask_read"
		case strings.HasPrefix(lines[n], "S03,"): // no reader has signed its two masks
			lines[n] += ","
		case strings.HasPrefix(lines[n], "S04,"), strings.HasPrefix(lines[n], "S05,"):
			lines[n] += ",signed"
		default:
			lines[n] += ",adjudicated"
		}
	}
	write(t, path, strings.Join(lines, "\n")+"\n")
	for _, c := range []struct {
		flags         []string
		note, methods string
		missing       int
	}{
		{[]string{"--plan", plan}, "left out because no reader has signed the mask (reads: signed): 2 of 32 values of T2",
			"(2 values were left out)", 2},
		{[]string{"--plan", plan, "--reads", "adjudicated"}, "left out because no adjudicator has signed the mask (reads: " +
			"adjudicated): 6 of 32 values of T2", "(6 values were left out)", 6},
		{nil, "", "", 0},
	} {
		code, stdout, stderr := call(append(report, c.flags...)...)
		if code != exitOK {
			t.Fatalf("%v: status %d\n%s%s", c.flags, code, stdout, stderr)
		}
		page, err := os.ReadFile(filepath.Join(out, "trial.html"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), c.note) || !strings.Contains(string(page), c.methods) ||
			c.note == "" && strings.Contains(string(page), "left out") {
			t.Errorf("%v: the page does not say %q and %q", c.flags, c.note, c.methods)
		}
		values, err := os.ReadFile(filepath.Join(out, "values.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(values), "has signed the mask"); n != c.missing {
			t.Errorf("%v: values.csv has the reason %d times, want %d", c.flags, n, c.missing)
		}
	}
	code, stdout, stderr := call("power", results, "--design", design, "--plan", plan, "--endpoint", "medial", "--difference",
		"2", "--n", "12", "--simulations", "20")
	if code != exitOK || !strings.Contains(stdout, "values whose masks are not signed count as missing here (reads: signed)") {
		t.Errorf("power: status %d\n%s%s", code, stdout, stderr)
	}
}
