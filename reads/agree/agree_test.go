package agree

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/trial/repeat"
	"github.com/t2map/t2map/volume"
)

// grid has slices of 3 mm.
var grid = volume.Geometry{Size: [3]int{8, 6, 4}, Affine: [3][4]float64{{0.5, 0, 0, -20}, {0, 0.5, 0, 30}, {0, 0, 3, 11}}}

// key is that of study n.
func key(n int) reads.Key {
	return reads.Key{Study: fmt.Sprintf("%012x", n), Series: fmt.Sprintf("%012x", n+100)}
}

// fixture is a folder of results with reads.
type fixture struct {
	t       *testing.T
	dir     string
	store   *reads.Store
	folders map[[2]string]string
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	dir := t.TempDir()
	s, err := reads.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return fixture{t, dir, s, map[[2]string]string{}}
}

func (f fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// result writes the result of study n, with T2 = base + column. Row 0 has a T2 out of range, and the last column was not
// fitted. maps is that of the protocol.
func (f fixture) result(n int, base float64, maps, rules string) {
	f.t.Helper()
	k, dir := key(n), filepath.Join(f.dir, fmt.Sprintf("S%02d", n), "baseline")
	f.check(os.MkdirAll(dir, 0o777))
	f.folders[[2]string{k.Study, k.Series}] = dir
	f.write(filepath.Join(dir, "result.json"), fmt.Sprintf(`{"version": "1", "subject": "S%02d", "visit": "baseline",
		"study": %q, "series": %q, "side": "left", "te_ms": [10, 20, 30], "protocol": {"scheme": "compartments", "maps": %q,
		"masks": {%s}, "labels": [{"label": 1, "meaning": "medial"}, {"label": 2, "meaning": "lateral"}]}}`, n, k.Study,
		k.Series, maps, rules))
	if maps == "none" {
		return
	}
	t2, status := make([]float32, grid.Voxels()), make([]volume.Status, grid.Voxels())
	for v := range t2 {
		i := grid.Index(v)
		t2[v], status[v] = float32(base+float64(i[0])), volume.Fitted
		switch {
		case i[0] == 7:
			status[v] = volume.NotFitted
		case i[1] == 0:
			t2[v], status[v] = 400, volume.OutOfRange
		}
	}
	var b bytes.Buffer
	f.check(nifti.WriteMap(&b, volume.Map{Geometry: grid, Data: t2}, ""))
	f.write(filepath.Join(dir, "t2.nii.gz"), b.String())
	b.Reset()
	f.check(nifti.WriteLabels(&b, grid, status, ""))
	f.write(filepath.Join(dir, "status.nii.gz"), b.String())
}

func (f fixture) write(path, text string) {
	f.t.Helper()
	f.check(os.WriteFile(path, []byte(text), 0o666))
}

// columns is a mask with label 1 in columns from the first up to the last, in slices 0 and 1, and label 2 in the same
// voxels of slice 3 for all masks.
func columns(first, last int) volume.Labels {
	m := volume.Labels{Geometry: grid, Data: make([]uint16, grid.Voxels())}
	for v := range m.Data {
		switch i := grid.Index(v); {
		case i[2] < 2 && i[0] >= first && i[0] <= last:
			m.Data[v] = 1
		case i[2] == 3 && i[0] < 3:
			m.Data[v] = 2
		}
	}
	return m
}

// read signs a read at a time.
func (f fixture) read(reader string, k reads.Key, mask volume.Labels, r reads.Read, at string) {
	f.t.Helper()
	scheme := reads.Scheme{Name: cmp.Or(r.Scheme, "compartments"), SHA256: r.Labels}
	d, err := f.store.Begin(reader, k, mask, []uint16{1, 2}, scheme, nil)
	f.check(err)
	if r.State == "" {
		r.State = reads.Signed
	}
	r.Name, r.Meaning = "R. Ader", "I have drawn this mask"
	signed, err := f.store.Sign(d, r)
	f.check(err)
	signed.Time, err = time.Parse("2006-01-02", at)
	f.check(err)
	text, err := json.Marshal(signed)
	f.check(err)
	f.write(f.readFile(reader, k, signed.Revision), string(text))
}

func (f fixture) readFile(reader string, k reads.Key, revision int) string {
	return filepath.Join(f.dir, "reads", reader, k.String(), fmt.Sprint(revision), "read.json")
}

func (f fixture) examine(limits Limits) Report {
	f.t.Helper()
	var first Report
	var tables []byte
	for _, workers := range []int{1, 3} {
		r, err := Examine(f.t.Context(), f.dir, Options{f.folders, limits, workers})
		f.check(err)
		var all []byte
		for _, t := range r.Tables() {
			all = append(all, t.CSV()...)
		}
		if workers > 1 && !bytes.Equal(all, tables) {
			f.t.Error("the report depends on the number of workers")
		}
		first, tables = r, all
	}
	return first
}

// trialOf has two readers of three studies, of which R1 reads two twice; and what is not compared.
func trialOf(t *testing.T) fixture {
	f := newFixture(t)
	for n, base := range []float64{30, 40, 36} {
		f.result(n+1, base, "full", "")
	}
	none := reads.Read{}
	for n, second := range [][2]int{{1, 4}, {0, 4}, {1, 5}} {
		f.read("R1", key(n+1), columns(0, 3), none, "2026-02-01")
		f.read("R2", key(n+1), columns(second[0], second[1]), none, "2026-02-10")
	}
	repeat := func(n int) reads.Key { k := key(n); k.Repeat = 1; return k }
	f.read("R1", repeat(1), columns(1, 4), none, "2026-03-31")
	f.read("R1", repeat(2), columns(0, 3), none, "2026-04-01")
	return f
}

func (r Report) of(t *testing.T, kind Kind, month string, readers ...string) Comparison {
	t.Helper()
	for _, c := range r.Comparisons {
		if c.Kind == kind && c.Month == month && slices.Equal(c.Readers, readers) {
			return c
		}
	}
	t.Fatalf("no comparison %s of %q in %q", kind, readers, month)
	return Comparison{}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-8*math.Max(1, math.Abs(want))) {
		t.Errorf("%s: %.9g, want %.9g", what, got, want)
	}
}

func interval(t *testing.T, what string, got repeat.Interval, want [3]float64) {
	t.Helper()
	near(t, what, got.Estimate, want[0])
	near(t, what+", lower limit", got.Low, want[1])
	near(t, what+", upper limit", got.High, want[2])
}

// T2 in columns a to b is base + (a + b)/2: 31.5 and 32.5, 41.5 and 42, 37.5 and 39 for R1 and R2. The intervals are from
// R: t.test, and qchisq and qt in the formulas of docs/repeat.md.
func TestAgreementByHand(t *testing.T) {
	r := trialOf(t).examine(Limits{MaxWCVPercent: 1.5, MinDice: 0.7})
	if len(r.Problems) > 0 {
		t.Errorf("%+v", r.Problems)
	}
	c := r.of(t, Between, "", "R1", "R2")
	if len(c.Labels) != 2 || c.Labels[0].Name != "medial" || c.Labels[1].Name != "lateral" {
		t.Fatalf("%+v", c.Labels)
	}
	medial := c.Labels[0]
	near(t, "Dice", medial.Dice.Mean, (6./8+8./9+6./9)/3)
	near(t, "lowest Dice", medial.Dice.Lowest, 6./9)
	if medial.Pairs != 3 || medial.BelowDice != 1 || medial.T2.N != 3 || medial.IsAboveWCV {
		t.Errorf("%+v", medial)
	}
	interval(t, "bias", medial.T2.Agreement.Bias, [3]float64{1, -0.242068856, 2.242068856})
	near(t, "SD", medial.T2.Agreement.SD, 0.5)
	interval(t, "lower limit", medial.T2.Agreement.Lower, [3]float64{0.02, -2.426970218, 2.466970218})
	interval(t, "wCV", medial.T2.WCV, [3]float64{2.104700404, 1.192290777, 7.847474956})
	lateral := c.Labels[1]
	if lateral.Dice != (Spread{3, 1, 0, 1, 1}) || lateral.Distance.Highest != 0 || lateral.BelowDice != 0 ||
		!math.IsNaN(lateral.T2.WCV.Estimate) || !strings.Contains(strings.Join(lateral.Reasons, ""), "do not differ at all") {
		t.Errorf("%+v", lateral)
	}

	// 31.5 and 32.5, and 41.5 twice.
	within := r.of(t, Within, "", "R1").Labels[0]
	interval(t, "wCV within R1", within.T2.WCV, [3]float64{1.5625, 0.8135285417, 9.8198979633})
	if !within.IsAboveWCV || within.Pairs != 2 {
		t.Errorf("%+v", within)
	}
	march, april := r.of(t, Within, "2026-03", "R1").Labels[0], r.of(t, Within, "2026-04", "R1").Labels[0]
	near(t, "wCV in March", march.T2.WCV.Estimate, 100/math.Sqrt2/32)
	if !march.IsAboveWCV || march.Pairs != 1 || april.IsAboveWCV || april.Pairs != 1 {
		t.Errorf("%+v\n%+v", march, april)
	}
	if all := r.of(t, Between, "2026-02", "R1", "R2"); all.Labels[0].Pairs != 3 || len(r.Comparisons) != 5 {
		t.Errorf("%+v, %d comparisons", all, len(r.Comparisons))
	}
	if want := []Reader{{"R1", 5, 0, 0, 0, 5, 2, false}, {"R2", 3, 0, 0, 0, 3, 0, false}}; !slices.Equal(r.Readers, want) {
		t.Errorf("%+v", r.Readers)
	}
	// Pairs are in an order that a reader of the table expects, with T2 of the voxels that are fitted.
	var pairs []string
	for _, p := range r.Pairs {
		if p.Value == 1 {
			pairs = append(pairs, fmt.Sprintf("%s %s %s%s %.1f %.1f", p.A.Name(), p.A.Reader, p.B.Reader, p.B.Part(),
				p.MeanT2[0], p.MeanT2[1]))
		}
	}
	if want := []string{"S01, baseline, left R1 R2 31.5 32.5", "S02, baseline, left R1 R2 41.5 42.0",
		"S03, baseline, left R1 R2 37.5 39.0", "S01, baseline, left R1 R1repeat 1 31.5 32.5",
		"S02, baseline, left R1 R1repeat 1 41.5 41.5"}; !slices.Equal(pairs, want) {
		t.Errorf("%q", pairs)
	}
}

// Of three readers, each pair is compared, and all together; the repeats of two are also pooled.
func TestThreeReaders(t *testing.T) {
	f := trialOf(t)
	f.read("R10", key(1), columns(0, 5), reads.Read{}, "2026-05-01")
	k := key(3)
	k.Repeat = 2
	f.read("R2", k, columns(0, 3), reads.Read{}, "2026-05-01")
	r := f.examine(Limits{})
	pooled := r.of(t, Between, "", "R1", "R2", "R10")
	if !pooled.IsPooled() || pooled.Labels[0].Pairs != 5 || pooled.Labels[0].T2.N != 3 || pooled.Labels[0].T2.Measured != 7 ||
		pooled.Labels[0].T2.Agreement.N != 0 {
		t.Errorf("%+v", pooled.Labels[0])
	}
	// 31.5, 32.5 and 32.5 (weight 2); 41.5 and 42; 37.5 and 39.
	m := 96.5 / 3
	s := 1. / 3 // the variance of the first three
	want := 100 * math.Sqrt((2*s/m/m+0.125/41.75/41.75+1.125/38.25/38.25)/4)
	near(t, "wCV of three readers", pooled.Labels[0].T2.WCV.Estimate, want)
	both := r.of(t, Within, "", "R1", "R2")
	near(t, "wCV within both", both.Labels[0].T2.WCV.Estimate, 100*math.Sqrt((0.5/32/32+0+1.125/38.25/38.25)/3))
	if n := len(r.of(t, Between, "", "R2", "R10").Labels); n != 2 {
		t.Errorf("%d labels", n)
	}
}

// A question, a rejection, a damaged read, a draft, another grid and another scheme do not prevent the rest.
func TestWhatIsNotCompared(t *testing.T) {
	f := trialOf(t)
	hostile := "Which \x1b[31mknee?\n=1+1\u202e"
	f.read("R1", key(4), columns(0, 3), reads.Read{State: reads.Query, Text: hostile}, "2026-02-03")
	f.read("R2", key(4), columns(0, 3), reads.Read{State: reads.Rejected, Reason: "motion"}, "2026-02-03")
	f.read("R1", key(5), columns(0, 3), reads.Read{}, "2026-02-03") // without a result
	f.read("R2", key(5), columns(0, 4), reads.Read{Scheme: "skm-tea"}, "2026-02-03")
	f.read("R1", key(6), columns(0, 3), reads.Read{}, "2026-02-03")
	f.read("R2", key(6), columns(0, 3), reads.Read{}, "2026-02-03")
	f.write(f.readFile("R2", key(6), 1), "{")
	other := columns(0, 3)
	other.Affine[0][3] += 2
	f.read("R1", key(7), columns(0, 3), reads.Read{}, "2026-02-03")
	f.read("R2", key(7), other, reads.Read{}, "2026-02-03")
	f.read("R1", key(8), columns(0, 3), reads.Read{}, "2026-02-03")
	f.read("R2", key(8), columns(0, 3), reads.Read{}, "2026-02-03")
	f.write(filepath.Join(filepath.Dir(f.readFile("R1", key(8), 1)), "mask.nii.gz"), "another")
	f.read("R1", key(9), columns(0, 3), reads.Read{Labels: "5c"}, "2026-02-03")
	f.read("R2", key(9), columns(0, 4), reads.Read{Labels: "5d"}, "2026-02-03")
	// A read without the hash of its labels is compared by the name of the scheme.
	f.read("R1", key(10), columns(0, 3), reads.Read{Labels: "5c"}, "2026-02-03")
	f.read("R2", key(10), columns(0, 3), reads.Read{}, "2026-02-03")
	// A rejection withdraws the mask; a question does not.
	f.read("R2", key(1), columns(0, 3), reads.Read{State: reads.Rejected, Reason: "motion", Change: "seen later"}, "2026-02-11")
	f.read("R2", key(2), columns(0, 3), reads.Read{State: reads.Query, Text: "?", Change: "?"}, "2026-02-11")
	draft, err := f.store.Begin("R3", key(1), columns(0, 3), []uint16{1}, reads.Scheme{}, nil)
	f.check(err)
	f.check(draft.Close())
	r := f.examine(Limits{})
	var problems []string
	for _, p := range r.Problems {
		problems = append(problems, p.Place+" "+p.Text)
	}
	place := func(reader string, n int) string { return "reads/" + reader + "/" + key(n).String() }
	for n, want := range []string{
		place("R2", 6) + " " + place("R2", 6) + "/1: read.json: ",
		place("R2", 5) + " is not compared with " + place("R1", 5) + ": the schemes of their masks are skm-tea and compartments",
		place("R2", 7) + " is not compared with " + place("R1", 7) + ": the voxel centres of the masks lie up to 2.00 mm apart",
		place("R1", 8) + " " + place("R1", 8) + "/1/mask.nii.gz: it is not the mask that was signed",
		place("R2", 9) + " is not compared with " + place("R1", 9) + ": the labels of their masks have different meanings, " +
			"both in a scheme with the name compartments",
	} {
		if n >= len(problems) || !strings.HasPrefix(problems[n], want) {
			t.Errorf("%q, want %q", problems, want)
		}
	}
	if len(problems) != 5 {
		t.Errorf("%d problems", len(problems))
	}
	c := r.of(t, Between, "", "R1", "R2")
	if medial := c.Labels[0]; medial.Pairs != 3 || medial.T2.Agreement.Bias.Estimate != 1 {
		t.Errorf("%+v", medial)
	}
	if want := []Reader{{"R1", 11, 1, 0, 0, 12, 2, false}, {"R2", 6, 1, 2, 0, 11, 0, false},
		{"R3", 0, 0, 0, 1, 0, 0, false}}; !slices.Equal(r.Readers,
		want) {
		t.Errorf("%+v", r.Readers)
	}
	table := string(r.Tables()[0].CSV())
	if strings.ContainsAny(table, "\x1b\u202e") || !strings.Contains(table, "Which  [31mknee? =1+1") ||
		strings.Contains(table, "R. Ader") {
		t.Errorf("%s", table)
	}
}

// What an adjudicator signs is no independent read: it changes no agreement, and the tables name the role.
func TestAdjudicator(t *testing.T) {
	f := trialOf(t)
	before := f.examine(Limits{})
	for n := 1; n <= 3; n++ { // takes the masks of R1
		f.read("A1", key(n), columns(0, 3), reads.Read{Reason: "closer to the bone", Adjudicates: []string{"a", "b"}}, "2026-03-01")
	}
	after := f.examine(Limits{})
	for n, table := range after.Tables()[1:] {
		if want := before.Tables()[n+1]; !bytes.Equal(table.CSV(), want.CSV()) {
			t.Errorf("%s:\n%s\nwithout the adjudicator:\n%s", table.Name, table.CSV(), want.CSV())
		}
	}
	if a := after.Readers[0]; a.Name() != "A1 (adjudicator)" || a.Signed != 3 || after.Readers[1].Name() != "R1" {
		t.Errorf("%+v", after.Readers)
	}
	table := string(after.Tables()[0].CSV())
	if strings.Count(table, ",adjudicator,signed,") != 3 || strings.Count(table, ",reader,signed,") != 8 ||
		strings.Count(table, "closer to the bone") != 3 {
		t.Errorf("%s", table)
	}
}

// T2 that cannot be had is missing with the reason, and the masks are compared nevertheless.
func TestMissingT2(t *testing.T) {
	f := newFixture(t)
	f.result(1, 30, "none", "")
	f.result(2, 30, "mask", "")
	f.result(3, 30, "full", `"fluid_ms": 33`)
	f.result(4, 30, "full", "")
	f.check(os.Remove(filepath.Join(f.folders[[2]string{key(4).Study, key(4).Series}], "status.nii.gz")))
	for n := 1; n <= 5; n++ {
		f.read("R1", key(n), columns(0, 3), reads.Read{}, "2026-02-03")
		last := 7
		if n == 3 {
			last = 6
		}
		f.read("R2", key(n), columns(4, last), reads.Read{}, "2026-02-03")
	}
	empty := columns(0, 3)
	for v := range empty.Data {
		empty.Data[v] = 0
	}
	f.read("R1", key(6), empty, reads.Read{}, "2026-02-03")
	f.read("R2", key(6), columns(0, 3), reads.Read{}, "2026-02-03")
	r := f.examine(Limits{MinDice: 0.5})
	var notes []string
	for _, p := range r.Pairs {
		if p.Value == 1 {
			notes = append(notes, p.Note())
		}
	}
	for n, want := range []string{"T2: no maps: mapped with --maps none",
		"T2 in B: 12 voxels were not fitted: the run has mapped its own mask only", "T2 in B: no voxel with a sound T2",
		"T2: status.nii.gz: ", "T2: the study has no result",
		"no voxels in A; T2 in B: the study has no result"} {
		if n >= len(notes) || !strings.HasPrefix(notes[n], want) {
			t.Errorf("study %d: %q, want %q", n+1, notes, want)
		}
	}
	c := r.of(t, Between, "", "R1", "R2").Labels[0]
	if c.Pairs != 6 || c.BelowDice != 6 || c.Dice.Mean != 0 || c.T2.N != 0 || len(c.Reasons) == 0 {
		t.Errorf("%+v", c)
	}
	// The limit of fluid excludes voxels that the mask of the run did not have: 30 to 33 ms remain.
	if p := r.Pairs[slices.IndexFunc(r.Pairs, func(p Pair) bool { return p.A.Subject == "S03" && p.Value == 1 })]; p.MeanT2[0] != 31.5 {
		t.Errorf("%+v", p)
	}
}

// A folder without reads is an empty report, and a context that ends an error.
func TestNothingToCompare(t *testing.T) {
	r, err := Examine(t.Context(), t.TempDir(), Options{})
	if err != nil || len(r.Readers)+len(r.Reads)+len(r.Comparisons) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, table := range r.Tables() {
		if lines, err := io.ReadAll(bytes.NewReader(table.CSV())); err != nil || bytes.Count(lines, []byte("\n")) != 1 {
			t.Errorf("%s: %q", table.Name, lines)
		}
		for _, row := range table.Dictionary {
			if row[1] == "" || row[6] == "" {
				t.Errorf("%s: %q", table.Name, row)
			}
		}
	}
}
