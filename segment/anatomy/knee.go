package anatomy

import (
	"context"
	"math"
)

const (
	// fewest is the number of voxels that the shape of a plate takes: a plate of 2 cm³ has
	// 1,500 on the coarsest grid in use, 0.6 × 0.6 × 3.5 mm.
	fewest = 100
	// fewestLayers is the number of layers of voxels in each direction that it takes: tibial
	// cartilage on axial slices of 3 mm has two.
	fewestLayers = 2
)

// Knee is what a mask shows of a knee whose side need not be known.
type Knee struct {
	mask   *Mask
	tally  [tissueCount]tally
	spots  [groupCount][]spot
	pieces []Piece
	cut    [groupCount][6]bool // faces of the grid at which the group is cut: i, i end, j, …

	tibia    plates
	onTibia  Axes
	femur    notch
	hasNotch bool
	axes     Axes // of the femur, or of the tibia where that has none
}

// Examine finds the axes of the knee in the mask, on its own grid. It makes one pass over the
// voxels; all else costs as much as the cartilage is large. The mask must not change while
// the knee is in use.
//
// The superior axis is across the tibial cartilage, corrected for the slope of the plateau;
// without it across the menisci, and without these along the least principal axis of the
// femoral cartilage. Posterior is where the arch of femoral cartilage is open; left is across
// both. Without femoral cartilage, left is along the line between the plateaus' centroids.
// Pieces under 2 % of their tissue decide nothing, and those that lie apart are omitted: see Piece.
//
// Errors are *Error: what is not one knee, lies as no knee lies in a scanner, or is too small
// to show how. When ctx ends, so does Examine, with its error.
func Examine(ctx context.Context, m Mask) (*Knee, error) {
	if _, ok := m.Inverse(); !ok || len(m.Data) != m.Voxels() {
		return nil, &Error{Problem: WrongSize}
	}
	k := &Knee{mask: &m}
	survey, err := surveyOf(ctx, &m)
	if err != nil {
		return nil, err
	}
	runs := survey.runs
	k.tally, k.pieces = survey.tally, survey.pieces
	if len(runs) == 0 {
		return nil, &Error{Problem: Empty}
	}
	for g := noGroup + 1; g < groupCount; g++ {
		k.spots[g] = spots(&m.Geometry, runs, g)
		k.cut[g] = cutFaces(runs, g, m.Size)
		if err := k.checkSize(g); err != nil {
			return nil, err
		}
	}
	if err := k.checkSingle(); err != nil {
		return nil, err
	}
	if err := k.orient(ctx); err != nil {
		return nil, err
	}
	return k, nil
}

// Axes returns the axes of the femur, or of the tibia where the mask does not show those.
func (k *Knee) Axes() Axes { return k.axes }

// sum returns the tally of a group.
func (k *Knee) sum(g group) tally {
	var t tally
	for tissue := range tissueCount {
		if tissue.group() == g {
			t = t.plus(k.tally[tissue])
		}
	}
	return t
}

// representative returns the first tissue of the group that the mask has, for messages.
func (k *Knee) representative(g group) Tissue {
	for tissue := NoTissue + 1; tissue < tissueCount; tissue++ {
		if tissue.group() == g && k.tally[tissue].n > 0 {
			return tissue
		}
	}
	return NoTissue
}

// checkSize returns an error where the group has voxels, but too few or in one plane.
func (k *Knee) checkSize(g group) error {
	if g == meniscal { // they are taken as they are
		return nil
	}
	n := 0
	lo, hi := [3]int{math.MaxInt, math.MaxInt, math.MaxInt}, [3]int{-1, -1, -1}
	for _, s := range k.spots[g] {
		if s.small {
			continue
		}
		n++
		for a, i := range index(s.v, k.mask.Size) {
			lo[a], hi[a] = min(lo[a], i), max(hi[a], i)
		}
	}
	all := len(k.spots[g])
	if all == 0 {
		return nil
	}
	for a := range lo {
		if n > 0 && hi[a]-lo[a]+1 < fewestLayers && n >= fewestLayers {
			return &Error{Problem: Flat, Tissue: k.representative(g), Voxels: all}
		}
	}
	if n < fewest {
		return &Error{Problem: TooFew, Tissue: k.representative(g), Voxels: all}
	}
	return nil
}

// index returns i, j and k of a voxel.
func index(v int32, size [3]int) [3]int {
	row := int(v) / size[0]
	return [3]int{int(v) % size[0], row % size[1], row / size[1]}
}

// cutPart is the part of the voxels in the layer behind that the outermost layer of the grid
// has at least where the field of view cuts a body: a body that ends by itself within
// the outermost layer has half of them or less there.
const cutPart = 0.75

// cutFaces reports at which faces of the grid the group is cut.
func cutFaces(runs []run, g group, size [3]int) (cut [6]bool) {
	var layer [6][2]int
	count := func(axis, i, n int) {
		if i < 2 {
			layer[2*axis][i] += n
		}
		if back := size[axis] - 1 - i; back < 2 {
			layer[2*axis+1][back] += n
		}
	}
	for _, r := range runs {
		if r.tissue.group() != g || r.small {
			continue
		}
		for _, i := range [4]int{0, 1, size[0] - 2, size[0] - 1} {
			if i >= int(r.i) && i < int(r.i+r.n) && (i < 2 || i >= size[0]-2) {
				count(0, i, 1)
			}
		}
		count(1, int(r.j), int(r.n))
		count(2, int(r.k), int(r.n))
	}
	for f := range cut {
		cut[f] = layer[f][0] > 0 && float64(layer[f][0]) > cutPart*float64(layer[f][1])
	}
	return cut
}

// cutAt reports whether a voxel lies on a face at which its group is cut.
func (k *Knee) cutAt(g group, v int32) bool {
	for a, i := range index(v, k.mask.Size) {
		if i == 0 && k.cut[g][2*a] || i == k.mask.Size[a]-1 && k.cut[g][2*a+1] {
			return true
		}
	}
	return false
}

// orient finds the axes.
func (k *Knee) orient(ctx context.Context) error {
	source, n := k.normal()
	superior := func(left vector) vector {
		if source == ByFemur {
			return leant(n, left, femurLean)
		}
		return leant(n, left, slope)
	}
	if len(k.spots[femoral]) > 0 && k.needsNotch() {
		k.femur, k.hasNotch = findNotch(ctx, k.spots[femoral], superior, &k.mask.Geometry)
		if err := ctx.Err(); err != nil {
			return err
		}
		if !k.hasNotch && k.tally[FemoralCartilage].n > 0 {
			return &Error{Problem: NoNotch, Tissue: FemoralCartilage}
		}
	}
	k.axes = k.plateauAxes(n)
	if k.hasNotch {
		k.femur.axes.Source = source
		k.axes = k.femur.axes
	}
	k.axes.Source = source
	for _, a := range [3]struct {
		name string
		axis [3]float64
		n    int
	}{{"left", k.axes.Left, 0}, {"posterior", k.axes.Posterior, 1}, {"superior", k.axes.Superior, 2}} {
		if !(a.axis[a.n] > upright) {
			return &Error{
				Problem: Askew, Direction: a.name, Amount: math.Acos(max(-1, min(1, a.axis[a.n]))) * 180 / math.Pi,
			}
		}
	}
	if k.tibia.n > 0 {
		k.onTibia = k.plateauAxes(n)
		k.onTibia.Source = source
	}
	if err := k.checkSides(); err != nil {
		return err
	}
	return k.checkPatella()
}

// bothSides is how far apart, in mm, the two halves of a tissue from side to side have their
// middles where it is of both sides of the knee: 34 and more. A plateau or condyle, up to 38
// wide, has less than 19.
const bothSides = 26

// checkSides returns an error where a tissue that is named medial or lateral lies on both sides of
// the knee, as one label for both does that is read by a scheme with two.
func (k *Knee) checkSides() error {
	for g := noGroup + 1; g < groupCount; g++ {
		var lo, hi, sum, n [tissueCount]float64
		for t := range lo {
			lo[t], hi[t] = math.Inf(1), math.Inf(-1)
		}
		each := func(visit func(t Tissue, x float64)) {
			for v := range k.spots[g] {
				if s := &k.spots[g][v]; !s.small && sideNamed(s.tissue) != 0 {
					visit(s.tissue, s.centre.Dot(k.axes.Left))
				}
			}
		}
		each(func(t Tissue, x float64) { lo[t], hi[t] = min(lo[t], x), max(hi[t], x) })
		var upper [tissueCount][2]float64 // sums of the upper half
		each(func(t Tissue, x float64) {
			sum[t] += x
			n[t]++
			if x > (lo[t]+hi[t])/2 {
				upper[t][0] += x
				upper[t][1]++
			}
		})
		for t := range n {
			lower := n[t] - upper[t][1]
			if min(lower, upper[t][1]) < leastPlate*n[t] || n[t] == 0 {
				continue
			}
			if d := upper[t][0]/upper[t][1] - (sum[t]-upper[t][0])/lower; d > bothSides {
				return &Error{Problem: BothSides, Tissue: Tissue(t), Amount: d}
			}
		}
	}
	return nil
}

// needsNotch reports whether a part of femoral cartilage is not divided yet.
func (k *Knee) needsNotch() bool {
	return k.tally[FemoralCartilage].n+k.tally[MedialFemoralCartilage].n+k.tally[LateralFemoralCartilage].n > 0
}

// normal returns the raw superior axis.
func (k *Knee) normal() (AxesSource, vector) {
	up := vector{0, 0, 1}
	g := &k.mask.Geometry
	femur := k.sum(femoral).plus(k.tally[Femur])
	for _, source := range []struct {
		group group
		axes  AxesSource
	}{{tibial, ByPlateau}, {meniscal, ByMenisci}} {
		if len(k.spots[source.group]) < fewest {
			continue
		}
		p := newPlates(k.spots[source.group])
		if p.n == 0 {
			continue
		}
		if source.group == tibial {
			k.tibia = p
		}
		if femur.n > 0 { // the femur is above
			up = femur.centroid(g).Minus(k.sum(source.group).centroid(g))
		}
		if p.normal.Dot(up) < 0 {
			p.normal = p.normal.Times(-1)
		}
		return source.axes, p.normal
	}
	if len(k.spots[femoral]) > 0 {
		n, opening := thinnest(k.spots[femoral])
		if n.Dot(opening) < 0 {
			n = n.Times(-1)
		}
		return ByFemur, n
	}
	return ByPatient, up
}

// thinnest returns the direction in which the spots vary the least, and the direction from
// their mean to the centre of the sphere that fits them best: the arch of femoral cartilage
// is open above.
func thinnest(all []spot) (axis, opening vector) {
	s := scatterOf(all)
	axes, _ := principal(s.covariance())
	// About the mean, the centre c of the sphere solves 2·covariance·c = mean of d·|d|².
	mean := s.mean()
	var third vector
	for _, p := range positions(all) {
		d := p.Minus(mean)
		third = third.Plus(d.Times(d.Dot(d)))
	}
	// The sign of its part along the axis is that of the right side's, as the matrix is
	// positive and the axis is its eigenvector.
	return axes[0], axes[0].Times(third.Dot(axes[0]))
}

// plateauAxes returns the axes of the tibia for the raw superior axis n: left is along the
// line between the centroids of the plateaus, which averages over all their voxels, or that
// of the femur or the patient where there is one plateau.
func (k *Knee) plateauAxes(n vector) Axes {
	left := vector{1, 0, 0}
	if k.tibia.n == 2 {
		left = k.tibia.offset
		if left[0] < 0 {
			left = left.Times(-1)
		}
	} else if k.hasNotch {
		left = k.femur.axes.Left
	}
	if n == (vector{0, 0, 1}) {
		return newAxes(left, n)
	}
	return newAxes(left, leant(n, left.Perpendicular(n), slope))
}

// checkPatella returns an error where the patella lies behind the femur or tibia: then the
// axes that the anatomy gives contradict each other.
func (k *Knee) checkPatella() error {
	patella := k.sum(patellar).plus(k.tally[Patella])
	rest := k.sum(femoral).plus(k.tally[Femur])
	if rest.n == 0 {
		rest = k.sum(tibial).plus(k.tally[Tibia])
	}
	if patella.n == 0 || rest.n == 0 {
		return nil
	}
	d := patella.centroid(&k.mask.Geometry).Minus(rest.centroid(&k.mask.Geometry)).Unit()
	if cosine := -d.Dot(k.axes.Posterior); cosine <= 0 {
		return &Error{
			Problem: Askew, Tissue: k.firstOf(PatellarCartilage, Patella), Direction: "anterior",
			Amount: math.Acos(max(-1, cosine)) * 180 / math.Pi,
		}
	}
	return nil
}

// firstOf returns the first of the tissues that the mask has.
func (k *Knee) firstOf(list ...Tissue) Tissue {
	for _, t := range list {
		if k.tally[t].n > 0 {
			return t
		}
	}
	return NoTissue
}
