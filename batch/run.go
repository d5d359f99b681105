package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// Run searches the roots, processes every study and writes the tables. A study
// that fails is in the outcome; the others go on. When ctx ends, the studies that
// are done stay and are in the tables, the others are listed as not done, and
// the error is ctx's. When the disk is full, likewise, and the error is a *DiskFullError.
//
// A study that has a new result, or has failed, loses its earlier one: its folder is
// moved to set-aside in the output folder. If a setting of the run explains the failure, such as a
// series that it does not name, the earlier one stays.
//
// Other errors are those of the run as a whole: settings that make no sense, a
// folder that cannot be written, a *BusyError where another run writes into it, a *SettingsError
// where it holds results of other settings, a *NothingFoundError.
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
	lock.unfinished = true
	defer search.Close() // files left over from archives do no harm
	r := &session{Settings: s, intake: in, ledger: earlier, alike: alikeNames(search.Studies)}
	r.out = Outcome{Passed: search.Passed, Files: search.Files, Remarks: treeNotes(search.Tree)}
	if !lock.held() {
		r.remark("the file system of the output folder knows no locks: take care that no other run writes into it")
	}
	jobs := r.plan(search)
	if len(jobs) > 0 { // a mistyped setting that fits no study takes nothing away
		s.replaceOthers(earlier, fit)
	}
	place(jobs, earlier)
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
	return r.out, errors.Join(err, tablesErr) // what ended the run comes first, with its hint
}

// session is one run: its settings, what it looks at, and what became of that so far.
type session struct {
	Settings
	intake *intake.Intake
	ledger *ledger
	// alike are the names that several studies go by, since they share a folder.
	alike map[string]bool
	out   Outcome
	// explained are the indices of the failures that a setting explains.
	explained []int
}

func (r *session) remark(text ...string) { r.out.Remarks = append(r.out.Remarks, text...) }

// alikeNames reports of each name whether several studies go by it.
func alikeNames(studies []dicomio.Study) map[string]bool {
	alike := map[string]bool{}
	for _, st := range studies {
		_, again := alike[st.Name()]
		alike[st.Name()] = again
	}
	return alike
}

// prepare checks the settings and the output folder, reads the manifest and finds the program that makes
// masks, the scheme of whose labels becomes that of the run.
func (s *Settings) prepare() (*intake.Intake, error) {
	if s.Workers < 0 || s.MemoryMB < 0 {
		return nil, fmt.Errorf("workers %d, memory %d MiB: negative", s.Workers, s.MemoryMB)
	}
	in, err := intake.New(s.rules())
	if err != nil {
		return nil, err
	}
	s.Protocol = in.Protocol
	if s.Protocol.Scheme.Name == "" {
		return nil, hint.Errorf("name it with --scheme or in the protocol, for instance --scheme compartments",
			"no label scheme is given: what the mask's labels mean is never guessed")
	}
	if s.Out != "" {
		err = writable(s.Out)
	}
	return in, err
}

// writable makes the folder and tries to write into it, before any work is done.
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
		err = nil // another run has swept it away, see report.Sweep
	}
	return err
}

// find searches the roots.
func (s Settings) find(ctx context.Context) (dicomio.Finding, error) {
	for _, root := range s.Roots {
		if _, err := os.Stat(root); errors.Is(err, os.ErrNotExist) {
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

// plan answers the questions of every study; those with no answer fail here.
func (r *session) plan(search dicomio.Finding) []pipeline.Job {
	known := r.ledger.names
	if r.Rename {
		known = nil
	}
	r.remark(r.intake.Take(search, known)...)
	var jobs []pipeline.Job
	var named []error // damaged files that the failure of a study names
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
	loose := slices.DeleteFunc(slices.Clone(search.Damaged), func(err error) bool {
		return slices.Contains(named,
			err)
	})
	if len(loose) > 0 {
		r.fail(pipeline.Job{}, fmt.Errorf("%s%w", intake.SeveralFiles(loose), loose[0]))
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

// identifyAll returns a job for each study that has an identity and is not to be passed over. The others
// fail. A study under another name than before fails before anything else is asked of it, and its earlier
// results stay.
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

// sound returns the jobs whose identity can be right beside the others; the rest fail, and their earlier
// results stay in the tables.
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

// carryMasks gives the jobs that have no mask the job of the visit whose mask is carried, and fails those
// for which there is none.
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

// claim is a result of the job that is not there, with what says whose rows it would have.
func claim(j pipeline.Job) report.Result {
	return report.Result{Study: j.Study.Hash, Series: intake.KnownSeries(j), Side: j.Side()}
}

// name names a job for people.
func (r *session) name(j pipeline.Job) string {
	if j.Study.Hash == "" {
		return cmp.Or(j.Identity.Subject, "unknown")
	}
	if r.alike[j.Study.Name()] {
		return fmt.Sprintf("%s (%s)", j.Study.Name(), j.Study.Hash)
	}
	return j.Study.Name()
}
