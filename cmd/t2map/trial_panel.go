package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/trial"
)

// panel draws the maps of chosen subjects, whose studies lie in folder; nothing where
// nobody is chosen, or nobody has maps that could be.
func (f trialFlags) panel(ctx context.Context, a trial.Analysis, folder string) ([]figure.Picture, error) {
	subjects, err := f.panelSubjects(a)
	if err != nil || len(subjects) == 0 {
		return nil, err
	}
	var o report.PanelOptions
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
	p, err := report.Panel(ctx, rows, o)
	return []figure.Picture{p}, err
}

// panelSubjects returns the subjects of the panel as indices into the design.
func (f trialFlags) panelSubjects(a trial.Analysis) ([]int, error) {
	if slices.Equal(f.panelOf, []string{"none"}) {
		return nil, nil
	}
	var subjects []int
	for _, id := range f.panelOf {
		at := slices.IndexFunc(a.Design.Subjects, func(s trial.Subject) bool { return s.ID == strings.TrimSpace(id) })
		if at < 0 {
			return nil, fmt.Errorf("--panel: subject %.40q is not in the design", id)
		}
		subjects = append(subjects, at)
	}
	if len(f.panelOf) > 0 || len(a.Design.Visits) > report.PanelMostVisits {
		return subjects, nil
	}
	for arm := range a.Design.Arms {
		for s, subject := range a.Design.Subjects {
			if subject.Arm == arm && len(subjects) < report.PanelMostRows && everyVisit(a, s) {
				subjects = append(subjects, s)
				break
			}
		}
	}
	return subjects, nil
}

// everyVisit says whether a subject has a study with a known folder at every visit.
func everyVisit(a trial.Analysis, s int) bool {
	for v := range a.Design.Visits {
		if panelVisit(a, [2]int{s, v}, "").Folder == "" {
			return false
		}
	}
	return true
}

// panelVisit returns where a subject's study lies, or why there is none.
func panelVisit(a trial.Analysis, subjectVisit [2]int, folder string) report.PanelVisit {
	missing := "no study"
	for _, e := range a.Endpoints {
		switch v := e.Values[subjectVisit[0]][subjectVisit[1]]; {
		case !e.Compartment:
		case v.Folder != "" && filepath.IsLocal(filepath.FromSlash(v.Folder)) && !math.IsNaN(v.X):
			return report.PanelVisit{Folder: filepath.Join(folder, filepath.FromSlash(v.Folder))}
		case v.Missing != "":
			missing = v.Missing
		default:
			missing = "its folder is not known"
		}
	}
	return report.PanelVisit{Missing: missing}
}
