package batch

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
)

// eachResult calls do with every result.json below the output folder, in the order of their paths, until do returns
// an error. For a folder that cannot be listed it calls do with the path that a result.json in it would have, and the
// error. It follows links to folders, and visits each folder once.
func eachResult(out string, do func(path string, err error) error) error {
	w := resultWalk{out: out, do: do}
	if real, err := filepath.EvalSymlinks(out); err == nil {
		w.entered = []string{real}
	}
	return w.walk(out)
}

// Folders returns the folders of the results below an output folder by the hashes of study and series, and the results
// that cannot be read. Of two results of one series it returns the first in the order of their paths.
func Folders(out string) (folders map[[2]string]string, unreadable []Finding, err error) {
	folders = map[[2]string]string{}
	err = eachResult(out, func(path string, err error) error {
		var id struct{ Study, Series string }
		text, readErr := os.ReadFile(path)
		if err = outfile.Bare(cmp.Or(err, readErr)); err == nil {
			err = json.Unmarshal(text, &id)
		}
		if err != nil {
			unreadable = append(unreadable, Finding{files.Below(out, path), "cannot be read: " + err.Error()})
		} else if key := [2]string{id.Study, id.Series}; folders[key] == "" {
			folders[key] = filepath.Dir(path)
		}
		return nil
	})
	return folders, unreadable, err
}

// resultWalk is the state of eachResult.
type resultWalk struct {
	out     string
	do      func(path string, err error) error
	entered []string // the real paths of the first folder and of those that links led to
}

// walk calls do with the results below one folder.
func (w *resultWalk) walk(folder string) error {
	// The separator at the end makes WalkDir enter a root that is a link.
	root := strings.TrimRight(folder, string(filepath.Separator)) + string(filepath.Separator)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root:
			return err
		case err != nil:
			if err := w.do(filepath.Join(path, report.ResultFile), err); err != nil {
				return err
			}
			return fs.SkipDir
		case path != root && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir // an unfinished folder, or one of another program
			}
			return nil
		case filepath.Clean(path) == filepath.Join(w.out, supersededFolder),
			filepath.Clean(path) == filepath.Join(w.out, reads.Folder):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Name() == report.ResultFile && !d.IsDir():
			return w.do(path, nil)
		case d.Type()&fs.ModeSymlink != 0 && w.enters(path):
			return w.walk(path)
		}
		return nil
	})
}

// enters reports whether a link leads to a folder that the walk has not visited and will not visit, and notes it.
func (w *resultWalk) enters(link string) bool {
	real, err := filepath.EvalSymlinks(link)
	if err != nil {
		return false
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return false
	}
	for _, seen := range w.entered {
		if files.Inside(seen, real) || files.Inside(real, seen) {
			return false
		}
	}
	w.entered = append(w.entered, real)
	return true
}
