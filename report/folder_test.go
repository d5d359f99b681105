package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What killed calls have left of a study goes with its next writing; the folder
// of a live writer, other studies' and anybody else's stay.
func TestWriteStudySweeps(t *testing.T) {
	root := t.TempDir()
	past := time.Now().Add(-leftoverAge - time.Minute)
	for name, when := range map[string]time.Time{
		".s.tmp-0123abcd":   past,
		".s.old-89abcdef":   past,
		".s.tmp-11111111":   time.Now(),
		".s.tmp-notours":    past,
		".s.tmp-0x12abcd":   past,
		".s.tmp-0123abcd5":  past,
		".s2.tmp-0123abcd":  past,
		".s.bak-0123abcd":   past,
		"s.tmp-0123abcd":    past,
		".s.x.tmp-0123abcd": past,
	} {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "t2.nii.gz"), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, when, when); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(root, ".s.old-00000000") // not a folder
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, past, past); err != nil {
		t.Fatal(err)
	}
	s := smallStudy()
	s.WriteMaps = false
	if _, err := WriteStudy(filepath.Join(root, "s"), s); err != nil {
		t.Fatal(err)
	}
	want := []string{
		".s.bak-0123abcd", ".s.old-00000000", ".s.tmp-0123abcd5", ".s.tmp-0x12abcd", ".s.tmp-11111111", ".s.tmp-notours",
		".s.x.tmp-0123abcd", ".s2.tmp-0123abcd", "s", "s.tmp-0123abcd",
	}
	if diff := cmp.Diff(want, list(t, root)); diff != "" {
		t.Errorf("after writing (-want +got):\n%s", diff)
	}
}

// A writer whose folder is swept under it fails and publishes nothing.
func TestSweptWriterFails(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "s")
	study := smallStudy()
	study.WriteMaps = false
	err := replaceFolder(dir, func(tmp string) error {
		past := time.Now().Add(-leftoverAge - time.Minute)
		if err := os.Chtimes(tmp, past, past); err != nil {
			return err
		}
		_, err := WriteStudy(dir, study)
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want one that says the folder is gone", err)
	}
	if _, err := ReadResult(filepath.Join(dir, ResultFile)); err != nil {
		t.Errorf("the other writer's study: %v", err)
	}
	if diff := cmp.Diff([]string{"s"}, list(t, root)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
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
