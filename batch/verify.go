package batch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
)

// Finding is something in a folder of results that is not as a run wrote it.
type Finding struct {
	// Place is a file or folder below the folder of results, or a line of the record.
	Place   string
	Problem string
}

// Verification is the outcome of Verify.
type Verification struct {
	// Results, Outputs, Inputs and Reads count what was compared with its hash; Lines are those of the record.
	Results, Outputs, Inputs, Reads, Lines int
	Findings                               []Finding
}

// Verify compares the files of a folder of results with the hashes that were written with them: the record with its
// chain, each result.json and the tables with the record, the files of each result with its result.json, and the reads
// with the record. Superseded results may have been deleted; those that are there are compared in the same way. If roots
// are given, it also compares the inputs, which it looks for below the roots; an input that is not there is a finding.
//
// It returns a *BusyError if a run writes to the folder, and an error if the folder does not exist or holds no results.
func Verify(ctx context.Context, out string, roots []string, workers int) (Verification, error) {
	if !holdsResults(out) {
		return Verification{}, hint.Errorf("name the folder that --out named in t2map run", "%s holds no results",
			filepath.Base(out))
	}
	var busy *BusyError
	if err := CheckIdle(out); errors.As(err, &busy) {
		return Verification{}, err
	}
	v := verifier{out: out, expected: map[string]string{}, seen: map[string]bool{}, reads: map[string]string{},
		drawings: map[string]string{}}
	read, err := reads.List(out) // before the record, which names each read before it has its folder
	if err != nil {
		return v.Verification, err
	}
	if err := v.readRecord(); err != nil {
		return v.Verification, err
	}
	if len(roots) > 0 {
		tree, err := files.List(ctx, roots, out, files.Limits{})
		if err != nil {
			return v.Verification, fmt.Errorf("find: %w", err)
		}
		defer tree.Close()
		v.inputs = newInputs(tree)
	}
	var paths []string
	if err := eachResult(out, func(path string, err error) error {
		if err != nil {
			v.find(filepath.Dir(path), "cannot be listed: "+err.Error())
			return nil
		}
		paths = append(paths, path)
		return nil
	}); err != nil {
		return v.Verification, err
	}
	all := make([]Verification, len(paths))
	err = parallel.Each(ctx, len(paths), workers, func(n int) error {
		all[n] = v.result(paths[n])
		return nil
	})
	for _, one := range all {
		v.Outputs, v.Inputs = v.Outputs+one.Outputs, v.Inputs+one.Inputs
		v.Findings = append(v.Findings, one.Findings...)
	}
	v.Results = len(paths)
	for _, path := range paths {
		v.seen[files.Below(out, filepath.Dir(path))] = true
	}
	v.missing()
	v.compareTables()
	v.compareSuperseded()
	v.Reads = len(read)
	reads.Check(out, read, v.reads, v.find)
	return v.Verification, err
}

// verifier is the state of Verify.
type verifier struct {
	Verification
	out string
	// expected is the hash of result.json by folder, from the last event of the record about the folder.
	expected map[string]string
	seen     map[string]bool
	recorded bool // there is a record
	inputs   *inputs
	// reads is the hash of read.json by folder, from the last event of the record about the folder, and drawings the ID of
	// what was drawn.
	reads, drawings map[string]string
	// tables are the hashes of the tables and of the files of the page, when they were written last.
	tables map[string]string
}

func (v *verifier) find(path, problem string) {
	v.Findings = append(v.Findings, Finding{files.Below(v.out, path), problem})
}

// readRecord checks the record and collects the results that should exist.
func (v *verifier) readRecord() error {
	started := false
	folders := map[string]string{} // by the hash of their results
	lines, faults, err := audit.Read(v.out, func(e audit.Event) {
		started = true
		v.expect(e, folders)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", audit.File, err)
	}
	v.Lines, v.recorded = lines, started
	for _, f := range faults {
		v.Findings = append(v.Findings, Finding{fmt.Sprintf("%s, line %d", audit.File, f.Line), f.Problem})
	}
	if !v.recorded {
		v.Findings = append(v.Findings, Finding{audit.File, "missing: nothing says which results were written"})
	}
	return nil
}

// expect notes the results that should exist after an event. folders are those of all results so far, by their hashes.
func (v *verifier) expect(e audit.Event, folders map[string]string) {
	switch e.Kind {
	case audit.StudyDone:
		v.expected[e.Folder], folders[e.Result] = e.Result, e.Folder
	case audit.Superseded:
		if from := folders[e.Result]; v.expected[from] == e.Result {
			delete(v.expected, from) // it was moved from there
		}
		v.expected[e.Folder], folders[e.Result] = e.Result, e.Folder
	case audit.StudyRead:
		if before, known := v.drawings[e.Folder]; known && before != e.Drawing {
			v.Findings = append(v.Findings, Finding{e.Folder, "the record has two reads of this name: one of them was removed"})
		}
		v.reads[e.Folder], v.drawings[e.Folder] = e.Read, e.Drawing
	case audit.TablesWritten:
		v.tables = e.Files
	}
}

// compareTables compares the tables and the files of the page with the hashes that they had when they were written.
func (v *verifier) compareTables() {
	for _, name := range slices.Sorted(maps.Keys(v.tables)) {
		path := filepath.Join(v.out, filepath.FromSlash(name))
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			continue // no run has written this
		}
		switch sum, err := fileHash(path); {
		case errors.Is(err, fs.ErrNotExist):
			v.find(path, "is missing: t2map tables writes it again")
		case err != nil:
			v.find(path, "cannot be read")
		case sum != v.tables[name]:
			v.find(path, "has changed since it was written: t2map tables writes it again")
		}
	}
}

// compareSuperseded compares the superseded results that are still there with the record.
func (v *verifier) compareSuperseded() {
	for _, folder := range slices.Sorted(maps.Keys(v.expected)) {
		if !strings.HasPrefix(folder, supersededFolder+"/") || !filepath.IsLocal(filepath.FromSlash(folder)) {
			continue
		}
		path := filepath.Join(v.out, filepath.FromSlash(folder), report.ResultFile)
		sum, err := fileHash(path)
		if err != nil {
			continue // it was deleted
		}
		if sum != v.expected[folder] {
			v.find(path, "has changed since a run wrote it")
		} else if r, err := report.ReadResult(path); err == nil { // else its hash differs
			compareOutputs(r, func(name, problem string) { v.find(filepath.Join(r.Dir, name), problem) })
		}
	}
}

// result compares one result with the record, its files and its inputs.
func (v *verifier) result(path string) (one Verification) {
	folder := files.Below(v.out, filepath.Dir(path))
	find := func(name, problem string) {
		one.Findings = append(one.Findings, Finding{folder + "/" + name, problem})
	}
	sum, err := fileHash(path)
	r, readErr := report.ReadResult(path)
	switch expected, known := v.expected[folder]; {
	case err != nil || readErr != nil:
		find(report.ResultFile, "cannot be read")
		return one
	case v.recorded && !known:
		find(report.ResultFile, "is not in the record: no run says that it wrote it")
	case known && expected != sum:
		find(report.ResultFile, "has changed since a run wrote it")
	}
	one.Outputs = len(r.Outputs)
	compareOutputs(r, find)
	v.compareInputs(r, &one, find)
	return one
}

// compareOutputs compares the files in the folder of a result with their hashes.
func compareOutputs(r report.Result, find func(name, problem string)) {
	known := []string{report.ResultFile}
	for _, f := range r.Outputs {
		known = append(known, f.Path)
		switch sum, err := fileHash(filepath.Join(r.Dir, filepath.FromSlash(f.Path))); {
		case errors.Is(err, fs.ErrNotExist):
			find(f.Path, "is missing")
		case err != nil:
			find(f.Path, "cannot be read")
		case sum != f.SHA256:
			find(f.Path, "has changed since a run wrote it")
		}
	}
	entries, _ := os.ReadDir(r.Dir)
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			find(e.Name(), "was not written by the run")
		}
	}
}

// compareInputs compares the inputs of a result, if there are roots.
func (v *verifier) compareInputs(r report.Result, one *Verification, find func(name, problem string)) {
	if v.inputs == nil {
		return
	}
	for _, f := range r.Inputs {
		one.Inputs++
		switch path, listed := v.inputs.paths[f.Path]; {
		case !listed && v.hasRead(f):
		case !listed:
			find(report.ResultFile, "its input "+f.Path+" is not in the searched folders")
		case !v.inputs.has(path, f.SHA256):
			find(report.ResultFile, "its input "+f.Path+" has changed since it was read")
		}
	}
}

// hasRead reports whether an input is the mask of a read in the folder, as it was signed.
func (v *verifier) hasRead(f report.File) bool {
	if !strings.HasPrefix(f.Path, reads.Folder+"/") {
		return false
	}
	sum, err := fileHash(filepath.Join(v.out, filepath.FromSlash(f.Path)))
	return err == nil && sum == f.SHA256
}

// missing finds the results that the record has and the folder has not.
func (v *verifier) missing() {
	var gone []string
	for folder := range v.expected {
		_, err := os.Stat(filepath.Join(v.out, filepath.FromSlash(folder), report.ResultFile))
		mayBeDeleted := strings.HasPrefix(folder, supersededFolder+"/")
		if !v.seen[folder] && err != nil && !mayBeDeleted {
			gone = append(gone, folder)
		}
	}
	slices.Sort(gone)
	for _, folder := range gone {
		v.Findings = append(v.Findings, Finding{folder, "is missing: the record says that a run wrote it"})
	}
}

// fileHash returns the SHA-256 of a file in hexadecimal.
func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return fmt.Sprintf("%x", hash.Sum(nil)), err
}
