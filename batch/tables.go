package batch

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/report"
)

// writeTables rebuilds the tables from this run's results and those of earlier runs that
// they leave, so that several runs into one folder add up. A study that is not done keeps
// what it had.
func (s Settings) writeTables(out *Outcome, l *ledger) error {
	out.Earlier = l.results()
	written := map[string]bool{}
	for _, r := range out.Results {
		written[filepath.Clean(r.Dir)] = true
	}
	for _, f := range l.broken { // unless it has been replaced
		if !written[filepath.Join(s.Out, filepath.FromSlash(f.Folder))] && !l.solved(f, out.Results) {
			out.Unreadable = append(out.Unreadable, f)
		}
	}
	out.Failures = append(out.Failures, out.Unreadable...)
	out.Remarks = append(out.Remarks, l.remarks()...)
	return errors.Join(l.err, tabulate(s.Out, out))
}

// solved reports whether a contradiction between results of one study is over, since the
// study has a new result.
func (l *ledger) solved(f report.Failure, results []report.Result) bool {
	return f.Study != "" && slices.ContainsFunc(results, func(r report.Result) bool { return r.Study == f.Study })
}

// tabulate writes the tables.
func tabulate(dir string, out *Outcome) error {
	c := report.Cohort{Version: Version, Results: slices.Concat(out.Results, out.Earlier), Failures: slices.Clone(out.Failures)}
	has := map[string]bool{}
	for _, r := range c.Results {
		has[r.Study] = true
	}
	for _, f := range out.NotDone {
		if !has[f.Study] {
			c.Failures = append(c.Failures, f)
		}
	}
	if err := report.WriteTables(dir, c); err != nil {
		return hinted("close the tables where they are open, check the free space, and write them again: t2map tables DIR", "tables: %w", err)
	}
	return nil
}

// Tables rebuilds the tables of a folder of results from the result.json of its studies,
// as Run does at its end. Studies without a result that studies.csv lists as failed or not done
// stay listed, as far as the table can be read. The settings' Out, Wait and Waiting count.
//
// It is a *BusyError when a run writes into the folder, and an error when there is no such folder.
func Tables(ctx context.Context, s Settings) (Outcome, error) {
	if info, err := os.Stat(s.Out); err != nil {
		return Outcome{}, fmt.Errorf("results: %w", err)
	} else if !info.IsDir() {
		return Outcome{}, fmt.Errorf("results: %s is a file, not a folder", filepath.Base(s.Out))
	}
	if !holdsResults(s.Out) { // then nothing, such as the lock, is to be written into it
		return Outcome{}, hinted("name the folder that t2map run was given by --out", "%s holds no results", filepath.Base(s.Out))
	}
	lock, l, err := s.open(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer lock.release()
	var out Outcome
	listed, err := listedFailures(filepath.Join(s.Out, "studies.csv"))
	if err != nil {
		out.Remarks = append(out.Remarks, fmt.Sprintf("studies.csv could not be read, so that studies which failed are no longer in it: %v", err))
	}
	for _, f := range listed {
		switch {
		case f.Study != "" && len(l.byStudy[f.Study]) > 0:
		case f.Study == "" && f.Folder != "", slices.ContainsFunc(l.broken, func(b report.Failure) bool { return b.Folder == f.Folder }):
			// An unreadable result is found again, if it is still there.
		case f.NotDone:
			out.NotDone = append(out.NotDone, f)
		default:
			out.Failures = append(out.Failures, f)
		}
	}
	return out, s.writeTables(&out, l)
}

// holdsResults reports whether a run has written into the folder: it has a table, or the
// result of a study.
func holdsResults(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "studies.csv")); err == nil {
		return true
	}
	found := errors.New("found")
	err := eachResult(dir, func(string, error) error { return found })
	return errors.Is(err, found)
}

// open locks the output folder, clears away what a killed run has left there and reads
// the results that stand in it.
func (s Settings) open(ctx context.Context) (*lock, *ledger, error) {
	lock, err := s.lockOut(ctx)
	if err != nil {
		return nil, nil, err
	}
	if lock.held() {
		report.Sweep(s.Out)
	}
	l, err := readLedger(s.Out)
	if err != nil {
		lock.release()
		return nil, nil, err
	}
	return lock, l, nil
}

// listedFailures reads the studies that an earlier table lists without a result. No table is no error.
func listedFailures(path string) ([]report.Failure, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.New("the file cannot be opened")
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, errors.New("it is damaged")
	}
	return report.FailuresOf(rows)
}
