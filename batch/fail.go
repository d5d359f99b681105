package batch

import (
	"errors"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// failure lists a study that could not be done.
func (r *session) failure(j pipeline.Job, reason, advice string) report.Failure {
	f := report.Failure{
		Subject: j.Identity.Subject, Visit: j.Identity.Visit, Study: j.Study.Hash, Series: intake.KnownSeries(j),
		Side:   j.Side(),
		Reason: reason, Hint: advice,
	}
	if j.Study.Hash != "" {
		f.Folder, f.SharedFolder = j.Study.Name(), r.alike[j.Study.Name()]
	}
	return f
}

// fail lists a study that could not be done. Its earlier results are set aside, unless a setting of
// the run explains the failure: then they are what is known of the study, and stay.
func (r *session) fail(j pipeline.Job, err error) {
	if errors.As(err, new(*pipeline.SettingError)) {
		r.explained = append(r.explained, len(r.out.Failures))
	} else {
		r.ledger.settle(claim(j))
	}
	r.out.Failures = append(r.out.Failures, r.failure(j, err.Error(), hint.Find(err)))
	// The reasons are listed together at the end.
	r.log().Warn("study failed", "study", r.name(j))
}

// noteStanding adds to the failures that a setting explains that an earlier result of the study
// stays. It is to be called once it is known which do.
func (r *session) noteStanding() {
	for _, n := range r.explained {
		f := &r.out.Failures[n]
		if f.Study != "" && r.ledger.standing(report.Result{Study: f.Study, Series: f.Series, Side: f.Side}) {
			f.Reason += "; the earlier result of the study stays in the tables"
		}
	}
}

// leave lists a study that is not done though nothing is wrong with it.
func (r *session) leave(j pipeline.Job, reason string) {
	f := r.failure(j, reason, "run again")
	f.NotDone = true
	r.out.NotDone = append(r.out.NotDone, f)
}
