package batch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/audit"
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
