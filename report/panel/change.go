package panel

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment/unroll"
)

// unrolledStudy is a study with its unrolled map.
type unrolledStudy struct {
	result   report.Result
	unrolled report.Unrolled
}

// NoUnrolledError reports that a study has no unrolled map. Reason is that its mask marks no femoral
// cartilage, or that it was mapped without maps.
type NoUnrolledError struct{ Reason string }

func (e *NoUnrolledError) Error() string { return e.Reason }

// readUnrolled reads result.json and unrolled.nii.gz of a study's folder; its errors are texts
// for a tile.
func readUnrolled(folder string) (unrolledStudy, error) {
	result, err := readResult(folder)
	if err != nil {
		return unrolledStudy{}, err
	}
	s := unrolledStudy{result: result}
	if result.Protocol.Maps == "none" {
		return s, &NoUnrolledError{"no maps: mapped with --maps none"}
	}
	if !slices.ContainsFunc(result.Outputs, func(f report.File) bool { return f.Path == report.UnrolledFile }) {
		return s, &NoUnrolledError{"no unrolled map: the mask is not divided, or has no femoral cartilage"}
	}
	f, err := openFile(folder, report.UnrolledFile)
	if err != nil {
		return s, err
	}
	defer f.Close()
	if s.unrolled, err = decodeUnrolled(f); err != nil {
		return s, unreadable(report.UnrolledFile)
	}
	s.unrolled.Side = result.Side
	return s, nil
}

// decodeUnrolled reads a map that report.Unrolled.Volume has written.
func decodeUnrolled(f *os.File) (report.Unrolled, error) {
	g, frames, err := nifti.ReadFrames(f)
	if err != nil {
		return report.Unrolled{}, err
	}
	a := g.Affine
	if len(frames) != 1 || g.Size[2] != 1 || a[0][1] != 0 || a[1][0] != 0 {
		return report.Unrolled{}, errors.New("not an unrolled map")
	}
	u := report.Unrolled{Map: unroll.Map{Angle: decimal(a[1][1]), Width: decimal(a[0][0])}}
	if !(u.Angle > 0 && u.Width > 0) {
		return report.Unrolled{}, errors.New("not an unrolled map")
	}
	for _, axis := range []struct {
		steps        *[2]int
		middle, step float64
		size         int
	}{{&u.Columns, a[0][3], u.Width, g.Size[0]}, {&u.Rows, a[1][3], u.Angle, g.Size[1]}} {
		first := math.Round(axis.middle/axis.step - 0.5)
		if !(math.Abs((first+0.5)*axis.step-axis.middle) < axis.step/100) {
			return report.Unrolled{}, errors.New("the cells do not lie at multiples of their size")
		}
		*axis.steps = [2]int{int(first), int(first) + axis.size}
	}
	for _, t2 := range frames[0] {
		weight := 0. // the file has no weights: each cell with a T2 has 1
		if finite(float64(t2)) {
			weight = 1
		}
		u.T2, u.Weight = append(u.T2, float64(t2)), append(u.Weight, weight)
	}
	return u, u.Check()
}

// decimal removes the rounding error of a float32 from a step, which t2map writes in whole tenths of
// a mm and degrees.
func decimal(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// changeFrom returns this map minus an earlier one, cell by cell. A cell without a T2 in either map is
// NaN. Maps of two knees and maps with cells of different sizes, which are not resampled, are an error,
// whose text is for a tile.
func changeFrom(earlier, u report.Unrolled) (report.Unrolled, error) {
	if u.Side != earlier.Side && u.Side != "" && earlier.Side != "" {
		return report.Unrolled{}, fmt.Errorf("the %s knee, at baseline the %s: not compared",
			printable.Line(u.Side), printable.Line(earlier.Side))
	}
	change, err := u.ChangeFrom(earlier.Map)
	var steps *unroll.StepsError
	if errors.As(err, &steps) {
		return report.Unrolled{}, fmt.Errorf("cells of %s° × %s mm, at baseline %s° × %s mm: not compared",
			shortest(steps.A[0]), shortest(steps.A[1]), shortest(steps.B[0]), shortest(steps.B[1]))
	}
	if err != nil {
		return report.Unrolled{}, err
	}
	return report.Unrolled{Map: change, Side: cmp.Or(u.Side, earlier.Side)}, nil
}

// cells counts the cells that have a value.
func cells(u report.Unrolled) int {
	n := 0
	for _, t2 := range u.T2 {
		if finite(t2) {
			n++
		}
	}
	return n
}

// WriteUnrolledChange writes the change of the unrolled femoral map between the studies in two
// folders, as NIfTI with the axes of unrolled.nii.gz. A cell is T2 in later minus T2 in baseline, in
// ms, and NaN where either has no T2.
//
// The error is a *NoUnrolledError if one of the studies has no such map. Other errors: a missing or
// damaged file, cells of different sizes, and maps of two knees.
func WriteUnrolledChange(w io.Writer, later, baseline string) error {
	then, err := readUnrolled(baseline)
	if err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	now, err := readUnrolled(later)
	if err != nil {
		return err
	}
	change, err := changeFrom(then.unrolled, now.unrolled)
	if err != nil {
		return err
	}
	return nifti.WriteMap(w, change.Volume(), "change of unrolled femoral T2 in ms by mm and degrees")
}
