package space

import "math"

// MostTerms is the largest number of terms of a fit.
const MostTerms = 6

// LeastSquares holds the normal equations of a weighted linear fit: the coefficients c minimise
// Σ weight·(y − Σ c[n]·term[n])².
type LeastSquares struct {
	Terms int // the number of terms
	// LeastPivot is the pivot at or below which the equations count as singular.
	LeastPivot float64

	matrix  [MostTerms][MostTerms]float64 // upper half
	right   [MostTerms]float64
	squares float64 // Σ weight·y²
}

// Add adds an observation y with its terms and weight.
func (s *LeastSquares) Add(terms [MostTerms]float64, y, weight float64) {
	for r := range s.Terms {
		w := float64(weight * terms[r])
		for c := r; c < s.Terms; c++ {
			s.matrix[r][c] += float64(w * terms[c])
		}
		s.right[r] += float64(w * y)
	}
	s.squares += float64(weight * float64(y*y))
}

// Solve returns the coefficients and the weighted sum of squared residuals. Gaussian elimination
// needs no row exchange because the matrix is positive definite; ok is false if it is not, and the
// sum is then infinite.
func (s LeastSquares) Solve() (c [MostTerms]float64, residual float64, ok bool) {
	right := s.right
	for r := range s.Terms {
		if !(s.matrix[r][r] > s.LeastPivot) {
			return c, math.Inf(1), false
		}
		for q := r + 1; q < s.Terms; q++ {
			f := s.matrix[r][q] / s.matrix[r][r]
			for k := q; k < s.Terms; k++ {
				s.matrix[q][k] -= float64(f * s.matrix[r][k])
			}
			right[q] -= float64(f * right[r])
		}
	}
	residual = s.squares
	for r := s.Terms - 1; r >= 0; r-- {
		c[r] = right[r]
		for q := r + 1; q < s.Terms; q++ {
			c[r] -= float64(s.matrix[r][q] * c[q])
		}
		c[r] /= s.matrix[r][r]
		residual -= float64(c[r] * s.right[r])
	}
	return c, residual, true
}
