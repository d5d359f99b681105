package batch

import (
	"context"
	"fmt"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
)

// planned is the job of a study, or the reason why there is none.
type planned struct {
	job pipeline.Job
	err error
	// source is the chunk with the mask that is carried to the study, if it is another one.
	source *reading
}

// release ends the use of the other chunk.
func (p planned) release() {
	if p.source != nil {
		p.source.release()
	}
}

// jobs makes the jobs of studies in a chunk whose headers were read.
func (w *work) jobs(ctx context.Context, p *reading, studies []*study) []planned {
	all := make([]planned, len(studies))
	w.intake.Take(p.finding)
	for n, st := range studies {
		all[n].job, all[n].err = w.job(p.finding, st)
	}
	w.carry(ctx, p, studies, all)
	w.intake.Forget()
	for n := range all {
		all[n].job.Study.Release()
		if source := all[n].job.MaskSource; source != nil {
			source.Study.Release()
		}
	}
	return all
}

// carry adds the jobs of the studies from which masks are carried. It reads each of their chunks once.
func (w *work) carry(ctx context.Context, p *reading, studies []*study, all []planned) {
	targets := map[*chunk][]int{} // by the chunk of their sources
	var parts []*chunk
	for n, st := range studies {
		if st.source == nil || all[n].err != nil {
			continue
		}
		if part := st.source.chunk; targets[part] == nil {
			parts = append(parts, part)
		}
		targets[st.source.chunk] = append(targets[st.source.chunk], n)
	}
	for _, part := range parts {
		from, err := w.open(ctx, p, part)
		for _, n := range targets[part] {
			if all[n].err = err; err != nil {
				continue
			}
			job, err := w.job(from.finding, studies[n].source)
			all[n].job.MaskSource, all[n].err = &job, err
			if from != p {
				from.users.Add(1)
				all[n].source = from
			}
		}
		if err == nil && from != p {
			from.finding.Studies = nil // the jobs have what they need
			from.release()
		}
	}
}

// open returns p if it is the chunk, or reads the chunk. The intake takes it.
func (w *work) open(ctx context.Context, p *reading, part *chunk) (*reading, error) {
	if part == p.of {
		w.intake.Take(p.finding)
		return p, nil
	}
	found, err := w.cohort.search.Find(ctx, part.Chunk)
	if err != nil {
		if err = fmt.Errorf("find: %w", err); ctx.Err() != nil {
			err = notDone(ctx)
		}
		return nil, err
	}
	from := &reading{of: part, finding: found}
	from.users.Store(1)
	w.intake.Take(found)
	return from, nil
}

// job makes the job of a study of the finding that the intake has taken.
func (w *work) job(f dicomio.Finding, st *study) (pipeline.Job, error) {
	for _, found := range f.Studies {
		if found.Hash != st.Hash {
			continue
		}
		j, err := w.intake.Job(found)
		j.Identity.Warnings, j.Dir = st.identity().Warnings, st.dir
		if e, ok := w.ledger.at(st.dir, st.Hash); ok {
			j.Superseded = w.ledger.supersededName(e)
		}
		return j, err
	}
	return pipeline.Job{}, errGone
}

// errGone says that a study was there when the run began.
var errGone = hint.Errorf("do not change the studies during a run; run again",
	"read: the files of the study were moved or removed during the run")
