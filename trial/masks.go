package trial

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// maskCount counts the visits of subjects with values by the origin of their masks.
type maskCount struct {
	carried, drawn int
	// sources are the visits that masks were carried from, visits those with a carried mask, in the
	// order of the design.
	sources, visits []string
	// drawnElsewhere counts the drawn masks at visits other than the sources.
	drawnElsewhere int
}

// flagMasks flags values whose masks were carried from another visit, and notes their number. If drawn
// masks exist only at the visits that masks were carried from, each visit has masks of one kind, and
// the carried values are flagged. If there are drawn masks at other visits too, a change or a
// difference may be due to the kind of mask, and every value is flagged.
func (j *joiner) flagMasks(endpoints []Endpoint) {
	count := j.countMasks(endpoints)
	if count.carried == 0 {
		return
	}
	sources := strings.Join(count.sources, ", ")
	note := fmt.Sprintf("the masks of %d of %d visits with values were carried from %s by registration, not drawn: "+
		"see mask_from in values.csv", count.carried, count.carried+count.drawn, sources)
	f := Flag{Kind: CarriedMask, Text: fmt.Sprintf("masks of %s carried from %s by registration",
		strings.Join(count.visits, ", "), sources)}
	mixed := count.drawnElsewhere > 0
	if mixed {
		f.Text = fmt.Sprintf("the masks of some visits were carried from %s, those of others were drawn (%d and "+
			"%d): a change may be due to the masks", sources, count.carried, count.drawnElsewhere)
		note += fmt.Sprintf("; of the visits other than %s, %d have a drawn mask", sources, count.drawnElsewhere)
	}
	j.notes = append(j.notes, note)
	flagValues(endpoints, j.flag(f), func(v Value) bool { return mixed || v.MaskFrom != "" })
}

// countMasks counts each visit of a subject once, since its compartments share a mask.
func (j *joiner) countMasks(endpoints []Endpoint) (c maskCount) {
	type place struct{ subject, visit int }
	source := map[place]string{}
	for _, e := range endpoints {
		for s := range e.Values {
			for v, value := range e.Values[s] {
				if !math.IsNaN(value.X) && source[place{s, v}] == "" {
					source[place{s, v}] = value.MaskFrom
				}
			}
		}
	}
	for _, visit := range source {
		if visit != "" {
			c.sources = include(c.sources, visit)
		}
	}
	slices.Sort(c.sources)
	for v, visit := range j.d.Visits {
		for s := range j.d.Subjects {
			carriedFrom, hasValue := source[place{s, v}]
			switch {
			case !hasValue:
			case carriedFrom == "":
				c.drawn++
				if !slices.Contains(c.sources, visit.Name) {
					c.drawnElsewhere++
				}
			default:
				c.carried++
				c.visits = include(c.visits, visit.Name)
			}
		}
	}
	return c
}
