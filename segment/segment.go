// Package segment says what the labels of a mask mean and what a map holds
// inside them. The nouns:
//
//   - a label is the number that a reader or a segmentation wrote into a voxel;
//   - a scheme says which compartment each label belongs to;
//   - a compartment is a row of the results: medial, lateral, patellofemoral, or
//     any other name that a scheme gives;
//   - a region is the voxels of one compartment in one study.
//
// A mask goes through OnGrid, which brings it to the voxel order of the series
// where both have the same voxels and refuses it where they differ; then through
// Scheme.Divide, which refuses labels the scheme does not know; then Summarize
// counts and averages. T2 is in ms, volumes in mm³, positions in mm LPS.
//
// Segments of a DICOM mask are on the grid already; Scheme.DivideSegments says what
// they mean by label, code or number and which of these decided, and refuses what
// contradicts itself.
//
// It does not resample a mask, does not guess a scheme, does not divide a label
// (femoral cartilage of a scheme that has it in one piece stays a row of its
// own) and knows nothing of files.
package segment
