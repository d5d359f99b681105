package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

// writeTables rebuilds the tables from this run's results and the earlier results that these do not replace, so that
// several runs can fill one folder. A study that is not done keeps its earlier results.
func (r *session) writeTables() error {
	out, l := &r.out, r.ledger
	out.Earlier = l.results()
	r.noteKept()
	written := map[string]bool{}
	for _, result := range out.Results {
		written[filepath.Clean(result.Dir)] = true
	}
	conflicts := l.contradictions()
	out.Failures = append(out.Failures, conflicts...)
	out.Listed = l.stillListed(*out)
	for _, f := range l.broken {
		named := func(other report.Failure) bool {
			return other.Study != "" && other.Subject != "" && resultFolder(other.Subject, other.Visit) == f.Folder
		}
		switch dir := filepath.Join(r.Out, filepath.FromSlash(f.Folder)); {
		case written[dir]: // it has been replaced
		case slices.ContainsFunc(out.Failures, named), slices.ContainsFunc(out.Listed, named):
			// The study is listed with another reason.
		default:
			out.Unreadable = append(out.Unreadable, f)
		}
	}
	out.Failures = append(out.Failures, out.Unreadable...)
	out.Unreadable = append(out.Unreadable, conflicts...)
	out.Remarks = append(out.Remarks, l.remarks()...)
	return errors.Join(l.err, tabulate(r.Out, out))
}

// stillListed returns the studies that studies.csv lists as failed or not done and that are neither in the outcome
// nor among the results. It omits rows without a study, such as damaged files that an earlier run found.
func (l *ledger) stillListed(out Outcome) []report.Failure {
	var listed []report.Failure
	for _, f := range l.listed {
		same := func(other report.Failure) bool { return kneeThatFailed(f).Same(kneeThatFailed(other)) }
		if f.Study == "" || out.holds(f) || slices.ContainsFunc(out.Failures, same) ||
			slices.ContainsFunc(out.NotDone, same) {
			continue
		}
		listed = append(listed, f)
	}
	return listed
}

// holds reports whether the outcome has a result of the knee that failed.
func (o Outcome) holds(f report.Failure) bool {
	same := func(r report.Result) bool { return kneeThatFailed(f).Same(kneeOf(r)) }
	return f.Study != "" && (slices.ContainsFunc(o.Results, same) || slices.ContainsFunc(o.Earlier, same))
}

// tabulate writes the tables. A study with an earlier result that is kept has only the row of this result, even if
// this run could not map it.
func tabulate(dir string, out *Outcome) error {
	c := report.Cohort{Version: pipeline.Version, Results: report.Sorted(slices.Concat(out.Results, out.Earlier))}
	for _, f := range slices.Concat(out.Failures, out.NotDone, out.Listed) {
		if !out.holds(f) {
			c.Failures = append(c.Failures, f)
		}
	}
	switch err := writeCohort(dir, c); {
	case outfile.Full(err):
		return hint.Errorf("free disk space, and rebuild the tables: "+tablesCommand(dir), "%w", &TablesError{err})
	case err != nil:
		return hint.Errorf("close the tables in other programs, and rebuild them: "+tablesCommand(dir), "%w",
			&TablesError{err})
	}
	return nil
}

// tablesCommand is the command that rebuilds the tables of a folder of results.
func tablesCommand(out string) string {
	if strings.ContainsFunc(out, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(`/\:._-`, r)
	}) {
		out = printable.Quoted(out)
	}
	return "t2map tables " + out
}

// TablesError says that tables, or the page, could not be written. The studies' folders are complete.
type TablesError struct{ Err error }

// Error names the files.
func (e *TablesError) Error() string { return fmt.Sprintf("tables: %v", e.Err) }

// Unwrap returns the error of the system.
func (e *TablesError) Unwrap() error { return e.Err }

// Tables rebuilds the tables of a folder of results from the result.json of its studies, as Run does at its end.
// Studies without a result that studies.csv lists as failed or not done remain listed. Only the fields Out, Wait and
// Waiting of the settings are used.
//
// It returns a *BusyError if a run writes to the folder, a *MixedError if results in it have different settings, and
// an error if the folder does not exist, holds no results, or has a studies.csv that cannot be read.
func Tables(ctx context.Context, s Settings) (Outcome, error) {
	const advice = "name the folder that --out named in t2map run"
	switch info, err := os.Stat(s.Out); {
	case errors.Is(err, os.ErrNotExist):
		return Outcome{}, hint.Errorf(advice, "results: %w", &protocol.MissingError{Path: s.Out})
	case err != nil:
		return Outcome{}, hint.Errorf(advice, "results: %w", err)
	case !info.IsDir():
		return Outcome{}, hint.Errorf(advice, "results: %s is a file, not a folder", s.Out)
	case !holdsResults(s.Out): // write nothing to it, not even the lock
		return Outcome{}, hint.Errorf(advice, "%s holds no results", filepath.Base(s.Out))
	}
	lock, l, err := s.open(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer lock.release()
	if err := l.checkAlike(); err != nil {
		return Outcome{}, err
	}
	lock.unfinished = true
	r := session{Settings: s, ledger: l}
	out := &r.out
	for _, f := range l.listed {
		// Failures outside of studies remain listed, too. A result that cannot be read has a folder, and is found
		// again if it still exists.
		if f.Study == "" && f.Folder == "" {
			out.Failures = append(out.Failures, f)
		}
	}
	err = r.writeTables()
	lock.unfinished = err != nil
	for _, f := range out.Listed {
		if f.NotDone {
			out.NotDone = append(out.NotDone, f)
		} else {
			out.Failures = append(out.Failures, f)
		}
	}
	out.Listed = nil
	return r.out, err
}

// holdsResults reports whether the folder has a table or the result of a study.
func holdsResults(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "studies.csv")); err == nil {
		return true
	}
	errFound := errors.New("found")
	err := eachResult(dir, func(string, error) error { return errFound })
	return errors.Is(err, errFound)
}

// open locks the output folder, removes the unfinished files of a killed run and reads the results.
func (s Settings) open(ctx context.Context) (*lock, *ledger, error) {
	if s.DryRun {
		l, err := s.look()
		return nil, l, err
	}
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

// look reads the results for a run that writes nothing. A folder that does not exist has none.
func (s Settings) look() (*ledger, error) {
	if _, err := os.Stat(s.Out); errors.Is(err, os.ErrNotExist) {
		return &ledger{out: s.Out, byStudy: map[string][]report.Result{}, names: intake.Earlier{}}, nil
	}
	var busy *BusyError
	if err := CheckIdle(s.Out); errors.As(err, &busy) {
		return nil, err
	}
	return readLedger(s.Out)
}

// listedFailures reads the studies that an earlier table lists without a result. A missing table is not an error.
// A spreadsheet program may have saved the table in another form: with semicolons or tabs, or in UTF-16.
func listedFailures(path string) ([]report.Failure, error) {
	source := table.Source{Name: filepath.Base(path), MadeBy: "t2map run"}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		defer f.Close()
		err = source.Load(f)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", source.Name, outfile.Bare(err))
	} else {
		for _, separator := range []rune{',', ';', '\t'} {
			source.Format.Separator = separator
			failures, tableErr := failuresIn(source)
			if tableErr == nil {
				return failures, nil
			}
			err = cmp.Or(err, tableErr) // the first error is that of the form in which t2map writes the table
		}
	}
	return nil, hint.Errorf("restore studies.csv as t2map wrote it, or remove it: then the studies that it lists as "+
		"failed or not done are no longer listed", "output folder: %w", err)
}

// failuresIn reads the studies that a table lists without a result.
func failuresIn(source table.Source) ([]report.Failure, error) {
	t, err := table.Read(source)
	if err != nil {
		return nil, err
	}
	failures, err := report.FailuresOf(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source.Name, err)
	}
	return failures, nil
}
