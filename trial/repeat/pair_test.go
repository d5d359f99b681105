package repeat

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/trial"
)

// rowsOf reads the rows of a table of subject, visit, side, compartment, T2, and the
// scanner where there is one; the last value is empty where there is no T2.
func rowsOf(t *testing.T, lines ...string) []trial.Measurement {
	t.Helper()
	text := "subject,visit,side,compartment,mean_t2_ms,scanner\n" + strings.Join(lines, "\n") + "\n"
	r, err := trial.ReadResults(trial.Source{Name: "pairs.csv", Data: []byte(text)}, trial.Source{}, trial.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Measurements()
}

func TestPair(t *testing.T) {
	rows := rowsOf(t,
		"S1,scan,left,medial,38,A", "S1,rescan,left,medial,39,A",
		"S1,scan,right,medial,40,A", "S1,rescan,right,medial,40.5,A",
		"S1,scan,left,lateral,30,A", "S1,rescan,left,lateral,,A",
		"S2,scan,left,medial,36,A", "S2,rescan,left,medial,35,B",
		"S2,scan,left,lateral,33,A", "S2,rescan,left,lateral,32,B",
		"S3,scan,left,medial,36,A",
		"S4,scan,left,medial,36,A", "S4,scan,left,medial,37,A", "S4,rescan,left,medial,35,A",
		"S4,scan,left,lateral,31,A", "S4,rescan,left,lateral,31.5,A",
	)
	s, err := Pair(rows, nil, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if s.Visits[0] != "scan" || s.Visits[1] != "rescan" || len(s.Compartments) != 2 ||
		s.Compartments[0].Name != "medial" {
		t.Errorf("%+v", s)
	}
	medial := s.Compartments[0]
	if medial.N != 3 || medial.Subjects() != 2 || medial.Agreement.Differences[0] != 1 {
		t.Errorf("medial: %+v", medial)
	}
	// d = 1, 0.5, −1: √(2.25/6).
	if want := math.Sqrt(2.25 / 6); math.Abs(medial.WSD.Estimate-want) > 1e-12 {
		t.Errorf("wSD %g, want %g", medial.WSD.Estimate, want)
	}
	want := []Excluded{
		{Knee{"S1", "left"}, "lateral", "no value at rescan: empty in the table"},
		{Knee{"S1", "right"}, "lateral", "no row at scan, no row at rescan"},
		{Knee{"S3", "left"}, "medial", "no row at rescan"},
		{Knee{"S3", "left"}, "lateral", "no row at scan, no row at rescan"},
		{Knee{"S4", "left"}, "medial", "2 rows at scan"},
	}
	if len(s.Excluded) != len(want) {
		t.Fatalf("excluded %+v", s.Excluded)
	}
	for i, l := range s.Excluded {
		if l != want[i] {
			t.Errorf("excluded %+v, want %+v", l, want[i])
		}
	}
	if len(s.Notes) != 1 || s.Notes[0] != "S2, left: scanned on different scanners at scan and rescan" {
		t.Errorf("notes %q", s.Notes)
	}
}

func TestPairVisits(t *testing.T) {
	rows := rowsOf(t, "S1,a,left,medial,38", "S1,b,left,medial,39", "S1,c,left,medial,40", "S2,a,left,medial,30",
		"S2,c,left,medial,31")
	for _, c := range []struct {
		name   string
		visits []string
		want   string // part of the error
		n      int
	}{
		{"not named", nil, "There are 3; the table has \"a\", \"b\", \"c\"", 0},
		{"two", []string{"c", "a"}, "", 2},
		{"three", []string{"a", "b", "c"}, "", 2},
		{"unknown", []string{"a", "d"}, "no visit \"d\"", 0},
		{"twice", []string{"a", "a"}, "named twice", 0},
		{"one", []string{"a"}, "two visits", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Pair(rows, c.visits, 0.95)
			if c.want == "" {
				if err != nil || s.Compartments[0].N != c.n {
					t.Errorf("%+v, %v", s, err)
				}
				return
			}
			if visits := (*VisitsError)(nil); !errors.As(err, &visits) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	if _, err := Pair(rowsOf(t, "S1,a,left,medial,38", "S2,b,left,medial,38"), nil, 0.95); err == nil ||
		!strings.Contains(err.Error(), "no knee was measured") {
		t.Errorf("nobody twice: %v", err)
	}
	if _, err := Pair(nil, nil, 0.95); err == nil {
		t.Error("an empty table is accepted")
	}
	// One visit, of a thousand names, of names that are none.
	var many []string
	for range 300 {
		many = append(many, "S1,\"v"+strings.Repeat("\u202e=x", len(many))+"\",left,medial,38")
	}
	if _, err := Pair(rowsOf(t, many...), nil, 0.95); err == nil || len(err.Error()) > 4000 ||
		strings.Contains(err.Error(), "\u202e") {
		t.Errorf("%v", err)
	}
}

// TestTables: what is written can be read, a figure that is none is empty or null, and
// names do no harm.
func TestTables(t *testing.T) {
	s, err := Pair(rowsOf(t, "=S1,a,left,=cmd(),38", "=S1,b,left,=cmd(),39", "S2,a,left,<b>,38"), nil, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(s.CSV()))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[1][0] != "'=cmd()" || rows[2][0] != "<b>" {
		t.Errorf("names %q and %q", rows[1][0], rows[2][0])
	}
	cell := func(row int, column string) string {
		for i, c := range rows[0] {
			if c == column {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s", column)
		return ""
	}
	if cell(1, "wsd_ms") != "0.707107" || cell(1, "icc_agreement") != "" || cell(1, "loa_upper_ms") != "" ||
		cell(2, "wsd_ms") != "" || cell(2, "n_knees") != "0" {
		t.Errorf("%q", rows)
	}
	if !strings.Contains(cell(2, "note"), "no knee was measured twice") || !strings.Contains(cell(1, "note"),
		"one pair") {
		t.Errorf("notes %q and %q", cell(1, "note"), cell(2, "note"))
	}
	cvs, err := trial.ReadRepeatability(trial.Source{Name: "repeat.csv",
		Data: []byte(strings.Join(strings.SplitAfter(string(s.CSV()), "\n")[:2], ""))})
	if err != nil || len(cvs) != 1 || cvs[0].Compartment != "=cmd()" || math.Abs(cvs[0].CV-0.707107/38.5) > 1e-6 {
		t.Errorf("t2map trial reads %+v, %v", cvs, err)
	}
	b, err := s.JSON(Origin{Version: "1", Input: "pairs.csv"})
	var back map[string]any
	if err == nil {
		err = json.Unmarshal(b, &back)
	}
	if err != nil {
		t.Fatal(err)
	}
	first := back["compartments"].([]any)[0].(map[string]any)
	if first["icc_agreement"].(map[string]any)["estimate"] != nil ||
		first["wsd_ms"].(map[string]any)["estimate"] == nil ||
		first["repeats"].([]any)[0].(map[string]any)["subject"] != "=S1" {
		t.Errorf("%s", b)
	}
}

// Subjects and visits that are alike are refused, not left out as knees without a rescan.
func TestAlikeNamesInPairs(t *testing.T) {
	for _, rows := range []string{
		"001,a,medial,30\n1,b,medial,31\n",
		"S01,a,medial,30\ns01,b,medial,31\n",
		"S_01,a,medial,30\nS-01,b,medial,31\n",
		"S01,scan,medial,30\nS01,re_scan,medial,31\nS02,scan,medial,30\nS02,re-scan,medial,31\n",
	} {
		_, err := trial.ReadResults(trial.Source{Name: "pairs.csv",
			Data: []byte("subject,visit,compartment,mean_t2_ms\n" + rows)}, trial.Source{}, trial.Plan{})
		if err == nil || !strings.Contains(err.Error(), "differs from") || hint.Find(err) == "" {
			t.Errorf("%q: %v", rows, err)
		}
	}
}

// Repeats with one mask, carried from one of them or from a third visit, are noted once, with their number;
// masks of visits and knees that are not used do not count.
func TestPairWithCarriedMasks(t *testing.T) {
	row := func(subject, visit, maskFrom string, t2 float64) trial.Measurement {
		return trial.Measurement{Subject: subject, Visit: visit, Side: "left", Compartment: "medial", T2: t2,
			MaskFrom: maskFrom}
	}
	rows := []trial.Measurement{
		row("S1", "scan", "", 38), row("S1", "rescan", "scan", 39),
		row("S2", "scan", "", 36), row("S2", "rescan", "", 35.5),
		row("S3", "scan", "baseline", 31), row("S3", "rescan", "baseline", 32),
		row("S4", "rescan", "elsewhere", 32), row("S2", "month3", "elsewhere", 33),
	}
	s, err := Pair(rows, []string{"scan", "rescan"}, 0.95)
	want := "2 of 3 knees have a mask that was carried from scan, baseline by registration"
	if err != nil || len(s.Notes) != 1 || !strings.HasPrefix(s.Notes[0], want) {
		t.Errorf("notes %q, %v; want %s", s.Notes, err, want)
	}
	if s, err = Pair(rows[2:4], nil, 0.95); err != nil || len(s.Notes) != 0 {
		t.Errorf("drawn masks: %q, %v", s.Notes, err)
	}
}
