package trial

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// flow counts the participants of every arm.
func (a *Analysis) flow() []Flow {
	d := a.Design
	t2 := slices.DeleteFunc(slices.Clone(a.Endpoints), func(e EndpointAnalysis) bool { return !e.Compartment })
	flows := make([]Flow, len(d.Arms))
	for arm := range flows {
		f := &flows[arm]
		f.Visits = make([]FlowVisit, len(d.Visits))
		for s, subject := range d.Subjects {
			if subject.Arm != arm {
				continue
			}
			f.Planned++
			last := a.lastVisit(s)
			for v := range d.Visits {
				visit := &f.Visits[v]
				if v <= last {
					visit.InTrial++
				} else if v == last+1 {
					visit.Left = counted(visit.Left, cmp.Or(subject.Discontinued, "no later data"))
				}
				planned := slices.DeleteFunc(slices.Clone(t2), func(e EndpointAnalysis) bool { return !e.Planned(v) })
				if len(planned) == 0 {
					continue
				}
				visit.Planned = true
				if missing := reason(planned, s, v); missing.Kind == Present {
					visit.Present++
				} else {
					visit.Missing = counted(visit.Missing, missing)
				}
			}
			if subject.Analysed() && slices.ContainsFunc(t2, func(e EndpointAnalysis) bool {
				return slices.ContainsFunc(e.Changes[s], func(c Change) bool { return !math.IsNaN(c.Delta) })
			}) {
				f.Analysed++
			}
		}
		for v := range f.Visits {
			sortCounts(f.Visits[v].Missing)
			sortCounts(f.Visits[v].Left)
		}
	}
	return flows
}

// lastVisit returns the last visit at which a subject has a value of any endpoint; −1 if there is none.
func (a *Analysis) lastVisit(subject int) int {
	last := -1
	for _, e := range a.Endpoints {
		for v := range e.Values[subject] {
			if e.Values[subject][v].Missing.Kind == Present {
				last = max(last, v)
			}
		}
	}
	return last
}

// counted counts one more person with a reason.
func counted[R comparable](counts []Count[R], reason R) []Count[R] {
	i := slices.IndexFunc(counts, func(c Count[R]) bool { return c.Reason == reason })
	if i < 0 {
		return append(counts, Count[R]{reason, 1})
	}
	counts[i].N++
	return counts
}

// sortCounts sorts counts, the most frequent reason first.
func sortCounts[R comparable](counts []Count[R]) {
	slices.SortStableFunc(counts, func(a, b Count[R]) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(fmt.Sprint(a.Reason), fmt.Sprint(b.Reason)))
	})
}

// reason returns why a subject has no value of any endpoint at a visit: the reason of the first endpoint.
func reason(endpoints []EndpointAnalysis, s, v int) Missing {
	for _, e := range endpoints {
		if e.Values[s][v].Missing.Kind == Present {
			return Missing{}
		}
	}
	return endpoints[0].Values[s][v].Missing
}
