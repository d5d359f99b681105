package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

func TestHeld(t *testing.T) {
	sharing := &fs.PathError{Op: "rename", Path: "x", Err: syscall.Errno(32)} // ERROR_SHARING_VIOLATION
	for _, c := range []struct {
		goos string
		err  error
		want bool
	}{
		{"windows", sharing, true},
		{"windows", &fs.PathError{Err: syscall.Errno(33)}, true}, // ERROR_LOCK_VIOLATION
		{"windows", &fs.PathError{Err: fs.ErrPermission}, true},
		{"windows", &fs.PathError{Err: fs.ErrNotExist}, false},
		{"windows", nil, false},
		{"linux", sharing, false},
		{"linux", &fs.PathError{Err: fs.ErrPermission}, false},
	} {
		if got := held(c.goos, c.err); got != c.want {
			t.Errorf("%s, %v: %v, want %v", c.goos, c.err, got, c.want)
		}
	}
}

func TestRetry(t *testing.T) {
	busy, other := errors.New("busy"), errors.New("other")
	for _, c := range []struct {
		name  string
		errs  []error // of one call after the other
		want  error
		calls int
	}{
		{"at once", []error{nil}, nil, 1},
		{"after a moment", []error{busy, busy, nil}, nil, 3},
		{"another error is final", []error{busy, other, nil}, other, 2},
	} {
		calls := 0
		err := retry(func() error { calls++; return c.errs[calls-1] }, func(err error) bool { return err == busy })
		if err != c.want || calls != c.calls {
			t.Errorf("%s: error %v after %d calls, want %v after %d", c.name, err, calls, c.want, c.calls)
		}
	}
	var total time.Duration
	for _, p := range pauses {
		total += p
	}
	if total < time.Second/2 || total > 3*time.Second/2 {
		t.Errorf("the pauses are %v together, want about a second", total)
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
