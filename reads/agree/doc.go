// Package agree measures how well the reads of a trial agree: those of two readers of one study, and those of one reader
// who has read a study twice without knowing it. It compares the masks that stand (see reads.Standing) and the mean T2 in
// them, which follows the rules of segment.Summarize.
//
// The statistics are those of packages segment/agreement and trial/repeat. T2 is in ms, distances are in mm and volumes
// in mm³. Studies count as independent, even if they are visits of one subject.
//
// The package changes nothing and hides nothing: a blinded reader must not see its results.
package agree
