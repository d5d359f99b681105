package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
)

// trialFiles writes the tables of a small trial into a folder and returns the paths of the results and of the design.
// name returns the code of a subject's number.
func trialFiles(t *testing.T, name func(int) string) (results, design string) {
	t.Helper()
	results = filepath.Join(t.TempDir(), "results")
	subjects := [][]string{{"subject", "arm", "side"}}
	rows := [][]string{{"subject", "visit", "series", "side", "compartment", "mean_t2_ms"}}
	for n := range 8 {
		subjects = append(subjects, []string{name(n), [...]string{"control", "treatment"}[n%2], "R"})
		for v, visit := range []string{"baseline", "month03", "month12"} {
			for c, compartment := range []string{"medial", "lateral"} {
				t2 := 36 + float64((5*n+3*v+7*c)%4) + float64(v*(1-n%2))
				rows = append(rows, []string{name(n), visit, fmt.Sprint("s", n, v), "right", compartment,
					fmt.Sprintf("%.2f", t2)})
			}
		}
	}
	design = filepath.Join(filepath.Dir(results), "trial.csv")
	write(t, design, "# visits: baseline=0, month03=3, month12=12\n# reference: control\n"+asCSV(t, subjects))
	write(t, filepath.Join(results, "compartments.csv"), asCSV(t, rows))
	return results, design
}

func asCSV(t *testing.T, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func plainName(n int) string { return fmt.Sprintf("S%02d", n+1) }

func TestTrial(t *testing.T) {
	results, design := trialFiles(t, plainName)
	out := filepath.Join(t.TempDir(), "report")
	code, stdout, stderr := call("trial", results, "--design", design, "--out", out)
	if code != exitOK || stderr != "" {
		t.Fatalf("status %d\n%s", code, stderr)
	}
	for _, want := range []string{"Change from baseline, difference from control (mixed model)", "no frozen plan",
		"medial", "lateral",
		"4, 4", "8 subjects in 2 arms", "trial.html"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	for _, name := range []string{"trial.html", "trial.json", "analysis.R", "contrasts.csv", "mk.csv", "adbds.csv",
		"figures/means.svg", "figures/forest.pdf", "figures/waterfall.png"} {
		if info, err := os.Stat(filepath.Join(out, filepath.FromSlash(name))); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// RESULTS may be the table instead of its folder.
	if code, _, stderr := call("trial", filepath.Join(results, "compartments.csv"), "--design", design, "--out",
		out); code != exitOK {
		t.Errorf("status %d\n%s", code, stderr)
	}
}

// The same tables give the same bytes.
func TestTrialIsTheSameAgain(t *testing.T) {
	results, design := trialFiles(t, plainName)
	var trees [2]map[string]string
	for i := range trees {
		out := filepath.Join(t.TempDir(), "report")
		if code, _, stderr := call("trial", results, "--design", design, "--out", out); code != exitOK {
			t.Fatal(stderr)
		}
		trees[i] = readAll(t, out)
	}
	if len(trees[0]) < 20 {
		t.Errorf("%d files", len(trees[0]))
	}
	for name, content := range trees[0] {
		if trees[1][name] != content {
			t.Errorf("%s differs", name)
		}
	}
}

func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Names that are formulas or HTML are escaped.
func TestTrialOfHostileNames(t *testing.T) {
	names := []string{`=cmd|'/C calc'!A0`, `<script>alert(1)</script>`, `+SUM(A1)`, `@x`,
		`"><img src=x onerror=alert(1)>`, "a\u202eb", `-1+1`, `S,"08"`}
	results, design := trialFiles(t, func(n int) string { return names[n] })
	out := filepath.Join(t.TempDir(), "report")
	code, stdout, stderr := call("trial", results, "--design", design, "--out", out, "--trial", "=<b>T</b>")
	if code != exitOK {
		t.Fatalf("status %d\n%s%s", code, stdout, stderr)
	}
	if !strings.Contains(stdout, "8 analysed") {
		t.Errorf("subjects are lost:\n%s", stdout)
	}
	for name, content := range readAll(t, out) {
		switch filepath.Ext(name) {
		case ".html", ".svg":
			for _, bad := range []string{"<script>alert", "<img src=x", "<b>T</b>", "\u202e"} {
				if strings.Contains(content, bad) {
					t.Errorf("%s holds %q", name, bad)
				}
			}
		case ".csv":
			rows, err := csv.NewReader(strings.NewReader(content)).ReadAll()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if cell != "" && strings.ContainsAny(cell[:1], "=@") || strings.HasPrefix(cell, "+S") ||
						strings.HasPrefix(cell, "-1+") {
						t.Errorf("%s: the cell %q would run", name, cell)
					}
				}
			}
		}
	}
}

func TestTrialTables(t *testing.T) {
	results, design := trialFiles(t, plainName)
	dir := t.TempDir()
	comma, err := os.ReadFile(design)
	if err != nil {
		t.Fatal(err)
	}
	semicolons := filepath.Join(dir, "semicolons.csv")
	write(t, semicolons, strings.ReplaceAll(string(comma), ",", ";"))
	scores := filepath.Join(dir, "scores.csv")
	write(t, scores, "subject;visit;name;value\nS01;baseline;VAS;5,5\nS01;month03;VAS;4\n")
	latin := filepath.Join(dir, "latin.csv")
	write(t, latin, strings.Replace(string(comma), "S01,", "S\xe901,", 1))
	workbook, sep, latinScores := filepath.Join(dir, "trial.xlsx"), filepath.Join(dir, "sep.csv"),
		filepath.Join(dir, "latin-scores.csv")
	write(t, workbook, "PK\x03\x04\x14\x00")
	write(t, sep, "sep=;\r\n"+strings.ReplaceAll(string(comma), ",", ";"))
	write(t, latinScores, "subject,visit,name,value\nS01,baseline,M\xfcdigkeit,5\n")
	endless := filepath.Join(dir, "endless.csv")
	write(t, endless, "")
	if err := os.Truncate(endless, 65<<20); err != nil {
		t.Fatal(err)
	}
	wcv := filepath.Join(dir, "repeat.csv")
	write(t, wcv, "compartment,wcv_percent\nmedial,3\nlateral,\nfemoral,4\n")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"declared", []string{"--design", semicolons, "--endpoints", scores, "--separator", ";", "--decimal",
			"comma"}, exitOK, "8 subjects"},
		{"not declared", []string{"--design", semicolons}, exitUsage, `separated by ";"`},
		{"commas and decimal commas", []string{"--design", design, "--decimal", "comma"}, exitUsage,
			"needs another --separator"},
		{"two separators", []string{"--design", design, "--separator", ";;"}, exitUsage, "not one character"},
		{"not UTF-8", []string{"--design", latin}, exitUsage, "hint: save it as CSV UTF-8, or declare"},
		{"declared encoding", []string{"--design", latin, "--encoding", "windows-1252"}, exitOK, "8 subjects"},
		{"repeatability", []string{"--design", design, "--repeatability", wcv}, exitOK,
			`within-subject CV of "femoral", which is not in the results`},
		{"repeatability twice", []string{"--design", design, "--repeatability", wcv, "--wcv", "4"}, exitUsage,
			"also gives a within-subject CV"},
		{"no design", nil, exitUsage, "--design and --out are required"},
		{"a design that is not there", []string{"--design", filepath.Join(dir, "none.csv")}, exitUsage,
			"hint: a CSV with the columns subject and arm"},
		{"a design of 65 MiB", []string{"--design", endless}, exitUsage, "hint: check that it is the right file"},
		{"endpoints that are not there", []string{"--design", design, "--endpoints", filepath.Join(dir, "none.csv")},
			exitUsage, "hint: a CSV with the columns subject, visit, name, value"},
		{"repeatability that is not there", []string{"--design", design, "--repeatability",
			filepath.Join(dir, "none.csv")}, exitUsage, "hint: the repeat.csv that"},
		{"results for a design", []string{"--design", filepath.Join(results, "compartments.csv")}, exitUsage,
			"compartments.csv is a table of results, not a design"},
		{"a workbook", []string{"--design", workbook}, exitUsage,
			"hint: open it in the spreadsheet program and save it as CSV"},
		{"sep=", []string{"--design", sep}, exitOK, "8 subjects"},
		{"endpoints not declared", []string{"--design", design, "--endpoints", scores}, exitUsage,
			`hint: declare it: --separator ';'`},
		{"endpoints not UTF-8", []string{"--design", design, "--endpoints", latinScores}, exitUsage,
			"latin-scores.csv: line 2: the text is not UTF-8"},
		{"commas in the design, semicolons in the endpoints",
			[]string{"--design", design, "--endpoints", scores, "--separator", ";"}, exitUsage,
			"applies to all tables"},
		{"two studies", []string{"--design", design, "--two-studies", "first"}, exitUsage, "neither none nor mean"},
		{"an unknown reference", []string{"--design", design, "--reference", "placebo"}, exitUsage,
			`"placebo" is not an arm`},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"trial", results, "--out", filepath.Join(t.TempDir(), "report")}, c.args...)
			code, stdout, stderr := call(args...)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) || code != exitOK &&
				strings.Count(stderr, "hint: ") > 1 {
				t.Errorf("status %d, want %d and %q\n%s%s", code, c.code, c.want, stdout, stderr)
			}
		})
	}
	if code, _, stderr := call("trial", dir, "--design", design, "--out", dir); code != exitUsage ||
		!strings.Contains(stderr, "hint: RESULTS is the folder") {
		t.Errorf("status %d\n%s", code, stderr)
	}
}

// A compartments.csv that a spreadsheet program has saved is refused, with a hint to rebuild it.
func TestResavedResults(t *testing.T) {
	results, design := trialFiles(t, plainName)
	path := filepath.Join(results, "compartments.csv")
	text := string(must(os.ReadFile(path)))
	german := strings.NewReplacer(",", ";", ".", ",").Replace(text)
	for name, saved := range map[string]string{"semicolons": german,
		"not UTF-8": strings.Replace(text, "S01", "S\xe901", 1), "a workbook": "PK\x03\x04"} {
		write(t, path, saved)
		code, _, stderr := call("trial", results, "--design", design, "--out", filepath.Join(t.TempDir(), "report"))
		if code != exitUsage || !strings.Contains(stderr, "hint: compartments.csv is a table of 't2map run'") ||
			strings.Contains(stderr, "--separator") {
			t.Errorf("%s: status %d\n%s", name, code, stderr)
		}
	}
}

// The table on the terminal has the numbers of contrasts.csv in the form of the page: minus signs, and decimals by the
// endpoint's unit.
func TestTerminalNumbers(t *testing.T) {
	results, design := trialFiles(t, plainName)
	scores := "subject,visit,name,value\n"
	for n := range 8 {
		for v, visit := range []string{"baseline", "month03", "month12"} {
			scores += fmt.Sprintf("%s,%s,CTX-I,%.5f\n", plainName(n), visit,
				0.004+0.0001*float64((7*n+5*v)%6)-0.0002*float64(v*(n%2)))
		}
	}
	path := filepath.Join(t.TempDir(), "scores.csv")
	write(t, path, scores)
	out := filepath.Join(t.TempDir(), "report")
	code, stdout, stderr := call("trial", results, "--design", design, "--endpoints", path, "--out", out,
		"--primary", "medial@month12")
	if code != exitOK {
		t.Fatal(stderr)
	}
	page := readAll(t, out)[string(filepath.Separator)+"trial.html"]
	want := map[string]map[string]string{} // rows of contrasts.csv by endpoint, visit and arm
	for _, r := range rowsOf(t, filepath.Join(out, "contrasts.csv")) {
		if r["method"] == "mixed model" {
			want[r["endpoint"]+r["visit"]+r["arm"]] = r
		}
	}
	var families []string
	for line := range strings.Lines(stdout) {
		if f := strings.Fields(line); len(f) >= 11 && f[2] == "treatment" {
			// endpoint, visit, arm, n, n, difference, low, "to", high, Holm p, p and, if there is one, the family
			checkContrast(t, f, want[f[0]+f[1]+f[2]], page)
			families = append(families, f[0]+strings.Join(f[11:], " "))
		}
	}
	if got := strings.Join(families, ", "); got != "medialprimary, lateral, CTX-I" {
		t.Errorf("rows: %s\n%s", got, stdout)
	}
}

// checkContrast compares the fields of a printed row with the row of contrasts.csv, and looks for them on the page.
func checkContrast(t *testing.T, f []string, row map[string]string, page string) {
	t.Helper()
	decimals := 2
	if f[0] == "CTX-I" {
		decimals = 5
	}
	for i, column := range map[int]string{5: "estimate", 6: "ci_low", 8: "ci_high"} {
		if x := parse(t, row[column]); f[i] != figure.Number(x, decimals) || strings.ContainsAny(f[i], "+-") {
			t.Errorf("%s of %q: contrasts.csv has %s", column, f, row[column])
		}
	}
	for i, column := range map[int]string{9: "p_holm", 10: "p"} {
		if got := figure.PValue(parse(t, row[column])); f[i] != got {
			t.Errorf("%s of %q: contrasts.csv has %s", column, f, row[column])
		}
	}
	if n := strings.TrimSuffix(f[3], ",") + " " + f[4]; n != row["n"]+" "+row["n_reference"] {
		t.Errorf("%q: contrasts.csv has n %s and %s", f, row["n"], row["n_reference"])
	}
	for _, i := range []int{5, 6, 8, 10} {
		if !strings.Contains(page, html.EscapeString(f[i])) {
			t.Errorf("%s of %q is not on the page", f[i], f)
		}
	}
	if f[7] != "to" || strings.Join(f[11:], " ") != row["family"] {
		t.Errorf("%q: contrasts.csv has family %q", f, row["family"])
	}
}

// parse returns the number in a cell, NaN if it is empty.
func parse(t *testing.T, cell string) float64 {
	t.Helper()
	if cell == "" {
		return math.NaN()
	}
	x, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestTrialHelp(t *testing.T) {
	_, stdout, _ := call("trial", "--help")
	if !strings.Contains(stdout, "--two-studies value") {
		t.Errorf("the placeholder of --two-studies:\n%s", stdout)
	}
}
