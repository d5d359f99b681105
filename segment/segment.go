// Package segment interprets the labels of a mask and summarises maps within them. The nouns:
//
//   - a label is the number that a reader or a segmentation wrote into a voxel;
//   - a scheme gives each label a meaning: a row of the results, such as medial, or a
//     tissue, such as femoral cartilage, which package anatomy divides;
//   - a compartment is a row of the results: medial, lateral, patellofemoral, or
//     any other name that a scheme defines;
//   - a part is the set of voxels of one compartment, region and layer: the finest division.
//
// Scheme.Interpret gives the labels of a mask their meanings, and refuses labels that the scheme does not
// know. Scheme.InterpretSegments does the same for the named segments of a DICOM mask or of 3D Slicer: it
// records whether the label, the code or the number decided, and refuses contradictions. Marks.Divided
// combines the meanings with regions and layers into Parts; Marks.Whole makes one part of each row if
// nothing is divided. Both are on the grid of the mask. OnGrid reorders a mask to the voxels of the series
// if both have the same voxels, and refuses other masks. Parts.OnGrid returns the Regions of the series,
// which Summarize and SummarizeParts count and average. T2 is in ms, volumes in mm³, positions in mm LPS.
//
// The package does not resample masks (see package resample), does not guess a scheme, and does not read
// files.
package segment
