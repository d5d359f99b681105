package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/t2map/t2map/table"
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
	// Code is the kind of Reason.
	Code Reason `json:"code"`
	// Reason says what is wrong. Hint, if not empty, says what can be done.
	Reason string `json:"reason"`
	Hint   string `json:"hint"`
	// SharedFolder says that other studies of the run are in the same Folder, so that only Study
	// identifies the study.
	SharedFolder bool `json:"-"`
	// NotDone says that nothing is wrong with the study: the run ended first.
	NotDone bool `json:"not_done,omitempty"`
	// MemoryBytes is Result.MemoryBytes, 0 if the series had not been chosen.
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
}

// sortedFailures returns failures in the order of tables.
func sortedFailures(failures []Failure) []Failure {
	failures = slices.Clone(failures)
	slices.SortStableFunc(failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Visit, b.Visit),
			cmp.Compare(a.Study, b.Study), cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Reason, b.Reason))
	})
	return failures
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
				Code: Reason(r.Text("reason_code")), NotDone: status == statusNotDone, MemoryBytes: listedMemory(r),
			}.Listed())
		}
	}
	return failures, nil
}

// Listed returns a failure that was read from a file, with a code that this version knows and a number of bytes that is
// not negative. Files of earlier versions have no code.
func (f Failure) Listed() Failure {
	if f.Code = f.Code.known(); f.NotDone {
		f.Code = ReasonNotDone
	}
	f.MemoryBytes = max(0, f.MemoryBytes)
	return f
}

// listedMemory returns the memory in a row of studies.csv, 0 if the cell is empty or not a whole number.
func listedMemory(r table.Row) int64 {
	n, err := strconv.ParseInt(r.Text("memory_bytes"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
