package batch

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
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
	if out := run(t, second); len(out.Results) != 1 || out.Earlier != 1 {
		t.Errorf("%d results, %d earlier, want one of each", len(out.Results), out.Earlier)
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
	if len(out.Results) != 2 || len(out.Failures) != 0 || out.Earlier != 0 {
		t.Errorf("%d results, %+v, %d earlier, want two results", len(out.Results), out.Failures, out.Earlier)
	}
}

// A file where displaced results would go is an error, and no endless search for a free name.
func TestNothingCanBeSetAside(t *testing.T) {
	dir, s := twoVisits(t)
	run(t, s)
	if err := os.WriteFile(filepath.Join(s.Out, supersededFolder), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "studies", "S01", "M00"), filepath.Join(dir, "studies", "S01",
		"M03")); err != nil {
		t.Fatal(err)
	}
	s.Rename = true
	if _, err := Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), "cannot be moved to superseded") {
		t.Errorf("%v, want that the earlier result cannot be moved", err)
	}
}

// The results of a subject, or of a study, that were moved to another disk and linked are in the tables as
// before; a link that leads back, or to a folder that is read elsewhere, adds none.
func TestLinkedStudies(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	for _, moved := range []string{"S01", "S01/M00"} {
		dir, s := twoVisits(t)
		run(t, s)
		source, target := filepath.Join(s.Out, filepath.FromSlash(moved)), filepath.Join(dir, "disk")
		if err := os.Rename(source, target); err != nil {
			t.Fatal(err)
		}
		for _, link := range [][2]string{{target, source}, {s.Out, filepath.Join(s.Out, "loop")},
			{dir, filepath.Join(s.Out, "above")}, {target, filepath.Join(s.Out, "twice")}, {"nowhere",
				filepath.Join(s.Out,
					"dangling")}} {
			if err := os.Symlink(link[0], link[1]); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := Tables(t.Context(), s); err != nil || out.Earlier != 2 || len(out.Failures) != 0 ||
			len(out.Remarks) != 0 || tableRows(t, s.Out) != 6 {
			t.Errorf("%s: %+v, %v", moved, out, err)
		}
		if out := run(t, s); len(out.Results) != 2 || out.Earlier != 0 || tableRows(t, s.Out) != 6 {
			t.Errorf("%s, mapped again: %+v", moved, out)
		}
	}
}

// A lock that is a link is not written to, nor is anything that is not a file.
func TestLockThatIsALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	dir, s := twoVisits(t)
	precious := filepath.Join(dir, "precious")
	writeText(t, precious, "text")
	if err := os.MkdirAll(s.Out, 0o777); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(s.Out, lockFile)
	for _, make := range []func() error{func() error { return os.Symlink(precious, lock) },
		func() error { return os.Mkdir(lock, 0o777) }} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), lockFile) ||
			!strings.Contains(hint.Find(err), "remove") {
			t.Errorf("%v, want that the lock is not a file", err)
		}
		if err := os.Remove(lock); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(precious); err != nil || string(text) != "text" {
		t.Errorf("%q, %v: the link was followed", text, err)
	}
}

// A result that cannot be read is named by its folder, and counts once with the failure of its study.
func TestUnreadableResultOfAFailedStudy(t *testing.T) {
	dir, s := twoVisits(t)
	run(t, s)
	file := filepath.Join(s.Out, "S01", "M00", report.ResultFile)
	if err := os.Truncate(file, 300); err != nil {
		t.Fatal(err)
	}
	out, err := Tables(t.Context(), s)
	if err != nil || len(out.Unreadable) != 1 || out.Unreadable[0].Subject != "S01" ||
		out.Unreadable[0].Visit != "M00" || !strings.Contains(out.Unreadable[0].Reason, "from the folder's name") {
		t.Errorf("%+v, %v", out, err)
	}
	remove(t, filepath.Join(dir, "studies", "S01", "M00", "labels.nii.gz"))
	if again := run(t, s); len(again.Failures) != 1 || !strings.HasPrefix(again.Failures[0].Reason, "mask: ") {
		t.Errorf("%+v", again.Failures)
	}
	sameTables(t, s.Out)
}

// A damaged file that may be of any study counts once where the failure of a study names it.
func TestDamagedFileCountsOnce(t *testing.T) {
	dir, s := twoVisits(t)
	if err := os.Truncate(first(t, filepath.Join(dir, "studies", "S01", "M00")), 200); err != nil {
		t.Fatal(err)
	}
	out := run(t, s)
	if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "is missing at slice") ||
		!strings.Contains(out.Failures[0].Reason, "IM_0001.dcm: ") || len(out.Results) != 1 {
		t.Errorf("%+v", out.Failures)
	}
	// Where the study does not fail for it, the file is named alone.
	remove(t, filepath.Join(dir, "studies", "S01", "M00", "labels.nii.gz"))
	if err := os.Rename(first(t, filepath.Join(dir, "studies", "S01", "M00")), filepath.Join(dir, "studies",
		"loose.dcm")); err != nil {
		t.Fatal(err)
	}
	if out := run(t, s); len(out.Failures) != 2 {
		t.Errorf("%+v", out.Failures)
	}
}
