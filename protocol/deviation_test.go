package protocol

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/volume"
)

// asExpected returns a train and an expectation that it meets.
func asExpected() (dicomio.Train, Acquisition) {
	t := dicomio.Train{Hash: "abc", TE: []float64{10, 20, 30.4, 40, 50},
		Scanner:     dicomio.Scanner{Model: "Prisma_fit", Field: 2.8936},
		Acquisition: dicomio.Acquisition{TR: 2750, PixelSpacing: [2]float64{0.31, 0.3125}},
		Geometry:    volume.Geometry{Affine: [3][4]float64{{0.31}, {0, 0.3125}, {0, 0, 3.5}}}}
	return t, Acquisition{Echoes: 5, Spacing: Expected{Value: 10}, TR: Expected{Value: 2700}, Field: Expected{Value: 3},
		Voxel: ExpectedVoxel{Value: []float64{0.3125, 0.3125, 3.5}}, Scanners: []string{"Skyra*", "prisma*"}}
}

func TestDeviations(t *testing.T) {
	exact, wide := 0.0, 1.0
	for _, c := range []struct {
		name   string
		change func(*dicomio.Train, *Acquisition)
		want   string
	}{
		{"none", func(*dicomio.Train, *Acquisition) {}, ""},
		{"nothing expected", func(t *dicomio.Train, a *Acquisition) { *a = Acquisition{}; t.TE = nil }, ""},
		{"echoes", func(t *dicomio.Train, _ *Acquisition) { t.TE = t.TE[:4] }, "number of echoes 4, expected 5"},
		{"spacing", func(t *dicomio.Train, _ *Acquisition) { t.TE[1] = 19.4 },
			"echo spacing 11 ms, expected 10 ± 0.5 ms"},
		{"spacing, exact", func(_ *dicomio.Train, a *Acquisition) { a.Spacing.Tolerance = &exact },
			"echo spacing 10.4 ms, expected 10 ms"},
		{"spacing, wider", func(t *dicomio.Train, a *Acquisition) { t.TE[1] = 19.4; a.Spacing.Tolerance = &wide }, ""},
		{"TR", func(t *dicomio.Train, _ *Acquisition) { t.Acquisition.TR = 2801 }, "TR 2801 ms, expected 2700 ± 100 ms"},
		{"TR that varies", func(t *dicomio.Train, _ *Acquisition) {
			t.Acquisition.TR, t.Acquisition.Varying = math.NaN(), []string{"TR"}
		}, "TR that varies, expected 2700 ± 100 ms"},
		{"no field", func(t *dicomio.Train, _ *Acquisition) { t.Scanner.Field = math.NaN() },
			"field strength not in the images, expected 3 ± 0.2 T"},
		{"field", func(t *dicomio.Train, _ *Acquisition) { t.Scanner.Field = 1.5 },
			"field strength 1.5 T, expected 3 ± 0.2 T"},
		{"slices", func(t *dicomio.Train, _ *Acquisition) { t.Geometry.Affine[2][2] = 3 },
			"voxel size 0.31 × 0.3125 × 3 mm, expected 0.3125 × 0.3125 × 3.5 ± 0.02 mm"},
		{"scanner", func(t *dicomio.Train, _ *Acquisition) { t.Scanner.Model = "Aera" },
			"scanner model Aera, expected Skyra*, prisma*"},
		{"no scanner", func(t *dicomio.Train, _ *Acquisition) { t.Scanner.Model = " " },
			"scanner model not in the images, expected Skyra*, prisma*"},
		{"two", func(t *dicomio.Train, _ *Acquisition) { t.TE = t.TE[:4]; t.Scanner.Field = 7 },
			"number of echoes 4, expected 5; field strength 7 T, expected 3 ± 0.2 T"},
	} {
		train, a := asExpected()
		c.change(&train, &a)
		if got := report.DeviationsText(a.Deviations(train)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if err := (Protocol{Acquisition: a}).CheckAcquisition(train); err != nil {
			t.Errorf("%s, flag: %v", c.name, err)
		}
		a.Deviation = DeviationFail
		err := Protocol{Acquisition: a}.CheckAcquisition(train)
		var refused *dicomio.TrainError
		if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &refused) || refused.Series != "abc" ||
			!strings.Contains(err.Error(), c.want) || hint.Find(err) == "") {
			t.Errorf("%s, fail: %v", c.name, err)
		}
	}
}

// The record of a protocol says what it expects and at which limits, with defaults filled in.
func TestRecordOfQuality(t *testing.T) {
	_, a := asExpected()
	p := Protocol{Acquisition: a}
	inf := math.Inf(1)
	p.Quality.Shift.Warn, p.Quality.Shift.Fail = &inf, &inf
	fit, err := p.Fit.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	r := p.Record(fit)
	if got := fmt.Sprint(*r.Acquisition); got !=
		"{5 {10 0.5} {2700 100} [0.3125 0.3125 3.5] 0.02 {3 0.2} [Skyra* prisma*] flag}" {
		t.Error(got)
	}
	if got := fmt.Sprint(*r.Quality); got !=
		"{{5 3} {200 50} {NaN NaN} {10 25} 5 20 0 1 NaN NaN [20 70] baseline}" {
		t.Error(got)
	}
	if r.SHA256 == "" || r.SHA256 == (Protocol{}).Record(fit).SHA256 {
		t.Errorf("the hash %q", r.SHA256)
	}
}
