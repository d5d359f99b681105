package outfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A file is replaced by Commit alone, keeps its permissions, and nothing is left beside it.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	failed, long := errors.New("failed"), strings.Repeat("second", 1<<15)
	for _, c := range []struct {
		content, want string
		err           error
	}{{"first", "first", nil}, {"lost", "first", failed}, {long, long, nil}} {
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, c.content); err != nil {
			t.Fatal(err)
		}
		if c.err == nil {
			err = f.Commit()
		} else {
			err = f.Abort(c.err)
		}
		if !errors.Is(err, c.err) || err != nil && err.Error() != "a.parquet: not written: failed" {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != c.want {
			t.Errorf("%d bytes, want %d, %v", len(got), len(c.want), err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
		if info, err := os.Stat(path); err != nil || c.content == long && runtime.GOOS != "windows" &&
			info.Mode().Perm() != 0o660 {
			t.Errorf("permissions %v, %v", info.Mode(), err)
		}
		if err := os.Chmod(path, 0o660); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a.csv", "b"), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := Create(filepath.Join(dir, "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err == nil ||
		!strings.HasPrefix(err.Error(), "a.csv: not written: a folder of that name exists: ") {
		t.Errorf("%v", err)
	}
	if _, err := Create(filepath.Join(dir, "none", "b.csv")); !errors.Is(err, fs.ErrNotExist) ||
		strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	f, err = Create(filepath.Join(dir, "c.csv"))
	if err != nil {
		t.Fatal(err)
	}
	f.file.Close() // the disk fails
	if _, err := f.Write(make([]byte, 2*bufferSize)); err == nil {
		t.Error("a write that failed has no error")
	}
	if err := f.Commit(); err == nil || !strings.HasPrefix(err.Error(), "c.csv: not written: ") {
		t.Errorf("%v", err)
	}
	if err := f.Abort(nil); err != nil {
		t.Error(err)
	}
}

func TestStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	failed := errors.New("failed")
	for _, c := range []struct {
		content, want string
		err           error
	}{{"first", "first", nil}, {"lost", "first", failed}, {"second", "second", nil}} {
		err := Stream(path, func(w io.Writer) error {
			_, err := io.WriteString(w, c.content)
			return errors.Join(err, c.err)
		})
		if !errors.Is(err, c.err) {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != c.want {
			t.Errorf("%q, want %q, %v", got, c.want, err)
		}
	}
}
