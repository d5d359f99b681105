package repeat

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/table"
)

// measure is a number, or an estimate with its interval, of a compartment.
type measure struct {
	name, unit, label string
	value             func(Compartment) any // int, float64 or Interval
}

// measures are in repeat.csv and repeat.json; docs/repeat.md explains them.
var measures = []measure{
	{"n_subjects", "", "Subjects", func(c Compartment) any { return c.Subjects() }},
	{"n_knees", "", "Knees", func(c Compartment) any { return c.N }},
	{"values", "", "Values", func(c Compartment) any { return c.Measured }},
	{"df", "", "Degrees of freedom", func(c Compartment) any { return c.DF }},
	{"mean_t2", "_ms", "Mean T2", func(c Compartment) any { return c.Mean }},
	{"wsd", "_ms", "Within-subject SD", func(c Compartment) any { return c.WSD }},
	{"wcv", "_percent", "Within-subject coefficient of variation", func(c Compartment) any { return c.WCV }},
	{"wsd_over_mean", "_percent", "Within-subject SD over the mean", func(c Compartment) any { return c.WSDOverMean }},
	{"rc", "_ms", "Repeatability coefficient", func(c Compartment) any { return c.RC }},
	{"rc", "_percent", "Repeatability coefficient", func(c Compartment) any { return c.RCPercent }},
	{"n_complete", "", "Knees with all values", func(c Compartment) any { return c.Complete }},
	{"sdc", "_ms", "Smallest detectable change", func(c Compartment) any { return c.SDC }},
	{"icc_agreement", "", "Intraclass correlation, agreement", func(c Compartment) any { return c.ICC21 }},
	{"icc_consistency", "", "Intraclass correlation, consistency", func(c Compartment) any { return c.ICC31 }},
	{"n_pairs", "", "Pairs of values", func(c Compartment) any { return c.Agreement.N }},
	{"bias", "_ms", "Mean difference", func(c Compartment) any { return c.Agreement.Bias }},
	{"bias_p", "", "Two-sided p of no bias", func(c Compartment) any { return c.Agreement.P }},
	{"sd_difference", "_ms", "SD of the differences", func(c Compartment) any { return c.Agreement.SD }},
	{"loa_lower", "_ms", "Lower limit of agreement", func(c Compartment) any { return c.Agreement.Lower }},
	{"loa_upper", "_ms", "Upper limit of agreement", func(c Compartment) any { return c.Agreement.Upper }},
	{"proportional", "_rho", "Spearman's correlation of difference and mean",
		func(c Compartment) any { return c.Proportional.Rho }},
	{"proportional_p", "", "Its two-sided p", func(c Compartment) any { return c.Proportional.P }},
}

// csvRow is a row of repeat.csv.
type csvRow struct {
	Compartment
	study Study
}

// columns returns the columns of repeat.csv.
func columns() []table.Column[csvRow] {
	all := []table.Column[csvRow]{
		table.Text("compartment", "Compartment", table.FromResults, func(r csvRow) string { return r.Name }),
	}
	for _, m := range measures {
		all = append(all, m.columns()...)
		if m.name == "n_knees" {
			all = append(all, table.Count("repeats", "Repeated scans", func(r csvRow) int { return len(r.study.Visits) }))
		}
	}
	return append(all, numbers("level", "Level of the intervals", func(r csvRow) float64 { return r.study.Level }).
		WithOrigin(table.Assigned),
		table.Text("note", "Why numbers are missing", table.Derived,
			func(r csvRow) string { return strings.Join(r.Reasons, "; ") }))
}

// columns returns the column of a number, or the three of an estimate and the limits of its interval.
func (m measure) columns() []table.Column[csvRow] {
	switch m.value(Compartment{}).(type) {
	case int:
		return []table.Column[csvRow]{
			table.Count(m.name, m.label, func(r csvRow) int { return m.value(r.Compartment).(int) }),
		}
	case float64:
		return []table.Column[csvRow]{
			numbers(m.name+m.unit, m.label, func(r csvRow) float64 { return m.value(r.Compartment).(float64) }),
		}
	}
	interval := func(r csvRow) Interval { return m.value(r.Compartment).(Interval) }
	unit := strings.TrimSuffix(m.unit, "_rho")
	return []table.Column[csvRow]{
		numbers(m.name+m.unit, m.label, func(r csvRow) float64 { return interval(r).Estimate }),
		numbers(m.name+"_low"+unit, "Lower limit", func(r csvRow) float64 { return interval(r).Low }),
		numbers(m.name+"_high"+unit, "Upper limit", func(r csvRow) float64 { return interval(r).High }),
	}
}

// numbers returns a column of numbers with six digits. T2 has four digits in compartments.csv, which two more digits
// preserve.
func numbers(name, label string, value func(csvRow) float64) table.Column[csvRow] {
	return table.Significant(name, label, 6, value)
}

// CSV returns repeat.csv, with one row per compartment and an empty cell for a missing number.
func (s Study) CSV() []byte {
	var rows []csvRow
	for _, c := range s.Compartments {
		rows = append(rows, csvRow{c, s})
	}
	return table.Write(columns(), rows)
}

// Origin identifies the input of a result.
type Origin struct {
	// Version is the version of t2map, Input the name of the table's file without its folder, SHA256 its hash.
	Version string `json:"version"`
	Input   string `json:"input"`
	SHA256  string `json:"sha256"`
}

type jsonStudy struct {
	Origin
	Visits       []string       `json:"visits"`
	Level        number.Float   `json:"level"`
	Compartments []jsonObject   `json:"compartments"`
	Excluded     []jsonExcluded `json:"left_out"`
	Notes        []string       `json:"notes"`
}

// jsonObject is a JSON object whose keys have an order.
type jsonObject []jsonMember

type jsonMember struct {
	key   string
	value any
}

// MarshalJSON writes the members. A number that does not exist is null.
func (o jsonObject) MarshalJSON() ([]byte, error) {
	b := []byte("{")
	for i, m := range o {
		switch x := m.value.(type) {
		case float64:
			m.value = number.Finite(x)
		case Interval:
			m.value = jsonObject{{"estimate", x.Estimate}, {"low", x.Low}, {"high", x.High}}
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(fmt.Appendf(b, "%q:", m.key), value...)
	}
	return append(b, '}'), nil
}

type jsonRepeats struct {
	Subject string         `json:"subject"`
	Side    string         `json:"side"`
	T2      []number.Float `json:"t2_ms"`
}

type jsonExcluded struct {
	Subject     string `json:"subject"`
	Side        string `json:"side"`
	Compartment string `json:"compartment"`
	Reason      string `json:"reason"`
}

// JSON returns repeat.json: the numbers of repeat.csv without rounding, the values behind them and the excluded
// knees.
func (s Study) JSON(o Origin) ([]byte, error) {
	out := jsonStudy{Origin: o, Visits: s.Visits, Level: number.Finite(s.Level), Excluded: []jsonExcluded{},
		Notes: append([]string{}, s.Notes...)}
	for _, c := range s.Compartments {
		out.Compartments = append(out.Compartments, c.json())
	}
	for _, l := range s.Excluded {
		out.Excluded = append(out.Excluded, jsonExcluded{l.Subject, l.Side, l.Compartment, l.Reason})
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return append(b, '\n'), err
}

func (c Compartment) json() jsonObject {
	o := jsonObject{{"compartment", c.Name}}
	for _, m := range measures {
		o = append(o, jsonMember{m.name + m.unit, m.value(c)})
	}
	repeats := []jsonRepeats{}
	for i, k := range c.Knees {
		r := jsonRepeats{Subject: k.Subject, Side: k.Side}
		for _, v := range c.Values[i] {
			r.T2 = append(r.T2, number.Finite(v))
		}
		repeats = append(repeats, r)
	}
	return append(o, jsonMember{"reasons", append([]string{}, c.Reasons...)}, jsonMember{"repeats", repeats})
}
