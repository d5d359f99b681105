package table

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/t2map/t2map/hint"
)

// wide is a text in UTF-16, little endian.
func wide(text string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// swapped is a text with each two bytes in the other order.
func swapped(text string) string {
	b := []byte(text)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

// What spreadsheets save that is no CSV in UTF-8 is called by its name.
func TestTablesOfSpreadsheets(t *testing.T) {
	const columns = "subject,arm,age\n"
	for _, c := range []struct {
		name, text string
		format     Format
		want, hint string // empty: it is read
	}{
		{"xlsx", "PK\x03\x04\x14\x00\x06\x00", Format{}, "an Excel workbook, not a CSV", "save it as CSV UTF-8"},
		{"xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format{Encoding: "windows-1252"}, "an Excel workbook",
			"save it as CSV UTF-8"},
		{"UTF-16 with a mark", "\xff\xfe" + wide(columns), Format{}, "", ""},
		{"the same, where another is declared for all tables", "\xff\xfe" + wide(columns),
			Format{Encoding: "windows-1252"}, "", ""},
		{"UTF-8 with a mark, where another is declared", "\ufeff" + columns, Format{Encoding: "windows-1252"}, "", ""},
		{"big endian", swapped("\xff\xfe" + wide(columns)), Format{}, "", ""},
		{"UTF-32", "\xff\xfe\x00\x00s\x00\x00\x00", Format{}, "the text is UTF-32", "CSV UTF-8"},
		{"windows-1252, not declared", columns + "M\xfcller,a,50\n", Format{}, "line 2: the text is not UTF-8",
			"--encoding windows-1252"},
		{"declared UTF-8, and is not", columns + "M\xfcller,a,50\n", Format{Encoding: "utf-8"},
			"line 2: the text is not utf-8", "--encoding windows-1252"},
		{"half a character of UTF-16", "\xff\xfe" + wide(columns) + "\x00\xd8", Format{}, "the text is not UTF-16", ""},
		{"letters that were lost", columns + "M\uFFFDller,a,50\n", Format{}, "line 2: a letter was lost",
			"retype the letters"},
		{"an unknown encoding", columns, Format{Encoding: "excel"}, "is not known", "windows-1252"},
		{"without a mark", wide(columns), Format{}, "the text is UTF-16", "--encoding utf-16le"},
		{"big endian without a mark", swapped(wide(columns)), Format{}, "the text is UTF-16", "--encoding utf-16be"},
		{"declared", "\xff\xfe" + wide(columns), Format{Encoding: "utf-16le"}, "", ""},
		{"big endian, declared", swapped("\xff\xfe" + wide(columns)), Format{Encoding: "UTF-16BE"}, "", ""},
		{"sep=", "sep=;\r\nsubject;arm;age\r\nS1;a;50\r\n", Format{Separator: ','}, "", ""},
		{"sep= in quotes", "\ufeff\"SEP=\t\"\nsubject\tarm\tage\n", Format{}, "", ""},
		{"sep= against what is declared", "sep=,\n" + columns, Format{Separator: ';'}, "", ""},
		{"sep= that is wrong", "sep=,\nsubject;arm;age\nS1;a;50\n", Format{Separator: ';'},
			"separated by \";\", but the first line says sep=,", "correct the first line"},
		{"sep= that is wrong, tabs", "sep=;\nsubject\tarm\tage\n", Format{},
			"separated by a tab, but the first line says sep=;", "or delete it"},
		{"sep= that is none", "sep=;;\n" + columns, Format{}, "separated by \";\"", "--separator"},
		{"commas where semicolons are declared", columns, Format{Separator: ';'},
			`separated by ",", but ";" is declared`, "applies to all tables"},
		{"tabs where semicolons are declared", "subject\tarm\tage\n", Format{Separator: ';'},
			`separated by a tab, but ";" is declared`, "applies to all tables"},
		{"a bare quote", columns + "S1,5\" left,50\n", Format{}, "line 2: a quotation mark", "double those in it"},
		{"a quote after sep=", "sep=,\n" + columns + "S1,5\" left,50\n", Format{}, "line 3: a quotation mark",
			"double those in it"},
	} {
		got, err := Read(Source{Name: "t.csv", Data: []byte(c.text), Format: c.format})
		if c.want == "" {
			if err != nil || fmt.Sprint(got.Columns) != "[subject arm age]" {
				t.Errorf("%s: %v, %v", c.name, got, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), "t.csv: ") || !strings.Contains(err.Error(),
			c.want) || !strings.Contains(hint.Find(err), c.hint) {
			t.Errorf("%s: %v, hint %q; want %q, %q", c.name, err, hint.Find(err), c.want, c.hint)
		}
	}
}
