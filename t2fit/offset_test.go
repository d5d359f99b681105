package t2fit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/volume"
)

var offsetTrains = [][]float64{
	echoTimes(
		20, 10, 6,
	), echoTimes(10, 10, 4), echoTimes(10, 10, 32), {10, 25, 50, 90, 150, 250}, {10, 10.5, 60, 61, 62, 63},
}

func offsetOf(te []float64) *offset { return newOffset(newTrain(te))().(*offset) }

// Exact curves are recovered. The curvature that distinguishes T2 of 2000 ms from a line is a part
// in a thousand of the echoes or less, so that rounding has a larger effect.
func TestOffsetExact(t *testing.T) {
	for _, te := range offsetTrains[:4] {
		k := offsetOf(te)
		y := make([]float64, len(te))
		for _, t2 := range []float64{4, 10, 35, 80, 400, 2000} {
			for _, c := range []float64{0, 50, -5} {
				for _, scale := range []float64{1e-6, 1, 1e7} {
					for e, time := range te {
						y[e] = scale * (100*math.Exp(-time/t2) + c)
					}
					v := k.estimate(y, math.NaN())
					if v.status != volume.Fitted || !near(v.t2, t2, 1e-6) || !near(v.s0, 100*scale, 1e-5) ||
						math.Abs(v.offset-c*scale) > 1e-4*scale {
						t.Errorf("TE %v, T2 %g, offset %g: %+v", te, t2, c, v)
					}
				}
			}
		}
	}
}

func TestOffsetReasons(t *testing.T) {
	k := offsetOf(echoTimes(20, 10, 6))
	for _, c := range []struct {
		name string
		y    []float64
		want volume.Status
	}{
		{"constant", []float64{90, 90, 90, 90, 90, 90}, volume.NotDecaying},
		{"zero", []float64{0, 0, 0, 0, 0, 0}, volume.NotDecaying},
		{"rising to a level", []float64{10, 40, 60, 70, 75, 77}, volume.NotDecaying},
		{"falling ever faster", []float64{90, 89, 86, 80, 70, 50}, volume.NotDecaying},
		{"the first echo alone", []float64{90, 10, 12, 10, 12, 10}, volume.NotConverged},
		{"the first echo dark", []float64{10, 90, 92, 90, 92, 90}, volume.NotDecaying},
		{"a decay", []float64{90, 60, 42, 30, 24, 20}, volume.Fitted},
		{"a decay below zero", []float64{90, 40, 10, -10, -22, -30}, volume.Fitted},
	} {
		if v := k.estimate(c.y, math.NaN()); v.status != c.want {
			t.Errorf("%s: %v (%+v), want %v", c.name, v.status, v, c.want)
		}
	}
}

// leastOffset returns the least residual of 3000 rates, each with its best amplitude above zero and
// its best offset by the normal equations.
func leastOffset(t, y []float64) float64 {
	least := math.Inf(1)
	n := float64(len(t))
	lo, hi := math.Log(1e-3/t[len(t)-1]), math.Log(25/t[1])
	for i := range 3001 {
		rate := math.Exp(lo + (hi-lo)*float64(i)/3000)
		var g, gg, s, sg float64
		for e, time := range t {
			x := math.Exp(-rate * time)
			g += x
			gg += x * x
			s += y[e]
			sg += y[e] * x
		}
		a := (sg - s*g/n) / (gg - g*g/n)
		if !(a > 0) {
			continue
		}
		c, rss := (s-a*g)/n, 0.0
		for e, time := range t {
			r := y[e] - a*math.Exp(-rate*time) - c
			rss += r * r
		}
		least = min(least, rss)
	}
	return least
}

func TestOffsetIsTheMinimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for _, te := range offsetTrains {
		k := offsetOf(te)
		for i := range 300 {
			y := make([]float64, len(te))
			t2, s0 := te[len(te)-1]*math.Exp(rng.NormFloat64()-1), math.Exp(5*rng.Float64())
			for e := range y {
				y[e] = s0*math.Exp(-te[e]/t2) + rng.NormFloat64()
				if i%3 == 0 {
					y[e] = []float64{0, 1, 3, 10}[rng.IntN(4)]
				}
			}
			v := k.estimate(y, math.NaN())
			least, slack := leastOffset(k.t, y), 1e-9*scatter(y, 0)
			if v.status == volume.Fitted && v.rss > least+slack {
				t.Errorf("TE %v, %v: %+v, least %g", te, y, v, least)
			}
			// A line is the limit of decays whose rate falls to 0; the slowest of the 3000 is
			// within 1e-3 of it.
			if line := lineResidual(k.t, y); v.status == volume.NotDecaying && least < line*(1-1e-2)-slack {
				t.Errorf("TE %v, %v: not decaying, but a decay leaves %g, the line %g", te, y, least, line)
			}
		}
	}
}

// lineResidual returns the residual of the falling straight line, or the constant.
func lineResidual(t, y []float64) float64 {
	var st, sy, ty float64
	n := float64(len(t))
	for e := range t {
		st += t[e]
		sy += y[e]
	}
	tss, tt := scatter(y, sy/n), scatter(t, st/n)
	for e := range t {
		ty += (t[e] - st/n) * (y[e] - sy/n)
	}
	if ty < 0 {
		return tss - ty*ty/tt
	}
	return tss
}

// 95 % intervals from the standard error and Student's t on n−3 contain the truth in 93 to 97 % (20
// 000 draws determine the fraction to 0.15 %), and the standard error is the spread of the
// estimates.
func TestOffsetStandardError(t *testing.T) {
	te := echoTimes(20, 10, 6)
	k := offsetOf(te)
	rng := rand.New(rand.NewPCG(7, 2))
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: 3}.Quantile(0.975)
	y := make([]float64, len(te))
	for _, t2 := range []float64{20, 40, 60} {
		const draws, snr = 20000, 1000
		covered := 0
		var sum, sum2, se2 float64
		for range draws {
			for e, time := range te {
				y[e] = snr*math.Exp(-time/t2) + 40 + rng.NormFloat64()
			}
			v := k.estimate(y, math.NaN())
			if math.Abs(v.t2-t2) <= student*v.se {
				covered++
			}
			sum += v.t2
			sum2 += v.t2 * v.t2
			se2 += v.se * v.se
		}
		sd, se := math.Sqrt(sum2/draws-sum/draws*sum/draws), math.Sqrt(se2/draws)
		if cover := float64(covered) / draws; cover < 0.93 || cover > 0.97 || !near(se, sd, 0.05) {
			t.Errorf(
				"T2 %g: the intervals hold the truth in %.1f %%; standard error %.3f ms, spread %.3f ms", t2,
				100*cover, se, sd,
			)
		}
	}
}

func TestOffsetAllocatesNothing(t *testing.T) {
	for _, te := range offsetTrains {
		k, y := offsetOf(te), decayOf(te, 40, 100)
		y[1]++
		if n := testing.AllocsPerRun(10, func() { k.estimate(y, math.NaN()) }); n != 0 {
			t.Errorf("TE %v: %g allocations", te, n)
		}
	}
}

func BenchmarkOffset(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 3))
	for _, te := range [][]float64{echoTimes(20, 10, 6), {20, 31, 40, 50, 60, 70}} {
		k, ys := offsetOf(te), make([][]float64, 1024)
		for i := range ys {
			ys[i] = make([]float64, len(te))
			draw(rng, ys[i], te, 25+50*rng.Float64(), 70)
		}
		b.Run(fmt.Sprintf("equal=%t", k.step > 0), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				k.estimate(ys[i%1024], math.NaN())
			}
		})
	}
}
