package files

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// failing makes the operations on files with that base name fail, the calls with these
// numbers, until the test ends. It returns the number of calls.
func failing(t *testing.T, base string, err error, calls ...int) *int {
	t.Helper()
	earlier := pauses
	t.Cleanup(func() { pauses, fault = earlier, nil })
	for i := range pauses {
		pauses[i] = time.Microsecond
	}
	n := new(int)
	fault = func(path string) error {
		if filepath.Base(path) != base {
			return nil
		}
		*n++
		if slices.Contains(calls, *n) {
			return &fs.PathError{Op: "test", Path: path, Err: err}
		}
		return nil
	}
	return n
}

func numbers(first, last int) (out []int) {
	for n := first; n <= last; n++ {
		out = append(out, n)
	}
	return out
}

// A transient error while a folder is listed, or a file is examined, opened or read, does not
// matter: everything is found and read as without it.
func TestTransientErrors(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a", "1"), []byte("first"))
	put(t, filepath.Join(dir, "a", "2"), []byte("second"))
	put(t, filepath.Join(dir, "b.zip"), zipOf(t, zip.Store, content{"x", "packed"}))
	read := func() string {
		tree, err := List(t.Context(), []string{dir}, "", Limits{})
		check(t, err)
		defer tree.Close()
		s := survey(t, dir)
		out := fmt.Sprintf("%x %x\n", s.chunks[1].Digest, s.chunks[2].Digest)
		for _, e := range tree.Entries() {
			check(t, e.Err)
			f, err := tree.Open(e.Path)
			check(t, err)
			content, err := f.Bytes(nil)
			check(t, err)
			out += e.Name + ": " + string(content) + "\n"
			check(t, f.Close())
		}
		return out
	}
	want := read()
	if !strings.HasSuffix(want, "a/1: first\na/2: second\nb.zip/x: packed\n") {
		t.Fatal(want)
	}
	// The folder is listed twice. The file is examined by the survey, examined, opened and read.
	for base, operations := range map[string]int{"a": 2, "1": 4, "b.zip": 10, filepath.Base(dir): 4} {
		calls := failing(t, base, syscall.EIO)
		if read(); *calls < operations {
			t.Errorf("%s: %d operations, want at least %d", base, *calls, operations)
		}
		// Every operation fails once, and then three times.
		for n := 1; n <= *calls; n++ {
			for _, last := range []int{n, n + 2} {
				failing(t, base, syscall.ESTALE, numbers(n, last)...)
				if got := read(); got != want {
					t.Errorf("%s, calls %d to %d fail: %s, want %s", base, n, last, got, want)
				}
			}
		}
	}
}

func TestTransient(t *testing.T) {
	for _, c := range []struct {
		goos string
		err  error
		want bool
	}{
		{"linux", &fs.PathError{Err: syscall.EIO}, true},
		{"linux", &fs.PathError{Err: syscall.ESTALE}, true},
		{"linux", os.NewSyscallError("read", syscall.ETIMEDOUT), true},
		{"linux", syscall.EAGAIN, true},
		{"linux", syscall.EINTR, true},
		{"linux", syscall.ECONNRESET, true},
		{"linux", syscall.Errno(32), false}, // EPIPE
		{"windows", &fs.PathError{Err: syscall.Errno(32)}, true},
		{"windows", &fs.PathError{Err: syscall.Errno(33)}, true},
		{"windows", &fs.PathError{Err: fs.ErrPermission}, false},
		{"linux", &fs.PathError{Err: syscall.EACCES}, false},
		{"linux", &fs.PathError{Err: syscall.ENOENT}, false},
		{"linux", &fs.PathError{Err: syscall.ENOTDIR}, false},
		{"linux", context.Canceled, false},
		{"linux", nil, false},
	} {
		if got := transient(c.goos, c.err); got != c.want {
			t.Errorf("%s, %v: %v, want %v", c.goos, c.err, got, c.want)
		}
	}
}

// A missing file, or one without permission, is not tried again. A file that cannot be read
// after four attempts is an entry with that error, and a disk on which ten files failed is
// not waited for any more, until it works again.
func TestFinalErrors(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1"), []byte("text"))
	path := filepath.Join(dir, "1")
	for _, err := range []error{syscall.ENOENT, syscall.EACCES} {
		calls := failing(t, "1", err, numbers(1, 100)...)
		tree, _ := List(t.Context(), []string{dir}, "", Limits{})
		if _, got := tree.Open(path); !errors.Is(got, err) || *calls != 1 {
			t.Errorf("%v after %d calls, want %v after 1", got, *calls, err)
		}
	}
	tree, err := List(t.Context(), []string{dir}, "", Limits{})
	check(t, err)
	calls := failing(t, "1", syscall.EIO, numbers(1, 1000)...)
	_, err = tree.Open(path)
	var e *Error
	if !errors.As(err, &e) || e.Kind != syscall.EIO || !strings.Contains(e.Hint, "file server") || *calls != 4 {
		t.Errorf("%v after %d calls, want EIO after 4", err, *calls)
	}
	for range mostVain {
		_, _ = tree.Open(path)
	}
	if *calls != 4*mostVain+1 {
		t.Errorf("%d calls, want 4 for each of %d files and 1 for the last", *calls, mostVain)
	}
	f, err := func() (*File, error) { fault = nil; return tree.Open(path) }()
	check(t, err)
	check(t, f.Close())
	if calls = failing(t, "1", syscall.EIO, 1, 2); *calls != 0 {
		t.Fatal(*calls)
	}
	f, err = tree.Open(path)
	check(t, err)
	check(t, f.Close())
}

// The end of the context ends a pause.
func TestPauseEnds(t *testing.T) {
	failing(t, "1", syscall.EIO, numbers(1, 10)...)
	for i := range pauses {
		pauses[i] = time.Hour
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1"), []byte("text"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := NewSurvey(ctx, []string{dir}, SurveyOptions{})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if ctx.Err() == nil {
		t.Error("the pause was too short")
	}
}
