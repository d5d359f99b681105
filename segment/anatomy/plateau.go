package anatomy

import (
	"math"
	"slices"
)

// plates holds the two plateaus of the tibia, or the two menisci.
type plates struct {
	n      int    // how many there are: 0, 1 or 2
	normal vector // of both plates, of either sign
	offset vector // from the first centroid to the second
	// named reports that tissues distinguish the plates. Otherwise a spot with centre·axis > middle
	// belongs to the second, which is on the patient's left.
	named  bool
	middle float64
	axis   vector
}

const (
	// plateApart is the least distance in mm between the centroids of two plates. It is 34 in
	// ../shared/data/knee-dess-seg and 41 in the phantom; a plateau is 25 wide.
	plateApart = 20
	// leastPlate is the least size of the smaller plate, as a share of both.
	leastPlate = 0.15
)

// sideNamed returns 1 for a medial tissue, −1 for a lateral one, and 0 for one that may be on both sides.
func sideNamed(t Tissue) int {
	switch t {
	case MedialTibialCartilage,
		MedialFemoralCartilage,
		MedialCentralFemoralCartilage,
		MedialPosteriorFemoralCartilage,
		MedialMeniscus:
		return 1
	case LateralTibialCartilage,
		LateralFemoralCartilage,
		LateralCentralFemoralCartilage,
		LateralPosteriorFemoralCartilage,
		LateralMeniscus:
		return -1
	}
	return 0
}

// newPlates finds two plates among the spots: by their tissues or, if these do not distinguish them, by
// the valley between the plates. Their normal is the direction in which they vary least about their own
// centroids.
func newPlates(all []spot) plates {
	p := plates{named: true}
	if slices.ContainsFunc(all, func(s spot) bool { return sideNamed(s.tissue) == 0 }) {
		p = valley(all)
	}
	var s [2]scatter
	for n := range all {
		if !all[n].small {
			s[p.plateOf(&all[n])].add(all[n].centre)
		}
	}
	total := s[0].n + s[1].n
	if total == 0 {
		return plates{}
	}
	var sum [3][3]float64
	p.n = 0
	for n := range s {
		if s[n].n < leastPlate*total {
			continue
		}
		p.n++
		m := s[n].covariance()
		for r := range 3 {
			for c := range 3 {
				sum[r][c] += m[r][c]
			}
		}
	}
	axes, _ := principal(sum)
	p.normal = axes[0]
	if p.n == 2 {
		p.offset = s[1].mean().Minus(s[0].mean())
		if p.offset.Length() < plateApart {
			p.n = 1
		}
	}
	return p
}

// plateOf returns the plate of the spot: 0 or 1.
func (p *plates) plateOf(s *spot) int {
	if p.named && sideNamed(s.tissue) > 0 || !p.named && s.centre.Dot(p.axis) > p.middle {
		return 1
	}
	return 0
}

// valley divides the spots where, in the middle third of their longest axis, they are fewest.
func valley(all []spot) plates {
	s := scatterOf(all)
	if s.n == 0 {
		return plates{}
	}
	axes, _ := principal(s.covariance())
	p := plates{axis: axes[2]}
	if p.axis[0] < 0 { // the sign must not depend on the order of the voxels
		p.axis = p.axis.Times(-1)
	}
	var x []float64
	for _, c := range positions(all) {
		x = append(x, c.Dot(p.axis))
	}
	cells := newBins(x, 2*strip)
	count := make([]int, cells.n)
	for n := range x {
		count[int(cells.place(x[n]))]++
	}
	// Sums over 5 mm, because slices are up to 4 mm apart.
	least, first, last := math.MaxInt, 0, 0
	for c := len(count) / 3; c < len(count)-len(count)/3; c++ {
		sum := 0
		for _, n := range count[max(0, c-2):min(len(count), c+3)] {
			sum += n
		}
		switch {
		case sum < least:
			least, first, last = sum, c, c
		case sum == least && c == last+1:
			last = c
		}
	}
	p.middle = cells.middle(float64(first+last) / 2)
	return p
}
