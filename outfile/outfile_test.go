package outfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	for _, content := range []string{"first", "second"} {
		if err := Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// Errors name the file that was asked for, not the temporary one.
func TestReplaceErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a.csv", "b"), 0o777); err != nil {
		t.Fatal(err)
	}
	err := Replace(filepath.Join(dir, "a.csv"), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "a.csv: not written: a folder of that name exists: ") ||
		strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), ".a.csv") {
		t.Errorf("%v", err)
	}
	err = Replace(filepath.Join(dir, "none", "b.csv"), nil)
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
