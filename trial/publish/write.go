// Package publish writes what is reported of a trial: a page for people, trial.json,
// tidy tables and the tables of CDISC, each table with a dictionary.
//
// It computes no statistics: all of them are in trial.Analysis. It reads no clock, so that the same
// analysis gives the same bytes. Units are those of the endpoints, months for visits,
// percent where a name says so. What could not be had is an empty cell, null or a dash
// that says why, never 0.
package publish

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

// The folders below the one that is written to.
const (
	figureFolder     = "figures"
	dictionaryFolder = "dictionary"
)

// file is one that is to be written; path is below the folder, with slashes.
type file struct {
	path    string
	content []byte
}

// Write writes the report of a trial into the folder dir, which is made if it is not
// there:
//
//	trial.html           the report, one page that needs nothing else
//	trial.json           the analysis, unrounded
//	NAME.csv             description, lsmeans, contrasts, individuals, responders,
//	                     correlations, values, flags, flow; mk and adbds of CDISC
//	dictionary/NAME.csv  what the columns of NAME.csv mean
//	figures/NAME.svg     each picture, also as .png and .pdf
//
// A file of an earlier report is replaced as a whole; pictures that its trial.json names and
// that are not among these are removed; other files stay. Cells that a spreadsheet would run as a formula begin with
// an apostrophe.
//
// A file that cannot be written does not keep the others from being written: the error,
// which joins what went wrong, names each. A picture whose name is no file's name, or is
// another's, is an error before anything is written.
func Write(dir string, a trial.Analysis, pictures []figure.Picture) error {
	if err := checkNames(pictures); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	page, err := pageOf(a, pictures)
	if err != nil {
		return fmt.Errorf("publish: %s: %w", pageFile, err)
	}
	files := []file{{pageFile, page}, {jsonFile, encode(a, pictures)}}
	for _, t := range tables(&a) {
		files = append(files, file{t.name + ".csv", printable.CSV(t.columns, t.rows)},
			file{dictionaryFolder + "/" + t.name + ".csv", printable.CSV(dictionaryColumns, t.dictionary)})
	}
	files = append(files, pictureFiles(pictures)...)
	for _, d := range []string{dir, filepath.Join(dir, dictionaryFolder), filepath.Join(dir, figureFolder)} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	errs := []error{sweep(dir, earlierPictures(dir), files)}
	for _, f := range files {
		if err := outfile.Replace(filepath.Join(dir, filepath.FromSlash(f.path)), f.content); err != nil {
			errs = append(errs, err)
			if outfile.Full(err) {
				break // it is true of the others too, and is said once
			}
		}
	}
	return errors.Join(errs...)
}

// Files returns what Write with these pictures writes: paths below its folder, with slashes.
func Files(pictures []figure.Picture) []string {
	names := []string{pageFile, jsonFile}
	for _, t := range tables(&trial.Analysis{}) { // which tables there are depends on no trial
		names = append(names, t.name+".csv", dictionaryFolder+"/"+t.name+".csv")
	}
	for _, f := range pictureFiles(pictures) {
		names = append(names, f.path)
	}
	return names
}

const (
	pageFile = "trial.html"
	jsonFile = "trial.json"
)

// tables returns all tables in the order in which docs/trial.md has them.
func tables(a *trial.Analysis) []table {
	return []table{
		descriptionTable(a), meanTable(a), contrastTable(a), individualTable(a), responderTable(a),
		correlationTable(a), valueTable(a), flagTable(a), flowTable(a), mkTable(a), bdsTable(a),
	}
}

// pictureFiles returns the files of the pictures; a format that a picture does not have
// is left out.
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

// checkNames says which picture cannot be a file of its own.
func checkNames(pictures []figure.Picture) error {
	seen := map[string]bool{}
	for _, p := range pictures {
		if !isFileName(p.Name) {
			return fmt.Errorf("picture %q: it is not a file name: want letters, digits, hyphens and underscores", p.Name)
		}
		// Windows and macOS take names that differ in case for one.
		if key := strings.ToLower(p.Name); seen[key] {
			return fmt.Errorf("picture %q: the name is that of another picture", p.Name)
		} else {
			seen[key] = true
		}
	}
	return nil
}

func isFileName(s string) bool {
	const longest = 100 // of the 255 bytes that file systems give, with room for a temporary name
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

// earlierPictures returns the pictures that the report lying in dir says it has; none where there
// is not such a report.
func earlierPictures(dir string) []string {
	content, err := os.ReadFile(filepath.Join(dir, jsonFile))
	if err != nil {
		return nil
	}
	var earlier struct {
		Schema   string
		Pictures []string
	}
	if json.Unmarshal(content, &earlier) != nil || !strings.HasPrefix(earlier.Schema, schemaName) {
		return nil
	}
	return slices.DeleteFunc(earlier.Pictures, func(name string) bool { return !isFileName(name) })
}

// sweep removes the pictures of an earlier report that are not among the files, so that none is
// taken for this one's.
func sweep(dir string, earlier []string, files []file) error {
	var errs []error
	for _, name := range earlier {
		for _, extension := range []string{".svg", ".png", ".pdf"} {
			path := figureFolder + "/" + name + extension
			if slices.ContainsFunc(files, func(f file) bool { return strings.EqualFold(f.path, path) }) {
				continue
			}
			err := outfile.Patiently(func() error { return os.Remove(filepath.Join(dir, filepath.FromSlash(path))) })
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("%s: the file of an earlier report was not removed: %w", path, err))
			}
		}
	}
	return errors.Join(errs...)
}
