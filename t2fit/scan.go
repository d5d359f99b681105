package t2fit

import (
	"math"
	"math/bits"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

const (
	// evenFactor and unevenFactor are the ratios of neighbouring rates of the scan. Of 150 000
	// random decays on three even and two uneven trains, this pair missed no minimum. 1.3 for all
	// trains missed two, both on the train with gaps of 0.5, 49.5 and 1 ms. Of 100 000 decays, 2
	// for all trains missed 62.
	evenFactor   = 1.3
	unevenFactor = 1.2
	// scanReach sets the range of this fine scan: T2 from a quarter of the time to the second echo
	// to four times the length of the train. Outside that range, the first two echoes or a straight
	// line through all echoes determine the fit, and there is at most one minimum.
	scanReach = 4
)

// ratesOver returns the rates of a scan in 1/ms, ascending from 0, for the echo times t, of which
// the first is 0.
func ratesOver(t []float64, even bool) []float64 {
	factor := unevenFactor
	if even {
		factor = evenFactor
	}
	rates := []float64{0}
	for r := 1 / (scanReach * t[len(t)-1]); r < scanReach*factor/t[1]; r *= factor {
		rates = append(rates, r)
	}
	return append(rates, -lanes.Log(lanes.Shortest)/t[1])
}

// scan is an ascending series of rates from 0. The sign of φ at the rates shows between which of
// them the residual has minima.
type scan struct {
	// unknowns are the rates as the solver's unknown: exp(−rate·step) if the echoes are equally
	// spaced, and the rate in 1/ms otherwise.
	unknowns []float64
	// phi[r][e] is the weight of echo e in φ = Σ phi·y at rate r.
	phi [][]float64
	// parts are the same weights in the form that package lanes takes.
	parts []part
}

// part is a piece of a scan that is short enough for lanes.Signs: its first rate
// is the last one of the piece before.
type part struct {
	first   int
	weights []float64
	// turns has a bit for each rate but the last.
	turns uint64
}

// newScan returns the scan for the echo times t, of which the first is 0.
func newScan(t []float64, step float64) *scan {
	rates := ratesOver(t, step > 0)
	s := &scan{}
	for _, r := range rates {
		s.phi = append(s.phi, phiWeights(t, r))
		if step > 0 {
			r = lanes.Exp(-float64(r * step))
		}
		s.unknowns = append(s.unknowns, r)
	}
	for first := 0; first < len(rates)-1; first += lanes.MostRates - 1 {
		phi := s.phi[first:min(first+lanes.MostRates, len(rates))]
		turns := uint64(1)<<(len(phi)-1) - 1
		for len(phi)%4 != 0 {
			phi = append(phi[:len(phi):len(phi)], phi[len(phi)-1])
		}
		s.parts = append(s.parts, part{first, lanes.Weights(phi), turns})
	}
	return s
}

// phiWeights returns the weight of each echo in φ at rate r: g·(t·Σg² − Σt·g²) for g = exp(−r·t).
func phiWeights(t []float64, r float64) []float64 {
	var w, w1 float64
	for _, t := range t {
		g := lanes.Exp(-float64(r * t))
		w += float64(g * g)
		w1 += float64(t * g * g)
	}
	phi := make([]float64, len(t))
	for e, t := range t {
		phi[e] = lanes.Exp(-float64(r*t)) * (float64(t*w) - w1)
	}
	return phi
}

// phiAt returns φ at rate r.
func (s *scan) phiAt(r int, y []float64) float64 {
	sum := 0.0
	for e, v := range y {
		sum = math.FMA(s.phi[r][e], v, sum)
	}
	return sum
}

// interval returns the bracket from rate r to r+1 in the solver's unknown, with its middle as the
// start. A better start would cost more than it saves.
func (s *scan) interval(r int) bracket {
	a, b := s.unknowns[r], s.unknowns[r+1]
	return bracket{(a + b) / 2, min(a, b), max(a, b)}
}

// search finds the best of all minima of the searched decays. It solves every interval of the scan
// in which φ changes sign, except the one that contains the minimum already found.
func (k *nlls) search(b *block) {
	if k.searched.n == 0 {
		return
	}
	for _, p := range k.parts {
		lanes.Signs(k.searched.y, p.weights, len(k.t), k.searched.n, &k.below)
		for j := range k.searched.n {
			i := k.searchedIndex[j]
			// φ is negative at a rate and not negative at the next.
			turns := k.below[j] &^ (k.below[j] >> 1) & p.turns
			for ; turns != 0; turns &= turns - 1 {
				interval := k.interval(p.first + bits.TrailingZeros64(turns))
				if x := k.best.Ratio[i]; math.IsInf(k.best.RSS[i], 1) || x < interval.lo || x > interval.hi {
					k.ask(k.searched, j, i, interval)
				}
			}
		}
	}
	k.answer()
	for j := range k.searched.n {
		i := k.searchedIndex[j]
		least, first := k.best.RSS[i], b.y[i]
		// Most residuals are so far below the limits of bestOf that the limits need not be computed
		// accurately.
		if rest := k.sums.Squares[i] - float64(first*first); rest < 0.1*k.sums.Squares[i] ||
			!(least < 0.9*min(rest, b.total[i])) {
			b.status[i] = bestOf(k.searched.decay(j), least, b.total[i])
		}
	}
}

// bestOf returns the status for the least residual of all minima. It compares it with the residual
// tss of the constant, and with the limit of the residual as the rate grows without bound: all
// echoes but the first, which an amplitude above zero fits exactly unless it is negative.
func bestOf(y []float64, least, tss float64) volume.Status {
	below := min(y[0], 0)
	spike := float64(below*below) + scatter(y[1:], 0)
	switch {
	case !(min(least, spike) < tss):
		return volume.NotDecaying
	case !(least < spike):
		return volume.NotConverged
	}
	return volume.Fitted
}
