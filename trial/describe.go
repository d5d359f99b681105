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

// members returns the indices of the subjects of an arm who are in the analysis set.
func (d Design) members(arm int) []int {
	var all []int
	for i, s := range d.Subjects {
		if s.Arm == arm && s.Analysed() {
			all = append(all, i)
		}
	}
	return all
}

// describeCells describes every arm at every visit.
func (a *EndpointAnalysis) describeCells(d Design, flags []Flag, level float64) {
	a.Cells = make([][]Cell, len(d.Arms))
	unplanned := describe(nil, level)
	for arm := range d.Arms {
		a.Cells[arm] = slices.Repeat([]Cell{{Value: unplanned, Change: unplanned, Percent: unplanned,
			Quality: QualityCell{ImageQuality: meanQuality(nil)}}}, len(d.Visits))
		members := d.members(arm)
		for _, v := range a.Visits {
			c := a.cell(members, v, level)
			c.ValueFlags, c.ChangeFlags = a.shownFlags(members, v, flags)
			c.Quality = a.quality(members, v, flags)
			a.Cells[arm][v] = c
		}
	}
}

func (a *EndpointAnalysis) cell(members []int, visit int, level float64) (c Cell) {
	var values, logs, deltas, percents []float64
	for _, s := range members {
		x, change := a.Values[s][visit].X, a.Changes[s][visit]
		if math.IsNaN(x) {
			c.Missing++
		}
		values, logs = append(values, x), append(logs, a.scaled(x))
		deltas, percents = append(deltas, change.Scaled), append(percents, change.Percent)
	}
	c.Value, c.Change, c.Percent = describe(values, level), describe(deltas, level), describe(percents, level)
	if a.Log {
		d := describe(logs, level)
		c.Logs = &d
	}
	return c
}

// shownFlags returns the flags that figures of these subjects at a visit have to show. It includes the flags of
// values that are missing because of two studies.
func (a *EndpointAnalysis) shownFlags(members []int, visit int, flags []Flag) (ofValues, ofChanges []int) {
	for _, s := range members {
		baseline, value := a.Values[s][0].touching(flags), a.Values[s][visit].touching(flags)
		ofValues = append(ofValues, value...)
		if baseline != nil && value != nil { // a change needs both
			ofChanges = slices.Concat(ofChanges, baseline, value)
		}
	}
	shown := func(list []int) []int {
		slices.Sort(list)
		return slices.Compact(slices.DeleteFunc(list, func(f int) bool { return !flags[f].Kind.OnFigures() }))
	}
	return shown(ofValues), shown(ofChanges)
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
