package phantom

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

const (
	labelsName       = "labels.nii.gz"
	segmentationName = "labels.dcm"
)

// writeLabels writes a label map in a scheme as NIfTI.
func writeLabels(path string, mask volume.Labels, scheme string) error {
	labels := make([]uint8, len(mask.Data))
	for v, l := range mask.Data {
		labels[v] = uint8(l)
	}
	var file bytes.Buffer
	if err := nifti.WriteLabels(&file, mask.Geometry, labels, "t2map phantom, scheme "+scheme); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, file.Bytes(), 0o666)
}

// What the segments are, in codes of SNOMED CT.
var (
	codeTissue    = volume.Code{Value: "85756007", Scheme: "SCT", Meaning: "Tissue"}
	codeCartilage = volume.Code{Value: "309312004", Scheme: "SCT", Meaning: "Cartilage"}
	codeKnee      = volume.Code{Value: "72696002", Scheme: "SCT", Meaning: "Knee"}
	codePatella   = volume.Code{Value: "64234005", Scheme: "SCT", Meaning: "Patella"}
	codeMedial    = volume.Code{Value: "255561001", Scheme: "SCT", Meaning: "Medial"}
	codeLateral   = volume.Code{Value: "49370004", Scheme: "SCT", Meaning: "Lateral"}
)

// compartmentPlaces hold region and side of each compartment.
var compartmentPlaces = [...][2]volume.Code{
	Medial: {codeKnee, codeMedial}, Lateral: {codeKnee, codeLateral}, Patellofemoral: {codePatella},
}

// segmentation is the label map as an object that refers to the images of the
// first object's series.
func (s *Study) segmentation(images []object) *object {
	series := s.series()
	g := dicomwrite.Segmentation{
		Series: series.Series(), Grid: series.Grid(),
		InstanceUID: s.uid("mask", images[0].self.UID), SourceSeriesUID: images[0].series,
	}
	g.SeriesUID, g.SeriesNumber = s.uid("mask series", images[0].series), len(images)+1
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
	for label := Medial; label <= Patellofemoral; label++ {
		place := compartmentPlaces[label]
		g.Segments = append(g.Segments, dicomwrite.Segment{
			Number: label, Label: Compartments[label], Category: codeTissue, Property: codeCartilage,
			Region: place[0], Modifier: place[1], Algorithm: "AUTOMATIC",
		})
		for slice := range s.Options.Slices {
			f := dicomwrite.SegmentFrame{
				Segment: label, Position: s.Labels.Position(0, 0, float64(slice)), Pixels: s.only(label, slice),
				Sources: drawnOn[slice],
			}
			if slices.Contains(f.Pixels, 1) {
				g.Frames = append(g.Frames, f)
			}
		}
	}
	return &object{name: segmentationName, series: g.SeriesUID, self: g.Instance(), encode: func(w io.Writer) error {
		if len(g.Frames) == 0 {
			return errors.New("no voxel is labelled")
		}
		return dicomwrite.WriteSegmentation(w, g)
	}}
}

// only is 1 where a slice carries the label.
func (s *Study) only(label, slice int) []uint16 {
	n := s.Labels.SliceVoxels()
	pixels := make([]uint16, n)
	for v := range pixels {
		if int(s.Labels.Data[slice*n+v]) == label {
			pixels[v] = 1
		}
	}
	return pixels
}
