package publish

import (
	"math"
	"strconv"

	"github.com/t2map/t2map/printable"
)

// column is a column of a table of rows R: its cells and its entry in the dictionary. Table and
// dictionary are written from the same columns, so that they agree.
type column[R any] struct {
	name, label string
	kind        kind
	unit        string // empty for none
	terms       string // the possible values, or the code list
	derivation  string // a formula, or the source of the value
	origin      origin
	cell        func(R) string
}

type kind string

const (
	text    kind = "text"
	integer kind = "integer"
	numeric kind = "number"
)

type origin string

const (
	fromDesign  origin = "design"   // the design file
	fromResults origin = "results"  // compartments.csv, studies.csv, tables of other endpoints
	derived     origin = "derived"  // computed here
	assigned    origin = "assigned" // given by t2map or by a standard
)

// endpointUnit is the unit of a column whose rows have a column unit.
const endpointUnit = "of the endpoint"

// words returns a column of texts.
func words[R any](name, label string, from origin, cell func(R) string) column[R] {
	return column[R]{name: name, label: label, kind: text, origin: from,
		cell: func(r R) string { return printable.Cell(cell(r)) }}
}

// numbers returns a column of derived numbers.
func numbers[R any](name, label string, x func(R) float64) column[R] {
	return column[R]{name: name, label: label, kind: numeric, origin: derived,
		cell: func(r R) string { return plain(x(r)) }}
}

// counts returns a column of derived whole numbers; negative ones are empty cells.
func counts[R any](name, label string, n func(R) int) column[R] {
	return column[R]{name: name, label: label, kind: integer, origin: derived, cell: func(r R) string {
		if n := n(r); n >= 0 {
			return strconv.Itoa(n)
		}
		return ""
	}}
}

// marks returns a column with Y where a condition holds.
func marks[R any](name, label string, holds func(R) bool) column[R] {
	return words(name, label, derived, func(r R) string {
		if holds(r) {
			return "Y"
		}
		return ""
	}).withTerms("Y or empty")
}

func (c column[R]) withUnit(unit string) column[R]      { c.unit = unit; return c }
func (c column[R]) withTerms(terms string) column[R]    { c.terms = terms; return c }
func (c column[R]) withDerivation(how string) column[R] { c.derivation = how; return c }
func (c column[R]) withOrigin(origin origin) column[R]  { c.origin = origin; return c }

// columnsOf returns the columns of a part of the rows R as columns of R.
func columnsOf[R, P any](part func(R) P, columns []column[P]) []column[R] {
	var out []column[R]
	for _, c := range columns {
		out = append(out, column[R]{c.name, c.label, c.kind, c.unit, c.terms, c.derivation, c.origin,
			func(r R) string { return c.cell(part(r)) }})
	}
	return out
}

// table is a table ready to be written.
type table struct {
	name       string // of the file, without .csv
	columns    []string
	rows       [][]string
	dictionary [][]string // a row for each column
}

// dictionaryColumns are the columns of each dictionary.
var dictionaryColumns = []string{"column", "label", "type", "unit", "terms", "derivation", "origin"}

func newTable[R any](name string, columns []column[R], rows []R) table {
	t := table{name: name}
	for _, c := range columns {
		t.columns = append(t.columns, c.name)
		t.dictionary = append(t.dictionary,
			[]string{c.name, c.label, string(c.kind), c.unit, c.terms, printable.Cell(c.derivation), string(c.origin)})
	}
	for _, r := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.cell(r)
		}
		t.rows = append(t.rows, cells)
	}
	return t
}

// plain prints x with 15 significant digits, which a float64 holds of any decimal number; an absent
// number is an empty cell.
func plain(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 15, 64)
}
