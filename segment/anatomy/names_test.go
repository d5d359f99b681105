package anatomy

import "testing"

// Every tissue and region has a name of its own that leads back to it, and every region
// is a part of a plate and of a compartment.
func TestNames(t *testing.T) {
	for _, tissue := range Tissues() {
		if got := TissueNamed(tissue.String()); got != tissue {
			t.Errorf("tissue %d: its name %q leads to %d", tissue, tissue, got)
		}
	}
	for _, r := range Regions() {
		if got := RegionNamed(r.String()); got != r {
			t.Errorf("region %d: its name %q leads to %d", r, r, got)
		}
		if r.Plate() == "" || r.Compartment() == "" {
			t.Errorf("region %v: plate %q, compartment %q", r, r.Plate(), r.Compartment())
		}
		if parts := r.Plate().Regions(); len(parts) == 0 {
			t.Errorf("plate %s has no regions", r.Plate())
		}
	}
	if TissueNamed("") != NoTissue || RegionNamed("") != NoRegion || TissueNamed("femur bone") != NoTissue {
		t.Error("a name that is not one leads to a tissue or region")
	}
}
