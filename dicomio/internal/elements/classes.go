package elements

// SOP classes (PS3.4 B.5).
const (
	MRImageStorage              = "1.2.840.10008.5.1.4.1.1.4"
	EnhancedMRImageStorage      = "1.2.840.10008.5.1.4.1.1.4.1"
	LegacyConvertedMRStorage    = "1.2.840.10008.5.1.4.1.1.4.4"
	SegmentationStorage         = "1.2.840.10008.5.1.4.1.1.66.4"
	LabelMapSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.7"
	RTStructureSetStorage       = "1.2.840.10008.5.1.4.1.1.481.3"
)
