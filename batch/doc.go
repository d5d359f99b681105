// Package batch takes studies through the pipeline: Process one, Run many,
// Inspect to see what Run would do. It says which subject and visit a study is,
// which of its series is meant and which file is its mask, and joins the stages;
// what the stages compute is theirs.
//
// A study that cannot be processed correctly fails with a reason and leaves
// nothing behind; the others go on.
package batch
