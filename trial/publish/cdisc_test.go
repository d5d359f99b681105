package publish

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
)

// variable is the name of an SDTM or ADaM variable, and the form of a code.
var variable = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,7}$`)

// cells returns the rows of a table by column.
func cells(t output) []map[string]string {
	var rows []map[string]string
	for _, r := range t.Rows {
		m := map[string]string{}
		for i, c := range t.Columns {
			m[c] = r[i]
		}
		rows = append(rows, m)
	}
	return rows
}

// Names and labels fit the transport format, and required variables exist
// (SDTMIG 3.4, MK; ADaMIG 1.3, BDS).
func TestVariables(t *testing.T) {
	a := usual.analysis()
	for _, c := range []struct {
		table    output
		required []string
	}{
		{mkTable(&a), []string{"STUDYID", "DOMAIN", "USUBJID", "MKSEQ", "MKTESTCD", "MKTEST"}},
		{bdsTable(&a), []string{"STUDYID", "USUBJID", "PARAM", "PARAMCD", "AVAL"}},
	} {
		for _, d := range c.table.Dictionary {
			if !variable.MatchString(d[0]) || len(d[1]) > longestTest {
				t.Errorf("%s: variable %s, label %q", c.table.name, d[0], d[1])
			}
		}
		for _, r := range cells(c.table) {
			for _, name := range c.required {
				if r[name] == "" {
					t.Fatalf("%s: %s is empty in %v", c.table.name, name, r)
				}
			}
		}
	}
}

// Variables are in the order of SDTMIG 3.4.
func TestMKOrder(t *testing.T) {
	const guide = "STUDYID DOMAIN USUBJID MKSEQ MKGRPID MKREFID MKSPID MKLNKID MKLNKGRP MKTESTCD MKTEST MKCAT MKSCAT " +
		"MKPOS MKORRES MKORRESU MKSTRESC MKSTRESN MKSTRESU MKSTAT MKREASND MKLOC MKLAT MKDIR MKMETHOD MKLOBXFL " +
		"MKBLFL MKDRVFL " +
		"MKEVAL MKEVALID VISITNUM VISIT VISITDY " +
		"TAETORD EPOCH MKDTC MKDY"
	at := -1
	names := strings.Fields(guide)
	for _, c := range mkColumns {
		for i, n := range names {
			if n == c.Name {
				if i <= at {
					t.Errorf("%s is out of its order", n)
				}
				at = i
			}
		}
		if !strings.Contains(" "+guide+" ", " "+c.Name+" ") {
			t.Errorf("%s is not in the guide", c.Name)
		}
	}
}

func TestMK(t *testing.T) {
	a := usual.analysis()
	rows := cells(mkTable(&a))
	if want := 24 * 3 * 3; len(rows) != want {
		t.Fatalf("%d rows, want %d: subjects × visits × compartments", len(rows), want)
	}
	keys := map[string]bool{}
	for _, r := range rows {
		key := fmt.Sprint(r["USUBJID"], r["VISITNUM"], r["MKTESTCD"], r["MKLOC"], r["MKDIR"], r["MKLAT"])
		seq := r["USUBJID"] + "#" + r["MKSEQ"]
		if keys[key] || keys[seq] {
			t.Errorf("not unique: %s or %s", key, seq)
		}
		keys[key], keys[seq] = true, true
		done := r["MKSTAT"] == ""
		if done != (r["MKORRES"] != "") || done != (r["MKORRESU"] == "ms") || done != (r["MKREASND"] == "") ||
			r["MKSTRESN"] != r["MKORRES"] || r["MKSTRESC"] != r["MKORRES"] {
			t.Errorf("result and status contradict each other: %v", r)
		}
		if (r["MKBLFL"] == "Y") != (r["VISITNUM"] == "1" && done) || r["MKLOBXFL"] != "" || r["MKDTC"] != "" ||
			r["MKLAT"] == "" {
			t.Errorf("flags or side: %v", r)
		}
		if !variable.MatchString(r["MKTESTCD"]) || len(r["MKTEST"]) > longestTest {
			t.Errorf("test %q, %q", r["MKTESTCD"], r["MKTEST"])
		}
	}
	missing := rows[2*9+6] // S003, visit 2, medial
	if missing["USUBJID"] != "DEMO-1-S003" || missing["MKSTAT"] != "NOT DONE" || missing["MKREASND"] != "no study" ||
		missing["MKLOC"] != "KNEE JOINT" || missing["MKDIR"] != "MEDIAL" {
		t.Errorf("a planned visit without a result: %v", missing)
	}
	if r := rows[2]; r["MKLOC"] != "PATELLOFEMORAL JOINT" || r["MKDIR"] != "" || r["MKLAT"] != "LEFT" {
		t.Errorf("a patellofemoral compartment: %v", r)
	}
	a.Design.Name = " \t"
	if got := cells(mkTable(&a))[0]; got["STUDYID"] != "UNNAMED" || got["USUBJID"] != "UNNAMED-S001" {
		t.Errorf("a trial without a name: %v", got)
	}
}

// The mean of two studies is derived; the value of one study is not.
func TestMKMeanOfTwo(t *testing.T) {
	a := usual.analysis()
	a.Flags = append(a.Flags, trial.Flag{Kind: trial.TwoStudies, Subject: "S005", Visit: "visit 1"})
	a.Endpoints[0].Values[4][1].Flags = []int{len(a.Flags) - 1}
	derived := func() int {
		n := 0
		for _, r := range cells(mkTable(&a)) {
			if r["MKDRVFL"] == "Y" {
				n++
			}
		}
		return n
	}
	if n := derived(); n != 0 {
		t.Errorf("%d rows are derived without means", n)
	}
	a.Plan.MeanOfTwo = true
	if n := derived(); n != 1 {
		t.Errorf("%d rows are derived, want 1", n)
	}
}

// Results that are not used are not NOT DONE: they have no row, and the other rows keep their numbers.
func TestMKOfTwoStudies(t *testing.T) {
	const design = "# visits: baseline=0, month03=3\n# reference: control\n" +
		"subject,arm\nS1,control\nS2,treatment\nS3,treatment\n"
	const results = "subject,visit,study,compartment,side,mean_t2_ms\n" +
		"S1,baseline,a,medial,left,38\nS1,baseline,b,medial,left,39\nS1,month03,c,medial,left,40\n" + // two studies
		// Both knees: none is used.
		"S2,baseline,d,medial,left,38\nS2,baseline,d,medial,right,38\nS2,month03,e,medial,left,37\n" +
		"S3,baseline,f,medial,left,38\n" // a visit that was not done
	for plan, want := range map[bool]string{false: "S1#2 S3#1 S3#2-", true: "S1#1 S1#2 S3#1 S3#2-"} {
		a, err := trial.Analyse(t.Context(), "1", trial.Tables{
			Design:       trial.Source{Name: "design.csv", Data: []byte(design)},
			Compartments: trial.Source{Name: "compartments.csv", Data: []byte(results)},
		}, func(_ trial.Design, p *trial.Plan) error { p.MeanOfTwo = plan; return nil })
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		numbers := map[string]string{}
		for _, r := range cells(mkTable(&a)) {
			mark := strings.TrimPrefix(r["USUBJID"], "UNNAMED-") + "#" + r["MKSEQ"]
			numbers[mark] = r["MKSTRESN"]
			if r["MKSTAT"] == "NOT DONE" {
				mark += "-"
			}
			got = append(got, mark)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("mean of two %v: rows %s, want %s", plan, s, want)
		}
		for _, r := range cells(bdsTable(&a)) {
			if r["AVAL"] != numbers[r["SUBJID"]+"#"+r["SRCSEQ"]] {
				t.Errorf("AVAL is not that of MKSEQ: %v", r)
			}
		}
	}
}

func TestBDS(t *testing.T) {
	a := usual.analysis()
	rows := cells(bdsTable(&a))
	mk := map[string]string{}
	for _, r := range cells(mkTable(&a)) {
		mk[r["USUBJID"]+"#"+r["MKSEQ"]] = r["MKSTRESN"]
	}
	params := map[string]string{}
	analysed, values := map[string]int{}, 0
	for _, e := range a.Endpoints {
		for _, visits := range e.Values {
			for _, v := range visits {
				if v.Missing.Kind == trial.Present {
					values++
				}
			}
		}
	}
	if len(rows) != values {
		t.Errorf("%d rows of %d values", len(rows), values)
	}
	for _, r := range rows {
		if p, ok := params[r["PARAMCD"]]; ok && p != r["PARAM"] || !variable.MatchString(r["PARAMCD"]) {
			t.Errorf("PARAMCD %s is %s and %s", r["PARAMCD"], p, r["PARAM"])
		}
		params[r["PARAMCD"]] = r["PARAM"]
		if r["ANL01FL"] == "Y" {
			analysed[r["PARAMCD"]]++
		}
		baseline := r["AVISITN"] == "0"
		if baseline != (r["ABLFL"] == "Y") || baseline &&
			(r["CHG"] != "" || r["CRIT1FL"] != "" || r["BASE"] != r["AVAL"]) {
			t.Errorf("a baseline: %v", r)
		}
		if r["SRCSEQ"] != "" && mk[r["USUBJID"]+"#"+r["SRCSEQ"]] != r["AVAL"] {
			t.Errorf("AVAL %s is not that of MKSEQ %s, %s", r["AVAL"], r["SRCSEQ"], mk[r["USUBJID"]+"#"+r["SRCSEQ"]])
		}
		if pchg, err := strconv.ParseFloat(r["PCHG"], 64); err == nil && r["PARCAT1"] == "CARTILAGE T2" {
			if exceeds := pchg > 13.8592929 || pchg < -13.8592929; exceeds != (r["CRIT1FL"] == "Y") || r["CRIT1"] == "" {
				t.Errorf("criterion 1: %v", r)
			}
		}
	}
	if len(params) != 4 || params["T2MED"] != "Medial T2 (ms)" || params["WOMACPAI"] != "WOMAC pain" {
		t.Errorf("parameters %v", params)
	}
	for i, code := range paramCodes(a.Endpoints) {
		if got, want := analysed[code], a.Endpoints[i].Model.Observations; got != want {
			t.Errorf("%s: %d rows are analysed, %d are in the model", code, got, want)
		}
	}
}

// The analysis flag marks the observations of the model.
func TestAnalysedIsWhatTheModelHolds(t *testing.T) {
	var design, results strings.Builder
	design.WriteString("# visits: baseline=0, month03=3, month12=12\n# reference: control\n# covariates: age\n" +
		"subject,arm,age\n")
	results.WriteString("subject,visit,compartment,mean_t2_ms\n")
	for n := range 16 {
		age := strconv.Itoa(50 + n*7%11)
		if n == 3 {
			age = ""
		}
		fmt.Fprintf(&design, "S%02d,%s,%s\n", n, []string{"control", "treatment"}[n%2], age)
		for v, visit := range []string{"baseline", "month03", "month12"} {
			if n == 5 && v == 0 || n == 7 && v == 2 {
				continue
			}
			fmt.Fprintf(&results, "S%02d,%s,medial,%.2f\n", n, visit, 36+3*noise(n)+float64(v)*(0.5-float64(n%2))+
				noise(n, v))
		}
	}
	a, err := trial.Analyse(t.Context(), "1", trial.Tables{
		Design:       trial.Source{Name: "design.csv", Data: []byte(design.String())},
		Compartments: trial.Source{Name: "compartments.csv", Data: []byte(results.String())},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Endpoints[0].Model.Failed != "" {
		t.Fatal(a.Endpoints[0].Model.Failed)
	}
	analysed := 0
	for _, r := range cells(bdsTable(&a)) {
		if r["ANL01FL"] == "Y" {
			analysed++
		}
	}
	if want := a.Endpoints[0].Model.Observations; analysed != want || want != 2*14-1 {
		t.Errorf("%d rows are analysed, %d are in the model", analysed, want)
	}
	written(t, t.TempDir(), a)
}

// The location of the cartilage of one bone is that bone, not a compartment.
func TestOneBoneIsNoCompartment(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"medial", "lateral", "patellofemoral", "medial-tibial", "lateral-tibial", "femoral",
		"patellar"} {
		loc, dir := location(name)
		codes := paramCodes([]trial.EndpointAnalysis{{Endpoint: trial.Endpoint{Name: name, Compartment: true}}})
		for _, key := range []string{loc + " " + dir, codes[0]} {
			if seen[key] {
				t.Errorf("%s: %s is another's", name, key)
			}
			seen[key] = true
		}
	}
	if loc, dir := location("medial-tibial"); loc != "TIBIA" || dir != "MEDIAL" {
		t.Errorf("medial-tibial: %s %s", loc, dir)
	}
}

func TestParamCodes(t *testing.T) {
	e := func(name string, compartment bool) trial.EndpointAnalysis {
		return trial.EndpointAnalysis{Endpoint: trial.Endpoint{Name: name, Compartment: compartment}}
	}
	in := []trial.EndpointAnalysis{
		e("medial", true), e("Lateral", true), e("patellofemoral", true), e("medial tibia", true), e("T2MED", false),
		e("WOMAC pain", false), e("WOMAC pair", false),
		e("6MWT", false), e("疼痛", false), e("", false), e("medial", false),
	}
	want := "T2MED T2LAT T2PF T2MEDIAL T2MED2 WOMACPAI WOMACPA2 MWT PARAM PARAM2 MEDIAL"
	if got := strings.Join(paramCodes(in), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var many []trial.EndpointAnalysis
	for range 1200 {
		many = append(many, e("the same", false))
	}
	seen := map[string]bool{}
	for _, c := range paramCodes(many) {
		if seen[c] || !variable.MatchString(c) {
			t.Fatalf("code %q", c)
		}
		seen[c] = true
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		in    string
		bytes int
		want  string
	}{{"abc", 8, "abc"}, {"abcdefghij", 8, "abcdefgh"}, {"ééééé", 5, "éé"}, {"a\xffb", 8, "a\uFFFDb"}, {"", 3, ""}} {
		if got := truncate(c.in, c.bytes); got != c.want || len(got) > c.bytes {
			t.Errorf("%q in %d bytes: %q, want %q", c.in, c.bytes, got, c.want)
		}
	}
	if laterality("Right") != "RIGHT" || laterality("l") != "LEFT" || laterality("both?") != "" ||
		sexTerm("female") != "F" || sexTerm("woman") != "F" || sexTerm("=x") != "=x" {
		t.Error("terms of side or sex")
	}
}
