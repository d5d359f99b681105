package batch

import (
	"errors"
	"fmt"
	"iter"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/report"
)

// timing makes the rows of timing.csv: for each result that is in the tables, the last event of the record about it.
type timing struct {
	out    string
	events map[string]timedEvent // by folder
	rows   []report.Timing
	ended  bool // rows has all results
}

// timedEvent is the part of an event that is needed: about 100 bytes for each result.
type timedEvent struct {
	study, series string
	seconds       float64
	peak          int64
}

// readTiming reads the record of a folder of results line by line. Lines that are not as they were written are
// passed over: Verify reports them. The timing is valid even if there is an error.
func readTiming(out string) (*timing, error) {
	t := &timing{out: out, events: map[string]timedEvent{}}
	_, _, err := audit.Read(out, func(e audit.Event) {
		if e.Kind == audit.StudyDone {
			t.events[e.Folder] = timedEvent{e.Study, e.Series, e.Seconds, e.PeakBytes}
		}
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", audit.File, err)
	}
	return t, err
}

// note yields the results, and notes a row for each.
func (t *timing) note(results iter.Seq2[report.Result, error]) iter.Seq2[report.Result, error] {
	return func(yield func(report.Result, error) bool) {
		t.rows, t.ended = nil, false
		for r, err := range results {
			if err != nil {
				yield(r, err)
				return
			}
			t.rows = append(t.rows, t.row(r))
			if !yield(r, nil) {
				return
			}
		}
		t.ended = true
	}
}

// row returns the row of a result. Its numbers are 0 if the record has no event of the result in its folder.
func (t *timing) row(r report.Result) report.Timing {
	row := report.Timing{Subject: r.Subject, Visit: r.Visit, Study: r.Study, Series: r.Series,
		Folder: files.Below(t.out, r.Dir)}
	if e, ok := t.events[row.Folder]; ok && e.study == r.Study && e.series == r.Series {
		row.Seconds, row.PeakBytes = e.seconds, e.peak
	}
	return row
}

// writeCohort writes all tables of a folder of results. If one cannot be written, the others still are.
func writeCohort(dir string, c report.Cohort) error {
	t, recordErr := readTiming(dir)
	c.Results = t.note(c.Results)
	err := errors.Join(report.WriteTables(dir, c), recordErr)
	if !t.ended || recordErr != nil {
		return err
	}
	return errors.Join(err, report.WriteTimes(dir, t.rows))
}
