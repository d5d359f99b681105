package segment

import "github.com/t2map/t2map/volume"

// FluidLimits say which voxels of cartilage are taken for joint fluid. A limit of 0 excludes
// nothing: a long T2 is also what disease causes, so a limit is a choice of the protocol.
type FluidLimits struct {
	// T2 in ms above which a voxel is fluid. Fluid has several hundred ms, cartilage 20 to 70 ms.
	T2 float64
	// PartialT2 is the T2 in ms above which a voxel at the edge of the cartilage, of which the mask
	// covers less than edgeFraction, is a mixture with fluid.
	PartialT2 float64
}

// edgeFraction is the fraction below which a voxel is at the edge of the cartilage: a tenth of
// fluid with a T2 of 400 ms raises 40 ms by some 5 ms at the echo times in use.
const edgeFraction = 0.9

// ExcludeFluid gives the status Fluid to the voxels of cartilage with a T2 above a limit, inside
// the accepted range or not. Menisci keep their voxels. It is an error if m and r differ in size.
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
