package anatomy

import (
	"context"
	"math"
)

const (
	// fewest is the least number of voxels that show the shape of a plate. A plate of 2 cm³ has 1,500 on
	// the coarsest grid in use, 0.6 × 0.6 × 3.5 mm.
	fewest = 100
	// fewestLayers is the least number of layers of voxels along each axis. Tibial cartilage has two on
	// axial slices of 3 mm.
	fewestLayers = 2
)

// Knee holds the findings about the knee in a mask. Its side need not be known.
type Knee struct {
	mask   *Mask
	tally  [tissueCount]tally
	spots  [groupCount][]spot
	pieces []Piece
	cut    [groupCount][6]bool // whether each face of the grid cuts the group: i = 0, last i, j = 0, …

	tibia    plates
	onTibia  Axes
	femur    notch
	hasNotch bool
	axes     Axes // of the femur; of the tibia if those of the femur are not known
}

// Examine finds the axes of the knee in the mask, on the grid of the mask. It passes over the voxels once;
// the rest of its time is proportional to the volume of cartilage. The mask must not change while the knee
// is in use.
//
// The superior axis is perpendicular to the tibial cartilage, corrected for the slope of the plateau.
// Without tibial cartilage it is perpendicular to the menisci, and without menisci it is the least
// principal axis of the femoral cartilage. The arch of the femoral cartilage opens posteriorly. The left
// axis is perpendicular to both. Without femoral cartilage, it is along the line between the centroids of
// the plateaus. Pieces of less than 2 % of their tissue are not used, and pieces that are too far away are
// omitted: see Piece.
//
// Errors are *Error: the mask does not show exactly one knee, the orientation of the knee is impossible in
// a scanner, or a tissue is too small to show its shape. If ctx ends, its error is returned.
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

// Axes returns the axes of the femur, or of the tibia if the mask does not show those of the femur.
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

// checkSize returns an error if the group has too few voxels, or all in one plane. A group without voxels
// is not an error.
func (k *Knee) checkSize(g group) error {
	if g == meniscal { // their shape is not used
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

// index returns the i, j and k of a voxel.
func index(v int32, size [3]int) [3]int {
	row := int(v) / size[0]
	return [3]int{int(v) % size[0], row % size[1], row / size[1]}
}

// cutPart is the least ratio of the voxels in the outermost layer of the grid to those in the next layer
// if the field of view cuts a body. A body that ends within the outermost layer has at most half as many
// there.
const cutPart = 0.75

// cutFaces reports which faces of the grid cut the group.
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

// cutAt reports whether a voxel lies on a face that cuts its group.
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

// bothSides is the distance in mm between the centroids of the left and the right half of a tissue above
// which it lies on both sides of the knee: such tissues have 34 or more. A plateau or condyle, up to 38 mm
// wide, has less than 19.
const bothSides = 26

// checkSides returns an error if a tissue that is named medial or lateral lies on both sides of the knee.
// This happens if a scheme with two labels is applied to a mask with one label for both.
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

// needsNotch reports whether the mask has femoral cartilage that is not divided yet.
func (k *Knee) needsNotch() bool {
	return k.tally[FemoralCartilage].n+k.tally[MedialFemoralCartilage].n+k.tally[LateralFemoralCartilage].n > 0
}

// normal returns the superior axis before the correction for slope, and its source. It also sets k.tibia.
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
		if femur.n > 0 { // the femur lies above
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

// thinnest returns the direction in which the spots vary least, and the direction from their mean towards
// the centre of the sphere that fits them best. The arch of femoral cartilage opens superiorly.
func thinnest(all []spot) (axis, opening vector) {
	s := scatterOf(all)
	axes, _ := principal(s.covariance())
	// Relative to the mean, the centre c of the sphere solves 2·covariance·c = mean of d·|d|².
	mean := s.mean()
	var third vector
	for _, p := range positions(all) {
		d := p.Minus(mean)
		third = third.Plus(d.Times(d.Dot(d)))
	}
	// c and the right-hand side have the same sign along the axis, because the matrix is positive
	// definite and the axis is an eigenvector.
	return axes[0], axes[0].Times(third.Dot(axes[0]))
}

// plateauAxes returns the axes of the tibia for the superior axis n before the correction for slope. Left
// is along the line between the centroids of the plateaus. If there is one plateau, it is the left of the
// femur or of the patient.
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

// checkPatella returns an error if the patella lies behind the femur or the tibia: the axes then
// contradict the anatomy.
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
