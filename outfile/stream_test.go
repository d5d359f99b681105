package outfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	failed, long := errors.New("failed"), strings.Repeat("second", 1<<15)
	for _, c := range []struct {
		content, want string
		err           error
	}{{"first", "first", nil}, {"lost", "first", failed}, {long, long, nil}} {
		err := Stream(path, func(w io.Writer) error {
			_, err := io.WriteString(w, c.content)
			return errors.Join(err, c.err)
		})
		if !errors.Is(err, c.err) {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != c.want {
			t.Errorf("%d bytes, want %d, %v", len(got), len(c.want), err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a.csv", "b"), 0o777); err != nil {
		t.Fatal(err)
	}
	nothing := func(io.Writer) error { return nil }
	if err := Stream(filepath.Join(dir, "a.csv"), nothing); err == nil ||
		!strings.HasPrefix(err.Error(), "a.csv: not written: a folder of that name exists: ") {
		t.Errorf("%v", err)
	}
	if err := Stream(filepath.Join(dir, "none", "b.csv"), nothing); !errors.Is(err, fs.ErrNotExist) ||
		strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
}
