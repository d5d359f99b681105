package batch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// inFlight is the number of studies in progress at a time: while one is fitted, the next is read.
const inFlight = 2

// DiskFullError says that a run ended because the disk was full.
type DiskFullError struct {
	// Err is the first error of the system.
	Err error
}

// TooManyFailuresError says that a run ended because Settings.MaxFailures studies had failed.
type TooManyFailuresError struct{ Failures int }

// Error gives the number of failures.
func (e *TooManyFailuresError) Error() string {
	return fmt.Sprintf("the run was stopped: %d studies have failed", e.Failures)
}

// Error gives the cause. It omits the name of the file, which is a temporary file.
func (e *DiskFullError) Error() string {
	return fmt.Sprintf("the run was stopped: %v", outfile.Bare(e.Err))
}

// Unwrap returns the error of the system.
func (e *DiskFullError) Unwrap() error { return e.Err }

// work is the state of processAll.
type work struct {
	*session
	jobs   []pipeline.Job
	stop   context.CancelCauseFunc
	report func(done, all int) // reports the progress

	// session.mu guards the fields below.
	done    int
	results []*report.Result
}

// processAll processes the jobs. It returns an error if it ends before all jobs are done.
func (r *session) processAll(ctx context.Context, jobs []pipeline.Job) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w := work{session: r, jobs: jobs, stop: stop, report: r.progress(StageStudies), results: make([]*report.Result,
		len(jobs))}
	if w.report == nil {
		w.report = func(int, int) {}
	}
	w.report(0, len(jobs))
	w.countFailures()
	w.run(ctx)
	for _, result := range w.results {
		if result != nil {
			r.out.Results = append(r.out.Results, *result)
		}
	}
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// run processes the jobs, at most inFlight at a time and within the limit of memory.
func (w *work) run(ctx context.Context) {
	budget := w.concurrentMemory()
	defer limitCollector(budget, w.jobs, w.Workers)()
	memory := semaphore.NewWeighted(budget)
	var g errgroup.Group
	g.SetLimit(inFlight)
	if w.Workers == 1 {
		g.SetLimit(1)
	}
	for n := range w.jobs {
		need := min(w.jobs[n].Memory(w.Workers), budget)
		if memory.Acquire(ctx, need) != nil {
			w.finish(n, report.Result{}, notDone(ctx))
			continue
		}
		g.Go(func() error {
			defer memory.Release(need)
			r, err := w.process(ctx, w.jobs[n])
			w.finish(n, r, err)
			return nil
		})
	}
	_ = g.Wait() // failures are in the outcome
}

// countFailures ends the run if as many studies have failed as the settings allow.
func (w *work) countFailures() {
	if n := len(w.out.Failures); w.MaxFailures > 0 && n >= w.MaxFailures {
		w.stop(hint.Errorf("see the reasons in studies.csv, mend them and run again: studies that are done are kept", "%w",
			&TooManyFailuresError{n}))
	}
}

// finish records the result or the error of a job.
func (w *work) finish(n int, r report.Result, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	j := w.jobs[n]
	switch {
	case outfile.Full(err):
		w.stop(hint.Errorf("free disk space, for instance in the output folder or in TMPDIR, and run again: studies "+
			"that are done are kept. To write missing tables: "+tablesCommand(w.Out), "%w", &DiskFullError{err}))
		w.postpone(j, errDiskFull.Error())
	case errors.Is(err, errInterrupted), errors.Is(err, errDiskFull), errors.Is(err, errFailures):
		w.postpone(j, err.Error())
	case err != nil:
		w.fail(j, err)
		w.countFailures()
	default:
		w.results[n] = &r
		w.record.done(r)
		w.ledger.settle(r)
		w.log().Info("study done", "study", w.name(j), "folder", j.Dir)
	}
	w.jobs[n] = pipeline.Job{} // release the memory of its headers
	w.report(w.done, len(w.jobs))
}

var (
	errInterrupted = errors.New("not done: the run was interrupted")
	errDiskFull    = errors.New("not done: the disk was full")
	errFailures    = errors.New("not done: too many studies failed")
)

// notDone returns the reason why a study is not done after the context has ended.
func notDone(ctx context.Context) error {
	if errors.As(context.Cause(ctx), new(*DiskFullError)) {
		return errDiskFull
	}
	if errors.As(context.Cause(ctx), new(*TooManyFailuresError)) {
		return errFailures
	}
	return errInterrupted
}

// process runs pipeline.Process for a job.
func (w *work) process(ctx context.Context, j pipeline.Job) (report.Result, error) {
	if err := checkOwner(j); err != nil {
		return report.Result{}, err
	}
	r, err := pipeline.Process(ctx, j, w.Protocol, w.Workers)
	var panicked *pipeline.PanicError
	if errors.As(err, &panicked) {
		w.log().Debug("panic", "study", w.name(j), "value", panicked.Value)
	}
	if err == nil && w.Stored != nil {
		err = w.Stored(j.Dir)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = notDone(ctx)
	}
	return r, err
}

// checkOwner returns an error if the job's folder holds results of another study or knee, which the job must not
// replace.
func checkOwner(j pipeline.Job) error {
	old, err := report.ReadResult(filepath.Join(j.Dir, report.ResultFile))
	if err == nil && !sameRows(old, claim(j)) {
		return pipeline.Explained(hint.Errorf("choose another folder with --out", "results: the folder %s holds the "+
			"results of another series, %s of study %s", filepath.Join(filepath.Base(filepath.Dir(j.Dir)),
			filepath.Base(j.Dir)), old.Series, old.Study))
	}
	return nil
}
