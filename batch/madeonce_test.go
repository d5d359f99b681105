package batch

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// A mask that is carried to other visits is made once: the jobs that share it get the same bytes and
// the same record, side by side or one after the other. A program that fails is not started again.
func TestMadeOnce(t *testing.T) {
	for _, mode := range []string{"count", "count-and-fail"} {
		dir := t.TempDir()
		ran := filepath.Join(dir, "ran")
		j := jobOf(t, segmented(t, dir, segmenterFor(t, "count", ran)))
		s := segmented(t, dir, segmenterFor(t, "count", ran))
		if mode == "count-and-fail" {
			s = segmented(t, dir, segmenterFor(t, "count", ran, "fail"))
		}
		results := make([]report.Result, 4)
		errs := make([]error, 4)
		var all sync.WaitGroup
		for n := range results {
			copied := j
			copied.Dir = filepath.Join(dir, "results", strconv.Itoa(n))
			all.Go(func() { results[n], errs[n] = pipeline.Process(t.Context(), copied, s.Protocol, 1) })
		}
		all.Wait()
		for n, r := range results {
			if mode == "count-and-fail" {
				if !errors.As(errs[n], new(*protocol.ProgramError)) || hint.Find(errs[n]) == "" {
					t.Errorf("%s: %v", mode, errs[n])
				}
				continue
			}
			if errs[n] != nil {
				t.Fatal(errs[n])
			}
			first := results[0]
			made, err := os.ReadFile(filepath.Join(r.Dir, report.SegmentationFile))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(first.Dir, report.SegmentationFile))
			if err != nil || !bytes.Equal(made, want) || *r.Mask.Program != *first.Mask.Program ||
				!slices.Equal(r.Inputs, first.Inputs) {
				t.Errorf("mask %d differs from the first, %v", n, err)
			}
		}
		if text, err := os.ReadFile(ran); err != nil || strings.Count(string(text), "ran") != 1 {
			t.Errorf("%s: the program ran %d times, %v", mode, strings.Count(string(text), "ran"), err)
		}
	}
}

// A job that ends does not spoil the mask of the others, and nobody waits for one beyond its own end.
func TestMadeOnceIsNotSpoiled(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	j, p := jobOf(t, s), s.Protocol
	j.Dir = filepath.Join(dir, "result")
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := pipeline.Process(ended, j, p, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended job: %v", err)
	}
	if _, err := pipeline.Process(t.Context(), j, p, 1); err != nil {
		t.Errorf("after it: %v", err)
	}
}
