package figures

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/trial"
)

// modelRemarks returns the sentences of a caption about models that differ from the plan, each after a
// space; empty if there are none.
func modelRemarks(a trial.Analysis, f family) string {
	return fallbackRemark(a, f) + omissionRemark(a, f)
}

// fallbackRemark names the covariances that were fitted instead of the planned one, and those that
// assume one variance for all visits.
func fallbackRemark(a trial.Analysis, f family) string {
	var structures grouped
	var equal []string
	few, fitted := false, 0
	for _, n := range f.endpoints {
		e := a.Endpoints[n]
		if e.Model.Failed != "" {
			continue
		}
		fitted++
		if len(e.Model.Rejected) == 0 {
			continue
		}
		name := e.Model.Covariance.String()
		structures.add(name, e.TitleInText())
		if c := e.Model.Caution(); c != trial.NoCaution {
			few = few || c == trial.EqualVariancesOfFew
			if !slices.Contains(equal, name) {
				equal = append(equal, name)
			}
		}
	}
	if len(structures) == 0 {
		return ""
	}
	s := fmt.Sprintf(" Covariance: %s, because the planned one, %s, could not be fitted", structures.words(fitted),
		a.Plan.Covariance)
	if len(equal) > 0 {
		verb := " covariances assume"
		if len(equal) == 1 {
			verb = " covariance assumes"
		}
		s += "; the " + strings.Join(equal, " and ") + verb + " the same variance at every visit"
		if few {
			s += ", and with so few participants the test rejects too often; ANCOVA does not assume it"
		}
	}
	return s + "."
}

// omissionRemark names the terms and visits that are not in the models.
func omissionRemark(a trial.Analysis, f family) string {
	var omissions []trial.Omission
	titles := map[trial.Omission][]string{}
	for _, n := range f.endpoints {
		for _, o := range a.Endpoints[n].Model.Omitted {
			if titles[o] == nil {
				omissions = append(omissions, o)
			}
			titles[o] = append(titles[o], short(a.Endpoints[n].TitleInText()))
		}
	}
	if len(omissions) == 0 {
		return ""
	}
	var parts []string
	for _, o := range omissions {
		reason := o.Reason
		if len(titles[o]) < len(f.endpoints) {
			reason += "; of " + strings.Join(titles[o], ", ")
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", short(o.Name(a.Design)), reason))
	}
	return " Not in the model: " + strings.Join(parts, "; ") + "."
}

// grouped is texts, each with the endpoints that have it in common, in the order of their first use.
type grouped []struct {
	text      string
	endpoints []string
}

func (g *grouped) add(text, endpoint string) {
	for n := range *g {
		if (*g)[n].text == text {
			(*g)[n].endpoints = append((*g)[n].endpoints, short(endpoint))
			return
		}
	}
	*g = append(*g, struct {
		text      string
		endpoints []string
	}{text, []string{short(endpoint)}})
}

// words lists the texts, each with its endpoints unless all have it.
func (g grouped) words(all int) string {
	var parts []string
	for _, one := range g {
		if len(one.endpoints) < all {
			one.text += " (" + strings.Join(one.endpoints, ", ") + ")"
		}
		parts = append(parts, one.text)
	}
	return strings.Join(parts, "; ")
}
