package panel

import (
	"errors"
	"image"
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/volume"
)

// tilePicture is a slice in greys, with the colours of T2.
type tilePicture struct {
	*image.Paletted
	t2      []float32 // by pixel: NaN outside the mask, and excluded
	row     []float32 // T2 that determines the scale: of the voxels of Options.Row, or of all compartments
	edges   [4]string // patient directions: left, right, top, bottom
	anatomy bool      // whether there is anatomy in greys
}

// visitMaps are the maps of a visit that a tile shows.
type visitMaps struct {
	mask, status volume.Labels
	t2           volume.Map
	anatomy      volume.Map // without data if there is no anatomy
}

// excluded marks pixels of voxels of the mask without an accepted T2.
const excluded = -1

// sliceMaps are the mask and the T2 of the slice of a visit; NaN where T2 is not accepted.
type sliceMaps struct {
	volume.Geometry
	side  string
	slice int
	mask  []uint16
	t2    []float32
}

// draw reads the visit's maps and draws the anatomy of the slice with the given size in pixels. Its errors are texts
// for a tile.
func (t *tileView) draw(size image.Point, mmPerPixel float64) (*tilePicture, *sliceMaps, error) {
	m, err := t.readMaps()
	if err != nil {
		return nil, nil, err
	}
	c := cut{sight: &t.sight, size: size, mm: mmPerPixel}
	picture := &tilePicture{
		Paletted: image.NewPaletted(image.Rectangle{Max: size}, figure.MapPalette),
		edges:    volume.EdgeLetters(m.t2.Geometry), anatomy: m.anatomy.Data != nil,
	}
	if picture.anatomy {
		c.drawAnatomy(picture.Paletted, m.anatomy)
	} else {
		t.notes = append(t.notes, t.noAnatomy())
	}
	here := m.slice(t.slice)
	here.side = t.result.Side
	row := compartmentOf(t.result, t.row)
	for v, t2 := range here.t2 {
		if r := int(here.mask[v]); r != 0 && t2 == t2 && (r == row || row == 0 || row == math.MaxInt) {
			picture.row = append(picture.row, t2)
		}
	}
	picture.t2 = c.sample(func(v int) float32 {
		switch {
		case here.mask[v] == 0:
			return nan
		case here.t2[v] != here.t2[v]:
			return excluded
		}
		return here.t2[v]
	})
	if !slices.ContainsFunc(picture.t2, func(x float32) bool { return x == x }) {
		t.notes = append(t.notes, "no voxel of a compartment in this slice")
	}
	return picture, here, nil
}

var nan = float32(math.NaN())

// slice copies a slice, so that the maps need not be kept.
func (m visitMaps) slice(k int) *sliceMaps {
	s := &sliceMaps{Geometry: m.mask.Geometry, slice: k, mask: slices.Clone(volume.Slice(m.mask.Geometry, m.mask.Data, k)),
		t2: slices.Clone(volume.Slice(m.mask.Geometry, m.t2.Data, k))}
	for v, status := range volume.Slice(m.mask.Geometry, m.status.Data, k) {
		if volume.Status(min(status, math.MaxUint8)) != volume.Fitted {
			s.t2[v] = nan
		}
	}
	return s
}

// noAnatomy returns the reason for the lack of anatomy.
func (t *tileView) noAnatomy() string {
	if t.result.Anatomy == nil {
		return "no anatomy"
	}
	return report.AnatomyFile + " is missing or damaged"
}

// readMaps reads the maps and checks that they are on one grid.
func (t *tileView) readMaps() (visitMaps, error) {
	var m visitMaps
	var err error
	if m.mask, err = t.readMask(); err != nil {
		return m, err
	}
	if m.t2, err = t.readMap(report.T2File); err != nil {
		return m, err
	}
	f, err := openFile(t.folder, report.StatusFile)
	if err != nil {
		return m, err
	}
	defer f.Close()
	if m.status, err = nifti.ReadLabels(f); err != nil {
		return m, unreadable(report.StatusFile)
	}
	if g := m.mask.Geometry; g != t.mask.Geometry || g != m.t2.Geometry || g != m.status.Geometry {
		return m, errors.New("its maps are on different grids: map the study again")
	}
	if t.result.Anatomy != nil {
		m.anatomy, _ = t.readMap(report.AnatomyFile) // if this fails, draw adds a note
	}
	return m, nil
}

// readMap reads a map with one number per voxel.
func (s *sight) readMap(name string) (volume.Map, error) {
	f, err := openFile(s.folder, name)
	if err != nil {
		return volume.Map{}, err
	}
	defer f.Close()
	g, frames, err := nifti.ReadFrames(f)
	if err != nil || len(frames) != 1 {
		return volume.Map{}, unreadable(name)
	}
	return volume.Map{Geometry: g, Data: frames[0]}, nil
}

// cut is a part of a slice's plane around the middle of the mask. A pixel has the side mm.
type cut struct {
	*sight
	size image.Point
	mm   float64
}

// index returns the position of the middle of a pixel in the slice, in voxels.
func (c cut) index(x, y int) (i, j float64) {
	sp := c.mask.Spacing()
	i, j = c.middle()
	return i + (float64(x)+0.5-float64(c.size.X)/2)*c.mm/sp[0], j + (float64(y)+0.5-float64(c.size.Y)/2)*c.mm/sp[1]
}

// drawAnatomy draws the anatomy in the slice's plane.
func (c cut) drawAnatomy(dst *image.Paletted, a volume.Map) {
	inv, ok := a.Inverse()
	if !ok {
		return
	}
	values := make([]float32, len(dst.Pix))
	for y := range c.size.Y {
		for x := range c.size.X {
			i, j := c.index(x, y)
			p := c.mask.Position(i, j, float64(c.slice))
			var index [3]float64
			for d, r := range inv {
				index[d] = r[0]*p[0] + r[1]*p[1] + r[2]*p[2] + r[3]
			}
			values[y*c.size.X+x] = trilinear(a, index)
		}
	}
	gain := figure.GreyWhite / whiteOf(values)
	for n, v := range values {
		if g := v * gain; g > 0 { // NaN is black
			dst.Pix[n] = uint8(min(g, figure.GreyWhite) + 0.5)
		}
	}
}

// whiteOf returns the magnitude that is shown as white: the 99.5th percentile of the positive values, as
// in the pictures of package report.
func whiteOf(values []float32) float32 {
	const samples = 1 << 15
	var v []float32
	for n := 0; n < len(values); n += 1 + len(values)/samples {
		if x := values[n]; x > 0 && !math.IsInf(float64(x), 1) {
			v = append(v, x)
		}
	}
	if len(v) == 0 {
		return 1
	}
	slices.Sort(v)
	return v[(len(v)-1)*995/1000]
}

// trilinear interpolates the map at a position in voxels. Between the middle of an outer voxel and its
// outer edge it returns the value of that voxel, and outside the map 0.
func trilinear(m volume.Map, index [3]float64) float32 {
	var low [3]int
	var part [3]float64
	for d, x := range index {
		if !(x >= -0.5 && x <= float64(m.Size[d])-0.5) {
			return 0
		}
		x = min(max(x, 0), float64(m.Size[d]-1))
		low[d] = min(int(x), max(m.Size[d]-2, 0))
		part[d] = x - float64(low[d])
	}
	sum := 0.0
	for corner := range 8 {
		weight, v, stride := 1.0, 0, 1
		for d := range 3 {
			step := corner >> d & 1
			if step == 1 {
				weight *= part[d]
			} else {
				weight *= 1 - part[d]
			}
			v += stride * (low[d] + step)
			stride *= m.Size[d]
		}
		if weight > 0 { // otherwise the voxel may be outside the map or NaN
			sum += weight * float64(m.Data[v])
		}
	}
	return float32(sum)
}

// sample returns the value of the nearest voxel of the slice for each pixel; NaN outside.
func (c cut) sample(value func(voxel int) float32) []float32 {
	nx, ny := c.mask.Size[0], c.mask.Size[1]
	values := make([]float32, c.size.X*c.size.Y)
	for y := range c.size.Y {
		for x := range c.size.X {
			fi, fj := c.index(x, y)
			i, j := int(math.Floor(fi+0.5)), int(math.Floor(fj+0.5))
			values[y*c.size.X+x] = nan
			if i >= 0 && j >= 0 && i < nx && j < ny {
				values[y*c.size.X+x] = value(i + nx*j)
			}
		}
	}
	return values
}
