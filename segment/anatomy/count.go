package anatomy

import "github.com/t2map/t2map/segment/internal/words"

// Counts returns the number of voxels of each region, indexed by Region. The count of NoRegion is 0.
func (d Division) Counts() []int {
	counts := make([]int, regionCount)
	for v := 0; v < len(d.Data); {
		if v+8 <= len(d.Data) && words.Eight(d.Data[v:]) == 0 {
			v += 8 // most of a mask
			continue
		}
		for _, r := range d.Data[v:min(v+8, len(d.Data))] {
			counts[r]++
		}
		v += 8
	}
	counts[NoRegion] = 0
	return counts
}
