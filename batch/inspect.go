package batch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
)

// Inspection is what lies under the roots and what Run would do with it.
type Inspection struct {
	Studies []InspectedStudy `json:"studies"`
	// Files is the number of files looked at; Passed counts those that belong to
	// no study.
	Files  int            `json:"files"`
	Passed dicomio.Passed `json:"passed_over"`
	// Problems are damaged files outside every study's folder, and rows of the
	// manifest without a study.
	Problems []Problem `json:"problems"`
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
	// Masks are the candidates for the mask, by their path below the study's
	// folder.
	Masks []string `json:"masks"`
	// Action says what Run would do: "map series 5 with labels.nii.gz" or
	// "fail".
	Action   string    `json:"action"`
	Problems []Problem `json:"problems"`
}

// InspectedSeries is one multi-echo series, or a series that would be one but for
// its problem.
type InspectedSeries struct {
	Series      string    `json:"series"`
	Number      int       `json:"number"`
	Description string    `json:"description"`
	TE          []float64 `json:"te_ms"`
	Size        [3]int    `json:"size"`
	// Spacing in mm.
	Spacing [3]float64 `json:"spacing_mm"`
	Vendor  string     `json:"vendor"`
	Model   string     `json:"model"`
	// Field is the field strength in T, null where it is not known.
	Field   segment.Number `json:"field_t"`
	Side    string         `json:"side"`
	Syntax  string         `json:"transfer_syntax"`
	Files   int            `json:"files"`
	Problem *Problem       `json:"problem"`
}

// Problem is an error as text, with its hint.
type Problem struct {
	Reason string `json:"reason"`
	Hint   string `json:"hint"`
}

func problem(err error) Problem { return Problem{Reason: err.Error(), Hint: Hint(err)} }

// Inspect reads headers and masks' names and writes nothing. Settings are those
// that Run would get; Out and the protocol's scheme may be empty.
func Inspect(ctx context.Context, s Settings) (Inspection, error) {
	if s.Protocol.Scheme.Name == "" {
		s.Protocol.Scheme.Name = "none" // not needed before labels are read
	}
	out := s.Out
	s.Out = "" // nothing is written: the folder need not be there
	m, err := s.prepare()
	s.Out = out
	if err != nil {
		return Inspection{}, err
	}
	found, err := s.find(ctx)
	if err != nil {
		return Inspection{}, err
	}
	in := Inspection{Files: found.Files, Passed: found.Passed, Problems: []Problem{}}
	for _, st := range found.Studies {
		in.Studies = append(in.Studies, s.inspect(st, m))
	}
	for _, err := range found.Damaged {
		in.Problems = append(in.Problems, problem(err))
	}
	for _, row := range m.unseen() {
		in.Problems = append(in.Problems, problem(row.missing(m.path)))
	}
	return in, nil
}

// inspect looks at one study.
func (s Settings) inspect(st dicomio.Study, m *manifest) InspectedStudy {
	in := InspectedStudy{Folder: st.Name(), Study: st.Hash, Passed: st.Passed, Series: []InspectedSeries{}, Masks: []string{}, Problems: []Problem{}}
	for _, t := range append(append([]dicomio.Train{}, st.Trains...), st.Suspects...) {
		in.Series = append(in.Series, inspectTrain(t))
	}
	in.Masks = s.candidates(st)
	listed := append(append([]error{}, st.Damaged...), st.Unsupported...)
	for _, err := range listed {
		in.Problems = append(in.Problems, problem(err))
	}
	j, err := s.job(st, m)
	in.Subject, in.Visit, in.From = j.Identity.Subject, j.Identity.Visit, j.Identity.From
	if err == nil {
		err = s.enoughEchoes(j.Train)
	}
	if err != nil {
		in.Action = "fail"
		if !slices.ContainsFunc(listed, func(l error) bool { return errors.Is(err, l) }) {
			in.Problems = append(in.Problems, problem(err))
		}
		return in
	}
	in.Action = fmt.Sprintf("map series %s (number %d) with %s", j.Train.Hash, j.Train.Number, filepath.Base(j.Mask))
	return in
}

// enoughEchoes asks what the fit will ask of the echo times.
func (s Settings) enoughEchoes(t dicomio.Train) error {
	o, err := s.Protocol.Fit.Defaults()
	if err != nil {
		return err
	}
	if left := len(t.TE) - o.SkipEchoes; left < t2fit.MinEchoes {
		return fmt.Errorf("fit: %d echoes less %d skipped leave %d, a fit needs at least %d", len(t.TE), o.SkipEchoes, max(left, 0), t2fit.MinEchoes)
	}
	return nil
}

// candidates lists the files that could be the study's mask.
func (s Settings) candidates(st dicomio.Study) []string {
	out := []string{}
	if st.Home == "" {
		return out
	}
	found, _ := matching(st.Home, s.maskPatterns(), s.Out)
	for _, f := range found {
		if rel, err := filepath.Rel(st.Home, f); err == nil {
			out = append(out, filepath.ToSlash(rel))
		}
	}
	return out
}

func inspectTrain(t dicomio.Train) InspectedSeries {
	in := InspectedSeries{
		Series: t.Hash, Number: t.Number, Description: printable(t.Description), TE: t.TE, Size: t.Geometry.Size,
		Vendor: printable(t.Manufacturer), Model: printable(t.Model), Field: segment.Number(t.Field), Side: t.Side,
		Syntax: printable(t.Syntax), Files: t.Files,
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
		if s.Action == "fail" {
			n++
		}
	}
	return n
}
