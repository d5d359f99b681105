package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/report"
)

// Run searches the roots, processes every study and writes the tables. A study
// that fails is in the outcome; the others go on. When ctx ends, the studies that
// are done stay and are in the tables, the others are listed as not done, and
// the error is ctx's. When the disk is full, likewise, and the error is a *DiskFullError.
//
// A study that has a new result, or has failed, loses its earlier one: its folder is
// moved to set-aside in the output folder.
//
// Other errors are those of the run as a whole: settings that make no sense, a
// folder that cannot be written, a *BusyError where another run writes into it, a *SettingsError
// where it holds results of other settings, a *NothingFoundError.
func Run(ctx context.Context, s Settings) (Outcome, error) {
	m, err := s.prepare()
	if err == nil && s.Out == "" {
		err = errors.New("no output folder is given")
	}
	if err != nil {
		return Outcome{}, err
	}
	lock, earlier, err := s.open(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer lock.release()
	if err := s.checkAgreement(earlier); err != nil {
		return Outcome{}, err
	}
	found, err := s.find(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer found.Close() // what was unpacked of archives is no loss
	s.searched(found)
	out := Outcome{Passed: found.Passed, Files: found.Files, Remarks: treeNotes(found.Tree)}
	if !lock.held() {
		out.Remarks = append(out.Remarks, "the file system of the output folder knows no locks: take care that no other run writes into it")
	}
	s.replaceOthers(earlier)
	jobs := s.plan(found, m, &out, earlier)
	s.tree, s.paths, s.strangers, found.Studies = nil, nil, nil, nil // only the jobs are needed from here on
	found.Tree.Forget()
	earlier.makeWay(jobs)
	err = s.processAll(ctx, jobs, &out, earlier)
	return out, errors.Join(s.writeTables(&out, earlier), err)
}

// prepare checks the settings and the output folder, and reads the manifest.
func (s Settings) prepare() (*manifest, error) {
	if err := errors.Join(s.Protocol.Check(), checkMaskPattern(s.Mask)); err != nil {
		return nil, err
	}
	for _, text := range []string{s.Series, s.layout(), s.Mask} {
		if !utf8.ValidString(text) {
			return nil, hinted("the terminal may use another encoding", "%q is not UTF-8", text)
		}
	}
	if s.Workers < 0 || s.MemoryMB < 0 {
		return nil, fmt.Errorf("workers %d, memory %d MiB: negative", s.Workers, s.MemoryMB)
	}
	if _, err := parseLayout(s.layout()); err != nil {
		return nil, err
	}
	if s.Protocol.Scheme.Name == "" {
		return nil, hinted("name it with --scheme or in the protocol, for instance --scheme compartments", "no label scheme is given: what the mask's labels mean is never guessed")
	}
	if s.Out != "" {
		if err := writable(s.Out); err != nil {
			return nil, err
		}
	}
	if s.Manifest == "" {
		return nil, nil
	}
	return readManifest(s.Manifest, s.ManifestFormat)
}

// writable makes the folder and tries to write into it, before any work is done.
func writable(folder string) error {
	const hint = "choose another folder with --out, or check its permissions and free space"
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return hinted(hint, "output folder: %w", err)
	}
	f, err := os.CreateTemp(folder, ".t2map-*")
	if err != nil {
		return hinted(hint, "output folder: %w", err)
	}
	name := f.Name()
	return errors.Join(f.Close(), os.Remove(name))
}

// find searches the roots.
func (s Settings) find(ctx context.Context) (dicomio.Finding, error) {
	found, err := dicomio.Find(ctx, s.Roots, dicomio.FindOptions{Workers: s.Workers, Exclude: s.Out, PhilipsScaling: s.Protocol.PhilipsScaling, Progress: s.progress(StageHeaders)})
	if err != nil {
		return found, fmt.Errorf("find: %w", err)
	}
	if len(found.Studies) == 0 && len(found.Damaged) == 0 {
		return found, errors.Join(&NothingFoundError{Files: found.Files, Passed: found.Passed}, found.Close())
	}
	return found, nil
}

// plan answers the questions of every study; those with no answer fail here.
func (s Settings) plan(found dicomio.Finding, m *manifest, out *Outcome, earlier *ledger) []Job {
	if !s.Rename {
		s.earlier = earlier.identities()
	}
	out.Remarks = append(out.Remarks, s.anchor(found.Studies)...)
	m.claim(found.Studies)
	named, unlisted := s.identifyAll(found.Studies, m, out, earlier)
	var jobs []Job
	for _, j := range named {
		if err := s.choose(&j); err != nil {
			out.fail(s, j, err)
			earlier.settle(j.claim())
			continue
		}
		jobs = append(jobs, j)
	}
	jobs = s.identified(jobs, out, earlier)
	out.Remarks = append(out.Remarks, m.remarks(unlisted)...)
	if len(found.Damaged) > 0 {
		out.fail(s, Job{}, fmt.Errorf("%s%w", more(found.Damaged), found.Damaged[0]))
	}
	for _, err := range found.Damaged {
		out.Damaged = append(out.Damaged, problem(err))
	}
	for _, row := range m.unseen() {
		out.fail(s, Job{Identity: row.Identity}, row.missing(m.path))
	}
	place(s.Out, jobs)
	for i := range jobs {
		jobs[i].Study.Release()
	}
	return jobs
}

// identifyAll returns a job for each study that has an identity, and the studies that the manifest does
// not list. The others fail. A study under another name than before fails before anything else is
// asked of it, and its earlier results stay.
func (s Settings) identifyAll(studies []dicomio.Study, m *manifest, out *Outcome, earlier *ledger) (jobs []Job, unlisted []studyPlace) {
	for _, st := range studies {
		j := s.newJob(st)
		var err error
		if j.Identity, err = s.identify(st, m); errors.Is(err, errUnlisted) {
			unlisted = append(unlisted, placeOf(st))
			continue
		}
		for _, err := range st.Damaged {
			p := problem(err)
			p.Folder, p.Study, p.Alike = st.Name(), st.Hash, s.alike[st.Name()]
			out.Damaged = append(out.Damaged, p)
		}
		if err != nil {
			out.fail(s, j, err)
			earlier.settle(j.claim())
			continue
		}
		if err := renamed(j, s.earlier); err != nil {
			out.fail(s, j, err)
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, unlisted
}

// claim is a result of the job that is not there, with what says whose rows it would have.
func (j Job) claim() report.Result {
	return report.Result{Study: j.Study.Hash, Series: j.Train.Hash, Side: sideOf(j)}
}

// newJob returns a job about which nothing is known but its study.
func (s Settings) newJob(st dicomio.Study) Job {
	return Job{Study: st, Tree: s.tree, alike: s.alike[st.Name()], bound: s.bound()}
}

// choose answers the questions of a study whose identity is known. Where it fails, the job holds what
// is known so far.
func (s Settings) choose(j *Job) (err error) {
	if j.Train, err = s.chooseTrain(j.Study, j.Identity.Side); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	j.Anatomy = s.chooseAnatomy(*j)
	if err := j.Train.CheckWritten(); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := j.checkMemory(0); err != nil {
		return err
	}
	j.Mask, err = s.chooseMask(*j)
	return err
}

// place gives every job a folder of its own: subject/visit, with the series' hash
// where the study has several trains, and the study's where two studies share
// subject and visit. Names are compared without case, as the file systems of
// Windows and macOS do.
func place(out string, jobs []Job) {
	name := func(j Job) string {
		visit := folderName(cmp.Or(j.Identity.Visit, "study"))
		if len(j.Study.Trains) > 1 {
			visit += "-" + j.Train.Hash
		}
		return filepath.Join(folderName(j.Identity.Subject), visit)
	}
	count := map[string]int{}
	for _, j := range jobs {
		count[strings.ToLower(name(j))]++
	}
	for i, j := range jobs {
		dir := name(j)
		if count[strings.ToLower(dir)] > 1 {
			dir += "-" + j.Study.Hash
		}
		jobs[i].Dir = filepath.Join(out, dir)
	}
}

// reserved are names that Windows keeps for devices, whatever their ending, and
// the tables and other folders beside the studies' folders.
var reserved = []string{"compartments", "studies", "index", asideFolder, "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9"}

// folderName makes a name that every file system takes of a text from a header:
// letters, digits, dot, dash and underscore stay.
func folderName(text string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(text, "_"))
	if r := []rune(name); len(r) > 64 {
		name = string(r[:64])
	}
	name = strings.TrimRight(name, ".")
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	if name == "" || strings.HasPrefix(name, ".") || slices.Contains(reserved, stem) {
		name = "_" + name
	}
	return name
}

// inFlight is the number of studies worked on at a time: while one is fitted the
// next is read.
const inFlight = 2

// DiskFullError says that a run ended because there was no more room for its results.
type DiskFullError struct {
	// Err is what the system said first.
	Err error
}

// Error says so.
func (e *DiskFullError) Error() string { return fmt.Sprintf("the run was stopped: %v", e.Err) }

// Unwrap returns what the system said.
func (e *DiskFullError) Unwrap() error { return e.Err }

// processAll processes the jobs; it and both are the places of the package that
// work in parallel. Its error is what ended it before all was done.
func (s Settings) processAll(ctx context.Context, jobs []Job, out *Outcome, earlier *ledger) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	budget := s.concurrentMemory()
	defer limitCollector(budget, jobs, s.Workers)()
	memory := semaphore.NewWeighted(budget)
	progress := s.progress(StageStudies)
	if progress == nil {
		progress = func(int, int) {}
	}
	var mu sync.Mutex
	done := 0
	results := make([]*report.Result, len(jobs))
	finish := func(n int, r report.Result, err error) {
		mu.Lock()
		defer mu.Unlock()
		done++
		switch {
		case outfile.Full(err):
			stop(hinted("make room, for instance on the disk of the output folder or of TMPDIR, and run again; what is done is in the tables", "%w", &DiskFullError{err}))
			out.leave(jobs[n], "not done: there was no room for its results")
		case errors.Is(err, errInterrupted):
			out.leave(jobs[n], err.Error())
		case err != nil:
			out.fail(s, jobs[n], err)
			earlier.settle(jobs[n].claim())
		default:
			results[n] = &r
			earlier.settle(r)
			s.log().Info("study done", "study", jobs[n].name(), "folder", jobs[n].Dir)
		}
		jobs[n] = Job{} // its headers make room
		progress(done, len(jobs))
	}
	progress(0, len(jobs))
	var g errgroup.Group
	g.SetLimit(inFlight)
	if s.Workers == 1 {
		g.SetLimit(1)
	}
	for n := range jobs {
		need := min(jobs[n].memory(s.Workers), budget)
		if memory.Acquire(ctx, need) != nil {
			finish(n, report.Result{}, errInterrupted)
			continue
		}
		g.Go(func() error {
			defer memory.Release(need)
			r, err := s.process(ctx, jobs[n])
			finish(n, r, err)
			return nil
		})
	}
	_ = g.Wait() // failures are in the outcome
	for _, r := range results {
		if r != nil {
			out.Results = append(out.Results, *r)
		}
	}
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// both calls two functions side by side and returns the first one's error, else
// the second's. The second runs where the caller does, which may recover from it.
func both(first, second func() error) error {
	var g errgroup.Group
	g.Go(first)
	err := second()
	return cmp.Or(g.Wait(), err)
}

var errInterrupted = errors.New("not done: the run was interrupted")

// process is Process for a job of a run. What goes wrong in it, even a panic in
// a library, is this study's.
func (s Settings) process(ctx context.Context, j Job) (r report.Result, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			s.log().Debug("panic", "study", j.name(), "value", panicked)
			err = hinted("please report this study's kind of data", "internal error")
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			err = errInterrupted
		}
	}()
	if err := notAnothers(j); err != nil {
		return r, err
	}
	return Process(ctx, j, s.Protocol, s.Workers)
}

// notAnothers asks that the job's folder, where it is there, holds results of the
// same study and knee, which the new ones may replace.
func notAnothers(j Job) error {
	old, err := report.ReadResult(filepath.Join(j.Dir, report.ResultFile))
	if err == nil && !sameRows(old, j.claim()) {
		return hinted("choose another folder with --out", "results: the folder %s holds the results of another series, %s of study %s", filepath.Join(filepath.Base(filepath.Dir(j.Dir)), filepath.Base(j.Dir)), old.Series, old.Study)
	}
	return nil
}

// name names a job for people.
func (j Job) name() string {
	if j.Study.Hash == "" {
		return cmp.Or(j.Identity.Subject, "unknown")
	}
	if j.alike {
		return fmt.Sprintf("%s (%s)", j.Study.Name(), j.Study.Hash)
	}
	return j.Study.Name()
}

// fail lists a study that could not be done.
func (o *Outcome) fail(s Settings, j Job, err error) {
	f := report.Failure{Subject: j.Identity.Subject, Visit: j.Identity.Visit, Study: j.Study.Hash, Reason: err.Error(), Hint: Hint(err), Alike: j.alike}
	if j.Study.Hash != "" {
		f.Folder = j.Study.Name()
	}
	o.Failures = append(o.Failures, f)
	// The reasons are listed together at the end.
	s.log().Warn("study failed", "study", j.name())
}

// leave lists a study with which nothing is wrong and that is not done.
func (o *Outcome) leave(j Job, why string) {
	o.NotDone = append(o.NotDone, report.Failure{Subject: j.Identity.Subject, Visit: j.Identity.Visit, Study: j.Study.Hash, Folder: j.Study.Name(), Reason: why, Hint: "run again", NotDone: true})
}
