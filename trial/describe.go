package trial

import (
	"math"
	"slices"

	"github.com/t2map/t2map/trial/compare"
)

// describe returns a sample's figures; NaN in it is left out.
func describe(xs []float64, level float64) Description {
	d, err := compare.Describe(present(xs), level)
	if err != nil {
		// Tables hold finite numbers only, and the level is checked.
		panic(err)
	}
	return d
}

// present returns what is no NaN.
func present(xs []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(xs), math.IsNaN)
}

// describeCells describes every arm at every visit.
func (a *EndpointAnalysis) describeCells(d Design, flags []Flag, level float64) {
	a.Cells = make([][]Cell, len(d.Arms))
	for arm := range d.Arms {
		a.Cells[arm] = make([]Cell, len(d.Visits))
		for v := range d.Visits {
			a.Cells[arm][v] = a.cell(d, [2]int{arm, v}, level)
			a.Cells[arm][v].Flags = a.touching(d, flags, [2]int{arm, v})
		}
	}
}

func (a *EndpointAnalysis) cell(d Design, armVisit [2]int, level float64) Cell {
	var c Cell
	var values, deltas, percents []float64
	for s, subject := range d.Subjects {
		if subject.Arm != armVisit[0] {
			continue
		}
		x, change := a.Values[s][armVisit[1]].X, a.Changes[s][armVisit[1]]
		if math.IsNaN(x) {
			c.Missing++
		}
		values, deltas, percents = append(values, x), append(deltas, change.Delta), append(percents, change.Percent)
	}
	c.Value, c.Change, c.Percent = describe(values, level), describe(deltas, level), describe(percents, level)
	return c
}

// touching returns the flags that figures of this arm at this visit have to show: those of
// its values and, as change is from them, of their baselines.
func (a *EndpointAnalysis) touching(d Design, flags []Flag, armVisit [2]int) []int {
	var all []int
	for s, subject := range d.Subjects {
		if subject.Arm != armVisit[0] {
			continue
		}
		for _, v := range []int{0, armVisit[1]} {
			for _, f := range a.Values[s][v].Flags {
				if flags[f].Kind.OnFigures() && !slices.Contains(all, f) {
					all = append(all, f)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}
