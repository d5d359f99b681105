package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/report"
)

// Run searches the roots, processes every study and writes the tables. A study
// that fails is in the outcome; the others go on. When ctx ends, the studies that
// are done stay and are in the tables, the others are listed as not done, and
// the error is ctx's. When the disk is full, likewise, and the error is a *DiskFullError.
//
// A study that has a new result, or has failed, loses its earlier one: its folder is
// moved to set-aside in the output folder. Where a setting of the run explains the failure, such as a
// series that it does not name, the earlier one stays.
//
// Other errors are those of the run as a whole: settings that make no sense, a
// folder that cannot be written, a *BusyError where another run writes into it, a *SettingsError
// where it holds results of other settings, a *NothingFoundError.
func Run(ctx context.Context, s Settings) (Outcome, error) {
	m, err := s.prepare()
	if err == nil && s.Out == "" {
		err = errors.New("no output folder is given")
	}
	if err == nil {
		s.Protocol.Segment, err = s.Protocol.Segment.identified(ctx)
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
	lock.unfinished = true
	defer found.Close() // what was unpacked of archives is no loss
	s.searched(found)
	out := Outcome{Passed: found.Passed, Files: found.Files, Remarks: treeNotes(found.Tree)}
	if !lock.held() {
		out.Remarks = append(out.Remarks, "the file system of the output folder knows no locks: take care that no other run writes into it")
	}
	jobs := s.plan(found, m, &out, earlier)
	if len(jobs) > 0 { // a mistyped setting that fits no study takes nothing away
		if err := s.replaceOthers(earlier); err != nil {
			return out, err
		}
	}
	place(jobs, earlier)
	for i := range jobs {
		jobs[i].Study.Release()
		if from := jobs[i].From; from != nil {
			from.Study.Release()
		}
	}
	s.tree, s.paths, s.strangers, found.Studies = nil, nil, nil, nil // only the jobs are needed from here on
	found.Tree.Forget()
	earlier.makeWay(jobs)
	err = s.processAll(ctx, jobs, &out, earlier)
	earlier.restore()
	tablesErr := s.writeTables(&out, earlier)
	lock.unfinished = tablesErr != nil
	return out, errors.Join(err, tablesErr) // what ended the run comes first, with its hint
}

// prepare checks the settings and the output folder, and reads the manifest.
func (s *Settings) prepare() (*manifest, error) {
	if err := errors.Join(s.Protocol.Check(), checkMaskPattern(s.Mask)); err != nil {
		return nil, err
	}
	for _, text := range []string{s.Series, s.layout(), s.Mask} {
		if !utf8.ValidString(text) {
			return nil, hint.Errorf("the terminal may use another encoding", "%q is not UTF-8", text)
		}
	}
	if s.Workers < 0 || s.MemoryMB < 0 {
		return nil, fmt.Errorf("workers %d, memory %d MiB: negative", s.Workers, s.MemoryMB)
	}
	if _, err := parseLayout(s.layout()); err != nil {
		return nil, err
	}
	if err := cmp.Or(s.Protocol.checkUsed(), s.prepareSegmenter()); err != nil {
		return nil, err
	}
	if s.Protocol.Scheme.Name == "" {
		return nil, hint.Errorf("name it with --scheme or in the protocol, for instance --scheme compartments", "no label scheme is given: what the mask's labels mean is never guessed")
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
			return dicomio.Finding{}, hint.Errorf("name the folder that holds the studies", "%w", &missingError{root})
		}
	}
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
		s.earlier = earlier.names
	}
	out.Remarks = append(out.Remarks, s.anchor(found.Studies)...)
	m.claim(found.Studies)
	named, unlisted := s.identifyAll(found.Studies, m, out, earlier)
	var jobs []Job
	var told []error // damaged files that the failure of a study names
	for _, j := range named {
		if err := s.choose(&j); err != nil {
			if spoiled := j.Study.Spoiled; len(spoiled) > 0 && errors.Is(err, spoiled[0]) {
				told = append(told, spoiled...)
			}
			out.fail(s, j, err, earlier)
			continue
		}
		if err := renamed(j, s.earlier); err != nil { // of the series that was chosen
			out.fail(s, j, ofSetting(err), earlier)
			continue
		}
		jobs = append(jobs, j)
	}
	jobs = s.carryMasks(s.identified(jobs, out, earlier), out, earlier)
	out.Remarks = append(out.Remarks, m.remarks(unlisted)...)
	if loose := slices.DeleteFunc(slices.Clone(found.Damaged), func(err error) bool { return slices.Contains(told, err) }); len(loose) > 0 {
		out.fail(s, Job{}, fmt.Errorf("%s%w", more(loose), loose[0]), earlier)
	}
	for _, err := range found.Damaged {
		out.Damaged = append(out.Damaged, problem(err))
	}
	unseen, outside := m.unseen(s.Roots)
	out.Remarks = append(out.Remarks, m.elsewhere(outside)...)
	for _, row := range unseen {
		out.fail(s, Job{Identity: row.Identity}, m.missing(row, unlisted), earlier)
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
			out.fail(s, j, ofSetting(err), earlier)
			continue
		}
		if err := renamed(j, s.earlier); err != nil {
			out.fail(s, j, ofSetting(err), earlier)
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, unlisted
}

// claim is a result of the job that is not there, with what says whose rows it would have.
func (j Job) claim() report.Result {
	return report.Result{Study: j.Study.Hash, Series: knownSeries(j), Side: sideOf(j)}
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
	var noMoving error // does not matter where the mask is that of another visit
	if j.Moving, noMoving = s.chooseMoving(*j); noMoving != nil && !s.carries(*j) {
		return noMoving
	}
	made := s.Protocol.Segment.Named() && j.Identity.Mask == "" && !s.carries(*j) // the manifest may name a corrected mask
	if made {
		if j.Input, err = s.chooseInput(*j); err != nil {
			return err
		}
		j.made = newMadeOnce()
	}
	if err := j.checkMemory(0); err != nil || made {
		return err
	}
	j.Mask, err = s.chooseMask(*j)
	if errors.As(err, new(*noMaskError)) && s.carries(*j) {
		j.carried, j.Moving = true, nil
		return nil
	}
	return cmp.Or(err, noMoving)
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
