package mmrm

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Square matrices are stored row by row in one slice. Most have 2 to 20 rows and are inverted many
// thousand times in a simulation, where the calls of a library cost more than the arithmetic. All loops
// run along rows, so that 400 rows are not a problem either.

// invert replaces the symmetric positive definite n×n matrix a, of which it reads the lower triangle,
// by its whole inverse. It returns log|a| and the smallest pivot of the Cholesky factor relative to the
// diagonal: 1 − R² of a row given the rows before it. work has room for n×n numbers. ok is false if a
// is not positive definite.
func invert(a, work []float64, n int) (logDet, pivot float64, ok bool) {
	logDet, pivot, ok = cholesky(a, work, n)
	if !ok {
		return logDet, pivot, false
	}
	// a becomes L⁻¹, row by row.
	clear(a[:n*n])
	for i := range n {
		row := a[i*n : i*n+i+1]
		for k := range i {
			floats.AddScaled(row[:k+1], -work[i*n+k], a[k*n:k*n+k+1])
		}
		row[i] = 1
		floats.Scale(1/work[i*n+i], row)
	}
	// a⁻¹ = L⁻ᵀL⁻¹, gathered in the lower triangle of work.
	clear(work[:n*n])
	for i := range n {
		row := a[i*n : i*n+i+1]
		for j := range i + 1 {
			floats.AddScaled(work[j*n:j*n+j+1], row[j], row[:j+1])
		}
	}
	for i := range n {
		for j := range i + 1 {
			a[i*n+j], a[j*n+i] = work[i*n+j], work[i*n+j]
		}
	}
	return logDet, pivot, true
}

// cholesky puts the lower Cholesky factor of a into l; see invert for its results.
func cholesky(a, l []float64, n int) (logDet, pivot float64, ok bool) {
	pivot = 1
	for i := range n {
		ri := l[i*n : i*n+n]
		for j := range i {
			ri[j] = (a[i*n+j] - floats.Dot(ri[:j], l[j*n:j*n+j])) / l[j*n+j]
		}
		d := a[i*n+i] - floats.Dot(ri[:i], ri[:i])
		if !(d > 0) || math.IsInf(d, 1) {
			return 0, 0, false
		}
		pivot = min(pivot, d/a[i*n+i])
		ri[i] = math.Sqrt(d)
		logDet += math.Log(d)
	}
	return logDet, pivot, true
}

// mul puts ab into dst; all are n×n.
func mul(dst, a, b []float64, n int) { mulRows(dst, a, b, n, nil) }

// mulRows is mul for a matrix b of which only these rows are not zero; nil for any b.
func mulRows(dst, a, b []float64, n int, rows []int) {
	clear(dst[:n*n])
	for i := range n {
		target, factors := dst[i*n:i*n+n], a[i*n:i*n+n]
		if rows == nil {
			for k, v := range factors {
				floats.AddScaled(target, v, b[k*n:k*n+n])
			}
			continue
		}
		for _, k := range rows {
			floats.AddScaled(target, factors[k], b[k*n:k*n+n])
		}
	}
}

// mulVec puts ax into dst for a square a.
func mulVec(dst, a, x []float64) {
	n := len(x)
	for i := range dst {
		dst[i] = floats.Dot(a[i*n:i*n+n], x)
	}
}

// quadratic returns xᵀay for a square a.
func quadratic(x, a, y []float64) float64 {
	n, sum := len(x), 0.0
	for i, v := range x {
		if v != 0 {
			sum += v * floats.Dot(a[i*n:i*n+n], y)
		}
	}
	return sum
}

// mirror copies the upper triangle to the lower.
func mirror(a []float64, n int) {
	for i := range n {
		for j := range i {
			a[i*n+j] = a[j*n+i]
		}
	}
}

// transpose puts aᵀ into dst; both are n×n.
func transpose(dst, a []float64, n int) {
	for i := range n {
		for j := range n {
			dst[j*n+i] = a[i*n+j]
		}
	}
}
