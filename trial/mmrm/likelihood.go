package mmrm

import (
	"gonum.org/v1/gonum/floats"
)

// likelihood evaluates −2 times the restricted log-likelihood (without its constant),
//
//	log|V| + log|XᵀV⁻¹X| + rᵀV⁻¹r,   r = y − Xβ(θ),
//
// and its derivatives with respect to θ. Its fields are the results for the θ of the last eval.
type likelihood struct {
	data  *problem
	shape structure
	// n is the number of effects, q the number of parameters θ.
	n, q int

	theta []float64
	sigma []float64 // Σ
	// least is the smallest pivot of Σ: 1 − R² of a visit given the visits before it.
	least  float64
	beta   []float64
	phi    []float64 // Φ = (XᵀV⁻¹X)⁻¹
	r      []float64 // residuals
	blocks []block

	// The results of derive follow.

	gradient []float64
	// expected is tr(PVⱼPVₖ), observed the second derivatives; both q × q.
	expected, observed []float64
	d                  [][]entry
	// p holds the matrices Pⱼ = ΣXᵢᵀΣᵢ⁻¹DⱼΣᵢ⁻¹Xᵢ, the derivatives of −XᵀV⁻¹X with respect to θj, in
	// sequence, and phiP the matrices ΦPⱼ.
	p, phiP []float64
	// h holds the vectors ΣXᵢᵀΣᵢ⁻¹DⱼΣᵢ⁻¹rᵢ in sequence.
	h []float64

	work [4][]float64
	vec  [3][]float64
	rows []int
}

// block has the intermediate results of eval and derive for one pattern of visits.
type block struct {
	pattern
	inv []float64 // Σᵢ⁻¹
	// forExpected and forObserved are the factors of DⱼΣᵢ⁻¹ in the traces of expected and observed; see
	// weigh.
	forExpected, forObserved []float64
	// index[v] is the index of visit v in visits, −1 where it is absent.
	index []int
}

func newLikelihood(p *problem, kind Covariance) *likelihood {
	f := &likelihood{data: p, shape: structure{kind: kind, visits: p.visits, place: p.place}}
	v, n, q := p.visits, p.params, f.shape.params()
	f.n, f.q = n, q
	largest := max(v, n)
	size := v*v + 2*n + n*n + len(p.y) + 2*q + 2*q*q + 2*q*n*n + q*n + 4*largest*largest + 3*largest
	for _, t := range p.patterns {
		size += 3 * len(t.visits) * len(t.visits)
	}
	slab := make([]float64, size)
	take := func(k int) []float64 {
		out := slab[:k:k]
		slab = slab[k:]
		return out
	}
	f.theta, f.sigma, f.beta, f.phi, f.r = take(q), take(v*v), take(n), take(n*n), take(len(p.y))
	f.gradient, f.expected, f.observed = take(q), take(q*q), take(q*q)
	f.p, f.phiP, f.h = take(q*n*n), take(q*n*n), take(q*n)
	for i := range f.work {
		f.work[i] = take(largest * largest)
	}
	for i := range f.vec {
		f.vec[i] = take(largest)
	}
	f.d = make([][]entry, q)
	f.blocks = make([]block, len(p.patterns))
	index := make([]int, v*len(p.patterns))
	for k, t := range p.patterns {
		m := len(t.visits) * len(t.visits)
		b := block{pattern: t, inv: take(m), forExpected: take(m), forObserved: take(m), index: index[k*v : k*v+v]}
		for i := range b.index {
			b.index[i] = -1
		}
		for i, visit := range t.visits {
			b.index[visit] = i
		}
		f.blocks[k] = b
	}
	return f
}

// eval sets θ and returns −2ℓ; false if Σ(θ) is not positive definite.
func (f *likelihood) eval(theta []float64) (float64, bool) {
	copy(f.theta, theta)
	v, n := f.shape.visits, f.n
	f.shape.sigma(theta, f.sigma)
	_, least, ok := cholesky(f.sigma, f.work[0], v)
	if !ok {
		return 0, false
	}
	f.least = least
	clear(f.phi)
	right := f.vec[0][:n]
	clear(right)
	sum := 0.0
	for k := range f.blocks {
		b := &f.blocks[k]
		m := len(b.visits)
		for i, vi := range b.visits {
			for j, vj := range b.visits {
				b.inv[i*m+j] = f.sigma[vi*v+vj]
			}
		}
		logDet, _, ok := invert(b.inv, f.work[0], m)
		if !ok {
			return 0, false
		}
		sum += float64(len(b.rows)) * logDet
		for _, first := range b.rows {
			f.cross(f.phi, b.inv, first, m)
			e := f.vec[1][:m]
			mulVec(e, b.inv, f.data.y[first:first+m])
			f.addX(right, e, first)
		}
	}
	mirror(f.phi, n)
	logDet, _, ok := invert(f.phi, f.work[0], n)
	if !ok {
		return 0, false
	}
	mulVec(f.beta, f.phi, right)
	return sum + logDet + f.residuals(), true
}

// residuals sets r and returns rᵀV⁻¹r.
func (f *likelihood) residuals() float64 {
	for i, y := range f.data.y {
		columns, values := f.data.row(i)
		for k, c := range columns {
			y -= values[k] * f.beta[c]
		}
		f.r[i] = y
	}
	sum := 0.0
	for k := range f.blocks {
		b := &f.blocks[k]
		m := len(b.visits)
		for _, first := range b.rows {
			r := f.r[first : first+m]
			sum += quadratic(r, b.inv, r)
		}
	}
	return sum
}

// cross adds the upper triangle of XᵢᵀaXᵢ to dst, for the subject whose rows begin at first and a
// symmetric m×m matrix a.
func (f *likelihood) cross(dst, a []float64, first, m int) {
	for i := range m {
		ci, vi := f.data.row(first + i)
		for j := range m {
			w := a[i*m+j]
			if w == 0 {
				continue
			}
			cj, vj := f.data.row(first + j)
			for k, c := range ci {
				x := w * vi[k]
				target := dst[c*f.n : c*f.n+f.n]
				for l, e := range cj {
					if e >= c {
						target[e] += x * vj[l]
					}
				}
			}
		}
	}
}

// addX adds Xᵢᵀe to dst.
func (f *likelihood) addX(dst, e []float64, first int) {
	for i, w := range e {
		columns, values := f.data.row(first + i)
		for k, c := range columns {
			dst[c] += w * values[k]
		}
	}
}

// derive sets the gradient, both information matrices and the Pⱼ at the θ of the last eval.
//
// With P = V⁻¹ − V⁻¹XΦXᵀV⁻¹ and Vⱼ = ∂V/∂θj (Gilmour, Thompson and Cullis 1995,
// doi:10.2307/2533274):
//
//	gradientⱼ  = tr(PVⱼ) − yᵀPVⱼPy
//	expectedⱼₖ = tr(PVⱼPVₖ)
//	observedⱼₖ = −tr(PVⱼPVₖ) + 2yᵀPVⱼPVₖPy + tr(PVⱼₖ) − yᵀPVⱼₖPy
func (f *likelihood) derive() {
	v, q := f.shape.visits, f.q
	slope := f.work[3][:v*v] // ∂(−2ℓ)/∂Σ
	clear(slope)
	for k := range f.blocks {
		f.weigh(&f.blocks[k], slope)
	}
	clear(f.expected)
	clear(f.observed)
	clear(f.p)
	clear(f.h)
	var second []entry
	for j := range q {
		f.d[j] = f.shape.derivative(f.theta, j, f.d[j][:0])
		f.gradient[j] = inner(f.d[j], slope, v)
	}
	for j := range q {
		for k := range f.blocks {
			f.traces(&f.blocks[k], j)
		}
		pj, n := f.p[j*f.n*f.n:(j+1)*f.n*f.n], f.n
		mirror(pj, n)
		mul(f.phiP[j*n*n:(j+1)*n*n], f.phi, pj, n)
	}
	for j := range q {
		for k := range j + 1 {
			t := f.traceProduct(j, k)
			expected := f.expected[j*q+k] + t
			observed := f.observed[j*q+k] - t - 2*quadratic(f.h[j*f.n:(j+1)*f.n], f.phi, f.h[k*f.n:(k+1)*f.n])
			if second = f.shape.second(f.theta, j, k, second[:0]); len(second) > 0 {
				observed += inner(second, slope, v)
			}
			f.expected[j*q+k], f.expected[k*q+j] = expected, expected
			f.observed[j*q+k], f.observed[k*q+j] = observed, observed
		}
	}
}

// inner returns ΣΣ dₐᵦaₐᵦ for a symmetric n×n matrix a.
func inner(d []entry, a []float64, n int) float64 {
	sum := 0.0
	for _, e := range d {
		w := e.v * a[e.a*n+e.b]
		if e.a != e.b {
			w += e.v * a[e.b*n+e.a]
		}
		sum += w
	}
	return sum
}

// traceProduct returns tr(ΦPⱼΦPₖ).
func (f *likelihood) traceProduct(j, k int) float64 {
	n := f.n
	a, b := f.phiP[j*n*n:(j+1)*n*n], f.phiP[k*n*n:(k+1)*n*n]
	sum := 0.0
	for i := range n {
		for l := range n {
			sum += a[i*n+l] * b[l*n+i]
		}
	}
	return sum
}

// weigh sets the block's weights and adds its part of ∂(−2ℓ)/∂Σ to slope:
// mΣᵢ⁻¹ − Σᵢ⁻¹(ΣXᵢΦXᵢᵀ + Σrᵢrᵢᵀ)Σᵢ⁻¹.
func (f *likelihood) weigh(b *block, slope []float64) {
	m := len(b.visits)
	xx, rr, tmp := f.work[0][:m*m], f.work[1][:m*m], f.work[2][:m*m]
	clear(xx)
	clear(rr)
	for _, first := range b.rows {
		f.outer(xx, first, m)
		r := f.r[first : first+m]
		for i := range m {
			floats.AddScaled(rr[i*m:i*m+m], r[i], r)
		}
	}
	mul(tmp, b.inv, xx, m)
	mul(xx, tmp, b.inv, m)
	mul(tmp, b.inv, rr, m)
	mul(rr, tmp, b.inv, m)
	count, v := float64(len(b.rows)), f.shape.visits
	for i, vi := range b.visits {
		for j, vj := range b.visits {
			k := i*m + j
			slope[vi*v+vj] += count*b.inv[k] - xx[k] - rr[k]
			b.forExpected[k] = count/2*b.inv[k] - xx[k]
			b.forObserved[k] = -count/2*b.inv[k] + xx[k] + rr[k]
		}
	}
}

// outer adds XᵢΦXᵢᵀ to dst.
func (f *likelihood) outer(dst []float64, first, m int) {
	for i := range m {
		ci, vi := f.data.row(first + i)
		for j := range i + 1 {
			cj, vj := f.data.row(first + j)
			sum := 0.0
			for k, c := range ci {
				row := f.phi[c*f.n : c*f.n+f.n]
				part := 0.0
				for l, e := range cj {
					part += row[e] * vj[l]
				}
				sum += vi[k] * part
			}
			dst[i*m+j] += sum
			if i != j {
				dst[j*m+i] += sum
			}
		}
	}
}

// traces adds a block's part to row j of expected and observed, and to Pⱼ and hⱼ.
func (f *likelihood) traces(b *block, j int) {
	m, v, q := len(b.visits), f.shape.visits, f.q
	ds, prod := f.work[0][:m*m], f.work[1][:m*m]
	rows := f.timesInverse(ds, b, f.d[j])
	mulRows(prod, b.forExpected, ds, m, rows)
	wide := f.work[2][:v*v]
	b.spread(wide, prod, v)
	for k := range j + 1 {
		f.expected[j*q+k] += 2 * inner(f.d[k], wide, v)
	}
	mulRows(prod, b.forObserved, ds, m, rows)
	b.spread(wide, prod, v)
	for k := range j + 1 {
		f.observed[j*q+k] += 2 * inner(f.d[k], wide, v)
	}
	mulRows(prod, b.inv, ds, m, rows)
	pj, hj := f.p[j*f.n*f.n:(j+1)*f.n*f.n], f.h[j*f.n:(j+1)*f.n]
	e := f.vec[0][:m]
	for _, first := range b.rows {
		f.cross(pj, prod, first, m)
		mulVec(e, prod, f.r[first:first+m])
		f.addX(hj, e, first)
	}
}

// timesInverse puts DΣᵢ⁻¹ into dst. If D has a single entry, it returns the rows that are not zero.
func (f *likelihood) timesInverse(dst []float64, b *block, d []entry) []int {
	m := len(b.visits)
	clear(dst[:m*m])
	f.rows = f.rows[:0]
	for _, e := range d {
		i, j := b.index[e.a], b.index[e.b]
		if i < 0 || j < 0 {
			continue
		}
		floats.AddScaled(dst[i*m:i*m+m], e.v, b.inv[j*m:j*m+m])
		if i != j {
			floats.AddScaled(dst[j*m:j*m+m], e.v, b.inv[i*m:i*m+m])
		}
		if len(d) == 1 && i != j {
			f.rows = append(f.rows, j)
		}
		if len(d) == 1 {
			f.rows = append(f.rows, i)
		}
	}
	if len(d) > 1 {
		return nil
	}
	return f.rows
}

// spread puts a matrix over the block's visits into one over all v visits; the others are 0.
func (b *block) spread(dst, a []float64, v int) {
	clear(dst)
	m := len(b.visits)
	for i, vi := range b.visits {
		for j, vj := range b.visits {
			dst[vi*v+vj] = a[i*m+j]
		}
	}
}
