package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pairsTable holds scans and rescans of four knees, one of which has no rescan.
const pairsTable = `subject,visit,side,compartment,mean_t2_ms
S1,scan,left,medial,38.10
S1,rescan,left,medial,38.90
S1,scan,left,lateral,35.20
S1,rescan,left,lateral,35.00
S2,scan,left,medial,41.00
S2,rescan,left,medial,40.10
S2,scan,left,lateral,37.40
S2,rescan,left,lateral,38.00
S3,scan,right,medial,36.50
S3,rescan,right,medial,36.70
S3,scan,right,lateral,33.10
S3,rescan,right,lateral,33.90
S4,scan,right,medial,39.00
`

// writeTable writes a table and returns its path.
func writeTable(t *testing.T, path, text string) string {
	t.Helper()
	write(t, path, text)
	return path
}

func TestRepeat(t *testing.T) {
	dir := t.TempDir()
	writeTable(t, filepath.Join(dir, "results", "compartments.csv"), pairsTable)
	out := filepath.Join(dir, "out")
	code, stdout, stderr := call("repeat", filepath.Join(dir, "results"), "--out", out)
	if code != exitOK || stderr != "" {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, w := range []string{"COMPARTMENT", "medial", "omitted:", "S4, right, medial: no row at rescan",
		"repeat.csv"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("%q is not in\n%s", w, stdout)
		}
	}
	first := map[string][]byte{}
	for _, name := range []string{"repeat.csv", "repeat.json", "bland-altman.svg", "bland-altman.png",
		"bland-altman.pdf"} {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || len(b) == 0 {
			t.Fatalf("%s: %d bytes, %v", name, len(b), err)
		}
		first[name] = b
	}
	rows, err := csv.NewReader(bytes.NewReader(first["repeat.csv"])).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][0] != "medial" {
		t.Errorf("%q, %v", rows, err)
	}
	if !json.Valid(first["repeat.json"]) {
		t.Error("repeat.json is not JSON")
	}
	// With named visits, over the existing files: the same bytes.
	if code, _, stderr = call("repeat", filepath.Join(dir, "results", "compartments.csv"), "--scan", "scan",
		"--rescan", "rescan", "--out", out); code != exitOK {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for name, b := range first {
		if again, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Equal(b, again) {
			t.Errorf("%s: other bytes, %v", name, err)
		}
	}
}

func TestRepeatExitStatus(t *testing.T) {
	dir := t.TempDir()
	pairs := writeTable(t, filepath.Join(dir, "pairs.csv"), pairsTable)
	commas := writeTable(t, filepath.Join(dir, "commas.csv"),
		strings.ReplaceAll(strings.ReplaceAll(pairsTable, ",", ";"), ".", ","))
	three := writeTable(t, filepath.Join(dir, "three.csv"),
		pairsTable+"S1,month3,left,medial,37\nS2,month3,left,medial,37\n")
	once := writeTable(t, filepath.Join(dir, "once.csv"),
		"subject,visit,compartment,mean_t2_ms\nS1,scan,medial,38\nS2,rescan,medial,38\n")
	file := writeTable(t, filepath.Join(dir, "file"), "")
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string // on stderr
	}{
		{"done", []string{pairs}, exitOK, nil},
		{"declared", []string{commas, "--separator", ";", "--decimal", "comma"}, exitOK, nil},
		{"not declared", []string{commas}, exitUsage, []string{"commas.csv: the columns are separated by \";\"",
			"hint: declare it"}},
		{"three visits, named", []string{three, "--scan", "scan", "--rescan", "rescan", "--rescan", "month3"}, exitOK,
			nil},
		{"three visits", []string{three}, exitUsage, []string{"There are 3", "\"month3\"", "hint: name two of them"}},
		{"unknown visit", []string{pairs, "--scan", "scan", "--rescan", "Rescan"}, exitUsage,
			[]string{"no visit \"Rescan\"", "\"scan\", \"rescan\""}},
		{"scan alone", []string{pairs, "--scan", "scan"}, exitUsage,
			[]string{"go together", "hint: t2map repeat --help"}},
		{"nobody twice", []string{once}, exitUsage, []string{"once.csv: no knee was measured at two"}},
		{"no table", []string{filepath.Join(dir, "none.csv")}, exitUsage, []string{"none.csv"}},
		{"empty folder", []string{t.TempDir()}, exitUsage, []string{"compartments.csv", "hint: RESULTS is the folder"}},
		{"no argument", nil, exitUsage, []string{"hint: t2map repeat --help"}},
		{"folder in the way", []string{pairs, "--out", file}, exitUsage, []string{"file"}},
		{"separator", []string{pairs, "--separator", "ab"}, exitUsage, []string{"--separator"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := call(append([]string{"repeat"}, c.args...)...)
			if code != c.code {
				t.Errorf("exit status %d, want %d\n%s%s", code, c.code, stdout, stderr)
			}
			for _, w := range c.want {
				if !strings.Contains(stderr, w) {
					t.Errorf("stderr %q, want …%s…", stderr, w)
				}
			}
		})
	}
}

func TestRepeatHelp(t *testing.T) {
	_, stdout, _ := call("repeat", "--help")
	if !strings.Contains(stdout, "Examples:") || !strings.Contains(stdout, "t2map repeat results") {
		t.Errorf("no example:\n%s", stdout)
	}
}

// t2map trial takes its wCV from repeat.csv.
func TestRepeatForTrial(t *testing.T) {
	dir := t.TempDir()
	pairs := writeTable(t, filepath.Join(dir, "pairs.csv"), pairsTable)
	if code, _, stderr := call("repeat", pairs, "--out", dir); code != exitOK {
		t.Fatal(stderr)
	}
	var rows []string
	for _, s := range []string{"S1", "S2", "S3", "S4", "S5", "S6"} {
		for _, c := range []string{"medial", "lateral"} {
			rows = append(rows, s+",baseline,left,"+c+",38."+s[1:], s+",month3,left,"+c+",39."+s[1:]+s[1:])
		}
	}
	writeTable(t, filepath.Join(dir, "results", "compartments.csv"),
		"subject,visit,side,compartment,mean_t2_ms\n"+strings.Join(rows, "\n")+"\n")
	design := writeTable(t, filepath.Join(dir, "trial.csv"), "# visits: baseline=0, month3=3\n# reference: "+
		"A\nsubject,arm\nS1,A\nS2,A\nS3,A\nS4,B\nS5,B\nS6,B\n")
	out := filepath.Join(dir, "report")
	if code, stdout, stderr := call("trial", filepath.Join(dir, "results"), "--design", design, "--repeatability",
		filepath.Join(dir, "repeat.csv"), "--out", out); code != exitOK {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
}
