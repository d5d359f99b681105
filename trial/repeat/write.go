package repeat

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
)

// Columns are the columns of repeat.csv; docs/repeat.md explains them.
var Columns = []string{
	"compartment", "n_subjects", "n_knees", "repeats", "values", "df", "mean_t2_ms",
	"wsd_ms", "wsd_low_ms", "wsd_high_ms", "wcv_percent", "wcv_low_percent", "wcv_high_percent",
	"wsd_over_mean_percent",
	"rc_ms", "rc_low_ms", "rc_high_ms", "rc_percent", "rc_low_percent", "rc_high_percent",
	"n_complete", "sdc_ms", "sdc_low_ms", "sdc_high_ms",
	"icc_agreement", "icc_agreement_low", "icc_agreement_high", "icc_consistency", "icc_consistency_low",
	"icc_consistency_high",
	"n_pairs", "bias_ms", "bias_low_ms", "bias_high_ms", "bias_p", "sd_difference_ms",
	"loa_lower_ms", "loa_lower_low_ms", "loa_lower_high_ms", "loa_upper_ms", "loa_upper_low_ms", "loa_upper_high_ms",
	"proportional_rho", "proportional_low", "proportional_high", "proportional_p", "level", "note",
}

// CSV returns repeat.csv: one row per compartment, an empty cell where there is no
// figure. Cells that a spreadsheet would run as a formula begin with an apostrophe.
func (s Study) CSV() []byte {
	var rows [][]string
	for _, c := range s.Compartments {
		row := []string{
			printable.Cell(c.Name), strconv.Itoa(c.Subjects()), strconv.Itoa(c.N), strconv.Itoa(len(s.Visits)),
			strconv.Itoa(c.Measured), strconv.Itoa(c.DF), cell(c.Mean),
		}
		add := func(x ...float64) {
			for _, v := range x {
				row = append(row, cell(v))
			}
		}
		interval := func(i Interval) { add(i.Estimate, i.Low, i.High) }
		interval(c.WSD)
		interval(c.WCV)
		add(c.WSDOverMean)
		interval(c.RC)
		interval(c.RCPercent)
		row = append(row, strconv.Itoa(c.Complete))
		interval(c.SDC)
		interval(c.ICC21)
		interval(c.ICC31)
		row = append(row, strconv.Itoa(c.Agreement.N))
		interval(c.Agreement.Bias)
		add(c.Agreement.P, c.Agreement.SD)
		interval(c.Agreement.Lower)
		interval(c.Agreement.Upper)
		interval(c.Proportional.Rho)
		add(c.Proportional.P, s.Level)
		rows = append(rows, append(row, printable.Cell(c.note())))
	}
	return printable.CSV(Columns, rows)
}

// note returns the reasons of a compartment on a line.
func (c Compartment) note() string { return strings.Join(c.Reasons, "; ") }

// digits of numbers in tables. T2 has four in compartments.csv; two more preserve them.
const digits = 6

func cell(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', digits, 64)
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
	// Version is that of t2map, Input the table's file without its folder, SHA256 its sum.
	Version string `json:"version"`
	Input   string `json:"input"`
	SHA256  string `json:"sha256"`
}

type jsonStudy struct {
	Origin
	Visits       []string          `json:"visits"`
	Level        number.Float      `json:"level"`
	Compartments []jsonCompartment `json:"compartments"`
	Left         []jsonLeft        `json:"left_out"`
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

type jsonLeft struct {
	Subject     string `json:"subject"`
	Side        string `json:"side"`
	Compartment string `json:"compartment"`
	Reason      string `json:"reason"`
}

// JSON returns repeat.json: the numbers of repeat.csv, unrounded, with the values that they are computed
// from and the excluded knees.
func (s Study) JSON(o Origin) ([]byte, error) {
	out := jsonStudy{Origin: o, Visits: s.Visits, Level: number.Finite(s.Level), Left: []jsonLeft{},
		Notes: append([]string{}, s.Notes...)}
	for _, c := range s.Compartments {
		out.Compartments = append(out.Compartments, c.json())
	}
	for _, l := range s.Left {
		out.Left = append(out.Left, jsonLeft{l.Subject, l.Side, l.Compartment, l.Reason})
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
