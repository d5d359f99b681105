package segment

import "github.com/t2map/t2map/volume"

// ExcludeFluid gives the state Fluid to the voxels of cartilage whose T2 is above so many
// ms, whether that is in the accepted range or not. Joint fluid decays slowly, so that a
// voxel which holds some beside cartilage reads too long. Menisci keep their voxels. It
// does nothing if the limit is 0.
func ExcludeFluid(m *volume.Maps, r Regions, aboveMS float64) {
	if aboveMS <= 0 {
		return
	}
	cartilage := make([]bool, len(r.Names)+1)
	for n, name := range r.Names {
		cartilage[n+1] = !isMeniscus(name)
	}
	for v, region := range r.Data {
		s := m.Status[v]
		if region != 0 && cartilage[region] && (s == volume.Fitted || s == volume.OutOfRange) && float64(m.T2[v]) > aboveMS {
			m.Status[v] = volume.Fluid
		}
	}
}
