package report

import (
	"fmt"
	"image"
	"math"
	"strconv"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/volume"
)

// view is a part of a slice, scaled to pixels. Both axes have the same number of pixels per mm,
// whatever the shape of the voxels.
type view struct {
	crop image.Rectangle // voxels i, j
	size image.Point     // pixels
	x, y sampling
}

// sampling maps each pixel along an axis to voxels, counted from the edge of the crop. Colours, which
// must not be mixed, come from the voxel near. Greys are (1−frac)·lo + frac·hi.
type sampling struct {
	near, lo, hi []int
	frac         []float32
}

// newView returns the view of the voxels of crop with the given number of
// pixels per voxel along i and j.
func newView(crop image.Rectangle, perI, perJ float64) view {
	w := max(1, int(math.Round(float64(crop.Dx())*perI)))
	h := max(1, int(math.Round(float64(crop.Dy())*perJ)))
	return view{crop: crop, size: image.Pt(w, h), x: newSampling(crop.Dx(), w), y: newSampling(crop.Dy(), h)}
}

func newSampling(voxels, pixels int) sampling {
	s := sampling{
		near: make([]int, pixels), lo: make([]int, pixels), hi: make([]int, pixels), frac: make([]float32, pixels),
	}
	for p := range pixels {
		// The centre of the pixel in voxels; voxel i extends from i to i+1.
		c := (float64(p) + 0.5) * float64(voxels) / float64(pixels)
		s.near[p] = min(int(c), voxels-1)
		below := math.Floor(c - 0.5)
		s.lo[p] = max(int(below), 0)
		s.hi[p] = min(int(below)+1, voxels-1)
		s.frac[p] = float32(c - 0.5 - below)
	}
	return s
}

// drawT2 draws the colours of slice k with the top left pixel at corner.
func (v view) drawT2(dst *image.Paletted, corner image.Point, s scene, k int) {
	nx := s.echo.Size[0]
	region := volume.Slice(s.echo.Geometry, s.regions.Data, k)
	t2 := volume.Slice(s.echo.Geometry, s.maps.T2, k)
	status := volume.Slice(s.echo.Geometry, s.maps.Status, k)
	for y, j := range v.y.near {
		first := v.crop.Min.X + nx*(v.crop.Min.Y+j)
		inRow := region[first:][:v.crop.Dx()]
		row := dst.Pix[dst.PixOffset(corner.X, corner.Y+y):][:v.size.X]
		for x, i := range v.x.near {
			if inRow[i] == 0 {
				continue
			}
			row[x] = ColourIndex(status[first+i], t2[first+i])
		}
	}
}

// ColourIndex returns the palette index of a voxel of the mask.
func ColourIndex(s volume.Status, t2 float32) uint8 {
	if s != volume.Fitted {
		return figure.ExcludedT2
	}
	return figure.T2Index(t2)
}

// drawGrey draws the echo image of a slice with the top left pixel at corner.
func (v view) drawGrey(dst *image.Paletted, corner image.Point, echo []float32, s scene) {
	levels := make([]float32, v.crop.Dx())
	upper, lower := make([]float32, v.size.X), make([]float32, v.size.X)
	sample := func(row []float32, j int) {
		greys(levels, echo[v.crop.Min.X+s.echo.Size[0]*(v.crop.Min.Y+j):], figure.GreyWhite/s.window)
		if len(row) == len(levels) {
			copy(row, levels)
			return
		}
		for x, f := range v.x.frac {
			a, b := levels[v.x.lo[x]], levels[v.x.hi[x]]
			row[x] = a + f*(b-a)
		}
	}
	upperRow, lowerRow := -1, -1
	for y, f := range v.y.frac {
		lo, hi := v.y.lo[y], v.y.hi[y]
		if f == 0 {
			hi = lo
		}
		if lo == lowerRow {
			upper, lower, upperRow, lowerRow = lower, upper, lowerRow, upperRow
		}
		if lo != upperRow {
			sample(upper, lo)
			upperRow = lo
		}
		if hi != lo && hi != lowerRow {
			sample(lower, hi)
			lowerRow = hi
		}
		row := dst.Pix[dst.PixOffset(corner.X, corner.Y+y):][:v.size.X]
		if hi == lo {
			for x, a := range upper {
				row[x] = uint8(a + 0.5)
			}
			continue
		}
		for x, a := range upper {
			row[x] = uint8(a + f*(lower[x]-a) + 0.5)
		}
	}
}

// greys converts magnitudes to grey levels from 0 to figure.GreyWhite. NaN becomes black.
func greys(dst, magnitude []float32, gain float32) {
	for i := range dst {
		g := magnitude[i] * gain
		if !(g > 0) {
			g = 0
		}
		dst[i] = min(g, figure.GreyWhite)
	}
}

// tileLabels writes the slice number and the patient's directions on tiles.
type tileLabels struct {
	face  font.Face // of the slice number
	edge  font.Face // of the directions
	em    int
	tile  image.Point
	edges [4]string // left, right, top, bottom
	total int
}

func newTileLabels(g volume.Geometry, tile image.Point, em int) tileLabels {
	return tileLabels{
		face: figure.Typeface(figure.Sans, em, font.WeightBold),
		edge: figure.Typeface(figure.Mono, em*11/10, font.WeightBold),
		em:   em, tile: tile, edges: volume.EdgeLetters(g), total: g.Size[2],
	}
}

// draw writes on the tile of slice k. Slices are counted from 1.
func (l tileLabels) draw(dst *image.Paletted, corner image.Point, k int) {
	put := func(face font.Face, s string, level uint8, x, y int) {
		figure.Caption{Face: face, Text: s, Level: level, Halo: true}.Draw(dst, corner.Add(image.Pt(x, y)))
	}
	pad := l.em / 2
	top := pad + l.em*8/10 // baseline of letters whose top is pad below the edge
	number := strconv.Itoa(k + 1)
	put(l.face, number, figure.GreyWhite, pad, top)
	put(l.face, fmt.Sprintf("/%d", l.total), figure.GreySoft, pad+figure.TextWidth(l.face, number), top)
	w := figure.TextWidth(l.edge, "S") // all letters of the face have this width
	middle := l.tile.Y/2 + l.em*4/10
	put(l.edge, l.edges[0], figure.GreySoft, pad, middle)
	put(l.edge, l.edges[1], figure.GreySoft, l.tile.X-pad-w, middle)
	put(l.edge, l.edges[2], figure.GreySoft, (l.tile.X-w)/2, top)
	put(l.edge, l.edges[3], figure.GreySoft, (l.tile.X-w)/2, l.tile.Y-pad)
}
