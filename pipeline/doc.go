// Package pipeline takes one study from its files to its results.
//
// A Job is a study with everything that was decided about it: its subject and visit, which series is mapped, which
// file is its mask and where its results go. Package intake makes jobs from the studies that dicomio.Find returns.
// Process reads the series and the mask, divides the mask, fits T2, summarizes it and writes the study's folder.
// Examine says what Process would do with the mask, without reading images.
//
// Facts that a reader of the results should know become sentences in four places only: Job.warnings and Job.notes
// list the warnings and the notes of a result, rownotes.go writes the notes on rows, and errors have hints.
package pipeline
