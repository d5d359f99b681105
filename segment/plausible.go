package segment

import (
	"math"
	"slices"

	"github.com/t2map/t2map/segment/anatomy"
)

// FindingKind is what speaks against the meaning of a mask's labels.
type FindingKind int

// The kinds of findings.
const (
	// TooLarge: more tissue than the cartilage of a knee.
	TooLarge FindingKind = iota
	// TooSmall: so little that it is a slip of the pen.
	TooSmall
	// WrongSide: Compartment lies on the side of Other where Other should lie.
	WrongSide
	// Undivided: there is femoral cartilage in one piece, so that Compartment, which should
	// hold a part of it, holds the other bone's cartilage alone.
	Undivided
	// SumTooLarge: medial, lateral and patellofemoral hold more together than the cartilage
	// of a knee, though none does alone.
	SumTooLarge
)

// Finding is a fact about a mask that a knee does not have where the scheme is right.
type Finding struct {
	Kind        FindingKind
	Compartment string
	// Other is the compartment that it is compared with, for WrongSide and Undivided.
	Other string
	// VolumeMM3 is the volume of Compartment, and LimitMM3 what it should not be beyond, for
	// TooLarge, TooSmall and SumTooLarge, where it is that of all three; else 0.
	VolumeMM3, LimitMM3 float64
	// Direction is where Compartment should lie from Other, and DistanceMM by how much it
	// lies on the opposite side, between the centres of both, for WrongSide.
	Direction  Direction
	DistanceMM float64
}

// Direction is one of those of the body.
type Direction string

// The directions of findings.
const (
	Anterior Direction = "anterior"
	Superior Direction = "superior"
	ToMedial Direction = "medial" // by the side of the knee
)

// largest are the volumes in mm³ that the cartilage of a knee does not reach. A right knee
// segmented in whole has 11.8 cm³ of femoral, 1.9 and 1.8 of tibial and 1.2 of patellar
// cartilage (gattia/pymskt, example data), another 20.9 cm³ of femoral cartilage; over the
// condyles, knees with osteoarthritis have 12 to 15 (PMC3962518). The limit of the femur in
// whole is three times what is large, those of the small plates six times the example, for
// masks are drawn generously on thick slices. Medial, lateral and patellofemoral share the
// cartilage of the femur, some 21 cm³ where it is large, and that of tibia and patella, some
// 5: one of them holds half of all at most, with room for generous masks. Bone is beyond
// the limits: the same knee has 143 cm³ of femur, 101 of tibia and 13 of patella in the image.
var largest = map[string]float64{
	femoralRow: 60_000, Medial: 15_000, Lateral: 15_000, Patellofemoral: 15_000,
	medialTibial: 12_000, lateralTibial: 12_000, patellarRow: 8_000,
}

// largestSum is the volume in mm³ that Medial, Lateral and Patellofemoral together do not
// reach: one and a half times the 26 cm³ of a large knee.
const largestSum = 40_000

// smallest is the volume in mm³ below which a compartment is not a cartilage plate: a
// twentieth of the example's smallest. A mask of a few slices of a knee has more. One that
// spans fewer than fewestSlices is a region of interest in a plate, and is not judged.
const (
	smallest     = 50
	fewestSlices = 3
)

// A compartment counts as on the wrong side of another where their centres lie at least
// apart mm the wrong way, and at least one standard deviation of the voxels' positions, so
// that both overlap little: neighbouring structures of a small mask are not judged. In the
// example knee the centres are 14 mm (femur over tibia), 34 mm (medial from lateral) and 37
// mm (patella before femur) apart, with standard deviations of 7 to 15 mm.
const leastDisplacement = 5

// arrangement is a pair of compartments of which the first lies in a direction of the second.
type arrangement struct {
	first, second string
	direction     Direction
}

// arrangements holds how the compartments of a knee lie, whatever its position in the scanner:
// positions are the patient's.
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

// Check returns what speaks against the meaning that the scheme gave to the regions, where
// they are called as compartments of a knee or their parts; other names are not judged.
// Side is that of the knee, left or right, as results have it, or "" where it is not
// known: then medial and lateral are not compared. Compartments without voxels are passed
// over. Findings of volumes come in the order of names; that of the sum, if there is none.
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

// axis returns the axis of LPS that the direction runs along, and its sign there; 0 where
// the side of the knee is needed and not known. Medial is to the left in a right knee.
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

// place is where the voxels of a region lie: sums of positions in mm LPS and of their
// squares, from the centre of the grid.
type place struct {
	voxels       int
	sum, squares [3]float64
	first, last  int // slices that hold some
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

// nothing reports whether the next eight voxels are there and all background.
func nothing(x []uint16) bool {
	return len(x) >= 8 && x[0]|x[1]|x[2]|x[3]|x[4]|x[5]|x[6]|x[7] == 0
}
