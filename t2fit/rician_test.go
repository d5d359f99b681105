package t2fit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

var ricianTrains = [][]float64{
	echoTimes(20, 10, 6), echoTimes(20, 10, 3), echoTimes(12.624, 6.312, 7), echoTimes(10, 10, 32),
	{10, 25, 50, 90, 150, 250}, {10, 10.5, 60, 61, 62, 63},
}

func ricianOf(te []float64) *rician { return newRician(newTrain(te))().(*rician) }

// draw sets y to a decay of amplitude s0 at TE 0 with Rician noise of 1.
func draw(rng *rand.Rand, y, te []float64, t2, s0 float64) {
	for e, t := range te {
		y[e] = math.Hypot(s0*math.Exp(-t/t2)+rng.NormFloat64(), rng.NormFloat64())
	}
}

// From the expected magnitudes of a decay, the fit recovers the decay, even on the floor. The
// iteration has an error of 1e-10. If the last echoes are on the floor, their slope is lost in
// rounding, and the error of the table, 2e-14 of them, has a larger effect on T2.
func TestRicianExact(t *testing.T) {
	for _, te := range ricianTrains {
		k := ricianOf(te)
		y := make([]float64, len(te))
		for _, t2 := range []float64{8, 15, 35, 80, 400} {
			for _, snr := range []float64{20, 100, 1e4, 1e8} {
				for _, sigma := range []float64{1e-6, 1, 1e5} {
					for e, time := range te {
						y[e] = sigma * magnitudeOf(snr*math.Exp(-time/t2)).mean
					}
					if snr*math.Exp(-te[1]/t2) < 1 {
						continue // one echo above the floor
					}
					v := k.estimate(y, sigma)
					if v.status != volume.Fitted || !near(v.t2, t2, 1e-8) || !near(v.s0, snr*sigma, 1e-8) ||
						v.echoes != len(te) {
						t.Errorf("TE %v, T2 %g, S0 %g, sigma %g: %+v", te, t2, snr*sigma, sigma, v)
					}
				}
			}
		}
	}
}

// Without noise, the method agrees with nlls.
func TestRicianWithoutNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(81, 82))
	for _, te := range ricianTrains {
		k := ricianOf(te)
		plain, y := newNLLS(k.train)(), make([]float64, len(te))
		for range 200 {
			draw(rng, y, te, 40, 50)
			want := plain.estimate(y, math.NaN())
			for _, sigma := range []float64{0, 1e-300, 1e-18, 1e-9} {
				got := k.estimate(y, sigma)
				if got.status != want.status ||
					got.status == volume.Fitted && (!near(got.t2, want.t2, 1e-7) || !near(got.rss, want.rss, 1e-9)) {
					t.Errorf("TE %v, %v, sigma %g: %+v, nlls %+v", te, y, sigma, got, want)
				}
			}
		}
	}
}

func TestRicianReasons(t *testing.T) {
	k := ricianOf(echoTimes(20, 10, 6))
	for _, c := range []struct {
		name  string
		y     []float64
		sigma float64
		want  volume.Status
	}{
		{"noise not known", []float64{90, 60, 40, 27, 18, 12}, math.NaN(), volume.NotConverged},
		{"constant", []float64{90, 90, 90, 90, 90, 90}, 1, volume.NotDecaying},
		{"constant on the floor", []float64{1.25, 1.25, 1.25, 1.25, 1.25, 1.25}, 1, volume.NotDecaying},
		{"zero", []float64{0, 0, 0, 0, 0, 0}, 1, volume.NotDecaying},
		{"rising", []float64{10, 11, 13, 15, 18, 21}, 1, volume.NotDecaying},
		{"falling under the floor", []float64{1, 0.8, 0.6, 0.4, 0.2, 0.1}, 1, volume.NotDecaying},
		{"all under a huge noise", []float64{90, 60, 40, 27, 18, 12}, 1e300, volume.NotDecaying},
		{"infinite noise", []float64{90, 60, 40, 27, 18, 12}, math.Inf(1), volume.NotDecaying},
		{"one echo above the floor", []float64{90, 1.25, 1.25, 1.25, 1.25, 1.25}, 1, volume.NotConverged},
		{"one above, the others below", []float64{90, 1, 0.9, 1.1, 1, 1}, 1, volume.NotConverged},
		{"a decay into the floor", []float64{20, 5, 1.7, 1.3, 1.2, 1.3}, 1, volume.Fitted},
		{"the smallest signals", []float64{9e-6, 6e-6, 4e-6, 27e-7, 18e-7, 12e-7}, 1e-7, volume.Fitted},
		{"the largest signals", []float64{9e9, 6e9, 4e9, 27e8, 18e8, 12e8}, 1e8, volume.Fitted},
		{"the noise a part in 10³⁰ of them", []float64{9e9, 6e9, 4e9, 27e8, 18e8, 12e8}, 1e-21, volume.Fitted},
	} {
		if v := k.estimate(c.y, c.sigma); v.status != c.want {
			t.Errorf("%s: %v (%+v), want %v", c.name, v.status, v, c.want)
		}
	}
}

// leastOf returns the least residual of the expected magnitudes of a grid of decays: 200 rates, 60
// amplitudes, refined three times about the best.
func leastOf(k *rician, y []float64) float64 {
	lo, hi := math.Log(1e-2/k.t[len(k.t)-1]), math.Log(20/k.t[1])
	alo, ahi := math.Log(0.1), math.Log(3*(slices.Max(y)+1))
	least := math.Inf(1)
	for round := range 4 {
		rates, steps := 200, 60
		if round > 0 {
			rates, steps = 20, 20
		}
		var bestRate, bestA float64
		before := least
		for i := range rates + 1 {
			rate := lo + (hi-lo)*float64(i)/float64(rates)
			k.unit(math.Exp(rate), k.g)
			for j := range steps + 1 {
				a := alo + (ahi-alo)*float64(j)/float64(steps)
				rss := 0.0
				for e, g := range k.g {
					r := y[e] - k.table.evaluate(math.Exp(a)*g).mean
					rss += r * r
				}
				if rss < least {
					least, bestRate, bestA = rss, rate, a
				}
			}
		}
		if least == before {
			break
		}
		dr, da := 2*(hi-lo)/float64(rates), 2*(ahi-alo)/float64(steps)
		lo, hi, alo, ahi = bestRate-dr, bestRate+dr, bestA-da, bestA+da
	}
	return least
}

// signalsOf returns decays with noise of 1, including pure noise, and signals of few values, which
// have the most minima.
func signalsOf(rng *rand.Rand, k *rician, n int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		y := make([]float64, len(k.t))
		out[i] = y
		if i%3 == 2 {
			for e := range y {
				y[e] = []float64{0, 1.25, 3, 10, 100}[rng.IntN(5)]
			}
			continue
		}
		span := k.t[1] + rng.Float64()*(k.t[len(k.t)-1]-k.t[1])
		draw(rng, y, k.t, span*math.Exp(rng.NormFloat64()), math.Exp(5*rng.Float64()))
	}
	return out
}

// No decay of a dense grid has a smaller residual than the estimate. If there is no estimate, none
// has a smaller residual than the constant, or than the first echo alone. 1e-9 of Σy² is more than
// the rounding error, and less than the distance of the grid from a minimum.
func TestRicianIsTheMinimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(83, 84))
	for _, te := range ricianTrains {
		k := ricianOf(te)
		for _, y := range signalsOf(rng, k, 60) {
			var sum float64
			for _, v := range y {
				sum += v
			}
			v := k.estimate(y, 1)
			tss, least := scatter(y, sum/float64(len(y))), leastOf(k, y)
			below := min(y[0]-floor, 0)
			spike, slack := below*below+scatter(y[1:], floor), 1e-9*scatter(y, 0)
			var bad bool
			switch v.status {
			case volume.Fitted:
				bad = v.rss > min(least, spike, tss)+slack
			case volume.NotDecaying:
				bad = min(least, spike) < tss-slack
			case volume.NotConverged:
				bad = least < spike-slack
			}
			if bad {
				t.Errorf("TE %v, %v: %+v; the grid %g, the first echo %g, the constant %g", te, y, v, least, spike, tss)
			}
		}
	}
}

// information returns the Fisher information of a Rician magnitude with noise 1 about its true
// value x: the mean of (m·I1(mx)/I0(mx) − x)² over m, by the midpoint rule.
func information(x float64) float64 {
	const n = 4000
	lo, hi := max(0, x-12), x+12
	sum := 0.0
	for i := range n {
		m := lo + (float64(i)+0.5)*(hi-lo)/n
		i0e, i1e := scaledBessel(m * x)
		score := m*i1e/i0e - x
		sum += m * math.Exp(-(m-x)*(m-x)/2) * i0e * score * score
	}
	return sum * (hi - lo) / n
}

// cramerRao returns the least standard deviation of T2, relative to it, with S0
// unknown and the noise known.
func cramerRao(te []float64, t2, snr float64) float64 {
	var aa, cross, tt float64
	for _, t := range te {
		g := math.Exp(-t / t2)
		i, dt := information(snr*g), snr*g*t/(t2*t2)
		aa += i * g * g
		cross += i * g * dt
		tt += i * dt * dt
	}
	return math.Sqrt(aa/(aa*tt-cross*cross)) / t2
}

// medianBias returns the relative error of the median T2. No decay counts as infinitely long, and
// one that is too short to be measured as 0.
func medianBias(found []result, t2 float64) float64 {
	var est []float64
	for _, v := range found {
		switch v.status {
		case volume.Fitted:
			est = append(est, v.t2)
		case volume.NotDecaying:
			est = append(est, math.Inf(1))
		default:
			est = append(est, 0)
		}
	}
	slices.Sort(est)
	return est[len(est)/2]/t2 - 1
}

var (
	biasT2  = []float64{10, 20, 30, 40, 50, 60, 70, 80, 90, 100}
	biasSNR = []float64{5, 10, 20, 30, 40, 50, 70, 100}
)

// With known noise, the bias is below 2 % wherever the Cramér–Rao bound is below a fifth of T2; the
// standard error of the median of 4000 draws is 0.4 %. Intervals from the standard error contain
// the truth in 93 to 97 % from an SNR of 100; the standard error of this fraction is 0.35 %.
func TestRicianBias(t *testing.T) {
	te := echoTimes(20, 10, 6)
	k := ricianOf(te)
	rng := rand.New(rand.NewPCG(85, 86))
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: 4}.Quantile(0.975)
	y, cells := make([]float64, len(te)), 0
	for _, snr := range append(biasSNR, 200) {
		for _, t2 := range biasT2 {
			bound := cramerRao(te, t2, snr)
			if bound >= 0.2 {
				continue
			}
			cells++
			all, covered := make([]result, 4000), 0
			for i := range all {
				draw(rng, y, te, t2, snr)
				all[i] = k.estimate(y, 1)
				if math.Abs(all[i].t2-t2) <= student*all[i].se {
					covered++
				}
			}
			bias, cover := medianBias(all, t2), float64(covered)/float64(len(all))
			t.Logf(
				"T2 %3g ms, SNR %3g: bound %4.1f %%, bias %+.2f %%, covered %.1f %%", t2, snr, 100*bound, 100*bias,
				100*cover,
			)
			if math.Abs(bias) > 0.02 {
				t.Errorf("T2 %g ms, SNR %g: bias %.2f %%", t2, snr, 100*bias)
			}
			if snr >= 100 && (cover < 0.93 || cover > 0.97) {
				t.Errorf("T2 %g ms, SNR %g: the intervals hold the truth in %.1f %%", t2, snr, 100*cover)
			}
		}
	}
	if cells < 50 {
		t.Errorf("%d cells were tried", cells)
	}
}

// With noise estimated from a slice of all T2, 2000 voxels each, the bias is below 3 %.
func TestRicianBiasWithEstimatedNoise(t *testing.T) {
	for i, snr := range biasSNR {
		s := sliceOf(rand.New(rand.NewPCG(87, uint64(i))), echoTimes(10, 10, 7), snr, 2000)
		noise := mustNoise(t, s, Options{})
		k := ricianOf(s.TE[1:])
		y, all := make([]float64, 6), make([]result, s.Voxels()/len(biasT2))
		for j, t2 := range biasT2 {
			bound := cramerRao(s.TE[1:], t2, snr)
			if bound >= 0.2 {
				continue
			}
			for v := range all {
				for e := range y {
					y[e] = float64(s.Echo[e+1][v*len(biasT2)+j])
				}
				all[v] = k.estimate(y, noise.Sigma[0])
			}
			bias := medianBias(all, t2)
			t.Logf(
				"T2 %3g ms, SNR %3g, sigma %.3f: bound %4.1f %%, bias %+.2f %%", t2, snr, noise.Sigma[0], 100*bound,
				100*bias,
			)
			if math.Abs(bias) > 0.03 {
				t.Errorf("T2 %g ms, SNR %g: bias %.2f %%", t2, snr, 100*bias)
			}
		}
	}
}

// The standard error is the spread of repeated measurements, also if the last echoes are on the
// floor: 20 000 draws determine it to 0.5 %, and at these SNRs the first order holds to 3 %.
func TestRicianStandardError(t *testing.T) {
	te := echoTimes(20, 10, 6)
	k := ricianOf(te)
	rng := rand.New(rand.NewPCG(88, 89))
	y := make([]float64, len(te))
	for _, c := range []struct{ t2, snr float64 }{{10, 400}, {15, 200}, {25, 100}, {40, 100}, {80, 100}} {
		const draws = 20000
		var sum, sum2, se2 float64
		for range draws {
			draw(rng, y, te, c.t2, c.snr)
			v := k.estimate(y, 1)
			sum += v.t2
			sum2 += v.t2 * v.t2
			se2 += v.se * v.se
		}
		sd := math.Sqrt(sum2/draws - sum/draws*sum/draws)
		if se := math.Sqrt(se2 / draws); !near(se, sd, 0.05) {
			t.Errorf("T2 %g, SNR %g: standard error %.4f ms, spread %.4f ms", c.t2, c.snr, se, sd)
		}
	}
}

// ricianBlock returns a block of noisy decays, of which the first is too faint.
func ricianBlock(te []float64, snr float64) *block {
	rng := rand.New(rand.NewPCG(90, 91))
	b, y := newBlock(len(te)), make([]float64, len(te))
	b.n = lanes.Width
	for i := range b.n {
		draw(rng, y, te, 25+50*rng.Float64(), snr)
		for e, v := range y {
			b.y[e*lanes.Width+i] = v
			if i == 0 {
				b.y[e*lanes.Width+i] = 0
			}
		}
		b.sigma[i] = 1
	}
	return b
}

// The results of a block have the same bits as those of its decays one by one, and a block is
// fitted without an allocation.
func TestRicianBlock(t *testing.T) {
	for _, te := range ricianTrains {
		k, one := ricianOf(te), ricianOf(te)
		b := ricianBlock(te, 10)
		if n := testing.AllocsPerRun(3, func() { k.estimateBlock(b, 0) }); n != 0 {
			t.Errorf("TE %v: %g allocations", te, n)
		}
		if b.status[0] != volume.LowSignal {
			t.Errorf("TE %v: a decay of zeros is %v", te, b.status[0])
		}
		for i := 1; i < b.n; i++ {
			v := one.estimate(b.decay(i), 1)
			if got := b.result(i); got.status != v.status ||
				v.status == volume.Fitted && (got.t2 != v.t2 || got.s0 != v.s0 || got.se != v.se || got.rss != v.rss) {
				t.Errorf("TE %v, decay %d: block %+v, alone %+v", te, i, got, v)
			}
		}
	}
}

func FuzzRician(f *testing.F) {
	f.Add(90.0, 60.0, 40.0, 27.0, 18.0, 1.0, false)
	f.Add(1e30, 1e-30, 1.0, 0.0, 0.0, 1e-12, true)
	f.Add(1.25, 1.25, 0.0, 1.25, 1.25, 1.0, false)
	k := [2]*rician{ricianOf(echoTimes(20, 10, 5)), ricianOf([]float64{10, 25, 50, 90, 150})}
	o, err := Options{}.Resolve()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b, c, d, e, sigma float64, uneven bool) {
		y := []float64{a, b, c, d, e}
		for i := range y {
			y[i] = math.Abs(float64(float32(y[i]))) // what a series can hold
			if math.IsNaN(y[i]) || math.IsInf(y[i], 0) {
				t.Skip()
			}
		}
		i := 0
		if uneven {
			i = 1
		}
		fit := fitter{o, k[i]}
		est := fit.estimate(y, math.Abs(sigma))
		sound := est.T2 > 0 && est.S0 > 0 && est.R2 > 0 && est.SE >= 0 && !math.IsInf(est.T2, 0) &&
			!math.IsInf(est.S0, 0)
		if est.Status.HasValue() != sound {
			t.Errorf("%v, sigma %g: %+v", y, sigma, est)
		}
	})
}

func BenchmarkRician(b *testing.B) {
	for _, te := range [][]float64{echoTimes(20, 10, 6), {20, 31, 40, 50, 60, 70}} {
		for _, snr := range []float64{5, 20, 100} {
			k, block := ricianOf(te), ricianBlock(te, snr)
			b.Run(fmt.Sprintf("equal=%t/snr=%g", k.step > 0, snr), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					k.estimateBlock(block, 0)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lanes.Width, "ns/voxel")
			})
		}
	}
}
