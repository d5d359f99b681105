package table

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
)

// Read reads a CSV. Lines before the columns' names whose first cell begins with # are its heading. The case of
// column names and blanks around them do not matter. Blank rows are ignored, and so are empty columns without a name.
// A first line such as "sep=;", as Excel writes it, declares the separator. A line ends with CR, LF or both.
//
// A row may lack cells at its end, which are then empty (see Table.Need and Table.Remarks). A row that has more cells
// than the row of names is an error even if these are empty, because a decimal comma or a separator within a cell
// would shift its values into the wrong columns. If all rows end with the same number of empty cells, as some
// programs write them, they are read.
//
// Errors name the table and the line: a text that is not in the declared encoding, a row that does not fit the
// columns, a column that appears twice, a separator that was not declared.
func Read(s Source) (*Table, error) {
	text, err := s.decode()
	if err != nil {
		return nil, err
	}
	t := &Table{Name: s.Name, format: s.Format, madeBy: s.MadeBy, noNumbers: s.NoNumbers}
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	if separator, rest := cutSeparator(text); separator != 0 {
		t.format.Separator, t.declaresSeparator, text = separator, true, rest
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = cmp.Or(t.format.Separator, ',')
	r.FieldsPerRecord = -1 // add checks the number, with an error that names the file
	r.TrimLeadingSpace = r.Comma != ' '
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
	if t.Columns == nil {
		return nil, hint.Errorf("the first row names the columns", "%s: the table is empty", s.Name)
	}
	if err := t.checkLonger(); err != nil {
		return nil, err
	}
	return t, t.checkUnnamed()
}

// misquoted returns the error for a record that cannot be parsed.
func (t *Table) misquoted(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	const advice = `put a cell that holds quotation marks in quotation marks, and double those in it: "5"" left"`
	return hint.Errorf(t.ownHint(advice),
		"%s: line %d: a quotation mark is missing or misplaced: %w", t.Name, p.StartLine, p.Err)
}

// ownHint returns the hint, or for t2map's own tables, whose format cannot be declared, a different one.
func (t *Table) ownHint(advice string) string {
	if t.madeBy == "" {
		return advice
	}
	return fmt.Sprintf("%s is a table of '%s' that a spreadsheet program saved in another form: make it again, and "+
		"open a copy in the spreadsheet program", t.Name, t.madeBy)
}

// cutSeparator returns the separator that a first line such as "sep=;" declares, and the text with a blank line in
// its place. Without such a line the separator is 0.
func cutSeparator(text []byte) (separator rune, rest []byte) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	name, value, _ := strings.Cut(strings.Trim(string(line), `"`), "=")
	separator, n := utf8.DecodeRuneInString(value)
	if !strings.EqualFold(strings.TrimSpace(name), "sep") || n == 0 || n != len(value) ||
		strings.ContainsRune("\"\r#\uFFFD", separator) {
		return 0, text
	}
	return separator, text[len(line):]
}

// add adds the next record to the heading, the columns or the rows.
func (t *Table) add(line int, cells []string) error {
	for i, c := range cells {
		cells[i] = plain(strings.TrimSpace(c))
	}
	switch {
	case !slices.ContainsFunc(cells, func(c string) bool { return c != "" }):
		return nil
	case t.Columns == nil && strings.HasPrefix(cells[0], "#"):
		// A spreadsheet program has split the line at its commas: restore them.
		cells = slices.DeleteFunc(cells, func(c string) bool { return c == "" })
		text := strings.TrimSpace(strings.TrimLeft(strings.Join(cells, ","), "# "))
		t.Heading = append(t.Heading, HeadingLine{Text: text, Number: line})
		return nil
	case t.Columns == nil:
		t.width = len(cells)
		return t.nameColumns(cells)
	}
	for i := len(t.Columns); i < len(cells); i++ {
		if cells[i] != "" {
			return t.tooLong(line, i+1)
		}
	}
	if len(cells) > t.width {
		t.longer = append(t.longer, longRow{line, len(cells), split(cells)})
	}
	if len(cells) < len(t.Columns) {
		t.short = append(t.short, shortRow{line, len(cells)})
	}
	cells = cells[:min(len(cells), len(t.Columns))]
	for len(cells) < len(t.Columns) {
		cells = append(cells, "")
	}
	t.Rows = append(t.Rows, Row{Line: line, table: t, cells: cells})
	return nil
}

func (t *Table) tooLong(line, cells int) error {
	advice := "put cells that hold the separator in quotation marks"
	if !t.noNumbers {
		advice += ", and declare decimal commas (--separator ';' --decimal comma)"
	}
	return hint.Errorf(t.ownHint(advice), "%s: line %d has %d cells, but the first row names %d columns", t.Name, line, cells,
		len(t.Columns))
}

// shortRow is a row with fewer cells than there are columns.
type shortRow struct{ line, cells int }

// longRow is a row with more cells than the row of names. The additional cells are empty.
type longRow struct {
	line, cells int
	split       bool // the row may hold a number that its decimal comma has split into two cells
}

// checkLonger accepts rows with additional empty cells only if all rows have the same number of cells and the values
// of none may be in the wrong columns.
func (t *Table) checkLonger() error {
	if len(t.longer) == 0 {
		return nil
	}
	for _, l := range t.longer {
		if len(t.longer) != len(t.Rows) || l.cells != t.longer[0].cells || l.split {
			return t.tooLong(l.line, l.cells)
		}
	}
	return nil
}

// split reports whether two adjacent cells consist of digits, like the halves of 52,5.
func split(cells []string) bool {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	for i := 1; i < len(cells); i++ {
		if digits(cells[i]) && digits(strings.TrimPrefix(cells[i-1], "-")) {
			return true
		}
	}
	return false
}

// nameColumns reads the row that names the columns.
func (t *Table) nameColumns(cells []string) error {
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
		if c != "" && slices.Contains(cells[:i], cells[i]) {
			return hint.Errorf("give each column a different name", "%s: column %.40q appears twice", t.Name, cells[i])
		}
	}
	t.Columns = cells
	return nil
}

// checkUnnamed returns an error if a column without a name has a value.
func (t *Table) checkUnnamed() error {
	for i, name := range t.Columns {
		if name != "" {
			continue
		}
		for _, r := range t.Rows {
			if r.cells[i] != "" {
				return hint.Errorf("name the column in the first row, or delete its values",
					"%s: line %d has a value in column %d, which has no name", t.Name, r.Line, i+1)
			}
		}
	}
	return nil
}

// otherSeparator returns an error if the only cell of the first row holds a separator other than the declared one.
func (t *Table) otherSeparator(cell string) error {
	declared := cmp.Or(t.format.Separator, ',')
	for _, other := range []struct {
		rune
		flag string
	}{{';', "';'"}, {'\t', "tab"}, {'|', "'|'"}, {',', "','"}} {
		if !strings.ContainsRune(cell, other.rune) {
			continue
		}
		if t.declaresSeparator {
			advice := fmt.Sprintf("correct the first line to sep=%c, or delete it: it overrides --separator", other.rune)
			return hint.Errorf(advice,
				"%s: the columns are separated by %s, but the first line says sep=%c", t.Name,
				separatorName(other.rune), declared)
		}
		if declared != ',' {
			return hint.Errorf("--separator applies to all tables that t2map did not write: save them with one separator",
				"%s: the columns are separated by %s, but %s is declared", t.Name, separatorName(other.rune),
				separatorName(declared))
		}
		advice := "declare it: --separator " + other.flag
		if !t.noNumbers {
			advice += ", and --decimal comma if numbers are written 38,5"
		}
		return hint.Errorf(t.ownHint(advice), "%s: the columns are separated by %s, not by commas", t.Name,
			separatorName(other.rune))
	}
	return nil
}

// separatorName names a separator for a message.
func separatorName(r rune) string {
	if r == '\t' {
		return "a tab"
	}
	return fmt.Sprintf("%q", string(r))
}

// plain removes the apostrophe that t2map puts before cells that a spreadsheet would evaluate as a formula.
func plain(cell string) string {
	if text, isQuoted := strings.CutPrefix(cell, "'"); isQuoted && printable.Cell(text) == cell {
		return text
	}
	return cell
}
