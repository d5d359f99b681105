package intake

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/table"
)

// Rules say how the questions about a study are answered: who it is, which of its series is mapped, which
// file is its mask.
type Rules struct {
	// Protocol is what the trial fixes.
	Protocol protocol.Protocol
	// Manifest is a CSV of study folders, or "", and ManifestFormat its form; the zero value is a CSV with
	// commas in UTF-8.
	Manifest       string
	ManifestFormat table.Format
	// AcceptPatientID takes PatientID and ClinicalTrialSubjectID as they are, though they repeat the
	// patient's name or hold a date.
	AcceptPatientID bool
	// Layout is a pattern of study folders below a root, such as {subject}/{visit}, or ""; it goes before
	// the protocol's.
	Layout string
	// Series picks the series in every study: a series number, the beginning (six digits or more) of its
	// hash or a pattern of its description; "" leaves it to the protocol.
	Series string
	// Anatomy picks the series that maps are shown over, in the same words; "" leaves it to the protocol,
	// and there to the first echo of the series that is mapped.
	Anatomy string
	// Mask is a pattern of the mask's file name, or of its path below the study's folder; it goes before
	// the protocol's. "" means the usual names of label maps, or the DICOM mask that was drawn on the
	// series.
	Mask string
	// Memory is what a study may take.
	Memory pipeline.Bound
}

// Intake applies rules to the studies of one search.
type Intake struct {
	Rules
	manifest *manifest // nil if there is none
	unlisted []studyPlace

	tree *files.Tree
	// paths are the files of the tree, and strangers those that are not DICOM, both sorted.
	paths, strangers []string
	// levels says for each root how many folders above it the layout begins, see layout.levelsAbove.
	levels map[string]int
	// earlier are the studies whose results are there already.
	earlier Earlier
}

// New checks the rules, finds the program that makes masks, and reads the manifest. The protocol of
// the intake has the scheme of that program's labels.
func New(r Rules) (*Intake, error) {
	in := &Intake{Rules: r}
	if err := errors.Join(r.Protocol.Check(), protocol.CheckMaskPattern(r.Mask)); err != nil {
		return nil, err
	}
	for _, text := range []string{r.Series, in.layout(), r.Mask} {
		if !utf8.ValidString(text) {
			return nil, hint.Errorf("the terminal may use another encoding", "%q is not UTF-8", text)
		}
	}
	if _, err := parseLayout(in.layout()); err != nil {
		return nil, err
	}
	if err := cmp.Or(r.Protocol.CheckUsed(), in.prepareSegmenter()); err != nil {
		return nil, err
	}
	if r.Manifest == "" {
		return in, nil
	}
	var err error
	in.manifest, err = readManifest(r.Manifest, r.ManifestFormat)
	return in, err
}

// Take notes what a search found, before a question about any of its studies is asked. earlier are the
// studies whose results are there already, and which keep their names; it may be nil. The remarks say
// from which folder on a layout is matched.
func (s *Intake) Take(search dicomio.Finding, earlier Earlier) (remarks []string) {
	s.earlier = earlier
	s.tree, s.paths = search.Tree, nil
	for _, e := range search.Tree.Entries() {
		if e.Err == nil { // what cannot be listed is reported by its reader
			s.paths = append(s.paths, e.Path)
		}
	}
	slices.Sort(s.paths)
	s.strangers = slices.Sorted(slices.Values(search.Strangers))
	s.manifest.claim(search.Studies)
	return s.anchor(search.Studies)
}

// Forget drops what Take has noted, once the jobs are known.
func (s *Intake) Forget() { s.tree, s.paths, s.strangers = nil, nil, nil }

// Searched reports whether a file is one of those that the search has found.
func (s *Intake) Searched(path string) bool {
	_, ok := slices.BinarySearch(s.paths, path)
	return ok
}

// Job answers all questions about a study that Take was given. It is ErrUnlisted where the manifest does
// not list the study. A job whose mask is Carried needs that of another visit, see MaskSource.
func (s *Intake) Job(st dicomio.Study) (pipeline.Job, error) {
	j, err := s.Identify(st)
	if err == nil {
		err = s.Choose(&j)
	}
	return j, err
}

// Identify returns a job about which no more is known than who the study is. It is ErrUnlisted where the
// manifest does not list the study, and an error if the study had another name.
func (s *Intake) Identify(st dicomio.Study) (pipeline.Job, error) {
	j := pipeline.Job{Study: st, Tree: s.tree, Bound: s.Memory}
	var err error
	if j.Identity, err = s.identify(st); errors.Is(err, ErrUnlisted) {
		s.unlisted = append(s.unlisted, placeOf(st))
		return j, err
	}
	return j, pipeline.Explained(cmp.Or(err, renamed(j, s.earlier)))
}

// Choose answers the questions of a study whose identity is known. If it fails, the job holds what
// is known so far.
func (s *Intake) Choose(j *pipeline.Job) (err error) {
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
	// The manifest may name a corrected mask.
	made := s.Protocol.Segment.Named() && j.Identity.Mask == "" && !s.carries(*j)
	if made {
		if j.Input, err = s.chooseInput(*j); err != nil {
			return err
		}
	}
	if err := j.CheckMemory(0); err != nil {
		return err
	}
	if !made {
		j.Mask, err = s.chooseMask(*j)
		if errors.As(err, new(*noMaskError)) && s.carries(*j) {
			j.Carried, j.Moving = true, nil
			err = nil
		} else if err = cmp.Or(err, noMoving); err != nil {
			return err
		}
	}
	return pipeline.Explained(renamed(*j, s.earlier)) // of the series that was chosen
}

// Missing is a study that the manifest lists and that is not there.
type Missing struct {
	Identity pipeline.Identity
	Err      error
}

// Missing returns the rows of the manifest that name no study, and remarks on those that name folders
// outside of the roots.
func (s *Intake) Missing(roots []string) (rows []Missing, remarks []string) {
	unseen, outside := s.manifest.unseen(roots)
	for _, row := range unseen {
		rows = append(rows, Missing{row.Identity, s.manifest.missing(row, s.unlisted)})
	}
	return rows, s.manifest.elsewhere(outside)
}

// Remarks says how the manifest was read, and which studies it does not list.
func (s *Intake) Remarks() []string { return s.manifest.remarks(s.unlisted) }

// Verdict is what the other studies say of the identity of one: why it cannot be right, or what speaks
// against it.
type Verdict struct {
	Err      error
	Warnings []string
}

// Compare returns a verdict on each job, given the other jobs and the earlier results: subjects whose
// names are alike (see table.Names), and studies that would be taken for one patient or one visit (see
// clashes) cannot be right. The remarks are on visits whose names are alike.
func Compare(jobs []pipeline.Job, earlier Earlier) (verdicts []Verdict, remarks []string) {
	alike := alikeSubjects(jobs, earlier)
	clash := clashes(jobs, earlier)
	doubts := doubtful(jobs)
	verdicts = make([]Verdict, len(jobs))
	var sound []pipeline.Job
	for n, j := range jobs {
		verdicts[n] = Verdict{pipeline.Explained(clash[n]), doubts[n]}
		if other := alike[j.Identity.Subject]; other != "" {
			const advice = "write the name of a subject in one way, in the folders' names or in a manifest, and " +
				"give two subjects names that cannot be confused"
			verdicts[n].Err = pipeline.Explained(hint.Errorf(advice,
				"identity: subject %.40q differs from %.40q %s", j.Identity.Subject, other, table.Alike))
		}
		if verdicts[n].Err == nil {
			sound = append(sound, j)
		}
	}
	return verdicts, alikeVisits(sound)
}
