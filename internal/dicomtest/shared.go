package dicomtest

import (
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/volume"
)

// SOP classes (PS3.4 B.5).
const (
	enhancedMRImageStorage      = "1.2.840.10008.5.1.4.1.1.4.1"
	legacyConvertedMRStorage    = "1.2.840.10008.5.1.4.1.1.4.4"
	segmentationStorage         = "1.2.840.10008.5.1.4.1.1.66.4"
	labelMapSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.7"
	structureSetStorage         = "1.2.840.10008.5.1.4.1.1.481.3"
	// detachedStudyManagement is retired; RT Referenced Study refers to it.
	detachedStudyManagement = "1.2.840.10008.3.1.2.3.1"
)

// Date and time where an attribute must have a value: no writer reads the clock, so that
// the same object gives the same bytes, and nobody can take this date for that of a visit.
const (
	noDate     = "19000101"
	noTime     = "000000"
	noDateTime = noDate + noTime
)

// normal returns the direction from slice to slice, row × column.
func normal(g dicomwrite.Grid) [3]float64 {
	r, c := g.Orientation[:3], g.Orientation[3:]
	return [3]float64{r[1]*c[2] - r[2]*c[1], r[2]*c[0] - r[0]*c[2], r[0]*c[1] - r[1]*c[0]}
}

// normalCoordinate returns the coordinate of a position along the normal in mm.
func normalCoordinate(g dicomwrite.Grid, position [3]float64) float64 {
	n := normal(g)
	return position[0]*n[0] + position[1]*n[1] + position[2]*n[2]
}

// concept lists the code in the item of a code sequence.
func concept(c volume.Code) func(*dicomwrite.List) {
	return func(l *dicomwrite.List) {
		l.Text(tag.CodeValue, c.Value)
		l.Text(tag.CodingSchemeDesignator, c.Scheme)
		l.Text(tag.CodeMeaning, c.Meaning)
	}
}
