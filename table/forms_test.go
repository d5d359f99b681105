package table

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// One table in the forms in which spreadsheets and programs save it.
func TestForms(t *testing.T) {
	const want = `[["in/a" "001" "M00"] ["in/b" "001" "M03"]]`
	for name, c := range map[string]struct {
		text   string
		format Format
	}{
		"plain":               {"folder,subject,visit\nin/a,001,M00\nin/b,001,M03\n", Format{}},
		"CR alone":            {"folder,subject,visit\rin/a,001,M00\rin/b,001,M03\r", Format{}},
		"CR alone after sep=": {"sep=;\rfolder;subject;visit\rin/a;001;M00\rin/b;001;M03", Format{}},
		"CR CR LF":            {"folder,subject,visit\r\r\nin/a,001,M00\r\r\nin/b,001,M03\r\r\n", Format{}},
		"mark, blank rows": {"\ufefffolder,subject,visit,side\r\n" +
			"in/a,001,M00,\r\n,,,\r\nin/b,001,M03\r\n,,,\r\n,,,\r\n", Format{}},
		"empty columns":              {"folder,subject,visit,,\nin/a,001,M00,,\nin/b,001,M03,,\n", Format{}},
		"empty columns of rows only": {"folder,subject,visit\nin/a,001,M00,\nin/b,001,M03,\n", Format{}},
		"an empty column inside":     {"folder,,subject,visit\nin/a,,001,M00\nin/b,,001,M03\n", Format{}},
		"short rows":                 {"folder,subject,visit,side,mask\nin/a,001,M00\nin/b,001,M03,\n", Format{}},
		"remarks above":              {"# a manifest\nFolder , Subject,VISIT\nin/a,001,M00\nin/b,001,M03\n", Format{}},
		"tabs in UTF-16": {"\xff\xfe" + wide("folder\tsubject\tvisit\r\n"+
			"in/a\t001\tM00\r\nin/b\t001\tM03\r\n"), Format{Separator: '\t'}},
		"CR alone in UTF-16": {"\xff\xfe" + wide("folder,subject,visit\rin/a,001,M00\rin/b,001,M03"), Format{}},
		"blanks":             {"folder subject visit\nin/a 001 M00\nin/b 001 M03\n", Format{Separator: ' '}},
	} {
		got, err := Read(Source{Name: "m.csv", Data: []byte(c.text), Format: c.format})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var cells [][]string
		for _, r := range got.Rows {
			cells = append(cells, []string{r.Text("folder"), r.Text("subject"), r.Text("visit")})
		}
		if s := fmt.Sprintf("%q", cells); s != want {
			t.Errorf("%s: %s", name, s)
		}
	}
}

// A row that does not fit the columns is an error, never a shift.
func TestShiftedRows(t *testing.T) {
	const columns = "subject,arm,age,bmi\n"
	for name, c := range map[string]struct{ text, want string }{
		"a decimal comma": {columns + "S1,a,50,24\nS2,a,52,5,24\n",
			"line 3 has 5 cells, but the first row names 4"},
		"a decimal comma before an empty one": {columns + "S1,a,50,24\nS2,a,52,5,\n",
			"line 3 has 5 cells, but the first row names 4"},
		"the same in every row": {columns + "S1,a,50,5,\nS2,a,52,5,\n",
			"line 2 has 5 cells, but the first row names 4"},
		"a separator in a name": {columns + "S1,a,50,24\nS2,treatment, high,50,24\n",
			"line 3 has 5 cells"},
		"one cell more, empty": {columns + "S1,a,50,24,\nS2,a,52,24\n", "line 2 has 5 cells"},
		"a value without a column": {"subject,arm,,\nS1,a,,\nS2,a,50,\n",
			"line 3 has 3 cells, but the first row names 2"},
		"a value in a column without a name": {"subject,,arm\nS1,,a\nS2,x,a\n",
			"line 3 has a value in column 2, which has no name"},
	} {
		_, err := Read(Source{Name: "t.csv", Data: []byte(c.text)})
		if err == nil || !strings.Contains(err.Error(), c.want) || hint.Find(err) == "" {
			t.Errorf("%s: %v (hint %q), want %q", name, err, hint.Find(err), c.want)
		}
	}
}

// What a table holds does not reach the terminal as it is.
func TestHostileNames(t *testing.T) {
	for _, text := range []string{"a,\"b\x1b[31m\"\nx,y\n", "a,\"c\x1b]0;x\a\"\nx,y\n"} {
		got, err := Read(Source{Name: "t.csv", Data: []byte(text)})
		if err == nil {
			err = got.Need("subject")
		}
		if err == nil || strings.ContainsAny(err.Error()+hint.Find(err), "\x1b\a") {
			t.Errorf("%q", err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestLoadIsBounded(t *testing.T) {
	s := Source{Name: "t.csv"}
	if err := s.Load(endless{}); err == nil || !strings.Contains(err.Error(), "t.csv: larger than 64 MiB") {
		t.Error(err)
	}
	if err := s.Load(io.LimitReader(bytes.NewReader([]byte("a,b\n")), 4)); err != nil || string(s.Data) != "a,b\n" {
		t.Error(s, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{"a,b\n1,2\n", "sep=;\na;b\r1;2", "\xff\xfea\x00,\x00", "# x\n\"a\nb\",c\n1,,,,\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Read(Source{Name: "t.csv", Data: text})
		if err != nil {
			return
		}
		for _, r := range got.Rows {
			if len(r.cells) != len(got.Columns) {
				t.Fatalf("%d cells, %d columns", len(r.cells), len(got.Columns))
			}
		}
	})
}
