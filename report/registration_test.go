package report

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Squares of two images alternate from the top left one on, which is of the study, and
// each image has its own grey levels.
func TestCheckerboard(t *testing.T) {
	s := smallStudy()
	for v := range s.Echo.Data {
		s.Echo.Data[v] = 300
	}
	dark := volume.Map{Geometry: s.Echo.Geometry, Data: make([]float32, len(s.Echo.Data))}
	for v := range dark.Data {
		dark.Data[v] = float32(math.NaN()) // nothing of the other image is here: black
	}
	bright := volume.Map{Geometry: s.Echo.Geometry, Data: slices.Repeat([]float32{9000}, len(s.Echo.Data))}
	sc := newScene(s)
	var b bytes.Buffer
	if err := writeCheckerboard(&b, sc, Aligned{Before: dark, After: bright}, s.Result); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	c := newChecks(sc)
	side := checkMM * float64(c.view.size.X) / (float64(c.view.crop.Dx()) * s.Echo.Spacing()[0])
	for row := range 4 {
		for col := range 4 {
			at := c.corner(0).Add(image.Pt(int((float64(col)+0.5)*side), int((float64(row)+0.5)*side)))
			if row == 0 {
				continue // words
			}
			before, after := grey(img.At(at.X-c.lead, at.Y)), grey(img.At(at.X, at.Y))
			want := uint8(255)
			if (row+col)%2 == 1 {
				want = 0
			}
			if before != want || after != 255 {
				t.Errorf("square %d, %d: grey %d before and %d after, want %d and 255", col, row, before, after, want)
			}
		}
	}
	if got := spread([]int{3, 4, 5, 6, 7, 8, 9}, 3); !slices.Equal(got, []int{4, 6, 8}) {
		t.Errorf("slices %v", got)
	}
}
