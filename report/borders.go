package report

// Division is how the tissues of a mask became compartments, regions and layers.
type Division struct {
	// Sides are the sources that name the side of the knee, those of the anatomy among them.
	// They agree.
	Sides []SideSource `json:"side_sources"`
	// AxesBy is what the axes of the knee were found from: plateau, menisci, femur or
	// patient; "" where none were needed.
	AxesBy string `json:"axes_by,omitempty"`
	// NotchMM is the anterior end of the intercondylar notch in mm LPS, in the space of the
	// mask; CentralMM and EndMM are the distances behind it of the border between the central
	// and the posterior part of the condyles, and of the posterior end of the cartilage.
	// They are absent where the femoral cartilage was not divided.
	NotchMM   *[3]float64 `json:"notch_mm,omitempty"`
	CentralMM float64     `json:"central_mm,omitempty"`
	EndMM     float64     `json:"end_mm,omitempty"`
	// Regions are the regions on the mask's own grid, in the order of tables.
	Regions []RegionSize `json:"regions"`
	// Layers is the number of layers from bone to joint, 0 for none.
	Layers int `json:"layers"`
	// ErodedVoxels is the number of voxels of the mask that erosion removed.
	ErodedVoxels int `json:"eroded_voxels"`
	// Omitted are the pieces of the mask that lie apart from their tissue and are in no row.
	Omitted []OmittedPiece `json:"omitted_pieces,omitempty"`
}

// OmittedPiece is a piece of a tissue that lies apart, or the small ones of a tissue together.
type OmittedPiece struct {
	Tissue string `json:"tissue"`
	Pieces int    `json:"pieces"`
	// Small says that each has less than 2 % of the voxels of its plates.
	Small  bool `json:"small"`
	Voxels int  `json:"voxels"`
	// DistanceMM is how far the nearest of them lies from the main body of its tissue.
	DistanceMM float64 `json:"distance_mm"`
}

// SideSource is what a source says of the side of the knee.
type SideSource struct {
	Source string `json:"source"`
	Side   string `json:"side"` // left or right
}

// RegionSize is a region on the grid of the mask.
type RegionSize struct {
	Region    string  `json:"region"`
	Voxels    int     `json:"voxels"`
	VolumeMM3 float64 `json:"volume_mm3"`
	// InView is the part of the volume that lies in the field of view of the series.
	InView float64 `json:"in_view"` // 1 where the mask lies on that grid
}
