package report

import (
	"image"
	"io"
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

const (
	tileGap = 3 // pixels between tiles, and
	pairGap = 1 // between a slice and the same with its overlay

	// Voxels are enlarged by whole steps while the overlays together have no more
	// than this many pixels, about a full screen, and reduced where the picture would
	// have more than the limit, which bounds memory and files for large grids.
	overlayPixels = 1 << 21
	maxEnlarge    = 4
	pixelLimit    = 24 << 20
)

// CropMarginMM is the margin around the mask in pictures: enough bone and fat pad to recognise the
// joint.
const CropMarginMM = 12

// scene is what the pictures of a study show.
type scene struct {
	echo    volume.Map
	maps    volume.Maps
	regions segment.Regions
	mask    volume.Extent
	window  float32 // magnitude shown as white
	// present says of each row of regions whether it has voxels.
	present []bool
}

func newScene(s Study) scene {
	sc := scene{echo: s.Echo, maps: s.Maps, regions: s.Regions, mask: s.Regions.Labels.Extent()}
	if len(sc.mask.Slices) == 0 && s.Echo.Size[2] > 0 {
		// Nothing to show but that there is nothing: the middle slice, whole.
		whole := image.Rect(0, 0, s.Echo.Size[0], s.Echo.Size[1])
		sc.mask = volume.Extent{Slices: []int{s.Echo.Size[2] / 2}, Box: whole}
	}
	sc.window = sc.whiteLevel()
	sc.present = presentRows(sc.mask, s.Regions.Labels, len(s.Regions.Names))
	return sc
}

// presentRows says which rows have voxels, given the rows of each voxel and where the mask lies.
func presentRows(e volume.Extent, l volume.Labels, rows int) []bool {
	present := make([]bool, rows)
	if e.Voxels == 0 {
		return present
	}
	var last uint16
	for _, k := range e.Slices {
		data := volume.Slice(l.Geometry, l.Data, k)
		for j := e.Box.Min.Y; j < e.Box.Max.Y; j++ {
			for _, r := range data[l.Size[0]*j:][e.Box.Min.X:e.Box.Max.X] {
				if r != last {
					if last = r; r != 0 {
						present[r-1] = true
					}
				}
			}
		}
	}
	return present
}

// whiteLevel returns the magnitude that is shown as white: the 99.5th
// percentile of the positive magnitudes on the shown slices, so that a few
// bright vessels do not darken the joint. One level for all slices keeps them
// comparable.
func (s scene) whiteLevel() float32 {
	const samples = 1 << 15 // the percentile of a sample is good to a fraction of a grey level
	crop := s.crop(s.mask.Box, CropMarginMM)
	step := 1 + crop.Dx()*crop.Dy()*len(s.mask.Slices)/samples
	var v []float32
	for _, k := range s.mask.Slices {
		data := volume.Slice(s.echo.Geometry, s.echo.Data, k)
		for j := crop.Min.Y; j < crop.Max.Y; j++ {
			row := data[j*s.echo.Size[0]:][crop.Min.X:crop.Max.X]
			for i := j * 31 % step; i < len(row); i += step { // another start in each row, lest columns line up
				if x := row[i]; x > 0 && !math.IsInf(float64(x), 1) {
					v = append(v, x)
				}
			}
		}
	}
	if len(v) == 0 {
		return 1
	}
	slices.Sort(v)
	return v[(len(v)-1)*995/1000]
}

// crop returns box with a margin in mm, cut at the grid's edge.
func (s scene) crop(box image.Rectangle, marginMM float64) image.Rectangle {
	sp := s.echo.Spacing()
	mx, my := int(math.Round(marginMM/sp[0])), int(math.Round(marginMM/sp[1]))
	return image.Rect(box.Min.X-mx, box.Min.Y-my, box.Max.X+mx, box.Max.Y+my).
		Intersect(image.Rect(0, 0, s.echo.Size[0], s.echo.Size[1]))
}

// sheet is the arrangement of the tiles of a picture, one for each slice.
type sheet struct {
	view   view
	cols   int
	label  int // em of the text on tiles, in pixels
	header int // height of the strip above the tiles
	keys   figure.KeyRow
	// lead is how far a tile lies to the right of its place: where it is not 0, the same
	// slice without colours stands before it.
	lead int
	size image.Point // of the whole picture
}

// newSheet returns the sheet of a picture with a tile for each slice with a mask, or with
// two, of which one is plain.
func newSheet(s scene, plain bool, keys []figure.Key) sheet {
	n := len(s.mask.Slices)
	crop := s.crop(s.mask.Box, CropMarginMM)
	sp := s.echo.Spacing()
	// Pixels per mm: a whole number of pixels for the smaller side of a voxel,
	// so that voxels stay crisp, unless that would be too large a picture.
	native := 1 / min(sp[0], sp[1])
	mm2 := float64(crop.Dx()) * sp[0] * float64(crop.Dy()) * sp[1] * float64(n)
	scale := native * min(max(1, math.Floor(math.Sqrt(overlayPixels/(mm2*native*native)))), maxEnlarge)
	if plain {
		mm2 *= 2
	}
	scale = min(scale, math.Sqrt(pixelLimit/mm2))
	v := newView(crop, scale*sp[0], scale*sp[1])
	sh := sheet{view: v, label: min(max(min(v.size.X, v.size.Y)/20, 12), 22)}
	if plain {
		sh.lead = v.size.X + pairGap
	}
	const shape = 1.5 // a landscape page
	sh.cols = columns(n, float64(sh.place())/float64(v.size.Y)/shape, n)
	return sh.arrange(n, keys)
}

// place is the width of the place of a tile.
func (sh sheet) place() int { return sh.lead + sh.view.size.X }

// arrange puts n tiles below the header, as many in a row as it has columns.
func (sh sheet) arrange(n int, keys []figure.Key) sheet {
	rows := (n + sh.cols - 1) / sh.cols
	width := max(sh.cols*(sh.place()+tileGap)-tileGap, 720) // the header needs 720
	sh.keys = figure.NewKeyRow(keys, width, sh.textSize(width)*8/10)
	sh.header = 3*sh.textSize(width) + sh.keys.Height()
	sh.size = image.Pt(width, sh.header+rows*(sh.view.size.Y+tileGap)-tileGap)
	return sh
}

// columns returns the number of columns, at most most, that brings n tiles near
// to the wanted shape with few empty places. tile is the shape of a tile, width
// by height, over the shape wanted of all.
func columns(n int, tile float64, limit int) int {
	best, bestCost := 1, math.Inf(1)
	for c := 1; c <= min(n, limit); c++ {
		rows := (n + c - 1) / c
		empty := float64(rows*c-n) / float64(n)
		// Being twice too wide or high is as bad as having a quarter too few tiles.
		cost := math.Abs(math.Log(float64(c)/float64(rows)*tile)) + 3*empty
		if cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// textSize returns the em in pixels that reads well when the picture is shown
// a screen wide.
func (sheet) textSize(width int) int { return min(max(width/85, 14), 28) }

// at returns the top left pixel of tile n. Rows narrower than the picture are
// centred.
func (sh sheet) corner(n int) image.Point {
	place := image.Pt(sh.place(), sh.view.size.Y)
	left := (sh.size.X - (sh.cols*(place.X+tileGap) - tileGap)) / 2
	return image.Pt(left+n%sh.cols*(place.X+tileGap)+sh.lead, sh.header+n/sh.cols*(place.Y+tileGap))
}

// copyPlain copies the tile at the pixel at to the place before it.
func (sh sheet) copyPlain(img *image.Paletted, corner image.Point) {
	for y := range sh.view.size.Y {
		row := img.Pix[img.PixOffset(corner.X-sh.lead, corner.Y+y):]
		copy(row[:sh.view.size.X], row[sh.lead:])
	}
}

// writeOverlay writes overlay.png: every slice that holds a mask voxel, cut to the
// mask's surroundings, twice. The left one is the echo image in grey. The right one has
// T2 in colour in the mask, on the fixed scale 0 to 80 ms, mask voxels without a sound T2 in
// one flat colour, and the outlines of the compartments around them. Without a mask it
// shows the middle slice and says so.
func writeOverlay(w io.Writer, s scene, r Result) error {
	sh := newSheet(s, s.mask.Voxels > 0, s.rowKeys())
	img := image.NewPaletted(image.Rectangle{Max: sh.size}, palette)
	drawHeader(img, sh, s.words(r))
	labels := newTileLabels(s.echo.Geometry, sh.view.size, sh.label)
	lines := newOutliner(sh.view, s.regions.Names)
	for n, k := range s.mask.Slices {
		corner := sh.corner(n)
		sh.view.drawGrey(img, corner, volume.Slice(s.echo.Geometry, s.echo.Data, k), s)
		labels.draw(img, corner, k)
		if sh.lead == 0 {
			continue
		}
		sh.copyPlain(img, corner)
		sh.view.drawT2(img, corner, s, k)
		lines.draw(img, corner, volume.Slice(s.echo.Geometry, s.regions.Data, k), s.echo.Size[0])
	}
	return figure.EncodePNG(w, img)
}
