// Package table reads and writes tables. It reads tables that people write or save from a spreadsheet: manifests,
// designs of trials, endpoints, repeated scans, and t2map's own tables. All have one reader and the same rules. It
// writes tables of typed columns with their dictionary (see Column).
//
// A table is a CSV whose first row names the columns. Its format is not guessed: a byte-order mark and a first line
// such as "sep=;" declare it. Any other separator, decimal sign or encoding must be declared; if it is not, the error
// names the flag.
//
// The package also finds names that are alike (see Keys): "001" and "1" are two subjects for a program, but one for a
// person who opened the table in Excel.
package table

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/hint"
)

// Source is a table to be read: a CSV whose first row names its columns.
type Source struct {
	// Name is the name of the file in errors, without its folder.
	Name   string
	Data   []byte
	Format Format
	// MadeBy is the command that wrote the table, such as "t2map run", or "" for tables of other programs. It changes
	// only hints, because the format of t2map's own tables cannot be declared.
	MadeBy string
	// NoNumbers reports that the table holds no numbers. Hints then omit --decimal, which its command does not have.
	NoNumbers bool
}

// Format is the format of a CSV. The zero value is the format of t2map: commas, decimal points, UTF-8. No other
// format is guessed.
type Format struct {
	// Separator of columns. Default: ','.
	Separator rune
	// DecimalComma reports that numbers are written as 38,5. A point is then an error.
	DecimalComma bool
	// Encoding is a name of the WHATWG Encoding Standard such as windows-1252.
	// Default: UTF-8, or UTF-16 if the text begins with its byte-order mark.
	Encoding string
}

// maxSize is the size in bytes of the largest table that is read. A row of compartments.csv takes half a kilobyte, so
// that a table may have more than 100,000 rows.
const maxSize = 64 << 20

// Load reads the text of a table from a file into s.Data. A file of more than 64 MiB is an error, so that an endless
// file (a device) does not use all memory.
func (s *Source) Load(file io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = hint.Errorf("check that it is the right file",
			"%s: larger than %d MiB, which is too large for a table", s.Name, maxSize>>20)
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

	format            Format
	madeBy            string
	noNumbers         bool // Source.NoNumbers
	declaresSeparator bool // a first line such as "sep=;"
	width             int  // cells of the row that names the columns, including empty ones at its end
	longer            []longRow
	short             []shortRow
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
	// Line is the line of the file in which the row begins, counted from 1.
	Line  int
	table *Table
	cells []string
}

// Need returns an error if the table lacks one of the columns, or if a row ends before one of them: the missing cell
// may be anywhere in such a row, and the values after it are then in the wrong columns.
func (t *Table) Need(names ...string) error {
	for _, n := range names {
		if !t.Has(n) {
			return hint.Errorf(fmt.Sprintf("the first row must name the columns %s", strings.Join(names, ", ")),
				"%s: no column %s (there are %s)", t.Name, n, quoted(t.Columns))
		}
	}
	for _, r := range t.short {
		for _, n := range names {
			if slices.Index(t.Columns, n) >= r.cells {
				return hint.Errorf(t.ownHint("write a separator for each empty cell"),
					"%s: line %d has %d cells, but the first row names %d columns: %s is missing, or the values are "+
						"in the wrong columns", t.Name, r.line, r.cells, len(t.Columns), n)
			}
		}
	}
	return nil
}

// Remarks returns a remark if rows have fewer cells than there are columns.
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
	return []string{fmt.Sprintf("%s: rows with fewer cells than the first row names columns (line %s): the missing "+
		"cells at their end are taken as empty", t.Name, strings.Join(lines, ", "))}
}

// Has reports whether the table has the column.
func (t *Table) Has(column string) bool { return slices.Contains(t.Columns, column) }

// quoted lists names of unknown origin in a message.
func quoted(names []string) string {
	const shown = 30
	var out []string
	for _, n := range names[:min(shown, len(names))] {
		out = append(out, fmt.Sprintf("%.40q", n))
	}
	if len(names) > shown {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}

// Text returns the text of a cell, or "" if the table does not have the column.
func (r Row) Text(column string) string {
	if i := slices.Index(r.table.Columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// Place returns the place of a cell for a message: "trial.csv: line 3: age".
func (r Row) Place(column string) string {
	return fmt.Sprintf("%s: line %d: %s", r.table.Name, r.Line, column)
}

// Way returns the hint, or for a row of t2map's own tables a different one, because its names must be corrected at
// their source.
func (r Row) Way(advice string) string {
	if r.table.madeBy == "" {
		return advice
	}
	return fmt.Sprintf("correct the names where '%s' takes them from (--manifest or --layout), and run it again with "+
		"--rename", r.table.madeBy)
}

// ParseNumber is strconv.ParseFloat for numbers that people write. It refuses hexadecimal numbers, and underscores,
// with which 4_0 would be 40.
func ParseNumber(text string) (float64, error) {
	if strings.ContainsAny(text, "_xX") {
		return 0, &strconv.NumError{Func: "ParseNumber", Num: text, Err: strconv.ErrSyntax}
	}
	return strconv.ParseFloat(text, 64)
}

// extreme is larger than any measurement in any unit. Its square, and the square of its inverse in percent, are still
// finite and not 0.
const extreme = 1e30

// Number returns the number in a cell, or NaN if the cell is empty or NA. A cell without a finite number in the
// table's format is an error.
func (r Row) Number(column string) (float64, error) {
	cell := r.Text(column)
	if cell == "" || cell == "NA" {
		return math.NaN(), nil
	}
	text, comma := cell, strings.Contains(cell, ",")
	if r.table.format.DecimalComma {
		if strings.Contains(text, ".") {
			return 0, hint.Errorf("write thousands without a point",
				"%s: %.40q has a point, but decimal commas are declared", r.Place(column), cell)
		}
		text = strings.Replace(text, ",", ".", 1)
	}
	const emptyHint = "write a number; for a value below the limit of detection, the number that the plan of the study " +
		"specifies. An empty cell is a missing value"
	v, err := ParseNumber(text)
	switch {
	case err != nil && comma && !r.table.format.DecimalComma:
		return 0, hint.Errorf(r.table.ownHint("declare decimal commas: --decimal comma"),
			"%s: %.40q is not a number with a decimal point", r.Place(column), cell)
	case err != nil || math.IsInf(v, 0) || math.IsNaN(v):
		return 0, hint.Errorf(emptyHint, "%s: %.40q is not a number", r.Place(column), cell)
	case math.Abs(v) > extreme || v != 0 && math.Abs(v) < 1/extreme:
		return 0, hint.Errorf(emptyHint, "%s: %.40q is outside the range of any measurement", r.Place(column), cell)
	}
	return v, nil
}
