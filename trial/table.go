package trial

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/t2map/t2map/printable"
)

// Source is a table to be read: a CSV whose first row names its columns.
type Source struct {
	// Name is what errors call it, the file's name without its folder.
	Name   string
	Data   []byte
	Format Format
	// MadeBy is the command that wrote it, "t2map run"; empty for tables of other programs. It
	// changes hints alone: how t2map's own tables are written cannot be declared.
	MadeBy string
}

// Format is how a CSV is written. The zero value is that of t2map: commas, decimal
// points, UTF-8. Another is never guessed.
type Format struct {
	// Separator of columns. Default: ','.
	Separator rune
	// DecimalComma says that numbers are written 38,5. A point is then an error.
	DecimalComma bool
	// Encoding is a name of the WHATWG Encoding Standard such as windows-1252.
	// Default: UTF-8.
	Encoding string
}

// hintError is an error with a way out.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// Hint returns what can be done about an error of this package; empty where there is
// nothing to say.
func Hint(err error) string {
	var h *hintError
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}

func hinted(hint, format string, a ...any) error {
	return &hintError{fmt.Errorf(format, a...), hint}
}

// table is a CSV in memory.
type table struct {
	name    string
	format  Format
	madeBy  string
	heading []string // the lines before the columns' names that begin with #, without it
	columns []string // lower case
	rows    []row
}

// row is a row of a table.
type row struct {
	of    *table
	line  int
	cells []string
}

// readTable reads a CSV. Blank rows are passed over; lines above the columns' names whose
// first cell begins with # are its heading. Columns are known by their names, without
// regard to case and to blanks around them. A first line "sep=;", which Excel knows, says
// what separates the columns.
//
// Errors name the table and the line: a text that is not in the declared encoding, a row of
// another length, a column that is there twice, a separator that was not declared.
func readTable(s Source) (*table, error) {
	text, err := s.decode()
	if err != nil {
		return nil, err
	}
	t := &table{name: s.Name, format: s.Format, madeBy: s.MadeBy}
	if separator, rest := cutSeparator(text); separator != 0 {
		t.format.Separator, text = separator, rest
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = cmp.Or(t.format.Separator, ',')
	r.FieldsPerRecord = -1 // checked below, in words that name the file
	r.TrimLeadingSpace = true
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, t.misquoted(err)
		}
		line, _ := r.FieldPos(0)
		if err := t.add(line, cells); err != nil {
			return nil, err
		}
	}
	if t.columns == nil {
		return nil, hinted("the first row names the columns", "%s: the table is empty", s.Name)
	}
	return t, nil
}

// misquoted is the error of a record that cannot be read.
func (t *table) misquoted(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return hinted(t.way(`a cell that holds quotation marks stands in quotation marks, and those in it are doubled: "5"" left"`),
		"%s: line %d: a quotation mark that does not end, or in a cell without: %w", t.name, p.StartLine, p.Err)
}

// way is a hint, but where the table is t2map's own: that is not mended by declaring anything.
func (t *table) way(hint string) string {
	if t.madeBy == "" {
		return hint
	}
	return fmt.Sprintf("%s is a table of '%s' that a spreadsheet has saved in another form: make it again, and open a copy of it there", t.name, t.madeBy)
}

// cutSeparator returns the separator that a first line "sep=;" names, and the text with that line
// blank; 0 where there is none.
func cutSeparator(text []byte) (separator rune, rest []byte) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	name, value, _ := strings.Cut(strings.Trim(strings.TrimRight(string(line), "\r"), `"`), "=")
	separator, n := utf8.DecodeRuneInString(value)
	if !strings.EqualFold(strings.TrimSpace(name), "sep") || n == 0 || n != len(value) || strings.ContainsRune("\"\r#\uFFFD", separator) {
		return 0, text
	}
	return separator, text[len(line):]
}

// IsResults says whether a table has the columns of compartments.csv, for those who look for
// another.
func (s Source) IsResults() bool {
	t, err := readTable(s)
	return err == nil && t.has("compartment") && t.has("mean_t2_ms")
}

// unlike says what a file is that is no CSV in its declared encoding, and what can be done about it;
// nothing where that is not seen from how it begins.
func (s Source) unlike() (what, hint string) {
	begins := func(with string) bool { return bytes.HasPrefix(s.Data, []byte(with)) }
	wide := strings.HasPrefix(strings.ToLower(s.Format.Encoding), "utf-16")
	const utf16 = "the text is UTF-16"
	// Every other byte of such a text is NUL, as far as it is of ASCII.
	head := s.Data[:min(len(s.Data), 1<<12)]
	zeros := bytes.Count(head, []byte{0}) > len(head)/4
	switch {
	case begins("PK\x03\x04"), begins("\xd0\xcf\x11\xe0"): // Office Open XML and OpenDocument (ZIP); Excel's earlier .xls (MS-CFB 2.2)
		return "an Excel workbook, not a CSV", "open it there and save it as CSV UTF-8"
	case wide:
		return "", ""
	case begins("\xfe\xff"), zeros && head[0] == 0:
		return utf16, "declare it: --encoding utf-16be"
	case begins("\xff\xfe"), zeros:
		return utf16, "declare it: --encoding utf-16le"
	}
	return "", ""
}

// decode returns the text in UTF-8 without a byte order mark.
func (s Source) decode() ([]byte, error) {
	t := table{name: s.Name, madeBy: s.MadeBy}
	if what, hint := s.unlike(); what != "" {
		return nil, hinted(t.way(hint), "%s: %s", s.Name, what)
	}
	text := s.Data
	if s.Format.Encoding != "" {
		e, err := htmlindex.Get(s.Format.Encoding)
		if err != nil {
			return nil, hinted("one of the WHATWG Encoding Standard, such as windows-1252 or utf-16le", "%s: encoding %q is not known", s.Name, s.Format.Encoding)
		}
		if text, err = e.NewDecoder().Bytes(text); err != nil {
			return nil, fmt.Errorf("%s: not %s: %w", s.Name, s.Format.Encoding, err)
		}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		line := 1 + bytes.Count(text[:firstInvalid(text)], []byte("\n"))
		return nil, hinted(t.way("save it as CSV UTF-8, or declare what it is: --encoding windows-1252"), "%s: line %d: the text is not UTF-8", s.Name, line)
	}
	return text, nil
}

// firstInvalid returns where a text first is no UTF-8, or holds a NUL as UTF-16 does.
func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 || r == 0 {
			return i
		}
		i += n
	}
	return len(text)
}

// add takes the next record.
func (t *table) add(line int, cells []string) error {
	for i, c := range cells {
		cells[i] = plain(strings.TrimSpace(c))
	}
	switch {
	case !slices.ContainsFunc(cells, func(c string) bool { return c != "" }):
		return nil
	case t.columns == nil && strings.HasPrefix(cells[0], "#"):
		// A spreadsheet has cut the line at its commas: they are put back.
		cells = slices.DeleteFunc(cells, func(c string) bool { return c == "" })
		t.heading = append(t.heading, strings.TrimSpace(strings.TrimLeft(strings.Join(cells, ","), "# ")))
		return nil
	case t.columns == nil:
		return t.nameColumns(cells)
	}
	// Spreadsheets leave out or add empty cells at the end of a row.
	for len(cells) > len(t.columns) && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) > len(t.columns) {
		return hinted(t.way("quote cells that hold the separator, and declare decimal commas (--separator ';' --decimal comma)"),
			"%s: line %d has %d cells, the first row names %d columns", t.name, line, len(cells), len(t.columns))
	}
	for len(cells) < len(t.columns) {
		cells = append(cells, "")
	}
	t.rows = append(t.rows, row{t, line, cells})
	return nil
}

// nameColumns takes the row that names the columns.
func (t *table) nameColumns(cells []string) error {
	for len(cells) > 1 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 1 {
		if err := t.otherSeparator(cells[0]); err != nil {
			return err
		}
	}
	for i, c := range cells {
		cells[i] = strings.ToLower(c)
		if slices.Contains(cells[:i], cells[i]) {
			return fmt.Errorf("%s: column %q is there twice", t.name, cells[i])
		}
	}
	t.columns = cells
	return nil
}

// otherSeparator is the error of a row of columns' names that is one cell, as far as it can be
// seen what separates them.
func (t *table) otherSeparator(cell string) error {
	declared := string(cmp.Or(t.format.Separator, ','))
	for _, other := range []string{";", "\t", "|", ","} {
		switch {
		case !strings.Contains(cell, other):
		case declared == ",":
			return hinted(t.way(fmt.Sprintf("declare it: --separator %q, and --decimal comma if numbers are written 38,5", other)),
				"%s: the columns are separated by %q, not by commas", t.name, other)
		default:
			return hinted("--separator holds for the design and all --endpoints alike: save them with one separator",
				"%s: the columns are separated by %q, declared is %q", t.name, other, declared)
		}
	}
	return nil
}

// plain takes away the apostrophe that t2map puts before cells that a spreadsheet
// would run as a formula.
func plain(cell string) string {
	if text, quoted := strings.CutPrefix(cell, "'"); quoted && printable.Cell(text) == cell {
		return text
	}
	return cell
}

// need reports columns that must be there and are not.
func (t *table) need(names ...string) error {
	for _, n := range names {
		if !t.has(n) {
			return hinted(fmt.Sprintf("the first row names the columns, of which %s are needed", strings.Join(names, ", ")),
				"%s: no column %s (there are %s)", t.name, n, strings.Join(t.columns, ", "))
		}
	}
	return nil
}

func (t *table) has(column string) bool { return slices.Contains(t.columns, column) }

// text returns a cell, empty where the table has no such column.
func (r row) text(column string) string {
	if i := slices.Index(r.of.columns, column); i >= 0 {
		return r.cells[i]
	}
	return ""
}

// extreme is beyond every measurement in any unit; squares of it, and of a percentage of
// its inverse, are still numbers.
const extreme = 1e30

// number returns a cell's number, NaN where it is empty or NA. Errors: what is no finite
// number in the table's format.
func (r row) number(column string) (float64, error) {
	cell := r.text(column)
	if cell == "" || cell == "NA" {
		return math.NaN(), nil
	}
	text, comma := cell, strings.Contains(cell, ",")
	if r.of.format.DecimalComma {
		if strings.Contains(text, ".") {
			return 0, hinted("leave out points that part thousands", "%s: %q has a point, but decimal commas are declared", r.place(column), cell)
		}
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && comma && !r.of.format.DecimalComma:
		return 0, hinted(r.of.way("declare decimal commas: --decimal comma"), "%s: %q is no number with a decimal point", r.place(column), cell)
	case err != nil || math.IsInf(v, 0) || math.IsNaN(v):
		return 0, hinted("leave the cell empty where there is no value", "%s: %.40q is no number", r.place(column), cell)
	case math.Abs(v) > extreme || v != 0 && math.Abs(v) < 1/extreme:
		return 0, hinted("leave the cell empty where there is no value", "%s: %.40q is beyond all that is measured", r.place(column), cell)
	}
	return v, nil
}

// place names a cell: "trial.csv: line 3: age".
func (r row) place(column string) string {
	return fmt.Sprintf("%s: line %d: %s", r.of.name, r.line, column)
}
