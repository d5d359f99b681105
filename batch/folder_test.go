package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
)

// A second run into the folder is told who holds it; one that waits goes on afterwards.
func TestTwoRunsAtOnce(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	s := settings(t, dir)
	entered, leave := make(chan bool), make(chan bool)
	holding := s
	holding.Progress = func(stage Stage, done, all int) {
		if stage == StageStudies && done == 0 {
			entered <- true
			<-leave
		}
	}
	held := make(chan error)
	go func() {
		_, err := Run(context.Background(), holding)
		held <- err
	}()
	<-entered
	var busy *BusyError
	_, err := Run(context.Background(), s)
	if !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() || time.Since(busy.Holder.Started) > time.Hour ||
		hint.Find(err) == "" ||
		!strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("%v, %+v", err, busy)
	}
	if err := CheckIdle(s.Out); !errors.As(err, &busy) {
		t.Errorf("CheckIdle: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	waiting := s
	waiting.Wait, waiting.Waiting = true, func(Holder) { cancel() }
	if _, err := Run(ctx, waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted while it waits: %v", err)
	}
	waiting.Waiting = func(h Holder) { leave <- h.PID == os.Getpid() }
	if out := run(t, waiting); len(out.Results) != 1 {
		t.Errorf("%+v", out)
	}
	if err := <-held; err != nil {
		t.Error(err)
	}
	if err := CheckIdle(s.Out); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(s.Out, lockFile)); err != nil || info.Size() != 0 {
		t.Errorf("the lock names a holder still: %v", err)
	}
}

// Results of other settings are not added to; a setting that changes no number is none.
func TestOtherSettings(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	s := settings(t, dir)
	run(t, s)
	want := tree(t, s.Out)
	oai, err := segment.Named("oai-zib")
	if err != nil {
		t.Fatal(err)
	}
	other := compartmentsScheme(t)
	other.Labels = append([]segment.Label{}, other.Labels...)
	other.Labels[0].Name = "lateral"
	for _, c := range []struct {
		name string
		set  func(p *protocol.Protocol)
		want string // "" for no difference
	}{
		{"method", func(p *protocol.Protocol) { p.Fit.Method = t2fit.LogLinear }, "method nlls, now loglinear"},
		{"the default by name", func(p *protocol.Protocol) {
			p.Fit.Method, p.Fit.SkipEchoes, p.Fit.T2Range = t2fit.NLLS, 1, [2]float64{0, 150}
		}, ""},
		{"range", func(p *protocol.Protocol) { p.Fit.T2Range = [2]float64{0, 120} }, "T2 range 0 to 150 ms, now 0 " +
			"to 120 ms"},
		{"echoes", func(p *protocol.Protocol) { p.Fit.SkipEchoes = t2fit.NoSkip }, "skipped echoes 1, now 0"},
		{"where noise comes from", func(p *protocol.Protocol) { p.Fit.SigmaFrom = t2fit.FromBackground },
			"noise residuals, now background"},
		{"noise", func(p *protocol.Protocol) { p.Fit.Sigma = 8.5 }, "noise residuals, now given; sigma 0, now 8.5"},
		{"least R²", func(p *protocol.Protocol) { p.Fit.MinR2 = 0.8 }, "least R² 0, now 0.8"},
		{"epg", func(p *protocol.Protocol) { p.Fit.Method = t2fit.EPG }, "epg options none, now T1 1200 ms"},
		{"scheme", func(p *protocol.Protocol) { p.Scheme = oai }, "scheme compartments, now oai-zib; another " +
			"meaning of the labels"},
		{"a scheme of that name", func(p *protocol.Protocol) { p.Scheme = other }, "another meaning of the labels"},
		{"which maps are written", func(p *protocol.Protocol) { p.Maps = protocol.MapsMask }, ""},
		{"the protocol's name", func(p *protocol.Protocol) { p.Name = "x" }, ""},
		{"a threshold of other masks", func(p *protocol.Protocol) { p.MaskThreshold = 0.3 },
			"another protocol"},
		{"scaling of another vendor", func(p *protocol.Protocol) { p.PhilipsScaling = "fp" }, "another protocol"},
		{"a quality limit", func(p *protocol.Protocol) { p.Quality.Eroded = new(float64) },
			"other quality limits"},
		{"an expected acquisition", func(p *protocol.Protocol) { p.Acquisition.Echoes = 7 },
			"another expected acquisition"},
		{"the default threshold by name", func(p *protocol.Protocol) { p.MaskThreshold = 0.5 }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := s
			c.set(&changed.Protocol)
			r, err := report.ReadResult(filepath.Join(s.Out, "S01", "baseline", report.ResultFile))
			if err != nil {
				t.Fatal(err)
			}
			fit, err := changed.Protocol.Fit.Resolve()
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(changed.differences(fit, r), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if c.want == "" {
				return
			}
			var differ *SettingsError
			if _, err := Run(context.Background(), changed); !errors.As(err, &differ) || differ.Results != 1 ||
				hint.Find(err) == "" {
				t.Errorf("run: %v", err)
			}
			if diff := cmp.Diff(want, tree(t, s.Out)); diff != "" {
				t.Errorf("the folder has changed:\n%s", diff)
			}
		})
	}
	// What was asked for in a new way displaces what there was, of studies that are not searched now, too.
	knee(t, filepath.Join(dir, "studies", "S02"), phantom.Options{Subject: "S02"})
	s.Roots, s.Replace = []string{filepath.Join(dir, "studies", "S02")}, true
	s.Protocol.Fit.Method = t2fit.LogLinear
	out := run(t, s)
	if len(out.Results) != 1 || out.Earlier != 0 || tableRows(t, s.Out) != 3 {
		t.Errorf("%+v", out)
	}
	if aside, _ := filepath.Glob(filepath.Join(s.Out, supersededFolder, "S01", "baseline-*",
		report.ResultFile)); len(aside) != 1 {
		t.Errorf("set aside: %v", aside)
	}
	s.Replace = false
	run(t, s) // once more, with nothing of other settings left
}

// Two folders that claim the rows of one study, with different numbers: neither is in the tables
// until the study is mapped again. A copy counts once.
func TestContradictingResults(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	s := settings(t, dir)
	run(t, s)
	backup := filepath.Join(s.Out, "S01", "baseline - copy")
	if err := os.CopyFS(backup, os.DirFS(filepath.Join(s.Out, "S01", "baseline"))); err != nil {
		t.Fatal(err)
	}
	out, err := Tables(context.Background(), s)
	if err != nil || out.Earlier != 1 || len(out.Unreadable) != 0 || len(out.Remarks) != 1 ||
		tableRows(t, s.Out) != 3 {
		t.Errorf("a copy: %+v, %v", out, err)
	}
	file := filepath.Join(backup, report.ResultFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte(`"subject": "S01"`), []byte(`"subject": "S09"`), 1),
		0o666); err != nil {
		t.Fatal(err)
	}
	out, err = Tables(context.Background(), s)
	if err != nil || out.Earlier != 0 || len(out.Unreadable) != 1 || tableRows(t, s.Out) != 0 {
		t.Errorf("a contradiction: %+v, %v", out, err)
	}
	if again := run(t, s); len(again.Results) != 1 || len(again.Failures) != 0 || tableRows(t, s.Out) != 3 {
		t.Errorf("mapped again: %+v", again)
	}
}

// The tables that are made alone are those that the run made.
func TestTablesAlone(t *testing.T) {
	dir := t.TempDir()
	for n, name := range []string{"S01", "S02", "S03"} {
		knee(t, filepath.Join(dir, "studies", name), phantom.Options{Subject: name, Seed: uint64(n)})
	}
	remove(t, filepath.Join(dir, "studies", "S03", "labels.nii.gz"))
	s := settings(t, dir)
	run(t, s)
	want := tree(t, s.Out)
	for name, spoil := range map[string]func() error{
		"nothing is wrong": func() error { return nil },
		"two are gone": func() error {
			return errors.Join(os.Remove(filepath.Join(s.Out, "compartments.csv")), os.Remove(filepath.Join(s.Out,
				"index.html")))
		},
		"a half of one": func() error { return os.Truncate(filepath.Join(s.Out, "compartments.csv"), 100) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		out, err := Tables(context.Background(), Settings{Out: s.Out})
		if err != nil || out.Earlier != 2 || len(out.Failures) != 1 || out.Failures[0].Folder != "S03" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		if diff := cmp.Diff(want, tree(t, s.Out)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Without the table nothing tells which studies failed: one that cannot be read is not written over.
	if err := os.WriteFile(filepath.Join(s.Out, "studies.csv"), []byte("subject,visit\nS01"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Tables(context.Background(), s); err == nil || !strings.Contains(hint.Find(err), "or remove it") {
		t.Errorf("%v, hint %q", err, hint.Find(err))
	}
	remove(t, filepath.Join(s.Out, "studies.csv"))
	if out, err := Tables(context.Background(), s); err != nil || len(out.Failures) != 0 || len(out.Remarks) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	// A study whose folder was taken out is out of the tables.
	if err := os.RemoveAll(filepath.Join(s.Out, "S01")); err != nil {
		t.Fatal(err)
	}
	if out, err := Tables(context.Background(), s); err != nil || out.Earlier != 1 || tableRows(t, s.Out) != 3 {
		t.Errorf("%+v, %v", out, err)
	}
	empty := t.TempDir()
	if _, err := Tables(context.Background(), Settings{Out: empty}); err == nil || hint.Find(err) == "" {
		t.Errorf("nothing there: %v", err)
	}
	for _, path := range []string{filepath.Join(empty, "nix"), first(t, filepath.Join(dir, "studies", "S02"))} {
		if _, err := Tables(context.Background(), Settings{Out: path}); err == nil || hint.Find(err) == "" ||
			strings.Contains(err.Error(), "stat ") {
			t.Errorf("%v, hint %q", err, hint.Find(err))
		}
	}
	if entries, _ := os.ReadDir(empty); len(entries) != 0 {
		t.Errorf("left in it: %v", entries)
	}
}

// When the disk is full the run ends: the first study is done and in the tables, the
// others are not done, and the earlier result of one of them stays.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	for n := range 6 {
		name := fmt.Sprintf("S%02d", n)
		knee(t, filepath.Join(dir, "studies", name), phantom.Options{Subject: name, Seed: uint64(n)})
	}
	s := settings(t, dir)
	s.Out, s.Workers = mount(t, "size=1500k"), 1
	last := s
	last.Roots = []string{filepath.Join(dir, "studies", "S05")}
	run(t, last)
	out, err := runAll(context.Background(), s)
	var full *DiskFullError
	if !errors.As(err, &full) || !errors.As(err, new(*fs.PathError)) || !strings.Contains(hint.Find(err),
		"free disk space") || strings.Contains(err.Error(), s.Out) || strings.Contains(err.Error(), ".tmp-") {
		t.Errorf("%v, hint %q", err, hint.Find(err))
	}
	if len(out.Failures) != 0 || len(out.Results) == 0 || len(out.NotDone) == 0 ||
		len(out.Results)+len(out.NotDone) != 6 || out.Earlier != 1 {
		t.Errorf("%d done, %d not done, %d earlier, failed %+v", len(out.Results), len(out.NotDone), out.Earlier,
			out.Failures)
	}
	if got := tableRows(t, s.Out); got != 3*(len(out.Results)+1) {
		t.Errorf("%d rows, %d done", got, len(out.Results))
	}
	for _, f := range out.NotDone {
		if f.Reason != "not done: the disk was full" {
			t.Errorf("%+v", f)
		}
	}
	text, err := os.ReadFile(filepath.Join(s.Out, "studies.csv"))
	if err != nil || strings.Count(string(text), ",not done,") != len(out.NotDone)-1 || strings.Contains(string(text),
		",failed,") {
		t.Errorf("%v\n%s", err, text)
	}
}

// A study that needs more memory than it may have fails with that reason.
func TestMemoryBound(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01"), phantom.Options{})
	s := settings(t, dir)
	s.MemoryMB = 1
	out := run(t, s)
	if len(out.Failures) != 1 || !strings.HasPrefix(out.Failures[0].Reason, "memory: 64×64×6 voxels, 7 echoes: the "+
		"study needs 2 MiB of memory, more than the limit that was set, 1 MiB") || out.Failures[0].Hint == "" ||
		out.Failures[0].Code != report.ReasonMemory || out.Failures[0].MemoryBytes < 1<<20 {
		t.Errorf("%+v", out)
	}
	in, err := Inspect(context.Background(), s)
	if err != nil || in.Studies[0].Action != "fail" || !strings.Contains(in.Studies[0].Problems[0].Reason,
		"the study needs 2 MiB") {
		t.Errorf("inspect: %+v, %v", in, err)
	}
	s.MemoryMB = 4
	if out := run(t, s); len(out.Results) != 1 {
		t.Errorf("%+v", out.Failures)
	}
}

// The collector is not forced for small studies: it would look at the headers of the whole
// cohort each time.
func TestCollectorIsNotForced(t *testing.T) {
	dir := t.TempDir()
	for n := range 4 {
		name := fmt.Sprintf("S%02d", n)
		knee(t, filepath.Join(dir, "studies", name), phantom.Options{Subject: name})
	}
	s := settings(t, dir)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	run(t, s)
	runtime.ReadMemStats(&after)
	if n := after.NumForcedGC - before.NumForcedGC; n != 0 {
		t.Errorf("forced %d times for 4 small studies", n)
	}
}
