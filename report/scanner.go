package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
)

// Scanner is the scanner of a series. Attributes that the images do not have are "" or NaN.
type Scanner struct {
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	// FieldT is the field strength in T.
	FieldT number.Float `json:"field_t"`
	// Serial is the first 12 hexadecimal digits of the SHA-256 of the serial number.
	Serial   string `json:"serial"`
	Software string `json:"software"`
}

// Acquisition holds further attributes of the acquisition, as stored in the images. A number is NaN if
// the images do not have it. It is also NaN if they differ; then Varying names it.
type Acquisition struct {
	TRMS             number.Float `json:"tr_ms"`
	FlipDegrees      number.Float `json:"flip_degrees"`
	PixelBandwidthHz number.Float `json:"pixel_bandwidth_hz"`
	// PixelSpacingMM is the distance between columns and between rows, as stored in the images.
	PixelSpacingMM [2]float64 `json:"pixel_spacing_mm"`
	Sequence       string     `json:"sequence"`
	// Varying holds TR, flip or bandwidth if the images of the series differ in it.
	Varying []string `json:"varying,omitempty"`
}

// text describes the scanner on one line, without its software. Semicolons separate the known parts.
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

// The decimals of Result.acquisition. They are coarser than the rounding of exports and scanners, and
// finer than any deliberate change of a protocol.
const (
	decimalsField     = 1 // some manufacturers write 2.8936 T as 3 T
	decimalsTE        = 2
	decimalsTR        = 0
	decimalsFlip      = 0
	decimalsBandwidth = 1
	decimalsPixel     = 4
	decimalsSlice     = 2 // calculated from positions, which have at least two decimals
)

// acquisition describes on one line how the series was acquired: echoes, TR, matrix, spacing, flip angle,
// bandwidth and sequence, as far as they are known. Two acquisitions have the same text if and only if
// they agree to the decimals above. t2map's own words are ASCII, because spreadsheets often misread
// UTF-8. The text is empty for results of versions that did not record the acquisition.
func (r Result) acquisition() string {
	a := r.Acquisition
	if a == nil {
		return ""
	}
	parts := []string{echoes(r.TE)}
	add := func(name string, value number.Float, decimals int, unit string) {
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
		fmt.Sprintf("%sx%sx%s mm", steady(a.PixelSpacingMM[0], decimalsPixel),
			steady(a.PixelSpacingMM[1], decimalsPixel), steady(r.Spacing[2], decimalsSlice)))
	add("flip", a.FlipDegrees, decimalsFlip, " deg")
	add("bandwidth", a.PixelBandwidthHz, decimalsBandwidth, " Hz/px")
	if s := strings.TrimSpace(printable.Line(a.Sequence)); s != "" {
		parts = append(parts, "sequence "+s)
	}
	return strings.Join(parts, ", ")
}

// echoes lists the echo times, or only the first and the last if they are evenly spaced.
func echoes(te []float64) string {
	texts := make([]string, len(te))
	even := len(te) > 2
	for i, v := range te {
		texts[i] = steady(v, decimalsTE)
		// Each rounded time may differ from the exact time by half a unit of the last decimal.
		even = even && math.Abs(v-te[0]-float64(i)*(te[1]-te[0])) < 0.015*float64(max(i, 1))
	}
	list := strings.Join(texts, ", ")
	if even {
		list = texts[0] + "-" + texts[len(te)-1]
	}
	return fmt.Sprintf("%d echoes %s ms", len(te), list)
}

// steady formats x with at most the given number of decimals, without trailing zeros. It first rounds
// to two more decimals, so that a setting that ends in 5, such as 0.46875 mm, always has the same text,
// however it was rounded before.
func steady(x float64, decimals int) string {
	fine, coarse := math.Pow10(decimals+2), math.Pow10(decimals)
	if rounded := math.Round(math.Round(x*fine)/100) / coarse; math.Abs(x) < 1e9 { // no valid header has a larger value
		x = rounded
	}
	return strconv.FormatFloat(x+0, 'f', -1, 64) // −0 + 0 is 0
}
