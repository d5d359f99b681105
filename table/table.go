// Package table reads the tables that people write or save from a spreadsheet: manifests,
// designs of trials, endpoints, repeated scans, and t2map's own tables. All of them go through one
// reader, so that what is understood in one is understood in all.
//
// A table is a CSV whose first row names the columns. Nothing about its form is guessed: a
// byte-order mark and a first line "sep=;" say what they say; any other separator, decimal sign
// or encoding has to be declared, and the error of one that was not names the flag that declares
// it.
//
// The package also says which names are alike (see Keys): "001" and "1" are two subjects for a
// program and one for the person who opened the table in Excel.
package table

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Source is a table to be read: a CSV whose first row names its columns.
type Source struct {
	// Name is the name of the file in errors, without its folder.
	Name   string
	Data   []byte
	Format Format
	// MadeBy is the command that wrote it, "t2map run"; empty for tables of other programs. It
	// changes hints alone: how t2map's own tables are written cannot be declared.
	MadeBy string
	// NoNumbers says that the table holds no numbers, so that hints omit --decimal, which its command
	// does not have.
	NoNumbers bool
}

// Format is how a CSV is written. The zero value is that of t2map: commas, decimal
// points, UTF-8. Another is never guessed.
type Format struct {
	// Separator of columns. Default: ','.
	Separator rune
	// DecimalComma says that numbers are written 38,5. A point is then an error.
	DecimalComma bool
	// Encoding is a name of the WHATWG Encoding Standard such as windows-1252.
	// Default: UTF-8, or UTF-16 where the text begins with its byte-order mark.
	Encoding string
}

// Error is what is wrong with a table, or with what several tables say together.
type Error struct {
	Problem error
	// Hint says what can be done about it.
	Hint string
}

func (e *Error) Error() string { return e.Problem.Error() }
func (e *Error) Unwrap() error { return e.Problem }

// Advice returns the hint, for hint.Find.
func (e *Error) Advice() string { return e.Hint }

// Hint returns what can be done about an error of this package; empty where there is
// nothing to say.
func Hint(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

func hinted(hint, format string, a ...any) error {
	return &Error{fmt.Errorf(format, a...), hint}
}

// largest is the size in bytes of the largest table that is read. A row of compartments.csv takes
// half a kilobyte: this is more than 100,000 of them.
const largest = 64 << 20

// Load reads the text of a table from an open file. A file of more than 64 MiB is an error, so that
// one without an end (a device) does not take all memory.
func (s *Source) Load(file io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(file, largest+1))
	if err == nil && len(data) > largest {
		err = hinted("check that it is the right file", "%s: larger than %d MiB, which is too large for a table", s.Name, largest>>20)
	}
	s.Data = data
	return err
}

// Table is a CSV in memory.
type Table struct {
	Name string
	// Heading holds the lines before the columns' names that begin with #.
	Heading []HeadingLine
	// Columns are the columns' names in lower case.
	Columns []string
	Rows    []Row

	format Format
	madeBy string
	words  bool // Source.NoNumbers
	said   bool // a first line names the separator
	width  int  // cells of the row that names the columns, empty ones at its end included
	longer []longRow
	short  []shortRow
}

// HeadingLine is a line that begins with #.
type HeadingLine struct {
	// Text is the line without # and the blanks around it.
	Text string
	// Number is its number in the file, from 1.
	Number int
}

// Row is a row of a table.
type Row struct {
	// Line is the line of the file in which the row begins, from 1.
	Line  int
	table *Table
	cells []string
}

// Need returns an error that names the first of the columns that the table does not have, or the first
// row that ends before one of them: a cell may be missing anywhere in such a row, and the values behind
// it then stand in the wrong columns.
func (t *Table) Need(names ...string) error {
	for _, n := range names {
		if !t.Has(n) {
			return hinted(fmt.Sprintf("the first row must name the columns %s", strings.Join(names, ", ")),
				"%s: no column %s (there are %s)", t.Name, n, quoted(t.Columns))
		}
	}
	for _, r := range t.short {
		for _, n := range names {
			if slices.Index(t.Columns, n) >= r.cells {
				return hinted(t.way("write a separator for each empty cell"),
					"%s: line %d has %d cells, but the first row names %d columns: %s is missing, or the values are in the wrong columns", t.Name, r.line, r.cells, len(t.Columns), n)
			}
		}
	}
	return nil
}

// Remarks says what a reader should know of rows with fewer cells than the first row has columns; none
// where there are no such rows.
func (t *Table) Remarks() []string {
	if len(t.short) == 0 {
		return nil
	}
	const shown = 3
	var lines []string
	for _, r := range t.short[:min(shown, len(t.short))] {
		lines = append(lines, strconv.Itoa(r.line))
	}
	if len(t.short) > shown {
		lines = append(lines, "…")
	}
	return []string{fmt.Sprintf("%s: rows with fewer cells than the first row names columns (line %s): the missing cells at their end are taken as empty", t.Name, strings.Join(lines, ", "))}
}

// Has reports whether there is a column of that name.
func (t *Table) Has(column string) bool { return slices.Contains(t.Columns, column) }

// quoted lists names of unknown origin for a message.
func quoted(names []string) string {
	const shown = 30 // columns; t2map's own tables have fewer
	var out []string
	for _, n := range names[:min(shown, len(names))] {
		out = append(out, fmt.Sprintf("%.40q", n))
	}
	if len(names) > shown {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}

// Text returns a cell, empty where the table has no such column.
func (r Row) Text(column string) string {
	if i := slices.Index(r.table.Columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// Place names a cell: "trial.csv: line 3: age".
func (r Row) Place(column string) string {
	return fmt.Sprintf("%s: line %d: %s", r.table.Name, r.Line, column)
}

// Way returns a hint for the row, or for a row of t2map's own tables another one: what stands there is
// corrected where it comes from.
func (r Row) Way(hint string) string {
	if r.table.madeBy == "" {
		return hint
	}
	return fmt.Sprintf("correct the names where '%s' takes them from (--manifest or --layout), and run it again with --rename", r.table.madeBy)
}

// ParseNumber is strconv.ParseFloat for what people write: it refuses hexadecimal numbers and the
// underscores of Go's literals, which would make 40 of 4_0.
func ParseNumber(text string) (float64, error) {
	if strings.ContainsAny(text, "_xX") {
		return 0, &strconv.NumError{Func: "ParseNumber", Num: text, Err: strconv.ErrSyntax}
	}
	return strconv.ParseFloat(text, 64)
}

// extreme is beyond every measurement in any unit; squares of it, and of a percentage of
// its inverse, are still numbers.
const extreme = 1e30

// Number returns a cell's number, NaN where it is empty or NA. A cell that does not hold a finite
// number in the table's format is an error.
func (r Row) Number(column string) (float64, error) {
	cell := r.Text(column)
	if cell == "" || cell == "NA" {
		return math.NaN(), nil
	}
	text, comma := cell, strings.Contains(cell, ",")
	if r.table.format.DecimalComma {
		if strings.Contains(text, ".") {
			return 0, hinted("write thousands without a point", "%s: %.40q has a point, but decimal commas are declared", r.Place(column), cell)
		}
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := ParseNumber(text)
	switch {
	case err != nil && comma && !r.table.format.DecimalComma:
		return 0, hinted(r.table.way("declare decimal commas: --decimal comma"), "%s: %.40q is not a number with a decimal point", r.Place(column), cell)
	case err != nil || math.IsInf(v, 0) || math.IsNaN(v):
		return 0, hinted("leave the cell empty where there is no value", "%s: %.40q is not a number", r.Place(column), cell)
	case math.Abs(v) > extreme || v != 0 && math.Abs(v) < 1/extreme:
		return 0, hinted("leave the cell empty where there is no value", "%s: %.40q is outside the range of any measurement", r.Place(column), cell)
	}
	return v, nil
}
