package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/outfile"
)

// replaceFolder replaces dir or, after an error, leaves it unchanged. fill writes into a hidden
// temporary folder beside dir and syncs it; then it is renamed to dir. An earlier folder with another
// result is moved to a free name that begins with superseded, which is returned; it is removed if its
// result is the same, or if superseded is "".
//
// No operating system replaces a folder that is not empty in one step. An earlier folder is therefore
// renamed to .name.old-… first and moved or removed afterwards. After a crash between the two renames
// dir is absent, never incomplete. A crash can leave hidden folders .name.tmp-… and .name.old-…, which
// nothing reads and which Sweep removes.
func replaceFolder(dir, superseded string, fill func(tmp string) error) (moved string, err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		if err := checkReplaceable(dir); err != nil {
			return "", err
		}
	}
	tmp, made, err := makeTemporary(dir)
	defer func() {
		if err != nil {
			for _, p := range made {
				os.Remove(p) // fails if another study is in the folder, which then remains
			}
		}
	}()
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if err := fill(tmp); err != nil {
		return "", err
	}
	if moved, err = moveOver(tmp, dir, superseded); err != nil {
		return "", err
	}
	var parents errgroup.Group
	for _, p := range append(made, dir) {
		parents.Go(func() error { return outfile.SyncFolder(filepath.Dir(p)) })
	}
	return moved, parents.Wait()
}

// makeParents creates dir and its missing parents and returns the new folders, deepest first.
func makeParents(dir string) ([]string, error) {
	var missing []string
	for p := dir; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) || p == filepath.Dir(p) {
			break
		}
		missing = append(missing, p)
	}
	return missing, os.MkdirAll(dir, 0o777)
}

// makeTemporary creates a folder .name.tmp-… beside dir and its missing parents, and returns the new
// folders. It does not use os.MkdirTemp, which denies the group access whatever the umask.
func makeTemporary(dir string) (tmp string, made []string, err error) {
	// Another study that fails at the same time may remove an empty parent, and a third may have
	// chosen the same name.
	const tries = 10
	for range tries {
		missing, err := makeParents(filepath.Dir(dir))
		made = append(made, missing...)
		if err != nil {
			return "", made, err
		}
		tmp = hiddenName(dir, "tmp")
		if err = os.Mkdir(tmp, 0o777); err == nil {
			return tmp, made, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return "", made, err
		}
	}
	return "", made, fmt.Errorf("%s: cannot create a temporary folder beside it", dir)
}

func hiddenName(dir, kind string) string {
	return filepath.Join(filepath.Dir(dir), fmt.Sprintf(".%s.%s-%08x", filepath.Base(dir), kind, rand.Uint32()))
}

// moveOver renames the folder tmp to dir. Another process may be writing the same study, so that dir
// may exist again between two steps.
func moveOver(tmp, dir, superseded string) (moved string, err error) {
	const tries = 10 // each fails only because another process has completed the folder
	for range tries {
		if err = rename(tmp, dir); err == nil {
			return "", nil
		}
		if _, statErr := os.Lstat(dir); statErr != nil {
			return "", err // dir does not exist: something else is wrong
		}
		old := hiddenName(dir, "old")
		if asideErr := rename(dir, old); errors.Is(asideErr, fs.ErrNotExist) {
			continue
		} else if asideErr != nil {
			return "", asideErr
		}
		if err = rename(tmp, dir); err == nil {
			// dir is complete, so that the study has not failed even if the earlier folder cannot
			// be moved. Sweep tries it again later.
			return dispose(old, dir, superseded), nil
		}
		if backErr := rename(old, dir); backErr != nil {
			// If dir exists, it is a newer complete folder. Otherwise the error names the old one.
			if _, statErr := os.Lstat(dir); statErr != nil {
				return "", errors.Join(err, backErr)
			}
			if removeErr := os.RemoveAll(old); removeErr != nil {
				return "", removeErr
			}
		}
	}
	return "", err
}

// SupersededFolder is the folder, in a folder of results, of results that others have replaced.
const SupersededFolder = "superseded"

// dispose moves a replaced folder to a free name that begins with superseded, and returns the name. It
// removes the folder if it has no result or the same as dir, or if superseded is "". If it can do
// neither, the folder remains.
func dispose(old, dir, superseded string) string {
	if _, err := os.Stat(filepath.Join(old, ResultFile)); err != nil || superseded == "" || sameResult(old, dir) {
		_ = outfile.Patiently(func() error { return os.RemoveAll(old) })
		return ""
	}
	free := FreeName(superseded)
	if os.MkdirAll(filepath.Dir(free), 0o777) != nil || rename(old, free) != nil {
		return ""
	}
	return free
}

// sameResult reports whether two folders have the same result.json.
func sameResult(a, b string) bool {
	x, errX := os.ReadFile(filepath.Join(a, ResultFile))
	y, errY := os.ReadFile(filepath.Join(b, ResultFile))
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// FreeName returns the path, with a number at its end if the path exists.
func FreeName(path string) string {
	free := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); err != nil {
			return free // if it cannot be used, moving to it returns the error
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

// rename renames a folder. It tries again as long as the new name is free. Windows reports the same
// error for a name that is in use and for a folder that another program holds, but only the second goes
// away by waiting.
func rename(old, name string) error {
	var err error
	_ = outfile.Patiently(func() error {
		err = os.Rename(old, name)
		if _, statErr := os.Lstat(name); statErr == nil {
			return nil // renamed, or the name is in use: do not try again, and return err
		}
		return err
	})
	return err
}

// Sweep removes what killed runs have left below dir, a folder of results: the folders .name.tmp-… and
// .name.old-…, unfinished tables and pages, and files with names of ProbePattern. If an earlier result was moved
// but not replaced, Sweep restores its name; if it was replaced, Sweep moves it to SupersededFolder.
//
// It must not be called while a study below dir is being written. Files that cannot be removed remain,
// without an error, since they do no harm.
func Sweep(dir string) {
	// With a separator at the end, WalkDir also enters a root that is a symbolic link.
	root := strings.TrimRight(dir, string(filepath.Separator)) + string(filepath.Separator)
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case !d.IsDir():
			if isUnfinished(dir, path) {
				_ = os.Remove(path)
			}
			return nil
		case path == root || !strings.HasPrefix(d.Name(), "."):
			return nil
		}
		name, kind, ok := parseHidden(d.Name())
		if !ok {
			return fs.SkipDir // from another program
		}
		original := filepath.Join(filepath.Dir(path), name)
		switch {
		case kind == "old" && restore(path, original):
		case kind == "old":
			dispose(path, original, filepath.Join(dir, SupersededFolder, relative(dir, original)))
		default:
			_ = os.RemoveAll(path)
		}
		return fs.SkipDir
	})
}

// relative returns a path below dir.
func relative(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return filepath.Base(path) // cannot occur: the walk began at dir
	}
	return rel
}

// restore renames a complete folder to its original name, if that name is free.
func restore(old, name string) bool {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if _, err := os.Stat(filepath.Join(old, ResultFile)); err != nil {
		return false
	}
	return rename(old, name) == nil
}

// parseHidden divides a name that hiddenName has made.
func parseHidden(hidden string) (name, kind string, ok bool) {
	for _, kind := range []string{"tmp", "old"} {
		sep := "." + kind + "-"
		index := strings.LastIndex(hidden, sep)
		if index < 2 || hidden[0] != '.' {
			continue
		}
		digits := hidden[index+len(sep):]
		if _, err := strconv.ParseUint(digits, 16, 32); err == nil && len(digits) == 8 {
			return hidden[1:index], kind, true
		}
	}
	return "", "", false
}

// isUnfinished reports whether path is an unfinished file of the tables or of the page in dir, or tests whether dir is
// writable.
func isUnfinished(dir, path string) bool {
	name := filepath.Base(path)
	switch filepath.Dir(path) {
	case filepath.Clean(dir):
		return isUnfinishedTable(name) || isProbe(name)
	case filepath.Join(dir, PageFolder):
		return unfinishedPageFile.MatchString(name)
	}
	return false
}

// isUnfinishedTable reports whether a file has the name of an unfinished table: a dot, the name of the
// table, and digits (as renameio names files).
func isUnfinishedTable(name string) bool {
	for _, table := range []string{compartmentsTable, studiesTable, qcTable, compartmentsParquet, studiesParquet, qcParquet,
		pageFile, failuresPage, timingTable} {
		if digits, ok := strings.CutPrefix(name, "."+table); ok && digits != "" {
			_, err := strconv.ParseUint(digits, 10, 64)
			return err == nil
		}
	}
	return false
}

// ProbePattern is the pattern, for os.CreateTemp, of files that test whether a folder is writable.
const ProbePattern = ".t2map-*"

// isProbe reports whether a file has a name of ProbePattern.
func isProbe(name string) bool {
	digits, ok := strings.CutPrefix(name, strings.TrimSuffix(ProbePattern, "*"))
	_, err := strconv.ParseUint(digits, 10, 64)
	return ok && err == nil
}

// MoveFolder renames a folder. On Windows it tries again while another program holds the folder. The
// new name must be free.
func MoveFolder(old, name string) error { return rename(old, name) }
