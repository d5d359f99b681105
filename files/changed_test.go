package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/hint"
)

// Unchanged detects writes to a file, or to the archive that contains it, while it is open.
func TestUnchanged(t *testing.T) {
	packed := archives(t)
	packed["dicom/IM1"] = []byte("first")
	for name, data := range packed {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.FromSlash(name))
			put(t, path, data)
			tree := list(t, Limits{}, dir)
			inside := path
			if archiveName(path) {
				inside = filepath.Join(path, "dicom", "IM1")
			}
			f, err := tree.Open(inside)
			check(t, err)
			defer f.Close()
			check(t, f.Unchanged())
			info, err := os.Stat(path)
			check(t, err)
			if !f.Modified().Equal(info.ModTime()) {
				t.Errorf("modified %v, want %v", f.Modified(), info.ModTime())
			}
			later := info.ModTime().Add(time.Second)
			check(t, os.Chtimes(path, later, later))
			if err := f.Unchanged(); err == nil || !strings.Contains(err.Error(),
				"IM1: has changed while it was read") || hint.Find(err) == "" {
				t.Errorf("%v, hint %q", err, hint.Find(err))
			}
		})
	}
}
