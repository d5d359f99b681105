package trial

import (
	"math"
	"strconv"

	"github.com/t2map/t2map/trial/compare"
)

// coverage95 is the normal quantile for a coverage of 95 %, as in the definition of the repeatability
// coefficient (QIBA, PMC8574057).
const coverage95 = 1.96

// defaultWithinCV is the value of the QIBA profile for cartilage T2 at 3 T (PMC8574057).
const defaultWithinCV = 0.05

// repeatability returns the repeatability coefficient of an endpoint in percent, 100·1.96·√2·CV; NaN
// for endpoints that are not compartments.
func (p Plan) repeatability(e Endpoint) float64 {
	if !e.Compartment {
		return math.NaN()
	}
	cv := p.WithinCV
	for _, own := range p.CompartmentCVs {
		if own.Compartment == e.Name {
			cv = own.CV
		}
	}
	return 100 * coverage95 * math.Sqrt2 * cv
}

// changes fills RC and Changes.
func (a *EndpointAnalysis) changes(p Plan) {
	a.RC = p.repeatability(a.Endpoint)
	a.Changes = make([][]Change, len(a.Values))
	for s, values := range a.Values {
		a.Changes[s] = make([]Change, len(values))
		for v := range values {
			a.Changes[s][v] = change(values[0], values[v], v == 0)
			a.Changes[s][v].Verdict = a.verdict(a.Changes[s][v].Percent)
		}
	}
}

// change returns the change of a value from baseline. Percent is NaN if the baseline is not above 0, which
// is possible for scores.
func change(baseline, value Value, isBaseline bool) Change {
	c := Change{Delta: math.NaN(), Percent: math.NaN()}
	switch {
	case isBaseline:
		c.Missing = Missing{Kind: AtBaseline}
	case baseline.Missing.Kind != Present:
		c.Missing = baseline.Missing
		c.Missing.OfBaseline = true
	case value.Missing.Kind != Present:
		c.Missing = value.Missing
	default:
		c.Delta = difference(value.X, baseline.X)
		if baseline.X > 0 {
			c.Percent = 100 * c.Delta / baseline.X
		}
	}
	return c
}

// difference returns a − b without the rounding error of binary arithmetic, as the difference of the
// decimal numbers of tables, so that equal changes have equal ranks. Digits after the 14th of the larger
// number are rounding error.
func difference(a, b float64) float64 {
	const digits = 14
	scale := max(math.Abs(a), math.Abs(b))
	if scale == 0 {
		return 0
	}
	decimals := digits - int(math.Ceil(math.Log10(scale)))
	text := strconv.FormatFloat(a-b, 'f', max(decimals, 0), 64)
	d, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return a - b // outside the range of a double
	}
	return d
}

func (a *EndpointAnalysis) verdict(percent float64) Verdict {
	switch {
	case math.IsNaN(percent) || math.IsNaN(a.RC):
		return NoVerdict
	case percent > a.RC:
		return Increase
	case percent < -a.RC:
		return Decrease
	}
	return Within
}

// responders counts verdicts by visit and arm, and tests them.
func (a *EndpointAnalysis) responders(d Design) {
	if math.IsNaN(a.RC) {
		return
	}
	for v := 1; v < len(d.Visits); v++ {
		r := Responders{Visit: v, Arms: make([]ResponderCount, len(d.Arms))}
		for s, subject := range d.Subjects {
			switch c := &r.Arms[subject.Arm]; a.Changes[s][v].Verdict {
			case Within:
				c.Within++
			case Decrease:
				c.Decrease++
			case Increase:
				c.Increase++
			}
		}
		for i := range r.Arms {
			r.Arms[i].SDC = a.RC / math.Sqrt(float64(r.Arms[i].N()))
			if r.Arms[i].N() == 0 {
				r.Arms[i].SDC = math.NaN()
			}
		}
		for _, c := range r.Arms[1:] {
			r.Increase = append(r.Increase, fisher(c.Increase, c.N(), r.Arms[0].Increase, r.Arms[0].N()))
			r.Decrease = append(r.Decrease, fisher(c.Decrease, c.N(), r.Arms[0].Decrease, r.Arms[0].N()))
		}
		a.Responders = append(a.Responders, r)
	}
}

// N is the number of subjects with a verdict.
func (c ResponderCount) N() int { return c.Within + c.Decrease + c.Increase }

// fisher compares k of n with l of m; NaN if an arm is empty.
func fisher(k, n, l, m int) float64 {
	p, err := compare.FisherExact(k, n-k, l, m-l)
	if err != nil || n == 0 || m == 0 {
		return math.NaN()
	}
	return p
}
