package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
)

// The file that init writes has every key with its meaning, and is valid before and after the # are removed.
func TestPlanInit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if code, out, stderr := call("trial", "plan", "init", path); code != exitOK || !strings.Contains(out, "is written") {
		t.Fatalf("status %d\n%s%s", code, out, stderr)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := trial.ReadPlan(trial.Source{Name: "plan.yaml", Data: text}); err != nil || len(h) != 0 {
		t.Errorf("as written: %v, %v", h, err)
	}
	// A line of a key is "# name: …" with a name of trial.Keys; lines with ## are its meaning.
	keys := regexp.MustCompile(`(?m)^# (.*: )`)
	h, err := trial.ReadPlan(trial.Source{Name: "plan.yaml", Data: keys.ReplaceAll(text, []byte("$1"))})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range trial.Keys {
		name := key.Name
		if key.Endpoint == trial.NamesEndpoint {
			name += "[WOMAC]"
		}
		if line := h[name]; line.Text == "" || !strings.Contains(line.Text, key.Form) && line.Text != key.Form {
			t.Errorf("%s: %q, want %q", name, line.Text, key.Form)
		}
		if joined := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\n## ", " ")), " "); !strings.Contains(
			joined, key.Meaning) {
			t.Errorf("%s is not explained", name)
		}
		if key.Endpoint == trial.MayNameEndpoint && h[key.Name+"[T2]"].Text == "" {
			t.Errorf("%s has no example with an endpoint", key.Name)
		}
	}
	if code, _, stderr := call("trial", "plan", "init", path); code != exitUsage ||
		!strings.Contains(stderr, "exists already") {
		t.Errorf("an existing file: status %d, %s", code, stderr)
	}
}

// The help of a key has an example in quotation marks.
func TestHelpOfKeys(t *testing.T) {
	_, out, _ := call("trial", "--help")
	for _, want := range []string{"--baseline value ", `(example: "by visit")`, "discontinued", "unit, group"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// A bad plan is an error with its file, line, column and a hint.
func TestBadPlans(t *testing.T) {
	const visits = "visits: {baseline: 0, month12: 12}\nreference: control\n"
	for name, c := range map[string]struct{ plan, place, problem, hint string }{
		"an unknown key": {
			"trial: x\nvisitz: {a: 0}", "line 2, column 1", `"visitz" is not known`, "did you mean visits?",
		},
		"a key twice": {
			visits + "reference: cells", "line 3, column 1", "already defined at line 2", "init",
		},
		"an open list":   {"trial: x\nprimary: [medial", "line 2, column 10", "", "init"},
		"a tab":          {"trial: x\n\tvisits: a", "line 2", "", "init"},
		"a list of keys": {"- trial\n- visits", "line 1, column 1", "want keys and values", "init"},
		"a nested map":   {"visits: {a: {b: 0}}", "line 1, column 1", "not a text or a number", "init"},
		"an alias": {
			"trial: &x a\nstrata: *x", "line 1, column 1", "aliases are not supported", "init",
		},
		"a tag":           {"trial: !!str x", "line 1", "tag", "init"},
		"an open bracket": {"visits[T2: x", "line 1, column 1", "not in brackets", "visits[WOMAC]"},
		"an endpoint too many": {
			"df[WOMAC]: kenward-roger", "line 1, column 1", "not a key of an endpoint", "brackets",
		},
		"an endpoint too few": {"scale: log", "line 1, column 1", "does not name an endpoint", "scale[WOMAC]"},
		"an unknown value":    {"summary: mode", "line 1, column 1", `"mode" is not known`, "mean or median"},
		"an unknown limit":    {visits + "limits: {voxel: 20}", "line 3, column 1", `"voxel"`, "such as"},
		"a CV twice":          {"wcv: [medial=4, medial=5]", "line 1, column 1", `"medial" appears twice`, "write it once"},
		"a set without a column": {
			visits + "sets: full", "line 3, column 1", `"full" has no column`, "NAME=COLUMN",
		},
		"contradicting sets": {
			visits + "sets: {per protocol: pp, all: fas}", "line 3, column 1", `does not have: "S2"`,
			"all subjects",
		},
		"a set that is not there": {
			visits + "sets: {all: itt}", "line 3, column 1", `trial.csv has no column "itt"`, "add the column",
		},
		"an unknown arm": {
			"visits: {baseline: 0}\nreference: contrl", "line 2, column 1", `"contrl" is not an arm`,
			"control, cells",
		},
		"an unknown visit": {
			visits + "primary: medial@month9", "line 3, column 1", "does not name a visit", "medial@month12",
		},
		"a covariate that is not": {
			visits + "covariates: bmi", "line 3, column 1", `no column "bmi"`, "add the column",
		},
		"screened": {
			visits + "screened: 9\nexcluded: {declined: 2}", "line 3, column 1", "9 persons", "screened must equal",
		},
		"excluded without screened": {
			visits + "excluded: {declined: 2}", "line 3, column 1", "no number", "screened: 40",
		},
		"no baseline": {
			visits + "visits[T2]: [month12]", "line 3, column 1", "do not include the baseline", "add baseline",
		},
		"another trial": {
			visits + "trial: T-8", "line 3, column 1", `trial.csv, line 1: trial is "T-7", and "T-8"`,
			"remove one",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "plan.yaml"), c.plan+"\n")
			write(t, filepath.Join(dir, "trial.csv"), "# trial: T-7\nsubject,arm,fas,pp\nS1,control,yes,yes\nS2,cells,yes,no\n")
			code, _, stderr := call("trial", "plan", "check", filepath.Join(dir, "plan.yaml"), "--design",
				filepath.Join(dir, "trial.csv"))
			if code != exitUsage || !strings.Contains(stderr, "plan.yaml, "+c.place) ||
				!strings.Contains(stderr, c.problem) {
				t.Errorf("status %d, %s\nwant %s: %s", code, stderr, c.place, c.problem)
			}
			if _, hint, ok := strings.Cut(stderr, "hint: "); !ok || !strings.Contains(hint, c.hint) {
				t.Errorf("hint %q, want %q", hint, c.hint)
			}
		})
	}
}

// Without a design, visits and the contrasts at them are checked.
func TestPlansAloneAreChecked(t *testing.T) {
	for plan, want := range map[string]string{
		"visits: nonsense": `line 1, column 1: visit "nonsense" has no month`,
		"visits: {baseline: 0, month12: 12}\nprimary: medial@month6": `line 2, column 1: "medial@month6" does not name`,
		"visits: {baseline: 0, month12: 12}\nvisits[T2]: [baseline]\nprimary: T2@month12": "line 3, column 1: T2 has no " +
			"planned visit month12",
		"visits: {baseline: 0, month12: 12}\nprimary: []": "line 2, column 1: the line does not name a contrast",
	} {
		path := filepath.Join(t.TempDir(), "plan.yaml")
		write(t, path, plan+"\n")
		code, _, stderr := call("trial", "plan", "check", path)
		if code != exitUsage || !strings.Contains(stderr, "plan.yaml, "+want) || !strings.Contains(stderr, "hint: ") {
			t.Errorf("%q: status %d, %s\nwant %q", plan, code, stderr, want)
		}
	}
}

// A plan agrees with a design that has the same lines in another form.
func TestPlanAgreesWithTheDesign(t *testing.T) {
	dir := t.TempDir()
	plan, design := filepath.Join(dir, "plan.yaml"), filepath.Join(dir, "trial.csv")
	write(t, plan, "visits: {baseline: 0, month12: 12}\nprimary:\n  - medial@month12\n  - WOMAC@month12\n")
	write(t, design, "# visits: baseline=0,month12=12\n# primary: medial@month12,  WOMAC@month12\n# reference: control\n"+
		"subject,arm\nS1,control\nS2,cells\n")
	code, out, stderr := call("trial", "plan", "check", plan, "--design", design)
	if code != exitOK || !strings.Contains(out, "are valid: 2 keys, 2 subjects, 2 arms") {
		t.Errorf("status %d, %s%s", code, out, stderr)
	}
}

// What needs the results is checked by t2map trial: endpoints and values, with the line of the plan.
func TestPlansThatContradictTheResults(t *testing.T) {
	results, design := trialFiles(t, plainName)
	for plan, want := range map[string][2]string{
		"primary: medail@month12": {
			`line 1, column 1: the primary endpoint "medail" is not in the results`, "did you mean medial?",
		},
		"trial: x\nprimary: [medial, WOMAC]": {
			`line 2, column 1: the primary endpoint "WOMAC" is not in the results`, "known are medial, lateral",
		},
		"scale[medail]: log": {
			`line 1, column 1: scale names the endpoint "medail"`, "did you mean medial?",
		},
		"trial: x\nwcv: {medial: 4, medail: 5}": {
			`line 2, column 1: wcv names the compartment "medail", which is not in the results`, "did you mean medial?",
		},
		"trial: x\nrows: [medial, latral]": {
			`line 2, column 1: compartments.csv has no row "latral"`, "did you mean lateral?",
		},
		"wcv: T2=4": {`line 1, column 1: wcv names the compartment "T2"`, "known are medial, lateral"},
		"decimals[lateral]: 1\ndecimals[WOMAC]: 0": {
			`line 2, column 1: decimals names the endpoint "WOMAC"`, "known are medial, lateral",
		},
		"visits[medial]: [baseline, month03]\nprimary: medial@month12": {
			"line 2, column 1: medial has no planned visit month12", "visits[medial]",
		},
		"visits[medial]: {baseline: 0, month12: 12, month18: 18}\nprimary: medial@month18": {
			"line 2, column 1: the primary endpoint medial has no change at month18", "check the names",
		},
		"primary: medial\nsecondary: [T2@month12]": {
			"line 2, column 1: the contrast medial@month12 is both primary and secondary", "remove it",
		},
	} {
		path := filepath.Join(t.TempDir(), "plan.yaml")
		write(t, path, plan+"\n")
		code, _, stderr := call("trial", results, "--design", design, "--plan", path, "--out",
			filepath.Join(t.TempDir(), "report"))
		problem, hint, _ := strings.Cut(stderr, "hint: ")
		if code != exitUsage || !strings.Contains(problem, "plan.yaml, "+want[0]) || !strings.Contains(hint, want[1]) {
			t.Errorf("%q: status %d, %s\nwant %q", plan, code, stderr, want)
		}
	}
}

// docs/trial.md has a row for every key.
func TestDocsExplainThePlan(t *testing.T) {
	docs, err := os.ReadFile("../../docs/trial.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range trial.Keys {
		row := regexp.MustCompile(`(?m)^\| (\w+, )?` + regexp.QuoteMeta(key.Name) + `(\[E\])?(,| \|)`)
		if !row.Match(docs) {
			t.Errorf("docs/trial.md has no row of %s", key.Name)
		}
	}
}
