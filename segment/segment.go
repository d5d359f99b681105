// Package segment says what the labels of a mask mean and what a map holds
// inside them. The nouns:
//
//   - a label is the number that a reader or a segmentation wrote into a voxel;
//   - a scheme gives each label a meaning: a row of the results, such as medial, or a
//     tissue, such as femoral cartilage, which package anatomy divides;
//   - a compartment is a row of the results: medial, lateral, patellofemoral, or
//     any other name that a scheme gives;
//   - a part is the voxels of one compartment, region and layer: the finest division.
//
// Scheme.Interpret gives the labels of a mask their meanings, and refuses labels that the
// scheme does not know. Scheme.InterpretSegments does the same for the named segments of a DICOM
// mask or of 3D Slicer: it records whether label, code or number decided, and refuses
// contradictions. Marks.Divided joins the meanings with the regions and layers into Parts,
// and Marks.Whole makes a part of each row where nothing is divided. Both are on the grid of the
// mask. OnGrid brings a mask to the voxel order of the series where both have the
// same voxels, and refuses it where they differ. Parts.OnGrid returns the Regions of the series, which
// Summarize and SummarizeParts count and average. T2 is in ms, volumes in mm³,
// positions in mm LPS.
//
// It does not resample a mask, which package resample does, does not guess a scheme, and knows
// nothing of files.
package segment
