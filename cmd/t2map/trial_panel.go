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

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/report/panel"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
)

// panels draws the maps of the chosen subjects, whose studies lie in folder, and their unrolled femoral maps, if there
// are any. It draws nothing if no subject is chosen. It returns panel.ErrNoMaps if --panel is not given and the
// default subjects have no maps.
func (f trialFlags) panels(ctx context.Context, a trial.Analysis, folder string) ([]figure.Picture, error) {
	subjects, err := f.chosen(a.Design)
	if len(f.panel) == 0 {
		subjects = firstOfArms(a)
	}
	if err != nil || len(subjects) == 0 {
		return nil, err
	}
	o := panel.Options{NeedMaps: len(f.panel) == 0, Row: primaryRow(a)}
	if o.DisplayRange, err = f.displayed(); err != nil {
		return nil, err
	}
	visits := t2Visits(a)
	for _, v := range visits {
		o.Visits = append(o.Visits, a.Design.Visits[v].Name)
	}
	var rows []panel.Row
	for _, s := range subjects {
		subject := a.Design.Subjects[s]
		row := panel.Row{Label: subject.ID + ", " + a.Design.Arms[subject.Arm], Slice: f.slice}
		for _, v := range visits {
			row.Visits = append(row.Visits, panelVisit(a, [2]int{s, v}, folder))
		}
		rows = append(rows, row)
	}
	return drawPanels(ctx, rows, o)
}

// drawPanels draws the maps and the unrolled maps of rows.
func drawPanels(ctx context.Context, rows []panel.Row, o panel.Options) ([]figure.Picture, error) {
	var maps []figure.Picture
	var g errgroup.Group
	g.Go(func() (err error) { maps, err = panel.Maps(ctx, rows, o); return err })
	unrolled, unrolledErr := panel.Unrolled(ctx, rows, o)
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if errors.Is(unrolledErr, panel.ErrNoMaps) {
		return maps, nil // masks without tissues have no unrolled maps
	}
	return append(maps, unrolled...), unrolledErr
}

// primaryRow returns the row of the results that is the primary endpoint, or "" if the primary contrasts concern
// several compartments or no endpoint that is in the maps.
func primaryRow(a trial.Analysis) string {
	row := ""
	for _, e := range a.Endpoints {
		if !e.Compartment || !slices.ContainsFunc(a.Design.Primary,
			func(t trial.Target) bool { return t.Endpoint == e.Name }) {
			continue
		}
		if row != "" {
			return ""
		}
		row = e.Name
	}
	return row
}

// t2Visits returns the visits that are planned for a compartment, in ascending order.
func t2Visits(a trial.Analysis) []int {
	var visits []int
	for _, e := range a.Endpoints {
		if e.Compartment {
			visits = append(visits, e.Visits...)
		}
	}
	slices.Sort(visits)
	return slices.Compact(visits)
}

// displayed returns the range of --display-range in ms; zeros for the default.
func (f trialFlags) displayed() (r [2]float64, err error) {
	if f.displayRange == "" {
		return r, nil
	}
	low, high, _ := strings.Cut(f.displayRange, ",")
	a, errLow := table.ParseNumber(strings.TrimSpace(low))
	b, errHigh := table.ParseNumber(strings.TrimSpace(high))
	if errLow != nil || errHigh != nil || !(a >= 0 && b > a && b <= maxDisplayed) {
		return r, hint.Errorf("write it as 20,60", "--display-range %.40q is not a range in ms", f.displayRange)
	}
	return [2]float64{a, b}, nil
}

// maxDisplayed is far above the T2 of cartilage in ms, and of fluid.
const maxDisplayed = 10000

// chosen returns the subjects of --panel as indices into the design. It returns an error for a
// subject that is not in the design, and for more subjects or visits than a picture has room for.
func (f trialFlags) chosen(d trial.Design) ([]int, error) {
	if len(f.panel) == 0 || slices.Equal(f.panel, []string{"none"}) {
		return nil, nil
	}
	if n := len(f.panel); n > panel.MostRows {
		return nil, hint.Errorf("choose fewer, or omit the picture with --panel none",
			"--panel: %d subjects; a page has room for %d", n, panel.MostRows)
	}
	if n := len(d.VisitsOf(trial.AllT2, true)); n > panel.MostVisits {
		return nil, hint.Errorf("omit the picture with --panel none",
			"--panel: maps of %d visits; a page has room for %d", n, panel.MostVisits)
	}
	var subjects []int
	for _, id := range f.panel {
		index := slices.IndexFunc(d.Subjects, func(s trial.Subject) bool { return s.ID == strings.TrimSpace(id) })
		if index < 0 {
			return nil, fmt.Errorf("--panel: subject %.40q is not in the design", id)
		}
		subjects = append(subjects, index)
	}
	return subjects, nil
}

// firstOfArms returns the first subject of each arm with all visits, or none if a page has no room for the visits.
func firstOfArms(a trial.Analysis) []int {
	var subjects []int
	if len(t2Visits(a)) > panel.MostVisits {
		return nil
	}
	for arm := range a.Design.Arms {
		for s, subject := range a.Design.Subjects {
			if subject.Arm == arm && len(subjects) < panel.MostRows && everyVisit(a, s) {
				subjects = append(subjects, s)
				break
			}
		}
	}
	return subjects
}

// everyVisit reports whether a subject has a study with a known folder at every planned visit of T2.
func everyVisit(a trial.Analysis, s int) bool {
	for _, v := range t2Visits(a) {
		if panelVisit(a, [2]int{s, v}, "").Folder == "" {
			return false
		}
	}
	return true
}

// panelVisit returns the folder of a subject's study, or the reason why there is none, and notes from its flags.
func panelVisit(a trial.Analysis, subjectVisit [2]int, folder string) panel.Visit {
	out := panel.Visit{Missing: "no study"}
	twoStudies := -1 // the flag for two studies
	note := func(flag int) {
		if !slices.Contains(out.Flags, flag) {
			out.Flags, out.Notes = append(out.Flags, flag), append(out.Notes, a.Flags[flag].Problem())
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
				twoStudies = i
			case kind == trial.CarriedMask: // the tile shows this itself
			case kind.OnFigures():
				note(i)
			}
		}
		switch {
		case out.Folder != "":
		case v.Folder != "" && filepath.IsLocal(filepath.FromSlash(v.Folder)) && !math.IsNaN(v.X):
			out.Folder, out.Missing = filepath.Join(folder, filepath.FromSlash(v.Folder)), ""
		default:
			out.Missing = cmp.Or(v.Missing.String(), "its folder is unknown")
		}
	}
	switch {
	case twoStudies >= 0 && out.Folder == "": // the value belongs to neither study
		out.Missing = a.Flags[twoStudies].Text + "; no map is shown"
		out.Flags = append(out.Flags, twoStudies)
	case twoStudies >= 0:
		note(twoStudies)
	}
	return out
}
