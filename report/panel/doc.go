// Package panel draws maps of a trial: a row for each subject and a column for each visit, from the
// studies' folders that report has written. Maps draws T2 over anatomy, Unrolled the femoral cartilage
// unrolled and its change.
//
// T2 is in ms, positions are in mm in the patient coordinates of DICOM (LPS), angles in degrees.
package panel
