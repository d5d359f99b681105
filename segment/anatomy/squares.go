package anatomy

import "math"

// squares are the normal equations of a least squares fit with up to six terms. The zero value
// with n set is ready.
type squares struct {
	n   int
	m   [6][6]float64 // upper half
	y   [6]float64
	sum float64 // of weight·y²
}

// add adds an observation y of the terms of row, with its weight.
func (s *squares) add(row [6]float64, y, weight float64) {
	for r := range s.n {
		w := float64(weight * row[r])
		for c := r; c < s.n; c++ {
			s.m[r][c] += float64(w * row[c])
		}
		s.y[r] += float64(w * y)
	}
	s.sum += float64(weight * float64(y*y))
}

// solve returns the coefficients and the sum of weighted squares that they leave, by Gauss
// without exchanging rows, as the matrix is positive; ok is false where it is not, and left is
// infinite.
func (s squares) solve() (c [6]float64, left float64, ok bool) {
	right := s.y
	for r := range s.n {
		if !(s.m[r][r] > 0) {
			return c, math.Inf(1), false
		}
		for q := r + 1; q < s.n; q++ {
			f := s.m[r][q] / s.m[r][r]
			for k := q; k < s.n; k++ {
				s.m[q][k] -= float64(f * s.m[r][k])
			}
			right[q] -= float64(f * right[r])
		}
	}
	left = s.sum
	for r := s.n - 1; r >= 0; r-- {
		c[r] = right[r]
		for q := r + 1; q < s.n; q++ {
			c[r] -= float64(s.m[r][q] * c[q])
		}
		c[r] /= s.m[r][r]
		left -= float64(c[r] * s.y[r])
	}
	return c, left, true
}
