package anatomy

import (
	"context"

	"github.com/t2map/t2map/segment/internal/words"
	"github.com/t2map/t2map/volume"
)

// group is a set of tissues that are divided together.
type group uint8

const (
	noGroup group = iota
	femoral
	tibial
	patellar
	meniscal
	groupCount // their number
)

// group returns the group of the tissue; noGroup for bone.
func (t Tissue) group() group {
	switch t {
	case FemoralCartilage, TrochlearCartilage, MedialFemoralCartilage, LateralFemoralCartilage,
		MedialCentralFemoralCartilage, LateralCentralFemoralCartilage,
		MedialPosteriorFemoralCartilage, LateralPosteriorFemoralCartilage:
		return femoral
	case TibialCartilage, MedialTibialCartilage, LateralTibialCartilage:
		return tibial
	case PatellarCartilage:
		return patellar
	case Menisci, MedialMeniscus, LateralMeniscus:
		return meniscal
	}
	return noGroup
}

// run is a row of voxels of one tissue: from i to i+n−1 in row j of slice k.
type run struct {
	i, j, k, n int32
	tissue     Tissue
	small      bool // whether it belongs to a small piece
}

// spot is a voxel of a group.
type spot struct {
	centre vector // its centre
	v      int32  // its index
	tissue Tissue
	small  bool
}

// survey holds the results of one pass over the voxels of a mask.
type survey struct {
	runs   []run
	tally  [tissueCount]tally
	pieces []Piece
}

// surveyOf returns the survey of the mask, and removes omitted pieces from the mask. Its voxels are copied
// before any is removed.
func surveyOf(ctx context.Context, m *Mask) (*survey, error) {
	if m.survey != nil {
		return m.survey, nil
	}
	var s survey
	s.runs, s.tally = collect(ctx, m)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.classifyPieces(ctx, m); err != nil {
		return nil, err
	}
	return &s, nil
}

// collect returns the runs of the mask in the order of its voxels, and the tally of each tissue. Bone is
// tallied but has no runs, because it is not divided. collect stops when ctx ends.
func collect(ctx context.Context, m *Mask) (runs []run, tallies [tissueCount]tally) {
	nx, ny, nz := m.Size[0], m.Size[1], m.Size[2]
	for k := range nz {
		if ctx.Err() != nil {
			break
		}
		for j := range ny {
			row := m.Data[(k*ny+j)*nx:][:nx]
			for i := 0; i < nx; {
				t := row[i]
				if t == NoTissue {
					for i++; i+8 <= nx && words.Eight(row[i:]) == 0; {
						i += 8
					}
					continue
				}
				start := i
				for eight := words.EightOf(t); i+8 <= nx && words.Eight(row[i:]) == eight; {
					i += 8
				}
				for i < nx && row[i] == t {
					i++
				}
				if t >= tissueCount {
					continue
				}
				tallies[t].add(start, j, k, i-start)
				if t.group() != noGroup {
					runs = append(runs, run{int32(start), int32(j), int32(k), int32(i - start), t, false})
				}
			}
		}
	}
	return runs, tallies
}

// tally is the number of voxels of a tissue and the sums of their indices. These are integers, so that
// their order does not matter.
type tally struct {
	n   int
	sum [3]int
}

func (t *tally) add(i, j, k, n int) {
	t.n += n
	t.sum[0] += n*i + n*(n-1)/2
	t.sum[1] += n * j
	t.sum[2] += n * k
}

func (t tally) plus(u tally) tally {
	t.n += u.n
	for a := range t.sum {
		t.sum[a] += u.sum[a]
	}
	return t
}

func (t tally) minus(u tally) tally {
	t.n -= u.n
	for a := range t.sum {
		t.sum[a] -= u.sum[a]
	}
	return t
}

// centroid returns the mean position, mm LPS.
func (t tally) centroid(g *volume.Geometry) vector {
	var p vector
	n := float64(t.n)
	for r := range p {
		a := &g.Affine[r]
		p[r] = float64(a[0]*(float64(t.sum[0])/n)) + float64(a[1]*(float64(t.sum[1])/n)) +
			float64(a[2]*(float64(t.sum[2])/n)) + a[3]
	}
	return p
}

// part finds the connected pieces of each group (26 neighbours). It returns, for each run, the index of
// the first run of its piece.
func part(runs []run, size [3]int) []int32 {
	parent := make([]int32, len(runs))
	for n := range parent {
		parent[n] = int32(n)
	}
	find := func(n int32) int32 {
		for parent[n] != n {
			parent[n] = parent[parent[n]]
			n = parent[n]
		}
		return n
	}
	join := func(a, b int) {
		x, y := find(int32(a)), find(int32(b))
		parent[max(x, y)] = min(x, y)
	}
	first := firsts(runs, size)
	for n := range runs {
		r := &runs[n]
		row := int(r.k)*size[1] + int(r.j)
		if n > 0 { // another tissue of the group in the same row
			if q := &runs[n-1]; q.j == r.j && q.k == r.k && q.i+q.n == r.i && q.tissue.group() == r.tissue.group() {
				join(n, n-1)
			}
		}
		for _, near := range [4][2]int{{-1, 0}, {-1, -1}, {0, -1}, {1, -1}} {
			j, k := int(r.j)+near[0], int(r.k)+near[1]
			if j < 0 || j >= size[1] || k < 0 {
				continue
			}
			other := row + near[0] + near[1]*size[1]
			for m := first[other]; m < first[other+1]; m++ {
				q := &runs[m]
				if q.i > r.i+r.n {
					break
				}
				if q.i+q.n >= r.i && q.tissue.group() == r.tissue.group() {
					join(n, int(m))
				}
			}
		}
	}
	for n := range parent {
		parent[n] = find(int32(n))
	}
	return parent
}

// firsts returns the index of the first run of each row, and a final index after the last run.
func firsts(runs []run, size [3]int) []int32 {
	first := make([]int32, size[1]*size[2]+1)
	row := 0
	for n, r := range runs {
		for current := int(r.k)*size[1] + int(r.j); row <= current; row++ {
			first[row] = int32(n)
		}
	}
	for ; row < len(first); row++ {
		first[row] = int32(len(runs))
	}
	return first
}

// spots returns the voxels of a group.
func spots(grid *volume.Geometry, runs []run, g group) []spot {
	n := 0
	for _, r := range runs {
		if r.tissue.group() == g {
			n += int(r.n)
		}
	}
	out := make([]spot, 0, n)
	for _, r := range runs {
		if r.tissue.group() != g {
			continue
		}
		v := int32(grid.Size[0])*(r.j+int32(grid.Size[1])*r.k) + r.i
		for d := range r.n {
			out = append(out, spot{position(grid, int(r.i+d), int(r.j), int(r.k)), v + d, r.tissue, r.small})
		}
	}
	return out
}

// positions returns the centres of the spots, without small pieces.
func positions(all []spot) []vector {
	var out []vector
	for n := range all {
		if !all[n].small {
			out = append(out, all[n].centre)
		}
	}
	return out
}

// scatterOf returns the scatter of the spots, without small pieces.
func scatterOf(all []spot) scatter {
	var s scatter
	for _, p := range positions(all) {
		s.add(p)
	}
	return s
}
