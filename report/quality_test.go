package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
)

// soundStudy is a study without flags.
func soundStudy(visit string) Result {
	none := number.Float(math.NaN())
	limits := QualityLimits{SNRLast: Limits{5, 3}, ShiftPX: Limits{0.5, 1}, ExcludedPercent: Limits{10, 25},
		Voxels: Limits{200, 50}, T2MS: [2]number.Float{20, 70}, ErodedPercent: 5, VolumePercent: 20, ZeroPercent: 1,
		StimulatedPercent: none, ResidualChi2: none, Baseline: "baseline"}
	return Result{
		Version: "1", Subject: "S01", Visit: visit, Side: "left", TE: []float64{10, 20, 30},
		Protocol: Protocol{SkippedEchoes: 1, Quality: &limits, SHA256: "5e77"},
		Scanner:  &Scanner{Model: "Prisma", Software: "E11"}, Acquisition: &Acquisition{},
		Compartments: []segment.Summary{
			{Compartment: "medial", Voxels: 1000, Used: 995, MeanT2: 36, VolumeMM3: 4000},
			{Compartment: "medial-meniscus", Voxels: 300, Used: 300, MeanT2: 13, VolumeMM3: 1200},
			{Compartment: "lateral"},
		},
		Decays: []Decay{{Compartment: "medial", SNRFirst: 60, SNRLast: 12}, {Compartment: "medial-meniscus", SNRLast: 1}},
		Quality: &Quality{ShiftI: 0.3, ShiftJ: -0.2, ShiftCorrelation: 0.8, Compartments: []CompartmentQuality{
			{Compartment: "medial", S2S1: 0.9, S2S1Fit: 0.75, ErodedVoxels: 400, ErodedMeanT2: 37, ResidualChi2: 1.1},
			{Compartment: "medial-meniscus", ErodedMeanT2: 13}, {Compartment: "lateral", ErodedMeanT2: none},
		}},
	}
}

// Every measure is flagged beyond its limit, and not at it.
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *Result, m *segment.Summary, q *CompartmentQuality)
		want   string
	}{
		{"sound", func(*Result, *segment.Summary, *CompartmentQuality) {}, ""},
		{"at the limits", func(r *Result, m *segment.Summary, q *CompartmentQuality) {
			r.Decays[0].SNRLast, r.Quality.ShiftI, r.Quality.ShiftJ = 5, 0.3, 0.4
			m.Excluded.Fluid, m.MeanT2, q.ErodedMeanT2, q.ZeroVoxels = 100, 70, 73.4, 10
		}, ""},
		{"weak", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) { r.Decays[0].SNRLast = 4.9 },
			"snr_last medial 4.9 5 warn"},
		{"weaker", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) { r.Decays[0].SNRLast = 2.9 },
			"snr_last medial 2.9 3 fail"},
		{"shift", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			r.Quality.ShiftI, r.Quality.ShiftJ = 0.6, -0.8
		},
			"shift_px  1 0.5 warn"},
		{"large shift", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			r.Quality.ShiftI, r.Quality.ShiftJ = 3, 4
		},
			"shift_px  5 1 fail"},
		{"a shift that is not reliable", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			r.Quality.ShiftI, r.Quality.ShiftCorrelation = 3, 0.49
		}, "shift_correlation  0.49 0.5 warn"},
		{"the same without a limit", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			none := number.Float(math.NaN())
			r.Quality.ShiftI, r.Quality.ShiftCorrelation, r.Protocol.Quality.ShiftPX = 3, 0.49, Limits{none, none}
		}, ""},
		{"a reliable shift", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			r.Quality.ShiftI, r.Quality.ShiftCorrelation = 3, 0.5
		}, "shift_px  3.01 1 fail"},
		{"excluded", func(_ *Result, m *segment.Summary, _ *CompartmentQuality) { m.Excluded.PoorFit = 260 },
			"excluded_percent medial 26 25 fail"},
		{"saturated", func(_ *Result, m *segment.Summary, _ *CompartmentQuality) { m.Excluded.Saturated = 1 },
			"saturated_percent medial 0.1 0 warn"},
		{"few voxels", func(_ *Result, m *segment.Summary, _ *CompartmentQuality) { m.Voxels = 199 },
			"voxels medial 199 200 warn"},
		{"too few voxels", func(_ *Result, m *segment.Summary, _ *CompartmentQuality) { m.Voxels = 49 },
			"voxels medial 49 50 fail"},
		{"short", func(_ *Result, m *segment.Summary, q *CompartmentQuality) { m.MeanT2, q.ErodedMeanT2 = 19, 19 },
			"t2_ms medial 19 20 warn"},
		{"long", func(_ *Result, m *segment.Summary, q *CompartmentQuality) { m.MeanT2, q.ErodedMeanT2 = 71, 71 },
			"t2_ms medial 71 70 warn"},
		{"partial volume", func(_ *Result, _ *segment.Summary, q *CompartmentQuality) { q.ErodedMeanT2 = 33.3 },
			"eroded_percent medial -7.5 5 warn"},
		{"of few voxels", func(_ *Result, _ *segment.Summary, q *CompartmentQuality) {
			q.ErodedMeanT2, q.ErodedVoxels = 30, 49
		}, ""},
		{"of thin cartilage", func(_ *Result, _ *segment.Summary, q *CompartmentQuality) {
			q.ErodedMeanT2, q.ErodedVoxels = 30, 240
		}, ""},
		{"zeros", func(_ *Result, _ *segment.Summary, q *CompartmentQuality) { q.ZeroVoxels = 11 },
			"zero_percent medial 1.1 1 warn"},
		{"stimulated", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			r.Protocol.Quality.StimulatedPercent = 15
		}, "stimulated_percent medial 20 15 warn"},
		{"residual", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) { r.Protocol.Quality.ResidualChi2 = 1 },
			"residual_chi2 medial 1.1 1 warn"},
		{"deviations", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			r.Deviations = []Deviation{{Item: DeviationTR}, {Item: DeviationEchoes}}
		}, "acquisition  2 0 warn"},
		{"no limits", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) {
			r.Protocol.Quality, r.Decays[0].SNRLast = nil, 1
		}, ""},
		{"not measured", func(r *Result, _ *segment.Summary, _ *CompartmentQuality) { r.Quality = nil }, ""},
	} {
		r := soundStudy("M12")
		c.change(&r, &r.Compartments[0], &r.Quality.Compartments[0])
		var got []string
		for _, f := range r.FindFlags() {
			got = append(got, fmt.Sprintf("%s %s %.3g %g %s", f.Measure, f.Compartment, f.Value, f.Limit, f.Level))
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
		if _, err := json.Marshal(r.FindFlags()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Visits are compared with the baseline of the same knee: scanner, acquisition and volumes.
func TestBaselines(t *testing.T) {
	first, later, other := soundStudy("Baseline"), soundStudy("M12"), soundStudy("M12")
	later.Scanner = &Scanner{Model: "Skyra", Software: "XA30"}
	later.Acquisition = &Acquisition{TRMS: 3000}
	later.Compartments[0].VolumeMM3 = 3100
	later.QualityFlags = []QualityFlag{{Measure: MeasureT2, Compartment: "medial", Level: Warn}}
	other.Side, other.Scanner = "right", later.Scanner
	all := findBaselines([]Result{later, other, first})
	if got, want := flagNames(all.flags(later)), "baseline_scanner:warn baseline_software:warn baseline_acquisition:warn "+
		"t2_ms:warn volume_percent:warn"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if v := all.volumeChange(later, "medial"); math.Abs(v+22.5) > 1e-9 {
		t.Errorf("volume: %g", v)
	}
	for name, r := range map[string]Result{"the baseline itself": first, "the other knee": other} {
		if got := all.flags(r); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := findBaselines([]Result{first, later, first, first}).flags(later); len(got) != 1 {
		t.Errorf("several baselines: %v", got)
	}
	later.Protocol.Quality = nil // of an earlier version, while the baseline was mapped again
	if got, want := flagNames(findBaselines([]Result{first, later}).flags(later)), "baseline_scanner:warn "+
		"baseline_software:warn baseline_acquisition:warn t2_ms:warn"; got != want {
		t.Errorf("a visit without limits: %s, want %s", got, want)
	}
	first.Protocol.Quality = nil
	if got := findBaselines([]Result{first, later}).flags(later); len(got) != 1 {
		t.Errorf("results of an earlier version: %v", got)
	}
}

// S2/S1 of the fit extrapolates a decay to a skipped echo, with the offset if there is one.
func TestS2S1(t *testing.T) {
	te := []float64{10, 20, 30}
	d := Decay{Signal: []number.Float{80, 76, 50}, T2: 40, S0: 100}
	if got, fit := d.S2S1(te, 1); got != 0.95 || math.Abs(float64(fit)-math.Exp(-0.25)) > 1e-9 {
		t.Errorf("decay: %g, %g", got, fit)
	}
	for e := range te {
		d.Model = append(d.Model, number.Float(100*math.Exp(-te[e]/40)+20))
	}
	want := float64(d.Model[1] / d.Model[0])
	if _, fit := d.S2S1(te, 0); math.Abs(float64(fit)-want) > 1e-9 {
		t.Errorf("all echoes fitted: %g, want %g", fit, want)
	}
	d.Model[0] = number.Float(math.NaN())
	if _, fit := d.S2S1(te, 1); math.Abs(float64(fit)-want) > 1e-9 {
		t.Errorf("offset: %g, want %g", fit, want)
	}
	d.Signal[0], d.T2, d.S0, d.Model = 0, number.Float(math.NaN()), number.Float(math.NaN()), nil
	if got, fit := d.S2S1(te, 1); !math.IsNaN(float64(got)) || !math.IsNaN(float64(fit)) {
		t.Errorf("no signal and no fit: %g, %g", got, fit)
	}
}

// qc.csv has a row for each compartment with measures, flags and the hash; unknown values are empty cells.
func TestQCTable(t *testing.T) {
	dir := t.TempDir()
	first, later := soundStudy("baseline"), soundStudy("M12")
	later.Compartments[0].VolumeMM3 = 3100
	later.QualityFlags = later.FindFlags()
	if err := WriteTables(dir, Cohort{Results: Sorted([]Result{first, later})}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, qcTable))
	if err != nil {
		t.Fatal(err)
	}
	tab, err := table.Read(table.Source{Name: qcTable, Data: raw})
	if err != nil || len(tab.Rows) != 6 {
		t.Fatalf("%d rows, %v", len(tab.Rows), err)
	}
	for column, want := range map[string]string{
		"compartment": "medial", "level": "warn", "flags": "volume_percent:warn", "snr_last": "12.0", "shift_px": "0.36",
		"shift_j_px": "-0.20", "s2_s1": "0.900", "stimulated_percent": "20.0", "voxels": "1000", "zero_voxels": "0",
		"eroded_percent": "2.8", "residual_chi2": "1.100", "baseline": "baseline", "volume_percent": "-22.5",
		"protocol_sha256": "5e77", "excluded_percent": "0.0",
	} {
		if got := tab.Rows[0].Text(column); got != want { // M12 comes before baseline
			t.Errorf("%s: %q, want %q", column, got, want)
		}
	}
	if empty := tab.Rows[5]; empty.Text("compartment") != "lateral" || empty.Text("level")+empty.Text("eroded_percent")+
		empty.Text("excluded_percent")+empty.Text("volume_percent")+empty.Text("baseline") != "" {
		t.Errorf("%+v", empty)
	}
}

// The page shows flags beside the compartment, those of the study above the table, and the measures on demand.
func TestPageQuality(t *testing.T) {
	first, later := soundStudy("baseline"), soundStudy("M12")
	later.Compartments[0].VolumeMM3, later.Quality.ShiftI = 3100, 4
	later.Deviations = generatedDeviations
	later.Warnings = []string{DeviationsWarning(later.Deviations), "images were compressed with loss"}
	later.QualityFlags = append(later.FindFlags(), QualityFlag{Measure: "<b>new", Level: Warn})
	dir := t.TempDir()
	page := pageOf(t, dir, studyList{Results: []Result{first, later}})
	if want := `<b>1</b>with quality flags`; !strings.Contains(page.index, want) {
		t.Errorf("the page lacks %s", want)
	}
	d := page.details[0] // M12 comes before baseline
	want := []shownFlag{{"1 deviation from the protocol: TR 2500 ms, expected 2700 ± 1 ms", Warn},
		{"echoes shifted by 4.00 px (limit 1)", Fail}, {"<b>new", Warn}}
	if diff := cmp.Diff(want, d.Flags); diff != "" {
		t.Errorf("flags of the study (-want +got):\n%s", diff)
	}
	want = []shownFlag{{"volume -22.5 % off the baseline (limit 20)", Warn}}
	if diff := cmp.Diff(want, d.Rows[0].Flags); diff != "" {
		t.Errorf("flags of the compartment (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"images were compressed with loss"}, d.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if d.Rows[1].Flags != nil || page.details[1].Rows[0].Flags != nil || page.details[1].Flags != nil {
		t.Errorf("flags of others: %+v, %+v", d.Rows[1], page.details[1].Rows[0])
	}
	if q := d.Quality; q.Baseline != "volumes are compared with the visit baseline" || q.Rows[0].Ratio != "0.900 (0.750)" ||
		q.Rows[0].Eroded != "37.00 (+2.8 %)" || !strings.HasPrefix(q.Shift, "shift between the first and the last") {
		t.Errorf("%+v", q)
	}
	later.Quality.Compartments = later.Quality.Compartments[:1]
	rows := pageOf(t, dir, studyList{Results: []Result{first, later}}).details[0].Quality.Rows
	if rows[0].Zero != "0" || rows[1].Zero != "" {
		t.Errorf("voxels without signal: %q, and %q if they were not counted", rows[0].Zero, rows[1].Zero)
	}
	for m := range map[Measure]bool{MeasureSNRLast: true, MeasureShift: true,
		MeasureShiftCorrelation: true, MeasureExcluded: true, MeasureVoxels: true,
		MeasureEroded: true, MeasureT2: true, MeasureSaturated: true, MeasureZero: true, MeasureStimulated: true,
		MeasureChi2: true, MeasureAcquisition: true, MeasureVolume: true, MeasureBaselineScanner: true,
		MeasureBaselineSoftware: true, MeasureBaselineAcquisition: true} {
		text := QualityFlag{Measure: m, Value: 2, Limit: 1}.text()
		if text == string(m) || strings.Contains(text, "%!") {
			t.Errorf("%s: %q", m, text)
		}
	}
}
