package segment

import (
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// ExcludeFluid gives the state Fluid to the voxels of cartilage that anatomy.MarkFluid takes
// for joint fluid: by a long T2, inside the accepted range or not, or by a T2 that is long
// for a voxel which the mask covers in part. Menisci keep their voxels. Limits of zero
// exclude nothing.
func ExcludeFluid(m *volume.Maps, r Regions, limits anatomy.FluidLimits) error {
	if limits.T2 <= 0 && limits.PartialT2 <= 0 {
		return nil
	}
	fluid, _, err := anatomy.MarkFluid(m.T2, m.Status, r.Fraction, limits)
	if err != nil {
		return err
	}
	cartilage := make([]bool, len(r.Names)+1)
	for n, name := range r.Names {
		cartilage[n+1] = !IsMeniscus(name)
	}
	for v, region := range r.Data {
		if region != 0 && cartilage[region] && fluid[v] {
			m.Status[v] = volume.Fluid
		}
	}
	return nil
}
