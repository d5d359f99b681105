package lanes

import "math"

// The functions in Go. The assembly performs the same operations.

// columnOf copies the echoes of decay i to dst.
func columnOf(dst, y []float64, i int) {
	for e := range dst {
		dst[e] = y[e*Width+i]
	}
}

func sumInGo(y, t []float64, floor float64, n int, s *Sums) {
	count := float64(len(t))
	mean := sumOf(t) / count
	per := 1 / count
	for i := range n {
		var sum, slope, squares, lag, above, last float64
		for e, t := range t {
			v := y[e*Width+i]
			sum += v
			slope = math.FMA(v, t, slope)
			squares = math.FMA(v, v, squares)
			lag = math.FMA(last, v, lag)
			if v > floor {
				above++
			}
			last = v
		}
		start := lag / math.FMA(-last, last, squares)
		if !(start > leastStart) {
			start = blindStart
		}
		if start > mostStart {
			start = mostStart
		}
		s.Sum[i], s.Squares[i], s.Above[i], s.Start[i] = sum, squares, above, start
		s.Total[i] = math.FMA(-float64(sum*per), sum, squares)
		s.Line[i] = math.FMA(-sum, mean, slope)
	}
}

// sumOf returns Σx.
func sumOf(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}

func solveInGo(y []float64, echoes, n int, a *Brackets, m *Minima) {
	var room [fewEchoes]float64
	column := roomFor(room[:], echoes)
	for i := range n {
		columnOf(column, y, i)
		m.RSS[i] = math.Inf(1)
		solveOne(column, i, a, m)
	}
}

// fewEchoes is the largest number of echoes of a decay that is copied to the stack: the longest
// trains in use have 32.
const fewEchoes = 32

func roomFor(room []float64, echoes int) []float64 {
	if echoes > len(room) {
		return make([]float64, echoes)
	}
	return room[:echoes]
}

// solveOne finds a minimum of one decay. Its unknown is the ratio q of neighbouring echoes itself,
// so that g = 1, q, q², … takes only multiplications. u1, u2, w1 and w2 hold derivatives with
// respect to ln q.
func solveOne(y []float64, i int, a *Brackets, m *Minima) {
	q, lo, hi := a.Start[i], a.Lo[i], a.Hi[i]
	for range maxSteps {
		// Horner's scheme for the polynomials u = Σy·g in q and w = Σg² in q², with their first
		// derivatives and half of their second ones.
		var u, u1, u2, w, w1, w2 float64
		q2 := q * q
		for e := len(y) - 1; e >= 0; e-- {
			u2 = math.FMA(u2, q, u1)
			u1 = math.FMA(u1, q, u)
			u = math.FMA(u, q, y[e])
			w2 = math.FMA(w2, q2, w1)
			w1 = math.FMA(w1, q2, w)
			w = math.FMA(w, q2, 1)
		}
		u1, w1 = float64(u1*q), float64(w1*q2)
		u2 = math.FMA(float64(2*q2), u2, u1)
		w2 = math.FMA(float64(float64(2*q2)*q2), w2, w1)
		phi := math.FMA(u1, w, -float64(u*w1))
		curve := math.FMA(u2, w, float64(u1*w1))
		curve = math.FMA(-float64(2*u), w2, curve)
		if phi > 0 {
			lo = q
		} else {
			hi = q
		}
		newton := phi / curve
		next := math.FMA(-q, newton, q)
		// q·(1−q) is about the distance to the nearer end of [0, 1].
		near := float64(tolerance*q) * (1 - q)
		if math.Abs(next-q) <= near && curve < 0 {
			if u > 0 {
				// The sums belong to the ratio before the last step; u/w is corrected to first
				// order.
				per := 1 / w
				amplitude := float64(u * per)
				move := float64(math.FMA(-float64(2*amplitude), w1, u1) * per)
				m.A[i] = math.FMA(-move, newton, amplitude)
				m.Ratio[i] = next
				m.Spread[i] = math.FMA(-float64(w1*per), w1, w2)
				m.RSS[i] = residual(y, m.A[i], next)
			}
			return
		}
		if !(curve < 0) || next <= lo || next >= hi {
			next = (lo + hi) * 0.5
			if next < Shortest || next == lo || next == hi {
				return
			}
		}
		q = next
	}
}

// residual returns Σ(y − a·qᵉ)².
func residual(y []float64, a, q float64) float64 {
	rss, g := 0.0, a
	for _, v := range y {
		r := v - g
		rss = math.FMA(r, r, rss)
		g *= q
	}
	return rss
}

func signInGo(y, weights []float64, echoes, n int, below *[Width]uint64) {
	for i := range n {
		var bits uint64
		for r := 0; r < len(weights)/echoes; r += rateLanes {
			var a, b, c, d float64
			for e := range echoes {
				v, w := y[e*Width+i], weights[r*echoes+e*rateLanes:][:rateLanes]
				a = math.FMA(w[0], v, a)
				b = math.FMA(w[1], v, b)
				c = math.FMA(w[2], v, c)
				d = math.FMA(w[3], v, d)
			}
			for lane, phi := range [rateLanes]float64{a, b, c, d} {
				if phi < 0 {
					bits |= 1 << (r + lane)
				}
			}
		}
		below[i] = bits
	}
}

func finishInGo(step, te0, dof float64, n int, m *Minima, c *Curves) {
	perDOF := 1 / float64(dof*float64(step*step))
	for i := range n {
		rate := Log(m.Ratio[i]) * (-1 / step)
		t2 := 1 / rate
		c.T2[i] = t2
		c.S0[i] = m.A[i] * Exp(float64(rate*te0))
		scale := float64(m.A[i]*m.A[i]) * m.Spread[i]
		c.SE[i] = float64(t2*t2) * math.Sqrt(float64(m.RSS[i]*perDOF)/scale)
		c.RSS[i] = m.RSS[i]
	}
}

func logLineInGo(y []float64, k Train, floor float64, weighted bool, n int, s *Sums, c *Curves) {
	per := 1 / float64(len(k.T))
	backwards := !weighted && byProducts(k) // in the order of evenProducts
	for i := range n {
		var sum, squares, above float64
		for e := range k.T {
			if backwards {
				e = len(k.T) - 1 - e
			}
			v := y[e*Width+i]
			sum += v
			squares = math.FMA(v, v, squares)
			if v > floor {
				above++
			}
		}
		s.Sum[i], s.Squares[i], s.Above[i] = sum, squares, above
		s.Total[i] = math.FMA(-float64(sum*per), sum, squares)
		var p products
		switch {
		case weighted:
			p = weightedProducts(y[i:], k)
		case backwards:
			p = evenProducts(y[i:], k)
		default:
			p = plainProducts(y[i:], k)
		}
		w, wt, wl, wtt, wtl := p.w, p.wt, p.wl, p.wtt, p.wtl
		perW := 1 / w
		f := line{perW: perW, t0: float64(wt * perW), l0: float64(wl * perW)}
		f.tt = math.FMA(-wt, f.t0, wtt)
		tl := math.FMA(-wt, f.l0, wtl)
		perTL := 1 / tl
		f.rate = -(tl / f.tt)
		f.a = Exp(math.FMA(f.rate, f.t0, f.l0))
		var variance float64
		if weighted {
			c.RSS[i], variance = f.residual(y[i:], k)
		} else {
			c.RSS[i], variance = f.obliqueResidual(y[i:], k)
		}
		t2 := -float64(f.tt * perTL)
		c.T2[i] = t2
		c.S0[i] = f.a * Exp(float64(f.rate*k.TE0))
		c.SE[i] = math.Sqrt(variance) * -float64(t2*perTL)
	}
}

// nothing replaces an echo that is not above zero: its square is zero compared with that of any
// float32.
const nothing = 1e-150

// products are Σw, Σw·t, Σw·ln y, Σw·t² and Σw·t·ln y.
type products struct{ w, wt, wl, wtt, wtl float64 }

func (p *products) add(w, t, l float64) {
	wt := float64(w * t)
	p.w += w
	p.wt += wt
	p.wl = math.FMA(w, l, p.wl)
	p.wtt = math.FMA(wt, t, p.wtt)
	p.wtl = math.FMA(wt, l, p.wtl)
}

// weightedProducts sums with the weights y².
func weightedProducts(y []float64, k Train) (p products) {
	for e, t := range k.T {
		v := max(y[e*Width], nothing)
		p.add(float64(v*v), t, Log(v))
	}
	return p
}

// plainProducts sums the echoes above zero with the weight 1.
func plainProducts(y []float64, k Train) (p products) {
	for e, t := range k.T {
		if v := y[e*Width]; v > 0 {
			p.add(1, t, Log(v))
		}
	}
	return p
}

// mostProduct is the largest number of echoes for evenProducts: the product of all products of
// mantissas, each at most √2, is then below 2⁹⁰⁰.
const mostProduct = 60

// byProducts reports whether evenProducts can be used for the train.
func byProducts(k Train) bool { return k.Step > 0 && len(k.T) <= mostProduct }

// evenProducts is plainProducts for equally spaced echoes, with only two logarithms: Σ ln y is the
// logarithm of the product of the echoes, and Σ e·ln y that of the product of all products from one
// echo to the last.
func evenProducts(y []float64, k Train) (p products) {
	one, oneExp, all, allExp := 1.0, 0.0, 1.0, 0.0
	for e := len(k.T) - 1; e >= 0; e-- {
		all *= one
		allExp += oneExp
		if v := y[e*Width]; v > 0 {
			m, x := split(v)
			one *= m
			oneExp += x
			t := k.T[e]
			p.w++
			p.wt += t
			p.wtt = math.FMA(t, t, p.wtt)
		}
	}
	p.wl, p.wtl = logOf(one, oneExp), k.Step*logOf(all, allExp)
	return p
}

// line is a straight line of slope −rate through the weighted means (t0, l0). perW is 1/Σw, tt is
// Σw·d² for d = t − t0, and a is the exponential of the line at t = 0.
type line struct{ perW, t0, l0, tt, rate, a float64 }

// residual returns Σ(y − s)² for the curve s, and the variance of Σ w·d·ε/s. Divided by tt, this
// sum is the change of the rate by noise ε, to first order. The variance of ε is the residual over
// n − 2: with the weights y², the line is the curve of least squares, to the same order.
func (f *line) residual(y []float64, k Train) (rss, variance float64) {
	p2 := 0.0
	s, q := f.a, Exp(-float64(f.rate*k.Step))
	inverse := 1 / float64(s*q)
	per, perQ := float64(inverse*q), float64(inverse*s)
	for e, t := range k.T {
		if k.Step == 0 {
			s = f.a * Exp(-float64(f.rate*t))
			per = 1 / s
		}
		v := y[e*Width]
		r := v - s
		rss = math.FMA(r, r, rss)
		v = max(v, nothing)
		h := float64(float64(v*v)*per) * (t - f.t0)
		p2 = math.FMA(h, h, p2)
		s *= q
		per *= perQ
	}
	return rss, float64(p2*rss) / float64(len(k.T)-2)
}

// obliqueResidual is residual for the line without weights, which is not the curve of least
// squares. Noise changes its rate by Σ d·ε/s over tt. The expected residual is n − 4 + Σ H²
// variances, where the matrix H maps ε to the change of the curve: Hᵢⱼ = sᵢ·(1/Σw + dᵢ·dⱼ/tt)/sⱼ.
func (f *line) obliqueResidual(y []float64, k Train) (rss, variance float64) {
	var p0, p1, p2, s0, s1, s2 float64
	s, q := f.a, Exp(-float64(f.rate*k.Step))
	inverse := 1 / float64(s*q)
	per, perQ := float64(inverse*q), float64(inverse*s)
	for e, t := range k.T {
		if k.Step == 0 {
			s = f.a * Exp(-float64(f.rate*t))
			per = 1 / s
		}
		v := y[e*Width]
		r := v - s
		rss = math.FMA(r, r, rss)
		h := 0.0
		if v > 0 {
			h = per
		}
		d, ss := t-f.t0, float64(s*s)
		h = float64(h * h)
		hd, sd := float64(h*d), float64(ss*d)
		p0 += h
		p1 += hd
		p2 = math.FMA(hd, d, p2)
		s0 += ss
		s1 += sd
		s2 = math.FMA(sd, d, s2)
		s *= q
		per *= perQ
	}
	perTT := 1 / f.tt
	dof := float64(len(k.T) - 4)
	dof = math.FMA(float64(s0*f.perW), float64(p0*f.perW), dof)
	dof = math.FMA(float64(2*float64(s1*f.perW)), float64(p1*perTT), dof)
	dof = math.FMA(float64(s2*perTT), float64(p2*perTT), dof)
	return rss, float64(p2*rss) / dof
}

func widenInGo(dst []float64, src []float32) {
	for i, v := range src[:len(dst)] {
		dst[i] = float64(v)
	}
}

func narrowInGo(c *Curves, total *[Width]float64, l Limits, n int, out *Shorts) {
	for i := range n {
		t2, s0, rss := c.T2[i], c.S0[i], c.RSS[i]
		r2 := 1 - rss/total[i]
		out.T2[i], out.S0[i], out.R2[i], out.SE[i] = float32(t2), float32(s0), float32(r2), float32(c.SE[i])
		if i%4 == 0 {
			out.Sound[i/4] = 0
		}
		if rss < total[i] && r2 >= l.MinR2 && s0 < math.MaxFloat32 && t2 > l.Low && t2 <= l.High {
			out.Sound[i/4] |= 1 << (i % 4)
		}
	}
}
