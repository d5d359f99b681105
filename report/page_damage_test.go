package report

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// If a file of details is cut off or belongs to other studies, the page says so. It never shows the details of another
// study.
func TestPageOfDamagedDetails(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	c := generatedStudies(dir, 300)
	writePageOf(t, dir, c)
	studies := truthOf(c)
	files, err := filepath.Glob(filepath.Join(dir, PageFolder, "details-*"))
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	sound, err := os.ReadFile(files[1])
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	const unreadable = "document.querySelector('#study .rest .warn')?.innerText.includes('cannot be read')"
	for _, damaged := range []struct {
		name    string
		content []byte
	}{
		{"cut off", sound[:len(sound)/2]}, {"empty", nil}, {"of other studies", other},
		{"of fewer studies", []byte("t2map.details([]);\n")}, {"of nothing", []byte("t2map.details(null);\n")},
	} {
		if err := os.WriteFile(files[1], damaged.content, 0o666); err != nil {
			t.Fatal(err)
		}
		b.open(dir, "#open="+studies[0].id) // its details are in the first file
		b.until("document.querySelector('#study .rows')")
		b.evaluate("location.hash = '#open="+studies[150].id+"'", nil)
		b.until(unreadable + " || document.querySelector('#study h3').innerText.startsWith('" + studies[150].subject +
			"') && document.querySelector('#study .rows')")
		if got := b.text("document.querySelector('#study .rows')?.innerText ?? ''"); got != "" {
			t.Errorf("%s: the page shows numbers of another study:\n%.200s", damaged.name, got)
		}
	}
	b.picture("damaged.png")
	if err := os.WriteFile(files[1], sound, 0o666); err != nil {
		t.Fatal(err)
	}
	b.open(dir, "#open="+studies[150].id)
	b.until("document.querySelector('#study .rows')")
}

// A page without some of its rows says so as long as it is open.
func TestPageOfMissingRows(t *testing.T) {
	b := newBrowser(t, 1280, 900)
	dir := t.TempDir()
	c := generatedStudies(dir, rowsOfPiece+50)
	writePageOf(t, dir, c)
	rows, err := filepath.Glob(filepath.Join(dir, PageFolder, "studies-*"))
	if err != nil || len(rows) != 2 || os.Remove(rows[1]) != nil {
		t.Fatal(rows, err)
	}
	b.open(dir, "")
	message := fmt.Sprintf("%d of %d studies are shown: files are missing in the folder page.", rowsOfPiece,
		rowsOfPiece+50)
	check := func(when string) {
		t.Helper()
		if got := b.text("document.getElementById('incomplete').innerText"); got != message {
			t.Errorf("%s: the page says %q, want %q", when, got, message)
		}
	}
	check("at first")
	b.evaluate("location.hash = '#open=000000000000'", nil)
	b.until("!document.getElementById('trouble').hidden")
	check("at the address of an unknown study")
	b.picture("incomplete.png")
	b.dark(true)
	b.picture("incomplete-dark.png")
	b.evaluate("location.hash = '#open="+truthOf(c)[0].id+"'", nil)
	b.until("document.getElementById('study').open && document.getElementById('trouble').hidden")
	check("with an open study")
	b.press("Escape")
	b.until("!document.getElementById('study').open")
	check("after it is closed")
}
