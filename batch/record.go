package batch

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"sync"
	"time"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/internal/machine"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/t2fit"
)

// record is the audit record of a run. A nil record records nothing.
type record struct {
	log *audit.Log
	run string // names the run
	out string

	mu     sync.Mutex
	err    error                // of the first event that could not be written
	starts map[string]time.Time // of the studies in progress, by hash; a run has one job for each study
}

// started notes the start of the work on a study.
func (r *record) started(j pipeline.Job) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts[j.Study.Hash] = time.Now()
}

// measured adds the time and the memory of a study to its event, if its start was noted.
func (r *record) measured(e audit.Event) audit.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if start, ok := r.starts[e.Study]; ok {
		delete(r.starts, e.Study)
		e.Seconds = max(0.001, time.Since(start).Round(time.Millisecond).Seconds())
		e.PeakBytes = machine.Peak()
	}
	return e
}

// openRecord opens the record of the output folder.
func (s Settings) openRecord() (*record, error) {
	log, err := audit.Open(s.Out)
	if err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	return &record{log: log, run: rand.Text(), out: s.Out, starts: map[string]time.Time{}}, nil
}

// startRecord opens the record of the output folder and writes the start of a run with the fit.
func (s Settings) startRecord(fit t2fit.Resolved) (*record, error) {
	r, err := s.openRecord()
	if err != nil {
		return nil, err
	}
	_ = r.add(signed(audit.Event{Kind: audit.RunStarted, Version: pipeline.Version,
		Protocol: s.Protocol.Record(fit).SHA256, Options: s.Options}))
	return r, r.err
}

// signed returns the event with the user and the host. Unknown names are absent.
func signed(e audit.Event) audit.Event {
	e.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		e.User = u.Username
	}
	return e
}

// add writes an event of the run. Its first error is kept for the end of the run, and returned.
func (r *record) add(e audit.Event) error {
	if r == nil {
		return nil
	}
	e.Run = r.run
	err := r.log.Append(e)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", audit.File, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = cmp.Or(r.err, err)
	return err
}

// done writes that a study has a new result. It is called before the result gets its folder, because the record of a
// run that is killed must have all results that are there: a result that only the record has is mapped again.
func (r *record) done(result entry) error {
	if r == nil {
		return nil
	}
	return r.add(r.measured(ofResult(audit.StudyDone, result)))
}

// tables writes the hashes of the tables.
func (r *record) tables() error {
	if r == nil {
		return nil
	}
	names, err := tableFiles(r.out)
	if err != nil {
		return err
	}
	e := signed(audit.Event{Kind: audit.TablesWritten, Version: pipeline.Version, Files: map[string]string{}})
	for _, name := range names {
		if e.Files[name], err = fileHash(filepath.Join(r.out, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return r.add(e)
}

// superseded writes that a result was moved to folder.
func (r *record) superseded(result entry, folder, reason string) {
	if r != nil {
		e := ofResult(audit.Superseded, result)
		e.Folder, e.Reason = files.Below(r.out, folder), reason
		_ = r.add(e)
	}
}

// ofResult describes a result by its identity and the hash of its result.json.
func ofResult(kind audit.Kind, result entry) audit.Event {
	return audit.Event{Kind: kind, Study: result.Study, Series: result.Series, Subject: result.Subject,
		Visit: result.Visit, Folder: result.Folder, Result: result.Sum.String()}
}

// failed writes that a study has no result.
func (r *record) failed(l *intake.Line, reason string) {
	if r != nil {
		_ = r.add(r.measured(audit.Event{Kind: audit.StudyFailed, Study: l.Hash, Series: l.Series,
			Subject: l.Identity.Subject, Visit: l.Identity.Visit, Reason: reason}))
	}
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
	_ = r.add(audit.Event{Kind: audit.RunEnded, Reason: reason})
	return errors.Join(r.err, r.log.Close())
}
