package anatomy

import (
	"math"
	"slices"

	"github.com/t2map/t2map/segment/internal/space"
	"github.com/t2map/t2map/volume"
)

type vector = space.Vector

// position returns the centre of voxel (i, j, k), mm LPS.
func position(g *volume.Geometry, i, j, k int) vector {
	var p vector
	for r := range p {
		a := &g.Affine[r]
		p[r] = float64(a[0]*float64(i)) + float64(a[1]*float64(j)) + float64(a[2]*float64(k)) + a[3]
	}
	return p
}

// steps returns the distance along d between neighbouring voxels, for each axis of the grid.
func steps(g *volume.Geometry, d vector) (s [3]float64) {
	for c := range s {
		s[c] = math.Abs(vector{g.Affine[0][c], g.Affine[1][c], g.Affine[2][c]}.Dot(d))
	}
	return s
}

// halfStep returns half the largest of the steps along d: about half the extent of a voxel.
func halfStep(g *volume.Geometry, d vector) float64 {
	s := steps(g, d)
	return max(s[0], s[1], s[2]) / 2
}

// shortfall returns how far, on average, a body ends behind its last voxel centre along d. The centres of
// voxels within two steps of each other have several distances along d, and the end lies anywhere in the
// widest gap between these. In a grid along d the gap is a voxel; in an oblique grid it is less.
func shortfall(g *volume.Geometry, d vector) float64 {
	const reach = 2
	s := steps(g, d)
	slices.Sort(s[:])
	if s[2] == 0 {
		return 0
	}
	var phases []float64
	for a := -reach; a <= reach; a++ {
		for b := -reach; b <= reach; b++ {
			x := float64(float64(a)*s[0]) + float64(float64(b)*s[1])
			phases = append(phases, x-s[2]*math.Floor(x/s[2]))
		}
	}
	slices.Sort(phases)
	gap := phases[0] + s[2] - phases[len(phases)-1]
	for n := 1; n < len(phases); n++ {
		gap = max(gap, phases[n]-phases[n-1])
	}
	return gap / 2
}

// principal returns the eigenvectors of a symmetric matrix and the square roots of its eigenvalues, in
// increasing order, by Jacobi rotations.
func principal(m [3][3]float64) (axes [3]vector, deviation [3]float64) {
	v := [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	for range 30 { // convergence is quadratic: ten sweeps are enough
		for _, pair := range [3][2]int{{0, 1}, {0, 2}, {1, 2}} {
			p, q := pair[0], pair[1]
			if m[p][q] == 0 {
				continue
			}
			theta := (m[q][q] - m[p][p]) / (2 * m[p][q])
			t := 1 / (math.Abs(theta) + math.Sqrt(float64(theta*theta)+1))
			if theta < 0 {
				t = -t
			}
			c := 1 / math.Sqrt(float64(t*t)+1)
			s := t * c
			for r := range 3 {
				m[r][p], m[r][q] = float64(c*m[r][p])-float64(s*m[r][q]), float64(s*m[r][p])+float64(c*m[r][q])
			}
			for r := range 3 {
				m[p][r], m[q][r] = float64(c*m[p][r])-float64(s*m[q][r]), float64(s*m[p][r])+float64(c*m[q][r])
				v[r][p], v[r][q] = float64(c*v[r][p])-float64(s*v[r][q]), float64(s*v[r][p])+float64(c*v[r][q])
			}
		}
	}
	order := [3]int{0, 1, 2}
	for _, swap := range [3][2]int{{0, 1}, {1, 2}, {0, 1}} {
		if a, b := swap[0], swap[1]; m[order[a]][order[a]] > m[order[b]][order[b]] {
			order[a], order[b] = order[b], order[a]
		}
	}
	for n, c := range order {
		axes[n] = vector{v[0][c], v[1][c], v[2][c]}
		deviation[n] = math.Sqrt(max(0, m[c][c]))
	}
	return axes, deviation
}

// scatter accumulates the covariance of positions about their mean.
type scatter struct {
	n      float64
	sum    vector
	prod   [3][3]float64
	origin vector // near the positions, against cancellation
}

func (s *scatter) add(p vector) {
	if s.n == 0 {
		s.origin = p
	}
	d := p.Minus(s.origin)
	s.n++
	s.sum = s.sum.Plus(d)
	for r := range 3 {
		for c := r; c < 3; c++ {
			s.prod[r][c] += float64(d[r] * d[c])
		}
	}
}

func (s *scatter) mean() vector { return s.origin.Plus(s.sum.Times(1 / s.n)) }

// covariance returns the covariance matrix.
func (s *scatter) covariance() (m [3][3]float64) {
	for r := range 3 {
		for c := r; c < 3; c++ {
			m[r][c] = (s.prod[r][c] - s.sum[r]*s.sum[c]/s.n) / s.n
			m[c][r] = m[r][c]
		}
	}
	return m
}
