package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// Every way in which a study can be bad fails that study alone, with a reason and
// a way out, and leaves nothing of it in the results.
func TestBadStudyHarmsNoOther(t *testing.T) {
	for _, c := range []struct {
		code       report.Reason
		name, want string
		hint       bool
		spoil      func(t *testing.T, dir string, k *phantom.Study)
		set        func(*Settings)
	}{
		{report.ReasonMissingImages,
			"an echo missing at a slice", "echo time 10 ms is missing at slice", true, func(t *testing.T, dir string,
				_ *phantom.Study) {
				remove(t, first(t, dir))
			}, nil},
		{report.ReasonDamaged,
			"a truncated file", "IM_0001.dcm: the file ends before its pixel data do", true, func(t *testing.T, dir string,
				_ *phantom.Study) {
				data, err := os.ReadFile(first(t, dir))
				if err == nil {
					err = os.WriteFile(first(t, dir), data[:len(data)-100], 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			}, nil},
		{report.ReasonMissingImages,
			"an unreadable file", "IM_0001.dcm: cannot be read", true, func(t *testing.T, dir string, _ *phantom.Study) {
				remove(t, first(t, dir))
				if err := os.Symlink(filepath.Base(first(t, dir)), first(t, dir)); err != nil {
					t.Skip("no symbolic links here: ", err)
				}
			}, nil},
		{report.ReasonMissingImages,
			"a link to nothing", "its folder contains bad/IM_0001.dcm: is a dangling link", true, func(t *testing.T,
				dir string, _ *phantom.Study) {
				remove(t, first(t, dir))
				if err := os.Symlink("nowhere", first(t, dir)); err != nil {
					t.Skip("no symbolic links here: ", err)
				}
			}, nil},
		{report.ReasonNoMask,
			"no mask", "mask: none found (looked for *label*, *mask* and *seg* with .nii, .nii.gz, .nrrd, .nhdr, .mha " +
				"or .mhd, and a DICOM SEG or RTSTRUCT of the " +
				"study)", true, func(t *testing.T, dir string, _ *phantom.Study) {
				remove(t, filepath.Join(dir, "labels.nii.gz"))
			}, nil},
		{report.ReasonMask,
			"two masks", "mask: 2 candidates: labels.nii.gz, my_seg.nii.gz", true, func(t *testing.T, dir string,
				k *phantom.Study) {
				writeMask(t, filepath.Join(dir, "my_seg.nii.gz"), k.Labels.Geometry, func(int) uint8 { return 1 })
			}, nil},
		{report.ReasonMask,
			"a mask that is none", "mask: bad/labels.nii.gz: ", false, func(t *testing.T, dir string, _ *phantom.Study) {
				if err := os.WriteFile(filepath.Join(dir, "labels.nii.gz"), []byte("not an image"), 0o644); err != nil {
					t.Fatal(err)
				}
			}, nil},
		{report.ReasonMask,
			"a mask beside the series", "mask: bad/labels.nii.gz: mask lies outside the series: its nearest voxel is " +
				"68.8 mm from the field of view", true, func(t *testing.T, dir string, k *phantom.Study) {
				g := k.Labels.Geometry
				g.Affine[1][3] += 200 // the field of view has 132 mm
				writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(int) uint8 { return 1 })
			}, nil},
		{report.ReasonMask,
			"a mask half outside", "too little of the mask lies in the field of view of the series (50 % needed): " +
				"medial 32 %, the rest up to 42.5 mm outside", true, func(t *testing.T, dir string, k *phantom.Study) {
				g := k.Labels.Geometry
				g.Affine[0][3] += 48 // four of six slices
				writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(int) uint8 { return 1 })
			}, nil},
		{report.ReasonMask, "an unknown label", "9", true, func(t *testing.T, dir string, k *phantom.Study) {
			writeMask(t, filepath.Join(dir, "labels.nii.gz"), k.Labels.Geometry,
				func(v int) uint8 { return uint8(v%2) * 9 })
		}, nil},
		{report.ReasonSeriesChoice,
			"two trains", "2 multi-echo series", true, func(t *testing.T, dir string, k *phantom.Study) {
				secondTrain(t, dir)
			}, nil},
		{report.ReasonSetting,
			"fewer than three echoes after skipping", "fit: 7 echoes less 5 skipped leave 2", false, func(*testing.T,
				string, *phantom.Study) {
			},
			func(s *Settings) { s.Protocol.Fit.SkipEchoes = 5 }},
		{report.ReasonSide,
			"a knee of the other side", "no multi-echo series fits side L; there are number 1", true, func(t *testing.T,
				dir string, _ *phantom.Study) {
				text := "folder,subject,side\n" + filepath.ToSlash(dir) + ",bad,L\n"
				if err := os.WriteFile(filepath.Join(dir, "..", "..", "sides.csv"), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}, func(s *Settings) { s.Manifest = filepath.Join(s.Roots[0], "..", "sides.csv") }},
		{report.ReasonMissingImages,
			"a series rule that fits none", "has 7 echo times, 10, 20, 30, 40, 50, 60, 70 ms, and the protocol asks for 9",
			true, func(*testing.T, string, *phantom.Study) {},
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
			out.Failures = slices.DeleteFunc(out.Failures, func(f report.Failure) bool {
				return f.Folder == "" &&
					len(out.Damaged) == 1
			})
			if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, c.want) ||
				out.Failures[0].Folder != "bad" {
				t.Fatalf("failures %+v, want …%s…", out.Failures, c.want)
			}
			if got := out.Failures[0].Code; got != c.code {
				t.Errorf("code %s, want %s", got, c.code)
			}
			if c.hint && out.Failures[0].Hint == "" {
				t.Errorf("%q has no hint", out.Failures[0].Reason)
			}
			if !alone && (len(out.Results) != 1 || out.Results[0].Subject != "good") {
				t.Errorf("results %+v, want the good study", out.Results)
			}
			if _, err := os.Stat(filepath.Join(s.Out, "bad")); err == nil &&
				len(leftovers(t, filepath.Join(s.Out, "bad"))) > 0 {
				t.Errorf("left behind: %v", leftovers(t, filepath.Join(s.Out, "bad")))
			}
			table, err := os.ReadFile(filepath.Join(s.Out, "studies.csv"))
			if err != nil || !strings.Contains(string(table), "failed") || !strings.Contains(log.String(),
				"study=bad") {
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
	if out := run(t, settings(t, dir)); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason,
		"42 damaged files, the first: ") {
		t.Errorf("%+v", out.Failures)
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
		{"an unknown name, or a name twice", func(s *Settings) { s.Layout = "{subject}/{subject}" }},
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
		if _, err := Run(context.Background(), s); err == nil || !strings.Contains(err.Error(), "output folder") ||
			hint.Find(err) == "" {
			t.Errorf("%v, hint %q", err, hint.Find(err))
		}
	})
	t.Run("read-only", func(t *testing.T) {
		s := s
		s.Out = mount(t, "ro")
		if _, err := Run(context.Background(), s); err == nil || !strings.Contains(err.Error(), "output folder") ||
			hint.Find(err) == "" {
			t.Errorf("%v, hint %q", err, hint.Find(err))
		}
	})
	t.Run("full", func(t *testing.T) {
		s := s
		s.Out = mount(t, "size=32k")
		out, err := runAll(context.Background(), s)
		var full *DiskFullError
		if len(out.NotDone) != 1 || !errors.As(err, &full) || !strings.Contains(err.Error(), "no space left") ||
			len(out.Results)+len(out.Failures) != 0 {
			t.Errorf("%+v, %v", out, err)
		}
		tables := []string{lockFile, "studies.csv", "compartments.csv", "qc.csv", "studies.parquet", "compartments.parquet",
			"qc.parquet", "index.html", "failures.html"}
		for name := range tree(t, s.Out) {
			if !slices.Contains(tables, name) && !strings.HasPrefix(name, "page/") { // files of the page
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
		knee(t, filepath.Join(dir, "studies", fmt.Sprintf("S%02d", n)), phantom.Options{Subject: fmt.Sprintf("S%02d",
			n), Seed: uint64(n)})
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := settings(t, dir)
	s.Progress = func(stage Stage, done, _ int) {
		if stage == StageStudies && done == 2 {
			cancel()
		}
	}
	out, err := runAll(ctx, s)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(out.Results) < 2 || len(out.Results)+len(out.NotDone) != 6 || len(out.NotDone) == 0 ||
		len(out.Failures) != 0 {
		t.Fatalf("%d results, %d not done, %d failures", len(out.Results), len(out.NotDone), len(out.Failures))
	}
	if table, err := os.ReadFile(filepath.Join(s.Out, "studies.csv")); err != nil || strings.Count(string(table),
		",not done,not-done,not done: the run was interrupted,") != len(out.NotDone) {
		t.Errorf("%v\n%s", err, table)
	}
	for _, f := range out.NotDone {
		if f.Reason != errInterrupted.Error() || f.Code != report.ReasonNotDone {
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
