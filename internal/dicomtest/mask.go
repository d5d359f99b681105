package dicomtest

import (
	"errors"
	"io"
	"slices"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/volume"
)

// The meaning of the segments, in codes of SNOMED CT.
var (
	codeTissue    = volume.Code{Value: "85756007", Scheme: "SCT", Meaning: "Tissue"}
	codeCartilage = volume.Code{Value: "309312004", Scheme: "SCT", Meaning: "Cartilage"}
	codeKnee      = volume.Code{Value: "72696002", Scheme: "SCT", Meaning: "Knee"}
	codePatella   = volume.Code{Value: "64234005", Scheme: "SCT", Meaning: "Patella"}
	codeMedial    = volume.Code{Value: "255561001", Scheme: "SCT", Meaning: "Medial"}
	codeLateral   = volume.Code{Value: "49370004", Scheme: "SCT", Meaning: "Lateral"}
)

// compartmentPlaces has the region and side of each compartment.
var compartmentPlaces = [...][2]volume.Code{
	phantom.Medial: {codeKnee, codeMedial}, phantom.Lateral: {codeKnee, codeLateral},
	phantom.Patellofemoral: {codePatella},
}

// segmentation returns the label map as an object that refers to the images of the first
// object's series.
func (s knee) segmentation(images []object) object {
	series := s.Series()
	g := Segmentation{
		Series: series.Series, Grid: series.Grid,
		InstanceUID: s.UID("mask", images[0].self.UID), SourceSeriesUID: images[0].series,
	}
	g.SeriesUID, g.SeriesNumber = s.UID("mask series", images[0].series), len(images)+1
	g.SeriesDescription = "CARTILAGE"
	drawnOn := make([][]dicomwrite.Instance, s.Options.Slices)
	for _, o := range images {
		if o.series != images[0].series {
			continue
		}
		g.Sources = append(g.Sources, o.self)
		for slice := range drawnOn {
			if o.slice == slice || o.slice < 0 {
				drawnOn[slice] = append(drawnOn[slice], o.self)
			}
		}
	}
	for label := phantom.Medial; label <= phantom.Patellofemoral; label++ {
		place := compartmentPlaces[label]
		g.Segments = append(g.Segments, Segment{
			Number: label, Label: phantom.Compartments[label], Category: codeTissue, Property: codeCartilage,
			Region: place[0], Modifier: place[1], Algorithm: "AUTOMATIC",
		})
		for slice := range s.Options.Slices {
			f := SegmentFrame{
				Segment: label, Position: s.Labels.Position(0, 0, float64(slice)), Pixels: s.only(label, slice),
				Sources: drawnOn[slice],
			}
			if slices.Contains(f.Pixels, 1) {
				g.Frames = append(g.Frames, f)
			}
		}
	}
	return object{name: segmentationName, series: g.SeriesUID, self: g.Instance(), encode: func(w io.Writer) error {
		if len(g.Frames) == 0 {
			return errors.New("no voxel is labelled")
		}
		return WriteSegmentation(w, g)
	}}
}

// only returns 1 where a slice has the label, and 0 elsewhere.
func (s knee) only(label, slice int) []uint16 {
	n := s.Labels.SliceVoxels()
	pixels := make([]uint16, n)
	for v := range pixels {
		if int(s.Labels.Data[slice*n+v]) == label {
			pixels[v] = 1
		}
	}
	return pixels
}
