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
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

// Rules determine the subject and the visit of a study, which of its series is mapped and which file is its mask.
type Rules struct {
	// Protocol holds the settings of the trial.
	Protocol protocol.Protocol
	// Manifest is the path of a CSV of study folders, or "". ManifestFormat is its format; the zero value is a CSV
	// with commas in UTF-8.
	Manifest       string
	ManifestFormat table.Format
	// AcceptPatientID uses PatientID and ClinicalTrialSubjectID unchanged, although they repeat the patient's name or
	// hold a date.
	AcceptPatientID bool
	// Layout is a pattern of study folders below a root, such as {subject}/{visit}; "" means the protocol's layout.
	Layout string
	// Series selects the mapped series of every study: a series number, the beginning (six digits or more) of its
	// hash, or a pattern of its description; "" means the protocol's rule.
	Series string
	// Anatomy selects the series that maps are shown over, in the same way; "" means the protocol's rule, and without
	// one the first echo of the mapped series.
	Anatomy string
	// Mask is a pattern of the mask's file name, or of its path below the study's folder; "" means the protocol's
	// pattern, and without one the usual names of label maps, or the DICOM mask that was drawn on the series.
	Mask string
	// Memory limits the memory for a study.
	Memory pipeline.Bound
	// Signed returns the mask that readers have signed of a study, by the hashes of the study and its series; nil if there
	// is none, so that the study's own is used. Signed may be nil.
	Signed func(study, series string) (*reads.SignedMask, error) `json:"-"`
}

// Intake applies rules to the studies of a cohort. Take gives it the files of one finding after the other.
type Intake struct {
	Rules
	// Earlier are the studies that already have results and keep their names; it may be nil. Set it before the
	// methods that need a study are called.
	Earlier  Earlier
	manifest *manifest // nil if there is none
	unlisted []studyPlace

	tree *files.Tree
	// paths are the files of the tree, and strangers those that are not DICOM, both sorted.
	paths, strangers []string
	// levels is the number of levels above each root at which the layout begins, see layout.levelsAbove.
	levels map[string]int
}

// New checks the rules, finds the program that makes masks, and reads the manifest. If the program has a scheme of
// its own, that becomes the scheme of the intake's protocol.
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

// Take takes over the files of a finding. The methods that need a study then accept the studies of this finding, until
// the next call.
func (s *Intake) Take(search dicomio.Finding) {
	s.tree, s.paths = search.Tree, nil
	for _, e := range search.Tree.Entries() {
		if e.Err == nil { // an error is reported when the file is read
			s.paths = append(s.paths, e.Path)
		}
	}
	slices.Sort(s.paths)
	s.strangers = slices.Sorted(slices.Values(search.Strangers))
}

// Forget releases the lists of files.
func (s *Intake) Forget() { s.tree, s.paths, s.strangers = nil, nil, nil }

// Settle decides what depends on all studies of the cohort: at which folder a layout begins, and which studies share
// a row of the manifest. Identities that were found before may be others now, see Renew. The remarks say at which
// folder a layout begins.
func (s *Intake) Settle(studies []Notice) (remarks []string) {
	s.manifest.claim(studies)
	remarks = s.anchor(studies)
	s.unlisted = nil
	for _, st := range studies {
		if s.manifest != nil && s.manifest.rowOf(st.Place) == nil {
			s.unlisted = append(s.unlisted, placeOf(st.Place))
		}
	}
	return remarks
}

// Lists reports whether the rules give the study an identity: whether the manifest, if there is one, has a row for it.
func (s *Intake) Lists(place dicomio.Place) bool {
	return s.manifest == nil || s.manifest.rowOf(place) != nil
}

// Renamed returns an error if the study of a line has earlier results under another name.
func (s *Intake) Renamed(l *Line) error {
	return pipeline.Explained(renamed(l.Place, l.Identity, l.Knee(), s.Earlier))
}

// Renew reports whether the identity of a line is that of its study, now that all studies are known. It corrects the
// line of the manifest.
func (s *Intake) Renew(place dicomio.Place, known *pipeline.Identity) bool {
	var id pipeline.Identity
	var err error
	switch {
	case s.manifest != nil:
		id, err = s.manifest.identify(place)
	case s.layout() != "":
		var l layout
		if l, err = parseLayout(s.layout()); err == nil {
			id, err = l.identify(place, s.levels[place.Root])
		}
	default:
		return true // the attributes and the name of the folder do not depend on other studies
	}
	known.Line = id.Line
	return err == nil && id.Subject == known.Subject && id.Visit == known.Visit && id.Side == known.Side &&
		id.Mask == known.Mask
}

// Searched reports whether the search has found a file.
func (s *Intake) Searched(path string) bool {
	_, ok := slices.BinarySearch(s.paths, path)
	return ok
}

// Job makes the job of a study of the finding that was given to Take. The error is ErrUnlisted if the manifest does not
// list the study. If the mask is Carried, the caller must set Job.MaskSource, see MaskSources.
func (s *Intake) Job(st dicomio.Study) (pipeline.Job, error) {
	j, err := s.Identify(st)
	if err == nil {
		err = s.Choose(&j)
	}
	return j, err
}

// Identify returns a job with only the identity of the study. The error is ErrUnlisted if the manifest does not
// list the study. A study whose earlier results have another name is an error too.
func (s *Intake) Identify(st dicomio.Study) (pipeline.Job, error) {
	j := pipeline.Job{Study: st, Tree: s.tree, Bound: s.Memory}
	var err error
	if j.Identity, err = s.identify(st); errors.Is(err, ErrUnlisted) {
		return j, err
	}
	return j, pipeline.Because(report.ReasonIdentity, pipeline.Explained(cmp.Or(err, s.renamed(j))))
}

// Choose completes a job whose identity is known. If it fails, the job holds the decisions before the error.
func (s *Intake) Choose(j *pipeline.Job) error {
	err := s.ChooseSeries(j)
	if err == nil {
		err = s.ChooseMask(j)
	}
	return err
}

// ChooseSeries chooses the mapped series of a job whose identity is known, and the one that its maps are shown over.
func (s *Intake) ChooseSeries(j *pipeline.Job) (err error) {
	if j.Train, err = s.chooseTrain(j.Study, j.Identity.Side); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	j.Anatomy = s.chooseAnatomy(*j)
	if err := cmp.Or(j.Train.CheckWritten(), s.Protocol.CheckAcquisition(j.Train)); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// ChooseMask completes a job whose series are chosen.
func (s *Intake) ChooseMask(j *pipeline.Job) error {
	signed, err := s.signedMask(*j)
	if err != nil {
		return err
	}
	if signed.Path != "" {
		j.Mask = signed
		return cmp.Or(j.CheckMemory(0), pipeline.Because(report.ReasonIdentity, pipeline.Explained(s.renamed(*j))))
	}
	var noMoving error // ignored if the mask of another visit is carried
	if j.Moving, noMoving = s.chooseMoving(*j); noMoving != nil && !s.carries(*j) {
		return noMoving
	}
	// The manifest may name a corrected mask, which is used instead of the program.
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
	// Again, because the series is known now.
	return pipeline.Because(report.ReasonIdentity, pipeline.Explained(s.renamed(*j)))
}

// Missing is a study that the manifest lists and that was not found.
type Missing struct {
	Identity pipeline.Identity
	Err      error
}

// Missing returns the rows of the manifest without a study, and remarks on rows that name folders outside the roots.
func (s *Intake) Missing(roots []string) (rows []Missing, remarks []string) {
	unseen, outside := s.manifest.unseen(roots)
	unlisted := foldersOf(s.unlisted)
	for _, row := range unseen {
		rows = append(rows, Missing{row.Identity, s.manifest.missing(row, unlisted)})
	}
	return rows, s.manifest.elsewhere(outside)
}

// Remarks describes how the manifest was read, and the studies that it does not list.
func (s *Intake) Remarks() []string { return s.manifest.remarks(s.unlisted) }

// Verdict is the result of comparing the identity of a study with those of the other studies: the reason why the
// identity is refused, and warnings that cast doubt on it.
type Verdict struct {
	Err      error
	Warnings []string
}

// Compare compares each study with the other studies and the earlier results. Subjects whose names are alike (see
// table.Names) are refused, and so are studies that may be confused with another patient or visit (see clashes).
// The remarks list visits whose names are alike.
func Compare(lines []*Line, earlier Earlier) (verdicts []Verdict, remarks []string) {
	alike := alikeSubjects(lines, earlier)
	clash := clashes(lines, earlier)
	warnings := doubtful(lines)
	verdicts = make([]Verdict, len(lines))
	var sound []*Line
	for n, j := range lines {
		verdicts[n] = Verdict{pipeline.Because(report.ReasonIdentity, pipeline.Explained(clash[n])), warnings[n]}
		if other := alike[j.Identity.Subject]; other != "" {
			const advice = "spell the name of a subject identically everywhere, in the names of folders or in a " +
				"manifest, and give different subjects names that cannot be confused"
			verdicts[n].Err = pipeline.Because(report.ReasonIdentity, pipeline.Explained(hint.Errorf(advice,
				"identity: subject %.40q differs from %.40q %s", j.Identity.Subject, other, table.Alike)))
		}
		if verdicts[n].Err == nil {
			sound = append(sound, j)
		}
	}
	return verdicts, alikeVisits(sound)
}
