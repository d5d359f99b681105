package figure

import (
	"image/color"
	"math"
)

// Pictures of maps have one byte per pixel. The palette holds greys for anatomy and text, the colours of T2,
// the colour of excluded voxels, and colours that another package adds. 128 greys are twice as many as the
// eye can distinguish on a display. 120 colours of T2 are steps of 0.67 ms.
const (
	GreyLevels  = 128
	T2Levels    = 120
	FirstT2     = GreyLevels
	ExcludedT2  = GreyLevels + T2Levels
	GreyWhite   = GreyLevels - 1
	GreySoft    = GreyLevels * 7 / 10
	GreyBright  = GreyLevels * 17 / 20
	GreyPanel   = GreyLevels / 12
	ScaleMaxMS  = 80 // display range of cartilage T2 in the field: 0 to 80 ms
	ScaleTickMS = 20
)

// ExcludedColour is the colour of voxels of a mask without a valid T2. Cyan is not a grey and not in plasma,
// and dichromats can distinguish it from both.
var ExcludedColour = color.RGBA{0x00, 0xe5, 0xff, 0xff}

// plasma holds every fifth entry of the perceptually uniform colour map "plasma" by Nathaniel J. Smith and
// Stéfan van der Walt, 2015, released under CC0 (github.com/BIDS/colormap). Linear interpolation
// approximates the other entries within 2.1/255. Plasma has no grey or black, so that the whole scale is
// visible over the echo image.
var plasma = [...]uint32{
	0x0d0887, 0x1b068d, 0x260591, 0x2f0596, 0x38049a, 0x41049d, 0x4903a0, 0x5102a3, 0x5901a5, 0x6100a7, 0x6900a8,
	0x7100a8, 0x7801a8, 0x8004a8, 0x8707a6, 0x8e0ca4, 0x9511a1, 0x9c179e, 0xa21d9a, 0xa82296, 0xae2892, 0xb42e8d,
	0xba3388, 0xbf3984, 0xc43e7f, 0xc9447a, 0xcd4a76, 0xd24f71, 0xd6556d, 0xda5b69, 0xde6164, 0xe26660, 0xe66c5c,
	0xe97257, 0xed7953, 0xf07f4f, 0xf3854b, 0xf58c46, 0xf79342, 0xf99a3e, 0xfba139, 0xfca835, 0xfdaf31, 0xfeb72d,
	0xfebe2a, 0xfdc627, 0xfcce25, 0xfbd724, 0xf8df25, 0xf6e826, 0xf3f027, 0xf0f921,
}

// ScaleColour returns the colour of a share of the scale from 0 to 1; shares outside are clamped.
func ScaleColour(x float64) color.RGBA {
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

// MapPalette is the palette of maps: greys, the colours of T2, and ExcludedColour.
var MapPalette = makeMapPalette()

func makeMapPalette() color.Palette {
	p := GreyPalette()
	for i := range T2Levels {
		p = append(p, ScaleColour((float64(i)+0.5)/T2Levels))
	}
	return append(p, ExcludedColour)
}

// GreyPalette returns the greys of all pictures, from black to white.
func GreyPalette() color.Palette {
	p := make(color.Palette, 0, 256)
	for i := range GreyLevels {
		y := uint8(math.Round(float64(i) * 255 / (GreyLevels - 1)))
		p = append(p, color.RGBA{y, y, y, 0xff})
	}
	return p
}

// T2Index returns the index in MapPalette of a T2 in ms. T2 above the scale has the last colour of
// the scale.
func T2Index(t2 float32) uint8 {
	i := int(float64(t2) * T2Levels / ScaleMaxMS)
	return uint8(FirstT2 + min(max(i, 0), T2Levels-1))
}
