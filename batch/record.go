package batch

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
)

// record is the audit record of a run. A nil record records nothing.
type record struct {
	log *audit.Log
	run string // names the run
	out string
	err error // the first event that could not be written
}

// startRecord opens the record of the output folder and writes the start of the run.
func (s Settings) startRecord() (*record, error) {
	log, err := audit.Open(s.Out)
	if err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	r := &record{log: log, run: rand.Text(), out: s.Out}
	e := audit.Event{Kind: audit.RunStarted, Version: pipeline.Version, Options: s.Options}
	e.Host, _ = os.Hostname() // unknown names are absent
	if u, err := user.Current(); err == nil {
		e.User = u.Username
	}
	r.add(e)
	return r, r.err
}

// add writes an event of the run. Its error is kept.
func (r *record) add(e audit.Event) {
	if r == nil {
		return
	}
	e.Run = r.run
	if err := r.log.Append(e); err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", audit.File, err)
	}
}

// done writes that a study has a new result.
func (r *record) done(result entry) {
	if r != nil {
		r.add(ofResult(audit.StudyDone, result))
	}
}

// superseded writes that a result was moved to folder.
func (r *record) superseded(result entry, folder, reason string) {
	if r != nil {
		e := ofResult(audit.Superseded, result)
		e.Folder, e.Reason = files.Below(r.out, folder), reason
		r.add(e)
	}
}

// ofResult describes a result by its identity and the hash of its result.json.
func ofResult(kind audit.Kind, result entry) audit.Event {
	return audit.Event{Kind: kind, Study: result.Study, Series: result.Series, Subject: result.Subject,
		Visit: result.Visit, Folder: result.Folder, Result: result.Sum}
}

// failed writes that a study has no result.
func (r *record) failed(l *intake.Line, reason string) {
	r.add(audit.Event{Kind: audit.StudyFailed, Study: l.Hash, Series: l.Series, Subject: l.Identity.Subject,
		Visit: l.Identity.Visit, Reason: reason})
}

// end writes the end of the run and closes the record.
func (r *record) end(o Outcome, err error) error {
	if r == nil {
		return nil
	}
	reason := fmt.Sprintf("%d mapped, %d failed, %d not done", o.Mapped, len(o.Failures), len(o.NotDone))
	if err != nil {
		reason += ": " + err.Error()
	}
	r.add(audit.Event{Kind: audit.RunEnded, Reason: reason})
	return errors.Join(r.err, r.log.Close())
}
