package figures

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// modelRemarks are the sentences of a caption about models that are not as planned: another
// covariance, and what was left out. Each begins with a blank; where there is none, they are
// empty.
func modelRemarks(a trial.Analysis, f family) string {
	return fallbackRemark(a, f) + omissionRemark(a, f)
}

// fallbackRemark names the covariances that were taken for want of the planned one, and says
// what those take for granted that have one variance for all visits.
func fallbackRemark(a trial.Analysis, f family) string {
	var structures, equal grouped
	few := false
	fitted := 0
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
		structures.add(name, e.Title)
		if e.Model.Covariance == mmrm.AR1 || e.Model.Covariance == mmrm.CompoundSymmetry {
			equal.add(name, e.Title)
			few = few || fewSubjects(e.Model)
		}
	}
	if len(structures) == 0 {
		return ""
	}
	s := fmt.Sprintf(" Covariance: %s, since the planned one, %s, could not be fitted", structures.words(fitted), a.Plan.Covariance)
	if len(equal) > 0 {
		s += "; " + strings.Join(equal.names(), " and ") + plural(len(equal), " assumes", " assume") + " the same variance at every visit"
		if few {
			s += ", and with so few subjects p is too small too often: look at ANCOVA, which does not assume it"
		}
	}
	return s + "."
}

// fewSubjects says whether an arm has so few subjects at a visit that a test by a fallback
// with equal variances rejects too often: of 2,000 simulated trials without an effect about
// 10 % at 2 per arm, 7 % at 3, and 5.4 % at 4 and more, where 5 % are due.
func fewSubjects(m trial.Model) bool {
	const enough = 4
	return slices.ContainsFunc(m.N, func(visits []int) bool {
		return slices.ContainsFunc(visits, func(n int) bool { return n > 0 && n < enough })
	})
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
			titles[o] = append(titles[o], short(a.Endpoints[n].Title))
		}
	}
	if len(omissions) == 0 {
		return ""
	}
	var parts []string
	for _, o := range omissions {
		why := o.Why
		if len(titles[o]) < len(f.endpoints) {
			why += "; of " + strings.Join(titles[o], ", ")
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", short(o.Of(a.Design)), why))
	}
	return " Not in the model: " + strings.Join(parts, "; ") + "."
}

// grouped gathers what several endpoints have in common, in the order in which it came.
type grouped []struct {
	what string
	of   []string
}

func (g *grouped) add(what, of string) {
	for n := range *g {
		if (*g)[n].what == what {
			(*g)[n].of = append((*g)[n].of, short(of))
			return
		}
	}
	*g = append(*g, struct {
		what string
		of   []string
	}{what, []string{short(of)}})
}

// words lists what there is, with the endpoints it is of unless it is of all of them.
func (g grouped) words(all int) string {
	var parts []string
	for _, one := range g {
		if len(one.of) < all {
			one.what += " (" + strings.Join(one.of, ", ") + ")"
		}
		parts = append(parts, one.what)
	}
	return strings.Join(parts, "; ")
}

func (g grouped) names() []string {
	var names []string
	for _, one := range g {
		names = append(names, one.what)
	}
	return names
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
