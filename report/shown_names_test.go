package report

import (
	"testing"

	"github.com/t2map/t2map/segment"
)

// What was not moved is not called a movement of nothing, on the page and in the picture.
func TestRegistrationThatLeftTheImage(t *testing.T) {
	g := Registration{MutualInformationBefore: 0.25, MutualInformationAfter: 0.25, Program: "elastix 5.2.0"}
	const figures = "; mutual information 0.250 before, 0.250 after; elastix 5.2.0"
	if got, want := g.summary(), "turned by 0.0°, moved by 0.0 mm"+figures; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	g.Unmoved = true
	const still = "not moved: no better position was found than the one in the headers"
	if got, want := g.summary(), still+figures; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Parts that several tissues of the mask share have names of their own in regions.txt, and one key.
func TestNamesOfSharedRegions(t *testing.T) {
	d := division{layers: segment.LayerNames(2), parts: []segment.Part{
		{Region: "trochlear", Layer: 1, Tissue: "femoral-cartilage"},
		{Region: "trochlear", Layer: 1, Tissue: "trochlear-cartilage"},
		{Region: "trochlear", Tissue: "trochlear-cartilage"}, {Region: "medial-tibial-central", Layer: 1},
	}}
	want := []string{
		"trochlear deep (femoral-cartilage)", "trochlear deep (trochlear-cartilage)",
		"trochlear without a layer (trochlear-cartilage)", "medial-tibial-central deep",
	}
	for n := range d.parts {
		if got := d.name(n); got != want[n] {
			t.Errorf("%q, want %q", got, want[n])
		}
	}
}
