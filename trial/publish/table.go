package publish

import (
	"math"
	"strconv"

	"github.com/t2map/t2map/printable"
)

// column is one column of a table of rows R: how its cells are had and what the
// dictionary says of it. Table and dictionary are written from the same columns, so
// that neither can hold what the other does not.
type column[R any] struct {
	name, label string
	// kind is text, integer or number.
	kind kind
	// unit is empty where there is none; "of the endpoint" where a row's unit column says.
	unit string
	// terms are the values that can stand here, or the code list.
	terms string
	// from says how the value is had: a formula, or the field it is taken from.
	from string
	// origin is design, results, endpoints, derived or assigned.
	origin origin
	cell   func(r R) string
}

type kind string

const (
	text    kind = "text"
	integer kind = "integer"
	number  kind = "number"
)

type origin string

const (
	ofDesign origin = "design"   // the design file
	ofInput  origin = "results"  // compartments.csv, studies.csv, tables of other endpoints
	derived  origin = "derived"  // computed here
	assigned origin = "assigned" // given by t2map or by a standard
)

// table is a table ready to be written.
type table struct {
	// name of the file without .csv, and what a row is.
	name, row string
	columns   []string
	rows      [][]string
	// dictionary holds a row for each column.
	dictionary [][]string
}

// dictionaryColumns are those of each dictionary.
var dictionaryColumns = []string{"column", "label", "type", "unit", "terms", "derivation", "origin"}

// newTable fills a table: columns × rows.
func newTable[R any](name, row string, columns []column[R], rows []R) table {
	t := table{name: name, row: row}
	for _, c := range columns {
		t.columns = append(t.columns, c.name)
		t.dictionary = append(t.dictionary, []string{
			c.name, c.label, string(c.kind), c.unit, c.terms, printable.Cell(c.from), string(c.origin),
		})
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

// plain prints x to 15 significant digits, which a float64 holds of any decimal
// number; a figure that could not be had is an empty cell.
func plain(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 15, 64)
}

// mark is Y, or an empty cell.
func mark(yes bool) string {
	if yes {
		return "Y"
	}
	return ""
}
