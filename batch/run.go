package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/t2fit"
)

// Run searches the roots, processes every study and writes the tables. A study that fails is in the outcome and does
// not stop the others. If ctx ends, finished studies are in the tables, the others are listed as not done, and the
// error is that of ctx. The same happens if the disk is full; the error is then a *DiskFullError.
//
// If a study has a new result, or fails, its earlier result is moved to superseded in the output folder. The earlier
// result is kept if the failure is due to a setting, such as a series that no study has.
//
// Other errors concern the whole run: invalid settings, a folder that cannot be written, a *BusyError if another run
// writes to it, a *SettingsError if it holds results with other settings, a *NothingFoundError if there are no
// studies.
func Run(ctx context.Context, s Settings) (Outcome, error) {
	collector := tightenCollector()
	defer collector.restore()
	in, err := s.prepare()
	if err == nil && s.Out == "" {
		err = errors.New("no output folder is given")
	}
	if err == nil {
		s.Protocol.Segment, err = s.Protocol.Segment.Identify(ctx)
	}
	if err != nil {
		return Outcome{}, err
	}
	fit, err := s.Protocol.Fit.Resolve()
	if err != nil {
		return Outcome{}, err
	}
	lock, earlier, err := s.open(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer lock.release()
	unlock, err := s.lockShard(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer unlock()
	if err := s.checkAgreement(earlier, fit); err != nil {
		return Outcome{}, err
	}
	r := &session{Settings: s, intake: in, ledger: earlier, inputs: map[string]knownInputs{}, collector: collector}
	if !s.Rename {
		in.Earlier = earlier.identities()
	}
	planned, err := s.lockPlan(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer planned()
	cohort, err := r.survey(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer cohort.close() // an error leaves temporary files only
	if lock != nil {
		lock.unfinished = true
	}
	if !lock.held() && !s.DryRun {
		r.remark("the file system of the output folder does not support locks: make sure that no other run writes " +
			"to it")
	}
	if !s.DryRun {
		if r.record, err = s.startRecord(fit); err != nil {
			return Outcome{}, err
		}
		earlier.record = r.record
	}
	left, err := r.choose(ctx, cohort, fit)
	if err != nil || s.DryRun {
		return r.out, errors.Join(err, r.record.end(r.out, err))
	}
	planned()
	r.ledger.makeWay(left)
	q := r.enqueue(cohort, left)
	collector.mapping(cohort.forgotten)
	err = r.mapAll(ctx, cohort, q)
	q.close()
	r.ledger.restore()
	tablesErr := r.finish(cohort)
	lock.unfinished = tablesErr != nil || !s.Shard.whole()
	err = errors.Join(err, tablesErr) // the hint is that of the first error
	return r.out, errors.Join(err, r.record.end(r.out, err))
}

// choose plans the run and returns the studies that must be mapped.
func (r *session) choose(ctx context.Context, c *cohort, fit t2fit.Resolved) ([]*study, error) {
	if err := r.recallShard(c); err != nil {
		return nil, err
	}
	for _, part := range c.chunks {
		r.count(part)
	}
	r.remark(r.notes.text()...)
	if err := r.settle(ctx, c); err != nil {
		return nil, err
	}
	studies := r.plan(c)
	if len(studies) > 0 && !r.DryRun { // if no study fits the settings, they may be mistyped: keep the results
		r.replaceOthers(fit)
	}
	place(studies, r.ledger)
	if err := r.checkFolders(studies); err != nil {
		return nil, err
	}
	left, err := r.resume(ctx, c, studies)
	if err == nil && !r.DryRun && (len(left) > mostWaiting || !c.recalled() && (!r.Shard.whole() || !c.isSmall())) {
		err = r.writeIndex(c) // for the other shards, for the next run if this one is killed, and see cohort.forget
	}
	if err == nil {
		err = r.sharePlan()
	}
	return left, err
}

// finish writes the tables and the state of the output folder, or the state of the shard. The cohort is not used
// afterwards.
func (r *session) finish(c *cohort) error {
	if r.unlisted != nil && !r.Shard.whole() {
		return r.unlisted // without its state, Merge takes the shard for missing
	}
	if !r.Shard.whole() {
		return r.writeShard()
	}
	indexErr := c.close()
	if c.forgotten {
		indexErr = errors.Join(indexErr, r.noteInputs(r.newInputs))
	} else {
		indexErr = errors.Join(indexErr, r.writeIndex(c))
	}
	// Its lines would take as much memory as the tables. What was needed to map studies is freed, too.
	*c = cohort{}
	r.collector.tabulating()
	return errors.Join(r.unlisted, r.writeTables(), indexErr, r.writeEntries(), r.writeRoots(), r.removeShards())
}

// session is the state of one run.
type session struct {
	Settings
	mu     sync.Mutex // guards the outcome and the ledger
	intake *intake.Intake
	ledger *ledger
	record *record
	// alike holds the names that several studies share because they are in one folder.
	alike     map[string]bool
	notes     notes
	out       Outcome
	collector *collector
	// inputs is what a shard knows of the inputs of its studies.
	inputs map[string]knownInputs
	// planSum is the hash of all studies of the run, see planSum.
	planSum string
	// explained are the indices of the failures after which the earlier result of the study stays, see fail.
	explained []int
	// unlisted is the reason why studies that are not done are not in the outcome.
	unlisted error
}

func (r *session) remark(text ...string) { r.out.Remarks = append(r.out.Remarks, text...) }

// prepare checks the settings and the output folder, reads the manifest and finds the program that makes masks. The
// scheme of this program, if there is one, becomes that of the run.
func (s *Settings) prepare() (*intake.Intake, error) {
	if s.Workers < 0 || s.MemoryMB < 0 || s.MaxFailures < 0 {
		return nil, fmt.Errorf("negative setting: %d workers, %d MiB of memory, %d failures", s.Workers, s.MemoryMB,
			s.MaxFailures)
	}
	in, err := intake.New(s.rules())
	if err != nil {
		return nil, err
	}
	s.Protocol = in.Protocol
	s.Progress = oneAtATime(s.Progress)
	if s.Protocol.Scheme.Name == "" {
		return nil, hint.Errorf("name it with --scheme or in the protocol, for instance --scheme compartments",
			"no label scheme is given: t2map does not guess the meaning of the mask's labels")
	}
	if s.Out != "" && !s.DryRun {
		err = cmp.Or(writable(s.Out), checkState(s.Out))
	}
	if err = cmp.Or(err, s.Shard.check()); err == nil {
		err = s.findSigned(in)
	}
	return in, err
}

// checkState returns an error if the state folder, or the folder of shards in it, is a link, which may lead to files of
// another user, or a file.
func checkState(out string) error {
	for _, folder := range []string{stateFolder, filepath.Join(stateFolder, shardFolder)} {
		if info, err := os.Lstat(filepath.Join(out, folder)); err == nil && !info.IsDir() {
			return hint.Errorf("remove "+filepath.ToSlash(folder)+" from the output folder",
				"output folder: %s is a link or not a folder", filepath.ToSlash(folder))
		}
	}
	return nil
}

// writable creates the folder and tries to write to it, before any work is done.
func writable(folder string) error {
	const advice = "choose another folder with --out, or check its permissions and free space"
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return hint.Errorf(advice, "output folder: %w", err)
	}
	f, err := os.CreateTemp(folder, report.ProbePattern)
	if err != nil {
		return hint.Errorf(advice, "output folder: %w", err)
	}
	err = errors.Join(f.Close(), os.Remove(f.Name()))
	if errors.Is(err, os.ErrNotExist) {
		err = nil // another run has removed it, see report.Sweep
	}
	return err
}

// find searches the roots at once.
func (s Settings) find(ctx context.Context) (dicomio.Finding, error) {
	if err := s.checkRoots(ctx); err != nil {
		return dicomio.Finding{}, err
	}
	search, err := dicomio.Find(ctx, s.Roots, s.findOptions())
	if err != nil {
		return search, fmt.Errorf("find: %w", err)
	}
	if len(search.Studies) == 0 && len(search.Damaged) == 0 {
		return search, errors.Join(&NothingFoundError{Files: search.Files, Passed: search.Passed}, search.Close())
	}
	return search, nil
}

// name returns the name of a study in messages.
func (r *session) name(l *intake.Line) string {
	if l.Hash == "" {
		return cmp.Or(l.Identity.Subject, "unknown")
	}
	if r.alike[l.Name()] {
		return fmt.Sprintf("%s (%s)", l.Name(), l.Hash)
	}
	return l.Name()
}
