package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
)

// overwrite changes the bytes of a file from an offset on, and keeps its size and its time.
func overwrite(t *testing.T, path string, offset int64, with []byte) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(with, offset)
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Chtimes(path, info.ModTime(), info.ModTime())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Files of unchanged size and time are not read again, neither their headers nor their pixels, unless the settings say
// so. What is not known is read.
func TestUnchangedFilesAreNotRead(t *testing.T) {
	dir, s := resumable(t)
	run(t, s)
	expect := func(step string, want map[string]Why) {
		t.Helper()
		if diff := cmp.Diff(want, whys(run(t, s))); diff != "" {
			t.Errorf("%s: %s", step, diff)
		}
	}
	path := first(t, filepath.Join(dir, "studies", "S02"))
	size, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, size.Size()-1, []byte{1})
	expect("a pixel, unseen", map[string]Why{"S01/study": Done, "S02/study": Done})
	s.VerifyInputs = true
	expect("a pixel, seen", map[string]Why{"S01/study": Done, "S02/study": OtherInputs})
	s.VerifyInputs = false

	overwrite(t, path, 0, make([]byte, 200)) // no longer DICOM
	knee(t, filepath.Join(dir, "studies", "S03"), phantom.Options{Subject: "S03", Seed: 3})
	expect("a new study", map[string]Why{"S01/study": Done, "S02/study": Done, "S03/study": New})

	index := filepath.Join(s.Out, stateFolder, indexFile)
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	remove(t, path)
	for name, damaged := range map[string]string{"cut": string(text[:len(text)/2]), "empty": "", "other": "{}\n" +
		string(text), "garbage": strings.Replace(string(text), `"studies":[`, `"studies":[7,`, 1)} {
		if err := os.WriteFile(index, []byte(damaged), 0o666); err != nil {
			t.Fatal(err)
		}
		out := run(t, s)
		if len(out.Failures) != 1 || out.Failures[0].Folder != "S02" || out.Mapped != 0 {
			t.Errorf("%s: %d mapped, %+v", name, out.Mapped, out.Failures)
		}
	}
}

// A study that is known gets the identity that the manifest gives it now.
func TestKnownStudyInAChangedManifest(t *testing.T) {
	dir, s := resumable(t)
	s.Layout, s.Manifest = "", filepath.Join(dir, "manifest.csv")
	write := func(rows ...string) {
		t.Helper()
		if err := os.WriteFile(s.Manifest, []byte("folder,subject,visit\n"+strings.Join(rows, "\n")), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("studies/S01,A,V1", "studies/S02,B,V1")
	run(t, s)
	write("studies/S02,B,V1", "studies/S01,A,V1") // the lines change, and nothing else
	if diff := cmp.Diff(map[string]Why{"A/V1": Done, "B/V1": Done}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
	write("studies/S01,A,V2", "studies/S02,B,V1")
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "the study is now") {
		t.Errorf("renamed: %+v", out.Failures)
	}
	s.Rename = true
	if diff := cmp.Diff(map[string]Why{"A/V2": OtherFolder, "B/V1": Done}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
	write("studies/S02,B,V1")
	if diff := cmp.Diff(map[string]Why{"B/V1": Done}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
	write("studies,B,V1") // both studies are below its folder now
	if out := run(t, s); len(out.Failures) != 2 || !strings.Contains(out.Failures[0].Reason, "holds 2 studies") {
		t.Errorf("one row for two studies: %+v", out.Failures)
	}
}

// The state holds no code that may be a name, even if the headers do.
func TestIndexHoldsNoNames(t *testing.T) {
	for _, layout := range []string{"", "{subject}/{visit}"} {
		dir := t.TempDir()
		scanOf(t, filepath.Join(dir, "studies", "KN-1", "V1"), map[string]string{"PatientName": "Quinn^Harley",
			"PatientID": "quinn harley"}, false)
		s := settings(t, dir)
		s.Layout = layout
		run(t, s)
		for _, name := range []string{indexFile, entriesFile} {
			text, err := os.ReadFile(filepath.Join(s.Out, stateFolder, name))
			if err != nil || strings.Contains(strings.ToLower(string(text)), "quinn") {
				t.Errorf("layout %q, %s: %v\n%s", layout, name, err, text)
			}
		}
	}
}

// A run has the same results whether the headers of all chunks stay in memory or are read again.
func TestChunksAreReadAgain(t *testing.T) {
	s := sharded(t)
	run(t, s)
	before := mostKept
	mostKept = 0
	defer func() { mostKept = before }()
	again := s
	again.Out = filepath.Join(t.TempDir(), "again")
	run(t, again)
	if diff := cmp.Diff(tree(t, s.Out), tree(t, again.Out)); diff != "" {
		t.Error(diff)
	}
}

// A mask is carried between chunks, also if only the target is mapped again, and a changed source maps it again.
func TestCarriedBetweenChunks(t *testing.T) {
	if testing.Short() {
		t.Skip("registers three times")
	}
	before := mostKept
	mostKept = 0
	defer func() { mostKept = before }()
	dir := t.TempDir()
	movingTrial(t, filepath.Join(dir, "one"))
	for _, visit := range []string{"baseline", "month03"} { // chunks of their own
		if err := os.MkdirAll(filepath.Join(dir, "studies", visit), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "one", "S01", visit), filepath.Join(dir, "studies", visit,
			"S01")); err != nil {
			t.Fatal(err)
		}
	}
	s := settings(t, dir)
	s.Force, s.Layout = false, "{visit}/{subject}"
	s.Protocol = protocol.Protocol{}
	s.Protocol.Scheme, _ = segment.Named("skm-tea")
	s.Protocol.Register.Moving, s.Protocol.Masks.Visit = "SAG*DESS*", "baseline"
	if out := run(t, s); out.Mapped != 2 {
		t.Fatalf("%d mapped, %+v", out.Mapped, out.Failures)
	}
	if diff := cmp.Diff(map[string]Why{"S01/baseline": Done, "S01/month03": Done}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
	want := tree(t, s.Out)
	remove(t, filepath.Join(s.Out, "S01", "month03", "t2.nii.gz"))
	if diff := cmp.Diff(map[string]Why{"S01/baseline": Done, "S01/month03": Incomplete}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, tree(t, s.Out)); diff != "" {
		t.Error(diff)
	}
	path := first(t, filepath.Join(dir, "studies", "baseline", "S01"))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	// A run that ends before it has mapped them does not make the change forgotten.
	ctx, cancel := context.WithCancel(t.Context())
	interrupted := s
	interrupted.Progress = func(stage Stage, _, _ int) {
		if stage == StageStudies {
			cancel()
		}
	}
	if out, err := Run(ctx, interrupted); !errors.Is(err, context.Canceled) || len(out.NotDone) != 2 {
		t.Fatalf("%d not done, %v", len(out.NotDone), err)
	}
	if diff := cmp.Diff(map[string]Why{"S01/baseline": OtherInputs, "S01/month03": OtherInputs}, whys(run(t,
		s))); diff != "" {
		t.Error(diff)
	}
}

// Masks are carried between two chunks with many studies: each chunk is read once for its own studies and once for
// those of the other.
func TestManyCarriedMasks(t *testing.T) {
	before := mostKept
	mostKept = 0
	defer func() { mostKept = before }()
	dir := t.TempDir()
	const subjects = 3
	files := 0
	for n := range subjects {
		subject := fmt.Sprintf("S%02d", n)
		for _, visit := range []string{"baseline", "month03"} {
			study := filepath.Join(dir, "studies", visit, subject)
			knee(t, study, phantom.Options{Subject: subject, Visit: visit, Seed: uint64(n)})
			if visit != "baseline" {
				remove(t, filepath.Join(study, "labels.nii.gz"))
			}
			names, err := os.ReadDir(study)
			if err != nil {
				t.Fatal(err)
			}
			files += len(names)
		}
	}
	s := settings(t, dir)
	s.Layout, s.Protocol.Masks.Visit = "{visit}/{subject}", "baseline"
	read, mapping := 0, false
	s.Progress = func(stage Stage, _, _ int) {
		mapping = mapping || stage == StageStudies
		if mapping && stage == StageHeaders {
			read++
		}
	}
	if out := run(t, s); out.Mapped != 2*subjects {
		t.Fatalf("%d mapped, %+v", out.Mapped, out.Failures)
	}
	if most := files + files/2 + subjects; read > most {
		t.Errorf("%d headers of %d files were read while studies were mapped, want at most %d", read, files, most)
	}
}
