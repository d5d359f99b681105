package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/phantom"
)

// TestMain lets a test run this binary as t2map itself.
func TestMain(m *testing.M) {
	if os.Getenv("T2MAP_AS_COMMAND") != "" {
		if file := os.Getenv("T2MAP_PEAK"); file != "" {
			code := execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)
			notePeak(file)
			os.Exit(code)
		}
		main()
	}
	os.Exit(m.Run())
}

// call runs a command line and returns its exit status and output.
func call(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// studies writes n small studies and returns their folder.
func studies(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "studies")
	for i := range n {
		s, err := phantom.New(context.Background(), phantom.Options{Subject: "S" + string(rune('A'+i)), Matrix: 64,
			Slices: 6, Seed: uint64(i)})
		if err == nil {
			err = s.Write(context.Background(), filepath.Join(dir, s.Options.Subject))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExitStatus(t *testing.T) {
	dir := studies(t, 1)
	out := filepath.Join(t.TempDir(), "results")
	empty := t.TempDir()
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string // on stderr
	}{
		{"done", []string{"run", dir, "--out", out, "--scheme", "compartments"}, exitOK,
			[]string{"mapping studies: 1 of 1"}},
		{"quiet", []string{"run", dir, "--out", out, "--scheme", "compartments", "--quiet"}, exitOK, nil},
		{"other settings", []string{"run", dir, "--out", out, "--scheme", "compartments", "--skip-echoes", "6"},
			exitUsage, []string{"1 result made with other settings: skipped echoes 1, now 6",
				"hint: choose another folder with --out, or add --replace"}},
		{"failed", []string{"run", dir, "--out", out, "--scheme", "compartments", "--skip-echoes", "6", "--replace"},
			exitFailed, []string{"study SA: fit: 7 echoes less 6 skipped", "1 study failed", "superseded/SA/baseline-"}},
		{"tables", []string{"tables", out}, exitOK, nil},
		{"tables of nothing", []string{"tables", empty}, exitUsage, []string{"holds no results", "hint: "}},
		{"tables nowhere", []string{"tables", filepath.Join(empty, "x")}, exitUsage, []string{"results: "}},
		{"nothing", []string{"run", empty, "--out", out, "--scheme", "compartments"}, exitNothing,
			[]string{"no MR study found in 0 files", "hint: name the folder that holds the studies"}},
		{"no folder", []string{"run", filepath.Join(empty, "x"), "--out", out, "--scheme", "compartments"}, exitUsage,
			[]string{"x"}},
		{"no arguments", []string{"run"}, exitUsage, []string{"hint: t2map run --help"}},
		{"no out", []string{"run", dir, "--scheme", "compartments"}, exitUsage, []string{"--out is missing"}},
		{"no scheme", []string{"run", dir, "--out", out}, exitUsage,
			[]string{"no label scheme", "hint: name it with --scheme"}},
		{"unknown scheme", []string{"run", dir, "--out", out, "--scheme", "knees"}, exitUsage,
			[]string{"knees", "oai-zib"}},
		{"unknown flag", []string{"run", dir, "--ouch"}, exitUsage, []string{"--ouch", "hint: t2map run --help"}},
		{"unknown command", []string{"walk"}, exitUsage, []string{"walk"}},
		{"bad range", []string{"run", dir, "--out", out, "--scheme", "compartments", "--t2-range", "80"}, exitUsage,
			[]string{"--t2-range"}},
		{"bad method", []string{"run", dir, "--out", out, "--scheme", "compartments", "--method", "magic"}, exitUsage,
			[]string{"magic", "nlls"}},
		{"bad mask threshold", []string{"run", dir, "--out", out, "--scheme", "compartments", "--mask-threshold",
			"0"}, exitUsage, []string{"--mask-threshold: mask threshold 0 is not above 0"}},
		{"bad Philips scaling", []string{"run", dir, "--out", out, "--scheme", "compartments", "--philips-scaling",
			"xx"}, exitUsage, []string{`--philips-scaling: "xx" is neither dv`}},
		{"foreign masks allowed", []string{"inspect", dir, "--allow-foreign-mask"}, exitOK, nil},
		{"inspect", []string{"inspect", dir}, exitOK, nil},
		{"inspect what fails", []string{"inspect", dir, "--mask", "none.nii"}, exitFailed,
			[]string{"run would fail on 1 study"}},
		{"help", []string{"run", "--help"}, exitOK, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := call(c.args...)
			if code != c.code {
				t.Errorf("exit status %d, want %d\n%s%s", code, c.code, stdout, stderr)
			}
			for _, w := range c.want {
				if !strings.Contains(stderr, w) {
					t.Errorf("stderr %q, want …%s…", stderr, w)
				}
			}
			if c.name == "quiet" && stdout+stderr != "" {
				t.Errorf("--quiet says %q %q", stdout, stderr)
			}
		})
	}
}

func TestRunPrintsEveryVoxel(t *testing.T) {
	dir := studies(t, 1)
	_, stdout, _ := call("run", dir, "--out", filepath.Join(t.TempDir(), "r"), "--scheme", "compartments",
		"--t2-range", "0,36")
	for _, w := range []string{"SA", "baseline", "medial", "patellofemoral", "T2 out of range",
		"1 study mapped, 0 failed"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("%q has no %q", stdout, w)
		}
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, c := range [][]string{{}, {"run"}, {"tables"}, {"inspect"}, {"demo"}} {
		_, stdout, _ := call(append(c, "--help")...)
		if !strings.Contains(stdout, "Examples:") || !strings.Contains(stdout, "t2map "+strings.Join(c, " ")) {
			t.Errorf("t2map %v --help has no example:\n%s", c, stdout)
		}
	}
}

func TestInspectJSON(t *testing.T) {
	dir := studies(t, 2)
	code, stdout, stderr := call("inspect", dir, "--json")
	var in batch.Inspection
	if err := json.Unmarshal([]byte(stdout), &in); err != nil || code != exitOK || stderr != "" {
		t.Fatalf("status %d, %v, stderr %q\n%s", code, err, stderr, stdout)
	}
	s := in.Studies[0].Series[0]
	if len(in.Studies) != 2 || len(s.TE) != 7 || s.Size != [3]int{64, 64, 6} || s.Vendor == "" ||
		!strings.HasPrefix(in.Studies[0].Action, "map series") {
		t.Errorf("%+v", in)
	}
	// The same as a table.
	_, stdout, _ = call("inspect", dir)
	for _, w := range []string{"7: 10 … 70", "64×64×6", "explicit little endian", "masks: labels.nii.gz",
		"run would: map series", "2 studies in 86 files, 2 of them label maps; ignored: 0 not DICOM"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("%q has no %q", stdout, w)
		}
	}
}

// A series is described by its numbers of images and files and by its transfer syntaxes.
func TestInspectedSeriesInWords(t *testing.T) {
	const explicit, j2k = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.91"
	for _, c := range []struct {
		in             batch.InspectedSeries
		syntax, images string
	}{
		{batch.InspectedSeries{Syntaxes: []string{explicit}, Images: 42, Files: 42}, "explicit little endian", "42"},
		{batch.InspectedSeries{Syntaxes: []string{explicit}, Lossy: true, Images: 42, Files: 1},
			"explicit little endian, lossy earlier", "42 in 1 file"},
		{batch.InspectedSeries{Syntaxes: []string{j2k}, Lossy: true, Images: 42, Files: 7}, "JPEG 2000, lossy",
			"42 in 7 files"},
		{batch.InspectedSeries{Syntaxes: []string{j2k}}, "JPEG 2000", "0"},
		{batch.InspectedSeries{Syntaxes: []string{"1.2.840.10008.1.2.4.50"}, Lossy: true}, "JPEG, lossy", "0"},
		{batch.InspectedSeries{Syntaxes: []string{explicit, j2k}}, "JPEG 2000; explicit little endian", "0"},
		{batch.InspectedSeries{Syntaxes: []string{explicit, "1.2.840.10008.1.2.4.90", j2k}, Lossy: true},
			"3 syntaxes, lossy", "0"},
		{batch.InspectedSeries{Syntaxes: []string{explicit, j2k}, Lossy: true},
			"JPEG 2000; explicit little endian, lossy", "0"},
		{batch.InspectedSeries{Syntaxes: []string{"1.2.840.10008.1.2.5"}, Lossy: true}, "RLE, lossy earlier", "0"},
		{batch.InspectedSeries{}, "–", "0"},
	} {
		if got := syntaxNames(c.in); got != c.syntax {
			t.Errorf("%v: %q, want %q", c.in.Syntaxes, got, c.syntax)
		}
		if got := images(c.in); got != c.images {
			t.Errorf("%q, want %q", got, c.images)
		}
	}
}

// With a scheme, the segments of a DICOM mask are listed with their compartments. A series in one file is described as
// such.
func TestInspectShowsSegments(t *testing.T) {
	dir := t.TempDir()
	s, err := phantom.New(context.Background(), phantom.Options{Subject: "SA", Matrix: 64, Slices: 6})
	if err == nil {
		err = dicomtest.Write(context.Background(), s, filepath.Join(dir, "a"),
			dicomtest.Form{Layout: dicomtest.LayoutEnhanced, Segmentation: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := call("inspect", dir, "--scheme", "compartments")
	for _, w := range []string{"42 in ", "masks: a/labels.dcm", "SEGMENT  LABEL",
		"medial          medial          label", "1 study in 2 files; ignored: 0 not DICOM"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("%s\nhas no %q", stdout, w)
		}
	}
	if _, stdout, _ = call("inspect", dir); strings.Contains(stdout, "ACCORDING TO") {
		t.Errorf("segments without a scheme:\n%s", stdout)
	}
}

// A process that is interrupted ends with exit status 130 and leaves only complete studies.
func TestInterruptedProcess(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupt that one process can send another")
	}
	dir := studies(t, 12)
	out := filepath.Join(t.TempDir(), "results")
	c := exec.Command(os.Args[0], "run", dir, "--out", out, "--scheme", "compartments", "--workers", "1")
	c.Env = append(os.Environ(), "T2MAP_AS_COMMAND=1")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if done, _ := filepath.Glob(filepath.Join(out, "*", "*", "result.json")); len(done) > 0 {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	switch code := c.ProcessState.ExitCode(); code {
	case exitInterrupted:
	case exitOK:
		t.Skip("it was done before the interrupt reached it")
	default:
		t.Fatalf("exit status %d, want %d: %v\n%s", code, exitInterrupted, err, stderr.String())
	}
	done, _ := filepath.Glob(filepath.Join(out, "*", "*", "result.json"))
	maps, _ := filepath.Glob(filepath.Join(out, "*", "*", "t2.nii.gz"))
	hidden, _ := filepath.Glob(filepath.Join(out, "*", ".*"))
	if len(done) == 0 || len(done) != len(maps) || len(hidden) != 0 {
		t.Errorf("%d results, %d maps, left behind %v", len(done), len(maps), hidden)
	}
	if !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("stderr %q", stderr.String())
	}
}
