package report

import (
	"math"
	"path/filepath"

	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/table"
)

// timingTable holds the time that each study took. Unlike other tables it differs between runs.
const timingTable = "timing.csv"

// Timing is the time and the memory that a result took.
type Timing struct {
	Subject, Visit, Study, Series string
	// Folder is that of the result below the folder of results.
	Folder string
	// Seconds is the time from the start of the study to its end, and PeakBytes the most memory that the process had
	// held until then. They are 0 if they are not known.
	Seconds   float64
	PeakBytes int64
}

var timingColumns = []table.Column[Timing]{
	table.Text("subject", "Subject", table.FromImages, func(t Timing) string { return t.Subject }),
	table.Text("visit", "Visit", table.FromImages, func(t Timing) string { return t.Visit }),
	table.Text("study", "Hash of the StudyInstanceUID", table.FromImages, func(t Timing) string { return t.Study }),
	table.Text("series", "Hash of the SeriesInstanceUID", table.FromImages, func(t Timing) string { return t.Series }),
	table.Text("folder", "Folder of the result", table.Derived, func(t Timing) string { return t.Folder }),
	table.Number("seconds", "Time from the start of the study to its end", func(t Timing) float64 {
		if t.Seconds == 0 {
			return math.NaN()
		}
		return t.Seconds
	}).WithUnit("s"),
	table.Count("peak_bytes", "Most memory that the process had held until then", func(t Timing) int {
		return knownBytes(t.PeakBytes)
	}).WithUnit("bytes"),
}

// WriteTimes writes timing.csv into the folder dir.
func WriteTimes(dir string, times []Timing) error {
	return outfile.Replace(filepath.Join(dir, timingTable), table.Write(timingColumns, times))
}
