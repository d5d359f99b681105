package segment

import (
	"slices"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Voxels of cartilage above the limit change their state, whatever the accepted range; a
// meniscus, background and voxels without T2 do not.
func TestExcludeFluid(t *testing.T) {
	m, r := study(
		[]uint16{1, 1, 2, 3, 0, 1},
		[]volume.Status{
			volume.Fitted, volume.Fitted, volume.OutOfRange, volume.Fitted, volume.Fitted, volume.LowSignal,
		},
		[]float32{69, 71, 120, 90, 90, absent},
	)
	r.Names = []string{Medial, Lateral, "medial-meniscus"}
	same := slices.Clone(m.Status)
	if err := ExcludeFluid(&m, r, FluidLimits{}); err != nil || !slices.Equal(m.Status, same) {
		t.Errorf("without a limit: %v, %v", m.Status, err)
	}
	if err := ExcludeFluid(&m, r, FluidLimits{T2: 70}); err != nil {
		t.Fatal(err)
	}
	if want := []volume.Status{volume.Fitted, volume.Fluid, volume.Fluid, volume.Fitted, volume.Fitted,
		volume.LowSignal}; !slices.Equal(
		m.Status, want,
	) {
		t.Errorf("%v, want %v", m.Status, want)
	}
	got, err := Summarize(m, r)
	if err != nil || got[0].Excluded.Fluid != 1 || got[0].MeanT2 != 69 || got[1].Excluded.Fluid != 1 ||
		got[2].Used != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// At the edge of the mask a lower limit holds.
func TestExcludeFluidAtTheEdge(t *testing.T) {
	m, r := study(
		[]uint16{1, 1, 1}, []volume.Status{volume.Fitted, volume.Fitted, volume.Fitted}, []float32{55, 55, 45},
	)
	r.Fraction = []float32{0.6, 1, 0.6}
	if err := ExcludeFluid(&m, r, FluidLimits{T2: 80, PartialT2: 50}); err != nil {
		t.Fatal(err)
	}
	if want := []volume.Status{volume.Fluid, volume.Fitted, volume.Fitted}; !slices.Equal(m.Status, want) {
		t.Errorf("%v, want %v", m.Status, want)
	}
}

// Menisci keep their voxels in a row of both, too.
func TestExcludeFluidKeepsMenisci(t *testing.T) {
	m, r := study(
		[]uint16{1, 2, 3}, []volume.Status{volume.Fitted, volume.Fitted, volume.Fitted}, []float32{90, 90, 90},
	)
	r.Names = []string{"menisci", "lateral-meniscus", "meniscus-of-another-name"}
	if err := ExcludeFluid(&m, r, FluidLimits{T2: 70}); err != nil {
		t.Fatal(err)
	}
	if want := []volume.Status{volume.Fitted, volume.Fitted, volume.Fluid}; !slices.Equal(m.Status, want) {
		t.Errorf("%v, want %v", m.Status, want)
	}
}

// Voxels with an estimate are judged, also outside the accepted range and on a bound; without
// fractions every voxel is whole.
func TestExcludeFluidByStatus(t *testing.T) {
	statuses := []volume.Status{1, 1, 1, volume.OutOfRange, volume.LowSignal, volume.PoorFit, volume.AtBound}
	for _, test := range []struct {
		limits   FluidLimits
		fraction []float32
		want     []int // voxels of fluid
	}{
		{FluidLimits{T2: 100}, nil, []int{3}},
		{FluidLimits{T2: 100, PartialT2: 60}, []float32{0.5, 0.5, 1, 1, 0.5, 0.5, 0.89}, []int{1, 3, 6}},
		{FluidLimits{T2: 80, PartialT2: 60}, []float32{0.5, 0.91, 0.92, 1, 0.5, 0.5, 0.89}, []int{3, 6}},
		{FluidLimits{PartialT2: 60}, nil, nil},
	} {
		m, r := study(
			[]uint16{1, 1, 1, 1, 1, 1, 1}, slices.Clone(statuses), []float32{40, 80, 80, 300, absent, absent, 80},
		)
		r.Fraction = test.fraction
		if err := ExcludeFluid(&m, r, test.limits); err != nil {
			t.Fatal(err)
		}
		var got []int
		for v, s := range m.Status {
			if s == volume.Fluid {
				got = append(got, v)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%+v: voxels %v are fluid, want %v", test.limits, got, test.want)
		}
	}
	m, r := study([]uint16{1}, []volume.Status{1}, []float32{90})
	m.T2 = nil
	if err := ExcludeFluid(&m, r, FluidLimits{T2: 70}); err == nil {
		t.Error("maps of another size are accepted")
	}
}
