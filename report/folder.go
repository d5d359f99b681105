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
	"time"

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
	sweep(dir)
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
		tmp = besideName(dir, "tmp")
		if err = os.Mkdir(tmp, 0o777); err == nil {
			return tmp, made, nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return "", made, err
		}
	}
	return "", made, fmt.Errorf("%s: cannot make a temporary folder beside it", dir)
}

func besideName(dir, kind string) string {
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
		old := besideName(dir, "old")
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
func rename(from, to string) error {
	var err error
	_ = outfile.Patiently(func() error {
		err = os.Rename(from, to)
		if _, statErr := os.Lstat(to); statErr == nil {
			return nil // taken, or done: either way the end, with err
		}
		return err
	})
	return err
}

// leftoverAge is how much older than the folder just written a temporary one
// must be before it is taken for a leftover. Writing a study takes seconds, and
// the folder's time is that of the last file made in it.
const leftoverAge = 15 * time.Minute

// sweep removes what calls that were killed have left of dir, which is complete
// now: folders .name.tmp-… and .name.old-….
//
// It is safe beside another process that writes the same study. The folder of a
// live writer is not old enough, by the clock of the file system that holds both.
// Should a writer have slept for longer, its folder is renamed before it is
// removed, so that the writer finds it gone and fails, and cannot publish half of
// it. The copy of dir that another process has just put aside is as young as
// dir; an older one is not needed, since dir is there.
//
// What cannot be swept stays, without an error: it is in nobody's way.
func sweep(dir string) {
	done, err := os.Stat(dir)
	if err != nil {
		return
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || !isBeside(dir, e.Name()) || done.ModTime().Sub(info.ModTime()) < leftoverAge {
			continue
		}
		gone := besideName(dir, "old")
		if os.Rename(filepath.Join(filepath.Dir(dir), e.Name()), gone) == nil {
			_ = os.RemoveAll(gone)
		}
	}
}

// isBeside reports whether name is one that besideName gives for dir.
func isBeside(dir, name string) bool {
	for _, kind := range []string{"tmp", "old"} {
		if digits, ok := strings.CutPrefix(name, "."+filepath.Base(dir)+"."+kind+"-"); ok {
			_, err := strconv.ParseUint(digits, 16, 32)
			return err == nil && len(digits) == 8
		}
	}
	return false
}

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
