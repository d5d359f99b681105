// Package batch takes many studies through the pipeline: Run maps them into a folder of results, Inspect shows
// what Run would do, Tables writes the tables of a folder again.
//
// A study that cannot be processed correctly fails with a reason and leaves
// nothing behind; the others go on.
package batch
