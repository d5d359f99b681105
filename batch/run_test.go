package batch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/table"
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

// settings returns settings for the studies under dir/studies, results going to
// dir/results.
func settings(t testing.TB, dir string) Settings {
	return Settings{Roots: []string{filepath.Join(dir, "studies")}, Out: filepath.Join(dir, "results"), Protocol: Protocol{Scheme: compartmentsScheme(t)}}
}

func run(t testing.TB, s Settings) Outcome {
	t.Helper()
	out, err := Run(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tree returns the hash of every file below dir by its path.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
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
			if r.Protocol.Method != string(method) || r.Protocol.EchoFloor != floor || (r.Protocol.EPG != nil) != (method == t2fit.EPG) {
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
					t.Errorf("%s, floor %g: %s has %.2f ± %.3f ms, want %.2f", method, floor, c.Compartment, c.MeanT2, c.SEMeanT2, want)
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
	for _, name := range []string{"compartments.csv", "studies.csv", "index.html", "S01/baseline/t2.nii.gz", "S01/baseline/result.json", "S02/month12/overlay.png"} {
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
	for _, maps := range []Maps{MapsFull, MapsMask, MapsNone} {
		s := settings(t, dir)
		s.Protocol.Maps, s.Out = maps, filepath.Join(dir, string(maps))
		r := run(t, s).Results[0]
		if maps == MapsFull {
			full = r.Compartments
		} else if diff := cmp.Diff(full, r.Compartments); diff != "" {
			t.Errorf("%s: %s", maps, diff)
		}
		f, err := os.Open(filepath.Join(r.Dir, "t2.nii.gz"))
		if (err == nil) != (maps != MapsNone) {
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
		if inMask := full[0].Used + full[1].Used + full[2].Used; (maps == MapsMask) != (mapped <= inMask+full[0].Excluded.OutOfRange+full[1].Excluded.OutOfRange+full[2].Excluded.OutOfRange) {
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

// Every way in which a study can be bad fails that study alone, with a reason and
// a way out, and leaves nothing of it in the results.
func TestBadStudyHarmsNoOther(t *testing.T) {
	for _, c := range []struct {
		name, want string
		hint       bool
		spoil      func(t *testing.T, dir string, k *phantom.Study)
		set        func(*Settings)
	}{
		{"an echo missing at a slice", "echo time 10 ms is missing at slice", true, func(t *testing.T, dir string, _ *phantom.Study) {
			remove(t, first(t, dir))
		}, nil},
		{"a truncated file", "IM_0001.dcm: the file ends before its pixel data do", true, func(t *testing.T, dir string, _ *phantom.Study) {
			data, err := os.ReadFile(first(t, dir))
			if err == nil {
				err = os.WriteFile(first(t, dir), data[:len(data)-100], 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"an unreadable file", "IM_0001.dcm: cannot be read", true, func(t *testing.T, dir string, _ *phantom.Study) {
			remove(t, first(t, dir))
			if err := os.Symlink(filepath.Base(first(t, dir)), first(t, dir)); err != nil {
				t.Skip("no symbolic links here: ", err)
			}
		}, nil},
		{"a link to nothing", "in its folder lies bad/IM_0001.dcm: is a link that leads to nothing", true, func(t *testing.T, dir string, _ *phantom.Study) {
			remove(t, first(t, dir))
			if err := os.Symlink("nowhere", first(t, dir)); err != nil {
				t.Skip("no symbolic links here: ", err)
			}
		}, nil},
		{"no mask", "mask: none found (looked for *label*.nii*, *mask*.nii*, *seg*.nii* and a DICOM SEG or RTSTRUCT of the study)", true, func(t *testing.T, dir string, _ *phantom.Study) {
			remove(t, filepath.Join(dir, "labels.nii.gz"))
		}, nil},
		{"two masks", "mask: 2 candidates: labels.nii.gz, my_seg.nii.gz", true, func(t *testing.T, dir string, k *phantom.Study) {
			writeMask(t, filepath.Join(dir, "my_seg.nii.gz"), k.Labels.Geometry, func(int) uint8 { return 1 })
		}, nil},
		{"a mask that is none", "mask: bad/labels.nii.gz: ", false, func(t *testing.T, dir string, _ *phantom.Study) {
			if err := os.WriteFile(filepath.Join(dir, "labels.nii.gz"), []byte("not an image"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"a mask of another grid", "up to 5.00 mm apart", true, func(t *testing.T, dir string, k *phantom.Study) {
			g := k.Labels.Geometry
			g.Affine[1][3] += 5
			writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(int) uint8 { return 1 })
		}, nil},
		{"a mask of another size", "64×64×5", true, func(t *testing.T, dir string, k *phantom.Study) {
			g := k.Labels.Geometry
			g.Size[2]--
			writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(int) uint8 { return 1 })
		}, nil},
		{"an unknown label", "9", true, func(t *testing.T, dir string, k *phantom.Study) {
			writeMask(t, filepath.Join(dir, "labels.nii.gz"), k.Labels.Geometry, func(v int) uint8 { return uint8(v%2) * 9 })
		}, nil},
		{"two trains", "2 multi-echo series", true, func(t *testing.T, dir string, k *phantom.Study) {
			secondTrain(t, dir)
		}, nil},
		{"fewer than three echoes after skipping", "fit: 7 echoes less 5 skipped leave 2", false, func(*testing.T, string, *phantom.Study) {},
			func(s *Settings) { s.Protocol.Fit.SkipEchoes = 5 }},
		{"a knee of the other side", "no multi-echo series fits side L; there are number 1", true, func(t *testing.T, dir string, _ *phantom.Study) {
			text := "folder,subject,side\n" + filepath.ToSlash(dir) + ",bad,L\n"
			if err := os.WriteFile(filepath.Join(dir, "..", "..", "sides.csv"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}, func(s *Settings) { s.Manifest = filepath.Join(s.Roots[0], "..", "sides.csv") }},
		{"a series rule that fits none", "has 7 echo times, 10, 20, 30, 40, 50, 60, 70 ms, and the protocol asks for 9", true, func(*testing.T, string, *phantom.Study) {},
			func(s *Settings) { s.Protocol.Series.Echoes = 9 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			bad := filepath.Join(dir, "studies", "bad")
			k := knee(t, bad, phantom.Options{Subject: "bad"})
			alone := c.set != nil // a setting that spoils every study
			if !alone {
				knee(t, filepath.Join(dir, "studies", "good"), phantom.Options{Subject: "good"})
			}
			c.spoil(t, bad, k)
			s := settings(t, dir)
			if alone {
				c.set(&s)
			}
			var log bytes.Buffer
			s.Log = slog.New(slog.NewTextHandler(&log, nil))
			out := run(t, s)
			// A file that does not say whose it is stands there by itself, too.
			out.Failures = slices.DeleteFunc(out.Failures, func(f report.Failure) bool { return f.Folder == "" && len(out.Damaged) == 1 })
			if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, c.want) || out.Failures[0].Folder != "bad" {
				t.Fatalf("failures %+v, want …%s…", out.Failures, c.want)
			}
			if c.hint && out.Failures[0].Hint == "" {
				t.Errorf("%q has no hint", out.Failures[0].Reason)
			}
			if !alone && (len(out.Results) != 1 || out.Results[0].Subject != "good") {
				t.Errorf("results %+v, want the good study", out.Results)
			}
			if _, err := os.Stat(filepath.Join(s.Out, "bad")); err == nil && len(leftovers(t, filepath.Join(s.Out, "bad"))) > 0 {
				t.Errorf("left behind: %v", leftovers(t, filepath.Join(s.Out, "bad")))
			}
			table, err := os.ReadFile(filepath.Join(s.Out, "studies.csv"))
			if err != nil || !strings.Contains(string(table), "failed") || !strings.Contains(log.String(), "study=bad") {
				t.Errorf("studies.csv %s, %v; log %s", table, err, log.String())
			}
		})
	}
}

func leftovers(t testing.TB, dir string) []string {
	var out []string
	for name := range tree(t, dir) {
		out = append(out, name)
	}
	return out
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// secondTrain copies the study's images as a series of their own.
func secondTrain(t testing.TB, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "again"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		data = changeUID(t, data, []byte{0x20, 0, 0x0e, 0, 'U', 'I'})
		if err := os.WriteFile(filepath.Join(dir, "again", filepath.Base(f)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// changeUID changes the last digit of the UID element that begins so.
func changeUID(t testing.TB, data, element []byte) []byte {
	t.Helper()
	at := bytes.Index(data, element)
	if at < 0 {
		t.Fatal("no such element")
	}
	end := at + 8 + int(data[at+6])
	for data[end-1] == 0 {
		end--
	}
	data[end-1] = '0' + (data[end-1]-'0'+1)%10
	return data
}

func TestSeriesIsChosen(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	secondTrain(t, study)
	in, err := Inspect(context.Background(), settings(t, dir))
	if err != nil || len(in.Studies) != 1 || len(in.Studies[0].Series) != 2 || in.Studies[0].Action != "fail" {
		t.Fatalf("%+v, %v", in, err)
	}
	for _, series := range in.Studies[0].Series {
		s := settings(t, dir)
		s.Series = series.Series[:8]
		out := run(t, s)
		if len(out.Results) != 1 || out.Results[0].Series != series.Series {
			t.Errorf("--series %s: %+v", s.Series, out)
		}
	}
}

// otherSide says of the images of secondTrain that they are of the left knee.
func otherSide(t testing.TB, dir string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "again", "*.dcm"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		right := []byte("\x20\x00\x60\x00CS\x02\x00R ")
		if bytes.Count(data, right) != 1 {
			t.Fatal("no such element")
		}
		data = bytes.Replace(data, right, []byte("\x20\x00\x60\x00CS\x02\x00L "), 1)
		if err := os.WriteFile(f, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The two knees of a study go to folders of their own, one after the other.
func TestTwoSeriesOfAStudy(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	secondTrain(t, study)
	otherSide(t, study)
	in, err := Inspect(context.Background(), settings(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	for n, series := range in.Studies[0].Series {
		s.Series = series.Series
		out := run(t, s)
		if len(out.Results) != 1 || len(out.Earlier) != n || len(out.Failures) != 0 {
			t.Errorf("series %d: %d results, %d earlier, %v", n, len(out.Results), len(out.Earlier), out.Failures)
		}
	}
	table, err := os.ReadFile(filepath.Join(s.Out, "compartments.csv"))
	if err != nil || strings.Count(string(table), "\n") != 1+2*3 {
		t.Errorf("%v\n%s", err, table)
	}
}

func TestSeriesPatterns(t *testing.T) {
	train := dicomio.Train{Number: 123456, Hash: "abcdef012345", Description: "SAG T2/MAP [x]"}
	for text, want := range map[string]bool{
		"123456": true, "12345": false, "abcdef": true, "ABCDEF01": true, "abcde": false, "bcdef0": false,
		"*": true, "sag*map*": true, "SAG T2/MAP [x]": true, "SAG T2/MAP [y]": false, "[": false, "0": false, "S?G*": true,
	} {
		if got := (SeriesRule{anyOf: text}).matches(train); got != want {
			t.Errorf("--series %q: %t", text, got)
		}
	}
}

// A study that goes by another name now fails, and keeps its rows, unless the new name is asked for:
// then it is in the tables once, and the earlier folder is named.
func TestRenamedStudyIsInTheTablesOnce(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "X1"), phantom.Options{})
	knee(t, filepath.Join(dir, "studies", "X2"), phantom.Options{Subject: "S02"})
	s := settings(t, dir)
	run(t, s)
	before := tree(t, s.Out)["compartments.csv"]
	s.Layout, s.Roots = "{subject}", []string{filepath.Join(dir, "studies")}
	refused := run(t, s)
	const want = `identity: the study is "X1" now (from layout), and its results are there as "S01/baseline" in the folder S01/baseline`
	if len(refused.Results) != 0 || len(refused.Earlier) != 2 || len(refused.Failures) != 2 || !strings.HasPrefix(refused.Failures[0].Reason, want+"; ") || !strings.Contains(refused.Failures[0].Hint, "--rename") {
		t.Errorf("%+v", refused)
	}
	if tree(t, s.Out)["compartments.csv"] != before {
		t.Error("the rows have changed though the new name was refused")
	}
	s.Rename = true
	out := run(t, s)
	if len(out.Results) != 2 || len(out.Earlier) != 0 || len(out.Remarks) != 2 || !strings.Contains(out.Remarks[0], "S01/baseline was moved to set-aside/S01/baseline-") || !strings.Contains(out.Remarks[0], "now in X1/study") {
		t.Errorf("%d results, %d earlier, remarks %q", len(out.Results), len(out.Earlier), out.Remarks)
	}
	table, err := os.ReadFile(filepath.Join(s.Out, "compartments.csv"))
	if err != nil || strings.Count(string(table), "\n") != 1+2*3 || strings.Contains(string(table), "S01") {
		t.Errorf("%v\n%s", err, table)
	}
}

// A study that fails loses its earlier rows, whether a series had been chosen or not, and its folder is
// set aside; an interruption takes nothing.
func TestFailureDisplacesItsStudy(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(t *testing.T, s *Settings, study string)
	}{
		{"a mask that is gone", func(t *testing.T, _ *Settings, study string) { remove(t, filepath.Join(study, "labels.nii.gz")) }},
		{"an echo that is gone", func(t *testing.T, _ *Settings, study string) { remove(t, first(t, study)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			study := filepath.Join(dir, "studies", "S01")
			knee(t, study, phantom.Options{})
			knee(t, filepath.Join(dir, "studies", "S02"), phantom.Options{Subject: "S02"})
			s := settings(t, dir)
			run(t, s)
			ctx, cancel := context.WithCancel(context.Background())
			interrupted := s
			interrupted.Progress = func(stage Stage, _, _ int) {
				if stage == StageStudies {
					cancel()
				}
			}
			out, err := Run(ctx, interrupted)
			if !errors.Is(err, context.Canceled) || len(out.NotDone) == 0 || len(out.Failures) != 0 || tableRows(t, s.Out) != 6 {
				t.Errorf("interrupted: %+v, %v, %d rows", out, err, tableRows(t, s.Out))
			}
			s.Roots = []string{study}
			c.fail(t, &s, study)
			out = run(t, s)
			if len(out.Failures) != 1 || len(out.Earlier) != 1 || out.Earlier[0].Subject != "S02" || len(out.Remarks) != 1 || tableRows(t, s.Out) != 3 {
				t.Errorf("%+v, %d rows", out, tableRows(t, s.Out))
			}
			aside, _ := filepath.Glob(filepath.Join(s.Out, asideFolder, "S01", "*", report.ResultFile))
			if len(aside) != 1 {
				t.Errorf("set aside: %v", aside)
			}
			if _, err := os.Stat(filepath.Join(s.Out, "S01")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("its folder: %v", err)
			}
		})
	}
}

// tableRows counts the rows of compartments.csv.
func tableRows(t testing.TB, out string) int {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(out, "compartments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(table), "\n") - 1
}

// A second series of the same knee takes the place of the first in the tables.
func TestSecondSeriesReplacesTheFirst(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	secondTrain(t, study)
	s := settings(t, dir)
	in, err := Inspect(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for n, series := range in.Studies[0].Series {
		s.Series = series.Series
		out := run(t, s)
		if len(out.Results) != 1 || len(out.Earlier) != 0 || len(out.Remarks) != n || tableRows(t, s.Out) != 3 {
			t.Errorf("series %d: %+v, %d rows", n, out, tableRows(t, s.Out))
		}
	}
}

// Files damaged so that no study can be told are one failure, not one each.
func TestDamagedFilesOfNoStudy(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	files, err := filepath.Glob(filepath.Join(study, "*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, data[:len(data)-50], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out := run(t, settings(t, dir)); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "42 damaged files, the first: ") {
		t.Errorf("%+v", out.Failures)
	}
}

// A result that cannot be read is said, not forgotten.
func TestUnreadableResult(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	s := settings(t, dir)
	broken := filepath.Join(s.Out, "S00", "v1")
	if err := os.MkdirAll(broken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, report.ResultFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := run(t, s)
	if len(out.Results) != 1 || len(out.Failures) != 1 || out.Failures[0].Folder != "S00/v1" || !strings.Contains(out.Failures[0].Reason, "cannot be read") {
		t.Errorf("%+v", out)
	}
}

// The mask of another visit is not this one's, wherever its images are.
func TestMaskOfASiblingIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01", "V1", "dicom"), phantom.Options{})
	labels := filepath.Join(dir, "studies", "S01", "V1", "dicom", "labels.nii.gz")
	for _, c := range []struct {
		folder string
		taken  bool
	}{
		{"V2", false}, {"V1/dicom", true}, {"V1", true}, {"V1/segmentations/reader1", true}, {".", true},
	} {
		to := filepath.Join(dir, "studies", "S01", filepath.FromSlash(c.folder), "labels.nii.gz")
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(labels, to); err != nil {
			t.Fatal(err)
		}
		labels = to
		s := settings(t, dir)
		s.Out = t.TempDir()
		if out := run(t, s); (len(out.Results) == 1) != c.taken {
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
			g.Affine[0][3] += 2
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
		if (in.Studies[0].Action == "fail") != (len(out.Failures) == 1) || (c.name == "sound") != (len(out.Results) == 1) {
			t.Errorf("%s: inspect %+v, run %+v", c.name, in.Studies[0], out)
		}
	}
}

// A compartment without voxels is a row that says so.
func TestEmptyCompartment(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	k := knee(t, study, phantom.Options{})
	writeMask(t, filepath.Join(study, "labels.nii.gz"), k.Labels.Geometry, func(v int) uint8 { return uint8(k.Labels.Data[v] % 2) })
	r := run(t, settings(t, dir)).Results[0]
	if len(r.Compartments) != 3 || r.Compartments[1].Voxels != 0 || r.Compartments[1].Note == "" || !math.IsNaN(float64(r.Compartments[1].MeanT2)) {
		t.Errorf("%+v", r.Compartments)
	}
}

func TestNothingFound(t *testing.T) {
	dir := t.TempDir()
	s := settings(t, dir)
	if err := os.MkdirAll(s.Roots[0], 0o755); err != nil {
		t.Fatal(err)
	}
	var none *NothingFoundError
	if _, err := Run(context.Background(), s); !errors.As(err, &none) || none.Files != 0 {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.Roots[0], "scan.dcm"), []byte("a text file named .dcm"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), s); !errors.As(err, &none) || none.Passed.NotDICOM != 1 {
		t.Errorf("a text file: %v", err)
	}
	s.Roots[0] = filepath.Join(dir, "nowhere")
	if _, err := Run(context.Background(), s); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	for _, c := range []struct {
		want string
		set  func(*Settings)
	}{
		{"no label scheme is given", func(s *Settings) { s.Protocol.Scheme = segment.Scheme{} }},
		{"method", func(s *Settings) { s.Protocol.Fit.Method = "magic" }},
		{"maps", func(s *Settings) { s.Protocol.Maps = "some" }},
		{"has no {subject}", func(s *Settings) { s.Layout = "{visit}" }},
		{"unknown or there twice", func(s *Settings) { s.Layout = "{subject}/{subject}" }},
		{"negative", func(s *Settings) { s.MemoryMB = -5 }},
		{"is not UTF-8", func(s *Settings) { s.Series = "\xff" }},
		{"is not UTF-8", func(s *Settings) { s.Layout = "{subject}/\xff" }},
		{"negative", func(s *Settings) { s.Workers = -1 }},
		{"mask pattern", func(s *Settings) { s.Mask = "[" }},
		{"manifest", func(s *Settings) { s.Manifest = filepath.Join(dir, "nowhere.csv") }},
	} {
		s := settings(t, dir)
		c.set(&s)
		if _, err := Run(context.Background(), s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want …%s…", err, c.want)
		}
	}
}

func TestOutputFolderThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	s := settings(t, dir)

	t.Run("below a file", func(t *testing.T) {
		s := s
		file := filepath.Join(dir, "file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		s.Out = filepath.Join(file, "results")
		if _, err := Run(context.Background(), s); err == nil || !strings.Contains(err.Error(), "output folder") || Hint(err) == "" {
			t.Errorf("%v, hint %q", err, Hint(err))
		}
	})
	t.Run("read-only", func(t *testing.T) {
		s := s
		s.Out = mount(t, "ro")
		if _, err := Run(context.Background(), s); err == nil || !strings.Contains(err.Error(), "output folder") || Hint(err) == "" {
			t.Errorf("%v, hint %q", err, Hint(err))
		}
	})
	t.Run("full", func(t *testing.T) {
		s := s
		s.Out = mount(t, "size=32k")
		out, err := Run(context.Background(), s)
		var full *DiskFullError
		if len(out.NotDone) != 1 || !errors.As(err, &full) || !strings.Contains(err.Error(), "no space left") || len(out.Results)+len(out.Failures) != 0 {
			t.Errorf("%+v, %v", out, err)
		}
		for name := range tree(t, s.Out) {
			if name != lockFile && name != "studies.csv" && name != "compartments.csv" && name != "index.html" {
				t.Errorf("left behind: %s", name)
			}
		}
	})
}

// mount makes a small file system with the options, or skips where that is not
// allowed.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if text, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v %s", err, text)
	}
	t.Cleanup(func() {
		if text, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, text)
		}
	})
	return dir
}

// After an interruption the finished studies are complete and the others absent.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	for n := range 6 {
		knee(t, filepath.Join(dir, "studies", fmt.Sprintf("S%02d", n)), phantom.Options{Subject: fmt.Sprintf("S%02d", n), Seed: uint64(n)})
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := settings(t, dir)
	s.Progress = func(stage Stage, done, _ int) {
		if stage == StageStudies && done == 2 {
			cancel()
		}
	}
	out, err := Run(ctx, s)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(out.Results) < 2 || len(out.Results)+len(out.NotDone) != 6 || len(out.NotDone) == 0 || len(out.Failures) != 0 {
		t.Fatalf("%d results, %d not done, %d failures", len(out.Results), len(out.NotDone), len(out.Failures))
	}
	if table, err := os.ReadFile(filepath.Join(s.Out, "studies.csv")); err != nil || strings.Count(string(table), ",not done,not done: the run was interrupted,") != len(out.NotDone) {
		t.Errorf("%v\n%s", err, table)
	}
	for _, f := range out.NotDone {
		if f.Reason != errInterrupted.Error() {
			t.Errorf("%s: %s", f.Folder, f.Reason)
		}
	}
	done := 0
	for name := range tree(t, s.Out) {
		if filepath.Base(name) == report.ResultFile {
			done++
		}
		if strings.Contains(name, ".tmp") || strings.Contains(name, "/.") {
			t.Errorf("left behind: %s", name)
		}
	}
	if done != len(out.Results) {
		t.Errorf("%d complete folders, %d results", done, len(out.Results))
	}
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "site7", "P-1", "v0", "dicom"), phantom.Options{Subject: "S01", Visit: "baseline"})
	s := settings(t, dir)
	manifest := filepath.Join(dir, "manifest.csv")
	for _, c := range []struct {
		name, layout, manifest string
		subject, visit, want   string
	}{
		{name: "clinical-trial attributes", subject: "S01", visit: "baseline"},
		{name: "layout", layout: "*/{subject}/{visit}", subject: "P-1", visit: "v0"},
		{name: "layout with text", layout: "site7/P-{subject}/v{visit}", subject: "1", visit: "0"},
		{name: "layout that does not match", layout: "site8/{subject}/{visit}", want: "does not match the layout"},
		{name: "layout that splits in two ways", layout: "{subject}{visit}", want: "can be split in several ways"},
		{name: "layout with the last folder", layout: "*/{subject}/{visit}/dicom", subject: "P-1", visit: "v0"},
		{name: "manifest", manifest: "\ufefffolder,subject,visit\nstudies/site7/P-1,X1,week 4\n", subject: "X1", visit: "week 4"},
		{name: "manifest, deepest row", manifest: "folder,subject\nstudies,X\nstudies/site7/P-1/v0,Y\n", subject: "Y", want: "no MR study in its folder, studies"},
		{name: "manifest without the study", manifest: "folder,subject\nstudies/other,X\n", want: "manifest manifest.csv: line 2: no MR study in its folder, studies/other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s
			s.Out = t.TempDir()
			s.Layout = c.layout
			if c.manifest != "" {
				if err := os.WriteFile(manifest, []byte(c.manifest), 0o644); err != nil {
					t.Fatal(err)
				}
				s.Manifest = manifest
			}
			out := run(t, s)
			if c.want != "" && !slices.ContainsFunc(out.Failures, func(f report.Failure) bool { return strings.Contains(f.Reason, c.want) && f.Hint != "" }) {
				t.Errorf("failures %+v, want …%s…", out.Failures, c.want)
			}
			if c.subject != "" && (len(out.Results) != 1 || out.Results[0].Subject != c.subject || out.Results[0].Visit != c.visit) {
				t.Errorf("%+v, want subject %q, visit %q", out.Results, c.subject, c.visit)
			}
		})
	}
}

func TestSidesOfManifest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.csv")
	for text, want := range map[string]string{"L": "L", "r": "R", "left": "L", "Right": "R", "": ""} {
		if err := os.WriteFile(path, []byte("folder,subject,side\na,S01,"+text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := readManifest(path, table.Format{})
		if err != nil || m.rows[0].Side != want {
			t.Errorf("%q: %+v, %v; want %s", text, m, err, want)
		}
	}
}

func TestManifestIsChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.csv")
	for _, c := range []struct{ text, want string }{
		{"", "the table is empty"},
		{"folder,subject,subject\na,S01,S02\n", `column "subject" is there twice`},
		{"folder,subject,colour\n", `column "colour" is not known`},
		{"folder,subject\n,S01\n", "line 2 has no folder or no subject"},
		{"folder,subject,side\na,S01,both\n", "is not L, R, left or right"},
		{"folder,subject\na,S01,more\n", "line 2 has 3 cells, the first row names 2"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readManifest(path, table.Format{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want …%s…", c.text, err, c.want)
		}
	}
}

// A manifest's mask is taken whatever it is called, and its side where the images
// have none.
func TestManifestMask(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	knee(t, study, phantom.Options{})
	if err := os.Rename(filepath.Join(study, "labels.nii.gz"), filepath.Join(study, "reader2.nii.gz")); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	if err := os.WriteFile(s.Manifest, []byte("folder,subject,mask\nstudies/a,S9,reader2.nii.gz\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := run(t, s)
	if len(out.Results) != 1 || out.Results[0].Inputs[len(out.Results[0].Inputs)-1].Path != "a/reader2.nii.gz" {
		t.Errorf("%+v", out)
	}
}

// Two studies of one subject and visit do not overwrite each other.
func TestSameSubjectAndVisit(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "a"), phantom.Options{Subject: "S01"})
	knee(t, filepath.Join(dir, "studies", "b"), phantom.Options{Subject: "S02"})
	s := settings(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	writeText(t, s.Manifest, "folder,subject,visit\nstudies/a,S01,v1\nstudies/b,S01,v1\n")
	out := run(t, s)
	if len(out.Results) != 2 || strings.EqualFold(out.Results[0].Dir, out.Results[1].Dir) {
		t.Errorf("%+v", out)
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderName(t *testing.T) {
	for in, want := range map[string]string{
		"S01": "S01", "Größe 7": "Größe_7", "../../etc": "_.._.._etc", "a/b\\c": "a_b_c", "CON": "_CON", "nul.txt": "_nul.txt",
		"compartments.csv": "_compartments.csv", "Index.html": "_Index.html", "": "_", ".hidden": "_.hidden", "dots...": "dots", "a\x00b": "a_b", "=cmd|' /C": "_cmd___C", strings.Repeat("x", 99): strings.Repeat("x", 64),
	} {
		got := folderName(in)
		if in == "../../etc" {
			if strings.ContainsAny(got, `/\`) || strings.HasPrefix(got, ".") {
				t.Errorf("%q becomes %q", in, got)
			}
			continue
		}
		if in == "=cmd|' /C" {
			if strings.ContainsAny(got, `/\|'= `) {
				t.Errorf("%q becomes %q", in, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// The protocol in the README is one that can be read.
func TestProtocolOfTheReadme(t *testing.T) {
	p, err := ReadProtocol(filepath.Join("..", "testdata", "protocol.yaml"))
	if err != nil || p.Name != "TRIAL-7" || p.Scheme.Name != "oai-zib" || p.Series.Echoes != 7 {
		t.Errorf("%+v, %v", p, err)
	}
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("..", "testdata", "protocol.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, body, _ := strings.Cut(string(text), "\n"); !strings.Contains(string(readme), body) {
		t.Error("the README shows another protocol than testdata/protocol.yaml")
	}
}

func TestReadProtocol(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("labels.yaml", "name: ours\nlabels: {7: medial}\n")
	p, err := ReadProtocol(write("p.yaml", "name: TRIAL-1\nmethod: epg\nskip_echoes: 0\nt2_range_ms: [5, 90]\nmin_r2: 0.8\nsigma: 12.5\necho_floor: 3\nt1_ms: 1100\nb1_range: [0.5, 1.1]\nrefocusing_profile: [1, 0.9]\nscheme: labels.yaml\nmaps: mask\nseries: {description: 'SAG T2*', echoes: 7}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := t2fit.Options{
		Method: t2fit.EPG, SkipEchoes: t2fit.NoSkip, T2Range: [2]float64{5, 90}, MinR2: 0.8,
		Sigma: 12.5, EchoFloor: 3, T1: 1100, B1Range: [2]float64{0.5, 1.1}, RefocusingProfile: []float64{1, 0.9},
	}
	if p.Name != "TRIAL-1" || !reflect.DeepEqual(p.Fit, want) || p.Scheme.Name != "ours" || p.Maps != MapsMask || p.Series != (SeriesRule{Description: "SAG T2*", Echoes: 7}) {
		t.Errorf("%+v", p)
	}
	for _, c := range []struct{ text, want string }{
		{"methud: nlls\n", "methud"},
		{"method: magic\n", "magic"},
		{"t2_range_ms: [1]\n", "1 numbers"},
		{"t2_range_ms: [0, 0]\n", "is empty"},
		{"skip_echoes: -1\n", "negative"},
		{"sigma: loud\n", "neither"},
		{"sigma: -1\n", "neither"},
		{"b1_range: [0.4]\n", "1 numbers"},
		{"method: epg\nskip_echoes: 1\n", "needs all"},
		{"scheme: nowhere.yaml\n", "nowhere.yaml"},
		{"scheme: madeup\n", "madeup"},
		{"series: {side: both}\n", "side"},
		{"name: [\n", "protocol"},
		{"", "holds no settings"},
		{"# nothing yet\n", "holds no settings"},
		{"---\n{}\n", "holds no settings"},
		{"\xff\xfen\x00a\x00m\x00e\x00:\x00 \x00x\x00", "not UTF-8"},
		{"name: x\ncolour: red\n", `bad.yaml: line 2: unknown key "colour"`},
	} {
		if _, err := ReadProtocol(write("bad.yaml", c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want …%s…", c.text, err, c.want)
		}
	}
}
