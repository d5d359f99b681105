// Package mirror keeps a folder of results in a bucket.
//
// A run works in a local folder, the mirror. At its start the mirror gets what a run reads of earlier results:
// result.json, previews, tables, the audit record and hidden state. The other files of a study are markers there: empty
// files of the right size. Each new study is stored when it is complete, its result.json last. A study in the bucket is
// therefore complete, or has no result.json and does not count. Tables and record follow at the end.
//
// A lock object keeps two runs from writing to the same place. Its holder refreshes it; one that is not refreshed any
// more is taken over.
package mirror
