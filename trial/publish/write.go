// Package publish writes the report of a trial: a page for people, trial.json, tidy tables and the
// tables of CDISC, each table with a dictionary.
//
// It computes no statistics: trial.Analysis has all of them. It does not read the clock, so that the same
// analysis results in the same bytes. Units are those of the endpoints, months for visits, and percent if a
// name says so. A number that does not exist is an empty cell, null, or a dash with a reason, never 0.
package publish

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
)

// The folders below the one that is written to.
const (
	figureFolder     = "figures"
	dictionaryFolder = "dictionary"
	mapFolder        = "maps"
)

// Map is a map of a subject, in a format that other programs read.
type Map struct {
	// Name is that of its file, without its extension.
	Name string
	// NIfTI is the file, compressed.
	NIfTI []byte
}

// file is a file to be written; path is below the folder, with slashes.
type file struct {
	path    string
	content []byte
}

// Write writes the report of a trial into the folder dir, which it makes if necessary:
//
//	trial.html           the report, a page without other files
//	trial.json           the analysis, unrounded
//	analysis.R           an R script that reproduces the primary analysis from values.csv
//	NAME.csv             description, lsmeans, contrasts, individuals, responders,
//	                     correlations, values, quality, flags, flow; mk and adbds of CDISC
//	dictionary/NAME.csv  the meaning of the columns of NAME.csv
//	figures/NAME.svg     each picture, also as .png and .pdf
//	maps/NAME.nii.gz     each map
//
// It replaces the files of an earlier report, and removes the pictures and maps that the earlier
// trial.json names and that are not written again; other files stay. Cells that a spreadsheet would
// run as a formula begin with an apostrophe.
//
// If a file cannot be written, the other files are written nevertheless; the error names each that could not.
// Two pictures or maps of one name, or a name that is not a file name, are an error before anything is
// written.
func Write(dir string, a trial.Analysis, pictures []figure.Picture, maps []Map) error {
	if err := cmp.Or(checkNames("picture", pictureNames(pictures)), checkNames("map", mapNames(maps))); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	page, err := pageOf(a, pictures)
	if err != nil {
		return fmt.Errorf("publish: %s: %w", pageFile, err)
	}
	data, err := encode(&a, pictureNames(pictures), mapNames(maps))
	if err != nil {
		return fmt.Errorf("publish: %s: %w", jsonFile, err)
	}
	script, err := scriptOf(&a)
	if err != nil {
		return fmt.Errorf("publish: %s: %w", scriptFile, err)
	}
	files := []file{{pageFile, page}, {jsonFile, data}, {scriptFile, script}}
	for _, t := range tables(&a) {
		files = append(files, file{t.name + ".csv", t.CSV()},
			file{dictionaryFolder + "/" + t.name + ".csv", t.DictionaryCSV()})
	}
	files = append(files, pictureFiles(pictures)...)
	files = append(files, mapFiles(maps)...)
	for _, f := range append(files, file{path: figureFolder + "/"}) {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(path.Dir(f.path))), 0o777); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	errs := []error{sweep(dir, earlierFiles(dir), files)}
	for _, f := range files {
		if err := outfile.Replace(filepath.Join(dir, filepath.FromSlash(f.path)), f.content); err != nil {
			errs = append(errs, err)
			if outfile.Full(err) {
				break // the others would fail, too
			}
		}
	}
	return errors.Join(errs...)
}

// Files returns what Write with these pictures and maps writes: paths below its folder, with slashes.
func Files(pictures []figure.Picture, maps []Map) []string {
	names := []string{pageFile, jsonFile, scriptFile}
	for _, t := range tables(&trial.Analysis{}) { // the names do not depend on the trial
		names = append(names, t.name+".csv", dictionaryFolder+"/"+t.name+".csv")
	}
	for _, f := range append(pictureFiles(pictures), mapFiles(maps)...) {
		names = append(names, f.path)
	}
	return names
}

const (
	pageFile = "trial.html"
	jsonFile = "trial.json"
)

// output is a table of the report; name is that of its file, without .csv.
type output struct {
	name string
	table.Sheet
}

func newOutput[R any](name string, columns []table.Column[R], rows []R) output {
	return output{name, table.NewSheet(columns, rows)}
}

// endpointUnit is the unit of a column whose rows have a column unit.
const endpointUnit = "of the endpoint"

// tables returns all tables in the order in which docs/trial.md has them.
func tables(a *trial.Analysis) []output {
	return []output{
		descriptionTable(a), meanTable(a), contrastTable(a), individualTable(a), responderTable(a),
		correlationTable(a), valueTable(a), qualityTable(a), flagTable(a), flowTable(a), mkTable(a), bdsTable(a),
	}
}

// pictureFiles returns the files of the pictures, in the formats that each picture has.
func pictureFiles(pictures []figure.Picture) []file {
	var files []file
	for _, p := range pictures {
		for _, f := range []file{{".svg", p.SVG}, {".png", p.PNG}, {".pdf", p.PDF}} {
			if len(f.content) > 0 {
				files = append(files, file{figureFolder + "/" + p.Name + f.path, f.content})
			}
		}
	}
	return files
}

// mapFiles returns the files of the maps.
func mapFiles(maps []Map) []file {
	var files []file
	for _, m := range maps {
		files = append(files, file{mapPath(m.Name), m.NIfTI})
	}
	return files
}

func mapPath(name string) string { return mapFolder + "/" + name + ".nii.gz" }

func pictureNames(pictures []figure.Picture) []string {
	return mapped(pictures, func(p figure.Picture) string { return p.Name })
}

func mapNames(maps []Map) []string {
	return mapped(maps, func(m Map) string { return m.Name })
}

// checkNames returns an error unless each name is a file name that differs from the others.
func checkNames(kind string, names []string) error {
	seen := map[string]bool{}
	for _, name := range names {
		if !isFileName(name) {
			return fmt.Errorf("%s %q: it is not a file name: want letters, digits, hyphens and underscores", kind, name)
		}
		// Windows and macOS do not distinguish names by case.
		if key := strings.ToLower(name); seen[key] {
			return fmt.Errorf("%s %q: the name is that of another %s", kind, name, kind)
		} else {
			seen[key] = true
		}
	}
	return nil
}

func isFileName(s string) bool {
	const longest = 100 // bytes; file systems allow 255, which leaves room for a temporary name
	if s == "" || len(s) > longest {
		return false
	}
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '-' && r != '_' {
			return false
		}
	}
	return true
}

// earlierFiles returns the files of pictures and maps of the report in dir, if there is one.
func earlierFiles(dir string) []string {
	content, err := os.ReadFile(filepath.Join(dir, jsonFile))
	if err != nil {
		return nil
	}
	var earlier struct {
		Schema         string
		Pictures, Maps []string
	}
	if json.Unmarshal(content, &earlier) != nil || !strings.HasPrefix(earlier.Schema, schemaName) {
		return nil
	}
	var paths []string
	for _, name := range earlier.Pictures {
		for _, extension := range []string{".svg", ".png", ".pdf"} {
			if isFileName(name) {
				paths = append(paths, figureFolder+"/"+name+extension)
			}
		}
	}
	for _, name := range earlier.Maps {
		if isFileName(name) {
			paths = append(paths, mapPath(name))
		}
	}
	return paths
}

// sweep removes the files of an earlier report that are not among the files.
func sweep(dir string, earlier []string, files []file) error {
	var errs []error
	for _, path := range earlier {
		if slices.ContainsFunc(files, func(f file) bool { return strings.EqualFold(f.path, path) }) {
			continue
		}
		err := outfile.Patiently(func() error { return os.Remove(filepath.Join(dir, filepath.FromSlash(path))) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s: the file of an earlier report was not removed: %w", path, err))
		}
	}
	return errors.Join(errs...)
}
