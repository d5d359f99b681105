package pipeline

import (
	"errors"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// The series on which a mask was drawn, or from which it was made, may name another side than the mapped series or
// the mask.
func TestSideOfTheMasksSeries(t *testing.T) {
	train := func(hash string, number int, side string) dicomio.Train {
		return dicomio.Train{Hash: hash, Number: number, Side: side,
			Sides: []dicomio.SideClaim{{Attribute: "Laterality (0020,0060)", Side: side}}}
	}
	t2, silent, dess := train("a", 1, "R"), dicomio.Train{Hash: "a", Number: 1}, train("b", 12, "L")
	marked := maskRead{labels: volume.Labels{Geometry: volume.Geometry{Size: [3]int{1, 1, 1}}, Data: []uint16{1}}}
	scheme, err := segment.Named("compartments")
	if err != nil {
		t.Fatal(err)
	}
	p := protocol.Protocol{Scheme: scheme}
	for name, c := range map[string]struct {
		job  Job
		want string // "" for no error
	}{
		"registered": {Job{Train: t2, Moving: &dess}, "Laterality (0020,0060) says right, Laterality (0020,0060) " +
			"of series number 12 says left"},
		"drawn on": {Job{Train: t2, Mask: Mask{Drawn: &dess}}, "of series number 12 says left"},
		"program":  {Job{Train: t2, Input: Input{Named: true, Train: dess}}, "of series number 12 says left"},
		"manifest": {Job{Train: silent, Moving: &dess, Identity: Identity{Side: "R"}},
			"of series number 12 says left, the manifest or the layout says right"},
		"alone":               {Job{Train: silent, Moving: &dess}, ""},
		"the mapped one":      {Job{Train: t2, Input: Input{Named: true, Train: t2}}, ""},
		"twice the same side": {Job{Train: dess, Moving: &dess, Identity: Identity{Side: "L"}}, ""},
	} {
		marks, err := marked.interpret(p.MaskScheme())
		if err == nil {
			_, err = c.job.divideMask(t.Context(), marked, marks, p, 1)
		}
		var sides *anatomy.SideError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &sides) ||
			!strings.Contains(err.Error(), c.want) || hint.Find(err) == "") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
