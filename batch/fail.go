package batch

import (
	"errors"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/report"
)

// settingError is a failure that a setting of the run explains, such as a series that it does
// not name or a mask that its pattern does not find. The study may be sound.
type settingError struct{ err error }

func (e *settingError) Error() string { return e.err.Error() }
func (e *settingError) Unwrap() error { return e.err }

// ofSetting says that a setting of the run explains the error, which may be nil.
func ofSetting(err error) error {
	if err == nil {
		return nil
	}
	return &settingError{err}
}

// failure lists a study that could not be done.
func (j Job) failure(reason, advice string) report.Failure {
	f := report.Failure{Subject: j.Identity.Subject, Visit: j.Identity.Visit, Study: j.Study.Hash, Series: knownSeries(j), Side: sideOf(j),
		Reason: reason, Hint: advice, Alike: j.alike}
	if j.Study.Hash != "" {
		f.Folder = j.Study.Name()
	}
	return f
}

// fail lists a study that could not be done. Its earlier results are set aside, unless a setting of
// the run explains the failure: then they are what is known of the study, and stay.
func (o *Outcome) fail(s Settings, j Job, err error, earlier *ledger) {
	if errors.As(err, new(*settingError)) {
		o.staying = append(o.staying, len(o.Failures))
	} else {
		earlier.settle(j.claim())
	}
	o.Failures = append(o.Failures, j.failure(err.Error(), hint.Find(err)))
	// The reasons are listed together at the end.
	s.log().Warn("study failed", "study", j.name())
}

// sayWhatStays adds to the failures that a setting explains that an earlier result of the study
// stays. It is to be called once it is known which do.
func (o *Outcome) sayWhatStays(earlier *ledger) {
	for _, n := range o.staying {
		f := &o.Failures[n]
		if f.Study != "" && earlier.standing(report.Result{Study: f.Study, Series: f.Series, Side: f.Side}) {
			f.Reason += "; the earlier result of the study stays in the tables"
		}
	}
	o.staying = nil
}

// leave lists a study with which nothing is wrong and that is not done.
func (o *Outcome) leave(j Job, why string) {
	f := j.failure(why, "run again")
	f.NotDone = true
	o.NotDone = append(o.NotDone, f)
}
