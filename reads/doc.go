// Package reads keeps the reads of a trial: the masks that readers have drawn and signed, their questions and their
// rejections.
//
// A read is below the folder of results, in reads/READER/STUDY-SERIES/REVISION, where study and series are the hashes of
// their UIDs. It has read.json, the mask on the grid of the series, and the strokes from which the mask can be drawn
// again. A read is complete or absent and never changes: a reader who draws again makes the next revision. While a reader
// draws, the journal of the drawing (package drawing) is beside the revisions.
//
// Every read is an event in the record of the folder (package audit). The package does not know who a reader is, and does
// not hide one reader's reads from another: that is the task of its caller.
package reads
