package batch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/t2map/t2map/hint"
)

// A mask that is carried to other visits is made once: the jobs that share it get the same bytes and
// the same record, side by side or one after the other. A program that fails is not started again.
func TestMadeOnce(t *testing.T) {
	for _, how := range []string{"count", "count-and-fail"} {
		dir := t.TempDir()
		ran := filepath.Join(dir, "ran")
		j := jobOf(t, segmented(t, dir, segmenterFor(t, "count", ran)))
		s := segmented(t, dir, segmenterFor(t, "count", ran))
		if how == "count-and-fail" {
			s = segmented(t, dir, segmenterFor(t, "count", ran, "fail"))
		}
		p := s.Protocol
		var err error
		if p.Segment, err = p.Segment.found(); err != nil {
			t.Fatal(err)
		}
		masks := make([]maskRead, 4)
		errs := make([]error, 4)
		var all sync.WaitGroup
		for n := range masks {
			later := j
			if n > 0 {
				later = Job{Study: j.Study, Train: j.Train, From: &j}
			}
			all.Go(func() { masks[n], errs[n] = later.source().readMask(t.Context(), p) })
		}
		all.Wait()
		for n, m := range masks {
			if how == "count-and-fail" {
				if !errors.As(errs[n], new(*ProgramError)) || hint.Find(errs[n]) == "" {
					t.Errorf("%s: %v", how, errs[n])
				}
				continue
			}
			if errs[n] != nil {
				t.Fatal(errs[n])
			}
			first := masks[0]
			if !slices.Equal(m.labels.Data, first.labels.Data) || !slices.Equal(m.made.file, first.made.file) ||
				m.made.facts != first.made.facts || !slices.Equal(m.made.images, first.made.images) {
				t.Errorf("mask %d differs from the first", n)
			}
		}
		if text, err := os.ReadFile(ran); err != nil || strings.Count(string(text), "ran") != 1 {
			t.Errorf("%s: the program ran %d times, %v", how, strings.Count(string(text), "ran"), err)
		}
	}
}

// A job that ends does not spoil the mask of the others, and nobody waits for one beyond its own end.
func TestMadeOnceIsNotSpoiled(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	j, p := jobOf(t, s), s.Protocol
	var err error
	if p.Segment, err = p.Segment.found(); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := j.readMask(ended, p); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended job: %v", err)
	}
	if m, err := j.readMask(t.Context(), p); err != nil || len(m.made.file) == 0 {
		t.Errorf("after it: %v", err)
	}
	<-j.Input.made.turn // another job has it made
	if _, err := j.readMask(ended, p); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended job that waits: %v", err)
	}
}
