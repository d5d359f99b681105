package accuracy

import (
	"math"
	"testing"

	"github.com/t2map/t2map/volume"
)

func TestCell(t *testing.T) {
	nan := float32(math.NaN())
	m := method{Method: Method{Name: nlls, Skipped: 1}}
	c := condition{train: oai, t2: 40, snr: 50, b1: 1}
	// Six fitted echoes less two unknowns: t = 2.776 at 97.5 %, in every table of
	// Student's distribution.
	d := draws{
		t2: []float32{38, 44, 41, nan, nan},
		se: []float32{2 / 2.7, 4 / 2.8, 1, nan, nan},
		status: []volume.Status{volume.Fitted, volume.Fitted, volume.OutOfRange, volume.NotDecaying,
			volume.NotDecaying},
	}
	got := m.cell(c, d)
	want := Cell{
		Bias: 44.0/40 - 1, // of 38, 41, 44, ∞, ∞
		SD:   3, RMSE: math.Sqrt((4 + 16 + 1) / 3.0),
		Coverage: 2.0 / 5, Failed: 2.0 / 5, // 38 and 41 are covered, 44 just not
	}
	for name, pair := range map[string][2]float64{
		"bias": {got.Bias, want.Bias}, "SD": {got.SD, want.SD}, "RMSE": {got.RMSE, want.RMSE},
		"coverage": {got.Coverage, want.Coverage}, "failed": {got.Failed, want.Failed},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-6 {
			t.Errorf("%s: %g, want %g", name, pair[0], pair[1])
		}
	}
	if got.Draws != 5 || got.Method != nlls || got.T2 != 40 || got.Echoes != 7 {
		t.Errorf("%+v", got)
	}
	d.status[3], d.status[4] = volume.NotConverged, volume.NotConverged
	if got := m.cell(c, d); math.Abs(got.Bias-(38.0/40-1)) > 1e-6 { // of 0, 0, 38, 41, 44
		t.Errorf("bias %g where T2 was lost downwards", got.Bias)
	}
}

func TestCellWithoutEstimates(t *testing.T) {
	nan := float32(math.NaN())
	m := method{Method: Method{Name: nlls, Skipped: 1}}
	d := draws{t2: []float32{nan, nan}, se: []float32{nan, nan},
		status: []volume.Status{volume.NotDecaying, volume.NotDecaying}}
	got := m.cell(condition{train: oai, t2: 40, snr: 5, b1: 1}, d)
	if !math.IsInf(got.Bias, 1) || !math.IsNaN(got.SD) || got.Failed != 1 || got.Coverage != 0 {
		t.Errorf("%+v", got)
	}
}

// A robust SD of normal draws is their SD.
func TestRobustSD(t *testing.T) {
	if math.Abs(quartileRange-1.3489795) > 1e-7 {
		t.Errorf("quartiles of a normal distribution are %g apart", quartileRange)
	}
}
