package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// Run searches the roots, processes every study and writes the tables. A study that fails is in the outcome and does
// not stop the others. If ctx ends, finished studies are in the tables, the others are listed as not done, and the
// error is that of ctx. The same happens if the disk is full; the error is then a *DiskFullError.
//
// If a study has a new result, or fails, its earlier result is moved to set-aside in the output folder. The earlier
// result is kept if the failure is due to a setting, such as a series that no study has.
//
// Other errors concern the whole run: invalid settings, a folder that cannot be written, a *BusyError if another run
// writes to it, a *SettingsError if it holds results with other settings, a *NothingFoundError if there are no
// studies.
func Run(ctx context.Context, s Settings) (Outcome, error) {
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
	if err := s.checkAgreement(earlier, fit); err != nil {
		return Outcome{}, err
	}
	search, err := s.find(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if lock != nil {
		lock.unfinished = true
	}
	defer search.Close() // an error leaves temporary files only
	r := &session{Settings: s, intake: in, ledger: earlier, alike: alikeNames(search.Studies)}
	r.out = Outcome{Passed: search.Passed, Files: search.Files, Remarks: treeNotes(search.Tree)}
	if !lock.held() && !s.DryRun {
		r.remark("the file system of the output folder does not support locks: make sure that no other run writes " +
			"to it")
	}
	if !s.DryRun {
		if r.record, err = s.startRecord(); err != nil {
			return Outcome{}, err
		}
		earlier.record = r.record
	}
	jobs := r.plan(search)
	if len(jobs) > 0 && !s.DryRun { // if no study fits the settings, they may be mistyped: keep the results
		s.replaceOthers(earlier, fit)
	}
	place(jobs, earlier)
	if jobs, err = r.resume(ctx, jobs, search.Tree); err != nil || s.DryRun {
		return r.out, errors.Join(err, r.record.end(r.out, err))
	}
	for i := range jobs {
		jobs[i].Study.Release()
		if source := jobs[i].MaskSource; source != nil {
			source.Study.Release()
		}
	}
	in.Forget() // only the jobs are needed from here on
	search.Studies = nil
	search.Tree.Forget()
	earlier.makeWay(jobs)
	err = r.processAll(ctx, jobs)
	earlier.restore()
	tablesErr := r.writeTables()
	lock.unfinished = tablesErr != nil
	err = errors.Join(err, tablesErr) // the hint is that of the first error
	return r.out, errors.Join(err, r.record.end(r.out, err))
}

// session is the state of one run.
type session struct {
	Settings
	mu     sync.Mutex // guards the outcome and the ledger
	intake *intake.Intake
	ledger *ledger
	record *record
	// alike holds the names that several studies share because they are in one folder.
	alike map[string]bool
	out   Outcome
	// explained are the indices of the failures that are due to a setting.
	explained []int
}

func (r *session) remark(text ...string) { r.out.Remarks = append(r.out.Remarks, text...) }

// alikeNames reports for each name whether several studies have it.
func alikeNames(studies []dicomio.Study) map[string]bool {
	alike := map[string]bool{}
	for _, st := range studies {
		_, again := alike[st.Name()]
		alike[st.Name()] = again
	}
	return alike
}

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
	if s.Protocol.Scheme.Name == "" {
		return nil, hint.Errorf("name it with --scheme or in the protocol, for instance --scheme compartments",
			"no label scheme is given: t2map does not guess the meaning of the mask's labels")
	}
	if s.Out != "" && !s.DryRun {
		err = writable(s.Out)
	}
	return in, err
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

// find searches the roots.
func (s Settings) find(ctx context.Context) (dicomio.Finding, error) {
	for _, root := range s.Roots {
		if _, err := files.Stat(ctx, root); errors.Is(err, os.ErrNotExist) {
			return dicomio.Finding{}, hint.Errorf("name the folder that holds the studies", "%w",
				&protocol.MissingError{Path: root})
		}
	}
	search, err := dicomio.Find(ctx, s.Roots, dicomio.FindOptions{Workers: s.Workers, Exclude: s.Out,
		PhilipsScaling: s.Protocol.PhilipsScaling, Progress: s.progress(StageHeaders)})
	if err != nil {
		return search, fmt.Errorf("find: %w", err)
	}
	if len(search.Studies) == 0 && len(search.Damaged) == 0 {
		return search, errors.Join(&NothingFoundError{Files: search.Files, Passed: search.Passed}, search.Close())
	}
	return search, nil
}

// plan returns a job for each study, with its identity, series and mask. A study without one of these fails.
func (r *session) plan(search dicomio.Finding) []pipeline.Job {
	known := r.ledger.names
	if r.Rename {
		known = nil
	}
	r.remark(r.intake.Take(search, known)...)
	var jobs []pipeline.Job
	var named []error // damaged files that are the reason for the failure of a study
	for _, j := range r.identifyAll(search.Studies) {
		if err := r.intake.Choose(&j); err != nil {
			if spoiled := j.Study.Spoiled; len(spoiled) > 0 && errors.Is(err, spoiled[0]) {
				named = append(named, spoiled...)
			}
			r.fail(j, err)
			continue
		}
		jobs = append(jobs, j)
	}
	jobs = r.carryMasks(r.sound(jobs))
	r.remark(r.intake.Remarks()...)
	others := slices.DeleteFunc(slices.Clone(search.Damaged),
		func(err error) bool { return slices.Contains(named, err) })
	if len(others) > 0 {
		r.fail(pipeline.Job{}, fmt.Errorf("%s%w", intake.SeveralFiles(others), others[0]))
	}
	for _, err := range search.Damaged {
		r.out.Damaged = append(r.out.Damaged, problem(err))
	}
	missing, remarks := r.intake.Missing(r.Roots)
	r.remark(remarks...)
	for _, m := range missing {
		r.fail(pipeline.Job{Identity: m.Identity}, m.Err)
	}
	return jobs
}

// identifyAll returns a job for each study that has an identity. The others fail, except that a study that is not in
// the manifest is ignored. A study whose name has changed fails here, before its series and its mask are looked for,
// and its earlier results are kept.
func (r *session) identifyAll(studies []dicomio.Study) (jobs []pipeline.Job) {
	for _, st := range studies {
		j, err := r.intake.Identify(st)
		if errors.Is(err, intake.ErrUnlisted) {
			continue
		}
		for _, err := range st.Damaged {
			p := problem(err)
			p.Folder, p.Study, p.Alike = st.Name(), st.Hash, r.alike[st.Name()]
			r.out.Damaged = append(r.out.Damaged, p)
		}
		if err != nil {
			r.fail(j, err)
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// sound returns the jobs whose identities are consistent with each other and with the earlier results. The others
// fail, and the tables keep their earlier results.
func (r *session) sound(jobs []pipeline.Job) (sound []pipeline.Job) {
	verdicts, remarks := intake.Compare(jobs, r.ledger.identities())
	for n, v := range verdicts {
		jobs[n].Identity.Warnings = append(jobs[n].Identity.Warnings, v.Warnings...)
		if v.Err != nil {
			r.fail(jobs[n], v.Err)
			continue
		}
		sound = append(sound, jobs[n])
	}
	r.remark(remarks...)
	return sound
}

// carryMasks assigns to each job without a mask the job of the visit from which its mask is carried. A job for which
// there is none fails.
func (r *session) carryMasks(jobs []pipeline.Job) (kept []pipeline.Job) {
	for _, j := range jobs {
		if j.Carried {
			var err error
			if j.MaskSource, err = intake.MaskSource(jobs, j, r.Protocol.Masks.Visit); err != nil {
				r.fail(j, pipeline.Explained(err))
				continue
			}
		}
		kept = append(kept, j)
	}
	return kept
}

// claim returns an empty result with the identity of the rows that the job would have in the tables.
func claim(j pipeline.Job) report.Result {
	return report.Result{Study: j.Study.Hash, Series: intake.KnownSeries(j), Side: j.Side()}
}

// name returns the name of a job in messages.
func (r *session) name(j pipeline.Job) string {
	if j.Study.Hash == "" {
		return cmp.Or(j.Identity.Subject, "unknown")
	}
	if r.alike[j.Study.Name()] {
		return fmt.Sprintf("%s (%s)", j.Study.Name(), j.Study.Hash)
	}
	return j.Study.Name()
}
