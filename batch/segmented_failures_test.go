package batch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/t2map/t2map/internal/segmenter"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// What a program does wrong fails its study, with a typed error, a hint and no trace.
func TestSegmenterFailures(t *testing.T) {
	dir := t.TempDir()
	base := segmented(t, dir, protocol.Segmenter{})
	for mode, c := range map[string]struct {
		want   string // the end of the reason
		target any
		hint   string
	}{
		"hang": {"not finished after 1s; it printed nothing", new(*segmenter.TimeoutError), "`timeout`"},
		"fail": {"exit status 3; its last output: Traceback | RuntimeError: CUDA out of memory in " +
			"{dir}/input/knee_0000.nii.gz", new(*segmenter.ExitError), "by hand"},
		"kill":    {"ended by a signal (killed); it printed nothing", new(*segmenter.SignalError), "--workers 1"},
		"nothing": {"no label map (.nii, .nii.gz) in {dir}/output", new(*segmenter.NoOutputError), "{output}"},
		"two": {"2 label maps in {dir}/output, want one: knee.nii.gz, other.nii.gz",
			new(*segmenter.ManyOutputsError), "--ml"},
		"huge": {"the label map has 67108864 bytes, more than a float64 label map on the grid of the image, which " +
			"has 1245184", new(*segmenter.OutputSizeError), "NIfTI-1"},
		"vast": {"its scratch folder holds more than 8192 MiB", new(*segmenter.ScratchSizeError),
			"probability maps"},
		"garbage":   {"", nil, "must write a label map in NIfTI-1"},
		"truncated": {"", nil, "must write a label map in NIfTI-1"},
		"placeless": {"", nil, "with its sform or qform"},
		"fractions": {"", nil, "whole numbers"},
		"moved": {"its label map: mask grid differs from the series: voxel centres up to 5.00 mm apart (allowed " +
			"0.10 mm)", new(*segment.GridError), "resample it back"},
		"other": {"its label map: mask is 32×64×6 voxels, the series 64×64×6", new(*segment.GridError),
			"resample it back"},
		"empty":   {"its label map marks no voxel", new(*pipeline.EmptyMaskError), "name another as `input`"},
		"unknown": {"mask: segmentation.nii.gz: scheme compartments does not know label 9 (2 voxels)", nil, "scheme"},
	} {
		t.Run(mode, func(t *testing.T) {
			if runtime.GOOS == "windows" && (mode == "kill" || mode == "fail" || mode == "vast") {
				t.Skip("there are no signals, paths have another separator, and sparse files are an option")
			}
			s := base
			emptyScratch(t)
			s.Out = t.TempDir()
			s.Protocol.Segment = segmenterFor(t, mode)
			if mode == "hang" {
				s.Protocol.Segment.Timeout = time.Second
			}
			f := oneFailure(t, s)
			if !strings.HasSuffix(f.Reason, c.want) || !strings.HasPrefix(f.Reason, "mask: ") ||
				!strings.Contains(f.Hint, c.hint) || strings.Contains(f.Reason, os.TempDir()) {
				t.Errorf("%s (%s), want %s (%s)", f.Reason, f.Hint, c.want, c.hint)
			}
			code := report.ReasonProgram
			if mode == "unknown" { // the program is right, and its labels are not known
				code = report.ReasonMask
			}
			if f.Code != code {
				t.Errorf("code %s, want %s", f.Code, code)
			}
			if c.target == nil {
				return
			}
			j := jobOf(t, s)
			_, err := pipeline.Process(t.Context(), j, s.Protocol, 1)
			var p *protocol.ProgramError
			if !errors.As(err, c.target) || !errors.As(err, &p) || !errors.As(err, new(*pipeline.SettingError)) {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

// jobOf returns the job of the one study.
func jobOf(t *testing.T, s Settings) pipeline.Job {
	t.Helper()
	search, err := s.find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = search.Close() })
	in, err := s.prepare()
	if err != nil {
		t.Fatal(err)
	}
	in.Take(search)
	j, err := in.Job(search.Studies[0])
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A failure of the program does not take away what an earlier run of it has made.
func TestSegmenterFailureLeavesResult(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	oneResult(t, s)
	s.Protocol.Segment.Timeout = time.Nanosecond // no setting that changes numbers
	out := run(t, s)
	if len(out.Failures) != 1 || !strings.HasSuffix(out.Failures[0].Reason, "the earlier result of the study stays in "+
		"the tables") || out.Earlier != 1 {
		t.Errorf("%+v", out)
	}
}

// A run that is interrupted leaves neither a program nor its folder.
func TestInterruptedSegmenter(t *testing.T) {
	dir := t.TempDir()
	pidFile := filepath.Join(dir, "pid")
	s := segmented(t, dir, segmenterFor(t, "hang", pidFile))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(time.Minute, cancel)
	go func() {
		for ctx.Err() == nil {
			if text, _ := os.ReadFile(pidFile); len(text) > 0 {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	start := time.Now()
	out, err := runAll(ctx, s)
	if !errors.Is(err, context.Canceled) || len(out.NotDone) != 1 || len(out.Failures) > 0 ||
		time.Since(start) > 30*time.Second {
		t.Errorf("%+v, %v", out, err)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := os.FindProcess(pid); runtime.GOOS != "windows" && (err != nil || p.Signal(syscall.Signal(0)) == nil) {
		t.Errorf("process %d is left (%v)", pid, err)
	}
}

// A series that cannot be read ends the program that is at work on its first echo.
func TestSegmenterOfDamagedSeries(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "hang"))
	j := jobOf(t, s)
	last := filepath.Join(dir, "studies", "a", "IM_0042.dcm")
	data, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(last, data[:len(data)-100], 0o666); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	j.Dir = filepath.Join(dir, "out")
	_, err = pipeline.Process(t.Context(), j, s.Protocol, 1)
	if err == nil || !strings.HasPrefix(err.Error(), "read: ") || time.Since(start) > time.Minute {
		t.Errorf("%v", err)
	}
}
