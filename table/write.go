package table

import (
	"math"
	"strconv"

	"github.com/t2map/t2map/printable"
)

// Column is a column of a table with rows of type R: its cells and its entry in the dictionary. The table and its
// dictionary are written from the same columns, so that they agree.
type Column[R any] struct {
	Name, Label string
	Kind        Kind
	// Unit is the unit of the values, or "".
	Unit string
	// Terms are the possible values, or the code list.
	Terms string
	// Derivation is a formula, or the source of the value.
	Derivation string
	Origin     Origin
	// Cell returns the text of the cell of a row in a CSV.
	Cell func(R) string
	// Plain returns the text of a column of texts as it is, on one line; nil means that it is the text of Cell. Cell
	// precedes it with an apostrophe if a spreadsheet would evaluate it as a formula.
	Plain func(R) string
}

// Text returns the text of the cell of a row for formats that have types, in which no text is a formula.
func (c Column[R]) Text(r R) string {
	if c.Plain != nil {
		return c.Plain(r)
	}
	return c.Cell(r)
}

// Kind is the type of the cells of a column.
type Kind string

const (
	Word    Kind = "text"
	Integer Kind = "integer"
	Numeric Kind = "number"
)

// Origin is the source of the values of a column.
type Origin string

const (
	FromImages   Origin = "images"   // the headers of the images, the names of the study
	FromSettings Origin = "settings" // the settings of the mapping
	FromDesign   Origin = "design"   // the design file
	FromResults  Origin = "results"  // compartments.csv, studies.csv, tables of other endpoints
	FromReads    Origin = "reads"    // what a reader has drawn or written
	Derived      Origin = "derived"  // computed by the program that writes the table
	Assigned     Origin = "assigned" // defined by t2map or by a standard
)

// Text returns a column of texts of unknown origin (see printable.Cell).
func Text[R any](name, label string, origin Origin, value func(R) string) Column[R] {
	return Column[R]{Name: name, Label: label, Kind: Word, Origin: origin,
		Cell:  func(r R) string { return printable.Cell(value(r)) },
		Plain: func(r R) string { return printable.Line(value(r)) }}
}

// Number returns a column of derived numbers with 15 significant digits, the largest number of decimal digits that a
// float64 always preserves.
func Number[R any](name, label string, value func(R) float64) Column[R] {
	return Significant(name, label, 15, value)
}

// Significant returns a column of derived numbers with that many significant digits.
func Significant[R any](name, label string, digits int, value func(R) float64) Column[R] {
	return Column[R]{Name: name, Label: label, Kind: Numeric, Origin: Derived,
		Cell: func(r R) string { return Digits(value(r), digits) }}
}

// Fixed returns a column of derived numbers with that many decimals.
func Fixed[R any](name, label string, decimals int, value func(R) float64) Column[R] {
	return Column[R]{Name: name, Label: label, Kind: Numeric, Origin: Derived,
		Cell: func(r R) string { return Decimals(value(r), decimals) }}
}

// Count returns a column of derived whole numbers. A negative number is an empty cell.
func Count[R any](name, label string, value func(R) int) Column[R] {
	return Column[R]{Name: name, Label: label, Kind: Integer, Origin: Derived, Cell: func(r R) string {
		if n := value(r); n >= 0 {
			return strconv.Itoa(n)
		}
		return ""
	}}
}

// Flag returns a column with the word in the rows for which a condition holds, and empty cells in the others.
func Flag[R any](name, label, word string, holds func(R) bool) Column[R] {
	return Text(name, label, Derived, func(r R) string {
		if holds(r) {
			return word
		}
		return ""
	}).WithTerms(word + " or empty")
}

// WithUnit returns the column with a unit.
func (c Column[R]) WithUnit(unit string) Column[R] { c.Unit = unit; return c }

// WithTerms returns the column with its possible values.
func (c Column[R]) WithTerms(terms string) Column[R] { c.Terms = terms; return c }

// WithDerivation returns the column with its derivation.
func (c Column[R]) WithDerivation(derivation string) Column[R] { c.Derivation = derivation; return c }

// WithOrigin returns the column with its origin.
func (c Column[R]) WithOrigin(origin Origin) Column[R] { c.Origin = origin; return c }

// Lift returns columns of rows R from the columns of a part of R.
func Lift[R, P any](part func(R) P, columns []Column[P]) []Column[R] {
	return lift(columns, func(r R, text func(P) string) string { return text(part(r)) })
}

// LiftPresent is Lift for a part that rows may lack. Then it is nil and the cells are empty.
func LiftPresent[R, P any](part func(R) *P, columns []Column[P]) []Column[R] {
	return lift(columns, func(r R, text func(P) string) string {
		if p := part(r); p != nil {
			return text(*p)
		}
		return ""
	})
}

// lift returns columns of rows R from columns of P. apply calls the text of a column for a row.
func lift[R, P any](columns []Column[P], apply func(r R, text func(P) string) string) []Column[R] {
	var out []Column[R]
	for _, c := range columns {
		out = append(out, Column[R]{c.Name, c.Label, c.Kind, c.Unit, c.Terms, c.Derivation, c.Origin,
			func(r R) string { return apply(r, c.Cell) }, func(r R) string { return apply(r, c.Text) }})
	}
	return out
}

// Heads returns the names of the columns.
func Heads[R any](columns []Column[R]) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// Sheet is a table as text, ready to be written.
type Sheet struct {
	Columns []string
	Rows    [][]string
	// Dictionary has a row for each column. Its columns are DictionaryColumns.
	Dictionary [][]string
}

// DictionaryColumns are the columns of each dictionary.
var DictionaryColumns = []string{"column", "label", "type", "unit", "terms", "derivation", "origin"}

// NewSheet returns the table of the rows.
func NewSheet[R any](columns []Column[R], rows []R) Sheet {
	s := Sheet{Columns: Heads(columns)}
	for _, c := range columns {
		s.Dictionary = append(s.Dictionary,
			[]string{c.Name, c.Label, string(c.Kind), c.Unit, c.Terms, printable.Cell(c.Derivation), string(c.Origin)})
	}
	for _, r := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = c.Cell(r)
		}
		s.Rows = append(s.Rows, cells)
	}
	return s
}

// CSV returns the table as CSV; its first row names the columns.
func (s Sheet) CSV() []byte { return printable.CSV(s.Columns, s.Rows) }

// DictionaryCSV returns the dictionary as CSV.
func (s Sheet) DictionaryCSV() []byte { return printable.CSV(DictionaryColumns, s.Dictionary) }

// Write returns the rows as CSV; its first row names the columns.
func Write[R any](columns []Column[R], rows []R) []byte { return NewSheet(columns, rows).CSV() }

// Digits formats x with that many significant digits, and NaN and infinities as an empty cell.
func Digits(x float64, digits int) string { return cell(x, 'g', digits) }

// Decimals formats x with that many decimals, and NaN and infinities as an empty cell.
func Decimals(x float64, decimals int) string { return cell(x, 'f', decimals) }

func cell(x float64, format byte, precision int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, format, precision, 64)
}
