package batch

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/t2map/t2map/report"
)

// tablesFile is the part of the state that says from what the tables were made.
const tablesFile = "tables.json"

// tableState describes the tables of a folder of results.
type tableState struct {
	// Sum is the hash of everything from which the tables were made.
	Sum string `json:"sha256"`
	// Files are the tables and the files of the page, with paths below the folder of results.
	Files []stamp `json:"files"`
}

// tableSum returns the hash of everything from which tables are made: the program, the results and the failures.
func tableSum(version string, sound listing, failures []report.Failure) string {
	sum := sha256.New()
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintln(sum, info)
	}
	fmt.Fprintln(sum, version)
	for e := range sound.entries() { // in the order of their folders
		fmt.Fprintf(sum, "%q %s\n", e.Folder, e.Sum)
	}
	var lines []string
	for _, f := range failures {
		line, err := json.Marshal(f)
		if err != nil {
			return "" // cannot occur: a failure has texts and numbers
		}
		lines = append(lines, string(line))
	}
	slices.Sort(lines) // studies fail in any order
	fmt.Fprintln(sum, lines)
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// tablesStand reports whether the tables were made from what has the hash, and have not changed since.
func (s Settings) tablesStand(sum string) bool {
	data, err := os.ReadFile(filepath.Join(s.Out, stateFolder, tablesFile))
	var state tableState
	if err != nil || json.Unmarshal(data, &state) != nil || state.Sum != sum || sum == "" {
		return false
	}
	for _, f := range state.Files {
		if now := stampOf(filepath.Join(s.Out, filepath.FromSlash(f.Path))); now.Size != f.Size || now.Time != f.Time {
			return false
		}
	}
	return len(state.Files) > 0
}

// writeTableState notes from what the tables were made.
func (s Settings) writeTableState(sum string) error {
	state := tableState{Sum: sum}
	names, err := tableFiles(s.Out)
	if err != nil {
		return err
	}
	for _, name := range names {
		f := stampOf(filepath.Join(s.Out, filepath.FromSlash(name)))
		f.Path = name
		state.Files = append(state.Files, f)
	}
	return s.writeState(tablesFile, func(write func(any) error) error { return write(state) })
}

// tableFiles returns the names of the tables and of the files of the page in a folder of results, with slashes.
func tableFiles(out string) (files []string, err error) {
	for _, folder := range []string{"", report.PageFolder} {
		names, err := os.ReadDir(filepath.Join(out, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, n := range names {
			if n.Type().IsRegular() && report.IsOfTables(path.Join(folder, n.Name())) {
				files = append(files, path.Join(folder, n.Name()))
			}
		}
	}
	return files, nil
}
