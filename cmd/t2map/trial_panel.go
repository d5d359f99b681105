package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/trial"
)

// panels draws the maps of the chosen subjects, whose studies lie in folder, and beside them their
// unrolled femoral maps, if there are any. It draws nothing if nobody is chosen. It returns
// report.ErrNoMaps if no subject was named and those who would be shown have no maps.
func (f trialFlags) panels(ctx context.Context, a trial.Analysis, folder string) ([]figure.Picture, error) {
	subjects, err := f.chosen(a.Design)
	if len(f.panelOf) == 0 {
		subjects = firstOfArms(a)
	}
	if err != nil || len(subjects) == 0 {
		return nil, err
	}
	o := report.PanelOptions{NeedMaps: len(f.panelOf) == 0, Row: primaryRow(a)}
	for _, v := range a.Design.Visits {
		o.Visits = append(o.Visits, v.Name)
	}
	var rows []report.PanelRow
	for _, s := range subjects {
		subject := a.Design.Subjects[s]
		row := report.PanelRow{Label: subject.ID + ", " + a.Design.Arms[subject.Arm]}
		for v := range a.Design.Visits {
			row.Visits = append(row.Visits, panelVisit(a, [2]int{s, v}, folder))
		}
		rows = append(rows, row)
	}
	maps, err := report.Panel(ctx, rows, o)
	if err != nil {
		return nil, err
	}
	unrolled, err := report.UnrolledPanel(ctx, rows, o)
	if errors.Is(err, report.ErrNoMaps) {
		return []figure.Picture{maps}, nil // masks without tissues have none
	}
	return []figure.Picture{maps, unrolled}, err
}

// primaryRow returns the row of the results that the primary contrast is about; "" where it is
// about all compartments, or about an endpoint that maps do not show.
func primaryRow(a trial.Analysis) string {
	for _, e := range a.Endpoints {
		if e.Compartment && e.Name == a.Design.Primary.Endpoint {
			return e.Name
		}
	}
	return ""
}

// chosen returns the subjects of --panel as indices into the design. It returns an error for a
// subject that is not in the design, and for more subjects or visits than a picture has room for.
func (f trialFlags) chosen(d trial.Design) ([]int, error) {
	if len(f.panelOf) == 0 || slices.Equal(f.panelOf, []string{"none"}) {
		return nil, nil
	}
	const hint = "hint: choose fewer, or omit the picture with --panel none"
	if n := len(f.panelOf); n > report.PanelMostRows {
		return nil, fmt.Errorf("--panel: %d subjects; a page has room for %d\n%s", n, report.PanelMostRows, hint)
	}
	if n := len(d.Visits); n > report.PanelMostVisits {
		return nil, fmt.Errorf("--panel: maps of %d visits; a page has room for %d\nhint: omit the picture with --panel none", n, report.PanelMostVisits)
	}
	var subjects []int
	for _, id := range f.panelOf {
		at := slices.IndexFunc(d.Subjects, func(s trial.Subject) bool { return s.ID == strings.TrimSpace(id) })
		if at < 0 {
			return nil, fmt.Errorf("--panel: subject %.40q is not in the design", id)
		}
		subjects = append(subjects, at)
	}
	return subjects, nil
}

// firstOfArms returns the first subject of each arm who has all visits, or nobody if a page has no
// room for the visits.
func firstOfArms(a trial.Analysis) []int {
	var subjects []int
	if len(a.Design.Visits) > report.PanelMostVisits {
		return nil
	}
	for arm := range a.Design.Arms {
		for s, subject := range a.Design.Subjects {
			if subject.Arm == arm && len(subjects) < report.PanelMostRows && everyVisit(a, s) {
				subjects = append(subjects, s)
				break
			}
		}
	}
	return subjects
}

// everyVisit reports whether a subject has a study with a known folder at every visit.
func everyVisit(a trial.Analysis, s int) bool {
	for v := range a.Design.Visits {
		if panelVisit(a, [2]int{s, v}, "").Folder == "" {
			return false
		}
	}
	return true
}

// panelVisit returns the folder of a subject's study, or why there is none, and what speaks against it.
func panelVisit(a trial.Analysis, subjectVisit [2]int, folder string) report.PanelVisit {
	out := report.PanelVisit{Missing: "no study"}
	two := -1 // the flag of two studies
	note := func(flag int) {
		if !slices.Contains(out.Flags, flag) {
			out.Flags, out.Notes = append(out.Flags, flag), append(out.Notes, a.Flags[flag].Text)
		}
	}
	for _, e := range a.Endpoints {
		if !e.Compartment {
			continue
		}
		v := e.Values[subjectVisit[0]][subjectVisit[1]]
		for _, i := range v.Flags {
			switch kind := a.Flags[i].Kind; {
			case kind == trial.TwoStudies:
				two = i
			case kind == trial.CarriedMask: // the tile says it of its own visit
			case kind.OnFigures():
				note(i)
			}
		}
		switch {
		case out.Folder != "":
		case v.Folder != "" && filepath.IsLocal(filepath.FromSlash(v.Folder)) && !math.IsNaN(v.X):
			out.Folder, out.Missing = filepath.Join(folder, filepath.FromSlash(v.Folder)), ""
		default:
			out.Missing = cmp.Or(v.Missing.String(), "its folder is not known")
		}
	}
	switch {
	case two >= 0 && out.Folder == "": // the value belongs to neither
		out.Missing = a.Flags[two].Text + "; no map is shown"
		out.Flags = append(out.Flags, two)
	case two >= 0:
		note(two)
	}
	return out
}
