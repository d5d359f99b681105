package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/report"
)

// checkFolder returns an error if the folder that --out names cannot be created or is a file.
func checkFolder(out string) error {
	if objects.Is(out) {
		return usageError{hint.Errorf("write into a local folder, and copy it: aws s3 sync DIR "+out,
			"--out %s: only t2map run writes to buckets", out)}
	}
	for path := filepath.Clean(out); ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			return usageError{hint.Errorf("name a folder; it is created if it does not exist",
				"--out %s: %s is a file, not a folder", out, filepath.Base(path))}
		case err == nil, path == filepath.Dir(path):
			return nil // writing reports any other problem
		}
	}
}

// checkInputs returns an error if one of the files that are to be written is an input, or a link to an input.
func checkInputs(files, inputs []string) error {
	for _, input := range inputs {
		read, err := os.Stat(input)
		if err != nil {
			continue // an optional input that does not exist
		}
		for _, file := range files {
			if existing, err := os.Stat(file); err == nil && os.SameFile(read, existing) {
				return usageError{hint.Errorf(fmt.Sprintf("%s is an input; give another --out", filepath.Base(input)),
					"%s would be overwritten", file)}
			}
		}
	}
	return nil
}

// outputFile is a file that a command writes. The name may have slashes.
type outputFile struct {
	name    string
	content []byte
}

// pictureFiles returns the three files of each picture.
func pictureFiles(pictures []figure.Picture) []outputFile {
	var files []outputFile
	for _, p := range pictures {
		files = append(files, outputFile{p.Name + ".svg", p.SVG}, outputFile{p.Name + ".png", p.PNG},
			outputFile{p.Name + ".pdf", p.PDF})
	}
	return files
}

// writeFiles writes the files into the folder of --out, but does not overwrite an input. A file that cannot be written
// does not prevent the others from being written.
func writeFiles(dir string, files []outputFile, inputs []string) error {
	if err := checkFolder(dir); err != nil {
		return err
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	paths := pathsIn(dir, names)
	if err := checkInputs(paths, inputs); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var errs []error
	for i, path := range paths {
		errs = append(errs, outfile.Replace(path, files[i].content))
	}
	return errors.Join(errs...)
}

// pathsIn returns the paths of files in a folder. The names have slashes.
func pathsIn(dir string, names []string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = filepath.Join(dir, filepath.FromSlash(n))
	}
	return paths
}

// checkBlinded returns an error if out is a place where blinded readers look, because a report discloses the arms:
// the folder of the results, a study's folder, or a folder that contains study folders.
func checkBlinded(out, results string) error {
	if existing, err := os.Stat(out); err == nil {
		if folder, err := os.Stat(results); err == nil && os.SameFile(existing, folder) {
			return usageError{hint.Errorf(blindedAdvice, "--out %s is the folder of the results", out)}
		}
	}
	entries, _ := os.ReadDir(out) // a folder that does not exist is empty
	for _, d := range entries {
		if isStudy(filepath.Join(out, d.Name())) {
			return usageError{hint.Errorf(blindedAdvice, "--out %s contains the folders of studies", out)}
		}
	}
	path, err := filepath.Abs(out)
	if err != nil {
		return usageError{fmt.Errorf("--out %s: %w", out, err)}
	}
	for ; ; path = filepath.Dir(path) {
		if isStudy(path) {
			return usageError{hint.Errorf(blindedAdvice, "--out %s is a study's folder, or lies in one", out)}
		}
		if path == filepath.Dir(path) {
			break
		}
	}
	return checkOutside(out, results)
}

// checkOutside returns an error if out lies below the folder of the results.
func checkOutside(out, results string) error {
	folder, err := os.Stat(results)
	if err != nil || !holdsStudies(results) {
		return nil
	}
	path, err := filepath.Abs(out)
	for ; err == nil && path != filepath.Dir(path); path = filepath.Dir(path) {
		if parent, err := os.Stat(path); err == nil && os.SameFile(parent, folder) {
			return usageError{hint.Errorf(blindedAdvice, "--out %s lies in the folder of the results", out)}
		}
	}
	return nil
}

const blindedAdvice = "people who look at the results are blinded to the arms; give the report a folder of its own, " +
	"such as trial-report"

// holdsStudies reports whether a folder has study folders, SUBJECT/VISIT. The folder of a copied table has none.
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

// isStudy reports whether a folder holds the results of a study.
func isStudy(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, report.ResultFile))
	return err == nil
}
