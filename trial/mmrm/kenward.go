package mmrm

import "gonum.org/v1/gonum/floats"

// adjusted returns Kenward and Roger's covariance of the inner β from that of θ (W):
//
//	Φ + 2Φ{ΣΣ Wⱼₖ(Qⱼₖ − PⱼΦPₖ − ¼Rⱼₖ)}Φ
//
// with Qⱼₖ = XᵀV⁻¹VⱼV⁻¹VₖV⁻¹X and Rⱼₖ = XᵀV⁻¹VⱼₖV⁻¹X. Vⱼₖ is the second derivative, which is 0 in
// structures that are linear in θ.
func (s *search) adjusted(w []float64) []float64 {
	n, q := s.n, s.q
	sum := make([]float64, n*n)
	s.addQ(sum, w)
	mirror(sum, n)
	mean, tmp := make([]float64, n*n), s.work[0]
	for j := range q {
		clear(mean)
		for k := range q {
			floats.AddScaled(mean, w[j*q+k], s.p[k*n*n:(k+1)*n*n])
		}
		transpose(tmp, s.phiP[j*n*n:(j+1)*n*n], n) // PⱼΦ
		mul(s.work[1], tmp, mean, n)
		floats.Sub(sum, s.work[1][:n*n])
	}
	mul(tmp, s.phi, sum, n)
	mul(sum, tmp, s.phi, n)
	floats.Scale(2, sum)
	floats.Add(sum, s.phi)
	for i := range n {
		for j := range i {
			mean := (sum[i*n+j] + sum[j*n+i]) / 2
			sum[i*n+j], sum[j*n+i] = mean, mean
		}
	}
	return sum
}

// addQ adds the upper triangle of ΣΣ Wⱼₖ(Qⱼₖ − ¼Rⱼₖ) to dst.
func (s *search) addQ(dst, w []float64) {
	q, v := s.q, s.shape.visits
	sum := make([]float64, v*v)
	var curved, mean []entry
	for j := range q {
		for k := range q {
			mean = s.shape.second(s.theta, j, k, mean[:0])
			gather(sum, -w[j*q+k]/4, mean, v)
		}
	}
	curved = scatter(curved, sum, v)
	for j := range q {
		clear(sum)
		for k := range q {
			gather(sum, w[j*q+k], s.d[k], v)
		}
		mean = scatter(mean[:0], sum, v)
		for i := range s.blocks {
			b := &s.blocks[i]
			m := len(b.visits)
			ds, tmp, core := s.work[0][:m*m], s.work[1][:m*m], s.work[2][:m*m]
			// Σᵢ⁻¹ Dⱼ Σᵢ⁻¹ (ΣWⱼₖDₖ) Σᵢ⁻¹
			s.timesInverse(ds, b, mean)
			mul(tmp, b.inv, ds, m)
			s.timesInverse(ds, b, s.d[j])
			transpose(core, ds, m)
			mul(ds, core, tmp, m)
			if j == 0 {
				s.timesInverse(tmp, b, curved)
				mul(core, b.inv, tmp, m)
				floats.Add(ds, core)
			}
			for _, first := range b.rows {
				s.cross(dst, ds, first, m)
			}
		}
	}
}

// gather adds w·d to the upper triangle of a v×v.
func gather(sum []float64, w float64, d []entry, v int) {
	for _, e := range d {
		sum[e.a*v+e.b] += w * e.v
	}
}

// scatter appends the entries of the upper triangle of a v×v that are not zero.
func scatter(dst []entry, a []float64, v int) []entry {
	for i := range v {
		for j := i; j < v; j++ {
			if w := a[i*v+j]; w != 0 {
				dst = append(dst, entry{i, j, w})
			}
		}
	}
	return dst
}
