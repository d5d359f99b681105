package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What killed runs have left goes; an earlier result that was put aside and not replaced
// comes back, and one that was replaced goes to the superseded ones; what is other programs' or
// people's stays.
func TestSweep(t *testing.T) {
	root := t.TempDir()
	s := smallStudy()
	s.WriteMaps = false
	for _, dir := range []string{"A/s", "A/.s.old-89abcdef", "B/.s.old-01234567"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(dir)), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := WriteStudy(filepath.Join(root, dir), s); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"A/.s.tmp-0123abcd", "A/.t.tmp-0123abcd", "B/.s.tmp-00000000", "C/.s.old-01234567"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	stay := []string{".s.tmp-notours", ".s.tmp-0x12abcd", ".s.tmp-0123abcd5", ".s.bak-0123abcd", "s.tmp-0123abcd",
		"..tmp-0123abcd"}
	for _, name := range stay {
		if err := os.MkdirAll(filepath.Join(root, "D", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".compartments.csv123456", ".studies.parquet7", ".index.html1", ".index.html",
		".studies.csv.swp",
		"index.html1", ".t2map.lock", "A/.index.html1", "A/.x.tmp-00000000", "page/.details-00001-0123456789abcdef.js7",
		"page/.page-0123456789abcdef.css7", "page/page-0123456789abcdef.js", "page/.note.js7", "A/.page-0123456789abcdef.js7",
		".t2map-123456", ".t2map-x"} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	other := s
	other.Result.Visit = "other"
	for dir, s := range map[string]Study{"E/s": s, "E/.s.old-00000001": other} {
		if _, err := WriteStudy(filepath.Join(root, dir), s); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(root)
	for dir, want := range map[string][]string{
		"": {".index.html", ".studies.csv.swp", ".t2map-x", ".t2map.lock", "A", "B", "C", "D", "E", "index.html1", "page",
			SupersededFolder},
		"A": {".index.html1", ".page-0123456789abcdef.js7", ".x.tmp-00000000", "s"}, "B": {"s"}, "C": nil, "E": {"s"},
		"superseded/E": {"s"}, "page": {".note.js7", "page-0123456789abcdef.js"},
		"D": slices.Sorted(slices.Values(stay)),
	} {
		if diff := cmp.Diff(want, list(t, filepath.Join(root, dir))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", dir, diff)
		}
	}
	if _, err := ReadResult(filepath.Join(root, "B", "s", ResultFile)); err != nil {
		t.Errorf("the result that was put aside: %v", err)
	}
}

// Windows is patient only while the new name is free; what is returned is the
// error of the renaming.
func TestRenameReturnsTheError(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(root, name, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := rename(filepath.Join(root, "a"), filepath.Join(root, "b")); err == nil {
		t.Error("a folder that is not empty was replaced")
	}
	if err := rename(filepath.Join(root, "absent"), filepath.Join(root, "c")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the folder is not there", err)
	}
	if err := rename(filepath.Join(root, "a"), filepath.Join(root, "c")); err != nil {
		t.Error(err)
	}
	if got := strings.Join(list(t, root), " "); got != "b c" {
		t.Errorf("folders %s, want b c", got)
	}
}

// A study that is written again with another result leaves the earlier folder, complete, under a free
// name; with the same result it leaves none.
func TestReplacedResultStays(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "s")
	s := smallStudy()
	s.Superseded = filepath.Join(root, SupersededFolder, "s-1")
	for n, want := range []string{"", "", s.Superseded, s.Superseded + "-2"} {
		if n > 1 {
			s.Result.Notes = append(s.Result.Notes, "changed")
		}
		r, err := WriteStudy(dir, s)
		if err != nil || r.Superseded != want {
			t.Errorf("write %d: moved to %q, %v; want %q", n, r.Superseded, err, want)
		}
	}
	for path, notes := range map[string]int{dir: 2, s.Superseded: 0, s.Superseded + "-2": 1} {
		r, err := ReadResult(filepath.Join(path, ResultFile))
		if err != nil || len(r.Notes) != len(smallStudy().Result.Notes)+notes {
			t.Errorf("%s: %d notes, %v; want %d more", path, len(r.Notes), err, notes)
		}
		for _, f := range r.Outputs {
			if _, err := os.Stat(filepath.Join(path, f.Path)); err != nil {
				t.Error(err)
			}
		}
	}
	if got := list(t, root); len(got) != 2 {
		t.Errorf("left behind: %v", got)
	}
}
