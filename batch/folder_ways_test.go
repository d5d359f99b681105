package batch

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
)

// Two knees in folders that a layout names by subject and visit.
func twoVisits(t *testing.T) (dir string, s Settings) {
	t.Helper()
	dir = t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01", "M00"), phantom.Options{Seed: 1})
	knee(t, filepath.Join(dir, "studies", "S01", "M12"), phantom.Options{Seed: 2})
	s = settings(t, dir)
	s.Layout = "{subject}/{visit}"
	return dir, s
}

// Results in a folder that is reached by a link are in the tables as elsewhere.
func TestLinkedResults(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	dir, s := twoVisits(t)
	real := filepath.Join(dir, "real")
	if err := os.Mkdir(real, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.Out); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, s.Out); err != nil {
		t.Fatal(err)
	}
	first, second := s, s
	first.Roots = []string{filepath.Join(dir, "studies", "S01", "M00")}
	second.Roots = []string{filepath.Join(dir, "studies", "S01", "M12")}
	run(t, first)
	if out := run(t, second); len(out.Results) != 1 || len(out.Earlier) != 1 {
		t.Errorf("%d results, %d earlier, want one of each", len(out.Results), len(out.Earlier))
	}
}

// Names that were exchanged are taken: each study's results move to the folder of its new name.
func TestExchangedNames(t *testing.T) {
	dir, s := twoVisits(t)
	run(t, s)
	folder := func(visit string) string { return filepath.Join(dir, "studies", "S01", visit) }
	for _, move := range [][2]string{{"M00", "spare"}, {"M12", "M00"}, {"spare", "M12"}} {
		if err := os.Rename(folder(move[0]), folder(move[1])); err != nil {
			t.Fatal(err)
		}
	}
	s.Rename = true
	out := run(t, s)
	if len(out.Results) != 2 || len(out.Failures) != 0 || len(out.Earlier) != 0 {
		t.Errorf("%d results, %+v, %d earlier, want two results", len(out.Results), out.Failures, len(out.Earlier))
	}
}

// A file where displaced results would go is an error, and no endless search for a free name.
func TestNothingCanBeSetAside(t *testing.T) {
	dir, s := twoVisits(t)
	run(t, s)
	if err := os.WriteFile(filepath.Join(s.Out, asideFolder), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "studies", "S01", "M00"), filepath.Join(dir, "studies", "S01", "M03")); err != nil {
		t.Fatal(err)
	}
	s.Rename = true
	if _, err := Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), "cannot be moved away") {
		t.Errorf("%v, want that the earlier result cannot be moved away", err)
	}
}
