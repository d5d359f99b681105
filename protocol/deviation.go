package protocol

import (
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// rounding is the relative rounding error of values in headers, which are float32 in some sequences. A difference
// that exceeds the tolerance only by this is within it.
const rounding = 1e-6

// Deviations compares a train with the expectation, in the order of the keys. A value that the images do not have, or
// in which they differ, deviates.
func (a Acquisition) Deviations(t dicomio.Train) []report.Deviation {
	var out []report.Deviation
	if n := len(t.TE); a.Echoes != 0 && n != a.Echoes {
		out = append(out, report.Deviation{Item: report.DeviationEchoes,
			Found: []number.Float{number.Float(n)}, Expected: []number.Float{number.Float(a.Echoes)}})
	}
	compare := func(item report.DeviationItem, found, expected []float64, written *float64, byDefault float64) {
		margin := tolerance(written, byDefault)
		for i, v := range expected {
			if v == 0 || math.Abs(found[i]-v) <= margin+rounding*v { // false for NaN
				continue
			}
			out = append(out, report.Deviation{Item: item, Found: floats(found), Expected: floats(expected),
				Tolerance: number.Float(margin),
				Varies:    item == report.DeviationTR && slices.Contains(t.Acquisition.Varying, "TR")})
			return
		}
	}
	compare(report.DeviationSpacing, []float64{farthest(t.TE, a.Spacing.Value)}, []float64{a.Spacing.Value},
		a.Spacing.Tolerance, toleranceSpacing)
	compare(report.DeviationTR, []float64{t.Acquisition.TR}, []float64{a.TR.Value}, a.TR.Tolerance, toleranceTR)
	in, through := t.Acquisition.PixelSpacing, t.Geometry.Spacing()[2]
	compare(report.DeviationVoxel, []float64{in[0], in[1], through}, a.Voxel.Value, a.Voxel.Tolerance, toleranceVoxel)
	compare(report.DeviationField, []float64{t.Scanner.Field}, []float64{a.Field.Value}, a.Field.Tolerance,
		toleranceField)
	model := strings.TrimSpace(t.Scanner.Model)
	if len(a.Scanners) > 0 && (model == "" || !slices.ContainsFunc(a.Scanners, func(pattern string) bool {
		return glob(pattern, model)
	})) {
		d := report.Deviation{Item: report.DeviationScanners, Model: printable.Short(model)}
		for _, s := range a.Scanners {
			d.Models = append(d.Models, printable.Short(s))
		}
		out = append(out, d)
	}
	return out
}

// farthest returns the time between two neighbouring echoes that is farthest from the expected one.
func farthest(te []float64, expected float64) float64 {
	out := math.NaN()
	for e := 1; e < len(te); e++ {
		if d := te[e] - te[e-1]; math.IsNaN(out) || math.Abs(d-expected) > math.Abs(out-expected) {
			out = d
		}
	}
	return out
}

func floats(x []float64) []number.Float {
	var out []number.Float
	for _, v := range x {
		out = append(out, number.Float(v))
	}
	return out
}

// CheckAcquisition returns a *dicomio.TrainError if the train deviates from the expected acquisition and the protocol
// says that such studies fail.
func (p Protocol) CheckAcquisition(t dicomio.Train) error {
	if p.Acquisition.rule() != DeviationFail {
		return nil
	}
	all := p.Acquisition.Deviations(t)
	if len(all) == 0 {
		return nil
	}
	return &dicomio.TrainError{Series: t.Hash,
		Problem: report.DeviationsWarning(all),
		Topic:   dicomio.TopicAcquisition,
		Hint: "ask the site how the series was acquired, and for the right one if there is one; with `deviation: " +
			"flag` in `acquisition` of the protocol, such studies are mapped with a warning"}
}
