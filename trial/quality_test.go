package trial

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/hint"
)

// flat is a trial whose T2 is 40 ms everywhere, so that only the change of a test is flagged.
var flat = made{arms: twoArms, visits: threeVisits, perArm: 4, t2: func(_, _, _ int) float64 { return 40 }}

// row is the row of a compartment of subject S01 in the table of flat, with other T2 and quality.
func (t Tables) row(test *testing.T, visit int, compartment, t2, quality string) Tables {
	test.Helper()
	line := "S01,%s,st-S01-%d,se-S01-%d,right,%s,%s,nlls,plain,Maker One,7 echoes,,,%s\n"
	name := threeVisits[visit]
	return t.with(test, fmt.Sprintf(line, name, visit, visit, compartment, "40.00", soundQuality),
		fmt.Sprintf(line, name, visit, visit, compartment, t2, quality))
}

func excesses(a Analysis) []Flag {
	return slices.DeleteFunc(slices.Clone(a.Flags), func(f Flag) bool { return f.Kind != BeyondLimit })
}

// The last visit has half the voxels, a third of them excluded, and an SNR of 18 instead of 60.
func TestPoorVisitIsFlagged(t *testing.T) {
	a := analyse(t, flat.tables().row(t, 2, "medial", "40.00", "500,333,437.5,18.0,4.0,0.80"))
	flag := func(measure Measure, value, limit float64) Flag {
		return Flag{Kind: BeyondLimit, Subject: "S01", Visit: "month12", Endpoint: "medial",
			Excess: Excess{measure, value, limit}}
	}
	want := []Flag{flag(VoxelChange, -50, 20), flag(ExcludedShare, 33.4, 10), flag(SNRRatio, 0.3, 2)}
	if diff := cmp.Diff(want, a.Flags); diff != "" {
		t.Error(diff)
	}
	e := &a.Endpoints[0]
	s := subjectIndex(t, a, "S01")
	if len(e.Values[s][2].Flags) != 3 || len(e.Values[s][1].Flags) != 0 || len(a.Endpoints[1].Values[s][2].Flags) != 0 {
		t.Error("the flags touch another value")
	}
	// The subject is of the reference arm: the contrasts at month 12 are touched, those at month 3 are not.
	for _, c := range e.Contrasts {
		if got := len(e.ContrastFlags(c)); got != map[int]int{1: 0, 2: 3}[c.Visit] {
			t.Errorf("visit %d: %d flags", c.Visit, got)
		}
	}
	if c := a.Endpoints[1].Contrasts[1]; len(a.Endpoints[1].ContrastFlags(c)) != 0 {
		t.Error("the lateral contrast has a flag")
	}
	q := e.Cells[0][2].Quality
	if q.N != 4 || q.Flagged != 1 || q.Voxels != 875 || q.SNRFirst != 49.5 || math.Abs(q.MeanR2-0.935) > 1e-12 ||
		math.Abs(q.Excluded-(3*1+33.4)/4) > 1e-12 || !math.IsNaN(q.Sigma) {
		t.Errorf("quality %+v", q)
	}
	if q := e.Cells[1][2].Quality; q.N != 4 || q.Flagged != 0 || q.Voxels != 1000 {
		t.Errorf("quality of the other arm %+v", q)
	}
}

// Every limit flags a number beyond it, and not the limit itself; none switches it off, and the plan moves it.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		visit       int
		t2, quality string
		limits      string
		want        string // problems
	}{
		{2, "40.00", "1200,1188,1050.0,60.0,12.0,0.98", "", ""}, // 20 % exactly
		{2, "40.00", "1210,1200,1050.0,60.0,12.0,0.98", "", "number of voxels +21.0 % against baseline, limit 20 %"},
		{2, "40.00", "1210,1200,1050.0,60.0,12.0,0.98", "voxels=none", ""},
		{2, "40.00", "1210,1200,1050.0,60.0,12.0,0.98", "voxels=25", ""},
		{2, "40.00", "1000,990,600.0,60.0,12.0,0.98", "", "volume −31.4 % against baseline, limit 20 %"},
		{2, "40.00", "600,590,600.0,60.0,12.0,0.98", "", "number of voxels −40.0 % against baseline, limit 20 %"},
		{2, "40.00", "600,590,600.0,60.0,12.0,0.98", "voxels=none", "volume −31.4 % against baseline, limit 20 %"},
		{1, "40.00", "1000,900,875.0,60.0,12.0,0.98", "", ""}, // 10 % exactly
		{1, "40.00", "1000,899,875.0,60.0,12.0,0.98", "", "10.1 % of the voxels are excluded, limit 10 %"},
		{0, "40.00", "1000,500,875.0,60.0,12.0,0.98", "", "50.0 % of the voxels are excluded, limit 10 %"},
		{2, "40.00", "1000,990,875.0,120.0,24.0,0.98", "", ""},
		{2, "40.00", "1000,990,875.0,125.0,24.0,0.98", "", "SNR is 2.1 times that at baseline, limit a factor of 2"},
		{2, "40.00", "1000,990,875.0,29.0,6.0,0.98", "", "SNR is 0.48 times that at baseline, limit a factor of 2"},
		{2, "40.00", "1000,990,875.0,29.0,6.0,0.98", "snr=3", ""},
		{2, "52.00", soundQuality, "", ""},
		{2, "52.40", soundQuality, "", "T2 changed by +31.0 % from baseline, limit 30 %"},
		{2, "19.90", soundQuality, "change=none", "T2 is 19.90 ms, limit 20 ms"},
		{2, "70.10", soundQuality, "change=none", "T2 is 70.10 ms, limit 70 ms"},
		{2, "70.10", soundQuality, "change=none, t2=none", ""},
		{2, "70.10", soundQuality, "change=none, t2=10-80", ""},
		{2, "", "500,0,437.5,18.0,4.0,", "", ""}, // the missing value has a flag of another kind
	} {
		m := flat
		if c.limits != "" {
			m.heading = "# limits: " + c.limits + "\n"
		}
		var got []string
		for _, f := range excesses(analyse(t, m.tables().row(t, c.visit, "medial", c.t2, c.quality))) {
			got = append(got, f.Problem())
			if table := f.ProblemASCII(); strings.ReplaceAll(table, "-", "−") != f.Problem() || strings.Contains(table, "−") {
				t.Errorf("in a table: %q", table)
			}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s ms, %s, limits %s: %q, want %q", c.t2, c.quality, c.limits, got, c.want)
		}
	}
}

// A visit that is not planned for T2 is neither flagged nor described, and a meniscus may have a short T2.
func TestLimitsOfPlannedCartilage(t *testing.T) {
	m := flat
	m.heading = "# visits[T2]: baseline, month03\n"
	a := analyse(t, m.tables().row(t, 2, "medial", "90.00", "500,333,437.5,18.0,4.0,0.80"))
	if got := excesses(a); len(got) > 0 || a.Endpoints[0].Cells[0][2].Quality.N != 0 {
		t.Errorf("flags %v, quality %+v", got, a.Endpoints[0].Cells[0][2].Quality)
	}
	short := flat
	short.t2 = func(_, _, _ int) float64 { return 15 }
	if a := analyse(t, short.tables()); len(excesses(a)) != 2*4*2*3 {
		t.Errorf("%d flags of cartilage of 15 ms", len(excesses(a)))
	}
	tables := short.tables().with(t, "medial", "medial-meniscus").with(t, "lateral", "lateral-meniscus")
	if got := excesses(analyse(t, tables)); len(got) > 0 {
		t.Errorf("flags of menisci %v", got)
	}
}

// Tables of earlier versions have no quality: a note says which limits cannot be checked.
func TestTablesWithoutQuality(t *testing.T) {
	tables := flat.tables().with(t, ",voxels,used,volume_mm3,snr_first,snr_last,mean_r2", "").with(t, ","+soundQuality, "")
	a := analyse(t, tables)
	note := "not all limits of quality can be checked: compartments.csv has no voxels, used, volume_mm3, snr_first"
	if !slices.Contains(a.Notes, note) || len(a.Flags) != 0 {
		t.Errorf("notes %q, flags %v", a.Notes, a.Flags)
	}
	q := a.Endpoints[0].Cells[0][1].Quality
	for i, x := range q.numbers() {
		if !math.IsNaN(*x) {
			t.Errorf("number %d is %g", i, *x)
		}
	}
	if q.N != 4 {
		t.Errorf("n %d", q.N)
	}
}

func TestNoiseOfStudies(t *testing.T) {
	tables := flat.tables()
	tables.Studies.Data = []byte("subject,visit,status,reason,series,folder,median_sigma\n" +
		"S01,baseline,done,,se-S01-0,a,4\nS03,baseline,done,,se-S03-0,b,6\n")
	a := analyse(t, tables)
	if q := a.Endpoints[0].Cells[0][0].Quality; q.Sigma != 5 || q.N != 4 {
		t.Errorf("%+v", q)
	}
	if v := a.Endpoints[0].Values[subjectIndex(t, a, "S01")][0]; v.Quality.Sigma != 4 || v.Folder != "a" {
		t.Errorf("%+v", v)
	}
}

func TestImpossibleQuality(t *testing.T) {
	for _, c := range []struct{ quality, want string }{
		{"-5,990,875.0,60.0,12.0,0.98", "voxels"}, {"1000,-1,875.0,60.0,12.0,0.98", "used"},
		{"1000,1001,875.0,60.0,12.0,0.98", "used"}, {"1000,990,-1,60.0,12.0,0.98", "volume_mm3"},
		{"1000,990,875.0,-60,12.0,0.98", "snr_first"}, {"1000,990,875.0,60.0,-1,0.98", "snr_last"},
		{"1000,990,875.0,60.0,12.0,1.01", "mean_r2"}, {"many,990,875.0,60.0,12.0,0.98", "voxels"},
		{"NaN,990,875.0,60.0,12.0,0.98", "voxels"}, {"1000,990,Inf,60.0,12.0,0.98", "volume_mm3"},
		{"1000,990,875.0,1e99,12.0,0.98", "snr_first"}, {"1000,990,875.0,60.0,<b>,0.98", "snr_last"},
	} {
		_, err := Analyse(context.Background(), "test", flat.tables().row(t, 0, "medial", "40.00", c.quality), nil)
		if err == nil || !strings.Contains(err.Error(), "line 2: "+c.want) || hint.Find(err) == "" {
			t.Errorf("%s: %v, hint %q", c.quality, err, hint.Find(err))
		}
	}
	// R² of a poor fit may be below 0, and empty cells are unknown.
	analyse(t, flat.tables().row(t, 0, "medial", "40.00", "0,0,0,0,0,-0.5").row(t, 0, "lateral", "40.00", ",,,,,"))
	tables := flat.tables()
	for sigma, want := range map[string]string{"-1": "-1 is not a noise", "loud": "is not a number"} {
		tables.Studies.Data = []byte("subject,visit,status,reason,series,median_sigma\nS01,baseline,done,,se-S01-0," + sigma +
			"\n")
		_, err := Analyse(context.Background(), "test", tables, nil)
		if err == nil || !strings.Contains(err.Error(), "line 2: median_sigma") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", sigma, err)
		}
	}
}

// The median of a table is used only if it is planned; two studies give the mean of both.
func TestMedianSummary(t *testing.T) {
	m := flat
	m.heading = "# summary: median\n"
	tables := m.tables()
	if _, err := Analyse(context.Background(), "test", tables, nil); err == nil ||
		!strings.Contains(err.Error(), "no column median_t2_ms") || !strings.Contains(hint.Find(err), "summary: mean") {
		t.Errorf("%v, hint %q", err, hint.Find(err))
	}
	tables = tables.with(t, "lossy_images,note", "median_t2_ms,note").with(t, "7 echoes,,", "7 echoes,38,").
		and("S01,baseline,st-X,se-X,right,medial,50.00,nlls,plain,Maker One,7 echoes,48,,2000,1980,875.0,60.0,12.0,0.98")
	for _, c := range []struct {
		plan, title string
		x, s02      float64
	}{{"median", "Medial median T2", 43, 38}, {"mean", "Medial T2", 45, 40}} {
		a, err := Analyse(context.Background(), "test", tables, func(_ Design, p *Plan) error {
			p.MeanOfTwo, p.Median = true, c.plan == "median"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		e, s := a.Endpoints[0], subjectIndex(t, a, "S01")
		v := e.Values[s][0]
		if e.Title != c.title || v.X != c.x || e.Values[s+1][0].X != c.s02 || v.Quality.Voxels != 1500 ||
			a.Plan.Summary() != c.plan {
			t.Errorf("%s: %q, %g, %g, %+v", c.plan, e.Title, v.X, e.Values[s+1][0].X, v.Quality)
		}
	}
	// A cell without a median is empty although it has a mean.
	a := analyse(t, tables.with(t, "se-S02-1,right,medial,40.00,nlls,plain,Maker One,7 echoes,38",
		"se-S02-1,right,medial,40.00,nlls,plain,Maker One,7 echoes,"))
	if v := a.Endpoints[0].Values[subjectIndex(t, a, "S02")][1]; !math.IsNaN(v.X) || v.Missing.Kind != EmptyCell {
		t.Errorf("%+v", v)
	}
}

// Subjects outside the analysis set are in no cell of quality, and touch no contrast.
func TestQualityOfTheAnalysisSet(t *testing.T) {
	m := flat
	m.heading = "# sets: full=fas\n"
	tables := m.tables()
	design := strings.Replace(string(tables.Design.Data), "subject,arm", "subject,arm,fas", 1)
	for i := range 8 {
		design = strings.Replace(design, fmt.Sprintf("\nS%02d,%s", i+1, twoArms[i%2]),
			fmt.Sprintf("\nS%02d,%s,%s", i+1, twoArms[i%2], []string{"no", "yes"}[min(i, 1)]), 1)
	}
	tables.Design.Data = []byte(design)
	a := analyse(t, tables.row(t, 2, "medial", "40.00", "500,333,437.5,18.0,4.0,0.80"))
	e := &a.Endpoints[0]
	if q := e.Cells[0][2].Quality; q.N != 3 || q.Flagged != 0 || q.Voxels != 1000 || len(e.ContrastFlags(e.Contrasts[1])) != 0 {
		t.Errorf("%+v, %v", q, e.ContrastFlags(e.Contrasts[1]))
	}
	if len(excesses(a)) != 3 {
		t.Errorf("flags %v", a.Flags)
	}
}
