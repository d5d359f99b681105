package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// inFlight is the number of studies in progress at a time: while one is fitted, the next is read.
const inFlight = 2

// adjustEvery is the number of studies after which the garbage collector is adjusted.
const adjustEvery = 16

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

// work is the state of mapAll.
type work struct {
	*session
	cohort *cohort
	queue  *queue
	stop   context.CancelCauseFunc
	report func(done, all int) // reports the progress
	memory *semaphore.Weighted
	budget int64 // of memory
	group  errgroup.Group

	done int // guarded by session.mu
}

// mapAll maps the studies of the queue. It returns an error if it ends before all are done.
func (r *session) mapAll(ctx context.Context, c *cohort, q *queue) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w := work{session: r, cohort: c, queue: q, stop: stop, report: r.progress(StageStudies),
		budget: r.concurrentMemory()}
	if w.report == nil {
		w.report = func(int, int) {}
	}
	w.report(0, q.length)
	w.countFailures()
	defer limitCollector(w.budget, q.memory)()
	w.memory = semaphore.NewWeighted(w.budget)
	w.group.SetLimit(inFlight)
	if w.Workers == 1 {
		w.group.SetLimit(1)
	}
	w.run(ctx)
	_ = w.group.Wait() // failures are in the outcome
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// run starts the studies chunk by chunk.
func (w *work) run(ctx context.Context) {
	for p, err := range w.findings(ctx) {
		if err != nil {
			if ctx.Err() == nil {
				w.stop(fmt.Errorf("find: %w", err))
			}
			break
		}
		studies, err := w.queue.take(p.part)
		if err != nil {
			p.release()
			w.stop(err)
			break
		}
		p.part.started = true
		w.start(ctx, p, studies)
	}
	for _, part := range w.queue.parts { // those that were not started, because the run ended
		if part.started {
			continue
		}
		studies, err := w.queue.take(part)
		if err != nil {
			w.unlisted = fmt.Errorf("studies that are not done are not listed: %w", err)
			continue
		}
		for _, st := range studies {
			w.finish(st, report.Result{}, notDone(ctx))
		}
	}
}

// reading is a chunk with its headers.
type reading struct {
	of      *chunk
	part    *queued // if it has studies to map
	finding dicomio.Finding
	users   atomic.Int64 // the studies in progress that read from it, and one while more may begin
}

// release ends the use of the finding by one study.
func (p *reading) release() {
	if p.users.Add(-1) == 0 {
		_ = p.finding.Close() // temporary files remain
	}
}

// findings returns the headers of the chunks in the queue. It reads those that are not kept while the caller works on
// others.
func (w *work) findings(ctx context.Context) iter.Seq2[*reading, error] {
	return func(yield func(*reading, error) bool) {
		var chunks []*dicomio.Chunk
		var unread []*queued
		for _, part := range w.queue.parts {
			if part.kept == nil {
				chunks, unread = append(chunks, part.Chunk), append(unread, part)
				continue
			}
			p := &reading{of: part.chunk, part: part, finding: *part.kept}
			part.kept = nil
			if p.users.Store(1); !yield(p, nil) {
				return
			}
		}
		for f, err := range w.cohort.search.Each(ctx, chunks) {
			if err != nil {
				yield(nil, err)
				return
			}
			part := unread[0]
			unread = unread[1:]
			p := &reading{of: part.chunk, part: part, finding: f}
			if p.users.Store(1); !yield(p, nil) {
				return
			}
		}
	}
}

// start starts the studies of a chunk when there is memory for them.
func (w *work) start(ctx context.Context, p *reading, studies []*study) {
	defer p.release()
	jobs := w.jobs(ctx, p, studies)
	for n, st := range studies {
		need := min(jobs[n].job.Memory(w.Workers), w.budget)
		if jobs[n].err == nil && w.memory.Acquire(ctx, need) != nil {
			jobs[n].err = notDone(ctx)
		}
		if err := jobs[n].err; err != nil {
			jobs[n].release()
			w.finish(st, report.Result{}, err)
			continue
		}
		p.users.Add(1)
		one := jobs[n]
		jobs[n] = planned{} // its memory is released when it is done
		w.group.Go(func() error {
			defer w.memory.Release(need)
			defer p.release()
			defer one.release()
			r, err := w.process(ctx, one.job)
			w.finish(st, r, err)
			return nil
		})
	}
}

// countFailures ends the run if as many studies have failed as the settings allow.
func (w *work) countFailures() {
	if n := len(w.out.Failures); w.MaxFailures > 0 && n >= w.MaxFailures {
		w.stop(hint.Errorf("see the reasons in studies.csv, mend them and run again: studies that are done are kept", "%w",
			&TooManyFailuresError{n}))
	}
}

// finish records the result or the error of a study.
func (w *work) finish(st *study, r report.Result, err error) {
	var e entry
	if err == nil {
		e, err = readEntry(w.Out, filepath.Join(r.Dir, report.ResultFile))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done++; w.done%adjustEvery == 0 {
		w.collector.adjust(w.done)
	}
	switch {
	case outfile.Full(err):
		w.stop(hint.Errorf("free disk space, for instance in the output folder or in TMPDIR, and run again: studies "+
			"that are done are kept. To write missing tables: "+tablesCommand(w.Out), "%w", &DiskFullError{err}))
		w.postpone(st.Line, errDiskFull.Error())
	case files.Outage(err): // others cannot be read either
		w.stop(err)
		w.postpone(st.Line, "not done: "+err.Error())
	case errors.Is(err, errInterrupted), errors.Is(err, errDiskFull), errors.Is(err, errFailures):
		w.postpone(st.Line, err.Error())
	case err != nil:
		w.fail(st.Line, err)
		w.countFailures()
	default:
		st.seen.inputs, e.mapped = e.Inputs, true
		w.noteKnown(st)
		w.out.Mapped++
		w.ledger.displace(e, r.Superseded)
		if w.Mapped != nil {
			w.Mapped(r)
		}
		w.log().Info("study done", "study", w.name(st.Line), "folder", r.Dir)
	}
	w.report(w.done, w.queue.length)
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
	w.record.started(j)
	j.Commit = func(sum string) error { return w.record.done(w.entryOf(j, sum)) }
	r, err := pipeline.Process(ctx, j, w.Protocol, w.Workers)
	var panicked *pipeline.PanicError
	if errors.As(err, &panicked) {
		w.log().Debug("panic", "study", j.Study.Hash, "value", panicked.Value)
	}
	if err == nil && w.Stored != nil {
		err = w.Stored(j.Dir, r.Superseded)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = notDone(ctx)
	}
	return r, err
}

// entryOf returns the entry of the result that a job is about to have.
func (w *work) entryOf(j pipeline.Job, sum string) entry {
	return entry{Subject: j.Identity.Subject, Visit: j.Identity.Visit, Study: j.Study.Hash, Series: j.Train.Hash,
		Side: j.Side(), Sum: digestOf(sum), Dir: j.Dir, Folder: files.Below(w.Out, j.Dir)}
}

// checkOwner returns an error if the job's folder holds results of another study or knee, which the job must not
// replace.
func checkOwner(j pipeline.Job) error {
	old, err := report.ReadResult(filepath.Join(j.Dir, report.ResultFile))
	knee := intake.Knee{Study: old.Study, Series: old.Series, Side: old.Side}
	if err == nil && !knee.Same(intake.Knee{Study: j.Study.Hash, Series: j.Train.Hash, Side: j.Side()}) {
		return pipeline.Explained(hint.Errorf("choose another folder with --out", "results: the folder %s holds the "+
			"results of another series, %s of study %s", filepath.Join(filepath.Base(filepath.Dir(j.Dir)),
			filepath.Base(j.Dir)), old.Series, old.Study))
	}
	return nil
}
