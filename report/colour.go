package report

import (
	"image/color"
	"math"
)

// The pictures are paletted, one byte per pixel: greys for the echo image and
// the text, the colours of T2, one flat colour, and those of outlines. 128 greys are
// twice what the eye separates on a display; 120 colours are steps of 0.67 ms.
const (
	greyLevels  = 128
	t2Levels    = 120
	firstT2     = greyLevels
	excludedT2  = greyLevels + t2Levels
	firstLine   = excludedT2 + 1
	greyWhite   = greyLevels - 1
	greySoft    = greyLevels * 7 / 10
	greyBright  = greyLevels * 17 / 20
	greyPanel   = greyLevels / 12
	scaleMaxMS  = 80 // display range of cartilage T2 in the field: 0 to 80 ms
	scaleTickMS = 20
)

// excludedColour marks mask voxels without a sound T2. Cyan is in neither the
// greys nor plasma, and stays apart from both for dichromats.
var excludedColour = color.RGBA{0x00, 0xe5, 0xff, 0xff}

// plasma holds every fifth entry of the perceptually uniform colour map
// "plasma" by Nathaniel J. Smith and Stéfan van der Walt, 2015, released under
// CC0 (github.com/BIDS/colormap); linear interpolation between them is
// within 2.1/255 of the rest. Chosen because no part of it is grey or black,
// so that all of the scale reads over the echo image.
var plasma = [...]uint32{
	0x0d0887, 0x1b068d, 0x260591, 0x2f0596, 0x38049a, 0x41049d, 0x4903a0, 0x5102a3, 0x5901a5, 0x6100a7, 0x6900a8, 0x7100a8, 0x7801a8,
	0x8004a8, 0x8707a6, 0x8e0ca4, 0x9511a1, 0x9c179e, 0xa21d9a, 0xa82296, 0xae2892, 0xb42e8d, 0xba3388, 0xbf3984, 0xc43e7f, 0xc9447a,
	0xcd4a76, 0xd24f71, 0xd6556d, 0xda5b69, 0xde6164, 0xe26660, 0xe66c5c, 0xe97257, 0xed7953, 0xf07f4f, 0xf3854b, 0xf58c46, 0xf79342,
	0xf99a3e, 0xfba139, 0xfca835, 0xfdaf31, 0xfeb72d, 0xfebe2a, 0xfdc627, 0xfcce25, 0xfbd724, 0xf8df25, 0xf6e826, 0xf3f027, 0xf0f921,
}

// scaleColour returns the colour at x in [0, 1] of the scale; x outside is
// clamped.
func scaleColour(x float64) color.RGBA {
	x = min(max(x, 0), 1) * float64(len(plasma)-1)
	i := min(int(x), len(plasma)-2)
	f := x - float64(i)
	a, b := plasma[i], plasma[i+1]
	mix := func(shift uint) uint8 {
		lo, hi := float64(a>>shift&0xff), float64(b>>shift&0xff)
		return uint8(math.Round(lo + f*(hi-lo)))
	}
	return color.RGBA{mix(16), mix(8), mix(0), 0xff}
}

// palette is the colours of overlay.png and preview.jpg.
var palette = makePalette()

func makePalette() color.Palette {
	p := make(color.Palette, 0, 256)
	p = append(p, greyPalette()...)
	for i := range t2Levels {
		p = append(p, scaleColour((float64(i)+0.5)/t2Levels))
	}
	p = append(p, excludedColour)
	for _, c := range lineColours {
		p = append(p, c)
	}
	return p
}

// panelPalette is the colours of a trial's panel, which has no outlines.
var panelPalette = palette[:firstLine]

// greyPalette is the greys of all pictures, from black to white.
func greyPalette() color.Palette {
	p := make(color.Palette, 0, 256)
	for i := range greyLevels {
		y := uint8(math.Round(float64(i) * 255 / (greyLevels - 1)))
		p = append(p, color.RGBA{y, y, y, 0xff})
	}
	return p
}

// t2Index returns the palette index of a T2 in ms. T2 above the scale has the
// scale's last colour.
func t2Index(t2 float32) uint8 {
	i := int(float64(t2) * t2Levels / scaleMaxMS)
	return uint8(firstT2 + min(max(i, 0), t2Levels-1))
}
