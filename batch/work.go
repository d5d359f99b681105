package batch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
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

// Error gives the cause. It does not name the file, which is a temporary one.
func (e *DiskFullError) Error() string {
	return fmt.Sprintf("the run was stopped: %v", outfile.Bare(e.Err))
}

// Unwrap returns what the system said.
func (e *DiskFullError) Unwrap() error { return e.Err }

// work is the processing of a run's jobs, and what became of them so far.
type work struct {
	*session
	jobs   []pipeline.Job
	stop   context.CancelCauseFunc
	report func(done, all int) // of the progress

	mu      sync.Mutex // for what follows, and the outcome and the ledger of the session
	done    int
	results []*report.Result
}

// processAll processes the jobs. Its error is what ended it before all was done.
func (r *session) processAll(ctx context.Context, jobs []pipeline.Job) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w := work{session: r, jobs: jobs, stop: stop, report: r.progress(StageStudies), results: make([]*report.Result,
		len(jobs))}
	if w.report == nil {
		w.report = func(int, int) {}
	}
	w.report(0, len(jobs))
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

// run processes the jobs, as many at a time as there is memory for.
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

// finish records the result of a job, or why there is none.
func (w *work) finish(n int, r report.Result, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	j := w.jobs[n]
	switch {
	case outfile.Full(err):
		w.stop(hint.Errorf("make room, for instance on the disk of the output folder or of TMPDIR, and run again; "+
			"what is done stays, and tables that are missing are written "+
			"by "+tablesCommand(w.Out), "%w", &DiskFullError{err}))
		w.leave(j, errDiskFull.Error())
	case errors.Is(err, errInterrupted), errors.Is(err, errDiskFull):
		w.leave(j, err.Error())
	case err != nil:
		w.fail(j, err)
	default:
		w.results[n] = &r
		w.ledger.settle(r)
		w.log().Info("study done", "study", w.name(j), "folder", j.Dir)
	}
	w.jobs[n] = pipeline.Job{} // its headers make room
	w.report(w.done, len(w.jobs))
}

var (
	errInterrupted = errors.New("not done: the run was interrupted")
	errDiskFull    = errors.New("not done: the disk was full")
)

// notDone says why a study is not done, once the context has ended.
func notDone(ctx context.Context) error {
	if errors.As(context.Cause(ctx), new(*DiskFullError)) {
		return errDiskFull
	}
	return errInterrupted
}

// process is Process for a job of a run.
func (w *work) process(ctx context.Context, j pipeline.Job) (report.Result, error) {
	if err := notAnothers(j); err != nil {
		return report.Result{}, err
	}
	r, err := pipeline.Process(ctx, j, w.Protocol, w.Workers)
	var panicked *pipeline.PanicError
	if errors.As(err, &panicked) {
		w.log().Debug("panic", "study", w.name(j), "value", panicked.Value)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = notDone(ctx)
	}
	return r, err
}

// notAnothers asks that the job's folder, if it is there, holds results of the
// same study and knee, which the new ones may replace.
func notAnothers(j pipeline.Job) error {
	old, err := report.ReadResult(filepath.Join(j.Dir, report.ResultFile))
	if err == nil && !sameRows(old, claim(j)) {
		return pipeline.Explained(hint.Errorf("choose another folder with --out", "results: the folder %s holds the "+
			"results of another series, %s of study %s", filepath.Join(filepath.Base(filepath.Dir(j.Dir)),
			filepath.Base(j.Dir)), old.Series, old.Study))
	}
	return nil
}
