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
	// Failures are the studies that studies.csv lists without a result; nil if they are not known.
	Failures []report.Failure `json:"failures"`
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

// readTableState returns the state of the tables of a folder of results, or zero if there is none.
func readTableState(out string) tableState {
	data, err := os.ReadFile(filepath.Join(out, stateFolder, tablesFile))
	var state tableState
	if err != nil || json.Unmarshal(data, &state) != nil {
		return tableState{}
	}
	return state
}

// stands reports whether a file in a folder of results is as it was.
func (f stamp) stands(out string) bool {
	now := stampOf(filepath.Join(out, filepath.FromSlash(f.Path)))
	return now.Size == f.Size && now.Time == f.Time
}

// tablesStand reports whether the tables were made from what has the hash, and have not changed since.
func (s Settings) tablesStand(sum string) bool {
	state := readTableState(s.Out)
	return sum != "" && state.Sum == sum && len(state.Files) > 0 &&
		!slices.ContainsFunc(state.Files, func(f stamp) bool { return !f.stands(s.Out) })
}

// knownFailures returns the studies that studies.csv lists without a result. It returns false if the table is not that
// of the state.
func knownFailures(out string) ([]report.Failure, bool) {
	state := readTableState(out)
	n := slices.IndexFunc(state.Files, func(f stamp) bool { return f.Path == studiesTable })
	if n < 0 || state.Failures == nil || !state.Files[n].stands(out) {
		return nil, false
	}
	for n, f := range state.Failures {
		state.Failures[n] = f.Listed()
	}
	return state.Failures, true
}

// writeTableState notes from what the tables were made, and the failures that are in them.
func (s Settings) writeTableState(sum string, failures []report.Failure) error {
	state := tableState{Sum: sum, Failures: append([]report.Failure{}, failures...)}
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
