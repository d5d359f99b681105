// Package t2map is the documentation of a module that measures cartilage T2 in multi-echo knee MRI. The command
// is in cmd/t2map; the packages below can be used without it.
//
// # Units and shapes
//
// Times are in ms (echo time, T2, T1, TR) and lengths in mm, unless a name says otherwise. Coordinates are the
// patient coordinates of DICOM: x grows to the left, y to posterior, z to superior (LPS).
//
// An image or a map is a slice of Nx·Ny·Nz values. The voxel of column i, row j and slice k has the index i +
// Nx·(j + Ny·k). A volume.Geometry holds the size and the affine transform from (i, j, k) to mm. A
// volume.MultiEcho holds one such slice per echo time. Maps are float32, and NaN where there is no estimate;
// the status of each voxel says why.
//
// # From images to compartments
//
// A study passes through these packages, in this order:
//
//	find       dicomio.Find                    the multi-echo series of each study below a folder
//	read       dicomio.Read                    its echoes on one grid
//	mask       nifti, nrrd, metaimage, or      a label map or the segments of a DICOM mask, on their
//	           dicomio.ReadMask                own grid
//	divide     segment.Scheme,                 the meaning of labels; compartments, regions and
//	           segment/anatomy                 layers by the shape of the knee
//	resample   segment.OnGrid,                 the mask on the voxels of the series
//	           segment/resample
//	fit        t2fit.Fit                       T2, S0, R² and standard error of each voxel
//	summarise  segment.Summarize               mean T2, SD and counts of each compartment
//
// Package batch does all of this for whole folders, as the command does, and package report writes the
// results. Package trial compares the arms of a trial; trial/mmrm fits its model, and trial/power simulates
// the next trial. Package phantom makes synthetic knees of known T2, for tests and demonstrations.
//
// See docs/architecture.md for the structure of the module.
package t2map
