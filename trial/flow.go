package trial

import (
	"cmp"
	"math"
	"slices"
)

// flow counts the participants of every arm.
func (a *Analysis) flow() []Flow {
	d := a.Design
	t2 := slices.DeleteFunc(slices.Clone(a.Endpoints), func(e EndpointAnalysis) bool { return !e.Compartment })
	joined := mapped(a.Endpoints, func(e EndpointAnalysis) Endpoint { return e.Endpoint })
	flows := make([]Flow, len(d.Arms))
	for arm := range flows {
		f := &flows[arm]
		f.Visits = make([]FlowVisit, len(d.Visits))
		for s, subject := range d.Subjects {
			if subject.Arm != arm {
				continue
			}
			f.Planned++
			last := lastVisit(joined, s)
			for v := range d.Visits {
				visit := &f.Visits[v]
				if v <= last {
					visit.InTrial++
				} else if v == last+1 {
					add(&visit.Left, cmp.Or(subject.Discontinued, "no later data"))
				}
				if planned := plannedAt(t2, v); planned != nil {
					visit.Planned = true
					visit.count(reason(planned, s, v))
				}
			}
			if subject.Analysed() && slices.ContainsFunc(t2, func(e EndpointAnalysis) bool {
				return slices.ContainsFunc(e.Changes[s], func(c Change) bool { return !math.IsNaN(c.Delta) })
			}) {
				f.Analysed++
			}
		}
		for v := range f.Visits {
			slices.SortStableFunc(f.Visits[v].Missing, func(a, b ReasonCount) int {
				return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason.String(), b.Reason.String()))
			})
			slices.SortStableFunc(f.Visits[v].Left, func(a, b Exclusion) int {
				return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason))
			})
		}
	}
	return flows
}

// lastVisit returns the last visit at which a subject was present: with a value of any endpoint, or with studies or
// values none of which is used; −1 if there is none.
func lastVisit(endpoints []Endpoint, subject int) int {
	last := -1
	for _, e := range endpoints {
		for v := range e.Values[subject] {
			if m := e.Values[subject][v].Missing; m.Kind == Present || m.Kind == StudyFailed || m.Unused() {
				last = max(last, v)
			}
		}
	}
	return last
}

// plannedAt returns the endpoints for which a visit is planned.
func plannedAt(endpoints []EndpointAnalysis, visit int) []EndpointAnalysis {
	var list []EndpointAnalysis
	for _, e := range endpoints {
		if e.Planned(visit) {
			list = append(list, e)
		}
	}
	return list
}

// add counts one more person with a reason.
func add(list *[]Exclusion, reason string) {
	i := slices.IndexFunc(*list, func(e Exclusion) bool { return e.Reason == reason })
	if i < 0 {
		i = len(*list)
		*list = append(*list, Exclusion{Reason: reason})
	}
	(*list)[i].N++
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
