package panel

import (
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

// unrolledStudy is the unrolled map of a study's folder.
type unrolledStudy struct {
	result   report.Result
	unrolled report.Unrolled
}

// NoUnrolledError says that a study has no unrolled map, and why: its mask marks no femoral
// cartilage, or no maps were written.
type NoUnrolledError struct{ Reason string }

func (e *NoUnrolledError) Error() string { return e.Reason }

// readUnrolled reads result.json and unrolled.nii.gz of a study's folder; its errors are words
// for a tile.
func readUnrolled(folder string) (unrolledStudy, error) {
	result, err := readResultOf(folder)
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
	f, err := openOf(folder, report.UnrolledFile)
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

// decodeUnrolled reads what Unrolled.Volume has written.
func decodeUnrolled(f *os.File) (report.Unrolled, error) {
	g, frames, err := nifti.ReadFrames(f)
	if err != nil {
		return report.Unrolled{}, err
	}
	a := g.Affine
	if len(frames) != 1 || g.Size[2] != 1 || a[0][1] != 0 || a[1][0] != 0 {
		return report.Unrolled{}, errors.New("not an unrolled map")
	}
	u := report.Unrolled{Angle: decimal(a[1][1]), Across: decimal(a[0][0])}
	if !(u.Angle > 0 && u.Across > 0) {
		return report.Unrolled{}, errors.New("not an unrolled map")
	}
	for _, axis := range []struct {
		steps        *[2]int
		middle, step float64
		size         int
	}{{&u.Columns, a[0][3], u.Across, g.Size[0]}, {&u.Rows, a[1][3], u.Angle, g.Size[1]}} {
		first := math.Round(axis.middle/axis.step - 0.5)
		if !(math.Abs((first+0.5)*axis.step-axis.middle) < axis.step/100) {
			return report.Unrolled{}, errors.New("the cells do not lie at multiples of their size")
		}
		*axis.steps = [2]int{int(first), int(first) + axis.size}
	}
	for _, t2 := range frames[0] {
		u.T2 = append(u.T2, float64(t2))
	}
	return u, u.Check()
}

// decimal takes from a step what its storage as a float32 has added: t2map's are whole tenths
// of a mm and degrees.
func decimal(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// changeFrom returns this map minus an earlier one, cell by cell; a cell that either lacks is
// NaN. It is an error, in words for a tile, where the cells have other sizes or the maps are of
// two knees: nothing is resampled.
func changeFrom(earlier, u report.Unrolled) (report.Unrolled, error) {
	if u.Side != earlier.Side && u.Side != "" && earlier.Side != "" {
		return report.Unrolled{}, fmt.Errorf("the %s knee, at baseline the %s: not compared",
			printable.Line(u.Side), printable.Line(earlier.Side))
	}
	change, err := weighted(u).ChangeFrom(weighted(earlier))
	var steps *unroll.StepsError
	if errors.As(err, &steps) {
		return report.Unrolled{}, fmt.Errorf("cells of %s° × %s mm, at baseline %s° × %s mm: not compared",
			shortest(steps.A[0]), shortest(steps.A[1]), shortest(steps.B[0]), shortest(steps.B[1]))
	}
	if err != nil {
		return report.Unrolled{}, err
	}
	out := report.Unrolled{
		Angle: change.Angle, Across: change.Width, Rows: change.Rows, Columns: change.Columns, T2: change.T2, Side: u.Side,
	}
	if out.Side == "" {
		out.Side = earlier.Side
	}
	return out, nil
}

// weighted is the map as package unroll has it. Weights are not in the file: each cell with a
// T2 has 1.
func weighted(u report.Unrolled) unroll.Map {
	m := unroll.Map{
		Angle: u.Angle, Width: u.Across, Rows: u.Rows, Columns: u.Columns, T2: u.T2, Weight: make([]float64, len(u.T2)),
	}
	for n, t2 := range u.T2 {
		if finite(t2) {
			m.Weight[n] = 1
		}
	}
	return m
}

// cells returns how many cells have a value.
func cells(u report.Unrolled) int {
	n := 0
	for _, t2 := range u.T2 {
		if finite(t2) {
			n++
		}
	}
	return n
}

// WriteUnrolledChange writes the change of the unrolled femoral map from the study in the
// folder baseline to that in the folder later, as NIfTI with the axes of unrolled.nii.gz: T2 of
// later minus that of baseline in ms, NaN in cells that either lacks.
//
// A *NoUnrolledError says that one of them has no such map. Other errors are a file that
// is missing or damaged, cells of different sizes, and maps of two knees.
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
