package report

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var tags = regexp.MustCompile(`(?s)<[^>]*>`)

// writtenPage is a page as a browser reads it.
type writtenPage struct {
	index   string
	files   []string // names of the files in the folder page, in the order of index.html
	pieces  []rowPiece
	details []pageDetail
}

var pageAddresses = regexp.MustCompile(`(?:href|src)="(page/[^"]*)"`)

// pageOf writes the tables of c and reads the page. Every file in the folder page must be named.
func pageOf(t *testing.T, dir string, c Cohort) writtenPage {
	t.Helper()
	if err := WriteTables(dir, c); err != nil {
		t.Fatal(err)
	}
	return readPage(t, dir)
}

func readPage(t *testing.T, dir string) writtenPage {
	t.Helper()
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	p := writtenPage{index: read(pageFile)}
	decode := func(name, function string, out any) {
		text, called := strings.CutPrefix(read(name), "t2map."+function+"(")
		text, ended := strings.CutSuffix(text, ");\n")
		if !called || !ended {
			t.Fatalf("%s does not call %s", name, function)
		}
		if strings.ContainsAny(text, "<>\u2028\u2029") {
			t.Errorf("%s has characters of markup", name)
		}
		if err := json.Unmarshal([]byte(text), out); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for _, m := range pageAddresses.FindAllStringSubmatch(p.index, -1) {
		p.files = append(p.files, m[1])
		if strings.HasPrefix(m[1], "page/studies-") {
			var piece rowPiece
			decode(m[1], "rows", &piece)
			p.pieces = append(p.pieces, piece)
			for _, name := range piece.Details {
				p.files = append(p.files, name)
				var details []pageDetail
				decode(name, "details", &details)
				p.details = append(p.details, details...)
			}
		}
	}
	if got := len(list(t, filepath.Join(dir, pageFolder))); got != len(p.files) {
		t.Errorf("the folder page has %d entries, want the %d files that are named", got, len(p.files))
	}
	return p
}

// readable is the text of a page, with single spaces.
func readable(page string) string {
	body := page[strings.Index(page, "<body"):]
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(body, " "))), " ")
}
