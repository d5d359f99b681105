// Package pipeline takes one study from its files to its results.
//
// A Job is a study whose questions are answered: who it is, which series is mapped, which file is its mask and
// where its results go. Package intake makes jobs from studies that dicomio.Find has found. Process reads the
// series and the mask, divides the mask, fits T2, summarizes it and writes the study's folder; Examine says what
// Process would do with the mask, without reading images.
package pipeline
