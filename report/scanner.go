package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
)

// Scanner is the scanner of a series. Texts are empty and numbers NaN where the
// images do not say.
type Scanner struct {
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	// FieldT is the field strength in T.
	FieldT segment.Number `json:"field_t"`
	// Serial is the first 12 hexadecimal digits of the SHA-256 of the serial number.
	Serial   string `json:"serial"`
	Software string `json:"software"`
}

// Acquisition is how a series was acquired, beside TE and Size, as its images say it.
// A number is NaN where they do not say it, or where they differ: then Varying names it.
type Acquisition struct {
	TRMS             segment.Number `json:"tr_ms"`
	FlipDegrees      segment.Number `json:"flip_degrees"`
	PixelBandwidthHz segment.Number `json:"pixel_bandwidth_hz"`
	// PixelSpacingMM is the distance of columns and of rows as the images have it.
	PixelSpacingMM [2]float64 `json:"pixel_spacing_mm"`
	Sequence       string     `json:"sequence"`
	// Varying holds TR, flip or bandwidth where the images of the series differ in it.
	Varying []string `json:"varying,omitempty"`
}

// text names the scanner without its software on one line: the known parts, separated by semicolons.
func (s *Scanner) text() string {
	if s == nil {
		return ""
	}
	var parts []string
	add := func(name, value string) {
		if value = withoutSemicolons(value); value != "" {
			parts = append(parts, name+value)
		}
	}
	add("", s.Manufacturer)
	add("", s.Model)
	if isFinite(float64(s.FieldT)) {
		add("", steady(float64(s.FieldT), decimalsField)+" T")
	}
	add("serial ", s.Serial)
	return strings.Join(parts, "; ")
}

// software returns the software of the scanner on one line.
func (s *Scanner) software() string {
	if s == nil {
		return ""
	}
	return withoutSemicolons(s.Software)
}

func withoutSemicolons(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(printable.Line(text), ";", ","))
}

// The decimals of an acquisition in words: coarser than what exports and scanners
// round to, finer than what a protocol would be changed by.
const (
	decimalsField     = 1 // 2.8936 T is called 3 T by some
	decimalsTE        = 2
	decimalsTR        = 0
	decimalsFlip      = 0
	decimalsBandwidth = 1
	decimalsPixel     = 4
	decimalsSlice     = 2 // from positions, which come with two decimals or more
)

// acquisition says on one line how the series was acquired: echoes, TR, matrix, spacing,
// flip angle, bandwidth and sequence, those that are known. Acquisitions that agree in
// these to the decimals above have the same text, others another. t2map's own words are
// ASCII, as spreadsheets take UTF-8 for another encoding. It is empty where an earlier
// version did not say.
func (r Result) acquisition() string {
	a := r.Acquisition
	if a == nil {
		return ""
	}
	parts := []string{echoes(r.TE)}
	add := func(name string, value segment.Number, decimals int, unit string) {
		switch {
		case slices.Contains(a.Varying, name):
			parts = append(parts, name+" varies")
		case isFinite(float64(value)):
			parts = append(parts, name+" "+steady(float64(value), decimals)+unit)
		}
	}
	add("TR", a.TRMS, decimalsTR, " ms")
	parts = append(parts,
		fmt.Sprintf("%dx%dx%d", r.Size[0], r.Size[1], r.Size[2]),
		fmt.Sprintf("%sx%sx%s mm", steady(a.PixelSpacingMM[0], decimalsPixel), steady(a.PixelSpacingMM[1], decimalsPixel), steady(r.Spacing[2], decimalsSlice)))
	add("flip", a.FlipDegrees, decimalsFlip, " deg")
	add("bandwidth", a.PixelBandwidthHz, decimalsBandwidth, " Hz/px")
	if s := strings.TrimSpace(printable.Line(a.Sequence)); s != "" {
		parts = append(parts, "sequence "+s)
	}
	return strings.Join(parts, ", ")
}

// echoes lists the echo times, or the first and the last where they are evenly spaced.
func echoes(te []float64) string {
	texts := make([]string, len(te))
	even := len(te) > 2
	for i, v := range te {
		texts[i] = steady(v, decimalsTE)
		// Of two rounded times, each may be off by half of the last decimal.
		even = even && math.Abs(v-te[0]-float64(i)*(te[1]-te[0])) < 0.015*float64(max(i, 1))
	}
	list := strings.Join(texts, ", ")
	if even {
		list = texts[0] + "-" + texts[len(te)-1]
	}
	return fmt.Sprintf("%d echoes %s ms", len(te), list)
}

// steady prints x with at most that many decimals, none of them a trailing zero. It
// rounds to two further decimals first, so that a setting that ends in 5, such as
// 0.46875 mm, has one text however it was rounded on its way.
func steady(x float64, decimals int) string {
	fine, coarse := math.Pow10(decimals+2), math.Pow10(decimals)
	if rounded := math.Round(math.Round(x*fine)/100) / coarse; math.Abs(x) < 1e9 { // beyond, no header means it
		x = rounded
	}
	return strconv.FormatFloat(x+0, 'f', -1, 64) // −0 + 0 is 0
}
