package segment

import "github.com/t2map/t2map/volume"

// FluidLimits are the T2 limits above which voxels of cartilage count as joint fluid. A limit of 0
// excludes nothing: disease also prolongs T2, so that a limit is a choice of the protocol.
type FluidLimits struct {
	// T2 in ms above which a voxel is fluid. Fluid has several hundred ms, cartilage 20 to 70 ms.
	T2 float64
	// PartialT2 is the T2 in ms above which a voxel at the edge of the cartilage, where the mask covers
	// less than 0.9 of it, is a mixture with fluid.
	PartialT2 float64
}

// edgeFraction is the fraction below which a voxel is at the edge of the cartilage. A tenth of fluid with
// a T2 of 400 ms raises a T2 of 40 ms by some 5 ms at the echo times in use.
const edgeFraction = 0.9

// ExcludeFluid sets the status of cartilage voxels with a T2 above a limit to Fluid, whether they are in
// the accepted range or not. Menisci are not changed. It is an error if m and r differ in size.
func ExcludeFluid(m *volume.Maps, r Regions, limits FluidLimits) error {
	if limits.T2 <= 0 && limits.PartialT2 <= 0 {
		return nil
	}
	if err := sameGrid(*m, r); err != nil {
		return err
	}
	cartilage := make([]bool, len(r.Names)+1)
	for n, name := range r.Names {
		cartilage[n+1] = !IsMeniscus(name)
	}
	for v, region := range r.Data {
		if region == 0 || !cartilage[region] || !m.Status[v].HasValue() {
			continue
		}
		t2 := float64(m.T2[v])
		partial := r.Fraction != nil && float64(r.Fraction[v]) < edgeFraction
		if limits.T2 > 0 && t2 > limits.T2 || partial && limits.PartialT2 > 0 && t2 > limits.PartialT2 {
			m.Status[v] = volume.Fluid
		}
	}
	return nil
}
