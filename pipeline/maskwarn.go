package pipeline

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/segment"
)

// implausible says in words what speaks against the meaning of the mask's labels in a knee
// of that side. The numbers are not among the words, so that studies with one fault have one
// text: volumes are in compartments.csv.
func implausible(r segment.Regions, side string) []string {
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

// wrongSide says where a compartment lies and where it should.
func wrongSide(f segment.Finding, side string) string {
	where, should := "on the lateral side of", fmt.Sprintf("on its medial side in a %s knee", side)
	switch f.Direction {
	case segment.Anterior:
		where, should = "behind", "in front of it"
	case segment.Superior:
		where, should = "below", "above it"
	}
	return fmt.Sprintf("the row %s lies %s the row %s, but should lie %s", f.Compartment, where, f.Other, should)
}

// alsoSide names the other explanation where left and right matter.
func alsoSide(f segment.Finding) string {
	if f.Direction == segment.ToMedial {
		return ", or the knee is the other one"
	}
	return ""
}
