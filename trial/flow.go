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
	t2At := make([][]EndpointAnalysis, len(d.Visits)) // the compartments whose T2 is planned at a visit
	for v := range t2At {
		t2At[v] = slices.DeleteFunc(slices.Clone(a.Endpoints),
			func(e EndpointAnalysis) bool { return !e.Compartment || !e.Planned(v) })
	}
	primary := a.primaryEndpoints()
	flows := make([]Flow, len(d.Arms))
	for arm := range flows {
		f := &flows[arm]
		f.Visits = make([]FlowVisit, len(d.Visits))
		for s, subject := range d.Subjects {
			if subject.Arm != arm {
				continue
			}
			f.Randomised++
			if !subject.Analysed() {
				f.OutsideSet++
			}
			last := a.LastSeen[s]
			for v := range d.Visits {
				visit := &f.Visits[v]
				visit.T2Planned = len(t2At[v]) > 0
				switch {
				case v == last+1:
					visit.Left = counted(visit.Left, cmp.Or(subject.Discontinued, noReason(last)))
				case v <= last:
					visit.InTrial++
					if visit.T2Planned {
						visit.count(reason(t2At[v], s, v))
					}
				}
			}
			if slices.ContainsFunc(primary, func(e *EndpointAnalysis) bool { return a.inAnalysis(e, s) }) {
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

// noReason says why a subject left whose reason is not known.
func noReason(last int) string {
	if last < 0 {
		return "never seen"
	}
	return "no later data"
}

// primaryEndpoints returns the endpoints with primary contrasts, or all if there are none.
func (a *Analysis) primaryEndpoints() []*EndpointAnalysis {
	var all, primary []*EndpointAnalysis
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		all = append(all, e)
		if slices.ContainsFunc(a.Design.Primary, func(t Target) bool { return t.Endpoint == e.Name }) {
			primary = append(primary, e)
		}
	}
	if primary == nil {
		return all
	}
	return primary
}

// inAnalysis reports whether a subject has an observation in the mixed model of the endpoint or, if there is no
// model, a change in the analysis set.
func (a *Analysis) inAnalysis(e *EndpointAnalysis, subject int) bool {
	return slices.ContainsFunc(e.After(), func(v int) bool {
		return a.InModel(e, subject, v) || e.Model.Failed != "" && !math.IsNaN(e.Changes[subject][v].Delta)
	})
}

// count counts a participant with T2, or without it for a reason.
func (f *FlowVisit) count(missing Missing) {
	if missing.Kind == Present {
		f.Present++
		return
	}
	f.Missing = counted(f.Missing, missing)
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
