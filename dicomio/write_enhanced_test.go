package dicomio

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// obliqueEnhanced has three slices of two echoes of an odd number of pixels,
// out of order.
func obliqueEnhanced() Enhanced {
	im := obliqueImage()
	o := Enhanced{
		Series: im.Series(), Grid: im.Grid(), InstanceUID: im.InstanceUID, TR: im.TR, EchoTrainLength: 2,
		FieldStrength: im.FieldStrength, WindowCenter: 100, WindowWidth: 200,
	}
	c, s := math.Cos(0.1234567), math.Sin(0.1234567)
	o.Orientation = [6]float64{-s, c, 0, s * c, s * s, -c} // row × column = −c², −s·c, −s
	o.Orientation = [6]float64{-s, c, 0, c * s, s * s, -c}
	normal := o.Grid.normal()
	for n, at := range [][2]int{{2, 1}, {0, 0}, {1, 1}, {2, 0}, {0, 1}, {1, 0}} {
		f := Frame{TE: 10.1 * float64(at[1]+1), Pixels: make([]int32, o.Rows*o.Columns)}
		for r := range f.Position {
			f.Position[r] = im.Position[r] + float64(at[0])*im.SpacingBetweenSlices*normal[r]
		}
		for v := range f.Pixels {
			f.Pixels[v] = int32(100*n + v)
		}
		o.Frames = append(o.Frames, f)
	}
	return o
}

func TestX(t *testing.T) {
	o := obliqueEnhanced()
	dir := os.Getenv("XDIR")
	w := func(name string) {
		f, _ := os.Create(filepath.Join(dir, name))
		if err := WriteEnhanced(f, o); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	w("e.dcm")
	o.Legacy = true
	w("l.dcm")
}

func TestY(t *testing.T) {
	e := obliqueEnhanced()
	tissue, cartilage := Code{"85756007", "SCT", "Tissue"}, Code{"309312004", "SCT", "Cartilage"}
	knee := Code{"72696002", "SCT", "Knee"}
	s := Segmentation{Series: e.Series, Grid: e.Grid, InstanceUID: "2.25.77", SourceSeriesUID: "2.25.78", Sources: []Instance{e.Instance()},
		Segments: []Segment{{Number: 1, Label: "a", Category: tissue, Property: cartilage, Region: knee, Modifier: Code{"255561001", "SCT", "Medial"}},
			{Number: 2, Label: "b", Category: tissue, Property: cartilage}}}
	for n := range 3 {
		s.Frames = append(s.Frames, SegmentFrame{Segment: n%2 + 1, Position: e.Frames[n].Position, Pixels: []uint16{0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1}, Sources: s.Sources})
	}
	dir := os.Getenv("XDIR")
	for _, k := range []string{"BINARY", "FRACTIONAL", "LABELMAP"} {
		s.Type = k
		f, _ := os.Create(filepath.Join(dir, k))
		if err := WriteSegmentation(f, s); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	f, _ := os.Create(filepath.Join(dir, "RT"))
	if err := WriteStructures(f, Structures{Series: e.Series, InstanceUID: "2.25.79", SourceSeriesUID: "2.25.78", Sources: []Instance{e.Instance()},
		ROIs: []ROI{{Name: "a", Contours: []Contour{{Points: [][3]float64{{1, 2, 3}, {2, 3, 4}, {4, 5, 1}}, Image: e.Instance()}}}, {Name: "b"}}}); err != nil {
		t.Fatal(err)
	}
	f.Close()
}
