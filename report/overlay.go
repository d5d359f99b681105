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
	tileGap = 3 // pixels between tiles
	pairGap = 1 // pixels between a plain slice and the same slice with its overlay

	// Voxels are enlarged by a whole factor up to overlayPixels, about a full screen, for all
	// overlays together. They are reduced if the picture would exceed pixelLimit, which bounds
	// memory and the size of files for large grids.
	overlayPixels = 1 << 21
	maxEnlarge    = 4
	pixelLimit    = 24 << 20
)

// CropMarginMM is the margin around the mask in pictures. It shows enough bone and fat pad to
// recognise the joint.
const CropMarginMM = 12

// scene is the content of the pictures of a study.
type scene struct {
	echo    volume.Map
	maps    volume.Maps
	regions segment.Regions
	mask    volume.Extent
	window  float32 // magnitude shown as white
	// present reports for each row of regions whether it has voxels.
	present []bool
}

func newScene(s Study) scene {
	sc := scene{echo: s.Echo, maps: s.Maps, regions: s.Regions, mask: s.Regions.Labels.Extent()}
	if len(sc.mask.Slices) == 0 && s.Echo.Size[2] > 0 {
		// The mask is empty: show the whole middle slice.
		whole := image.Rect(0, 0, s.Echo.Size[0], s.Echo.Size[1])
		sc.mask = volume.Extent{Slices: []int{s.Echo.Size[2] / 2}, Box: whole}
	}
	sc.window = sc.whiteLevel()
	sc.present = presentRows(sc.mask, s.Regions.Labels, len(s.Regions.Names))
	return sc
}

// presentRows reports which rows have voxels, given the row of each voxel and the extent of the mask.
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

// whiteLevel returns the magnitude that is shown as white, the same for all slices, so that they can be
// compared. It is the 99.5th percentile of the positive magnitudes on the shown slices, so that a few
// bright vessels do not darken the joint.
func (s scene) whiteLevel() float32 {
	const samples = 1 << 15 // enough for a percentile to within a fraction of a grey level
	crop := s.crop(s.mask.Box, CropMarginMM)
	step := 1 + crop.Dx()*crop.Dy()*len(s.mask.Slices)/samples
	var v []float32
	for _, k := range s.mask.Slices {
		data := volume.Slice(s.echo.Geometry, s.echo.Data, k)
		for j := crop.Min.Y; j < crop.Max.Y; j++ {
			row := data[j*s.echo.Size[0]:][crop.Min.X:crop.Max.X]
			// Each row has a different start, so that the samples do not form columns.
			for i := j * 31 % step; i < len(row); i += step {
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

// crop returns box with a margin in mm, clipped to the grid.
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
	label  int // text size on tiles: pixels per em
	header int // height of the strip above the tiles
	keys   figure.KeyRow
	// lead is the distance in pixels from the left edge of a tile's place to the tile. If it is
	// not 0, the space before the tile shows the same slice without colours.
	lead int
	size image.Point // of the whole picture
}

// newSheet returns the sheet of a picture with a tile for each slice of the mask. With plain, each
// slice has a second tile without colours.
func newSheet(s scene, plain bool, keys []figure.Key) sheet {
	n := len(s.mask.Slices)
	crop := s.crop(s.mask.Box, CropMarginMM)
	sp := s.echo.Spacing()
	// Pixels per mm: the smaller side of a voxel is a whole number of pixels, so that voxels have
	// sharp edges, unless the picture would be too large.
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
	const shape = 1.5 // width over height of a landscape page
	sh.cols = columns(n, float64(sh.place())/float64(v.size.Y)/shape, n)
	return sh.arrange(n, keys)
}

// place is the width of the place of a tile.
func (sh sheet) place() int { return sh.lead + sh.view.size.X }

// arrange places n tiles below the header in rows of sh.cols.
func (sh sheet) arrange(n int, keys []figure.Key) sheet {
	rows := (n + sh.cols - 1) / sh.cols
	width := max(sh.cols*(sh.place()+tileGap)-tileGap, 720) // the header needs 720
	sh.keys = figure.NewKeyRow(keys, width, sh.textSize(width)*8/10)
	sh.header = 3*sh.textSize(width) + sh.keys.Height()
	sh.size = image.Pt(width, sh.header+rows*(sh.view.size.Y+tileGap)-tileGap)
	return sh
}

// columns returns the number of columns, up to a limit, with which n tiles come close to the wanted
// shape and leave few empty places. tile is width over height of a tile, divided by the wanted width
// over height of the picture.
func columns(n int, tile float64, limit int) int {
	best, bestCost := 1, math.Inf(1)
	for c := 1; c <= min(n, limit); c++ {
		rows := (n + c - 1) / c
		empty := float64(rows*c-n) / float64(n)
		// Twice the wanted width or height costs as much as a quarter of the places empty.
		cost := math.Abs(math.Log(float64(c)/float64(rows)*tile)) + 3*empty
		if cost < bestCost {
			best, bestCost = c, cost
		}
	}
	return best
}

// textSize returns the text size, in pixels per em, that is easy to read when the picture is as wide
// as the screen.
func (sheet) textSize(width int) int { return min(max(width/85, 14), 28) }

// corner returns the top left pixel of tile n. Rows narrower than the picture are centred.
func (sh sheet) corner(n int) image.Point {
	place := image.Pt(sh.place(), sh.view.size.Y)
	left := (sh.size.X - (sh.cols*(place.X+tileGap) - tileGap)) / 2
	return image.Pt(left+n%sh.cols*(place.X+tileGap)+sh.lead, sh.header+n/sh.cols*(place.Y+tileGap))
}

// copyPlain copies the tile with the given top left corner to the space before it.
func (sh sheet) copyPlain(img *image.Paletted, corner image.Point) {
	for y := range sh.view.size.Y {
		row := img.Pix[img.PixOffset(corner.X-sh.lead, corner.Y+y):]
		copy(row[:sh.view.size.X], row[sh.lead:])
	}
}

// writeOverlay writes overlay.png: every slice with a voxel of the mask, cropped around the mask, twice.
// On the left is the echo image in grey. On the right, the voxels of the mask have the colour of their
// T2 on the fixed scale of 0 to 80 ms, those without a valid T2 have one flat colour, and lines
// outline the compartments. If the mask is empty, the picture shows the middle slice and says so.
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
