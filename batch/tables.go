package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/internal/parallel"
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
	sound := l.results()
	out.Earlier = max(0, len(sound.rows)-out.Mapped)
	r.noteKept()
	complete := map[string]bool{}
	for e := range sound.entries() {
		complete[e.Folder] = true
	}
	conflicts := l.contradictions()
	out.Failures = append(out.Failures, conflicts...)
	out.Listed = l.stillListed(*out)
	named := map[string]bool{} // folders of studies that are listed with another reason
	for _, f := range slices.Concat(out.Failures, out.Listed) {
		if f.Study != "" && f.Subject != "" {
			named[resultFolder(f.Subject, f.Visit)] = true
		}
	}
	for _, f := range l.broken {
		if !complete[f.Folder] && !named[f.Folder] {
			out.Unreadable = append(out.Unreadable, f)
		}
	}
	out.Failures = append(out.Failures, out.Unreadable...)
	out.Unreadable = append(out.Unreadable, conflicts...)
	out.Remarks = append(out.Remarks, l.remarks()...)
	return errors.Join(l.err, r.tabulate(sound))
}

// stillListed returns the studies that studies.csv lists as failed or not done and that are neither in the outcome
// nor among the results. It omits rows without a study, such as damaged files that an earlier run found.
func (l *ledger) stillListed(out Outcome) []report.Failure {
	now := map[string][]intake.Knee{} // by study
	for _, f := range slices.Concat(out.Failures, out.NotDone) {
		now[f.Study] = append(now[f.Study], kneeThatFailed(f))
	}
	var listed []report.Failure
	for _, f := range l.listed {
		if f.Study != "" && !l.holds(kneeThatFailed(f)) && !slices.ContainsFunc(now[f.Study], kneeThatFailed(f).Same) {
			listed = append(listed, f)
		}
	}
	return listed
}

// tabulate writes the tables of the sound results. A study with an earlier result that is kept has only the row of
// this result, even if this run could not map it.
func (r *session) tabulate(sound listing) error {
	c := report.Cohort{Version: pipeline.Version}
	for _, f := range slices.Concat(r.out.Failures, r.out.NotDone, r.out.Listed) {
		if f.Study == "" || !r.ledger.holds(kneeThatFailed(f)) {
			c.Failures = append(c.Failures, f)
		}
	}
	r.collector.holdLines(len(sound.rows))
	sum := tableSum(c.Version, sound, c.Failures)
	if r.out.Mapped == 0 && r.intake != nil && r.tablesStand(sum) { // Tables and Merge write them in any case
		return nil
	}
	c.Results = inTableOrder(sound)
	err := writeCohort(r.Out, c)
	if err == nil {
		err = r.record.tables()
	}
	if err == nil { // not before the record, which would not get them any more
		err = r.writeTableState(sum, c.Failures)
	}
	switch {
	case outfile.Full(err):
		return hint.Errorf("free disk space, and rebuild the tables: "+tablesCommand(r.Out), "%w", &TablesError{err})
	case err != nil:
		return hint.Errorf("close the tables in other programs, and rebuild them: "+tablesCommand(r.Out), "%w",
			&TablesError{err})
	}
	return nil
}

// readAhead is the number of results that are read at a time.
const readAhead = 16

// inTableOrder sorts the listing in the order of tables: by subject, visit, study and series. It reads the results.
func inTableOrder(all listing) iter.Seq2[report.Result, error] {
	all.sort(func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Visit, b.Visit),
			cmp.Compare(a.Study, b.Study), cmp.Compare(a.Series, b.Series), byFolder(a, b))
	})
	return func(yield func(report.Result, error) bool) {
		for part := range slices.Chunk(all.rows, readAhead) {
			results, errs := make([]report.Result, len(part)), make([]error, len(part))
			_ = parallel.Each(context.Background(), len(part), 0, func(n int) error {
				results[n], errs[n] = all.shelf.unpack(part[n].study, part[n].packed).result()
				return nil
			})
			for n, r := range results {
				r.Inputs = nil // tables do not need them
				if !yield(r, errs[n]) {
					return
				}
			}
		}
	}
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
	collector := tightenCollector()
	defer collector.restore()
	if err := checkResults(s.Out); err != nil {
		return Outcome{}, err
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
	r := session{Settings: s, ledger: l, collector: collector}
	if r.record, err = s.openRecord(); err != nil {
		return Outcome{}, err
	}
	defer r.record.log.Close() // each event is synced
	out := &r.out
	for _, f := range l.listed {
		// Failures outside of studies remain listed, too. A result that cannot be read has a folder, and is found
		// again if it still exists.
		if f.Study == "" && f.Folder == "" {
			out.Failures = append(out.Failures, f)
		}
	}
	err = errors.Join(r.writeTables(), r.writeEntries())
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

// checkResults returns an error if the folder does not exist or holds no results. Nothing is written to such a folder,
// not even the lock.
func checkResults(out string) error {
	const advice = "name the folder that --out named in t2map run"
	switch info, err := os.Stat(out); {
	case errors.Is(err, os.ErrNotExist):
		return hint.Errorf(advice, "results: %w", &protocol.MissingError{Path: out})
	case err != nil:
		return hint.Errorf(advice, "results: %w", err)
	case !info.IsDir():
		return hint.Errorf(advice, "results: %s is a file, not a folder", out)
	case !holdsResults(out):
		return hint.Errorf(advice, "%s holds no results", filepath.Base(out))
	}
	return nil
}

// holdsResults reports whether the folder has a table or the result of a study.
func holdsResults(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, studiesTable)); err == nil {
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
	if lock.held() && s.Shard.whole() { // other shards may be writing
		report.Sweep(s.Out)
		s.sweepState()
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
		return newLedger(s.Out), nil
	}
	var busy *BusyError
	if err := CheckIdle(s.Out); errors.As(err, &busy) {
		return nil, err
	}
	return readLedger(s.Out)
}

// studiesTable is the table with all studies.
const studiesTable = "studies.csv"

// listedFailures returns the studies that an earlier table lists without a result. A missing table is not an error.
// A spreadsheet program may have saved the table in another form: with semicolons or tabs, or in UTF-16.
func listedFailures(out string) ([]report.Failure, error) {
	if failures, known := knownFailures(out); known {
		return failures, nil
	}
	source := table.Source{Name: studiesTable, MadeBy: "t2map run"}
	f, err := os.Open(filepath.Join(out, studiesTable))
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
