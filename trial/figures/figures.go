// Package figures draws the analysis of a trial: means by visit, changes, individual changes against
// repeatability, differences from the reference arm, missing values, and correlations of changes.
//
// Every number in a figure comes from the analysis; the package computes only positions. Absent values are
// not drawn, and a panel without values says so. Sizes are in points.
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
}

// All returns the figures of an analysis in the order of a report. Figures with nothing to show are
// omitted: differences in a trial of one arm, correlations without other endpoints.
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

// family is the endpoints that share a figure: the compartments, or the other endpoints.
type family struct {
	endpoints []int // indices into Analysis.Endpoints
	scores    bool  // not compartments
}

// families returns the families that have members.
func families(a trial.Analysis) []family {
	compartments, scores := family{}, family{scores: true}
	for n, e := range a.Endpoints {
		if e.Compartment {
			compartments.endpoints = append(compartments.endpoints, n)
		} else {
			scores.endpoints = append(scores.endpoints, n)
		}
	}
	return slices.DeleteFunc([]family{compartments, scores}, func(f family) bool { return len(f.endpoints) == 0 })
}

// name returns the name of the family's figure.
func (f family) name(figure string) string { return f.pick(figure, figure+"-scores") }

// pick returns the text for compartments, or the text for other endpoints.
func (f family) pick(compartments, scores string) string {
	if f.scores {
		return scores
	}
	return compartments
}

// pageName names the pictures of a figure that has several.
func pageName(name string, page int) string {
	if page == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, page+1)
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

// population describes the subjects: "24 subjects (12 Control, 12 Treatment)".
func population(d trial.Design) string {
	counts := make([]int, len(d.Arms))
	for _, s := range d.Subjects {
		counts[s.Arm]++
	}
	parts := make([]string, len(counts))
	for n, name := range figure.ShortenAll(d.Arms, isShort) {
		parts[n] = fmt.Sprintf("%d %s", counts[n], name)
	}
	return fmt.Sprintf("%d subjects (%s)", len(d.Subjects), strings.Join(parts, ", "))
}
