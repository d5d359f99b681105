package report

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The error of a file is reported once, with the file's name.
func TestDraftErrors(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "f", Err: syscall.ENOSPC}
	d := &draft{dir: t.TempDir()}
	defer d.close()
	for name, write := range map[string]func(io.Writer) error{
		"fails": func(io.Writer) error { return full },
		// More than the buffer holds, so that its error is sticky.
		"closed": func(w io.Writer) error {
			err := d.close()
			if _, writeErr := w.Write(make([]byte, 1<<17)); err == nil {
				err = writeErr
			}
			return err
		},
	} {
		_, err := d.write(output{name, write})
		if err == nil || !strings.HasPrefix(err.Error(), name+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.write(output{"fails", func(io.Writer) error { return nil }}); !errors.Is(err, os.ErrExist) {
		t.Errorf("a file was replaced: %v", err)
	}
}

// Commit is called once all files are complete, and before the folder has its name. If it returns an error, no folder
// remains. A file that cannot be synced is an error.
func TestCommit(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "s")
	s := smallStudy()
	refused := errors.New("refused")
	s.Commit = func(string) error { return refused }
	if _, err := WriteStudy(dir, s); !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
	if got := list(t, root); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	calls := 0
	s.Commit = func(sum string) error {
		calls++
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder has its name: %v", err)
		}
		found, err := filepath.Glob(filepath.Join(root, ".s.tmp-*", ResultFile))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		text, err := os.ReadFile(found[0])
		if got := fmt.Sprintf("%x", sha256.Sum256(text)); err != nil || got != sum {
			t.Errorf("%s, %v, want %s", got, err, sum)
		}
		return nil
	}
	if _, err := WriteStudy(dir, s); err != nil || calls != 1 {
		t.Errorf("%v, %d calls", err, calls)
	}
	d := &draft{dir: t.TempDir()}
	if _, err := d.write(output{"a", func(io.Writer) error { return nil }}); err != nil {
		t.Fatal(err)
	}
	if err := d.files[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.sync(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("sync of a closed file: %v", err)
	}
}
