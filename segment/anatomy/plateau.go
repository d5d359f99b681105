package anatomy

import (
	"math"
	"slices"
)

// plates are the two plateaus of the tibia, or the two menisci.
type plates struct {
	n      int    // how many there are: 0, 1 or 2
	normal vector // across them, of either sign
	offset vector // from one centroid to the other
	// named reports that the tissues distinguish them. Otherwise a spot with centre·along > middle is
	// of the second, which is that of the patient's left.
	named  bool
	middle float64
	axis   vector
}

const (
	// plateApart is how far apart, in mm, the centroids of two plates lie at least: 34 in
	// ../shared/data/knee-dess-seg, 41 in the phantom, and the width of a plateau is 25.
	plateApart = 20
	// leastPlate is the part of both that the smaller plate has at least.
	leastPlate = 0.15
)

// sideNamed is 1 for a medial tissue, −1 for a lateral one, 0 for one that may be both.
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

// newPlates finds two plates among the spots by their tissues or, if these do not decide, by
// the valley between them. Their normal is the direction in which they vary least about
// their own centroids.
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

// valley parts the spots where, along their longest axis, they are fewest in the middle third.
func valley(all []spot) plates {
	s := scatterOf(all)
	if s.n == 0 {
		return plates{}
	}
	axes, _ := principal(s.covariance())
	p := plates{axis: axes[2]}
	if p.axis[0] < 0 { // so that its sign does not depend on the order of the voxels
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
	// Sums over 5 mm, as slices are up to 4 mm apart.
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
