// Package figures draws the analysis of a trial: the flow of participants, means by visit, changes, individual
// changes against repeatability, differences from the reference arm, missing values, and correlations.
//
// Every number in a figure comes from the analysis; the package computes only positions. A figure joins the
// planned visits of its endpoints. Absent values are not drawn, and a panel without values says so. Sizes are in
// points.
package figures

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// Options of the figures.
type Options struct {
	// Individuals draws a thin line for each subject behind the means. Default: none.
	Individuals bool
	// Maps are pictures of maps. They follow the means of T2.
	Maps []figure.Picture
}

// renderFiles makes the files of a picture. Most tests replace it by figure.Picture.RenderSVG.
var renderFiles = figure.Picture.Render

var small, strong = figure.Small, figure.Strong

func newFrame(name, title, caption string) figure.Frame {
	return figure.Frame{Picture: figure.Picture{Name: name, Title: title, Caption: caption}, Files: renderFiles}
}

// kind draws one kind of figure of a family.
type kind func(trial.Analysis, family, Options) ([]figure.Picture, error)

// All returns the figures of an analysis, numbered in the order of a report: the flow of participants, means of
// scores, changes of markers, means of T2, maps, and the others. Figures with nothing to show are omitted:
// differences in a trial of one arm, correlations without other endpoints.
func All(a trial.Analysis, o Options) ([]figure.Picture, error) {
	every, t2, scores, markers := families(a)
	maps := func(trial.Analysis, family, Options) ([]figure.Picture, error) { return o.Maps, nil }
	order := []struct {
		draw   kind
		family family
	}{
		{flow, every}, {means, scores}, {changes, markers}, {means, t2}, {maps, every},
		{means, markers}, {changes, t2}, {changes, scores}, {lsMeans, t2}, {lsMeans, scores}, {lsMeans, markers},
		{forest, t2}, {forest, scores}, {forest, markers}, {waterfall, t2}, {missing, t2}, {missing, scores},
		{missing, markers}, {correlations, every},
	}
	drawn := make([][]figure.Picture, len(order))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0)) // a picture's pixels take 12 MB while it is drawn
	for n, one := range order {
		if len(one.family.endpoints) == 0 {
			continue
		}
		group.Go(func() (err error) {
			drawn[n], err = one.draw(a, one.family, o)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	return numbered(slices.Concat(drawn...)), nil
}

// numbered begins each title with the number of the figure. The pictures of a figure share its number.
func numbered(pictures []figure.Picture) []figure.Picture {
	number := 0
	for n := range pictures {
		p := &pictures[n]
		if p.Part == 0 {
			number++
			p.Title = fmt.Sprintf("Figure %d. %s", number, p.Title)
		} else {
			p.Title = fmt.Sprintf("Figure %d, part %d. %s", number, p.Part+1, p.Title)
		}
	}
	return pictures
}

// family is the endpoints that share a figure.
type family struct {
	familyKind
	endpoints []int // indices into Analysis.Endpoints
}

type familyKind int8

const (
	compartments familyKind = iota
	scores                  // other endpoints that are not markers
	markers                 // endpoints of trial.MarkerGroup
)

// families returns all endpoints, the compartments, the scores in the order of their groups, and the markers.
func families(a trial.Analysis) (every, t2, other, marked family) {
	t2, other, marked = family{familyKind: compartments}, family{familyKind: scores}, family{familyKind: markers}
	var groups []string
	for n, e := range a.Endpoints {
		f := &other
		switch {
		case e.Compartment:
			f = &t2
		case e.IsMarker():
			f = &marked
		case e.Group != "" && !slices.Contains(groups, e.Group):
			groups = append(groups, e.Group)
		}
		f.endpoints, every.endpoints = append(f.endpoints, n), append(every.endpoints, n)
	}
	rank := func(n int) int { // endpoints without a group are last
		if i := slices.Index(groups, a.Endpoints[n].Group); i >= 0 {
			return i
		}
		return len(groups)
	}
	slices.SortStableFunc(other.endpoints, func(m, n int) int { return rank(m) - rank(n) })
	return every, t2, other, marked
}

// visits returns the visits that are planned for an endpoint of the family, in ascending order.
func (f family) visits(a trial.Analysis) []int {
	var all []int
	for _, n := range f.endpoints {
		all = append(all, a.Endpoints[n].Visits...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// name returns the name of the family's figure.
func (f family) name(figure string) string {
	return figure + [...]string{compartments: "", scores: "-scores", markers: "-markers"}[f.familyKind]
}

// noun names the endpoints in a title.
func (f family) noun() string {
	return [...]string{compartments: "T2", scores: "scores", markers: "markers"}[f.familyKind]
}

// measure names the endpoints in a caption.
func (f family) measure(a trial.Analysis) string {
	return [...]string{compartments: a.Plan.Summary() + " T2 of each compartment", scores: "other endpoints",
		markers: "markers"}[f.familyKind]
}

// withUnit returns "words (unit)", or the words where there is no unit.
func withUnit(words, unit string) string {
	if unit == "" {
		return words
	}
	return words + " (" + unit + ")"
}

// percentOf prints a level of confidence: "95 %".
func percentOf(level float64) string { return strconv.FormatFloat(100*level, 'g', 4, 64) + " %" }

// visitLabel names a visit by its month, or by its name if the month cannot be drawn.
func visitLabel(v trial.Visit) string {
	if !figure.Drawable(v.Month) {
		return v.Name
	}
	return "Month " + month(v.Month)
}

// visitInText is visitLabel within a sentence.
func visitInText(v trial.Visit) string {
	if !figure.Drawable(v.Month) {
		return v.Name
	}
	return "month " + month(v.Month)
}

func month(m float64) string {
	return strings.ReplaceAll(strconv.FormatFloat(m, 'g', 5, 64), "-", "−")
}

// population describes the subjects: "24 participants (12 Control, 12 Treatment)".
func population(d trial.Design) string {
	counts := make([]int, len(d.Arms))
	for _, s := range d.Subjects {
		counts[s.Arm]++
	}
	parts := make([]string, len(counts))
	for n, name := range figure.ShortenAll(d.Arms, isShort) {
		parts[n] = fmt.Sprintf("%d %s", counts[n], name)
	}
	return fmt.Sprintf("%d participants (%s)", len(d.Subjects), strings.Join(parts, ", "))
}
