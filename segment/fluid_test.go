package segment

import (
	"slices"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Voxels of cartilage above the limit change their state, whatever the accepted range; a
// meniscus, background and voxels without T2 do not.
func TestExcludeFluid(t *testing.T) {
	m, r := study([]uint16{1, 1, 2, 3, 0, 1}, []volume.Status{volume.Fitted, volume.Fitted, volume.OutOfRange, volume.Fitted, volume.Fitted, volume.LowSignal}, []float32{69, 71, 120, 90, 90, absent})
	r.Names = []string{Medial, Lateral, "medial-meniscus"}
	same := slices.Clone(m.Status)
	ExcludeFluid(&m, r, 0)
	if !slices.Equal(m.Status, same) {
		t.Errorf("without a limit: %v", m.Status)
	}
	ExcludeFluid(&m, r, 70)
	if want := []volume.Status{volume.Fitted, volume.Fluid, volume.Fluid, volume.Fitted, volume.Fitted, volume.LowSignal}; !slices.Equal(m.Status, want) {
		t.Errorf("%v, want %v", m.Status, want)
	}
	got, err := Summarize(m, r)
	if err != nil || got[0].Excluded.Fluid != 1 || got[0].MeanT2 != 69 || got[1].Excluded.Fluid != 1 || got[2].Used != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
