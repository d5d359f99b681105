// Package panel draws the maps of a trial in a panel with a row for each subject and a column for each
// visit. It reads the studies' folders that package report has written. Maps draws T2 over anatomy,
// and Unrolled the unrolled femoral cartilage and its change.
//
// T2 is in ms, positions are in mm in the patient coordinates of DICOM (LPS), angles in degrees.
package panel
