package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// placeWarnings returns the warnings about a mask on the grid of the series of a knee of that side, "" if unknown.
func (m maskRead) placeWarnings(p placedMask, side string) []string {
	out := slices.Concat(p.shiftWarnings(), p.shareWarnings())
	if p.marked == nil { // else erosion may have left nothing, which shareWarnings says
		out = append(out, m.emptyWarnings(p.regions)...)
	}
	return append(out, schemeWarnings(p.regions, side)...)
}

// shiftWarnings warns of a mask whose grid is that of the series, but shifted.
func (p placedMask) shiftWarnings() []string {
	if p.shift == nil {
		return nil
	}
	return []string{fmt.Sprintf("the grid of the mask has the size and spacing of the series but lies up to %.2f mm "+
		"away: the mask may belong to another visit, or may have lost its position; look at the overlay",
		p.shift.Distance)}
}

// emptyWarnings warns of a valid mask that marks nothing.
func (m maskRead) emptyWarnings(r segment.Regions) []string {
	if slices.ContainsFunc(r.Data, func(region uint16) bool { return region != 0 }) {
		return nil
	}
	text := "no voxel of the mask belongs to a compartment"
	if t := m.segments.Threshold; t > 0 {
		text += fmt.Sprintf(", from %g of the maximum on (mask_threshold)", t)
	}
	return []string{text}
}

// schemeWarnings warns of labels that may have another meaning than the scheme gives them, in a knee of that side.
// Volumes are in compartments.csv and not in the text, so that studies with the same fault have the same text.
func schemeWarnings(r segment.Regions, side string) []string {
	const perhaps = "the scheme may belong to another mask"
	var out, undivided []string
	for _, f := range r.Check(side) {
		switch f.Kind {
		case segment.TooLarge:
			out = append(out, fmt.Sprintf("%s holds more than %g cm³, too much for the cartilage of a knee: %s",
				f.Compartment, f.LimitMM3/1000, perhaps))
		case segment.SumTooLarge:
			out = append(out, fmt.Sprintf("medial, lateral and patellofemoral together hold more than %g cm³, too "+
				"much for the cartilage of a knee: %s", f.LimitMM3/1000, perhaps))
		case segment.TooSmall:
			out = append(out, fmt.Sprintf("%s holds less than %g cm³, too little for a plate of cartilage: the mask "+
				"may be unfinished, or %s", f.Compartment, f.LimitMM3/1000, perhaps))
		case segment.WrongSide:
			out = append(out, wrongSide(f, side)+": "+perhaps+", or its labels are exchanged"+alsoSide(f))
		case segment.Undivided:
			undivided = append(undivided, f.Compartment)
		}
	}
	if len(undivided) > 0 {
		verb := "hold"
		if len(undivided) == 1 {
			verb = "holds"
		}
		out = append(out, fmt.Sprintf("the femoral cartilage is not divided (row femoral): %s %s the cartilage of the "+
			"tibia or the patella alone", strings.Join(undivided, ", "), verb))
	}
	return out
}

// wrongSide says where a compartment lies and where it should lie.
func wrongSide(f segment.Finding, side string) string {
	place, expected := "on the lateral side of", fmt.Sprintf("on its medial side in a %s knee", side)
	switch f.Direction {
	case segment.Anterior:
		place, expected = "behind", "in front of it"
	case segment.Superior:
		place, expected = "below", "above it"
	}
	return fmt.Sprintf("the row %s lies %s the row %s, but should lie %s", f.Compartment, place, f.Other, expected)
}

// alsoSide is the other explanation of exchanged medial and lateral rows.
func alsoSide(f segment.Finding) string {
	if f.Direction == segment.ToMedial {
		return ", or the knee is the other one"
	}
	return ""
}

// leastLeft is the share of a plate below which erosion causes a warning: the mean of less than half of a plate does
// not describe the plate.
const leastLeft = 0.5

// shareWarnings warns of plates, and of rows that the mask marks, that lie partly outside the field of view, and of
// those from which erosion removed more than half.
func (p placedMask) shareWarnings() []string {
	var partly, omitted, eroded []string
	add := func(name string, e extent) {
		switch {
		case e.marked == 0:
			return
		case e.inView < leastCovered:
			omitted = append(omitted, fmt.Sprintf("%s (%s in view)", name, percent(e.inView)))
		case e.inView < wholeInView:
			partly = append(partly, fmt.Sprintf("%s (%s in view)", name, percent(e.inView)))
		}
		if share := float64(e.left) / float64(e.marked); share < leastLeft {
			eroded = append(eroded, fmt.Sprintf("%s (%s)", name, percent(share)))
		}
	}
	for _, plate := range anatomy.Plates() {
		add(string(plate), p.plateExtent(plate))
	}
	for _, name := range p.parts.Compartments {
		add(name, p.extent(func(part uint16) bool {
			return p.parts.Part[part-1].Region == "" && p.parts.Part[part-1].Compartment == name
		}))
	}
	var out []string
	for _, w := range []struct {
		text  string
		names []string
	}{
		{"not reported, because most of it lies outside the field of view of the series: ", omitted},
		{"a part of the mask lies outside the field of view of the series: ", partly},
		{"erode_mm left less than half of what the mask marks: ", eroded},
	} {
		if len(w.names) > 0 {
			out = append(out, w.text+strings.Join(w.names, ", "))
		}
	}
	return out
}

// rowsOfTissue lists the rows none of whose voxels is marked with the row itself, as the beginning of a clause:
// "medial and lateral are"; "" if there are none.
func (p placedMask) rowsOfTissue(rows ...string) string {
	marked := map[string]bool{}
	for _, n := range p.regions.Part {
		if n != 0 && p.regions.Parts[n-1].Region == "" {
			marked[p.regions.Parts[n-1].Compartment] = true
		}
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(row string) bool { return marked[row] })
	switch len(rows) {
	case 0:
		return ""
	case 1:
		return rows[0] + " is"
	}
	return strings.Join(rows, " and ") + " are"
}
