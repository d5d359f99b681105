package batch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/report"
)

// eachResult calls do with every result.json below the output folder, in the order of paths, and
// with what cannot be listed and its error, until do returns an error. Links to folders are
// followed, each folder once.
func eachResult(out string, do func(path string, err error) error) error {
	w := resultWalk{out: out, do: do}
	if real, err := filepath.EvalSymlinks(out); err == nil {
		w.entered = []string{real}
	}
	return w.below(out)
}

// resultWalk looks for results.
type resultWalk struct {
	out     string
	do      func(path string, err error) error
	entered []string // the folders that the walk began in or was led to by links, without links
}

// below looks below one folder.
func (w *resultWalk) below(folder string) error {
	// With a separator behind it a root that is a link is entered.
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
				return fs.SkipDir // unfinished, or another program's
			}
			return nil
		case filepath.Clean(path) == filepath.Join(w.out, asideFolder):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Name() == report.ResultFile && !d.IsDir():
			return w.do(path, nil)
		case d.Type()&fs.ModeSymlink != 0 && w.enters(path):
			return w.below(path)
		}
		return nil
	})
}

// enters reports whether a link leads to a folder that the walk does not see otherwise.
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
