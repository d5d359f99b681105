package protocol

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// Acquisition is the acquisition that a trial expects of all its studies. The zero value expects nothing.
type Acquisition struct {
	// Echoes is the number of echo times; 0 means any.
	Echoes int `yaml:"echoes"`
	// Spacing is the time in ms between two echoes, TR the repetition time in ms and Field the field strength in T.
	Spacing Expected `yaml:"spacing_ms"`
	TR      Expected `yaml:"tr_ms"`
	// Voxel is the distance in mm between columns, rows and slices.
	Voxel ExpectedVoxel `yaml:"voxel_mm"`
	Field Expected      `yaml:"field_t"`
	// Scanners are patterns of the scanner's model, one of which must match; none means any.
	Scanners []string `yaml:"scanners"`
	// Deviation says what happens to a study that deviates; empty means DeviationFlag.
	Deviation DeviationRule `yaml:"deviation"`
}

// Expected is a number that is expected, and its tolerance. Value 0 means any; a nil tolerance means the default.
type Expected struct {
	Value     float64  `yaml:"value"`
	Tolerance *float64 `yaml:"tolerance"`
}

// ExpectedVoxel is Expected for the three distances of a voxel, with one tolerance.
type ExpectedVoxel struct {
	Value     []float64 `yaml:"value"`
	Tolerance *float64  `yaml:"tolerance"`
}

// DeviationRule says what happens to a study that deviates from the expected acquisition.
type DeviationRule string

// The rules.
const (
	DeviationFlag DeviationRule = "flag" // the study has a warning
	DeviationFail DeviationRule = "fail" // the study fails
)

// The default tolerances. They are wider than the rounding of headers, and narrower than deliberate changes.
const (
	toleranceSpacing = 0.5  // ms: a scanner fits the spacing to its gradients (6.1–6.3 ms on one protocol of GE)
	toleranceTR      = 100  // ms: scanners lengthen TR for the number of slices and for SAR
	toleranceVoxel   = 0.02 // mm: 0.3125 mm is also written as 0.31
	toleranceField   = 0.2  // T: some manufacturers write 2.8936 T as 3 T
)

func (a Acquisition) isZero() bool {
	return a.Echoes == 0 && a.Spacing == (Expected{}) && a.TR == (Expected{}) && a.Voxel.Value == nil &&
		a.Voxel.Tolerance == nil && a.Field == (Expected{}) && len(a.Scanners) == 0
}

// record returns the expectation with its default tolerances, nil if nothing is expected.
func (a Acquisition) record() *report.ExpectedAcquisition {
	if a.isZero() {
		return nil
	}
	out := &report.ExpectedAcquisition{
		Echoes: a.Echoes, SpacingMS: a.Spacing.record(toleranceSpacing), TRMS: a.TR.record(toleranceTR),
		FieldT: a.Field.record(toleranceField), Deviation: string(a.rule()),
		VoxelToleranceMM: number.Float(math.NaN()),
	}
	for i := range out.VoxelMM {
		out.VoxelMM[i] = number.Float(math.NaN())
	}
	if len(a.Voxel.Value) == len(out.VoxelMM) {
		for i, v := range a.Voxel.Value {
			out.VoxelMM[i] = number.Float(v)
		}
		out.VoxelToleranceMM = number.Float(tolerance(a.Voxel.Tolerance, toleranceVoxel))
	}
	for _, s := range a.Scanners {
		out.Scanners = append(out.Scanners, printable.Short(s))
	}
	return out
}

func (a Acquisition) rule() DeviationRule {
	if a.Deviation == "" {
		return DeviationFlag
	}
	return a.Deviation
}

func (e Expected) record(byDefault float64) report.Expected {
	if e.Value == 0 {
		return report.Expected{Value: number.Float(math.NaN()), Tolerance: number.Float(math.NaN())}
	}
	return report.Expected{Value: number.Float(e.Value), Tolerance: number.Float(tolerance(e.Tolerance, byDefault))}
}

func tolerance(written *float64, byDefault float64) float64 {
	if written != nil {
		return *written
	}
	return byDefault
}

// largest values that a protocol may expect; no scanner has larger ones.
const (
	mostEchoes  = 256
	mostMS      = 1e5
	mostVoxelMM = 100
	mostField   = 25
)

// check returns an error if no acquisition can meet the expectation.
func (a Acquisition) check(series SeriesRule) error {
	const leastEchoes = 3 // dicomio finds no shorter train
	switch {
	case a.Echoes != 0 && (a.Echoes < leastEchoes || a.Echoes > mostEchoes):
		return fmt.Errorf("acquisition: echoes: %d is not a number from %d to %d", a.Echoes, leastEchoes, mostEchoes)
	case a.Echoes != 0 && series.Echoes != 0 && a.Echoes != series.Echoes:
		return fmt.Errorf("acquisition: echoes: %d, but series: echoes is %d", a.Echoes, series.Echoes)
	case a.Deviation != "" && a.Deviation != DeviationFlag && a.Deviation != DeviationFail:
		return hint.Errorf(hint.Nearest(string(a.Deviation), []string{string(DeviationFlag), string(DeviationFail)}),
			"acquisition: deviation: %q is neither %s nor %s", string(a.Deviation), DeviationFlag, DeviationFail)
	case a.Deviation != "" && a.isZero():
		return fmt.Errorf("acquisition: deviation has no effect, because nothing is expected")
	}
	for _, e := range []struct {
		name string
		Expected
		most float64
	}{{"spacing_ms", a.Spacing, mostMS}, {"tr_ms", a.TR, mostMS}, {"field_t", a.Field, mostField}} {
		if e.Expected == (Expected{}) {
			continue
		}
		if err := checkExpected([]float64{e.Value}, e.Tolerance, e.most); err != nil {
			return fmt.Errorf("acquisition: %s: %w", e.name, err)
		}
	}
	if v := a.Voxel; v.Value != nil || v.Tolerance != nil {
		if len(v.Value) != 3 {
			return fmt.Errorf("acquisition: voxel_mm: %d numbers, want the distances of columns, rows and slices",
				len(v.Value))
		}
		if err := checkExpected(v.Value, v.Tolerance, mostVoxelMM); err != nil {
			return fmt.Errorf("acquisition: voxel_mm: %w", err)
		}
	}
	if slices.ContainsFunc(a.Scanners, func(s string) bool { return strings.TrimSpace(s) == "" }) {
		return fmt.Errorf("acquisition: scanners: a pattern is empty")
	}
	return nil
}

// checkExpected returns an error if a value is not above 0 and up to most, or the tolerance not from 0 to below the
// values.
func checkExpected(values []float64, written *float64, most float64) error {
	for _, v := range values {
		if !(v > 0 && v <= most) {
			return fmt.Errorf("value %g is not above 0 and at most %g", v, most)
		}
		if written != nil && !(*written >= 0 && *written < v) {
			return fmt.Errorf("tolerance %g is not from 0 to below the value, %g", *written, v)
		}
	}
	return nil
}
