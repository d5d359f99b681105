package report

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/t2map/t2map/outfile"
)

// replaceFolder makes dir complete or leaves it as it was: fill writes into a
// hidden temporary folder beside it, which is synced and then takes dir's name.
//
// No system replaces a folder that is not empty in one step. An earlier folder
// is therefore first renamed to .name.old-…, then removed; a crash between the
// two renames leaves dir absent, never half. A crash can leave hidden folders
// .name.tmp-… and .name.old-…, which nothing reads and the next call for the same
// dir sweeps.
func replaceFolder(dir string, fill func(tmp string) error) (err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		if err := isResultFolder(dir); err != nil {
			return err
		}
	}
	tmp, made, err := makeTemporary(dir)
	defer func() {
		if err != nil {
			for _, p := range made {
				os.Remove(p) // fails where another study has moved in: it stays
			}
		}
	}()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(tmp))
		}
	}()
	if err := fill(tmp); err != nil {
		return err
	}
	if err := syncFolder(tmp); err != nil {
		return err
	}
	if err := moveOver(tmp, dir); err != nil {
		return err
	}
	for _, p := range append(made, dir) {
		if err := syncFolder(filepath.Dir(p)); err != nil {
			return err
		}
	}
	return nil
}

// makeParents makes dir and what is missing above it and returns the folders
// made, deepest first.
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

// makeTemporary makes a new folder .name.tmp-… beside dir, and the folders above
// it that are missing, which it returns. Not os.MkdirTemp, whose folders are
// closed to the group whatever the umask.
func makeTemporary(dir string) (tmp string, made []string, err error) {
	// A study that fails at the same time may take an empty folder above away
	// again, and another may have drawn the same name.
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

// moveOver gives the folder tmp the name dir. Another process may be writing
// the same study, so the name may be taken again between two steps.
func moveOver(tmp, dir string) error {
	const tries = 10 // each lost to a complete folder of another process
	var err error
	for range tries {
		if err = rename(tmp, dir); err == nil {
			return nil
		}
		if _, statErr := os.Lstat(dir); statErr != nil {
			return err // the name is free: something else is wrong
		}
		old := hiddenName(dir, "old")
		if asideErr := rename(dir, old); errors.Is(asideErr, fs.ErrNotExist) {
			continue
		} else if asideErr != nil {
			return asideErr
		}
		if err = rename(tmp, dir); err == nil {
			// dir is complete, whatever becomes of the earlier folder: a study
			// whose results stand there has not failed. sweep takes the rest.
			_ = outfile.Patiently(func() error { return os.RemoveAll(old) })
			return nil
		}
		if backErr := rename(old, dir); backErr != nil {
			// The name is taken by a newer complete folder; else say where the old one is.
			if _, statErr := os.Lstat(dir); statErr != nil {
				return errors.Join(err, backErr)
			}
			if removeErr := os.RemoveAll(old); removeErr != nil {
				return removeErr
			}
		}
	}
	return err
}

// rename renames a folder, patiently while the new name is free. Windows refuses
// a name that is taken with the same words as a folder that is held, and waiting
// does not free the name.
func rename(old, name string) error {
	var err error
	_ = outfile.Patiently(func() error {
		err = os.Rename(old, name)
		if _, statErr := os.Lstat(name); statErr == nil {
			return nil // taken, or done: either way the end, with err
		}
		return err
	})
	return err
}

// Sweep removes what runs that were killed have left below dir, a folder of results: the
// folders .name.tmp-… and .name.old-…, unfinished tables, and the file .t2map-… that tries whether
// the folder can be written. An earlier result that was
// put aside and not replaced gets its name back.
//
// It must not be called while a study below dir is being written. What cannot be removed stays, without
// an error: it is in nobody's way.
func Sweep(dir string) {
	// With a separator behind it a root that is a link is entered.
	root := strings.TrimRight(dir, string(filepath.Separator)) + string(filepath.Separator)
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir
		case !d.IsDir():
			if filepath.Dir(path) == filepath.Clean(dir) && (isUnfinishedTable(d.Name()) || isProbe(d.Name())) {
				_ = os.Remove(path)
			}
			return nil
		case path == root || !strings.HasPrefix(d.Name(), "."):
			return nil
		}
		name, kind, ok := parseHidden(d.Name())
		if !ok {
			return fs.SkipDir // another program's
		}
		if original := filepath.Join(filepath.Dir(path), name); kind == "old" && restore(path, original) {
			return fs.SkipDir
		}
		_ = os.RemoveAll(path)
		return fs.SkipDir
	})
}

// restore gives a complete folder its name back, where that is free.
func restore(old, name string) bool {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if _, err := os.Stat(filepath.Join(old, ResultFile)); err != nil {
		return false
	}
	return rename(old, name) == nil
}

// beside takes a name that besideName gives apart.
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

// isUnfinishedTable reports whether a file was to become a table: it has the table's
// name after a dot, and digits behind (renameio).
func isUnfinishedTable(name string) bool {
	for _, table := range []string{compartmentsTable, studiesTable, pageFile} {
		if digits, ok := strings.CutPrefix(name, "."+table); ok && digits != "" {
			_, err := strconv.ParseUint(digits, 10, 64)
			return err == nil
		}
	}
	return false
}

// ProbePattern names, for os.CreateTemp, a file that tries whether a folder can be written.
const ProbePattern = ".t2map-*"

// isProbe reports whether a file has a name of ProbePattern.
func isProbe(name string) bool {
	digits, ok := strings.CutPrefix(name, strings.TrimSuffix(ProbePattern, "*"))
	_, err := strconv.ParseUint(digits, 10, 64)
	return ok && err == nil
}

// MoveFolder renames a folder, patiently on Windows while another program holds it. The
// new name must be free.
func MoveFolder(old, name string) error { return rename(old, name) }

// syncFolder makes the names in dir durable. Windows cannot sync a folder and
// does not need to: NTFS journals names.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
