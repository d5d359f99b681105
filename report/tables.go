package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/table/parquet"
)

// The tables of a cohort, in the folder of results, as CSV and as Parquet.
const (
	compartmentsTable   = "compartments.csv"
	studiesTable        = "studies.csv"
	compartmentsParquet = "compartments.parquet"
	studiesParquet      = "studies.parquet"
	qcParquet           = "qc.parquet"
)

// Failure is a study without a result.
type Failure struct {
	Subject string `json:"subject"`
	Visit   string `json:"visit"`
	// Study is the hash of the StudyInstanceUID, if it is known. Series and Side describe the
	// knee to be mapped, as in Result, if it had been determined.
	Study  string `json:"study"`
	Series string `json:"series"`
	Side   string `json:"side"`
	// Folder is the part of the study's path that may be shown.
	Folder string `json:"folder"`
	// Reason says what is wrong. Hint, if not empty, says what can be done.
	Reason string `json:"reason"`
	Hint   string `json:"hint"`
	// SharedFolder says that other studies of the run are in the same Folder, so that only Study
	// identifies the study.
	SharedFolder bool `json:"-"`
	// NotDone says that nothing is wrong with the study: the run ended first.
	NotDone bool `json:"not_done,omitempty"`
}

// status returns the word for the column status.
func (f Failure) status() string {
	if f.NotDone {
		return statusNotDone
	}
	return statusFailed
}

// The values of the column status in studies.csv.
const (
	statusDone    = "done"
	statusFailed  = "failed"
	statusNotDone = "not done"
)

// Cohort holds all studies of a run, done, failed and not done, in any order.
type Cohort struct {
	// Version is the version of t2map that writes the tables.
	Version  string
	Results  []Result
	Failures []Failure
}

// WriteTables writes compartments.csv, studies.csv, qc.csv, the same tables as Parquet, and index.html with the
// folder page into the folder dir, which must exist. Rows are in the order of subject, visit, study and series,
// whatever the order in c.
//
// A file is replaced as a whole, so that a reader sees the old or the new one. This is not possible on
// Windows: there a crash may leave part of a table, which can be written again from every result.json.
//
// If a file cannot be written, the others still are. The error joins those of all files and names each
// file. A picture that cannot be read is not an error; the page says so when it shows it.
//
// An apostrophe precedes the text of cells that a spreadsheet would run as a formula.
func WriteTables(dir string, c Cohort) error {
	c = c.sorted()
	compartments, studies, qc := c.compartmentRows(), c.studyRows(dir), c.qcRows(findBaselines(c.Results))
	return errors.Join(
		outfile.Replace(filepath.Join(dir, compartmentsTable), table.Write(compartmentColumns, compartments)),
		outfile.Replace(filepath.Join(dir, studiesTable), table.Write(studyColumns, studies)),
		outfile.Replace(filepath.Join(dir, qcTable), table.Write(qcColumns, qc)),
		writeParquet(filepath.Join(dir, compartmentsParquet), compartmentColumns, slices.Values(compartments)),
		writeParquet(filepath.Join(dir, studiesParquet), studyColumns, slices.Values(studies)),
		writeParquet(filepath.Join(dir, qcParquet), qcColumns, slices.Values(qc)),
		c.writePage(dir))
}

// writePage writes the page of a sorted cohort.
func (c Cohort) writePage(dir string) error {
	page := newPageWriter(dir, c.Version)
	for _, r := range c.Results {
		_ = page.add(r) // finish returns the error
	}
	return page.finish(c.Failures)
}

// writeParquet writes the Parquet file of a table in bounded memory.
func writeParquet[R any](path string, columns []table.Column[R], rows iter.Seq[R]) error {
	return outfile.Stream(path, func(w io.Writer) error { return parquet.Write(w, columns, rows) })
}

// sorted returns a copy with results and failures in the order of tables.
func (c Cohort) sorted() Cohort {
	c.Results = slices.Clone(c.Results)
	slices.SortStableFunc(c.Results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Visit, b.Visit),
			cmp.Compare(a.Study, b.Study), cmp.Compare(a.Series, b.Series))
	})
	c.Failures = slices.Clone(c.Failures)
	slices.SortStableFunc(c.Failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Visit, b.Visit),
			cmp.Compare(a.Study, b.Study), cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Reason, b.Reason))
	})
	return c
}

// compartmentRows returns a row for each compartment of each study, followed by those of
// its regions and layers.
func (c Cohort) compartmentRows() []compartmentRow {
	var rows []compartmentRow
	for _, r := range c.Results {
		for _, s := range r.Compartments {
			rows = append(rows, compartmentRow{s, r.decayOf(s.Compartment), r})
			for _, part := range r.Regions {
				if part.Compartment == s.Compartment {
					rows = append(rows, compartmentRow{part, noDecay(), r})
				}
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

// studyRows returns the finished studies, with their folders relative to dir, followed by the failures.
func (c Cohort) studyRows(dir string) []studyRow {
	var rows []studyRow
	for _, r := range c.Results {
		rows = append(rows, studyRow{
			Failure: Failure{Subject: r.Subject, Visit: r.Visit, Study: r.Study, Series: r.Series, Side: r.Side,
				Folder: r.folder(dir)},
			status: statusDone, version: r.Version, result: &r,
		})
	}
	for _, f := range c.Failures {
		rows = append(rows, studyRow{Failure: f, status: f.status(), version: c.Version})
	}
	return rows
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

// FailuresOf returns the studies that studies.csv lists as failed or not done. A missing column is an error.
func FailuresOf(t *table.Table) ([]Failure, error) {
	for _, name := range []string{"subject", "visit", "study", "series", "side", "folder", "status", "reason", "hint"} {
		if !t.Has(name) {
			return nil, fmt.Errorf("it has no column %s", name)
		}
	}
	var failures []Failure
	for _, r := range t.Rows {
		switch status := r.Text("status"); status {
		case statusFailed, statusNotDone:
			failures = append(failures, Failure{
				Subject: r.Text("subject"), Visit: r.Text("visit"), Study: r.Text("study"), Series: r.Text("series"),
				Side: r.Text("side"), Folder: r.Text("folder"), Reason: r.Text("reason"), Hint: r.Text("hint"),
				NotDone: status == statusNotDone,
			})
		}
	}
	return failures, nil
}
