package pipeline

import (
	"cmp"
	"context"
	"errors"
	"math"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/resample"
)

// Hints for masks.
const (
	HintOneMask = "put one mask into the study's folder, or name it with --mask or in a manifest"
	HintForeign = "use the mask that was drawn on this series, or, if the two share their grid, add " +
		"--allow-foreign-mask"
	HintExport = "export a label map in NIfTI (.nii.gz), NRRD or MetaImage on the grid of the series; in 3D Slicer: " +
		"Segmentations, Export to files, file format NIfTI, with the series as reference volume"
	// hintElsewhere is for a mask that does not lie where the series does.
	hintElsewhere = "t2map inspect shows both grids: the mask may belong to another knee or visit, or may have lost " +
		"its position when it was converted"
	hintAgain = "copy or export the mask again"
)

// hintFault holds the hint for each kind of fault in the file of a label map.
var hintFault = map[samples.Fault]string{
	samples.FaultFormat:  "save the mask again, as one NIfTI-1 file, .nii or .nii.gz, as NRRD or as MetaImage",
	samples.FaultVersion: "save the mask as NIfTI-1; with nibabel: Nifti1Image.from_image(image)",
	samples.FaultPair:    "save the mask as one .nii or .nii.gz file instead of a .hdr and an .img",
	samples.FaultDatatype: "save the mask as whole numbers, one label for each voxel, instead of colours or " +
		"complex values",
	samples.FaultFrames: "a label map is 3-D: join the frames into one that holds a number for each compartment, " +
		"and 0 outside",
	samples.FaultPlace: "save the mask with its position in the patient (in NIfTI the sform or qform of the series, " +
		"in NRRD space directions and space origin, in MetaImage TransformMatrix, Offset and ElementSpacing): " +
		"without it nobody knows where its voxels lie. Draw it on a file that was converted from the DICOM series, " +
		"or export it as a DICOM segmentation",
	samples.FaultAffine: "save the mask again with the position of the series (in NIfTI the sform or qform of the " +
		"series)",
	samples.FaultForms: "find out which of the two is right and set the code of the other to 0; with nibabel: " +
		"image.set_qform(None, code=0) keeps the sform",
	samples.FaultLength:   "copy the mask again: the length of the file does not match its header",
	samples.FaultPacked:   "copy the mask again: its compression is damaged",
	samples.FaultEncoding: "save the mask raw or in gzip",
	samples.FaultDataFile: "copy the header and its data file into one folder, and let the header name it without a " +
		"folder; or save the mask as one file, .nrrd, .mha or .nii.gz",
	samples.FaultSegments: "save the segmentation again, or export it as a label map",
	samples.FaultNegative: "save the mask with labels of 0 and above; signed storage of another program may have " +
		"been read as unsigned or scaled",
	samples.FaultFraction: "save the label map as it was drawn: one that was resampled or smoothed needs " +
		"nearest-neighbour interpolation",
	samples.FaultNaN:   "save the mask with 0 instead of NaN in the background",
	samples.FaultRange: "save the mask with labels up to 65535, and check that the file is not an image",
}

// HintMask adds a hint to an error of a mask, unless it has one or says that the run was ended.
func HintMask(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		hint.Find(err) != "" {
		return err
	}
	return hint.Errorf(cmp.Or(maskHint(err), hintAgain), "%w", err)
}

// maskHint is the hint for an error of that kind, or "".
func maskHint(err error) string {
	var grid *segment.GridError
	var format *FormatError
	var foreign *dicomio.ForeignError
	switch {
	case errors.As(err, new(*resample.OutsideError)):
		return hintElsewhere
	case errors.As(err, new(*coverError)):
		return hintElsewhere + ". If the series shows only a part of the joint, map only the tissues in it: mark the " +
			"others as `ignore` in a scheme file"
	case errors.As(err, &format):
		return HintExport
	case errors.As(err, &foreign):
		return HintForeign
	case errors.As(err, &grid):
		if math.IsNaN(grid.Distance) {
			return "draw the mask on this series, or resample it to the series' grid by nearest neighbour; t2map " +
				"inspect shows the matrix"
		}
		return "the mask must lie on the voxels of this series; see t2map inspect. It may belong to another visit, " +
			"or may have lost its position when it was converted"
	case samples.FaultOf(err) != samples.FaultNone:
		return hintFault[samples.FaultOf(err)]
	case errors.Is(err, dicomio.ErrUnsupported):
		return "export the mask as a binary DICOM segmentation, a structure set of closed planar contours or a label " +
			"map in NIfTI, NRRD or MetaImage"
	case errors.Is(err, dicomio.ErrInvalid):
		return "export the mask again from the images of this series, as a DICOM segmentation or a label map in " +
			"NIfTI, NRRD or MetaImage"
	}
	return ""
}

// hintDivide is the hint for an error of InterpretSegments.
func hintDivide(err error) string {
	var unknown *segment.UnknownSegmentsError
	var overlap *segment.OverlapError
	var frames *segment.FrameError
	switch {
	case errors.As(err, &unknown):
		return "name the segments under `segments` in a scheme file, as in `segments: {Trochlea: patellofemoral, " +
			"Bone: ignore}`"
	case errors.As(err, &overlap):
		return "a voxel belongs to one compartment: correct the mask, or map one of the segments to `ignore` in a " +
			"scheme file"
	case errors.As(err, &frames):
		return "map the structures of all frames of reference but one to `ignore` in a scheme file"
	case hint.Find(err) != "": // the contours are not on the series
		return hint.Find(err)
	}
	return "correct the segment's label, code or number, or define it under `segments` in a scheme file"
}

// hintAnatomy is the hint for a mask that cannot be divided.
func hintAnatomy(err error) string {
	const undivided = "check the mask and the scheme, or report each tissue as a row of its own with --division none"
	var fault *anatomy.Error
	var sides *anatomy.SideError
	switch {
	case errors.As(err, &sides):
		return "find out which knee it is: correct the side in the manifest, ask the site to correct the images, or " +
			"use the mask of this knee. If the labels of medial and lateral are exchanged, use another scheme"
	case !errors.As(err, &fault):
		return undivided
	}
	switch fault.Problem {
	case anatomy.NoSide:
		return "name the side of the knee in the manifest (column side), or ask the site for Laterality (0020,0060)"
	case anatomy.Askew:
		return "save the mask with the position and the orientation of the series that it was drawn on, or name the " +
			"right scheme with --scheme"
	case anatomy.TwoKnees, anatomy.TwoPatellae:
		return "the mask must mark one knee only: remove the other one from it"
	case anatomy.BothSides:
		return "this label marks both sides of the knee: name another scheme with --scheme, such as ski10 for a " +
			"tibia in one label, or a scheme of your own with tibial-cartilage, femoral-cartilage or menisci, " +
			"which are divided by their shape"
	case anatomy.CutOff:
		return "mark the whole of the cartilage, or " + undivided
	}
	return undivided
}
