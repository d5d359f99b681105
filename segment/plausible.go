package segment

import (
	"math"
	"slices"

	"github.com/t2map/t2map/segment/anatomy"
)

// FindingKind is a kind of Finding.
type FindingKind int

// The kinds of findings.
const (
	// TooLarge: more tissue than the cartilage of a knee.
	TooLarge FindingKind = iota
	// TooSmall: so little tissue that it was drawn by mistake.
	TooSmall
	// WrongSide: Compartment and Other are on the wrong sides of each other.
	WrongSide
	// Undivided: the femoral cartilage is one row, so that Compartment, which should include a part of
	// it, has only the cartilage of the other bone.
	Undivided
	// SumTooLarge: medial, lateral and patellofemoral together have more tissue than the cartilage of a
	// knee, but none does alone.
	SumTooLarge
)

// Finding is a fact about a mask that is implausible for a knee and casts doubt on the scheme.
type Finding struct {
	Kind        FindingKind
	Compartment string
	// Other is the compartment to which it is compared, for WrongSide and Undivided.
	Other string
	// VolumeMM3 is the volume of Compartment and LimitMM3 its limit, for TooLarge and TooSmall; for
	// SumTooLarge, VolumeMM3 is that of all three compartments. Otherwise both are 0.
	VolumeMM3, LimitMM3 float64
	// Direction is the direction from Other in which Compartment should lie, and DistanceMM the distance
	// between their centres in the opposite direction, for WrongSide.
	Direction  Direction
	DistanceMM float64
}

// Direction is a direction in the body.
type Direction string

// The directions of findings.
const (
	Anterior Direction = "anterior"
	Superior Direction = "superior"
	ToMedial Direction = "medial" // by the side of the knee
)

// largest holds upper limits of volume in mm³ for the cartilage of a knee. A completely segmented
// right knee has 11.8 cm³ of femoral, 1.9 and 1.8 of tibial and 1.2 of patellar cartilage
// (gattia/pymskt, example data), and another knee 20.9 cm³ of femoral cartilage. Over the condyles,
// knees with osteoarthritis have 12 to 15 cm³ (PMC3962518). The limit of the whole femur is three
// times a large volume. Those of the small plates are six times the example, because masks are drawn
// generously on thick slices. Medial, lateral and patellofemoral share the cartilage of the femur,
// some 21 cm³ if it is large, and that of tibia and patella, some 5 cm³. One of them has at most half
// of this, with a margin for generous masks. Bone exceeds the limits: the same knee has 143 cm³ of
// femur, 101 of tibia and 13 of patella in the image.
var largest = map[string]float64{
	femoralRow: 60_000, Medial: 15_000, Lateral: 15_000, Patellofemoral: 15_000,
	medialTibial: 12_000, lateralTibial: 12_000, patellarRow: 8_000,
}

// largestSum is the upper limit in mm³ of Medial, Lateral and Patellofemoral together: one and a half
// times the 26 cm³ of a large knee.
const largestSum = 40_000

// smallest is the lower limit of a compartment in mm³: a twentieth of the smallest plate of the
// example. A mask of a few slices has more. A mask on fewer than fewestSlices slices is a region of
// interest within a plate, and is not checked.
const (
	smallest     = 50
	fewestSlices = 3
)

// leastDisplacement is the least distance in mm between the centres of two compartments, in the wrong
// direction, for a finding. The distance must also be at least one standard deviation of the
// voxels' positions, so that the compartments overlap little: neighbouring structures in a small mask are
// not compared. In the example knee the centres are 14 mm (femur, tibia), 34 mm (medial, lateral) and
// 37 mm (patella, femur) apart, with standard deviations of 7 to 15 mm.
const leastDisplacement = 5

// arrangement says in which direction the first of two compartments lies from the second.
type arrangement struct {
	first, second string
	direction     Direction
}

// arrangements holds the relative positions of the compartments of a knee. They are in the axes of the
// patient, and hold in any position in the scanner.
var arrangements = []arrangement{
	{Medial, Lateral, ToMedial},
	{medialTibial, lateralTibial, ToMedial},
	{string(anatomy.PlateMedialMeniscus), string(anatomy.PlateLateralMeniscus), ToMedial},
	{Patellofemoral, Medial, Anterior},
	{Patellofemoral, Lateral, Anterior},
	{patellarRow, femoralRow, Anterior},
	{patellarRow, medialTibial, Anterior},
	{patellarRow, lateralTibial, Anterior},
	{femoralRow, medialTibial, Superior},
	{femoralRow, lateralTibial, Superior},
}

// Check returns findings that cast doubt on the scheme. It checks regions whose names are compartments of
// a knee or their parts, and ignores other names and compartments without voxels. side is that of the
// knee, left or right; if it is "", medial and lateral are not compared. Findings about volumes come
// first, in the order of names, or the finding about their sum if there is no other.
func (r Regions) Check(side string) []Finding {
	places := r.places()
	var out []Finding
	var sum float64
	for n, name := range r.Names {
		limit, judged := largest[name]
		v := float64(places[n].voxels) * r.VoxelVolume()
		if name == Medial || name == Lateral || name == Patellofemoral {
			sum += v
		}
		switch {
		case !judged || v == 0:
		case v > limit:
			out = append(out, Finding{Kind: TooLarge, Compartment: name, VolumeMM3: v, LimitMM3: limit})
		case v < smallest && places[n].last-places[n].first >= fewestSlices-1:
			out = append(out, Finding{Kind: TooSmall, Compartment: name, VolumeMM3: v, LimitMM3: smallest})
		}
	}
	if sum > largestSum && len(out) == 0 {
		out = append(out, Finding{Kind: SumTooLarge, VolumeMM3: sum, LimitMM3: largestSum})
	}
	out = append(out, r.undivided(places)...)
	for _, o := range arrangements {
		first, second := slices.Index(r.Names, o.first), slices.Index(r.Names, o.second)
		axis, sign := o.direction.axis(side)
		if first < 0 || second < 0 || sign == 0 || places[first].voxels == 0 || places[second].voxels == 0 {
			continue
		}
		wrong := sign * (places[second].centre(axis) - places[first].centre(axis))
		spread := math.Sqrt((places[first].variance(axis) + places[second].variance(axis)) / 2)
		if wrong >= leastDisplacement && wrong >= spread {
			out = append(
				out,
				Finding{
					Kind: WrongSide, Compartment: o.first, Other: o.second, Direction: o.direction, DistanceMM: wrong,
				},
			)
		}
	}
	return out
}

// undivided finds compartments that lack their part of the femur.
func (r Regions) undivided(places []place) []Finding {
	whole := slices.Index(r.Names, femoralRow)
	if whole < 0 || places[whole].voxels == 0 {
		return nil
	}
	var out []Finding
	for n, name := range r.Names {
		if (name == Medial || name == Lateral || name == Patellofemoral) && places[n].voxels > 0 {
			out = append(out, Finding{Kind: Undivided, Compartment: name, Other: femoralRow})
		}
	}
	return out
}

// axis returns the axis of LPS along the direction, and its sign. The sign is 0 if the side of the knee is
// needed and not known. Medial is to the left in a right knee.
func (d Direction) axis(side string) (axis int, sign float64) {
	switch {
	case d == Anterior:
		return 1, -1
	case d == Superior:
		return 2, 1
	case d == ToMedial && side == "right":
		return 0, 1
	case d == ToMedial && side == "left":
		return 0, -1
	}
	return 0, 0
}

// place is the position of the voxels of a region: sums of positions in mm LPS and of their squares,
// relative to the centre of the grid.
type place struct {
	voxels       int
	sum, squares [3]float64
	first, last  int // slices with voxels
}

func (p place) centre(axis int) float64 { return p.sum[axis] / float64(p.voxels) }

func (p place) variance(axis int) float64 {
	c := p.centre(axis)
	return max(0, p.squares[axis]/float64(p.voxels)-c*c)
}

// places returns the place of every region.
func (r Regions) places() []place {
	out := make([]place, len(r.Names))
	nx, ny := r.Size[0], r.Size[1]
	middle := r.Position(float64(nx-1)/2, float64(ny-1)/2, float64(r.Size[2]-1)/2)
	for row := range len(r.Data) / max(nx, 1) {
		labels := r.Data[row*nx:][:nx]
		for i := 0; i < nx; i++ {
			if nothing(labels[i:]) { // as nearly everywhere
				i += 7
				continue
			}
			region := labels[i]
			if region == 0 || int(region) > len(out) {
				continue
			}
			p, k := &out[region-1], row/ny
			if p.voxels == 0 {
				p.first = k
			}
			p.last = k
			p.voxels++
			for axis, position := range r.Position(float64(i), float64(row%ny), float64(row/ny)) {
				d := position - middle[axis]
				p.sum[axis] += d
				p.squares[axis] += d * d
			}
		}
	}
	return out
}

// nothing reports whether there are eight more voxels, all background.
func nothing(x []uint16) bool {
	return len(x) >= 8 && x[0]|x[1]|x[2]|x[3]|x[4]|x[5]|x[6]|x[7] == 0
}
