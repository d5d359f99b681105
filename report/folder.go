package report

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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

// FolderName returns a name for a file or folder that stands for the code, such
// as a subject or a visit from a DICOM header, which may hold anything. It is one
// path element of ASCII letters, digits, '-', '_' and '.', good on every system.
//
// A code that is such a name already is returned as it is. Otherwise other
// characters become '_' and eight digits of the code's SHA-256 are appended, so
// that two codes keep two names. Codes that differ only in case are two names
// here but one on Windows and macOS.
func FolderName(code string) string {
	const longest = 64 // bytes; Windows allows 260 for a whole path
	var b strings.Builder
	for _, r := range code {
		if b.Len() == longest {
			break
		}
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	name := b.String()
	// A leading dot hides a folder, a leading dash is an option to programs, and Windows
	// drops a dot at the end.
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
		name = "_" + name[1:]
	}
	if strings.HasSuffix(name, ".") {
		name = name[:len(name)-1] + "_"
	}
	if name == code && name != "" && !isDeviceName(name) {
		return name
	}
	sum := sha256.Sum256([]byte(code))
	if name == "" {
		name = "unnamed"
	}
	if isDeviceName(name) {
		name = "_" + name
	}
	suffix := "-" + hex.EncodeToString(sum[:4])
	return name[:min(len(name), longest-len(suffix))] + suffix
}

// isDeviceName reports whether Windows would take the name, with any extension,
// for a device (learn.microsoft.com, "Naming Files, Paths, and Namespaces").
func isDeviceName(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(stem) == 4 && (stem[:3] == "COM" || stem[:3] == "LPT") && stem[3] >= '0' && stem[3] <= '9'
}
