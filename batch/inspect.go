package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// Inspection is what lies under the roots and what Run would do with it.
type Inspection struct {
	Studies []InspectedStudy `json:"studies"`
	// Files is the number of files looked at; Passed counts those that belong to
	// no study. LabelMaps are the label maps that Run would read, which are not among
	// these.
	Files     int            `json:"files"`
	LabelMaps int            `json:"label_maps"`
	Passed    dicomio.Passed `json:"passed_over"`
	// Problems are damaged files outside every study's folder, and rows of the
	// manifest without a study.
	Problems []Problem `json:"problems"`
	// Notes are what the user should know though nothing is wrong.
	Notes []string `json:"notes"`
}

// InspectedStudy is one study as Run sees it.
type InspectedStudy struct {
	Folder  string `json:"folder"`
	Study   string `json:"study"`
	Subject string `json:"subject"`
	Visit   string `json:"visit"`
	// From says where subject and visit come from.
	From   string            `json:"identity_from"`
	Series []InspectedSeries `json:"series"`
	Passed dicomio.Passed    `json:"passed_over"`
	// Masks are the candidates for the mask, by their path below the study's folder,
	// and DICOMMasks the study's DICOM objects that mark voxels, candidates or not.
	Masks      []string        `json:"masks"`
	DICOMMasks []InspectedMask `json:"dicom_masks"`
	// Mask is the mask that Run would take, as a result would describe it: its segments
	// are there if a scheme is given. Null where Run would fail.
	Mask *report.Mask `json:"mask"`
	// Plan is what Run would do with it; null if it would fail, or where a program makes it.
	Plan *pipeline.MaskPlan `json:"mask_plan"`
	// Grid is the image on which a mask can be drawn, below Settings.Grids; "" if none was written.
	Grid string `json:"grid,omitempty"`
	// Warnings are those of a result that can be told without a fit.
	Warnings []string `json:"warnings"`
	// Action says what Run would do: "map series 5 with labels.nii.gz" or
	// "fail".
	Action   string    `json:"action"`
	Problems []Problem `json:"problems"`
}

// InspectedMask is a DICOM object that marks voxels.
type InspectedMask struct {
	// Path is below the searched folder; Kind is SEG or RTSTRUCT.
	Path        string `json:"path"`
	Kind        string `json:"kind"`
	Label       string `json:"label"`
	Description string `json:"description"`
	// Foreign says what it refers to instead of the series that Run would map; ""
	// where it is that, or where no series is chosen.
	Foreign string   `json:"foreign"`
	Problem *Problem `json:"problem"`
}

// InspectedSeries is one series of MR images.
type InspectedSeries struct {
	Series      string    `json:"series"`
	Number      int       `json:"number"`
	Description string    `json:"description"`
	TE          []float64 `json:"te_ms"`
	// Uneven says that the gaps between echo times differ.
	Uneven bool   `json:"te_uneven"`
	Size   [3]int `json:"size"`
	// Spacing in mm.
	Spacing [3]float64 `json:"spacing_mm"`
	Vendor  string     `json:"vendor"`
	Model   string     `json:"model"`
	// Field is the field strength in T, null if it is not known.
	Field segment.Number `json:"field_t"`
	Side  string         `json:"side"`
	// Syntaxes are the transfer syntaxes of its files, sorted; Lossy says that images
	// were compressed with loss, now or earlier.
	Syntaxes []string `json:"transfer_syntaxes"`
	Lossy    bool     `json:"lossy_images"`
	// Train says that it is a multi-echo series, sound or not.
	Train bool `json:"multi_echo"`
	// Images is the number of images, Files that of the files that hold them.
	Images  int      `json:"images"`
	Files   int      `json:"files"`
	Problem *Problem `json:"problem"`
}

// Problem is an error as text, with its hint.
type Problem struct {
	Reason string `json:"reason"`
	Hint   string `json:"hint"`

	// Folder and Study name the study, as in report.Failure; Run alone fills them in.
	Folder string `json:"-"`
	Study  string `json:"-"`
	Alike  bool   `json:"-"`

	// File is the path of the one file that is concerned, and FileReason the reason without it; empty
	// where it is not one file.
	File       string `json:"-"`
	FileReason string `json:"-"`
	// Unsupported says that the file is sound, but not of a kind that is read.
	Unsupported bool `json:"-"`
}

func problem(err error) Problem {
	p := Problem{Reason: err.Error(), Hint: hint.Find(err), Unsupported: errors.Is(err, dicomio.ErrUnsupported)}
	if f := (*dicomio.FileError)(nil); errors.As(err, &f) && f.Path != "" && f.Error() == p.Reason {
		alone := *f
		alone.Path = ""
		p.File, p.FileReason = f.Path, alone.Error()
	}
	return p
}

// Inspect reads headers and masks, and writes nothing but what Settings.Grids asks for. Settings are those
// that Run would get; Out and the protocol's scheme may be empty.
func Inspect(ctx context.Context, s Settings) (Inspection, error) {
	if s.Protocol.Scheme.Name == "" {
		s.Protocol.Scheme.Name = "none" // not needed before labels are read
	}
	out := s.Out
	s.Out = "" // nothing is written: the folder need not be there
	studies, err := s.prepare()
	s.Out = out
	if err != nil {
		return Inspection{}, err
	}
	search, err := s.find(ctx)
	if err != nil {
		return Inspection{}, err
	}
	defer search.Close()
	in := Inspection{
		Files: search.Files, Passed: search.Passed, Studies: []InspectedStudy{}, Problems: []Problem{},
		Notes: slices.Concat([]string{}, treeNotes(search.Tree), studies.Take(search, nil)),
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

// inspect looks at one study. The job is what Run would do, as far as it is known.
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
	for _, f := range studies.Candidates(st) { // none where a program makes the mask
		in.Masks = append(in.Masks, files.Below(st.Home, f))
	}
	listed := slices.Clone(st.Damaged)
	for _, err := range listed {
		in.Problems = append(in.Problems, problem(err))
	}
	for _, t := range slices.Concat(st.Trains, st.Suspects) {
		if t.Problem != nil {
			listed = append(listed, t.Problem) // shown with its series
		}
	}
	j, err := studies.Job(st)
	if errors.Is(err, intake.ErrUnlisted) {
		in.Action = passOver
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
	in.Subject, in.Visit, in.From = j.Identity.Subject, j.Identity.Visit, j.Identity.SourceText
	if err == nil && !j.Carried {
		err = s.preview(ctx, j, &in)
	}
	if err != nil {
		in.Action = fails
		if !slices.ContainsFunc(listed, func(l error) bool { return errors.Is(err, l) }) {
			in.Problems = append(in.Problems, problem(err))
		}
		return in, j
	}
	in.Action = s.action(j)
	return in, j
}

// preview adds what the mask shows without a fit.
func (s Settings) preview(ctx context.Context, j pipeline.Job, in *InspectedStudy) error {
	p, err := pipeline.Examine(ctx, j, s.Protocol, s.Workers)
	in.Mask, in.Plan = p.Mask, p.Plan
	in.Warnings = append(in.Warnings, p.Warnings...)
	return err
}

// What Run does with a study that the manifest does not list, and with one that cannot be mapped.
const (
	passOver = "pass over: not in the manifest"
	fails    = "fail"
)

// action says what Run would do with the job.
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

// mapped reports whether Run would map the study.
func (in InspectedStudy) mapped() bool { return in.Action != fails && in.Action != passOver }

// fail says that Run would fail on the study, and why.
func (in *InspectedStudy) fail(err error) {
	in.Action = fails
	in.Problems = append(in.Problems, problem(err))
}

// inspectCarried looks at the studies to which the mask of another visit would be carried, now that
// the jobs of all are known. The jobs are those of the studies.
func (s Settings) inspectCarried(ctx context.Context, jobs []pipeline.Job, in *Inspection) {
	var mapped []pipeline.Job // those that Run would map, and carry masks from
	for n := range jobs {
		if in.Studies[n].mapped() {
			mapped = append(mapped, jobs[n])
		}
	}
	for n := range jobs {
		st := &in.Studies[n]
		if !jobs[n].Carried || st.Action == fails {
			continue
		}
		source, err := intake.MaskSource(mapped, jobs[n], s.Protocol.Masks.Visit)
		if err == nil {
			jobs[n].MaskSource = source
			err = s.preview(ctx, jobs[n], st)
		}
		if err != nil {
			st.fail(err)
			continue
		}
		st.Action = s.action(jobs[n])
	}
}

// compare makes the studies fail whose identities cannot be right beside each other. The jobs
// are those of the studies.
func (in *Inspection) compare(jobs []pipeline.Job) {
	var mapped []pipeline.Job
	var index []int // the studies of mapped
	for n, st := range in.Studies {
		if st.mapped() {
			mapped, index = append(mapped, jobs[n]), append(index, n)
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
		if err := t.Foreign(m); err != nil {
			in.Foreign = strings.TrimPrefix(err.Error(), m.Name+": ")
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
		if s.Action == fails {
			n++
		}
	}
	return n
}
