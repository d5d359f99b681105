package publish

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// scriptFile is an R script that reproduces the primary analysis from values.csv.
const scriptFile = "analysis.R"

//go:embed analysis.R.tmpl
var scriptText string

var scriptTemplate = template.Must(template.New(scriptFile).Funcs(template.FuncMap{
	"r": rText, "rs": rTexts,
}).Parse(scriptText))

// script is the plan in analysis.R. Names are as in the cells of values.csv.
type script struct {
	Version, Trial string
	Arms           []string
	Set, DF        string
	Level          float64
	Endpoints      []scriptEndpoint
}

// scriptEndpoint is an endpoint of primary contrasts. Fallback is the planned covariance if another was fitted.
type scriptEndpoint struct {
	Name                          string
	Log                           string
	Visits, Omitted, Primary      []string
	Covariance, Fallback, Formula string
}

// rCovariances are the names of package mmrm of R.
var rCovariances = map[mmrm.Covariance]string{mmrm.Unstructured: "us", mmrm.HeterogeneousCS: "csh", mmrm.AR1: "ar1",
	mmrm.CompoundSymmetry: "cs"}

// scriptOf returns analysis.R.
func scriptOf(a *trial.Analysis) ([]byte, error) {
	s := script{Version: strings.Trim(rText(a.Version), `"`), Trial: trialName(a.Design), Arms: a.Design.Arms, DF: "Kenward-Roger",
		Level: a.Plan.Level}
	if a.Plan.DF == mmrm.Satterthwaite {
		s.DF = "Satterthwaite"
	}
	if len(a.Plan.Sets) > 0 {
		s.Set = setColumn(a.Plan.Sets[0])
	}
	for i := range a.Endpoints {
		if e := scriptEndpointOf(a, &a.Endpoints[i]); len(e.Primary) > 0 && len(a.Design.Arms) > 1 {
			s.Endpoints = append(s.Endpoints, e)
		}
	}
	var b bytes.Buffer
	err := scriptTemplate.Execute(&b, s)
	return b.Bytes(), err
}

func scriptEndpointOf(a *trial.Analysis, e *trial.EndpointAnalysis) scriptEndpoint {
	m := e.Model
	s := scriptEndpoint{Name: e.Name, Log: strings.ToUpper(fmt.Sprint(e.Log)), Covariance: rCovariances[m.Covariance],
		Formula: m.Formula.String()}
	if m.Covariance != a.Plan.Covariance {
		s.Fallback = a.Plan.Covariance.String() + " covariance"
	}
	for _, v := range e.After() {
		name := a.Design.Visits[v].Name
		s.Visits = append(s.Visits, name)
		if slices.ContainsFunc(m.Omitted, func(o trial.Omission) bool { return o.Term == "" && o.Visit == v }) {
			s.Omitted = append(s.Omitted, name)
		}
		if slices.ContainsFunc(e.Contrasts, func(c trial.Contrast) bool { return c.Visit == v && c.Primary() }) {
			s.Primary = append(s.Primary, name)
		}
	}
	return s
}

// rText returns the text of a cell of a table as a string of R, in ASCII.
func rText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range printable.Cell(s) {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || r > '~':
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

// rTexts returns texts as a vector of R.
func rTexts(texts []string) string { return "c(" + strings.Join(mapped(texts, rText), ", ") + ")" }
