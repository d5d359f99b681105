package volume

// Segmentation is a set of named structures on a grid, as DICOM and 3D Slicer keep them. They
// may overlap, and a voxel need not be in any.
type Segmentation struct {
	Geometry
	// Segments are the structures that were declared, also those without a voxel,
	// each number once.
	Segments []Segment
	// Threshold is the fraction at and above which a voxel was taken to be in a
	// segment; 0 if the object is binary.
	Threshold float64
}

// Segment is one structure of a Segmentation and what its writer said of it.
type Segment struct {
	// Number tells the segments of one object apart: SegmentNumber (0062,0004) or
	// ROINumber (3006,0022). Label is SegmentLabel (0062,0005) or ROIName
	// (3006,0026), free text, and may be empty. Unnumbered says that the writer gave it no
	// number of its own, so that Number is its place and means nothing.
	Number     int
	Unnumbered bool
	Label      string
	// Type says what kind of thing it is, such as cartilage, and Regions where in
	// the body: SegmentedPropertyTypeCodeSequence (0062,000F) and
	// AnatomicRegionSequence (0008,2218). Modifiers are those of both. They are
	// empty where the object does not say.
	Type               Code
	Regions, Modifiers []Code
	// Voxels are the indices of its voxels, increasing, each once.
	Voxels []uint32
	// Frame names the frame of reference of the segment; "" if it does not state one. Segments of
	// different frames do not lie on one grid.
	Frame string
	// Problem is the reason why the contours cannot be brought onto the grid, or nil; it names
	// neither file nor segment. Then there are no voxels, though the segment is not empty.
	Problem error
}

// Code is a coded concept (PS3.3 8.8): a value, the scheme that it is of, such as
// SCT, and its meaning in words, which is for people alone.
type Code struct{ Value, Scheme, Meaning string }
