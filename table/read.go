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

	"github.com/t2map/t2map/printable"
)

// Read reads a CSV. Lines above the columns' names whose first cell begins with # are its heading.
// Columns are known by their names, without regard to case and to blanks around them. Blank rows
// are passed over, and so are empty columns without a name. A first line "sep=;", which Excel
// knows, says what separates the columns. A line ends with CR, LF or both.
//
// A row may lack cells at its end, which are then empty (see Table.Need and Table.Remarks). One that has more cells than the row
// of names is an error even where these are empty, because a decimal comma or a separator within a
// cell would shift its values into the wrong columns; but where every row ends with the same number
// of empty cells, as some programs write it, the rows are read.
//
// Errors name the table and the line: a text that is not in the declared encoding, a row that does
// not fit the columns, a column that appears twice, a separator that was not declared.
func Read(s Source) (*Table, error) {
	text, err := s.decode()
	if err != nil {
		return nil, err
	}
	t := &Table{Name: s.Name, format: s.Format, madeBy: s.MadeBy, words: s.NoNumbers}
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	if separator, rest := cutSeparator(text); separator != 0 {
		t.format.Separator, t.said, text = separator, true, rest
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = cmp.Or(t.format.Separator, ',')
	r.FieldsPerRecord = -1 // checked below, in words that name the file
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
		return nil, hinted("the first row names the columns", "%s: the table is empty", s.Name)
	}
	if err := t.checkLonger(); err != nil {
		return nil, err
	}
	return t, t.dropUnnamed()
}

// misquoted is the error of a record that cannot be read.
func (t *Table) misquoted(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	return hinted(t.way(`put a cell that holds quotation marks in quotation marks, and double those in it: "5"" left"`),
		"%s: line %d: a quotation mark is missing or misplaced: %w", t.Name, p.StartLine, p.Err)
}

// way returns the hint, or another one for t2map's own tables, for which nothing can be declared.
func (t *Table) way(hint string) string {
	if t.madeBy == "" {
		return hint
	}
	return fmt.Sprintf("%s is a table of '%s' that a spreadsheet program saved in another form: make it again, and open a copy in the spreadsheet program", t.Name, t.madeBy)
}

// cutSeparator returns the separator that a first line "sep=;" names, and the text with that line
// blank; 0 where there is none.
func cutSeparator(text []byte) (separator rune, rest []byte) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	name, value, _ := strings.Cut(strings.Trim(string(line), `"`), "=")
	separator, n := utf8.DecodeRuneInString(value)
	if !strings.EqualFold(strings.TrimSpace(name), "sep") || n == 0 || n != len(value) || strings.ContainsRune("\"\r#\uFFFD", separator) {
		return 0, text
	}
	return separator, text[len(line):]
}

// add takes the next record.
func (t *Table) add(line int, cells []string) error {
	for i, c := range cells {
		cells[i] = plain(strings.TrimSpace(c))
	}
	switch {
	case !slices.ContainsFunc(cells, func(c string) bool { return c != "" }):
		return nil
	case t.Columns == nil && strings.HasPrefix(cells[0], "#"):
		// A spreadsheet has cut the line at its commas: they are put back.
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
	hint := "put cells that hold the separator in quotation marks"
	if !t.words {
		hint += ", and declare decimal commas (--separator ';' --decimal comma)"
	}
	return hinted(t.way(hint), "%s: line %d has %d cells, but the first row names %d columns", t.Name, line, cells, len(t.Columns))
}

// shortRow is a row with fewer cells than there are columns.
type shortRow struct{ line, cells int }

// longRow is a row with more cells than the row of names, those behind it empty.
type longRow struct {
	line, cells int
	split       bool // it may hold a number that its decimal comma has cut in two
}

// checkLonger accepts rows with empty cells beyond the columns only if all rows have the same number
// of them and none of them may be shifted.
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

// split reports whether two cells beside each other are digits alone, as the halves of 52,5 are.
func split(cells []string) bool {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	for i := 1; i < len(cells); i++ {
		if digits(cells[i]) && digits(strings.TrimPrefix(cells[i-1], "-")) {
			return true
		}
	}
	return false
}

// nameColumns takes the row that names the columns.
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
			return hinted("give each column a name of its own", "%s: column %.40q appears twice", t.Name, cells[i])
		}
	}
	t.Columns = cells
	return nil
}

// dropUnnamed asks that columns without a name are empty.
func (t *Table) dropUnnamed() error {
	for i, name := range t.Columns {
		if name != "" {
			continue
		}
		for _, r := range t.Rows {
			if r.cells[i] != "" {
				return hinted("name the column in the first row, or delete its values", "%s: line %d has a value in column %d, which has no name", t.Name, r.Line, i+1)
			}
		}
	}
	return nil
}

// otherSeparator returns the error of a first row that is one cell, if it shows another separator than
// the declared one.
func (t *Table) otherSeparator(cell string) error {
	declared := cmp.Or(t.format.Separator, ',')
	for _, other := range []struct {
		rune
		flag string
	}{{';', "';'"}, {'\t', "tab"}, {'|', "'|'"}, {',', "','"}} {
		if !strings.ContainsRune(cell, other.rune) {
			continue
		}
		if t.said {
			return hinted(fmt.Sprintf("correct the first line, which goes before --separator: sep=%c; or delete it", other.rune),
				"%s: the columns are separated by %s, but the first line says sep=%c", t.Name, separatorName(other.rune), declared)
		}
		if declared != ',' {
			return hinted("--separator applies to all tables that t2map did not write: save them with one separator",
				"%s: the columns are separated by %s, but %s is declared", t.Name, separatorName(other.rune), separatorName(declared))
		}
		hint := "declare it: --separator " + other.flag
		if !t.words {
			hint += ", and --decimal comma if numbers are written 38,5"
		}
		return hinted(t.way(hint), "%s: the columns are separated by %s, not by commas", t.Name, separatorName(other.rune))
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

// plain takes away the apostrophe that t2map puts before cells that a spreadsheet
// would run as a formula.
func plain(cell string) string {
	if text, quoted := strings.CutPrefix(cell, "'"); quoted && printable.Cell(text) == cell {
		return text
	}
	return cell
}
