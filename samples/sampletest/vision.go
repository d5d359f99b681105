package sampletest

import (
	"image/color"
	"math"
)

// Eyes are matrices on linear RGB that simulate normal vision and a complete loss of the long or of the
// middle cones (Machado, Oliveira and Fernandes 2009, 10.1109/TVCG.2009.113).
var Eyes = map[string][3][3]float64{
	"normal":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
}

// Lab returns CIE L*a*b* (D65) of a colour as seen with the given matrix of Eyes.
func Lab(c color.RGBA, eye [3][3]float64) [3]float64 {
	var linear, seen, xyz [3]float64
	for n, v := range []uint8{c.R, c.G, c.B} {
		x := float64(v) / 255
		if linear[n] = x / 12.92; x > 0.04045 {
			linear[n] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	for r, row := range eye {
		seen[r] = min(max(row[0]*linear[0]+row[1]*linear[1]+row[2]*linear[2], 0), 1)
	}
	xyzOfRGB := [3][3]float64{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750},
		{0.0193339, 0.1191920, 0.9503041}} // of sRGB
	white := [3]float64{0.95047, 1, 1.08883}
	for r, row := range xyzOfRGB {
		v := (row[0]*seen[0] + row[1]*seen[1] + row[2]*seen[2]) / white[r]
		if xyz[r] = (24389*v/27 + 16) / 116; v > 216.0/24389 {
			xyz[r] = math.Cbrt(v)
		}
	}
	return [3]float64{116*xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])}
}
