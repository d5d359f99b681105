package batch

import (
	"errors"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// failure describes a study that has no result.
func (r *session) failure(j pipeline.Job, code report.Reason, reason, advice string) report.Failure {
	f := report.Failure{
		Subject: j.Identity.Subject, Visit: j.Identity.Visit, Study: j.Study.Hash, Series: intake.KnownSeries(j),
		Side: j.Side(), Code: code, Reason: reason, Hint: advice, MemoryBytes: j.Memory(1),
	}
	if j.Study.Hash != "" {
		f.Folder, f.SharedFolder = j.Study.Name(), r.alike[j.Study.Name()]
	}
	return f
}

// fail lists a study that failed. Its earlier results are set aside, unless the failure is due to a setting of the
// run: then they remain valid.
func (r *session) fail(j pipeline.Job, err error) {
	if errors.As(err, new(*pipeline.SettingError)) {
		r.explained = append(r.explained, len(r.out.Failures))
	} else {
		r.ledger.settle(claim(j))
	}
	r.out.Failures = append(r.out.Failures, r.failure(j, reasonOf(err), err.Error(), hint.Find(err)))
	r.record.failed(j, err.Error())
	// The log omits the reason: all reasons are listed at the end of the run.
	r.log().Warn("study failed", "study", r.name(j))
}

// noteKept adds a remark to each failure that is due to a setting if the tables keep an earlier result of the study.
// Call it after all studies are done.
func (r *session) noteKept() {
	for _, n := range r.explained {
		f := &r.out.Failures[n]
		if f.Study != "" && r.ledger.holds(report.Result{Study: f.Study, Series: f.Series, Side: f.Side}) {
			f.Reason += "; the earlier result of the study stays in the tables"
		}
	}
}

// postpone lists a study that is not done because the run ended.
func (r *session) postpone(j pipeline.Job, reason string) {
	f := r.failure(j, report.ReasonNotDone, reason, "run again")
	f.NotDone = true
	r.out.NotDone = append(r.out.NotDone, f)
}
