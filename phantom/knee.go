package phantom

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/volume"
)

// Knee is a person's knee in patient space: the anatomy at any position, and therefore on any grid.
type Knee struct {
	// Side is "R" or "L".
	Side   string
	person *knee
	placement
	shift [4]float64 // of T2 by label of the compartment, ms
}

// placement is the position of the knee in patient space: a place (u, p, h) of the knee is at
// centre + u·axes[0] + p·axes[1] + h·axes[2]. The axes are orthonormal.
type placement struct {
	centre [3]float64
	axes   [3][3]float64
}

// NewKnee returns the knee of the studies with the same Side, Seed and Shift, before the patient
// moves; the other options have no effect. Errors are those of New for these options.
func NewKnee(o Options) (*Knee, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	k, _ := makeKnee(o)
	return k, nil
}

// makeKnee draws the knee of the options, whose defaults are filled in, and the grid of
// its T2 series.
func makeKnee(o Options) (*Knee, volume.Geometry) {
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	k := &Knee{Side: o.Side, person: newKnee(rng)}
	g, placed := newGeometry(o, rng)
	k.placement = placed
	k.setShift(o.Shift)
	return k, g
}

func (k *Knee) setShift(shift [3]float64) { copy(k.shift[1:], shift[:]) }

// Moved returns the knee after the patient has moved by t.
func (k *Knee) Moved(t volume.Rigid) *Knee {
	moved := *k
	moved.centre = t.Apply(k.centre)
	t.Shift = [3]float64{}
	for a, axis := range k.axes {
		moved.axes[a] = t.Apply(axis)
	}
	return &moved
}

// Position returns the position in the patient, in mm LPS, of the place (u, p, h) of the knee. u
// points to medial, p to posterior, h to the head; see the package comment.
func (k *Knee) Position(u, p, h float64) [3]float64 {
	at := k.centre
	for r := range at {
		at[r] += u*k.axes[0][r] + p*k.axes[1][r] + h*k.axes[2][r]
	}
	return at
}

// Place returns the place (u, p, h) of the knee at a position in mm LPS.
func (k *Knee) Place(position [3]float64) (u, p, h float64) {
	x, y, z := position[0]-k.centre[0], position[1]-k.centre[1], position[2]-k.centre[2]
	coordinate := func(a [3]float64) float64 { return x*a[0] + y*a[1] + z*a[2] }
	return coordinate(k.axes[0]), coordinate(k.axes[1]), coordinate(k.axes[2])
}

// Grid returns a sagittal grid along the knee's own axes with the given spacing in mm (along rows
// to posterior, down columns to the feet, between slices to the patient's right). It covers the
// field of view of the T2 series, 132 mm × 132 mm and 72 mm from side to side, rounded to whole
// voxels about its middle.
func (k *Knee) Grid(spacing [3]float64) volume.Geometry {
	return k.gridOver(spacing, [3]float64{fieldOfView, fieldOfView, slabWidth})
}

// gridOver is Grid over another extent, mm.
func (k *Knee) gridOver(spacing, extent [3]float64) volume.Geometry {
	var g volume.Geometry
	for a := range g.Size {
		g.Size[a] = max(1, int(math.Round(extent[a]/spacing[a])))
	}
	right := -1.0
	if k.Side == "L" {
		right = 1
	}
	half := func(a int) float64 { return (float64(g.Size[a]) - 1) / 2 * spacing[a] }
	middleP, middleH := kneeFront+fieldOfView/2, kneeTop-fieldOfView/2
	origin := k.Position(-right*half(2), middleP-half(0), middleH+half(1))
	for r := range g.Affine {
		g.Affine[r] = [4]float64{
			spacing[0] * k.axes[1][r], -spacing[1] * k.axes[2][r], right * spacing[2] * k.axes[0][r], origin[r],
		}
	}
	return g
}

// Voxel is the anatomy at one position.
type Voxel struct {
	// Tissue indexes Tissues, Region indexes Regions and Compartment indexes
	// Compartments; each is 0 if there is none.
	Tissue, Region, Compartment uint8
	// Depth is the relative depth in cartilage, 0 at the bone and 1 at the joint; NaN
	// elsewhere. It is the distance from the bone over the local thickness.
	Depth float64
	// T2 in ms, NaN in air. S0 is the magnitude at TE = 0 before any blurring, 0 in air.
	T2, S0 float64
}

// Voxel returns the anatomy at a position, mm LPS.
func (k *Knee) Voxel(position [3]float64) Voxel {
	u, p, h := k.Place(position)
	r := newSection(k.person, u).row(h)
	return k.seen(r.voxel(p))
}

func (k *Knee) seen(v voxel) Voxel {
	return Voxel{
		Tissue: v.part, Region: v.region, Compartment: v.label, Depth: v.depth,
		T2: v.t2 + k.shift[v.label], S0: v.s0,
	}
}

// Anatomy is the knee on a grid: the anatomy at the centre of each voxel. The fields are those of
// Voxel.
type Anatomy struct {
	volume.Geometry
	Tissue, Region, Compartment []uint8
	Depth                       []float32
	// T2 and S0 are nil if they were not requested.
	T2, S0 []float32
}

// Sample returns the knee at the centres of the voxels of any grid: oblique, mirrored, or wholly or
// partly outside the knee. It does not average over a voxel: for partial volume, sample a finer
// grid. The result does not depend on the number of processors. The only error is that of ctx.
func (k *Knee) Sample(ctx context.Context, g volume.Geometry) (*Anatomy, error) {
	a := newSamples(g)
	a.T2, a.S0 = make([]float32, len(a.Tissue)), make([]float32, len(a.Tissue))
	return a, k.fill(ctx, g, func(s *sampler, v int, u, p, h float64) {
		seen := k.seen(s.row(u, h).voxel(p))
		a.set(v, seen)
		a.T2[v], a.S0[v] = float32(seen.T2), float32(seen.S0)
	}, nil)
}

// Structures is like Sample, but omits T2 and S0 and takes a fraction of the time.
func (k *Knee) Structures(ctx context.Context, g volume.Geometry) (*Anatomy, error) {
	a := newSamples(g)
	return a, k.fill(ctx, g, func(s *sampler, v int, u, p, h float64) {
		a.set(v, k.seen(s.section(u).structure(point{p / k.person.size, h / k.person.size})))
	}, nil)
}

func newSamples(g volume.Geometry) *Anatomy {
	n := g.Voxels()
	return &Anatomy{
		Geometry: g, Tissue: make([]uint8, n), Region: make([]uint8, n), Compartment: make([]uint8, n),
		Depth: make([]float32, n),
	}
}

func (a *Anatomy) set(v int, seen Voxel) {
	a.Tissue[v], a.Region[v], a.Compartment[v], a.Depth[v] = seen.Tissue, seen.Region, seen.Compartment,
		float32(seen.Depth)
}

// fill calls voxel with the place of each voxel of a grid, and then slice with the number
// of each slice that is complete, unless it is nil.
func (k *Knee) fill(ctx context.Context, g volume.Geometry, voxel func(s *sampler, v int, u, p, h float64),
	slice func(n int)) error {
	return parallel.Each(ctx, g.Size[2], 0, func(n int) error {
		s := &sampler{knee: k.person}
		for j := range g.Size[1] {
			for i := range g.Size[0] {
				u, p, h := k.Place(g.Position(float64(i), float64(j), float64(n)))
				voxel(s, i+g.Size[0]*(j+g.Size[1]*n), u, p, h)
			}
		}
		if slice != nil {
			slice(n)
		}
		return nil
	})
}

// sampler keeps the section and the row of the previous voxel, which are also those of the next
// voxel if the grid lies along the axes of the knee.
type sampler struct {
	knee    *knee
	u, h    float64
	plane   section
	line    row
	isPlane bool
	isLine  bool
}

// samePlace is a distance in mm that may arise from rounding of positions; it is far below any
// visible distance.
const samePlace = 1e-9

func (s *sampler) section(u float64) *section {
	if !s.isPlane || math.Abs(u-s.u) > samePlace {
		s.plane, s.u, s.isPlane, s.isLine = newSection(s.knee, u), u, true, false
	}
	return &s.plane
}

func (s *sampler) row(u, h float64) *row {
	plane := s.section(u)
	if !s.isLine || math.Abs(h-s.h) > samePlace {
		s.line, s.h, s.isLine = plane.row(h), h, true
	}
	return &s.line
}
