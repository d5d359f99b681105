// Package batch takes many studies through the pipeline: Run maps them into a folder of results, Inspect shows
// what Run would do, and Tables rebuilds the tables of a folder.
//
// A study that cannot be processed correctly fails with a reason and leaves no files. The run continues with the
// other studies.
package batch
