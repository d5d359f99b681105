package repeat

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/table"
)

// csvRow is a row of repeat.csv.
type csvRow struct {
	Compartment
	study Study
}

// columns are the columns of repeat.csv; docs/repeat.md explains them.
var columns = slices.Concat(
	[]table.Column[csvRow]{
		table.Text("compartment", "Compartment", table.FromResults, func(r csvRow) string { return r.Name }),
		table.Count("n_subjects", "Subjects", func(r csvRow) int { return r.Subjects() }),
		table.Count("n_knees", "Knees", func(r csvRow) int { return r.N }),
		table.Count("repeats", "Repeated scans", func(r csvRow) int { return len(r.study.Visits) }),
		table.Count("values", "Values", func(r csvRow) int { return r.Measured }),
		table.Count("df", "Degrees of freedom", func(r csvRow) int { return r.DF }),
		numbers("mean_t2_ms", "Mean T2", func(r csvRow) float64 { return r.Mean }),
	},
	intervals("wsd", "_ms", "Within-subject SD", func(c Compartment) Interval { return c.WSD }),
	intervals("wcv", "_percent", "Within-subject coefficient of variation",
		func(c Compartment) Interval { return c.WCV }),
	[]table.Column[csvRow]{
		numbers("wsd_over_mean_percent", "Within-subject SD over the mean",
			func(r csvRow) float64 { return r.WSDOverMean }),
	},
	intervals("rc", "_ms", "Repeatability coefficient", func(c Compartment) Interval { return c.RC }),
	intervals("rc", "_percent", "Repeatability coefficient", func(c Compartment) Interval { return c.RCPercent }),
	[]table.Column[csvRow]{
		table.Count("n_complete", "Knees with all values", func(r csvRow) int { return r.Complete }),
	},
	intervals("sdc", "_ms", "Smallest detectable change", func(c Compartment) Interval { return c.SDC }),
	intervals("icc_agreement", "", "Intraclass correlation, agreement",
		func(c Compartment) Interval { return c.ICC21 }),
	intervals("icc_consistency", "", "Intraclass correlation, consistency",
		func(c Compartment) Interval { return c.ICC31 }),
	[]table.Column[csvRow]{
		table.Count("n_pairs", "Pairs of values", func(r csvRow) int { return r.Agreement.N }),
	},
	intervals("bias", "_ms", "Mean difference", func(c Compartment) Interval { return c.Agreement.Bias }),
	[]table.Column[csvRow]{
		numbers("bias_p", "Two-sided p of no bias", func(r csvRow) float64 { return r.Agreement.P }),
		numbers("sd_difference_ms", "SD of the differences", func(r csvRow) float64 { return r.Agreement.SD }),
	},
	intervals("loa_lower", "_ms", "Lower limit of agreement",
		func(c Compartment) Interval { return c.Agreement.Lower }),
	intervals("loa_upper", "_ms", "Upper limit of agreement",
		func(c Compartment) Interval { return c.Agreement.Upper }),
	proportional,
	[]table.Column[csvRow]{
		numbers("proportional_p", "Its two-sided p", func(r csvRow) float64 { return r.Proportional.P }),
		numbers("level", "Level of the intervals", func(r csvRow) float64 { return r.study.Level }).
			WithOrigin(table.Assigned),
		table.Text("note", "Why numbers are missing", table.Derived,
			func(r csvRow) string { return strings.Join(r.Reasons, "; ") }),
	},
)

// proportional are the columns of Spearman's correlation. Only the name of the estimate ends in _rho.
var proportional = func() []table.Column[csvRow] {
	c := intervals("proportional", "", "Spearman's correlation of difference and mean",
		func(c Compartment) Interval { return c.Proportional.Rho })
	c[0].Name = "proportional_rho"
	return c
}()

// numbers returns a column of numbers with six digits. T2 has four digits in compartments.csv, which two more digits
// preserve.
func numbers(name, label string, value func(csvRow) float64) table.Column[csvRow] {
	return table.Significant(name, label, 6, value)
}

// intervals returns the columns of an estimate and the limits of its interval.
func intervals(name, unit, label string, value func(Compartment) Interval) []table.Column[csvRow] {
	return []table.Column[csvRow]{
		numbers(name+unit, label, func(r csvRow) float64 { return value(r.Compartment).Estimate }),
		numbers(name+"_low"+unit, "Lower limit", func(r csvRow) float64 { return value(r.Compartment).Low }),
		numbers(name+"_high"+unit, "Upper limit", func(r csvRow) float64 { return value(r.Compartment).High }),
	}
}

// CSV returns repeat.csv, with one row per compartment and an empty cell for a missing number.
func (s Study) CSV() []byte {
	var rows []csvRow
	for _, c := range s.Compartments {
		rows = append(rows, csvRow{c, s})
	}
	return table.Write(columns, rows)
}

type jsonInterval struct {
	Estimate number.Float `json:"estimate"`
	Low      number.Float `json:"low"`
	High     number.Float `json:"high"`
}

func toJSON(i Interval) jsonInterval {
	return jsonInterval{number.Finite(i.Estimate), number.Finite(i.Low), number.Finite(i.High)}
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
	Visits       []string          `json:"visits"`
	Level        number.Float      `json:"level"`
	Compartments []jsonCompartment `json:"compartments"`
	Excluded     []jsonExcluded    `json:"left_out"`
	Notes        []string          `json:"notes"`
}

type jsonCompartment struct {
	Name           string        `json:"compartment"`
	Subjects       int           `json:"n_subjects"`
	Knees          int           `json:"n_knees"`
	Values         int           `json:"values"`
	DF             int           `json:"df"`
	Mean           number.Float  `json:"mean_t2_ms"`
	WSD            jsonInterval  `json:"wsd_ms"`
	WCV            jsonInterval  `json:"wcv_percent"`
	WSDOverMean    number.Float  `json:"wsd_over_mean_percent"`
	RC             jsonInterval  `json:"rc_ms"`
	RCPercent      jsonInterval  `json:"rc_percent"`
	Complete       int           `json:"n_complete"`
	SDC            jsonInterval  `json:"sdc_ms"`
	ICCAgreement   jsonInterval  `json:"icc_agreement"`
	ICCConsistency jsonInterval  `json:"icc_consistency"`
	Pairs          int           `json:"n_pairs"`
	Bias           jsonInterval  `json:"bias_ms"`
	BiasP          number.Float  `json:"bias_p"`
	SDDifference   number.Float  `json:"sd_difference_ms"`
	Lower          jsonInterval  `json:"loa_lower_ms"`
	Upper          jsonInterval  `json:"loa_upper_ms"`
	Proportional   jsonInterval  `json:"proportional_rho"`
	ProportionalP  number.Float  `json:"proportional_p"`
	Reasons        []string      `json:"reasons"`
	Repeats        []jsonRepeats `json:"repeats"`
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

func (c Compartment) json() jsonCompartment {
	j := jsonCompartment{
		Name: c.Name, Subjects: c.Subjects(), Knees: c.N, Values: c.Measured, DF: c.DF, Mean: number.Finite(c.Mean),
		WSD: toJSON(c.WSD), WCV: toJSON(c.WCV), WSDOverMean: number.Finite(c.WSDOverMean), RC: toJSON(c.RC),
		RCPercent: toJSON(c.RCPercent),
		Complete:  c.Complete, SDC: toJSON(c.SDC), ICCAgreement: toJSON(c.ICC21), ICCConsistency: toJSON(c.ICC31),
		Pairs: c.Agreement.N, Bias: toJSON(c.Agreement.Bias), BiasP: number.Finite(c.Agreement.P),
		SDDifference: number.Finite(c.Agreement.SD),
		Lower:        toJSON(c.Agreement.Lower), Upper: toJSON(c.Agreement.Upper),
		Proportional: toJSON(c.Proportional.Rho), ProportionalP: number.Finite(c.Proportional.P),
		Reasons: append([]string{}, c.Reasons...), Repeats: []jsonRepeats{},
	}
	for i, k := range c.Knees {
		r := jsonRepeats{Subject: k.Subject, Side: k.Side}
		for _, v := range c.Values[i] {
			r.T2 = append(r.T2, number.Finite(v))
		}
		j.Repeats = append(j.Repeats, r)
	}
	return j
}
