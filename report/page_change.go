package report

import (
	"math"
	"strings"

	"github.com/t2map/t2map/segment"
)

// references holds, for each knee, the visit from which the page calculates changes of T2: the one that the protocol
// calls the baseline, or else the first in natural order. Flags need the former, see baselines.
type references map[knee]reference

type reference struct {
	visit string
	named bool // the protocol calls the visit the baseline
	twice bool // two results have the visit, and it is not known which one counts
	t2    map[string]float64
}

// findReferences returns the references of the knees in results.
func findReferences(results []Result) references {
	all := references{}
	for _, r := range results {
		k, named := r.knee(), r.atBaseline()
		known, ok := all[k]
		switch {
		case ok && (sameVisit(known.visit, r.Visit) || named && known.named):
			known.twice = true
			all[k] = known
			continue
		case ok && (known.named || !named && segment.Natural(known.visit, r.Visit) < 0):
			continue
		}
		next := reference{visit: r.Visit, named: named, t2: map[string]float64{}}
		for _, s := range r.Compartments {
			next.t2[s.Compartment] = float64(s.MeanT2)
		}
		all[k] = next
	}
	return all
}

func sameVisit(a, b string) bool { return strings.EqualFold(a, b) }

// before returns the visit with which a result is compared; false at that visit, and if it is not known.
func (all references) before(r Result) (string, bool) {
	known, ok := all[r.knee()]
	if !ok || known.twice || sameVisit(known.visit, r.Visit) {
		return "", false
	}
	return known.visit, true
}

// change returns the T2 of a compartment minus that at the reference in ms, NaN if one is not known.
func (all references) change(r Result, compartment string) float64 {
	if _, ok := all.before(r); !ok {
		return math.NaN()
	}
	first, ok := all[r.knee()].t2[compartment]
	if !ok {
		return math.NaN()
	}
	for _, s := range r.Compartments {
		if s.Compartment == compartment {
			return float64(s.MeanT2) - first
		}
	}
	return math.NaN()
}
