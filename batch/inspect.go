package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
)

// Inspection describes the studies under the roots and what Run would do with them.
type Inspection struct {
	Studies []InspectedStudy `json:"studies"`
	// Files is the number of files. Passed counts the files that belong to no study, LabelMaps the label maps that
	// Run would read, which Passed does not include.
	Files     int            `json:"files"`
	LabelMaps int            `json:"label_maps"`
	Passed    dicomio.Passed `json:"passed_over"`
	// Problems are damaged files that belong to no study, and rows of the manifest without a study.
	Problems []Problem `json:"problems"`
	// Notes are remarks that are not problems.
	Notes []string `json:"notes"`
}

// InspectedStudy is one study as Run sees it.
type InspectedStudy struct {
	Folder  string `json:"folder"`
	Study   string `json:"study"`
	Subject string `json:"subject"`
	Visit   string `json:"visit"`
	// Source describes the source of subject and visit.
	Source string            `json:"identity_from"`
	Series []InspectedSeries `json:"series"`
	Passed dicomio.Passed    `json:"passed_over"`
	// Masks are the paths of the candidates for the mask below the study's folder. DICOMMasks are all DICOM objects
	// of the study that mark voxels.
	Masks      []string        `json:"masks"`
	DICOMMasks []InspectedMask `json:"dicom_masks"`
	// Mask describes the mask that Run would use as a result does, with its segments if there is a scheme. It is null
	// if Run would fail.
	Mask *report.Mask `json:"mask"`
	// Plan describes the use of the mask. It is null if Run would fail, or if a program makes the mask.
	Plan *pipeline.MaskPlan `json:"mask_plan"`
	// Grid is the path below Settings.Grids of the image on which a mask can be drawn, or "" if none was written.
	Grid string `json:"grid,omitempty"`
	// Warnings are the warnings of a result that need no fit.
	Warnings []string `json:"warnings"`
	// Action describes what Run would do, such as "map series 5 with labels.nii.gz" or "fail"; Verdict is its kind.
	Action   string    `json:"action"`
	Verdict  Verdict   `json:"-"`
	Problems []Problem `json:"problems"`
}

// Verdict is what Run would do with a study.
type Verdict int

const (
	Maps    Verdict = iota
	Ignores         // the manifest does not list the study
	Fails
)

// InspectedMask is a DICOM object that marks voxels.
type InspectedMask struct {
	// Path is relative to the searched folder. Kind is SEG or RTSTRUCT.
	Path        string `json:"path"`
	Kind        string `json:"kind"`
	Label       string `json:"label"`
	Description string `json:"description"`
	// Foreign describes the images that the object refers to, if these are not the series that Run would map. It is
	// "" if they are, or if no series is chosen.
	Foreign string   `json:"foreign"`
	Problem *Problem `json:"problem"`
}

// InspectedSeries is one series of MR images.
type InspectedSeries struct {
	Series      string    `json:"series"`
	Number      int       `json:"number"`
	Description string    `json:"description"`
	TE          []float64 `json:"te_ms"`
	// Uneven reports that the gaps between echo times differ.
	Uneven bool   `json:"te_uneven"`
	Size   [3]int `json:"size"`
	// Spacing in mm.
	Spacing [3]float64 `json:"spacing_mm"`
	Vendor  string     `json:"vendor"`
	Model   string     `json:"model"`
	// Field is the field strength in T, null if it is not known.
	Field segment.Number `json:"field_t"`
	Side  string         `json:"side"`
	// Syntaxes are the transfer syntaxes of its files, sorted. Lossy reports that images have, or once had, a lossy
	// compression.
	Syntaxes []string `json:"transfer_syntaxes"`
	Lossy    bool     `json:"lossy_images"`
	// Train reports that it is a multi-echo series, with or without a problem.
	Train bool `json:"multi_echo"`
	// Images is the number of images, Files the number of files that hold them.
	Images  int      `json:"images"`
	Files   int      `json:"files"`
	Problem *Problem `json:"problem"`
}

// Problem is an error as text, with its hint.
type Problem struct {
	Reason string `json:"reason"`
	Hint   string `json:"hint"`

	// Folder and Study name the study, as in report.Failure. Only Run sets them.
	Folder string `json:"-"`
	Study  string `json:"-"`
	Alike  bool   `json:"-"`

	// File is the path of the file, and FileReason the reason without the path. Both are empty if the problem is not
	// that of a single file.
	File       string `json:"-"`
	FileReason string `json:"-"`
	// Series is the hash of the series that Reason begins with, or empty.
	Series string `json:"-"`
	// Unsupported reports that the file is not damaged, but of a kind that t2map does not read.
	Unsupported bool `json:"-"`
}

func problem(err error) Problem {
	p := Problem{Reason: err.Error(), Hint: hint.Find(err), Unsupported: errors.Is(err, dicomio.ErrUnsupported)}
	if f := (*dicomio.FileError)(nil); errors.As(err, &f) && f.Path != "" && f.Error() == p.Reason {
		alone := *f
		alone.Path = ""
		p.File, p.FileReason = f.Path, alone.Error()
	}
	if t := (*dicomio.TrainError)(nil); errors.As(err, &t) && t.Error() == p.Reason {
		p.Series = t.Series
	}
	return p
}

// Inspect reads headers and masks, and describes what Run would do with the same settings. Out and the protocol's
// scheme may be empty. It writes nothing except the images of Settings.Grids.
func Inspect(ctx context.Context, s Settings) (Inspection, error) {
	if s.Protocol.Scheme.Name == "" {
		s.Protocol.Scheme.Name = "none" // labels are not interpreted
	}
	out := s.Out
	s.Out = "" // prepare would create the folder
	studies, err := s.prepare()
	s.Out = out
	if err == nil {
		err = s.findSigned(studies)
	}
	if err != nil {
		return Inspection{}, err
	}
	search, err := s.find(ctx)
	if err != nil {
		return Inspection{}, err
	}
	defer search.Close()
	studies.Take(search)
	var notices []intake.Notice
	for _, st := range search.Studies {
		notices = append(notices, intake.NoticeOf(st))
	}
	in := Inspection{
		Files: search.Files, Passed: search.Passed, Studies: []InspectedStudy{}, Problems: []Problem{},
		Notes: slices.Concat([]string{}, notesOf(search.Tree).text(), studies.Settle(notices)),
	}
	used := map[string]bool{}
	var jobs []pipeline.Job
	for _, st := range search.Studies {
		study, j := s.inspect(ctx, st, studies)
		in.Studies, jobs = append(in.Studies, study), append(jobs, j)
		if j.Mask.Object == nil && studies.Searched(j.Mask.Path) {
			used[j.Mask.Path] = true
		}
	}
	s.inspectCarried(ctx, jobs, &in)
	in.Notes = append(in.Notes, studies.Remarks()...)
	in.compare(jobs)
	if s.Grids != "" {
		if err := s.writeGrids(ctx, jobs, &in); err != nil {
			return in, err
		}
	}
	in.LabelMaps = len(used)
	in.Passed.NotDICOM -= len(used)
	for _, err := range search.Damaged {
		in.Problems = append(in.Problems, problem(err))
	}
	missing, remarks := studies.Missing(s.Roots)
	in.Notes = append(in.Notes, remarks...)
	for _, m := range missing {
		in.Problems = append(in.Problems, problem(m.Err))
	}
	return in, nil
}

// inspect describes one study. It also returns the job of Run for the study, which is incomplete if Run would fail.
func (s Settings) inspect(
	ctx context.Context, st dicomio.Study, studies *intake.Intake,
) (in InspectedStudy, j pipeline.Job) {
	in = InspectedStudy{
		Folder: st.Name(), Study: st.Hash, Passed: st.Passed, Series: []InspectedSeries{}, Masks: []string{},
		DICOMMasks: []InspectedMask{}, Warnings: []string{}, Problems: []Problem{},
	}
	for _, t := range slices.Concat(st.Trains, st.Suspects, st.Others) {
		in.Series = append(in.Series, inspectTrain(t))
	}
	for _, f := range studies.Candidates(st) { // none if a program makes the mask
		in.Masks = append(in.Masks, files.Below(st.Home, f))
	}
	listed := slices.Clone(st.Damaged)
	for _, err := range listed {
		in.Problems = append(in.Problems, problem(err))
	}
	for _, t := range slices.Concat(st.Trains, st.Suspects) {
		if t.Problem != nil {
			listed = append(listed, t.Problem) // shown with the series
		}
	}
	j, err := studies.Job(st)
	if errors.Is(err, intake.ErrUnlisted) {
		in.Action, in.Verdict = actionIgnore, Ignores
		return in, j
	}
	in.Warnings = append(in.Warnings, j.Identity.Warnings...)
	for _, o := range st.Masks {
		mask := inspectMask(o, j.Train)
		in.DICOMMasks = append(in.DICOMMasks, mask)
		name := files.Below(cmp.Or(st.Home, st.Root), o.Path)
		if (mask.Foreign == "" || s.Protocol.AllowForeignMask) && !slices.Contains(in.Masks, name) {
			in.Masks = append(in.Masks, name)
		}
	}
	in.Subject, in.Visit, in.Source = j.Identity.Subject, j.Identity.Visit, j.Identity.SourceText
	if err == nil && !j.Carried {
		err = s.preview(ctx, j, &in)
	}
	if err != nil {
		in.Action, in.Verdict = actionFail, Fails
		if !slices.ContainsFunc(listed, func(l error) bool { return errors.Is(err, l) }) {
			in.Problems = append(in.Problems, problem(err))
		}
		return in, j
	}
	in.Action = s.action(j)
	return in, j
}

// preview adds the description of the mask, the plan and the warnings.
func (s Settings) preview(ctx context.Context, j pipeline.Job, in *InspectedStudy) error {
	p, err := pipeline.Examine(ctx, j, s.Protocol, s.Workers)
	in.Mask, in.Plan = p.Mask, p.Plan
	in.Warnings = append(in.Warnings, p.Warnings...)
	return err
}

// The actions of Ignores and Fails.
const (
	actionIgnore = "ignore: not in the manifest"
	actionFail   = "fail"
)

// action describes what Run would do with a job that it maps.
func (s Settings) action(j pipeline.Job) string {
	series := fmt.Sprintf("map series %s (number %d) with ", j.Train.Hash, j.Train.Number)
	switch {
	case j.MaskSource != nil:
		return series + "the mask of the visit " + printable.Short(j.MaskSource.Identity.Visit)
	case j.Input.Named:
		return series + fmt.Sprintf("the label map that %s makes from series %s (number %d)",
			protocol.ProgramName(s.Protocol.Segment.Command), j.Input.Train.Hash, j.Input.Train.Number)
	}
	return series + files.Below(j.Study.Root, j.Mask.Path)
}

// fail records that Run would fail on the study.
func (in *InspectedStudy) fail(err error) {
	in.Action, in.Verdict = actionFail, Fails
	in.Problems = append(in.Problems, problem(err))
}

// inspectCarried completes the studies to which the mask of another visit would be carried. It needs the jobs of all
// studies, in their order.
func (s Settings) inspectCarried(ctx context.Context, jobs []pipeline.Job, in *Inspection) {
	var mapped []*intake.Line // the studies from which masks can be carried
	byLine := map[*intake.Line]*pipeline.Job{}
	for n := range jobs {
		if in.Studies[n].Verdict == Maps {
			line := intake.LineOf(jobs[n], s.Workers)
			mapped, byLine[&line] = append(mapped, &line), &jobs[n]
		}
	}
	sources := intake.NewMaskSources(mapped, s.Protocol.Masks.Visit)
	for n := range jobs {
		st := &in.Studies[n]
		if !jobs[n].Carried || st.Verdict == Fails {
			continue
		}
		line := intake.LineOf(jobs[n], s.Workers)
		source, err := sources.Find(&line)
		if err == nil {
			job := *byLine[source]
			jobs[n].MaskSource = &job
			err = s.preview(ctx, jobs[n], st)
		}
		if err != nil {
			st.fail(err)
			continue
		}
		st.Action = s.action(jobs[n])
	}
}

// compare fails the studies whose identities contradict each other. The jobs are those of the studies, in their
// order.
func (in *Inspection) compare(jobs []pipeline.Job) {
	var mapped []*intake.Line
	var index []int // of the study of each line in mapped
	for n, st := range in.Studies {
		if st.Verdict == Maps {
			line := intake.LineOf(jobs[n], 0)
			mapped, index = append(mapped, &line), append(index, n)
		}
	}
	verdicts, remarks := intake.Compare(mapped, nil)
	for n, v := range verdicts {
		st := &in.Studies[index[n]]
		st.Warnings = append(st.Warnings, v.Warnings...)
		if v.Err != nil {
			st.fail(v.Err)
		}
	}
	in.Notes = append(in.Notes, remarks...)
}

func inspectMask(m dicomio.MaskObject, t dicomio.Train) InspectedMask {
	in := InspectedMask{Path: m.Name, Kind: string(m.Kind), Label: printable.Short(m.Label),
		Description: printable.Short(m.Description)}
	if m.Problem != nil {
		p := problem(m.Problem)
		in.Problem = &p
	} else if t.Hash != "" {
		if e := (*dicomio.ForeignError)(nil); errors.As(t.Foreign(m), &e) {
			in.Foreign = e.Problem
		}
	}
	return in
}

func inspectTrain(t dicomio.Train) InspectedSeries {
	in := InspectedSeries{
		Series: t.Hash, Number: t.Number, Description: printable.Short(t.Description), TE: pipeline.ReadableTimes(t.TE),
		Uneven: t.Uneven(), Size: t.Geometry.Size,
		Vendor: printable.Short(t.Scanner.Manufacturer), Model: printable.Short(t.Scanner.Model),
		Field: segment.Number(t.Scanner.Field), Side: t.Side,
		Syntaxes: []string{}, Lossy: t.Lossy, Images: t.Images, Files: t.Files, Train: len(t.TE) >= t2fit.MinEchoes,
	}
	for _, uid := range t.Syntaxes() {
		in.Syntaxes = append(in.Syntaxes, printable.Short(uid))
	}
	if t.Geometry.Voxels() > 0 {
		in.Spacing = t.Geometry.Spacing()
	}
	if t.Problem != nil {
		p := problem(t.Problem)
		in.Problem = &p
	}
	return in
}

// Failed returns the number of studies that Run would fail on.
func (in Inspection) Failed() int {
	n := 0
	for _, s := range in.Studies {
		if s.Verdict == Fails {
			n++
		}
	}
	return n
}
