package dicomwrite

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// Structures is one RT structure set (RT Structure Set Storage, PS3.3 A.19.3)
// to be written by WriteStructures.
type Structures struct {
	// Series is that of the structure set. FrameOfReferenceUID is the one the
	// contours are in, and must be set.
	Series

	// InstanceUID must be set. Label is STRUCTURES when empty.
	InstanceUID, Label string

	// SourceSeriesUID and Sources name the images that the contours were drawn
	// on, all of one series; left out when Sources is nil.
	SourceSeriesUID string
	Sources         []Instance

	// ROIs are written in this order. There must be one at least.
	ROIs []ROI

	// Overrides replace, add or leave out attributes outside of sequences at
	// the very end.
	Overrides []Override
}

// ROI is one region of interest.
type ROI struct {
	// Number is the region's number; 0 means its place in the list, from 1.
	Number int
	// Name is what the region is called.
	Name string
	// Contours bound it, slice by slice. None is a region that was not drawn.
	Contours []Contour
}

// Contour is one line.
type Contour struct {
	// Kind is CLOSED_PLANAR when empty; POINT, OPEN_PLANAR, CLOSEDPLANAR_XOR.
	Kind string
	// Points are the corners, mm LPS; the last is joined to the first.
	Points [][3]float64
	// Image is the image it was drawn on; left out when its UID is empty.
	Image Instance
}

// WriteStructures writes the object as a DICOM file. The same object gives the
// same bytes. Errors: an unknown transfer syntax or keyword, missing UIDs, no
// regions, two of one number, a contour without points or with more than an
// element holds (some 1300), numbers that are not finite, and those of w.
func WriteStructures(w io.Writer, s Structures) error {
	enc, err := encodingOf(s.Syntax)
	if err != nil {
		return err
	}
	if err := s.fill(); err != nil {
		return err
	}
	l := attributeList{}
	series := s.Series
	series.BodyPart = "" // no attribute of this kind of series
	series.describe(&l, "RTSTRUCT", s.Instance())
	l.text(tag.PositionReferenceIndicator) // type 2, unknown
	series.describeTrialRest(&l)
	l.text(tag.OperatorsName)
	l.text(tag.StructureSetLabel, s.Label)
	l.text(tag.StructureSetDate)
	l.text(tag.StructureSetTime)
	l.text(tag.ApprovalStatus, "UNAPPROVED")
	if s.Sources != nil {
		l.sequence(tag.ReferencedFrameOfReferenceSequence, s.sources)
	}
	s.describeROIs(&l)
	return l.writeFile(w, enc, s.Overrides)
}

// Instance returns the class and UID of the object, to refer to it.
func (s *Structures) Instance() Instance {
	return Instance{Class: elements.RTStructureSetStorage, UID: s.InstanceUID}
}

// fill sets the defaults that stand on the fields, in regions of its own, and
// checks the object.
func (s *Structures) fill() error {
	if err := s.checkUIDs(s.InstanceUID); err != nil {
		return err
	}
	if s.FrameOfReferenceUID == "" {
		return fmt.Errorf("FrameOfReferenceUID %v: missing", tag.FrameOfReferenceUID)
	}
	if len(s.ROIs) == 0 {
		return errors.New("regions: got none")
	}
	s.Label = cmp.Or(s.Label, "STRUCTURES")
	rois := make([]ROI, len(s.ROIs))
	seen := map[int]bool{}
	for n, r := range s.ROIs {
		r.Number = cmp.Or(r.Number, n+1)
		if seen[r.Number] {
			return fmt.Errorf("region %d: there are two", r.Number)
		}
		seen[r.Number] = true
		for c, contour := range r.Contours {
			if len(contour.Points) == 0 {
				return fmt.Errorf("region %d: contour %d: got no points", r.Number, c+1)
			}
		}
		rois[n] = r
	}
	s.ROIs = rois
	return nil
}

// sources lists the images in the item of their frame of reference.
func (s *Structures) sources(frame *attributeList) {
	frame.text(tag.FrameOfReferenceUID, s.FrameOfReferenceUID)
	frame.sequence(tag.RTReferencedStudySequence, func(study *attributeList) {
		Instance{Class: detachedStudyManagementClass, UID: s.StudyUID}.describe(study)
		study.sequence(tag.RTReferencedSeriesSequence, func(series *attributeList) {
			series.text(tag.SeriesInstanceUID, s.SourceSeriesUID)
			series.instances(tag.ContourImageSequence, s.Sources)
		})
	})
}

// describeROIs lists names, contours and what they were seen as.
func (s *Structures) describeROIs(l *attributeList) {
	names := make([]attributeList, len(s.ROIs))
	lines := make([]attributeList, len(s.ROIs))
	seen := make([]attributeList, len(s.ROIs))
	for n, r := range s.ROIs {
		number := strconv.Itoa(r.Number)
		names[n].text(tag.ROINumber, number)
		names[n].text(tag.ReferencedFrameOfReferenceUID, s.FrameOfReferenceUID)
		names[n].text(tag.ROIName, r.Name)
		names[n].text(tag.ROIGenerationAlgorithm, "MANUAL")
		lines[n].text(tag.ReferencedROINumber, number)
		if r.Contours != nil {
			r.describeContours(&lines[n])
		}
		seen[n].text(tag.ObservationNumber, strconv.Itoa(n+1))
		seen[n].text(tag.ReferencedROINumber, number)
		seen[n].text(tag.RTROIInterpretedType)
		seen[n].text(tag.ROIInterpreter)
	}
	l.items(tag.StructureSetROISequence, names)
	l.items(tag.ROIContourSequence, lines)
	l.items(tag.RTROIObservationsSequence, seen)
}

func (r *ROI) describeContours(l *attributeList) {
	items := make([]attributeList, len(r.Contours))
	for n, c := range r.Contours {
		i := &items[n]
		if c.Image.UID != "" {
			i.instances(tag.ContourImageSequence, []Instance{c.Image})
		}
		i.text(tag.ContourGeometricType, cmp.Or(c.Kind, "CLOSED_PLANAR"))
		i.text(tag.NumberOfContourPoints, strconv.Itoa(len(c.Points)))
		data := make([]float64, 0, 3*len(c.Points))
		for _, p := range c.Points {
			data = append(data, p[:]...)
		}
		i.numbers(tag.ContourData, data...)
	}
	l.items(tag.ContourSequence, items)
}
