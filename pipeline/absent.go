package pipeline

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// wholeInView is the share of a row in the field of view above which nothing is noted about the rest: the
// outer slices of a series that shows the whole joint often miss the rims of the condyles.
const wholeInView = 0.9

// leastLeft is the share of a plate below which erosion is a warning: the mean of less than half says little
// about the plate.
const leastLeft = 0.5

// extent is how much the mask marks of a row, in voxels of the mask.
type extent struct {
	marked int     // before erosion
	left   int     // after it
	inView float64 // the part of marked that lies in the field of view; NaN without voxels
}

// extent returns the extent of all parts for whose numbers belong is true. It is not known, and all 0, if the
// mask lies on the grid of the series and was not eroded; then the rows count the same voxels.
func (p placedMask) extent(belong func(part uint16) bool) extent {
	var e extent
	inside := 0
	for _, c := range p.coverage {
		if belong(c.Label) {
			e.marked, inside = e.marked+c.Voxels, inside+c.Inside
		}
	}
	e.inView = float64(inside) / float64(e.marked)
	e.left = e.marked
	if p.marked == nil {
		return e
	}
	e.marked, e.left = 0, 0
	for n := 1; n < len(p.marked); n++ {
		if belong(uint16(n)) {
			e.marked, e.left = e.marked+p.marked[n], e.left+p.left[n]
		}
	}
	if p.coverage == nil {
		e.inView = 1
	}
	return e
}

// ofRow returns the extent of a row.
func (p placedMask) ofRow(s segment.Summary) extent {
	return p.extent(func(part uint16) bool { return p.parts.InRow(part, s) })
}

// ofPlate returns the extent of a plate.
func (p placedMask) ofPlate(plate anatomy.Plate) extent {
	return p.extent(func(part uint16) bool { return part != 0 && p.parts.Part[part-1].Plate == string(plate) })
}

// unseenParts says for each part, as in Data, whether its plate is not reported because most of it
// lies outside the field of view of the series. Rows that the mask marks are tissues, see checkCover.
func (p placedMask) unseenParts() []bool {
	out := make([]bool, len(p.parts.Part)+1)
	for _, plate := range anatomy.Plates() {
		if p.ofPlate(plate).inView < leastCovered {
			for n, part := range p.parts.Part {
				out[n+1] = out[n+1] || part.Plate == string(plate)
			}
		}
	}
	return out
}

// seeRegions records how much of each region lies in the field of view of the series.
func (p placedMask) seeRegions() {
	if p.record == nil {
		return
	}
	for n := range p.record.Regions {
		r := &p.record.Regions[n]
		r.InView = 1
		e := p.extent(func(part uint16) bool { return part != 0 && p.parts.Part[part-1].Region == r.Region })
		if p.coverage != nil && e.marked > 0 {
			r.InView = e.inView
		}
	}
}

// why says why no marked voxel came onto the series; "" if the mask marks none.
func (p placedMask) why(e extent) string {
	switch {
	case e.marked == 0:
		return ""
	case e.inView == 0:
		return "outside the field of view of the series"
	case e.inView < leastCovered:
		return fmt.Sprintf("mostly outside the field of view of the series (%s of it lies in view, %.0f %% needed)",
			percent(e.inView), 100*leastCovered)
	case e.left == 0:
		return "eroded: nothing is left of it"
	case p.coverage == nil:
		return ""
	}
	return "too small for the voxels of the series: none of them was taken for it"
}

// noteEmpty corrects the note of rows without voxels where the mask marks what they are about.
func (p placedMask) noteEmpty(r *report.Result) {
	for _, rows := range [][]segment.Summary{r.Compartments, r.Regions} {
		for n := range rows {
			if s := &rows[n]; s.Voxels == 0 {
				if text := p.why(p.ofRow(*s)); text != "" {
					s.Note = text
				}
			}
		}
	}
}

// missingPlate says why a plate has no voxels, as a part of a note.
func (p placedMask) missingPlate(plate anatomy.Plate) string {
	if text := p.why(p.ofPlate(plate)); text != "" {
		return plateWords[plate][0] + " is " + text
	}
	return "the mask has no " + plateWords[plate][1]
}

// noteShares notes on rows how much of what the mask marks lies in the field of view, and how
// much of it erosion left.
func (p placedMask) noteShares(r *report.Result) {
	for _, rows := range [][]segment.Summary{r.Compartments, r.Regions} {
		for n := range rows {
			s := &rows[n]
			e := p.ofRow(*s)
			if s.Voxels == 0 || e.marked == 0 {
				continue
			}
			if e.inView < wholeInView {
				s.Note = join(s.Note, percent(e.inView)+" of it lies in the field of view of the series")
			}
			if e.left < e.marked {
				s.Note = join(s.Note, fmt.Sprintf("erosion left %s of it", percent(float64(e.left)/float64(e.marked))))
			}
		}
	}
}

// shareWarnings warns of plates, or of rows that the mask marks, that lie in part outside the
// field of view, and of plates of which erosion left little.
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
		if left := float64(e.left) / float64(e.marked); left < leastLeft {
			eroded = append(eroded, fmt.Sprintf("%s (%s)", name, percent(left)))
		}
	}
	for _, plate := range anatomy.Plates() {
		add(string(plate), p.ofPlate(plate))
	}
	for _, name := range p.parts.Compartments {
		add(name, p.extent(func(part uint16) bool {
			return part != 0 && p.parts.Part[part-1].Region == "" && p.parts.Part[part-1].Compartment == name
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

// percent writes a share below 1: never as 100 %, and as 0 % only if it is 0.
func percent(share float64) string {
	n := math.Floor(100 * share)
	if n == 0 && share > 0 {
		return "less than 1 %"
	}
	return fmt.Sprintf("%.0f %%", n)
}

// rowsOfTissue lists those of the rows that hold no voxel which the mask marks with the row itself, as the
// beginning of a sentence: "medial and lateral are"; "" if there are none.
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
