package publish

import (
	"bytes"
	_ "embed"
	"fmt"
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

// The function structure names a covariance as package mmrm of R does.
var scriptTemplate = template.Must(template.New(scriptFile).Funcs(template.FuncMap{"r": rText, "rs": rTexts,
	"structure": func(c mmrm.Covariance) string { return [...]string{"us", "csh", "ar1", "cs"}[c] },
}).Parse(scriptText))

// script has the facts of analysis.R. Set is the column of the analysed set; empty for all subjects.
type script struct {
	*trial.Analysis
	Set       string
	Endpoints []scriptEndpoint
}

// scriptEndpoint is an endpoint with its planned visits after baseline, those that are not in the model, and those
// of its primary contrasts.
type scriptEndpoint struct {
	*trial.EndpointAnalysis
	Visits, Omitted, Primary []string
}

// scriptOf returns analysis.R.
func scriptOf(a *trial.Analysis) ([]byte, error) {
	s := script{Analysis: a}
	if len(a.Plan.Sets) > 0 {
		s.Set = setColumn(a.Plan.Sets[0])
	}
	for i := range a.Endpoints {
		e := scriptEndpoint{EndpointAnalysis: &a.Endpoints[i]}
		e.Visits = mapped(e.After(), func(v int) string { return a.Design.Visits[v].Name })
		for _, o := range e.Model.Omitted {
			if o.Term == "" {
				e.Omitted = append(e.Omitted, o.Name(a.Design))
			}
		}
		for _, c := range e.Contrasts {
			if c.Arm == 1 && c.Primary() {
				e.Primary = append(e.Primary, a.Design.Visits[c.Visit].Name)
			}
		}
		if e.Primary != nil {
			s.Endpoints = append(s.Endpoints, e)
		}
	}
	var b bytes.Buffer
	err := scriptTemplate.Execute(&b, s)
	return b.Bytes(), err
}

// rText returns the text of a cell of values.csv as a string of R, in ASCII.
func rText(s string) string {
	var b strings.Builder
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
	return `"` + b.String() + `"`
}

// rTexts returns texts as a vector of R.
func rTexts(texts []string) string { return "c(" + strings.Join(mapped(texts, rText), ", ") + ")" }
