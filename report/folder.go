package report

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
)

// replaceFolder makes dir complete or leaves it as it was: fill writes into a
// hidden temporary folder beside it, which is synced and then takes dir's name.
//
// No system replaces a folder that is not empty in one step. An earlier folder
// is therefore first renamed to .name.old-…, then removed; a crash between the
// two renames leaves dir absent, never half. A crash can leave hidden folders
// .name.tmp-… and .name.old-…, which nothing reads.
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
		if err = os.Rename(tmp, dir); err == nil {
			return nil
		}
		if _, statErr := os.Lstat(dir); statErr != nil {
			return err // the name is free: something else is wrong
		}
		old := besideName(dir, "old")
		if asideErr := os.Rename(dir, old); errors.Is(asideErr, fs.ErrNotExist) {
			continue
		} else if asideErr != nil {
			return asideErr
		}
		if err = os.Rename(tmp, dir); err == nil {
			return os.RemoveAll(old)
		}
		if backErr := os.Rename(old, dir); backErr != nil {
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
