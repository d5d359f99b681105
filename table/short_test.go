package table

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// A row that ends before a column that is needed may lack any of its cells; one that ends behind them
// is noted.
func TestShortRows(t *testing.T) {
	const columns = "folder,subject,visit,side\n"
	for _, c := range []struct {
		name, text string
		needed     []string
		want, note string
	}{
		{"whole", columns + "a,S1,V1,L\n", []string{"folder", "subject", "visit"}, "", ""},
		{"empty cells", columns + "a,S1,,\n", []string{"folder", "subject", "visit"}, "", ""},
		{"ends behind them", columns + "a,S1,V1,L\nb,S2,V1\nc,S3,V1\n", []string{"folder", "subject", "visit"}, "",
			"t.csv: rows with fewer cells than the first row names columns (line 3, 4): the"},
		{"many", columns + strings.Repeat("a,S1\n", 9), []string{"subject"}, "", "(line 2, 3, 4, …)"},
		{"ends before one", columns + "a,S1,V1,L\nb,V1\n", []string{"folder", "subject", "visit"},
			"t.csv: line 3 has 2 cells, but the first row names 4 columns: visit is missing, or the values are in " +
				"the wrong columns", ""},
		{"one cell", columns + "a\n", []string{"folder", "subject"},
			"line 2 has 1 cells, but the first row names 4 columns: subject is missing", ""},
	} {
		got, err := Read(Source{Name: "t.csv", Data: []byte(c.text)})
		if err != nil {
			t.Fatal(err)
		}
		err = got.Need(c.needed...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(),
			c.want) || hint.Find(err) == "") {
			t.Errorf("%s: %v (hint %q), want %q", c.name, err, hint.Find(err), c.want)
		}
		if note := strings.Join(got.Remarks(), "\n"); c.want == "" && (!strings.Contains(note,
			c.note) || (c.note == "") != (note == "")) {
			t.Errorf("%s: %q, want %q", c.name, note, c.note)
		}
	}
}

// Hints name only flags that the table's command has.
func TestHintsOfTablesWithoutNumbers(t *testing.T) {
	for _, text := range []string{"folder;subject\na;S1\n", "folder\tsubject\na\tS1\n", "folder,subject\na,S1,x\n",
		"folder,subject\n\"a,S1\n"} {
		for _, words := range []bool{true, false} {
			_, err := Read(Source{Name: "m.csv", Data: []byte(text), NoNumbers: words})
			if err == nil || hint.Find(err) == "" || words && strings.Contains(hint.Find(err), "--decimal") {
				t.Errorf("%q: %v, hint %q", text, err, hint.Find(err))
			}
		}
	}
	_, err := Read(Source{Name: "m.csv", Data: []byte("folder\tsubject\na\tS1\n"), NoNumbers: true})
	if err == nil || err.Error() != "m.csv: the columns are separated by a tab, not by commas" ||
		hint.Find(err) != "declare it: --separator tab" {
		t.Errorf("%v, hint %q", err, hint.Find(err))
	}
}
