package publish

import (
	"strings"

	"github.com/t2map/t2map/trial"
)

// evil is a text that wants to be more than text: a page's program, a formula, a mark
// that turns the direction of writing.
const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'` + "\u202e"

// hostile is the usual trial with names that nobody means well with, and without models.
func hostile() trial.Analysis {
	a := sample{3, 3, 4, true}.analysis()
	long := strings.Repeat("long name ", 30)
	a.Version, a.Design.Name = evil, "=cmd|' /C calc'!A0"
	a.Design.Arms = []string{evil, "=1+1", long}
	a.Design.Visits[1].Name, a.Design.Visits[2].Name = evil, long
	for i, id := range []string{evil, "=HYPERLINK(\"http://example.org\")", "@SUM(A1)", long, "\tS", "bad\xffutf8",
		"+1+1", "two\nlines"} {
		s := &a.Design.Subjects[i]
		s.ID, s.Site, s.Sex, s.Stratum = id, id, id, id
	}
	for i := range a.Endpoints {
		e := &a.Endpoints[i]
		fail(&e.Model, evil)
		e.Values[0][1] = trial.Value{X: nan, Missing: trial.Missing{Kind: trial.Noted, Detail: evil},
			Flags: []int{0, 1}}
		e.Values[3][0].Side, e.Values[3][0].Study, e.Values[3][0].Method = evil, evil, "=1"
		e.Changes[0][1].Missing = e.Values[0][1].Missing
		for j := range e.Contrasts {
			e.Contrasts[j].Model, e.Contrasts[j].Holm = none, nan
		}
	}
	a.Endpoints[0].Name, a.Endpoints[0].Title = "=A1", evil
	a.Endpoints[3].Name, a.Endpoints[3].Unit = long, evil
	for range 250 {
		a.Flags = append(a.Flags, trial.Flag{Kind: trial.ProtocolChange, Subject: evil, Visit: long, Endpoint: "=A1",
			Text: evil})
	}
	a.Flags = append(a.Flags, trial.Flag{Kind: trial.Quality, Text: "=1"})
	a.Settings, a.Notes = []string{evil, "=1"}, []string{evil}
	a.Inputs[0] = trial.Input{Name: evil, SHA256: evil}
	a.Flow[0].Visits[1].Missing = []trial.ReasonCount{{Reason: trial.Missing{Kind: trial.StudyFailed, Detail: evil},
		N: 2}, {Reason: trial.Missing{Kind: trial.Noted, Detail: long}, N: 1}}
	a.Plan.Covariates = []string{evil}
	a.Plan.CompartmentCVs = []trial.CompartmentCV{{Compartment: evil, CV: 0.04}}
	return a
}
