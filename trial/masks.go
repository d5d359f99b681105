package trial

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// maskCount counts the visits of subjects with a value by how their masks were made.
type maskCount struct {
	carried, drawn int
	// sources are the visits that masks were carried from, visits those with a carried mask, in the
	// order of the design.
	sources, visits []string
	// drawnElsewhere is how many drawn masks are at other visits than the sources.
	drawnElsewhere int
}

// flagMasks flags values whose masks were carried from another visit, and notes how many there
// are. Where all masks but those that were carried are of the visits that they were carried from,
// each visit has masks of one kind, and the flag is on the carried values. Where drawn masks are
// at other visits too, a change or a difference may be one between kinds of masks, and every value
// is flagged.
func (j *joiner) flagMasks(endpoints []Endpoint) {
	count := j.countMasks(endpoints)
	if count.carried == 0 {
		return
	}
	from := strings.Join(count.sources, ", ")
	note := fmt.Sprintf("the masks of %d of %d visits with values were carried from %s by registration, not drawn: see mask_from in values.csv", count.carried, count.carried+count.drawn, from)
	f := Flag{Kind: CarriedMask, Text: fmt.Sprintf("masks of %s carried from %s by registration", strings.Join(count.visits, ", "), from)}
	mixed := count.drawnElsewhere > 0
	if mixed {
		f.Text = fmt.Sprintf("the masks of some visits were carried from %s, of others drawn (%d and %d): a change may come from the mask", from, count.carried, count.drawnElsewhere)
		note += fmt.Sprintf("; of the other visits than %s, %d have a drawn mask", from, count.drawnElsewhere)
	}
	j.notes = append(j.notes, note)
	flag := j.flag(f)
	for _, e := range endpoints {
		for s := range e.Values {
			for v := range e.Values[s] {
				if value := &e.Values[s][v]; !math.IsNaN(value.X) && (mixed || value.MaskFrom != "") {
					value.Flags = append(value.Flags, flag)
				}
			}
		}
	}
}

// countMasks counts each visit of a subject once: its compartments share a mask.
func (j *joiner) countMasks(endpoints []Endpoint) (c maskCount) {
	type place struct{ subject, visit int }
	from := map[place]string{}
	for _, e := range endpoints {
		for s := range e.Values {
			for v, value := range e.Values[s] {
				if !math.IsNaN(value.X) && from[place{s, v}] == "" {
					from[place{s, v}] = value.MaskFrom
				}
			}
		}
	}
	for _, source := range from {
		if source != "" && !slices.Contains(c.sources, source) {
			c.sources = append(c.sources, source)
		}
	}
	slices.Sort(c.sources)
	for v, visit := range j.d.Visits {
		for s := range j.d.Subjects {
			source, valued := from[place{s, v}]
			switch {
			case !valued:
			case source == "":
				c.drawn++
				if !slices.Contains(c.sources, visit.Name) {
					c.drawnElsewhere++
				}
			default:
				c.carried++
				if !slices.Contains(c.visits, visit.Name) {
					c.visits = append(c.visits, visit.Name)
				}
			}
		}
	}
	return c
}
