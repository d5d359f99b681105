package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/epg"
	"github.com/t2map/t2map/t2fit/internal/lanes"
)

// refocusing describes the search for the refocusing angle: by its cosine if it is the same in the
// whole slice, otherwise by B1.
//
// The echoes are polynomials in the cosine, for which 180° is not a special value. As functions of
// the angle, they are flat at 180° and symmetric about it.
type refocusing struct {
	profile []float64 // nil if the angle is the same in the whole slice
	nominal float64   // the angle of B1 = 1, in units of 180°, without a profile
	b1      [2]float64
	lo, hi  float64 // range of the search
	limit   bool    // lo is 180°, the end of the angles and not a bound
}

func newRefocusing(o Resolved) refocusing {
	r := refocusing{nominal: o.RefocusingProfile[0], b1: o.B1Range, lo: o.B1Range[0], hi: o.B1Range[1]}
	for _, fraction := range o.RefocusingProfile {
		if fraction != r.nominal {
			r.profile = o.RefocusingProfile
			return r
		}
	}
	// Angles repeat above 360°.
	start, end := r.nominal*r.lo, min(r.nominal*r.hi, 2)
	a, b := math.Cos(math.Pi*start), math.Cos(math.Pi*end)
	r.lo, r.hi = min(a, b), max(a, b)
	if start <= 1 && 1 <= end {
		r.lo, r.limit = -1, true
	}
	return r
}

// relative returns the B1 of a value of the search. A cosine belongs to an angle below 180° and to
// its mirror image above. The result is the angle below, unless the other is nearer to the range.
func (r *refocusing) relative(x float64) float64 {
	if r.profile != nil {
		return x
	}
	nearest := func(b1 float64) float64 { return min(max(b1, r.b1[0]), r.b1[1]) }
	below := math.Acos(x) / math.Pi / r.nominal
	above := 2/r.nominal - below
	if math.Abs(above-nearest(above)) < math.Abs(below-nearest(below)) {
		return nearest(above)
	}
	return nearest(below)
}

// echoes sets d to the echoes for a rate and a value of the search.
func (r *refocusing) echoes(d *epg.Decay, rate, x float64) {
	if r.profile != nil {
		d.Profile(rate, x, r.profile)
	} else {
		d.Refocus(rate, x)
	}
}

// angleWithin returns the value nearest to x within the range of the search.
func (r *refocusing) angleWithin(x float64) float64 { return min(max(x, r.lo), r.hi) }

// rateWithin returns the rate nearest to the given one within the range of the search.
func (p *phaseGraph) rateWithin(rate float64) float64 { return min(max(rate, p.lowest), p.highest) }

// grid returns the number of evenly spaced angles of the dictionary and the ratio of neighbouring
// rates. The longer the train, the more maxima there are, and the narrower they are. Of 2000 noisy
// decays of 7 echoes, none at a signal-to-noise ratio of 30 and one at 10 ended above the best
// result of 15 000 starts, by 0.05 %. Of 32 echoes, none and three did, by up to 0.01 %; with the
// grid for short trains, four and 23 did. Profiles have more maxima, closer together along the
// angle: with 16 angles, T2 was wrong in two of 60 decays, by up to 5 %, with 48 in none.
func grid(echoes int, profile bool) (angles int, ratio float64) {
	switch {
	case profile:
		return 48, 1.25
	case echoes <= 12:
		return 16, 1.4
	default:
		return 24, 1.25
	}
}

const (
	// The rates of the dictionary range from 0.25 over the length of the train to 6 over the
	// spacing. Outside this range the echoes hardly change, and a search from the ends of the grid
	// reaches it.
	gridSlow, gridFast = 0.25, 6
	// abreast is the number of atoms that are matched together, so that no sum waits for the
	// previous addition.
	abreast = 4
)

// dictionary holds atoms, which are echoes normalised to length 1, for a grid of angles and rates.
type dictionary struct {
	angle  []float64 // values of the search
	rate   []float64 // 1/ms; their number is a multiple of abreast
	stride float64   // ln of the ratio of neighbouring rates
	// atoms are stored angle by angle, in groups of abreast rates, echo by echo.
	atoms []float64
}

func newDictionary(p *phaseGraph) dictionary {
	n, spacing := p.model.Echoes, p.model.Spacing
	angles, ratio := grid(n, p.profile != nil)
	s := dictionary{stride: lanes.Log(ratio)}
	for r := gridSlow / (spacing * float64(n)); r < gridFast/spacing || len(s.rate)%abreast != 0; r *= ratio {
		s.rate = append(s.rate, r)
	}
	d := epg.NewDecay(p.model)
	for i := range angles {
		x := p.interpolate(float64(i) / float64(angles-1))
		s.angle = append(s.angle, x)
		atoms := make([]float64, n*len(s.rate))
		for j, r := range s.rate {
			p.echoes(d, r, x)
			length := math.Sqrt(dot(d.Echo, d.Echo))
			for e, v := range d.Echo {
				if length > 0 { // after pulses of 360° there is no echo
					atoms[(j/abreast*n+e)*abreast+j%abreast] = v / length
				}
			}
		}
		s.atoms = append(s.atoms, atoms...)
	}
	return s
}

// interpolate returns the value of the search at a fraction of its range, evenly in the angle.
func (r *refocusing) interpolate(fraction float64) float64 {
	if r.profile != nil {
		return r.lo + float64((r.hi-r.lo)*fraction)
	}
	start, end := math.Acos(r.lo), math.Acos(r.hi)
	return r.angleWithin(math.Cos(start + float64((end-start)*fraction)))
}

// summit is the maximum of the match y·atom over the rates of one angle, by a parabola through the
// best three, and its position among the rates.
type summit struct{ match, place float64 }

// summit returns the summit of angle i. match is scratch.
func (s *dictionary) summit(i int, y, match []float64) summit {
	atoms := s.atoms[i*len(s.rate)*len(y):]
	for j := 0; j < len(match); j += abreast {
		var a, b, c, d float64
		for _, v := range y {
			w := atoms[:abreast]
			a += float64(w[0] * v)
			b += float64(w[1] * v)
			c += float64(w[2] * v)
			d += float64(w[3] * v)
			atoms = atoms[abreast:]
		}
		m := match[j:][:abreast]
		m[0], m[1], m[2], m[3] = a, b, c, d
	}
	best := 0
	for j, m := range match {
		if m > match[best] {
			best = j
		}
	}
	top := summit{match[best], float64(best)}
	if best == 0 || best == len(match)-1 {
		return top
	}
	below, above := top.match-match[best-1], top.match-match[best+1]
	if below+above > 0 {
		shift := 0.5 * (below - above) / (below + above)
		top.match += float64(0.25 * (below - above) * shift)
		top.place += shift
	}
	return top
}
