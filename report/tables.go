package report

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/table"
)

// The tables of a cohort, in the folder of results, as CSV and as Parquet.
const (
	compartmentsTable   = "compartments.csv"
	studiesTable        = "studies.csv"
	compartmentsParquet = "compartments.parquet"
	studiesParquet      = "studies.parquet"
	qcParquet           = "qc.parquet"
)

// Cohort holds all studies of a run, done, failed and not done.
type Cohort struct {
	// Version is the version of t2map that writes the tables.
	Version string
	// Results are in the order of tables: subject, visit, study, series. WriteTables ranges over them once and holds
	// those of one subject at a time; nil means that there are none. Sorted makes them from a slice.
	Results iter.Seq2[Result, error]
	// Timing returns the time of a result. If it is nil, timing.csv is not written.
	Timing func(Result) Timing
	// Failures are in any order.
	Failures []Failure
}

// WriteTables writes compartments.csv, studies.csv, qc.csv, the same tables as Parquet, and index.html with the
// folder page into the folder dir, which must exist. Rows are in the order of subject, visit, study and series. It also
// writes timing.csv if the times are known, and failures.html, or removes it if nothing failed.
//
// A file is replaced as a whole, so that a reader sees the old or the new one. An index.html or failures.html on
// Windows is an exception: there a crash may leave part of a page, which can be written again from every result.json.
//
// If c.Results yields an error, or results out of order, no file is replaced. If a file cannot be written, the others
// still are. The error joins those of all files and names each file. A picture that cannot be read is not an error;
// the page says so when it shows it.
//
// An apostrophe precedes the text of cells that a spreadsheet would run as a formula.
func WriteTables(dir string, c Cohort) error {
	failures := sortedFailures(c.Failures)
	t, page := newTables(dir, c.Timing), newPageWriter(dir, c.Version)
	for results, err := range subjects(c.Results) {
		if err != nil {
			t.abort(err)
			return page.files.finish(err)
		}
		t.add(results)
		for _, r := range results {
			_ = page.add(r) // finish returns the error
		}
	}
	for _, f := range failures {
		t.studies.write(studyRow{Failure: f, status: f.status(), version: c.Version})
	}
	return together(t.commit, func() error { return page.finish(failures) },
		func() error { return writeFailures(dir, c.Version, failures) })
}

// together calls functions at the same time, because each waits until its files are on the disk, and joins their errors
// in the order of the functions.
func together(parts ...func() error) error {
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	for n, part := range parts {
		all.Go(func() { errs[n] = part() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Sorted returns results in the order of tables.
func Sorted(results []Result) iter.Seq2[Result, error] {
	results = slices.Clone(results)
	slices.SortStableFunc(results, Result.compare)
	return func(yield func(Result, error) bool) {
		for _, r := range results {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// compare compares the places of two results in the tables.
func (r Result) compare(other Result) int {
	return cmp.Or(cmp.Compare(r.Subject, other.Subject), cmp.Compare(r.Visit, other.Visit),
		cmp.Compare(r.Study, other.Study), cmp.Compare(r.Series, other.Series))
}

// errOrder says that results do not have the order of tables, which is a mistake of the program.
var errOrder = errors.New("results are not in the order of tables")

// subjects returns the results of one subject after the other. If results are out of order, the last error is
// errOrder.
func subjects(results iter.Seq2[Result, error]) iter.Seq2[[]Result, error] {
	return func(yield func([]Result, error) bool) {
		if results == nil {
			return
		}
		var same []Result
		for r, err := range results {
			if n := len(same); err == nil && n > 0 && same[n-1].compare(r) > 0 {
				err = errOrder
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if len(same) > 0 && same[0].Subject != r.Subject {
				if !yield(same, nil) {
					return
				}
				same = nil
			}
			same = append(same, r)
		}
		if len(same) > 0 {
			yield(same, nil)
		}
	}
}

// tables are the tables while they are written.
type tables struct {
	dir          string
	compartments *tableFiles[compartmentRow]
	studies      *tableFiles[studyRow]
	qc           *tableFiles[qcRow]
	timing       *tableFile[timingRow] // nil if the times are not known
	timingOf     func(Result) Timing
}

func newTables(dir string, timing func(Result) Timing) tables {
	path := func(name string) string { return filepath.Join(dir, name) }
	t := tables{dir: dir,
		compartments: newTableFiles(path(compartmentsTable), path(compartmentsParquet), compartmentColumns),
		studies:      newTableFiles(path(studiesTable), path(studiesParquet), studyColumns),
		qc:           newTableFiles(path(qcTable), path(qcParquet), qcColumns)}
	if t.timingOf = timing; timing != nil {
		t.timing = newTableFile(path(timingTable),
			func(w io.Writer) rowWriter[timingRow] { return table.NewWriter(w, timingColumns) })
	}
	return t
}

// add writes the rows of all results of a subject.
func (t tables) add(results []Result) {
	all := findBaselines(results)
	for _, r := range results {
		for _, row := range r.compartmentRows() {
			t.compartments.write(row)
		}
		t.studies.write(r.studyRow(t.dir))
		if t.timing != nil {
			t.timing.write(timingRow{t.timingOf(r), &r, r.folder(t.dir)})
		}
		for _, row := range r.qcRows(all) {
			t.qc.write(row)
		}
	}
}

// commit replaces the files.
func (t tables) commit() error {
	files := []func() error{t.compartments.csv.commit, t.compartments.parquet.commit, t.studies.csv.commit,
		t.studies.parquet.commit, t.qc.csv.commit, t.qc.parquet.commit}
	if t.timing != nil {
		files = append(files, t.timing.commit)
	}
	return together(files...)
}

// abort leaves the files as they were.
func (t tables) abort(err error) {
	t.compartments.abort(err)
	t.studies.abort(err)
	t.qc.abort(err)
	if t.timing != nil {
		t.timing.abort(err)
	}
}

// compartmentRows returns a row for each compartment, followed by those of its regions and layers.
func (r Result) compartmentRows() []compartmentRow {
	var rows []compartmentRow
	for _, s := range r.Compartments {
		rows = append(rows, compartmentRow{s, r.decayOf(s.Compartment), r})
		for _, part := range r.Regions {
			if part.Compartment == s.Compartment {
				rows = append(rows, compartmentRow{part, noDecay(), r})
			}
		}
	}
	return rows
}

// decayOf returns the decay of a compartment, or noDecay.
func (r Result) decayOf(compartment string) Decay {
	for _, d := range r.Decays {
		if d.Compartment == compartment {
			return d
		}
	}
	return noDecay()
}

func noDecay() Decay {
	nan := number.Float(math.NaN())
	return Decay{SNRFirst: nan, SNRLast: nan}
}

// studyRow returns the row of a finished study, with its folder relative to dir.
func (r Result) studyRow(dir string) studyRow {
	return studyRow{
		Failure: Failure{Subject: r.Subject, Visit: r.Visit, Study: r.Study, Series: r.Series, Side: r.Side,
			Folder: r.folder(dir), MemoryBytes: r.MemoryBytes},
		status: statusDone, version: r.Version, result: &r,
	}
}

// voxels returns the number of voxels of all compartments, and how many of them are used.
func (r Result) voxels() (all, used int) {
	for _, s := range r.Compartments {
		all += s.Voxels
		used += s.Used
	}
	return all, used
}

// folder returns the study's folder relative to dir, with forward slashes. It is "" if the result has no
// folder, or if the folder is on another volume.
func (r Result) folder(dir string) string {
	if r.Dir == "" {
		return ""
	}
	rel, err := filepath.Rel(dir, r.Dir)
	if err != nil {
		return ""
	}
	return filepath.ToSlash(rel)
}

// millimetres formats a spacing to 0.1 µm, which hides the rounding error of the spacing of an oblique
// grid.
func millimetres(x float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(x, 'f', 4, 64), "0"), ".")
}

// roundMillimetres formats a spacing for people, with two decimals.
func roundMillimetres(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
