package anatomy

import (
	"context"
	"math"
	"slices"
)

const (
	// clusterCell is the edge in mm of the cells in which clusters are found. Parts of one plate that are
	// closer than this are connected.
	clusterCell = 10
	// kneesApart is the least distance in mm between the same plates of two knees. A knee is 75 mm wide,
	// so that two parts of one plate are closer.
	kneesApart = 80
	// patellaeApart is the same for two patellae of one knee. The centroids of two facets are 20 mm apart.
	patellaeApart = 25
	// leastSecond is the least size of a second plate, as a share of the first. A smaller piece was
	// labelled by mistake and is omitted: see Piece.
	leastSecond = 0.25
)

// voxelsPerCheck is the number of voxels between two checks of the context.
const voxelsPerCheck = 1 << 14

// cluster is a separate part of a plate.
type cluster struct {
	n      int
	centre vector
}

// clusters returns the separate parts of the spots, the largest first.
func clusters(all []spot) []cluster {
	lo, hi := vector{math.Inf(1), math.Inf(1), math.Inf(1)}, vector{math.Inf(-1), math.Inf(-1), math.Inf(-1)}
	for n := range all {
		for r, x := range all[n].centre {
			if !all[n].small {
				lo[r], hi[r] = min(lo[r], x), max(hi[r], x)
			}
		}
	}
	if !(lo[0] <= hi[0]) {
		return nil
	}
	var size [3]int
	for r := range size {
		lo[r] -= binOffset
		size[r] = int((hi[r]-lo[r])/clusterCell) + 1
	}
	cells := make([]scatter, size[0]*size[1]*size[2])
	for n := range all {
		if !all[n].small {
			p := all[n].centre.Minus(lo)
			c := &cells[int(p[0]/clusterCell)+size[0]*(int(p[1]/clusterCell)+size[1]*int(p[2]/clusterCell))]
			c.n++
			c.sum = c.sum.Plus(all[n].centre)
		}
	}
	var out []cluster
	for cell := range cells {
		if cells[cell].n > 0 {
			out = append(out, flood(cells, size, cell))
		}
	}
	slices.SortStableFunc(out, func(a, b cluster) int { return b.n - a.n })
	return out
}

// flood empties the cells that are connected with the given one and returns their contents.
func flood(cells []scatter, size [3]int, cell int) cluster {
	var all scatter
	stack := []int{cell}
	for len(stack) > 0 {
		cell := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if cells[cell].n == 0 {
			continue
		}
		all.n += cells[cell].n
		all.sum = all.sum.Plus(cells[cell].sum)
		cells[cell].n = 0
		x, y, z := cell%size[0], cell/size[0]%size[1], cell/(size[0]*size[1])
		for c := max(0, z-1); c <= min(size[2]-1, z+1); c++ {
			for b := max(0, y-1); b <= min(size[1]-1, y+1); b++ {
				for a := max(0, x-1); a <= min(size[0]-1, x+1); a++ {
					if next := a + size[0]*(b+size[1]*c); cells[next].n > 0 {
						stack = append(stack, next)
					}
				}
			}
		}
	}
	return cluster{int(all.n), all.sum.Times(1 / all.n)}
}

// twoLargest returns the largest part of a group, the most distant part that has at least leastSecond of
// its size, and the distance between their centroids. The distance is 0 if there is no such part.
func (k *Knee) twoLargest(g group) (first, second cluster, distance float64) {
	all := clusters(k.spots[g])
	if len(all) == 0 {
		return
	}
	for _, c := range all[1:] {
		if d := c.centre.Minus(all[0].centre).Length(); float64(c.n) >= leastSecond*float64(all[0].n) && d > distance {
			first, second, distance = all[0], c, d
		}
	}
	return first, second, distance
}

// checkSingle returns an error if the mask shows more than one knee or patella.
func (k *Knee) checkSingle() error {
	for _, g := range []group{femoral, tibial} {
		if _, _, d := k.twoLargest(g); d > kneesApart {
			return &Error{Problem: TwoKnees, Tissue: k.representative(g), Amount: d}
		}
	}
	if _, two, d := k.twoLargest(patellar); d > patellaeApart {
		return &Error{Problem: TwoPatellae, Tissue: PatellarCartilage, Voxels: two.n, Amount: d}
	}
	return nil
}

// Plane is the sagittal plane between two knees.
type Plane struct {
	normal   vector // to the patient's left
	distance float64
}

// OnSide reports whether a position, mm LPS, lies on the given side of the plane, Left or Right.
func (p Plane) OnSide(position [3]float64, side Side) bool {
	return (vector(position).Dot(p.normal) > p.distance) == (side == Left)
}

// PlaneBetween returns the plane between two knees in m. There are two knees if large parts of the femoral
// cartilage, or of the tibial cartilage if there is none, are more than 80 mm apart. ok is false for one
// knee. More than two knees, or knees one above the other, are an *Error. If ctx ends, its error is
// returned.
func PlaneBetween(ctx context.Context, m Mask) (p Plane, ok bool, err error) {
	return planeBetween(ctx, &m)
}

// planeBetween is PlaneBetween; it also sets m.survey.
func planeBetween(ctx context.Context, m *Mask) (p Plane, ok bool, err error) {
	if len(m.Data) != m.Voxels() {
		return p, false, &Error{Problem: WrongSize}
	}
	if m.survey, err = surveyOf(ctx, m); err != nil {
		return p, false, err
	}
	k := &Knee{mask: m, tally: m.survey.tally}
	for _, g := range []group{femoral, tibial} {
		k.spots[g] = spots(&m.Geometry, m.survey.runs, g)
		a, b, d := k.twoLargest(g)
		if d <= kneesApart {
			continue
		}
		normal := b.centre.Minus(a.centre).Unit()
		if math.Abs(normal[0]) < upright {
			return p, false, &Error{Problem: TwoKnees, Tissue: k.representative(g), Amount: d}
		}
		if normal[0] < 0 {
			normal = normal.Times(-1)
		}
		return Plane{normal, a.centre.Plus(b.centre).Times(0.5).Dot(normal)}, true, nil
	}
	return p, false, nil
}

// Knees returns a mask of each knee in m on the same grid, the patient's right knee first; m itself if it
// shows one knee. Two knees are recognised as by PlaneBetween, and each voxel goes to the nearer knee. The
// masks do not contain omitted pieces: see Piece. Do not change a mask before Examine has read it: it
// keeps the findings of Knees. If ctx ends, its error is returned.
func Knees(ctx context.Context, m Mask) ([]Mask, error) {
	whole := m.Data // with the omitted pieces
	p, two, err := planeBetween(ctx, &m)
	switch {
	case err != nil:
		return nil, err
	case !two:
		return []Mask{m}, nil
	}
	knees, err := p.part(ctx, Mask{Geometry: m.Geometry, Data: whole})
	for n := range knees {
		if knees[n].survey, err = surveyOf(ctx, &knees[n]); err != nil {
			return nil, err
		}
	}
	return knees, err
}

// part returns the voxels on either side of the plane, the right side first.
func (p Plane) part(ctx context.Context, m Mask) ([]Mask, error) {
	out := []Mask{{Geometry: m.Geometry}, {Geometry: m.Geometry}}
	for n := range out {
		out[n].Data = make([]Tissue, len(m.Data))
	}
	for v, t := range m.Data {
		if v%voxelsPerCheck == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if t != NoTissue {
			i := index(int32(v), m.Size)
			n := 0
			if p.OnSide(position(&m.Geometry, i[0], i[1], i[2]), Left) {
				n = 1
			}
			out[n].Data[v] = t
		}
	}
	return out, nil
}
