package segment

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/stat"

	"github.com/t2map/t2map/volume"
)

// noTexture is that of a row in which none was measured.
var noTexture = Texture{Contrast: Number(math.NaN()), Entropy: Number(math.NaN()), Homogeneity: Number(math.NaN())}

// absent stands for NaN in tables of T2.
const absent = -1

// study puts values of T2 and statuses on a row of voxels of 0.5 × 0.5 × 2 mm.
func study(regions []uint16, status []volume.Status, t2 []float32) (volume.Maps, Regions) {
	g := volume.Geometry{
		Size: [3]int{len(regions), 1, 1}, Affine: [3][4]float64{{0.5, 0, 0, 0}, {0, 0.5, 0, 0}, {0, 0, 2, 0}},
	}
	m := volume.Maps{
		Geometry: g, T2: make([]float32, len(t2)), R2: make([]float32, len(t2)),
		SE: make([]float32, len(t2)), Status: status,
	}
	m.Noise.Sigma = []float64{2}
	for v, x := range t2 {
		m.T2[v], m.R2[v], m.SE[v] = x, 1-x/128, x/64
		if x == absent {
			m.T2[v], m.R2[v], m.SE[v] = float32(math.NaN()), float32(math.NaN()), float32(math.NaN())
		}
	}
	names := []string{Medial, Lateral, Patellofemoral}
	return m, Regions{Labels: volume.Labels{Geometry: g, Data: regions}, Names: names}
}

// equalNumbers compares by value, NaN equal to NaN.
var equalNumbers = cmp.Comparer(func(a, b Number) bool {
	return a == b || (math.IsNaN(float64(a)) && math.IsNaN(float64(b))) ||
		math.Abs(float64(a-b)) <= 1e-12*math.Abs(float64(b))
})

// TestSummarizeByHand: medial holds 10, 20, 30, 40 among excluded voxels. Mean
// 25, SD √(500/3), quartiles of type 7: 17.5, 25, 32.5. R² = 1 − T2/128. The
// standard errors are T2/64, that of the mean √3000/64/4. A voxel is 0.5 mm³.
func TestSummarizeByHand(t *testing.T) {
	const (
		f, lo, gr, nc          = volume.Fitted, volume.LowSignal, volume.NotDecaying, volume.NotConverged
		out, poor, bound, clip = volume.OutOfRange, volume.PoorFit, volume.AtBound, volume.Saturated
	)
	m, r := study(
		[]uint16{1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 0, 1, 2},
		[]volume.Status{f, 0, f, lo, gr, f, nc, out, poor, f, out, lo, gr, f, bound, clip},
		[]float32{40, absent, 10, absent, absent, 20, absent, 150, absent, 30, 200, absent, absent, 99, 12, absent})
	got, err := Summarize(m, r)
	if err != nil {
		t.Fatal(err)
	}
	none := Number(math.NaN())
	want := []Summary{
		{
			Compartment: Medial, Region: All, Layer: All, Voxels: 11, Used: 4,
			Excluded: Excluded{1, 1, 1, 2, 1, 1, 0, 0}, MeanT2: 25,
			SEMeanT2: Number(math.Sqrt(3000) / 256), SDT2: Number(math.Sqrt(500. / 3)), MedianT2: 25,
			Q1T2: 17.5, Q3T2: 32.5, MeanR2: 1 - 25./128, VolumeMM3: 5.5, MeanFraction: 1,
			PlateMeanT2: none, Texture: noTexture,
		},
		{
			Compartment: Lateral, Region: All, Layer: All, Voxels: 3,
			Excluded: Excluded{LowSignal: 1, NotDecaying: 1, Saturated: 1}, MeanT2: none,
			SEMeanT2: none, SDT2: none, MedianT2: none, Q1T2: none, Q3T2: none,
			MeanR2: none, VolumeMM3: 1.5, MeanFraction: 1, PlateMeanT2: none, Texture: noTexture,
			Note: "no voxel with a sound T2",
		},
		{
			Compartment: Patellofemoral, Region: All, Layer: All, MeanT2: none,
			SEMeanT2: none, SDT2: none, MedianT2: none, Q1T2: none, Q3T2: none,
			MeanR2: none, VolumeMM3: none, MeanFraction: none, PlateMeanT2: none, Texture: noTexture,
			Note: "no voxels in the mask",
		},
	}
	if d := cmp.Diff(want, got, equalNumbers); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestExcluded: every exclusion of volume has a count of its own, under the name
// that JSON has for it, and Total, Each and Reasons see all of them.
func TestExcluded(t *testing.T) {
	var e Excluded
	for n, s := range volume.Exclusions {
		for range n + 1 {
			if !e.count(s) {
				t.Fatalf("%v does not count as an exclusion", s)
			}
		}
	}
	for _, s := range []volume.Status{volume.NotFitted, volume.Fitted, 200} {
		if e.count(s) {
			t.Errorf("%v counts as an exclusion", s)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var byName map[string]int
	if err := json.Unmarshal(text, &byName); err != nil {
		t.Fatal(err)
	}
	order := 0
	for s, n := range e.Each {
		if s != volume.Exclusions[order] || n != order+1 || byName[s.String()] != n {
			t.Errorf(
				"%d: %v with %d voxels, %d in JSON, want %v with %d", order, s, n, byName[s.String()],
				volume.Exclusions[order], order+1,
			)
		}
		order++
	}
	if order != len(volume.Exclusions) || len(byName) != order {
		t.Errorf("Each yields %d, JSON has %d, want %d", order, len(byName), len(volume.Exclusions))
	}
	if e.Total() != 36 { // 1 + 2 + … + 8
		t.Errorf("total %d, want 36", e.Total())
	}
	for s := range e.Each {
		order--
		if s == volume.NotDecaying {
			break // and Each stops
		}
	}
	if order != len(volume.Exclusions)-2 {
		t.Errorf("Each went on after the loop's end")
	}
	want := []string{"1 low signal", "4 T2 out of range"}
	if d := cmp.Diff(want, Excluded{LowSignal: 1, OutOfRange: 4}.Reasons()); d != "" {
		t.Errorf("reasons (-want +got):\n%s", d)
	}
	if got := (Excluded{}).Reasons(); len(got) > 0 {
		t.Errorf("reasons %v without a voxel", got)
	}
}

// TestQuantile holds values that numpy.quantile 1.24 gives (type 7).
func TestQuantile(t *testing.T) {
	cases := []struct {
		x           []float64
		q1, med, q3 float64
	}{
		{[]float64{7}, 7, 7, 7},
		{[]float64{1, 2}, 1.25, 1.5, 1.75},
		{[]float64{1, 2, 4}, 1.5, 2, 3},
		{[]float64{1, 2, 3, 4}, 1.75, 2.5, 3.25},
		{[]float64{1, 2, 3, 4, 100}, 2, 3, 4},
		{[]float64{3, 3, 3, 9, 10, 11}, 3, 6, 9.75},
	}
	for _, c := range cases {
		if a, b, d := quantile(c.x, 0.25), quantile(c.x, 0.5), quantile(c.x, 0.75); a != c.q1 || b != c.med ||
			d != c.q3 {
			t.Errorf("%v: %g, %g, %g, want %g, %g, %g", c.x, a, b, d, c.q1, c.med, c.q3)
		}
	}
	if x := []float64{1, 2, 3, 4}; stat.Quantile(0.5, stat.LinInterp, x, nil) == 2.5 {
		t.Error("gonum's LinInterp has become type 7: use it")
	}
}

// TestSummarizeOne: a single voxel has a mean and no SD.
func TestSummarizeOne(t *testing.T) {
	m, r := study([]uint16{0, 3}, []volume.Status{0, volume.Fitted}, []float32{absent, 32})
	got, err := Summarize(m, r)
	if err != nil {
		t.Fatal(err)
	}
	s := got[2]
	if s.Used != 1 || s.MeanT2 != 32 || s.MedianT2 != 32 || s.Q1T2 != 32 || s.Q3T2 != 32 ||
		!math.IsNaN(float64(s.SDT2)) ||
		s.Note == "" {
		t.Errorf("%+v", s)
	}
}

// TestSummarizeAgainstSearch compares random studies with a slow, separate
// computation: one compartment at a time, gonum for mean and SD, quartiles from
// the definition, counts by search; and every voxel is accounted for.
func TestSummarizeAgainstSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 4))
	for round := range 40 {
		n := 1 + r.IntN(400)
		regions, status, t2 := make([]uint16, n), make([]volume.Status, n), make([]float32, n)
		for v := range regions {
			regions[v] = uint16(r.IntN(4)) % uint16(1+round%4) // some rounds leave compartments empty
			status[v] = volume.Status(1 + r.IntN(6))
			t2[v] = 80 * r.Float32()
			if status[v] != volume.Fitted && status[v] != volume.OutOfRange {
				t2[v] = absent
			}
		}
		m, reg := study(regions, status, t2)
		got, err := Summarize(m, reg)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for c, s := range got {
			want := bySearch(m, reg, c)
			if d := cmp.Diff(want, s, equalNumbers); d != "" {
				t.Fatalf("round %d (-want +got):\n%s", round, d)
			}
			if s.Used+s.Excluded.Total() != s.Voxels {
				t.Fatalf("round %d: %d used + %d excluded ≠ %d voxels", round, s.Used, s.Excluded.Total(), s.Voxels)
			}
			total += s.Voxels
		}
		labelled := 0
		for _, region := range regions {
			labelled += int(min(region, 1))
		}
		if total != labelled {
			t.Fatalf("round %d: %d voxels in rows, %d in the mask", round, total, labelled)
		}
	}
}

// bySearch computes the summary of compartment c of a study's row of voxels.
func bySearch(m volume.Maps, r Regions, c int) Summary {
	s := Summary{
		Compartment: r.Names[c], Region: All, Layer: All, MeanFraction: Number(math.NaN()),
		PlateMeanT2: Number(math.NaN()), Texture: noTexture,
	}
	var t2, r2 []float64
	tally := map[volume.Status]int{}
	for v := range r.Data {
		if int(r.Data[v]) == c+1 {
			s.Voxels++
			s.MeanFraction = 1
			tally[m.Status[v]]++
			if m.Status[v] == volume.Fitted {
				t2, r2 = append(t2, float64(m.T2[v])), append(r2, float64(m.R2[v]))
			}
		}
	}
	s.Used = tally[volume.Fitted]
	s.Excluded = Excluded{
		tally[volume.LowSignal], tally[volume.NotDecaying], tally[volume.NotConverged], tally[volume.OutOfRange],
		tally[volume.PoorFit], tally[volume.AtBound], tally[volume.Saturated], tally[volume.Fluid],
	}
	var squares float64
	for v := range r.Data {
		if int(r.Data[v]) == c+1 && m.Status[v] == volume.Fitted {
			squares += float64(m.SE[v]) * float64(m.SE[v])
		}
	}
	s.SEMeanT2 = Number(math.Sqrt(squares) / float64(s.Used))
	mean, sd := stat.MeanStdDev(t2, nil)
	s.MeanT2, s.SDT2, s.MeanR2 = Number(mean), Number(sd), Number(stat.Mean(r2, nil))
	sort.Float64s(t2)
	// The definition: the line through the points ((k)/(n−1), x[k]).
	line := func(p float64) Number {
		for k := 1; k < len(t2); k++ {
			x0, x1 := float64(k-1)/float64(len(t2)-1), float64(k)/float64(len(t2)-1)
			if p <= x1 {
				return Number(t2[k-1] + (t2[k]-t2[k-1])*(p-x0)/(x1-x0))
			}
		}
		if len(t2) == 1 {
			return Number(t2[0])
		}
		return Number(math.NaN())
	}
	s.Q1T2, s.MedianT2, s.Q3T2 = line(0.25), line(0.5), line(0.75)
	s.VolumeMM3 = Number(0.5 * float64(s.Voxels))
	switch {
	case s.Voxels == 0:
		s.Note, s.VolumeMM3 = "no voxels in the mask", Number(math.NaN())
	case s.Used == 0:
		s.Note = "no voxel with a sound T2"
	case s.Used == 1:
		s.Note, s.SDT2 = "one voxel with a sound T2, no SD", Number(math.NaN())
	}
	return s
}

// TestSummarizeRefusals: mask and fit that disagree are told, not averaged.
func TestSummarizeRefusals(t *testing.T) {
	const f = volume.Fitted
	cases := []struct {
		name   string
		change func(*volume.Maps, *Regions)
		want   string
	}{
		{
			"not fitted", func(m *volume.Maps, _ *Regions) { m.Status[2] = volume.NotFitted },
			"voxel (2, 0, 0) of lateral: status not_fitted",
		},
		{"unknown status", func(m *volume.Maps, _ *Regions) { m.Status[2] = 77 }, "status status_77"},
		{
			"fitted without T2", func(m *volume.Maps, _ *Regions) { m.T2[1] = float32(math.NaN()) },
			"voxel (1, 0, 0) of medial: status fitted, T2 NaN ms",
		},
		{"region without a name", func(_ *volume.Maps, r *Regions) { r.Data[0] = 4 }, "voxel (0, 0, 0): region 4 of 3"},
		{
			"another size", func(m *volume.Maps, _ *Regions) { m.Size = [3]int{1, 3, 1} },
			"maps of [1 3 1] voxels, mask of [3 1 1]",
		},
		{"short map", func(m *volume.Maps, _ *Regions) { m.R2 = m.R2[:2] }, "3, 3, 2, 3, 3 values, want 3"},
		{"short mask", func(_ *volume.Maps, r *Regions) { r.Data = r.Data[:2] }, "2, 3, 3, 3, 3 values, want 3"},
	}
	for _, c := range cases {
		m, r := study([]uint16{1, 1, 2}, []volume.Status{f, f, f}, []float32{30, 31, 32})
		c.change(&m, &r)
		if _, err := Summarize(m, r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestSummaryJSON(t *testing.T) {
	none := Number(math.NaN())
	s := Summary{
		Compartment: Medial, Region: All, Layer: All, Voxels: 3, Used: 1,
		Excluded: Excluded{OutOfRange: 2}, MeanT2: 38.25, SEMeanT2: 0.5, SDT2: none,
		MedianT2: 38.25, Q1T2: 38.25, Q3T2: 38.25, MeanR2: 0.30000000000000004,
		VolumeMM3: 1e21, MeanFraction: 0.75, PlateMeanT2: none, Texture: noTexture, Note: "n",
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"compartment":"medial","region":"all","layer":"all","voxels":3,"used":1,` +
		`"excluded":{"low_signal":0,"not_decaying":0,"not_converged":0,` +
		`"t2_out_of_range":2,"poor_fit":0,"at_bound":0,"saturated":0,"fluid":0},` +
		`"mean_t2_ms":38.25,"se_mean_t2_ms":0.5,"sd_t2_ms":null,"median_t2_ms":38.25,` +
		`"q1_t2_ms":38.25,"q3_t2_ms":38.25,"mean_r2":0.30000000000000004,"volume_mm3":1e+21,"mean_fraction":0.75,` +
		`"plate_mean_t2_ms":null,` +
		`"texture":{"pairs":0,"contrast":null,"entropy":null,"homogeneity":null},"note":"n"}`
	if d := cmp.Diff(want, string(b)); d != "" {
		t.Error(d)
	}
	var back Summary
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, back, equalNumbers); d != "" {
		t.Errorf("there and back: %s", d)
	}
	if _, err := json.Marshal(Number(math.Inf(1))); err == nil {
		t.Error("an infinity became JSON")
	}
	if err := json.Unmarshal([]byte(`{"mean_t2_ms":"x"}`), &back); err == nil {
		t.Error("text became a Number")
	}
}

func TestDecays(t *testing.T) {
	const f, out = volume.Fitted, volume.OutOfRange
	m, r := study([]uint16{1, 1, 0, 1, 2}, []volume.Status{f, f, f, out, out}, []float32{30, 40, 50, 200, 300})
	s := volume.MultiEcho{
		Geometry: m.Geometry, TE: []float64{10, 20},
		Echo: [][]float32{{8, 10, 1000, 500, 600}, {4, 7, 1000, 500, 600}},
	}
	got := Decays(s, m, r)
	want := []Decay{
		{Compartment: Medial, Voxels: 2, Signal: []float64{9, 5.5}, Sigma: 2},
		{Compartment: Lateral, Signal: []float64{math.NaN(), math.NaN()}, Sigma: math.NaN()},
		{Compartment: Patellofemoral, Signal: []float64{math.NaN(), math.NaN()}, Sigma: math.NaN()},
	}
	equal := cmp.Comparer(func(a, b float64) bool { return a == b || (math.IsNaN(a) && math.IsNaN(b)) })
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	defer func() {
		if recover() == nil {
			t.Error("a series of another size was taken")
		}
	}()
	s.Echo[1] = s.Echo[1][:3]
	Decays(s, m, r)
}

// BenchmarkSummarize is a study of the OAI's size with 1 % of it labelled.
func BenchmarkSummarize(b *testing.B) {
	n := 384 * 384 * 30
	regions, status, t2 := make([]uint16, n), make([]volume.Status, n), make([]float32, n)
	for v := range regions {
		status[v], t2[v] = volume.Fitted, float32(v%61)
		if v%384 < 4 {
			regions[v] = uint16(1 + v%3)
		}
	}
	m, r := study(regions, status, t2)
	for b.Loop() {
		if _, err := Summarize(m, r); err != nil {
			b.Fatal(err)
		}
	}
}
