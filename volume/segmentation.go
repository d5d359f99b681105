package volume

// Segmentation is a set of named structures on a grid, as in objects of DICOM and 3D Slicer.
// Structures may overlap, and a voxel may be in none.
type Segmentation struct {
	Geometry
	// Segments are the declared structures, including those without voxels. Each number occurs
	// once.
	Segments []Segment
	// Threshold is the least fraction at which a voxel counts as part of a segment; 0 if the object
	// is binary.
	Threshold float64
}

// Segment is one structure of a Segmentation, with the description by its writer.
type Segment struct {
	// Number identifies a segment in its object: SegmentNumber (0062,0004) or ROINumber
	// (3006,0022). Label is SegmentLabel (0062,0005) or ROIName (3006,0026), free text that may be
	// empty. Unnumbered reports that the writer gave the segment no number of its own, so that
	// Number is only its position.
	Number     int
	Unnumbered bool
	Label      string
	// Type is the kind of structure, such as cartilage, and Regions the part of the body:
	// SegmentedPropertyTypeCodeSequence (0062,000F) and AnatomicRegionSequence (0008,2218).
	// Modifiers are the modifiers of both. They are empty if the object does not have them.
	Type               Code
	Regions, Modifiers []Code
	// Voxels are the indices of its voxels, in ascending order, each once.
	Voxels []uint32
	// Frame identifies the frame of reference of the segment; "" if it is not stated. Segments of
	// different frames are not on one grid.
	Frame string
	// Problem is the reason why the contours cannot be converted to voxels of the grid, or nil. It
	// names neither file nor segment. Voxels is then empty although the segment is not.
	Problem error
}

// Code is a coded concept (PS3.3 8.8): a value, its coding scheme, such as SCT, and its meaning in
// words, which is only for people.
type Code struct{ Value, Scheme, Meaning string }
