package publish

import (
	"bytes"
	"encoding/json"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// schema names the format of trial.json. Its number increases if a key is removed or changes its meaning,
// not if a key is added.
const (
	schemaName = "t2map-trial/"
	schema     = schemaName + "2"
)

// encode returns trial.json: the analysis with unrounded numbers, null for absent numbers, and enumerations
// as words.
func encode(a *trial.Analysis, pictures, maps []string) ([]byte, error) {
	d := document{
		Schema: schema, Pictures: listOf(pictures, same), Maps: listOf(maps, same), Version: a.Version,
		Design: designJSON(a.Design), Plan: planJSON(a.Plan),
		Inputs:       listOf(a.Inputs, func(i trial.Input) jsonInput { return jsonInput(i) }),
		Flow:         listOf(a.Flow, flowJSON),
		Flags:        listOf(a.Flags, flagJSON),
		Correlations: listOf(a.Correlations, correlationJSON),
		Settings:     listOf(a.Settings, same), Notes: listOf(a.Notes, same),
	}
	for i := range a.Endpoints {
		d.Endpoints = append(d.Endpoints, endpointJSON(&a.Endpoints[i]))
	}
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	w.SetIndent("", " ")
	err := w.Encode(d)
	return b.Bytes(), err
}

// The types of trial.json. Arms, visits and flags are indices from 0.
type (
	document struct {
		Schema       string            `json:"schema"`
		Pictures     []string          `json:"pictures"`
		Maps         []string          `json:"maps"`
		Version      string            `json:"version"`
		Design       jsonDesign        `json:"design"`
		Plan         jsonPlan          `json:"plan"`
		Inputs       []jsonInput       `json:"inputs"`
		Endpoints    []jsonEndpoint    `json:"endpoints"`
		Flow         []jsonFlow        `json:"flow"`
		Flags        []jsonFlag        `json:"flags"`
		Correlations []jsonCorrelation `json:"correlations"`
		Settings     []string          `json:"settings"`
		Notes        []string          `json:"notes"`
	}
	jsonInput struct {
		Name   string `json:"name"`
		SHA256 string `json:"sha256"`
	}
	jsonFlag struct {
		Kind     trial.FlagKind `json:"kind"`
		Subject  string         `json:"subject"`
		Visit    string         `json:"visit"`
		Endpoint string         `json:"endpoint"`
		Text     string         `json:"text"`
		Excess   *jsonExcess    `json:"excess,omitempty"`
	}
	jsonDesign struct {
		Name            string        `json:"name"`
		Arms            []string      `json:"arms"`
		Visits          []jsonVisit   `json:"visits"`
		Before          []jsonVisit   `json:"before"`
		AssumedBaseline bool          `json:"assumed_baseline"`
		Subjects        []jsonSubject `json:"subjects"`
		Primary         []jsonTarget  `json:"primary"`
		Secondary       []jsonTarget  `json:"secondary"`
	}
	jsonVisit struct {
		Name  string       `json:"name"`
		Month number.Float `json:"month"`
	}
	jsonSubject struct {
		ID      string       `json:"id"`
		Arm     int          `json:"arm"`
		Side    string       `json:"side"`
		Stratum string       `json:"stratum"`
		Site    string       `json:"site"`
		Sex     string       `json:"sex"`
		Age     number.Float `json:"age"`
		BMI     number.Float `json:"bmi"`
	}
	jsonTarget struct {
		Endpoint string `json:"endpoint"`
		Visit    int    `json:"visit"`
	}
	jsonPlan struct {
		Covariance     string              `json:"covariance"`
		DF             string              `json:"df"`
		Rows           []string            `json:"rows"`
		Covariates     []string            `json:"covariates"`
		Level          number.Float        `json:"level"`
		WithinCV       number.Float        `json:"within_cv"`
		CompartmentCVs []jsonCompartmentCV `json:"within_cv_of"`
		MeanOfTwo      bool                `json:"mean_of_two"`
		Permutations   int                 `json:"permutations"`
		Seed           uint64              `json:"seed"`
	}
	jsonCompartmentCV struct {
		Compartment string       `json:"compartment"`
		CV          number.Float `json:"cv"`
	}
	jsonFlow struct {
		Planned  int             `json:"planned"`
		Visits   []jsonFlowVisit `json:"visits"`
		Analysed int             `json:"analysed"`
	}
	jsonFlowVisit struct {
		Present int               `json:"present"`
		Missing []jsonReasonCount `json:"missing"`
	}
	jsonReasonCount struct {
		Reason jsonMissing `json:"reason"`
		N      int         `json:"n"`
	}
	jsonMissing struct {
		Kind       string `json:"kind"`
		Count      int    `json:"count,omitempty"`
		Detail     string `json:"detail,omitempty"`
		OfBaseline bool   `json:"of_baseline,omitempty"`
	}
	jsonCorrelation struct {
		X      int          `json:"x"`
		Y      int          `json:"y"`
		Visit  int          `json:"visit"`
		Arm    int          `json:"arm"`
		N      int          `json:"n"`
		Rho    jsonInterval `json:"rho"`
		P      number.Float `json:"p"`
		Reason string       `json:"reason"`
	}
	jsonInterval struct {
		Estimate number.Float `json:"estimate"`
		Low      number.Float `json:"low"`
		High     number.Float `json:"high"`
	}
	jsonEstimate struct {
		Value number.Float `json:"value"`
		SE    number.Float `json:"se"`
		DF    number.Float `json:"df"`
		T     number.Float `json:"t"`
		P     number.Float `json:"p"`
		Low   number.Float `json:"low"`
		High  number.Float `json:"high"`
	}
)

func same(s string) string { return s }

// listOf converts a list. An empty list is [] in JSON, not null.
func listOf[T, J any](list []T, convert func(T) J) []J {
	out := make([]J, len(list))
	for i, x := range list {
		out[i] = convert(x)
	}
	return out
}

func floats(list []float64) []number.Float { return listOf(list, number.Finite) }

func targetJSON(t trial.Target) jsonTarget { return jsonTarget{t.Endpoint, t.Visit} }

func visitJSON(v trial.Visit) jsonVisit { return jsonVisit{v.Name, number.Finite(v.Month)} }

func designJSON(d trial.Design) jsonDesign {
	return jsonDesign{
		Name: d.Name, Arms: listOf(d.Arms, same), Visits: listOf(d.Visits, visitJSON),
		Before:          listOf(d.Earlier, visitJSON),
		AssumedBaseline: d.AssumedBaseline, Primary: listOf(d.Primary, targetJSON), Secondary: listOf(d.Secondary, targetJSON),
		Subjects: listOf(d.Subjects, func(s trial.Subject) jsonSubject {
			return jsonSubject{s.ID, s.Arm, s.Side, s.Stratum, s.Site, s.Sex, number.Finite(s.Age),
				number.Finite(s.BMI)}
		}),
	}
}

func planJSON(p trial.Plan) jsonPlan {
	return jsonPlan{
		Covariance: p.Covariance.String(), DF: dfTerm(p.DF), Rows: listOf(p.Rows, same),
		Covariates: listOf(p.Covariates, same),
		Level:      number.Finite(p.Level), WithinCV: number.Finite(p.WithinCV), MeanOfTwo: p.MeanOfTwo,
		Permutations: p.Permutations, Seed: p.Seed,
		CompartmentCVs: listOf(p.CompartmentCVs, func(c trial.CompartmentCV) jsonCompartmentCV {
			return jsonCompartmentCV{c.Compartment, number.Finite(c.CV)}
		}),
	}
}

func flowJSON(f trial.Flow) jsonFlow {
	return jsonFlow{Planned: f.Planned, Analysed: f.Analysed,
		Visits: listOf(f.Visits, func(v trial.FlowVisit) jsonFlowVisit {
			return jsonFlowVisit{v.Present, listOf(v.Missing, func(r trial.ReasonCount) jsonReasonCount {
				return jsonReasonCount{reasonJSON(r.Reason), r.N}
			})}
		})}
}

// missingJSON returns nil, which JSON omits, for a value that exists.
func missingJSON(m trial.Missing) *jsonMissing {
	if m.Kind == trial.Present {
		return nil
	}
	reason := reasonJSON(m)
	return &reason
}

func reasonJSON(m trial.Missing) jsonMissing {
	return jsonMissing{m.Kind.String(), m.Count, m.Detail, m.OfBaseline}
}

func correlationJSON(c trial.Correlation) jsonCorrelation {
	return jsonCorrelation{c.X, c.Y, c.Visit, c.Arm, c.N, intervalJSON(c.Rho), number.Finite(c.P), c.Reason}
}

func intervalJSON(i trial.Interval) jsonInterval {
	return jsonInterval{number.Finite(i.Estimate), number.Finite(i.Low), number.Finite(i.High)}
}

func estimateJSON(e mmrm.Estimate) jsonEstimate {
	f := number.Finite
	return jsonEstimate{f(e.Value), f(e.SE), f(e.DF), f(e.T), f(e.P), f(e.Low), f(e.High)}
}
