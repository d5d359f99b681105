package intake

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// A manifest that contradicts itself is an error before any study is read.
func TestContradictoryManifests(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.csv")
	for _, c := range []struct{ text, want string }{
		{"folder,subject\na,S01\na,S02\n", "lines 2 and 3 name the same folder"},
		{"folder,subject\na/b,S01\na\\b\\,S02\n", "lines 2 and 3 name the same folder"},
		{"folder,subject\na/../b,S01\nb,S02\n", "lines 2 and 3 name the same folder"},
		{"folder,subject\nJ\u00f6,S01\nJo\u0308,S02\n", "lines 2 and 3 name the same folder"},
		{"folder,subject\na,001\nb,1\n", `subject "1" differs from "001" above only in`},
		{"folder,subject,visit\na,S01,V1\nb,S02,v1\n", `visit "v1" differs from "V1" above only in`},
		{"folder,subject\na,M\xfcller\n", "line 2: the text is not UTF-8"},
		{"folder;subject\na;S01\n", `separated by ";"`},
		{"folder,subject,visit\na,S01,V1,\nb,S02,V1\n", "line 2 has 4 cells"},
	} {
		writeText(t, path, c.text)
		if _, err := readManifest(path, table.Format{}); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.HasPrefix(err.Error(), "manifest m.csv: ") || hint.Find(err) == "" {
			t.Errorf("%q: %v (hint %q), want %q", c.text, err, hint.Find(err), c.want)
		}
	}
	writeText(t, path, "folder;subject\na;M\xfcller\n")
	m, err := readManifest(path, table.Format{Separator: ';', Encoding: "windows-1252"})
	if err != nil || m.rows[0].Subject != "Müller" {
		t.Errorf("declared: %+v, %v", m, err)
	}
}

// The row of a study is found by the folders above the study, not by a search of all rows.
func TestManifestIsIndexed(t *testing.T) {
	var text strings.Builder
	text.WriteString("folder,subject\n")
	const rows = 20000
	for i := range rows {
		fmt.Fprintf(&text, "s%d,K%d\n", i, i)
	}
	path := filepath.Join(t.TempDir(), "m.csv")
	writeText(t, path, text.String())
	m, err := readManifest(path, table.Format{})
	if err != nil {
		t.Fatal(err)
	}
	st := dicomio.Place{Folder: filepath.Join(filepath.Dir(path), "elsewhere", "x")}
	allocations := testing.AllocsPerRun(100, func() { _, _ = m.identify(st) })
	if allocations > 200 { // some for each folder above, where a walk through the rows takes thousands
		t.Errorf("%g allocations for a look-up in %d rows", allocations, rows)
	}
}

func TestSidesOfManifest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.csv")
	for text, want := range map[string]string{"L": "L", "r": "R", "left": "L", "Right": "R", "": ""} {
		if err := os.WriteFile(path, []byte("folder,subject,side\na,S01,"+text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := readManifest(path, table.Format{})
		if err != nil || m.rows[0].Side != want {
			t.Errorf("%q: %+v, %v; want %s", text, m, err, want)
		}
	}
}

func TestManifestIsChecked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "manifest.csv")
	for _, c := range []struct{ text, want string }{
		{"", "the table is empty"},
		{"folder,subject,subject\na,S01,S02\n", `column "subject" appears twice`},
		{"folder,subject,colour\n", `column "colour" is not known`},
		{"folder,subject\n,S01\n", "line 2 has no folder or no subject"},
		{"folder,subject,side\na,S01,both\n", "is not L, R, left or right"},
		{"folder,subject\na,S01,more\n", "line 2 has 3 cells, but the first row names 2"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readManifest(path, table.Format{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want …%s…", c.text, err, c.want)
		}
	}
}

// A manifest without subjects, or whose rows may be shifted, is an error before any study is read. Its hints name
// only flags that run has.
func TestManifestsThatNameNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.csv")
	for _, c := range []struct{ text, want string }{
		{"folder,subject,visit\n", "manifest m.csv: the table has no rows"},
		{"folder,subject\n,\n,,\n", "m.csv: "},
		{"folder,subject,visit\na,V1\n", "manifest m.csv: line 2 has 2 cells, but the first row names 3 columns: " +
			"visit is missing"},
		{"folder,subject,visit,side\na,S1,V1,L\nb,S2\n", "line 3 has 2 cells"},
		{"folder,subject,visit\na,S1,V1,x\n", "line 2 has 4 cells"},
		{"folder;subject\na;S1\n", "separated by"},
	} {
		writeText(t, path, c.text)
		_, err := readManifest(path, table.Format{})
		if err == nil || !strings.Contains(err.Error(), c.want) || hint.Find(err) == "" ||
			strings.Contains(hint.Find(err), "--decimal") {
			t.Errorf("%q: %v (hint %q), want %q", c.text, err, hint.Find(err), c.want)
		}
	}
	writeText(t, path, "folder,subject,visit,side\na,S1,V1,L\nb,S2,V1\n")
	m, err := readManifest(path, table.Format{})
	if err != nil || len(m.remarks(nil)) != 1 || !strings.Contains(m.remarks(nil)[0], "manifest m.csv: rows with "+
		"fewer cells") {
		t.Errorf("%v, %q", err, m.remarks(nil))
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
