package report

import (
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"runtime"
	"slices"

	"github.com/t2map/t2map/internal/spare"
	"github.com/t2map/t2map/volume"
)

// preview.jpg is as wide as the page on a screen of 1280 pixels. It is wide and low, since a page has
// room for about two rows of tiles. With more than eight tiles in a row, they would be too small to
// recognise a lesion.
const (
	previewWidth   = 1200
	previewTile    = 300 // largest width of a tile in pixels: enough for a single slice
	previewShape   = 3.2
	previewColumns = 8
	previewText    = 11 // size of slice numbers and directions
	// Below 75, blocks are visible around the thin bright layers. Above 75, the noise of the echo
	// image takes up most of the file.
	previewQuality = 75
)

// writePreview writes preview.jpg: overlay.png at the size that a page needs, with the same slices,
// colours and colour bar.
func writePreview(w io.Writer, s scene, r Result) error {
	sh := newPreviewSheet(s)
	memory := previews.Take()
	defer previews.Give(memory)
	n := sh.size.X * sh.size.Y
	*memory = slices.Grow((*memory)[:0], 4*n)[:4*n]
	img := &image.Paletted{Pix: (*memory)[:n], Stride: sh.size.X, Rect: image.Rectangle{Max: sh.size}, Palette: palette}
	clear(img.Pix)
	drawHeader(img, sh, s.words(r))
	labels := newTileLabels(s.echo.Geometry, sh.view.size, sh.label)
	for n, k := range s.mask.Slices {
		sh.view.drawGrey(img, sh.corner(n), volume.Slice(s.echo.Geometry, s.echo.Data, k), s)
		labels.draw(img, sh.corner(n), k)
	}
	full := trueColour(img, (*memory)[n:])
	finer := newFiner(sh.view)
	for n, k := range s.mask.Slices {
		finer.draw(full, sh.corner(n), s, k)
	}
	return jpeg.Encode(w, full, &jpeg.Options{Quality: previewQuality})
}

// previews are the pixels of previews that were written: an index in the palette and the three channels of JPEG for
// each.
var previews = spare.NewList(max(1, runtime.GOMAXPROCS(0)/2), func() *[]uint8 { return new([]uint8) })

func newPreviewSheet(s scene) sheet {
	n := len(s.mask.Slices)
	crop := s.crop(s.mask.Box, CropMarginMM)
	sp := s.echo.Spacing()
	width, height := float64(crop.Dx())*sp[0], float64(crop.Dy())*sp[1]
	cols := columns(n, width/height/previewShape, previewColumns)
	tile := min(previewTile, (previewWidth+tileGap)/cols-tileGap)
	// A high, narrow mask must not make the picture higher than JPEG allows.
	scale := min(float64(tile)/width, 2*previewTile/height)
	sh := sheet{view: newView(crop, scale*sp[0], scale*sp[1]), cols: cols, label: previewText}
	return sh.arrange(n, nil)
}

// lumaChroma is the palette in the colour model of JPEG.
var lumaChroma = func() (out [256]color.YCbCr) {
	for n, c := range palette {
		out[n] = color.YCbCrModel.Convert(c).(color.YCbCr)
	}
	return out
}()

// trueColour returns the picture in the colour model of JPEG, in which colours can be mixed. Its pixels are in memory,
// three bytes for each.
func trueColour(img *image.Paletted, memory []uint8) *image.YCbCr {
	n := len(img.Pix)
	full := &image.YCbCr{Y: memory[:n], Cb: memory[n : 2*n], Cr: memory[2*n : 3*n], YStride: img.Stride,
		CStride: img.Stride, SubsampleRatio: image.YCbCrSubsampleRatio444, Rect: img.Rect}
	for n, p := range img.Pix { // neither picture pads its rows
		c := &lumaChroma[p]
		full.Y[n], full.Cb[n], full.Cr[n] = c.Y, c.Cb, c.Cr
	}
	return full
}

// finer draws the colours of T2 with previewOver × previewOver samples per pixel, so that a view that is
// smaller than the slice includes every voxel and has smooth edges.
type finer struct {
	view
	x, y []int // the voxel of each sample, as in sampling.near
}

const previewOver = 2

func newFiner(v view) finer {
	return finer{
		view: v,
		x:    newSampling(v.crop.Dx(), v.size.X*previewOver).near,
		y:    newSampling(v.crop.Dy(), v.size.Y*previewOver).near,
	}
}

// draw draws the colours of slice k over the greys of the tile with its top left pixel at corner.
func (f finer) draw(dst *image.YCbCr, corner image.Point, s scene, k int) {
	nx := s.echo.Size[0]
	region := volume.Slice(s.echo.Geometry, s.regions.Data, k)
	t2 := volume.Slice(s.echo.Geometry, s.maps.T2, k)
	status := volume.Slice(s.echo.Geometry, s.maps.Status, k)
	for y := range f.size.Y {
		upper := f.crop.Min.X + nx*(f.crop.Min.Y+f.y[previewOver*y])
		lower := f.crop.Min.X + nx*(f.crop.Min.Y+f.y[previewOver*y+1])
		pixel := dst.YOffset(corner.X, corner.Y+y)
		for x := range f.size.X {
			i, j := f.x[previewOver*x], f.x[previewOver*x+1]
			samples := [...]int{upper + i, upper + j, lower + i, lower + j}
			if region[samples[0]]|region[samples[1]]|region[samples[2]]|region[samples[3]] == 0 {
				continue
			}
			luma, blue, red := 0, 0, 0
			for _, v := range samples {
				c := color.YCbCr{Y: dst.Y[pixel+x], Cb: 128, Cr: 128}
				if region[v] != 0 {
					c = lumaChroma[ColourIndex(status[v], t2[v])]
				}
				luma, blue, red = luma+int(c.Y), blue+int(c.Cb), red+int(c.Cr)
			}
			const n, half = len(samples), len(samples) / 2
			dst.Y[pixel+x], dst.Cb[pixel+x], dst.Cr[pixel+x] = uint8((luma+half)/n), uint8((blue+half)/n), uint8((red+half)/n)
		}
	}
}
