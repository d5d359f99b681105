package report

import (
	"math"

	"github.com/t2map/t2map/table"
)

// timingTable holds the time that each study took. Unlike other tables it differs between runs.
const timingTable = "timing.csv"

// Timing is the time and the memory that a result took.
type Timing struct {
	// Seconds is the time from the start of the study to its end, and PeakBytes the most memory that the process had
	// held until then. They are 0 if they are not known.
	Seconds   float64
	PeakBytes int64
}

// timingRow is a row of timing.csv.
type timingRow struct {
	Timing
	result *Result
	folder string
}

var timingColumns = []table.Column[timingRow]{
	table.Text("subject", "Subject", table.FromImages, func(t timingRow) string { return t.result.Subject }),
	table.Text("visit", "Visit", table.FromImages, func(t timingRow) string { return t.result.Visit }),
	table.Text("study", "Hash of the StudyInstanceUID", table.FromImages, func(t timingRow) string { return t.result.Study }),
	table.Text("series", "Hash of the SeriesInstanceUID", table.FromImages,
		func(t timingRow) string { return t.result.Series }),
	table.Text("folder", "Folder of the result", table.Derived, func(t timingRow) string { return t.folder }),
	table.Number("seconds", "Time from the start of the study to its end", func(t timingRow) float64 {
		if t.Seconds == 0 {
			return math.NaN()
		}
		return t.Seconds
	}).WithUnit("s"),
	table.Count("peak_bytes", "Most memory that the process had held until then", func(t timingRow) int {
		return knownBytes(t.PeakBytes)
	}).WithUnit("bytes"),
}
