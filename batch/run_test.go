package batch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// knee writes a small phantom study into dir and returns it.
func knee(t testing.TB, dir string, o phantom.Options) *phantom.Study {
	t.Helper()
	o.Matrix, o.Slices = 64, 6
	s, err := phantom.New(context.Background(), o)
	if err == nil {
		err = s.Write(context.Background(), dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compartmentsScheme(t testing.TB) segment.Scheme {
	t.Helper()
	s, err := segment.Named("compartments")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settings returns settings for the studies under dir/studies, results going to dir/results. Every study is mapped,
// also a second time.
func settings(t testing.TB, dir string) Settings {
	return Settings{Roots: []string{filepath.Join(dir, "studies")}, Out: filepath.Join(dir, "results"),
		Protocol: protocol.Protocol{Scheme: compartmentsScheme(t)}, Force: true}
}

// ran is the outcome of a run with its results, in the order of their folders.
type ran struct {
	Outcome
	Chosen  []Choice
	Results []report.Result
}

// runAll is Run with the results.
func runAll(ctx context.Context, s Settings) (ran, error) {
	var out ran
	s.Chosen = func(c Choice) { out.Chosen = append(out.Chosen, c) }
	s.Mapped = func(r report.Result) { out.Results = append(out.Results, r) }
	var err error
	out.Outcome, err = Run(ctx, s)
	slices.SortFunc(out.Results, func(a, b report.Result) int { return strings.Compare(a.Dir, b.Dir) })
	return out, err
}

func run(t testing.TB, s Settings) ran {
	t.Helper()
	out, err := runAll(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range slices.Concat(out.Failures, out.NotDone) { // in all tests: no kind of failure is without a code
		if f.Code == "" || f.Code == report.ReasonOther {
			t.Errorf("%s: %q has the code %q", f.Folder, f.Reason, f.Code)
		}
	}
	return out
}

// tree returns the hash of every file below dir by its path, except the state, the audit record and superseded results.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == stateFolder || d.Name() == supersededFolder) {
			return fs.SkipDir // the state has times
		}
		if err != nil || d.IsDir() || d.Name() == audit.File || d.Name() == "timing.csv" { // they have times
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Every method goes all the way: its maps, its settings and its curve are in the
// study's folder. The phantom is mono-exponential with an SNR of 150, where all but
// the unweighted line and the fit of an offset come within 2 % of the truth.
func TestEveryMethod(t *testing.T) {
	dir := t.TempDir()
	truth := knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{Subject: "S01", Seed: 3}).Truth()
	extra := map[t2fit.Method]string{t2fit.NLLSOffset: "offset.nii.gz", t2fit.EPG: "b1.nii.gz"}
	for _, method := range t2fit.Methods {
		for _, floor := range []float64{0, 2} {
			s := settings(t, dir)
			s.Out = filepath.Join(dir, fmt.Sprintf("%s-%g", method, floor))
			s.Protocol.Fit = t2fit.Options{Method: method, EchoFloor: floor}
			out := run(t, s)
			if len(out.Results) != 1 {
				t.Fatalf("%s: %v", method, out.Failures)
			}
			r := out.Results[0]
			for _, f := range []struct {
				name string
				want bool
			}{{extra[method], extra[method] != ""}, {"echoes.nii.gz", floor > 0}} {
				if f.name == "" {
					continue
				}
				if _, err := os.Stat(filepath.Join(r.Dir, f.name)); (err == nil) != f.want {
					t.Errorf("%s, floor %g: %s: %v", method, floor, f.name, err)
				}
			}
			if r.Protocol.Method != string(method) || r.Protocol.EchoFloor != floor ||
				(r.Protocol.EPG != nil) != (method == t2fit.EPG) {
				t.Errorf("%s: recorded as %+v", method, r.Protocol)
			}
			if r.Noise.Source != "residuals" || len(r.Noise.Sigma) != r.Size[2] {
				t.Errorf("%s: noise %+v", method, r.Noise)
			}
			modelled := method == t2fit.NLLSOffset || method == t2fit.Rician || method == t2fit.EPG
			for i, c := range r.Compartments {
				tolerance := 0.02
				if method == t2fit.LogLinearUnweighted || method == t2fit.NLLSOffset {
					tolerance = 0.15
				}
				want := truth[i].MeanT2
				if math.Abs(float64(c.MeanT2)/want-1) > tolerance || !(c.SEMeanT2 > 0 && c.SEMeanT2 < 1) {
					t.Errorf("%s, floor %g: %s has %.2f ± %.3f ms, want %.2f", method, floor, c.Compartment, c.MeanT2,
						c.SEMeanT2, want)
				}
				d := r.Decays[i]
				if !(d.SNRFirst > d.SNRLast && d.SNRLast > 5) || (d.Model != nil) != modelled {
					t.Errorf("%s: decay %+v", method, d)
				}
			}
		}
	}
}

func TestRunAgainstTruth(t *testing.T) {
	dir := t.TempDir()
	truth := map[string]*phantom.Study{}
	for _, visit := range []string{"baseline", "month12"} {
		for n, subject := range []string{"S01", "S02"} {
			truth[subject+visit] = knee(t, filepath.Join(dir, "studies", subject, visit),
				phantom.Options{Subject: subject, Visit: visit, Side: "RL"[n : n+1], Seed: uint64(n)})
		}
	}
	out := run(t, settings(t, dir))
	if len(out.Results) != 4 || len(out.Failures) != 0 {
		t.Fatalf("%d results, failures %v", len(out.Results), out.Failures)
	}
	for _, r := range out.Results {
		want := truth[r.Subject+r.Visit]
		if want == nil {
			t.Fatalf("subject %q, visit %q was not written", r.Subject, r.Visit)
		}
		if side := map[string]string{"R": "right", "L": "left"}[want.Options.Side]; r.Side != side {
			t.Errorf("%s: side %q, want %q", r.Subject, r.Side, side)
		}
		for i, w := range want.Truth() {
			c := r.Compartments[i]
			if c.Compartment != w.Name || c.Voxels != w.Voxels || c.Used+c.Excluded.Total() != c.Voxels {
				t.Errorf("%s %s: %+v, want %+v", r.Subject, r.Visit, c, w)
			}
			// The noise of a mean over some hundred voxels at SNR 150, one in
			// cartilage T2 of 4 %, four times over.
			if math.Abs(float64(c.MeanT2)/w.MeanT2-1) > 0.01 {
				t.Errorf("%s %s %s: %.2f ms, truth %.2f ms", r.Subject, r.Visit, c.Compartment, c.MeanT2, w.MeanT2)
			}
		}
	}
	for _, name := range []string{"compartments.csv", "studies.csv", "index.html", "S01/baseline/t2.nii.gz",
		"S01/baseline/result.json", "S02/month12/overlay.png"} {
		if _, err := os.Stat(filepath.Join(dir, "results", filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
}

// The same input gives the same bytes, whatever the workers and the order.
func TestRunIsReproducible(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01", "baseline"), phantom.Options{})
	knee(t, filepath.Join(dir, "studies", "S02", "baseline"), phantom.Options{Subject: "S02", Seed: 1})
	s := settings(t, dir)
	s.Workers = 1
	run(t, s)
	want := tree(t, s.Out)
	run(t, s) // over the results that are there
	if diff := cmp.Diff(want, tree(t, s.Out)); diff != "" {
		t.Error("a second run differs:\n", diff)
	}
	s.Workers, s.MemoryMB, s.Out = 16, 4, filepath.Join(dir, "again")
	run(t, s)
	if diff := cmp.Diff(want, tree(t, s.Out)); diff != "" {
		t.Error("16 workers and 1 differ:\n", diff)
	}
}

// T2 in the mask does not depend on what is fitted around it.
func TestMapsOptions(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	var full []segment.Summary
	for _, maps := range []protocol.Maps{protocol.MapsFull, protocol.MapsMask, protocol.MapsNone} {
		s := settings(t, dir)
		s.Protocol.Maps, s.Out = maps, filepath.Join(dir, string(maps))
		r := run(t, s).Results[0]
		if maps == protocol.MapsFull {
			full = r.Compartments
		} else if diff := cmp.Diff(full, r.Compartments, sameNumbers); diff != "" {
			t.Errorf("%s: %s", maps, diff)
		}
		f, err := os.Open(filepath.Join(r.Dir, "t2.nii.gz"))
		if (err == nil) != (maps != protocol.MapsNone) {
			t.Errorf("%s: t2.nii.gz: %v", maps, err)
		}
		if err != nil {
			continue
		}
		_, frames, err := nifti.ReadFrames(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		mapped := 0
		for _, v := range frames[0] {
			if v == v {
				mapped++
			}
		}
		if inMask := full[0].Used + full[1].Used +
			full[2].Used; (maps == protocol.MapsMask) != (mapped <= inMask+full[0].Excluded.OutOfRange+
			full[1].Excluded.OutOfRange+full[2].Excluded.OutOfRange) {
			t.Errorf("%s: %d voxels mapped, %d of the mask used", maps, mapped, inMask)
		}
	}
}

// writeMask writes labels as a NIfTI file.
func writeMask(t testing.TB, path string, g volume.Geometry, label func(v int) uint8) {
	t.Helper()
	data := make([]uint8, g.Voxels())
	for v := range data {
		data[v] = label(v)
	}
	var b bytes.Buffer
	if err := nifti.WriteLabels(&b, g, data, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func first(t testing.TB, dir string) string { return filepath.Join(dir, "IM_0001.dcm") }

// The mask of another visit is not this one's, wherever its images are.
func TestMaskOfASiblingIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01", "V1", "dicom"), phantom.Options{})
	labels := filepath.Join(dir, "studies", "S01", "V1", "dicom", "labels.nii.gz")
	for _, c := range []struct {
		folder string
		used   bool
	}{
		{"V2", false}, {"V1/dicom", true}, {"V1", true}, {"V1/segmentations/reader1", true}, {".", true},
	} {
		target := filepath.Join(dir, "studies", "S01", filepath.FromSlash(c.folder), "labels.nii.gz")
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(labels, target); err != nil {
			t.Fatal(err)
		}
		labels = target
		s := settings(t, dir)
		s.Out = t.TempDir()
		if out := run(t, s); (len(out.Results) == 1) != c.used {
			t.Errorf("mask in %s: %+v", c.folder, out)
		}
	}
}

// A study that is a link to a folder elsewhere brings its mask.
func TestStudyBehindALink(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "store", "a"), phantom.Options{})
	if err := os.Mkdir(filepath.Join(dir, "studies"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "store", "a"), filepath.Join(dir, "studies", "S01")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if out := run(t, settings(t, dir)); len(out.Results) != 1 {
		t.Errorf("%+v", out.Failures)
	}
}

// Results among the studies, or in the searched folder itself, hide no mask.
func TestOutAboveTheStudies(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	knee(t, filepath.Join(dir, "studies", "S02"), phantom.Options{Subject: "S02"})
	for _, out := range []string{filepath.Join(dir, "studies"), dir, filepath.Join(dir, "studies", "results")} {
		s := settings(t, dir)
		s.Out = out
		for range 2 {
			if got := run(t, s); len(got.Results) != 2 || len(got.Failures) != 0 {
				t.Fatalf("out %s: %+v", out, got)
			}
		}
		for _, subject := range []string{"S01", "S02"} {
			if err := os.RemoveAll(filepath.Join(out, subject, "baseline")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What inspect says is what run does.
func TestInspectSaysWhatRunDoes(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(dir string, k *phantom.Study)
	}{
		{"sound", func(string, *phantom.Study) {}},
		{"another grid", func(dir string, k *phantom.Study) {
			g := k.Labels.Geometry
			g.Affine[0][3] += 2 // which is taken, with a warning
			writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(v int) uint8 { return uint8(k.Labels.Data[v]) })
		}},
		{"elsewhere", func(dir string, k *phantom.Study) {
			g := k.Labels.Geometry
			g.Affine[0][3] += 200
			writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(int) uint8 { return 1 })
		}},
		{"unknown label", func(dir string, k *phantom.Study) {
			writeMask(t, filepath.Join(dir, "labels.nii.gz"), k.Labels.Geometry, func(int) uint8 { return 77 })
		}},
		{"not an image", func(dir string, _ *phantom.Study) {
			if err := os.WriteFile(filepath.Join(dir, "labels.nii.gz"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		dir := t.TempDir()
		c.spoil(filepath.Join(dir, "studies", "S01"), knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{}))
		in, err := Inspect(context.Background(), settings(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		out := run(t, settings(t, dir))
		used := c.name == "sound" || c.name == "another grid"
		if (in.Studies[0].Action == "fail") != (len(out.Failures) == 1) || used != (len(out.Results) == 1) {
			t.Errorf("%s: inspect %+v, run %+v", c.name, in.Studies[0], out)
		}
		if !used {
			continue
		}
		warned := slices.ContainsFunc(out.Results[0].Warnings, func(w string) bool {
			return strings.HasPrefix(w, "the grid of the mask has the size and spacing of the series but lies up to "+
				"2.00 mm away")
		})
		if warned != (c.name == "another grid") || !slices.Equal(in.Studies[0].Warnings, out.Results[0].Warnings) {
			t.Errorf("%s: inspect warns of %q, run of %q", c.name, in.Studies[0].Warnings, out.Results[0].Warnings)
		}
	}
}

// A compartment without voxels is a row that says so.
func TestEmptyCompartment(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	k := knee(t, study, phantom.Options{})
	writeMask(t, filepath.Join(study, "labels.nii.gz"), k.Labels.Geometry,
		func(v int) uint8 { return uint8(k.Labels.Data[v] % 2) })
	r := run(t, settings(t, dir)).Results[0]
	if len(r.Compartments) != 3 || r.Compartments[1].Voxels != 0 || r.Compartments[1].Note == "" ||
		!math.IsNaN(float64(r.Compartments[1].MeanT2)) {
		t.Errorf("%+v", r.Compartments)
	}
}
