package batch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/t2fit"
)

// whys returns the choices of an outcome by folder.
func whys(out ran) map[string]Why {
	all := map[string]Why{}
	for _, c := range out.Chosen {
		all[c.Folder] = c.Why
	}
	return all
}

// resumable writes two studies and returns settings that map what is new or changed.
func resumable(t *testing.T) (dir string, s Settings) {
	dir = t.TempDir()
	for n, subject := range []string{"S01", "S02"} {
		knee(t, filepath.Join(dir, "studies", subject), phantom.Options{Subject: subject, Seed: uint64(n)})
	}
	s = settings(t, dir)
	s.Force, s.Layout, s.Workers = false, "{subject}", 1 // one study after the other
	return dir, s
}

// A run maps what is new or changed. Its folder has the bytes of a run that maps everything.
func TestResume(t *testing.T) {
	dir, s := resumable(t)
	expect := func(step string, first, second Why) {
		t.Helper()
		out := run(t, s)
		want := map[string]Why{"S01/study": first, "S02/study": second}
		if diff := cmp.Diff(want, whys(out)); diff != "" {
			t.Errorf("%s: %s", step, diff)
		}
		mapped := 0
		for _, why := range want {
			if why != Done {
				mapped++
			}
		}
		if len(out.Results) != mapped || out.Earlier != 2-mapped {
			t.Errorf("%s: %d mapped, %d earlier", step, len(out.Results), out.Earlier)
		}
		whole := s
		whole.Out, whole.Force = t.TempDir(), true
		run(t, whole)
		if diff := cmp.Diff(tree(t, whole.Out), tree(t, s.Out)); diff != "" {
			t.Errorf("%s: other bytes than those of a run that maps all: %s", step, diff)
		}
	}
	expect("first", New, New)
	expect("nothing to do", Done, Done)

	path := first(t, filepath.Join(dir, "studies", "S02"))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1 // a pixel, with the size and the headers unchanged
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	expect("a pixel", Done, OtherInputs)

	remove(t, filepath.Join(s.Out, "S01", "study", "t2.nii.gz"))
	expect("a map is missing", Incomplete, Done)

	if err := os.WriteFile(filepath.Join(s.Out, "S01", "study", "result.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect("a damaged result", New, Done)

	s.Protocol.Maps = protocol.MapsMask
	expect("other maps", OtherRequest, OtherRequest)

	s.Force = true
	expect("forced", Forced, Forced)
}

// A dry run says what a run would do, and writes nothing, not even the output folder.
func TestDryRun(t *testing.T) {
	_, s := resumable(t)
	s.DryRun = true
	out := run(t, s)
	if diff := cmp.Diff(map[string]Why{"S01/study": New, "S02/study": New}, whys(out)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(s.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the output folder: %v", err)
	}
	s.DryRun = false
	run(t, s)
	before := tree(t, s.Out)
	s.DryRun, s.Protocol.Maps = true, protocol.MapsNone
	if diff := cmp.Diff(map[string]Why{"S01/study": OtherRequest, "S02/study": OtherRequest}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, tree(t, s.Out)); diff != "" {
		t.Error("a dry run changes bytes", diff)
	}
	s.Protocol.Fit.Method = t2fit.LogLinear
	if _, err := Run(t.Context(), s); !errors.As(err, new(*SettingsError)) {
		t.Errorf("other settings: %v", err)
	}
}

// A run ends when so many studies have failed; the others are not done, and done ones are kept.
func TestMaxFailures(t *testing.T) {
	dir, s := resumable(t)
	knee(t, filepath.Join(dir, "studies", "S03"), phantom.Options{Subject: "S03", Seed: 9})
	for _, subject := range []string{"S02", "S03"} { // files that end early fail before any study is mapped
		data, err := os.ReadFile(first(t, filepath.Join(dir, "studies", subject)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(first(t, filepath.Join(dir, "studies", subject)), data[:len(data)-100], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.MaxFailures = 1
	out, err := runAll(t.Context(), s)
	var many *TooManyFailuresError
	if !errors.As(err, &many) || len(out.Results) > 0 || len(out.Failures) != 2 || len(out.NotDone) != 1 ||
		!strings.Contains(out.NotDone[0].Reason, "too many studies failed") {
		t.Errorf("%v: %d mapped, %d failed, %d not done", err, len(out.Results), len(out.Failures), len(out.NotDone))
	}
}

// A run with nothing to do leaves the tables as they are, to the time of their files, unless one of them has changed.
func TestTablesStand(t *testing.T) {
	dir, s := resumable(t)
	run(t, s)
	table := filepath.Join(s.Out, "compartments.csv")
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(table, old, old); err != nil {
		t.Fatal(err)
	}
	run(t, s) // the time has changed: the tables are written
	before := stampOf(table)
	if before.Time == old.UnixNano() {
		t.Error("a changed table was kept")
	}
	run(t, s)
	if after := stampOf(table); after != before {
		t.Errorf("%+v was written again: %+v", before, after)
	}
	remove(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"))
	if run(t, s); tableRows(t, s.Out) != 3 {
		t.Errorf("%d rows after a failure", tableRows(t, s.Out))
	}
}
