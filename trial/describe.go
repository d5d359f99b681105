package trial

import (
	"math"
	"slices"

	"github.com/t2map/t2map/trial/compare"
)

// describe returns the statistics of the numbers that are not NaN.
func describe(xs []float64, level float64) Description {
	d, err := compare.Describe(present(xs), level)
	if err != nil {
		// Numbers of tables are finite, and the level is checked.
		panic(err)
	}
	return d
}

// present returns the values that are not NaN.
func present(xs []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(xs), math.IsNaN)
}

// describeCells describes every arm at every visit.
func (a *EndpointAnalysis) describeCells(d Design, flags []Flag, level float64) {
	a.Cells = make([][]Cell, len(d.Arms))
	for arm := range d.Arms {
		unplanned := describe(nil, level)
		a.Cells[arm] = slices.Repeat([]Cell{{Value: unplanned, Change: unplanned, Percent: unplanned,
			Quality: QualityCell{ImageQuality: meanQuality(nil)}}}, len(d.Visits))
		for _, v := range a.Visits {
			a.Cells[arm][v] = a.cell(d, [2]int{arm, v}, level)
			a.flagCell(d, flags, [2]int{arm, v})
			a.Cells[arm][v].Quality = a.quality(d, flags, [2]int{arm, v})
		}
	}
}

func (a *EndpointAnalysis) cell(d Design, armVisit [2]int, level float64) Cell {
	var c Cell
	var values, deltas, percents []float64
	for s, subject := range d.Subjects {
		if subject.Arm != armVisit[0] || !subject.Analysed() {
			continue
		}
		x, change := a.Values[s][armVisit[1]].X, a.Changes[s][armVisit[1]]
		if math.IsNaN(x) {
			c.Missing++
		}
		values, deltas, percents = append(values, x), append(deltas, change.Scaled), append(percents, change.Percent)
	}
	c.Value, c.Change, c.Percent = describe(values, level), describe(deltas, level), describe(percents, level)
	return c
}

// flagCell collects the flags that figures of this arm at this visit have to show. It includes the flags
// of values that are missing because of two studies.
func (a *EndpointAnalysis) flagCell(d Design, flags []Flag, armVisit [2]int) {
	cell := &a.Cells[armVisit[0]][armVisit[1]]
	add := func(list *[]int, found []int) {
		for _, f := range found {
			if flags[f].Kind.OnFigures() && !slices.Contains(*list, f) {
				*list = append(*list, f)
			}
		}
	}
	for s, subject := range d.Subjects {
		if subject.Arm != armVisit[0] || !subject.Analysed() {
			continue
		}
		baseline, value := a.Values[s][0].touching(flags), a.Values[s][armVisit[1]].touching(flags)
		add(&cell.ValueFlags, value)
		// A change needs both values.
		if baseline != nil && value != nil {
			add(&cell.ChangeFlags, baseline)
			add(&cell.ChangeFlags, value)
		}
	}
	slices.Sort(cell.ValueFlags)
	slices.Sort(cell.ChangeFlags)
}

// touching returns the flags of a value that exists, which may be none but not nil, or of a value that is
// missing because of several studies. It is nil for other missing values.
func (v Value) touching(flags []Flag) []int {
	if v.Missing.Kind == Present {
		return append([]int{}, v.Flags...)
	}
	var causes []int
	for _, f := range v.Flags {
		if flags[f].Kind == TwoStudies {
			causes = append(causes, f)
		}
	}
	return causes
}
