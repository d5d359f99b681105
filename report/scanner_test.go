package report

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/t2map/t2map/number"
)

var nan = number.Float(math.NaN())

func TestScannerText(t *testing.T) {
	for _, c := range []struct {
		s              *Scanner
		want, software string
	}{
		{nil, "", ""},
		{&Scanner{FieldT: nan}, "", ""},
		{&Scanner{Manufacturer: "SIEMENS", Model: "Prisma", FieldT: 2.89362, Serial: "0123456789ab",
			Software: "syngo MR E11"}, "SIEMENS; Prisma; 2.9 T; serial 0123456789ab", "syngo MR E11"},
		{&Scanner{Model: "SIGNA", FieldT: 3}, "SIGNA; 3 T", ""},
		{&Scanner{Manufacturer: "A; serial 1", FieldT: 1.494, Software: "1\r\n=2;3\u202e"}, "A, serial 1; 1.5 T", "1  =2,3"},
		{&Scanner{Manufacturer: " ", FieldT: number.Float(math.Inf(1))}, "", ""},
	} {
		if got, software := c.s.text(), c.s.software(); got != c.want || software != c.software {
			t.Errorf("%+v: got %q and %q, want %q and %q", c.s, got, software, c.want, c.software)
		}
	}
}

func oai() Result {
	return Result{
		TE: []float64{10, 20, 30, 40, 50, 60, 70}, Size: [3]int{384, 384, 25},
		Spacing: [3]float64{0.31250002, 0.3125, 3.4999},
		Acquisition: &Acquisition{TRMS: 2700, FlipDegrees: 180, PixelBandwidthHz: 250,
			PixelSpacingMM: [2]float64{0.3125, 0.3125}, Sequence: "*se2d7"},
	}
}

const oaiText = "7 echoes 10-70 ms, TR 2700 ms, 384x384x25, 0.3125x0.3125x3.5 mm, flip 180 deg, bandwidth 250 Hz/px, " +
	"sequence *se2d7"

// What differs beyond jitter has another text; each change stands alone.
func TestAcquisitionText(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *Result)
		want   string
	}{
		{"as it is", func(*Result) {}, oaiText},
		{"an earlier version", func(r *Result) { r.Acquisition = nil }, ""},
		{"jitter", func(r *Result) {
			r.TE, r.Spacing[2] = []float64{10.001, 19.999, 30, 40, 50.001, 60, 70}, 3.5003
			r.Acquisition.TRMS, r.Acquisition.FlipDegrees, r.Acquisition.PixelBandwidthHz,
				r.Acquisition.PixelSpacingMM[1] = 2700.02, 179.99, 250.01, 0.31249999
		}, oaiText},
		{"TR", func(r *Result) { r.Acquisition.TRMS = 2701 }, strings.Replace(oaiText, "2700", "2701", 1)},
		{"slices", func(r *Result) { r.Size[2] = 26 }, strings.Replace(oaiText, "x25", "x26", 1)},
		{"a pixel", func(r *Result) { r.Acquisition.PixelSpacingMM[0] = 0.4167 },
			strings.Replace(oaiText, "0.3125", "0.4167", 1)},
		{"the gap", func(r *Result) { r.Spacing[2] = 3.6 }, strings.Replace(oaiText, "3.5 mm", "3.6 mm", 1)},
		{"an echo", func(r *Result) { r.TE = []float64{10, 20, 30, 40, 55, 60, 70} },
			strings.Replace(oaiText, "10-70", "10, 20, 30, 40, 55, 60, 70", 1)},
		{"flip", func(r *Result) { r.Acquisition.FlipDegrees = 175 }, strings.Replace(oaiText, "180", "175", 1)},
		{"bandwidth", func(r *Result) { r.Acquisition.PixelBandwidthHz = 244.141 },
			strings.Replace(oaiText, "250", "244.1", 1)},
		{"sequence", func(r *Result) { r.Acquisition.Sequence = "tse" }, strings.Replace(oaiText, "*se2d7", "tse", 1)},
		{"not said", func(r *Result) {
			r.Acquisition.TRMS, r.Acquisition.FlipDegrees, r.Acquisition.PixelBandwidthHz, r.Acquisition.Sequence = nan, nan,
				nan, ""
		}, "7 echoes 10-70 ms, 384x384x25, 0.3125x0.3125x3.5 mm"},
		{"varying", func(r *Result) {
			r.Acquisition.TRMS, r.Acquisition.Varying = nan, []string{"TR"}
		}, strings.Replace(oaiText, "TR 2700 ms", "TR varies", 1)},
		{"two echoes", func(r *Result) { r.TE = r.TE[:2] }, strings.Replace(oaiText, "7 echoes 10-70", "2 echoes 10, 20", 1)},
		{"hostile", func(r *Result) { r.Acquisition.TRMS, r.Acquisition.Sequence = 1e300, "a\nb" }, ""},
	} {
		r := oai()
		c.change(&r)
		got := r.acquisition()
		if strings.ContainsFunc(got, func(c rune) bool { return c > unicode.MaxASCII }) {
			t.Errorf("%s: %q is not ASCII", c.name, got)
		}
		if c.name == "hostile" {
			if strings.ContainsAny(got, "\n") || strings.Contains(got, "Inf") {
				t.Errorf("hostile: %q", got)
			}
		} else if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A setting with up to four decimals, or a fraction of a power of two such as 0.46875, has one
// text, whatever exports did to its last digits.
func TestSteadyText(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		x := float64(r.IntN(10_000)) / []float64{1, 2, 4, 8, 16, 32, 64, 10, 100, 1000, 10_000}[r.IntN(11)]
		for _, decimals := range []int{decimalsField, decimalsTE, decimalsBandwidth, decimalsPixel} {
			if want, got := steady(x, decimals), steady(x*(1+1e-12*(r.Float64()-0.5)), decimals); got != want {
				t.Fatalf("%v with %d decimals: %s or %s", x, decimals, got, want)
			}
		}
		if want, got := steady(x, decimalsPixel), steady(x+4e-7*(r.Float64()-0.5), decimalsPixel); got != want &&
			x == math.Round(x*32)/32 {
			t.Fatalf("%v mm: %s or %s", x, got, want)
		}
	}
	for x, want := range map[float64]string{0: "0", math.Copysign(0, -1): "0", -1e-9: "0", 0.46875: "0.4688",
		0.468749999: "0.4688", 3: "3", 100: "100"} {
		if got := steady(x, 4); got != want {
			t.Errorf("steady(%v) = %q, want %q", x, got, want)
		}
	}
}

// Results of versions without anatomy are read too.
func TestResultWithoutScanner(t *testing.T) {
	var r Result
	if err := json.Unmarshal([]byte(`{"version": "0.1.0", "te_ms": [10, 20]}`), &r); err != nil || r.Anatomy != nil ||
		r.acquisition() != "" {
		t.Error(r.Anatomy, err)
	}
}
