// Package figures draws a trial's analysis: means by visit, changes, individuals
// against repeatability, differences to the reference arm, what is missing, and how
// changes go together.
//
// It computes nothing but places: every number that is drawn is in the analysis.
// What has no value is not drawn, and a panel without any says so.
package figures

import (
	"fmt"
	"math"
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
}

// All returns the figures of an analysis in the order of a report. Those that have
// nothing to show are left out: differences in a trial of one arm, correlations where
// there are none.
func All(a trial.Analysis, o Options) ([]figure.Picture, error) {
	kinds := []func(trial.Analysis, Options) ([]figure.Picture, error){
		Means, Changes, LSMeans, Forest, Waterfall, Missing, Correlations,
	}
	drawn := make([][]figure.Picture, len(kinds))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0)) // a picture's pixels take 12 MB while it is drawn
	for n, kind := range kinds {
		group.Go(func() (err error) {
			drawn[n], err = kind(a, o)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	return slices.Concat(drawn...), nil
}

// family is the compartments, or the other endpoints: what shares a figure.
type family struct {
	endpoints []int // indices into Analysis.Endpoints
	scores    bool  // not compartments
}

// families returns those that have members.
func families(a trial.Analysis) []family {
	both := []family{{}, {scores: true}}
	for n, e := range a.Endpoints {
		f := &both[0]
		if !e.Compartment {
			f = &both[1]
		}
		f.endpoints = append(f.endpoints, n)
	}
	return slices.DeleteFunc(both, func(f family) bool { return len(f.endpoints) == 0 })
}

// name returns the name of the family's figure.
func (f family) name(of string) string {
	if f.scores {
		return of + "-scores"
	}
	return of
}

// pick returns the word for compartments or that for other endpoints.
func (f family) pick(compartments, scores string) string {
	if f.scores {
		return scores
	}
	return compartments
}

// pages splits n panels into pages of at most that many, as ranges, and names the
// second and those after it.
func pages(n, most int) [][2]int {
	var out [][2]int
	for from := 0; from < n; from += most {
		out = append(out, [2]int{from, min(from+most, n)})
	}
	return out
}

func pageName(name string, page int) string {
	if page == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, page+1)
}

func title(e trial.Endpoint) string {
	if e.Title != "" {
		return e.Title
	}
	return e.Name
}

// withUnit returns "words (unit)", or the words where there is no unit.
func withUnit(words, unit string) string {
	if unit == "" {
		return words
	}
	return words + " (" + unit + ")"
}

// levelOf returns the level of confidence in words: "95 %".
func levelOf(a trial.Analysis) string {
	level := a.Plan.Level
	if !(level > 0 && level < 1) {
		level = 0.95 // the default of trial.Plan
	}
	return strconv.FormatFloat(100*level, 'g', 4, 64) + " %"
}

// when names a visit by its month.
func when(d trial.Design, visit int) string {
	if visit < 0 || visit >= len(d.Visits) {
		return "–"
	}
	v := d.Visits[visit]
	if !figure.Drawable(v.Month) {
		return v.Name
	}
	return "Month " + month(v.Month)
}

func month(m float64) string {
	return strings.ReplaceAll(strconv.FormatFloat(m, 'g', 5, 64), "-", "−")
}

// primaryVisit is the visit of the primary contrast: the last where the design's is
// none after baseline.
func primaryVisit(d trial.Design) int {
	if v := d.Primary.Visit; v > 0 && v < len(d.Visits) {
		return v
	}
	return len(d.Visits) - 1
}

// among returns "24 subjects (12 Control, 12 Treatment)".
func among(d trial.Design) string {
	counts := make([]int, len(d.Arms))
	for _, s := range d.Subjects {
		if s.Arm >= 0 && s.Arm < len(counts) {
			counts[s.Arm]++
		}
	}
	parts := make([]string, len(counts))
	for n, name := range figure.ShortenAll(d.Arms, within40) {
		parts[n] = fmt.Sprintf("%d %s", counts[n], name)
	}
	return fmt.Sprintf("%d subjects (%s)", len(d.Subjects), strings.Join(parts, ", "))
}

// cellOf returns a cell, or an empty one where the analysis has none.
func cellOf(e trial.EndpointAnalysis, arm, visit int) trial.Cell {
	if arm < len(e.Cells) && visit < len(e.Cells[arm]) {
		return e.Cells[arm][visit]
	}
	none := trial.Description{Mean: math.NaN(), Low: math.NaN(), High: math.NaN()}
	return trial.Cell{Value: none, Change: none, Percent: none}
}

// valueOf returns a value, or none where the analysis has none.
func valueOf(e trial.EndpointAnalysis, subject, visit int) trial.Value {
	if subject < len(e.Values) && visit < len(e.Values[subject]) {
		return e.Values[subject][visit]
	}
	return trial.Value{X: math.NaN(), Missing: trial.Missing{Kind: trial.NoValue}}
}

// changeOf returns a change, or none where the analysis has none.
func changeOf(e trial.EndpointAnalysis, subject, visit int) trial.Change {
	if subject < len(e.Changes) && visit < len(e.Changes[subject]) {
		return e.Changes[subject][visit]
	}
	return trial.Change{Delta: math.NaN(), Percent: math.NaN()}
}
