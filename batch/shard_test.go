package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/phantom"
)

// sharded writes studies, two of which fail, and returns settings for their shards.
func sharded(t *testing.T) Settings {
	t.Helper()
	dir := t.TempDir()
	for n := range 7 {
		subject := fmt.Sprintf("S%02d", n)
		knee(t, filepath.Join(dir, "studies", subject, "V1"), phantom.Options{Subject: subject, Seed: uint64(n)})
	}
	remove(t, filepath.Join(dir, "studies", "S03", "V1", "labels.nii.gz"))
	path := first(t, filepath.Join(dir, "studies", "S05", "V1"))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	s.Force, s.Layout = false, "{subject}/{visit}"
	return s
}

// Shards that run at once and are merged leave the bytes of one run.
func TestShards(t *testing.T) {
	s := sharded(t)
	whole := s
	whole.Out = filepath.Join(t.TempDir(), "whole")
	run(t, whole)
	const count = 3
	var g errgroup.Group
	mapped := make([]int, count+1)
	for index := 1; index <= count; index++ {
		part := s
		part.Shard = Shard{index, count}
		g.Go(func() error {
			out, err := Run(t.Context(), part)
			if mapped[index] = out.Mapped; out.Studies != 5 {
				t.Errorf("shard %d: %d studies", index, out.Studies)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := mapped[1] + mapped[2] + mapped[3]; n != 5 || max(mapped[1], mapped[2], mapped[3]) == n {
		t.Errorf("mapped by shard: %v", mapped)
	}
	for range 2 { // merging again changes nothing
		if _, err := Merge(t.Context(), s, false); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, whole.Out), tree(t, s.Out)); diff != "" {
			t.Error(diff)
		}
	}
	if _, faults, err := audit.Read(s.Out, func(audit.Event) {}); err != nil || len(faults) != 0 {
		t.Errorf("record: %v, %v", faults, err)
	}
	if out := run(t, s); out.Mapped != 0 || len(out.Failures) != 2 {
		t.Errorf("a rerun without shards: %d mapped, %d failures", out.Mapped, len(out.Failures))
	}
}

// The shard that was planned last decides which run is the last one, whatever the clocks of the nodes say.
func TestShardsWithOtherClocks(t *testing.T) {
	s := sharded(t)
	for index := 1; index <= 2; index++ {
		part := s
		part.Shard = Shard{index, 2}
		run(t, part)
	}
	part := s
	part.Shard = Shard{2, 3}
	run(t, part)
	early, late := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for path, at := range map[string]time.Time{part.shardPath(part.Shard): early, part.shardPath(Shard{1, 2}): late} {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	var missing *MissingShardsError
	if _, err := Merge(t.Context(), s, false); !errors.As(err, &missing) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Shard{{1, 3}, {3, 3}}, missing.Missing); diff != "" {
		t.Error(diff)
	}
}

// A shard that is mapped again is missing until it has ended.
func TestShardBegunAgain(t *testing.T) {
	s := sharded(t)
	s.Shard = Shard{1, 1}
	run(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	again := s
	again.Force = true
	again.Progress = func(stage Stage, done, _ int) {
		if stage == StageStudies && done == 0 {
			if _, err := os.Stat(s.shardPath(s.Shard)); err == nil {
				t.Error("the state of the earlier run is still there")
			}
			cancel()
		}
	}
	if out, err := Run(ctx, again); !errors.Is(err, context.Canceled) || len(out.NotDone) == 0 {
		t.Fatalf("%d not done, %v", len(out.NotDone), err)
	}
	var missing *MissingShardsError
	if _, err := Merge(t.Context(), Settings{Out: s.Out}, false); !errors.As(err, &missing) ||
		len(missing.Unfinished) != 1 {
		t.Fatal(err)
	}
	out, err := Merge(t.Context(), Settings{Out: s.Out}, true)
	if err != nil || out.Merged != (Merged{1, 1}) || len(out.NotDone) != 5 || out.Earlier != 5 {
		t.Errorf("partial: %+v, %v", out, err)
	}
}

// Names of folders that mean something in patterns of paths have no meaning here, and a run in which all studies fail
// can be merged.
func TestShardsThatFail(t *testing.T) {
	s := sharded(t)
	s.Out = filepath.Join(t.TempDir(), "results [1-3]*")
	s.Mask = "absent.nii"
	s.Shard = Shard{1, 1}
	run(t, s)
	if out, err := Merge(t.Context(), Settings{Out: s.Out}, false); err != nil || len(out.Failures) < 7 {
		t.Errorf("%d failures, %v", len(out.Failures), err)
	}
}

// A shard waits for the lock of another one that plans, but not for ever: its node may be dead.
func TestPlanLockOfDeadNode(t *testing.T) {
	s := sharded(t)
	s.Shard, s.planPatience = Shard{1, 2}, time.Second
	if err := os.MkdirAll(filepath.Join(s.Out, stateFolder), 0o777); err != nil {
		t.Fatal(err)
	}
	f := flock.New(filepath.Join(s.Out, stateFolder, planLock))
	if locked, err := f.TryLock(); !locked || err != nil {
		t.Skip("no locks here: ", err)
	}
	defer f.Close()
	start := time.Now()
	run(t, s)
	if waited := time.Since(start); waited < s.planPatience {
		t.Errorf("it waited for %v", waited)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	s.planPatience = 0
	if _, err := Run(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a shard that waits to plan does not end: %v", err)
	}
	beats := stampOf(f.Path())
	release := keepAlive(f)
	defer release()
	if stampOf(f.Path()) == beats {
		t.Error("the lock is not touched")
	}
}

// Shards do not exchange the folders of studies, because each knows only its own studies.
func TestShardsOfExchangedNames(t *testing.T) {
	s := sharded(t)
	run(t, s)
	from := filepath.Join(filepath.Dir(s.Out), "studies")
	for _, step := range [][2]string{{"S00", "x"}, {"S01", "S00"}, {"x", "S01"}} {
		if err := os.Rename(filepath.Join(from, step[0]), filepath.Join(from, step[1])); err != nil {
			t.Fatal(err)
		}
	}
	results := func() map[string]string {
		all := tree(t, s.Out)
		delete(all, lockFile)
		return all
	}
	before := results()
	s.Rename = true
	for index := 1; index <= 2; index++ {
		s.Shard = Shard{index, 2}
		if _, err := Run(t.Context(), s); err == nil || !strings.Contains(hint.Find(err), "without --shard") {
			t.Errorf("shard %s: %v", s.Shard, err)
		}
	}
	if diff := cmp.Diff(before, results()); diff != "" {
		t.Error(diff)
	}
	s.Shard = Shard{}
	if out := run(t, s); out.Mapped != 2 {
		t.Errorf("%d mapped", out.Mapped)
	}
}

// If contents of a file change between two shards, later runs notice it.
func TestShardsOfChangedFile(t *testing.T) {
	s := sharded(t)
	path := filepath.Join(filepath.Dir(s.Out), "studies", "S00", "V1", "labels.nii.gz")
	var owner Shard
	for index := 1; index <= 2; index++ {
		part := s
		part.Shard = Shard{index, 2}
		for _, c := range run(t, part).Chosen {
			if c.Folder == "S00/V1" {
				owner = part.Shard
			}
		}
	}
	other, err := os.ReadFile(filepath.Join(filepath.Dir(s.Out), "studies", "S01", "V1", "labels.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, other, 0o666); err != nil {
		t.Fatal(err)
	}
	late := s
	late.Shard = Shard{3 - owner.Index, 2}
	run(t, late) // reads the chunk of S00, and does not map it
	if _, err := Merge(t.Context(), s, true); err != nil {
		t.Fatal(err)
	}
	s.DryRun = true
	out := run(t, s)
	for _, c := range out.Chosen {
		if (c.Folder == "S00/V1") != (c.Why != Done) {
			t.Errorf("%s: %s", c.Folder, c.Why)
		}
	}
	s.DryRun, s.Shard = false, owner // which remembers the former contents
	if out := run(t, s); out.Mapped != 1 {
		t.Errorf("%d mapped", out.Mapped)
	}
}

// Merge refuses a run with missing shards, and shards that have seen other studies or settings.
func TestMissingShards(t *testing.T) {
	s := sharded(t)
	part := s
	part.Shard = Shard{2, 3}
	run(t, part)
	var missing *MissingShardsError
	_, err := Merge(t.Context(), s, false)
	if !errors.As(err, &missing) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Shard{{1, 3}, {3, 3}}, missing.Missing); diff != "" {
		t.Error(diff)
	}
	if out, err := Merge(t.Context(), s, true); err != nil || out.Earlier == 0 {
		t.Errorf("partial: %+v, %v", out, err)
	}
	knee(t, filepath.Join(filepath.Dir(s.Out), "studies", "S99", "V1"), phantom.Options{Subject: "S99", Seed: 99})
	part.Shard = Shard{1, 3}
	run(t, part)
	if _, err = Merge(t.Context(), s, false); !errors.As(err, &missing) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Shard{{2, 3}, {3, 3}}, missing.Missing); diff != "" {
		t.Errorf("with another study: %s", diff)
	}
}

// A shard is mapped by one process at a time, and no run without shards begins beside one.
func TestShardIsExclusive(t *testing.T) {
	s := sharded(t)
	s.Shard = Shard{1, 1}
	var again, whole error
	s.Progress = func(stage Stage, done, _ int) {
		if stage == StageStudies && done == 0 {
			second := s
			second.Progress = nil
			_, again = Run(t.Context(), second)
			second.Shard = Shard{}
			_, whole = Run(t.Context(), second)
		}
	}
	run(t, s)
	if !errors.As(again, new(*BusyError)) || !errors.As(whole, new(*BusyError)) {
		t.Errorf("the same shard: %v; a run without shards: %v", again, whole)
	}
	if _, err := Run(t.Context(), Settings{Roots: s.Roots, Out: s.Out, Protocol: s.Protocol,
		Shard: Shard{4, 3}}); err == nil {
		t.Error("shard 4 of 3 is accepted")
	}
}

// An error that may pass does not make a study of a shard fail: the shard is tried again.
func TestShardAfterTransientError(t *testing.T) {
	err := fmt.Errorf("read: %w", &os.PathError{Op: "read", Path: "x", Err: syscall.ESTALE})
	for shard, want := range map[Shard][2]int{{}: {1, 0}, {1, 1}: {0, 1}} {
		r := session{Settings: Settings{Shard: shard}, ledger: newLedger(t.TempDir())}
		r.fail(&intake.Line{}, err)
		if got := [2]int{len(r.out.Failures), len(r.out.NotDone)}; got != want {
			t.Errorf("shard %s: %v failed and not done, want %v", shard, got, want)
		}
	}
}
