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
	// source holds the mask that is carried to the study, if it lies in another chunk.
	source *dicomio.Finding
}

// release closes what only this job reads from.
func (p planned) release() {
	if p.source != nil {
		_ = p.source.Close() // temporary files remain
	}
}

// jobs makes the jobs of studies in a chunk whose headers were read.
func (w *work) jobs(ctx context.Context, p *reading, studies []*study) []planned {
	all := make([]planned, len(studies))
	for n, st := range studies {
		w.intake.Take(p.finding)
		all[n].job, all[n].err = w.job(p.finding, st)
		if source := st.source; all[n].err == nil && source != nil {
			w.carry(ctx, p, source, &all[n])
		}
	}
	w.intake.Forget()
	for n := range all {
		all[n].job.Study.Release()
		if source := all[n].job.MaskSource; source != nil {
			source.Study.Release()
		}
	}
	return all
}

// carry adds the job of the study from which the mask is carried.
func (w *work) carry(ctx context.Context, p *reading, source *study, to *planned) {
	found := p.finding
	if source.chunk != p.of {
		var err error
		if found, err = w.cohort.search.Find(ctx, source.chunk.Chunk); err != nil {
			if to.err = fmt.Errorf("find: %w", err); ctx.Err() != nil {
				to.err = notDone(ctx)
			}
			return
		}
		to.source = &found
		w.intake.Take(found)
	}
	job, err := w.job(found, source)
	to.job.MaskSource, to.err = &job, err
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
