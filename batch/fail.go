package batch

import (
	"errors"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// failure describes a study that has no result.
func (r *session) failure(l *intake.Line, code report.Reason, reason, advice string) report.Failure {
	f := report.Failure{
		Subject: l.Identity.Subject, Visit: l.Identity.Visit, Study: l.Hash, Series: l.Series, Side: l.Side,
		Code: code, Reason: reason, Hint: advice, MemoryBytes: l.LeastMemory,
	}
	if l.Hash != "" {
		f.Folder, f.SharedFolder = l.Name(), r.alike[l.Name()]
	}
	return f
}

// fail lists a study that failed. Its earlier results are moved, unless the failure is due to a setting of the run, to
// the output folder or to an error that may pass: then they remain valid. A dry run moves nothing.
func (r *session) fail(l *intake.Line, err error) {
	if !r.Shard.has(l.Hash) {
		return // another shard lists it
	}
	if !r.Shard.whole() && outfile.Transient(err) {
		r.postpone(l, "not done: "+err.Error())
		return
	}
	if errors.As(err, new(*pipeline.SettingError)) || reasonOf(err) == report.ReasonDisk || outfile.Transient(err) {
		r.explained = append(r.explained, len(r.out.Failures))
	} else if !r.DryRun {
		r.ledger.displace(entry{Study: l.Hash, Series: l.Series, Side: l.Side}, "")
	}
	r.out.Failures = append(r.out.Failures, r.failure(l, reasonOf(err), err.Error(), hint.Find(err)))
	r.record.failed(l, err.Error())
	// The log omits the reason: all reasons are listed at the end of the run.
	r.log().Warn("study failed", "study", r.name(l))
}

// noteKept adds a remark to each failure in explained if the tables keep an earlier result of the study.
// Call it after all studies are done.
func (r *session) noteKept() {
	for _, n := range r.explained {
		f := &r.out.Failures[n]
		if f.Study != "" && r.ledger.holds(kneeThatFailed(*f)) {
			f.Reason += "; the earlier result of the study stays in the tables"
		}
	}
}

// postpone lists a study that is not done because the run ended.
func (r *session) postpone(l *intake.Line, reason string) {
	f := r.failure(l, report.ReasonNotDone, reason, "run again")
	f.NotDone = true
	r.out.NotDone = append(r.out.NotDone, f)
}
