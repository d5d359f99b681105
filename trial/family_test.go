package trial

import (
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/trial/compare"
)

// The primary p are adjusted over all arms, endpoints and visits at once; the key secondary ones apart; no others.
func TestHolmOverArmsEndpointsAndVisits(t *testing.T) {
	a := made{arms: []string{"control", "low", "high"}, visits: threeVisits, perArm: 8,
		heading: "# primary: medial@month03, medial@month12, lateral@month12\n# secondary: lateral@month03\n"}.analyse(t)
	p := map[Family][]float64{}
	var holm []float64
	for _, e := range a.Endpoints {
		for _, c := range e.Contrasts {
			p[c.Family] = append(p[c.Family], c.Model.P)
			if c.Primary() {
				holm = append(holm, c.Holm)
			}
			if c.Holm < c.Model.P || c.Family == NoFamily != math.IsNaN(c.Holm) {
				t.Errorf("%s: %+v", e.Name, c)
			}
		}
	}
	if len(p[PrimaryFamily]) != 6 || len(p[SecondaryFamily]) != 2 || len(p[NoFamily]) != 0 {
		t.Fatalf("%v", p)
	}
	for i, want := range compare.Holm(p[PrimaryFamily]) {
		if holm[i] != want {
			t.Errorf("contrast %d: adjusted p %g, want %g", i, holm[i], want)
		}
	}
	// The smallest of six is multiplied by six.
	if got, want := slices.Min(holm), min(1, 6*slices.Min(p[PrimaryFamily])); math.Abs(got-want) > 1e-12 {
		t.Errorf("smallest adjusted p %g, want %g", got, want)
	}
}
