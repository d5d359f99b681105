package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// writeStudy writes a design and compartments.csv of 16 subjects in two arms.
func writeStudy(t *testing.T) (design, results string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 0))
	var d, r strings.Builder
	d.WriteString("# visits: baseline=0, month12=12\n# reference: control\nsubject,arm\n")
	r.WriteString("subject,visit,study,series,side,compartment,mean_t2_ms,method,settings,scanner,acquisition,lossy_images,note\n")
	for i := range 16 {
		fmt.Fprintf(&d, "S%02d,%s\n", i, []string{"control", "treatment"}[i%2])
		for v, visit := range []string{"baseline", "month12"} {
			fmt.Fprintf(&r, "S%02d,%s,st%d-%d,se%d-%d,right,medial,%.2f,nlls,plain,one,7 echoes,,\n", i, visit, i, v,
				i, v, 38+2*rng.NormFloat64())
		}
	}
	dir := t.TempDir()
	design = filepath.Join(dir, "trial.csv")
	for name, content := range map[string]string{design: d.String(),
		filepath.Join(dir, "compartments.csv"): r.String()} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return design, dir
}

func TestPower(t *testing.T) {
	design, results := writeStudy(t)
	out := filepath.Join(t.TempDir(), "power.csv")
	args := []string{"power", results, "--design", design, "--endpoint", "medial", "--difference", "2",
		"--simulations", "200", "--out", out}
	code, stdout, stderr := call(args...)
	if code != exitOK {
		t.Fatalf("status %d\n%s", code, stderr)
	}
	for _, w := range []string{"a difference of 2 ms in the change of medial at month12",
		"is the smallest size that reaches 80 %", "from 16 subjects", "200 trials were simulated"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("power does not say %q:\n%s", w, stdout)
		}
	}
	first, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(first),
		"per_arm,arms,contrasts,difference,alpha,simulations,found,power,low95,high95,found_all,found_any,fell_back,no_model\n") {
		t.Errorf("%v, %s", err, first)
	}
	if code, again, _ := call(append(args, "--workers", "3")...); code != exitOK || again != stdout {
		t.Errorf("with three workers:\n%s\nwas\n%s", again, stdout)
	}
	code, stdout, stderr = call("power", "--sd", "3", "--visits", "1", "--difference", "30", "--n", "12,1",
		"--simulations", "50")
	if code != exitOK || !strings.Contains(stdout, "100.00 %") ||
		!strings.Contains(stdout, "50 trials could not be analysed") || strings.Contains(stdout, "smallest") {
		t.Errorf("status %d\n%s%s", code, stdout, stderr)
	}
}

// On the log scale the difference is a ratio: a decrease to 0.8 of the geometric mean and its reciprocal are equally
// hard to find, and no unit is printed.
func TestPowerOfRatios(t *testing.T) {
	design, results := writeStudy(t)
	write(t, design, "# scale[medial]: log\n"+string(must(os.ReadFile(design))))
	args := []string{"power", results, "--design", design, "--n", "10", "--simulations", "100", "--difference"}
	found := regexp.MustCompile(`10 +[0-9.]+ %`)
	var powers []string
	for _, ratio := range []string{"0.98", "1.0204081632653061"} {
		code, stdout, stderr := call(append(args, ratio)...)
		if code != exitOK || !strings.Contains(stdout, "a ratio of "+ratio+" in the change of medial") ||
			!strings.Contains(stdout, "SD of the change of the logarithm") || strings.Contains(stdout, " ms") {
			t.Fatalf("status %d\n%s%s", code, stdout, stderr)
		}
		powers = append(powers, found.FindString(stdout))
	}
	if powers[0] == "" || strings.Contains(powers[0], "100.00") {
		t.Errorf("power %q", powers)
	}
	if code, _, stderr := call(append(args, "-2")...); code != exitUsage || !strings.Contains(stderr, "is not a ratio") {
		t.Errorf("status %d, %q", code, stderr)
	}
}

// power notes that masks were carried from another visit.
func TestCarriedMasksAreNoted(t *testing.T) {
	design, results := writeStudy(t)
	path := filepath.Join(results, "compartments.csv")
	table, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(table), "\n"), "\n")
	for n := range lines {
		switch {
		case n == 0:
			lines[n] += ",mask_from"
		case strings.Contains(lines[n], ",month12,"):
			lines[n] += ",baseline"
		default:
			lines[n] += ","
		}
	}
	power := []string{"power", results, "--design", design, "--endpoint", "medial", "--difference", "2", "--n", "12",
		"--simulations", "20"}
	if _, stdout, stderr := call(power...); strings.Contains(stdout, "carried") {
		t.Errorf("drawn masks: %s%s", stdout, stderr)
	}
	write(t, path, strings.Join(lines, "\n")+"\n")
	if code, stdout, stderr := call(power...); code != exitOK ||
		!strings.Contains(stdout, "note: masks were carried from baseline by registration") {
		t.Errorf("power: status %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := call("repeat", results); code != exitOK ||
		!strings.Contains(stdout, "note: 16 of 16 knees have a mask that was carried from baseline") {
		t.Errorf("repeat: status %d\n%s%s", code, stdout, stderr)
	}
}

func TestPowerUsage(t *testing.T) {
	design, results := writeStudy(t)
	several := withLateral(t, results)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing": {nil, "either RESULTS with --design or --sd is required"},
		"both":    {[]string{results, "--sd", "3", "--difference", "1"}, "RESULTS and --sd cannot be combined"},
		"both arms": {[]string{results, "--design", design, "--arms", "3", "--difference", "1"},
			"RESULTS and --arms cannot be combined"},
		"one arm":       {[]string{"--sd", "3", "--difference", "1", "--arms", "1"}, "--arms 1 is not between 2 and 50"},
		"a plan alone":  {[]string{"--sd", "3", "--difference", "1", "--plan", "x"}, "--plan requires RESULTS"},
		"no endpoints":  {[]string{"--sd", "3", "--difference", "1", "--primary-endpoints", "0"}, "--primary-endpoints 0"},
		"between":       {[]string{"--sd", "3", "--difference", "1", "--between", "2"}, "--between 2"},
		"no design":     {[]string{results, "--difference", "1"}, "RESULTS requires --design"},
		"no difference": {[]string{"--sd", "3"}, "--difference is required"},
		"no endpoint":   {[]string{several, "--design", design, "--difference", "1"}, "--endpoint is required"},
		"other endpoint": {[]string{results, "--design", design, "--difference", "1", "--endpoint", "x"},
			"they have medial"},
		"level":         {[]string{"--sd", "3", "--difference", "1", "--alpha", "0"}, "--alpha 0"},
		"certain":       {[]string{"--sd", "3", "--difference", "1", "--power", "1"}, "--power 1"},
		"nobody":        {[]string{"--sd", "3", "--difference", "1", "--n", "0"}, "--n 0"},
		"no trials":     {[]string{"--sd", "3", "--difference", "1", "--simulations", "0"}, "--simulations 0"},
		"a correlation": {[]string{"--sd", "3", "--difference", "1", "--correlation", "1"}, "correlation of 1"},
		"all drop out":  {[]string{"--sd", "3", "--difference", "1", "--dropout", "1"}, "dropout of 1"},
		"negative SD":   {[]string{"--sd", "-3", "--difference", "1"}, "standard deviation of -3"},
		"structure":     {[]string{"--sd", "3", "--difference", "1", "--covariance", "x"}, "unstructured, hcs"},
		"no such results": {[]string{filepath.Join(results, "x"), "--design", design, "--difference", "1"},
			"hint: RESULTS is the folder"},
	} {
		if code, _, stderr := call(append([]string{"power"}, c.args...)...); code != exitUsage ||
			!strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, %q, want …%s…", name, code, stderr, c.want)
		}
	}
}

// A note says that the simulation omits covariates and second studies at a visit.
func TestPowerNotes(t *testing.T) {
	design, results := writeStudy(t)
	text := strings.Replace(string(must(os.ReadFile(design))), "subject,arm\n",
		"# covariates: age\nsubject,arm,age\n", 1)
	for i := range 16 {
		text = strings.Replace(text, fmt.Sprintf("S%02d,%s\n", i, []string{"control", "treatment"}[i%2]),
			fmt.Sprintf("S%02d,%s,%d\n", i, []string{"control", "treatment"}[i%2], 40+i*i%17), 1)
	}
	write(t, design, text)
	path := filepath.Join(results, "compartments.csv")
	write(t, path, string(must(os.ReadFile(path)))+"S00,month12,second,second,right,medial,39,nlls,plain,one,7 "+
		"echoes,,\n")
	code, stdout, stderr := call("power", results, "--design", design, "--endpoint", "medial", "--difference", "2",
		"--n", "12", "--simulations", "20")
	for _, want := range []string{"note: the standard deviation is adjusted for age",
		"note: visits with two studies count as missing"} {
		if code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("status %d, no %q\n%s%s", code, want, stdout, stderr)
		}
	}
}

// withLateral returns a copy of results that has a second compartment.
func withLateral(t *testing.T, results string) string {
	t.Helper()
	text := string(must(os.ReadFile(filepath.Join(results, "compartments.csv"))))
	_, rows, _ := strings.Cut(text, "\n")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compartments.csv"), text+strings.ReplaceAll(rows, ",medial,", ",lateral,"))
	return dir
}

// The number of primary contrasts is that of the study's plan, or of the flags.
func TestPowerOfFamilies(t *testing.T) {
	design, results := writeStudy(t)
	several := withLateral(t, results)
	small := []string{"--difference", "2", "--n", "12", "--simulations", "20"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{results, "--design", design}, "one primary contrast:"},
		{[]string{several, "--design", design, "--endpoint", "medial", "--between", "0.25"},
			"over 2 primary contrasts (2 arms, 2 endpoints), correlation between endpoints 0.25:"},
		{[]string{several, "--design", design, "--primary", "medial"}, "one primary contrast:"},
		{[]string{several, "--design", design, "--primary", "lateral", "--endpoint", "medial"}, "one primary contrast:"},
		{[]string{"--sd", "3"}, "one primary contrast:"},
		{[]string{"--sd", "3", "--arms", "3", "--primary-endpoints", "2"},
			"over 4 primary contrasts (3 arms, 2 endpoints), correlation between endpoints 0.5:"},
	} {
		code, stdout, stderr := call(append(append([]string{"power"}, c.args...), small...)...)
		if code != exitOK || !strings.Contains(stdout, c.want) || !strings.Contains(stdout, "power of all") {
			t.Errorf("%q: status %d\n%s%s\nwant %q", c.args, code, stdout, stderr, c.want)
		}
	}
}
