package reads

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// Check compares the reads in folders, which List has returned before the record was read, with recorded, the hashes of
// their read.json by their folders in the record, and their files with their read.json. It calls find for each file or
// folder that is not as it was signed. Drawings that are not signed are not compared.
func Check(results string, folders []string, recorded map[string]string, find func(path, problem string)) {
	for _, dir := range folders {
		place := filepath.Join(results, filepath.FromSlash(dir))
		sum, known := recorded[dir]
		if !known {
			find(place, "is not in the record: no reader has signed it")
		}
		checkFiles(place, sum, find)
	}
	for _, dir := range slices.Sorted(maps.Keys(recorded)) {
		place := filepath.Join(results, filepath.FromSlash(dir))
		if _, err := os.Lstat(place); errors.Is(err, fs.ErrNotExist) {
			find(place, "is missing: the record says that a reader finished it")
		}
	}
}

// checkFiles compares the files of a read. sum is the hash of its read.json, or "".
func checkFiles(place, sum string, find func(path, problem string)) {
	compare := func(name, want string) {
		switch got, err := hashFile(filepath.Join(place, name)); {
		case errors.Is(err, fs.ErrNotExist):
			find(filepath.Join(place, name), "is missing")
		case err != nil:
			find(filepath.Join(place, name), "cannot be read")
		case got != want && want != "":
			find(filepath.Join(place, name), "has changed since it was signed")
		}
	}
	compare(readFile, sum)
	if r, _, err := readRead(filepath.Join(place, readFile)); err == nil {
		compare(maskFile, r.Mask)
		compare(strokesFile, r.Strokes)
	}
	entries, _ := os.ReadDir(place) // List has read it
	for _, e := range entries {
		if !slices.Contains([]string{readFile, maskFile, strokesFile}, e.Name()) {
			find(filepath.Join(place, e.Name()), "is not part of the read")
		}
	}
}

// List returns the folders of all reads below the folder of results, with slashes, in their order.
func List(results string) ([]string, error) {
	var all []string
	readers, err := subfolders(results, Folder, readers.MatchString)
	for _, reader := range readers {
		studies, studiesErr := subfolders(results, reader, keys.MatchString)
		err = errors.Join(err, studiesErr)
		for _, study := range studies {
			revisions, revisionsErr := subfolders(results, study, isRevision)
			err = errors.Join(err, revisionsErr)
			all = append(all, revisions...)
		}
	}
	return all, err
}

func isRevision(name string) bool {
	n, err := strconv.Atoi(name)
	return err == nil && n > 0 && strconv.Itoa(n) == name
}

// subfolders returns the folders in a folder whose names are wanted; none if it does not exist.
func subfolders(results, dir string, wanted func(name string) bool) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(results, filepath.FromSlash(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var found []string
	for _, e := range entries {
		if e.IsDir() && wanted(e.Name()) {
			found = append(found, path.Join(dir, e.Name()))
		}
	}
	return found, err
}
