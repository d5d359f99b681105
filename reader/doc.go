// Package reader is the web server on which readers look at the studies of a trial, draw and correct masks, and sign
// them.
//
// Every number on the page comes from here: from the fit and the summaries that make the tables of a run (packages
// pipeline, t2fit and segment). Package tools decides which voxels a tool changes. The page shows bytes that it
// fetches, sends what the reader does with the mouse, and paints the voxels that the answer names. Package gate decides
// who may use the server; package reads keeps what is drawn and signed.
//
// A reader sees nothing of another reader: cases, drafts, starts and values are those of the user of the request. If
// reads are blinded, nothing that leaves the server has a subject, a visit, a path or a hash of a UID; a study is named by
// its code.
package reader
