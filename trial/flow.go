package trial

import (
	"cmp"
	"math"
	"slices"
)

// flow counts the participants of every arm: those with values of compartments or, if there are none, of
// any endpoint.
func flow(d Design, endpoints []EndpointAnalysis) []Flow {
	if compartments := slices.DeleteFunc(slices.Clone(endpoints),
		func(e EndpointAnalysis) bool { return !e.Compartment }); len(compartments) > 0 {
		endpoints = compartments
	}
	flows := make([]Flow, len(d.Arms))
	for arm := range flows {
		f := &flows[arm]
		f.Visits = make([]FlowVisit, len(d.Visits))
		for s, subject := range d.Subjects {
			if subject.Arm != arm {
				continue
			}
			f.Planned++
			for v := range d.Visits {
				f.Visits[v].count(reason(endpoints, s, v))
			}
			if slices.ContainsFunc(endpoints, func(e EndpointAnalysis) bool {
				return slices.ContainsFunc(e.Changes[s], func(c Change) bool { return !math.IsNaN(c.Delta) })
			}) {
				f.Analysed++
			}
		}
		for v := range f.Visits {
			slices.SortStableFunc(f.Visits[v].Missing, func(a, b ReasonCount) int {
				return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason.String(), b.Reason.String()))
			})
		}
	}
	return flows
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

// count adds a participant who is present, or missing for a reason.
func (f *FlowVisit) count(reason Missing) {
	if reason.Kind == Present {
		f.Present++
		return
	}
	i := slices.IndexFunc(f.Missing, func(r ReasonCount) bool { return r.Reason == reason })
	if i < 0 {
		i = len(f.Missing)
		f.Missing = append(f.Missing, ReasonCount{Reason: reason})
	}
	f.Missing[i].N++
}
