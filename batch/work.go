package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/report"
)

// inFlight is the number of studies worked on at a time: while one is fitted the
// next is read.
const inFlight = 2

// DiskFullError says that a run ended because the disk was full.
type DiskFullError struct {
	// Err is what the system said first.
	Err error
}

// Error says so. It does not name the file, which is a temporary one.
func (e *DiskFullError) Error() string {
	return fmt.Sprintf("the run was stopped: %v", outfile.Bare(e.Err))
}

// Unwrap returns what the system said.
func (e *DiskFullError) Unwrap() error { return e.Err }

// work is the processing of a run's jobs, and what became of them so far.
type work struct {
	s       Settings
	jobs    []Job
	earlier *ledger
	stop    context.CancelCauseFunc
	report  func(done, all int) // of the progress

	mu      sync.Mutex // for what follows
	out     *Outcome
	done    int
	results []*report.Result
}

// processAll processes the jobs; it and both are the places of the package that
// work in parallel. Its error is what ended it before all was done.
func (s Settings) processAll(ctx context.Context, jobs []Job, out *Outcome, earlier *ledger) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w := work{s: s, jobs: jobs, earlier: earlier, stop: stop, report: s.progress(StageStudies), out: out, results: make([]*report.Result, len(jobs))}
	if w.report == nil {
		w.report = func(int, int) {}
	}
	w.report(0, len(jobs))
	w.run(ctx)
	for _, r := range w.results {
		if r != nil {
			out.Results = append(out.Results, *r)
		}
	}
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// run processes the jobs, as many at a time as there is memory for.
func (w *work) run(ctx context.Context) {
	budget := w.s.concurrentMemory()
	defer limitCollector(budget, w.jobs, w.s.Workers)()
	memory := semaphore.NewWeighted(budget)
	var g errgroup.Group
	g.SetLimit(inFlight)
	if w.s.Workers == 1 {
		g.SetLimit(1)
	}
	for n := range w.jobs {
		need := min(w.jobs[n].memory(w.s.Workers), budget)
		if memory.Acquire(ctx, need) != nil {
			w.finish(n, report.Result{}, notDone(ctx))
			continue
		}
		g.Go(func() error {
			defer memory.Release(need)
			r, err := w.s.process(ctx, w.jobs[n])
			w.finish(n, r, err)
			return nil
		})
	}
	_ = g.Wait() // failures are in the outcome
}

// finish notes what became of a job.
func (w *work) finish(n int, r report.Result, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	j := w.jobs[n]
	switch {
	case outfile.Full(err):
		w.stop(hint.Errorf("make room, for instance on the disk of the output folder or of TMPDIR, and run again; what is done stays, and tables that are missing are written by "+tablesCommand(w.s.Out), "%w", &DiskFullError{err}))
		w.out.leave(j, errDiskFull.Error())
	case errors.Is(err, errInterrupted), errors.Is(err, errDiskFull):
		w.out.leave(j, err.Error())
	case err != nil:
		w.out.fail(w.s, j, err, w.earlier)
	default:
		w.results[n] = &r
		w.earlier.settle(r)
		w.s.log().Info("study done", "study", j.name(), "folder", j.Dir)
	}
	w.jobs[n] = Job{} // its headers make room
	w.report(w.done, len(w.jobs))
}

// both calls two functions side by side and returns the first one's error, else
// the second's. The second runs where the caller does, which may recover from it; a panic of the first
// is an error.
func both(first, second func() error) error {
	var g errgroup.Group
	g.Go(func() error { return guarded(first) })
	err := second()
	return cmp.Or(g.Wait(), err)
}

// bothUntil is both for functions that stop when their context ends, as it does with the error of
// either. That error, the first, is returned.
func bothUntil(ctx context.Context, first, second func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return guarded(func() error { return first(ctx) }) })
	done := make(chan error, 1)
	g.Go(func() error { return <-done })
	defer close(done) // also where second panics
	done <- second(ctx)
	return g.Wait()
}

var (
	errInterrupted = errors.New("not done: the run was interrupted")
	errDiskFull    = errors.New("not done: the disk was full")
)

// notDone says why a study is not done when the context has ended.
func notDone(ctx context.Context) error {
	if errors.As(context.Cause(ctx), new(*DiskFullError)) {
		return errDiskFull
	}
	return errInterrupted
}

// process is Process for a job of a run. What goes wrong in it, even a panic in
// a library, is this study's.
func (s Settings) process(ctx context.Context, j Job) (r report.Result, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			s.log().Debug("panic", "study", j.name(), "value", panicked)
			err = internalError()
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			err = notDone(ctx)
		}
	}()
	if err := notAnothers(j); err != nil {
		return r, err
	}
	return Process(ctx, j, s.Protocol, s.Workers)
}

// notAnothers asks that the job's folder, where it is there, holds results of the
// same study and knee, which the new ones may replace.
func notAnothers(j Job) error {
	old, err := report.ReadResult(filepath.Join(j.Dir, report.ResultFile))
	if err == nil && !sameRows(old, j.claim()) {
		return ofSetting(hint.Errorf("choose another folder with --out", "results: the folder %s holds the results of another series, %s of study %s", filepath.Join(filepath.Base(filepath.Dir(j.Dir)), filepath.Base(j.Dir)), old.Series, old.Study))
	}
	return nil
}
