package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/report"
)

// checkFolder refuses a folder, named by --out, that cannot be created or is a file.
func checkFolder(out string) error {
	for at := filepath.Clean(out); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return usageError{fmt.Errorf("--out %s: %s is a file, not a folder\nhint: name a folder; it is created if it does not exist", out, filepath.Base(at))}
		case err == nil, at == filepath.Dir(at):
			return nil // writing reports any other problem
		}
	}
}

// checkInputs refuses to overwrite an input: files are to be written, inputs were read. A link to an
// input is the input.
func checkInputs(files, inputs []string) error {
	for _, input := range inputs {
		was, err := os.Stat(input)
		if err != nil {
			continue // it did not exist and was not read
		}
		for _, file := range files {
			if is, err := os.Stat(file); err == nil && os.SameFile(was, is) {
				return usageError{fmt.Errorf("%s would be overwritten\nhint: %s is an input; give another --out", file, filepath.Base(input))}
			}
		}
	}
	return nil
}

// below returns the paths of files in a folder; names have slashes.
func below(dir string, names []string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = filepath.Join(dir, filepath.FromSlash(n))
	}
	return paths
}

// checkBlinded refuses to write what discloses the arms to places where blinded readers look: the
// folder of the results, that of a study, or one that contains folders of studies.
func checkBlinded(out, results string) error {
	if is, err := os.Stat(out); err == nil {
		if was, err := os.Stat(results); err == nil && os.SameFile(is, was) {
			return usageError{fmt.Errorf("--out %s is the folder of the results\n%s", out, blindedHint)}
		}
	}
	inside, _ := os.ReadDir(out) // a folder that does not exist is empty
	for _, d := range inside {
		if isStudy(filepath.Join(out, d.Name())) {
			return usageError{fmt.Errorf("--out %s contains the folders of studies\n%s", out, blindedHint)}
		}
	}
	at, err := filepath.Abs(out)
	if err != nil {
		return usageError{fmt.Errorf("--out %s: %w", out, err)}
	}
	for ; ; at = filepath.Dir(at) {
		if isStudy(at) {
			return usageError{fmt.Errorf("--out %s is a study's folder, or lies in one\n%s", out, blindedHint)}
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return checkOutside(out, results)
}

// checkOutside is the part of checkBlinded for folders below that of the results.
func checkOutside(out, results string) error {
	was, err := os.Stat(results)
	if err != nil || !holdsStudies(results) {
		return nil
	}
	at, err := filepath.Abs(out)
	for ; err == nil && at != filepath.Dir(at); at = filepath.Dir(at) {
		if is, err := os.Stat(at); err == nil && os.SameFile(is, was) {
			return usageError{fmt.Errorf("--out %s lies in the folder of the results\n%s", out, blindedHint)}
		}
	}
	return nil
}

// blindedHint says why a report does not go among the results.
const blindedHint = "hint: those who look at the results are blind to the arms; give the report a folder of its own, such as trial-report"

// holdsStudies reports whether a folder has folders of studies, SUBJECT/VISIT. A table that was copied
// elsewhere has none beside it.
func holdsStudies(dir string) bool {
	subjects, _ := os.ReadDir(dir)
	for _, s := range subjects {
		visits, _ := os.ReadDir(filepath.Join(dir, s.Name()))
		for _, v := range visits {
			if isStudy(filepath.Join(dir, s.Name(), v.Name())) {
				return true
			}
		}
	}
	return false
}

// isStudy reports whether a folder has the results of a study.
func isStudy(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, report.ResultFile))
	return err == nil
}
