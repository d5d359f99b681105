package report

// Division describes how the tissues of a mask became compartments, regions and layers.
type Division struct {
	// Sides are the sources that name the side of the knee, including the anatomy. They agree.
	Sides []SideSource `json:"side_sources"`
	// AxesBy is the structure that determined the axes of the knee: plateau, menisci, femur or
	// patient. It is "" if no axes were needed.
	AxesBy string `json:"axes_by,omitempty"`
	// NotchMM is the anterior end of the intercondylar notch in mm LPS, in the space of the
	// mask. CentralMM is the distance from the notch back to the border between the central and
	// the posterior part of the condyles, and EndMM that to the posterior end of the cartilage.
	// All are absent if the femoral cartilage was not divided.
	NotchMM   *[3]float64 `json:"notch_mm,omitempty"`
	CentralMM float64     `json:"central_mm,omitempty"`
	EndMM     float64     `json:"end_mm,omitempty"`
	// Regions are the regions on the mask's own grid, in the order of tables.
	Regions []RegionSize `json:"regions"`
	// Layers is the number of layers from bone to joint; 0 if there are no layers.
	Layers int `json:"layers"`
	// ErodedVoxels is the number of voxels of the mask that erosion removed.
	ErodedVoxels int `json:"eroded_voxels"`
	// Omitted are the pieces of the mask that lie apart from their tissue and are not in any row.
	Omitted []OmittedPiece `json:"omitted_pieces,omitempty"`
}

// OmittedPiece is a separate piece of a tissue, or all small pieces of a tissue together.
type OmittedPiece struct {
	Tissue string `json:"tissue"`
	Pieces int    `json:"pieces"`
	// Small says that each has less than 2 % of the voxels of its plates.
	Small  bool `json:"small"`
	Voxels int  `json:"voxels"`
	// DistanceMM is the distance of the nearest piece from the main body of its tissue.
	DistanceMM float64 `json:"distance_mm"`
}

// SideSource is the side of the knee according to one source.
type SideSource struct {
	Source string `json:"source"`
	Side   string `json:"side"` // left or right
}

// RegionSize is a region on the grid of the mask.
type RegionSize struct {
	Region    string  `json:"region"`
	Voxels    int     `json:"voxels"`
	VolumeMM3 float64 `json:"volume_mm3"`
	// InView is the fraction of the volume in the field of view of the series. It is 1 if the
	// mask lies on the grid of the series.
	InView float64 `json:"in_view"`
}
