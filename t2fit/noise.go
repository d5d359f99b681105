package t2fit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

const (
	// noiseVoxels is the number of voxels of a slice from which the noise is estimated. The median
	// of that many χ² values of four degrees of freedom (seven echoes less the first and two
	// parameters) determines the standard deviation to 0.475/√500 = 2 %, and with it T2 by rician
	// to 0.5 %, if T2 is known to a fifth at all.
	noiseVoxels = 500
	// fewestVoxels is the number below which the noise of a slice is not estimated: the same
	// formula gives 9 %.
	fewestVoxels = 30
	// clearOf is the magnitude at the last echo, in units of the noise, above which a voxel's
	// echoes count as unaffected by the floor: there, the expectation of the last echo is off by
	// 0.17 and its variance by 7 %. Over many slices, the estimate of the noise is 1 % too low at a
	// signal-to-noise ratio of 20 and 3 % at 3.
	clearOf = 3
	// enoughClear is the sufficient number of such voxels: 0.475/√200 is 3 %.
	enoughClear = 200
	// visits bounds the search in slices with few voxels in the foreground: a thirtieth of the
	// slice suffices.
	visits = 32 * noiseVoxels
	// histogramVoxels is the approximate size of the sample for the threshold: 64 for each grey
	// value.
	histogramVoxels = 1 << 14
	// settled ends the rounds once a round changes the noise by less than this fraction, a
	// twentieth of its standard error. noiseRounds bounds their number.
	settled     = 1e-3
	noiseRounds = 30
)

// errNoNoise reports that no slice has enough voxels to estimate the noise.
var errNoNoise = fmt.Errorf("%w from the residuals: no slice has %d voxels with a decay", ErrNoise, fewestVoxels)

// ErrNoise is wrapped by errors that report that the noise is needed and cannot be estimated. It
// must be given, or estimated in another way.
var ErrNoise = errors.New("the noise cannot be estimated")

// estimateNoise returns the noise of each slice from the source that the options name. For
// residuals, it fits a sample of the slice's foreground by nlls: voxels whose first fitted echo is
// above Otsu's threshold for the series (10.1109/TSMC.1979.4310076). The noise variance is the
// median of RSS/(n−2) over the median of χ² on n−2 degrees of freedom, so that the minority of
// voxels without an exponential decay has little effect. If the floor affects most voxels, they are
// fitted as rician does, in rounds.
//
// Residuals contain everything that the model lacks: the noise is overestimated if most voxels
// contain two tissues, or if stimulated echoes distort the decay. Rounding to whole numbers counts
// as noise of 0.29 units.
//
// A slice with fewer than 30 such voxels takes the median of the others, because a scanner does not
// change its receiver between slices. If no slice has 30, sigma is NaN, or it is an error if the
// options need the noise.
func estimateNoise(ctx context.Context, s volume.MultiEcho, o Resolved) (volume.Noise, error) {
	n := volume.Noise{Sigma: make([]float64, s.Size[2]), Source: string(o.SigmaFrom)}
	if o.SigmaFrom == FromBackground {
		return n, backgroundNoise(s, n.Sigma)
	}
	skip := o.SkipEchoes
	if o.Method == EPG {
		// The pooled fit ignores stimulated echoes, which affect the first echo most.
		skip = max(skip, 1)
	}
	p := newPool(s, skip)
	for k := range n.Sigma {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		n.Sigma[k] = p.slice(k)
	}
	fill(n.Sigma)
	if len(n.Sigma) > 0 && math.IsNaN(n.Sigma[0]) && (o.Method == Rician || o.EchoFloor > 0) {
		return n, errNoNoise
	}
	return n, nil
}

// fill replaces NaN by the median of the other values.
func fill(sigma []float64) {
	known := slices.DeleteFunc(slices.Clone(sigma), math.IsNaN)
	if len(known) == 0 {
		return
	}
	slices.Sort(known)
	for k, v := range sigma {
		if math.IsNaN(v) {
			sigma[k] = known[len(known)/2]
		}
	}
}

// pool estimates the noise of the slices of a series from residuals.
type pool struct {
	train
	echo      [][]float32
	plane     int // voxels of a slice
	threshold float32
	ceilings  [][]ceiling // voxels that reach one are skipped
	plain     *nlls
	rician    *rician
	perNoise  float64 // the median of RSS/(n−2) for noise of 1
	// Scratch: the echoes of the sampled decays, decay by decay; a block of them; the first fit of
	// each, and TSS; the residuals of the decays with a fit, by variance; variances.
	decays    []float64
	block     *block
	first     []result
	total     []float64
	fits      []residual
	variances []float64
}

// residual describes a voxel after its first fit.
type residual struct {
	variance float64 // RSS/(n−2)
	last     float64 // the curve at the last echo
}

func newPool(s volume.MultiEcho, skip int) *pool {
	p := &pool{train: newTrain(s.TE[skip:]), echo: s.Echo[skip:], plane: s.SliceVoxels(), ceilings: ceilingsOf(s, skip)}
	p.threshold = otsu(p.echo[0])
	p.rician = newRician(p.train)().(*rician)
	p.plain = p.rician.plain
	p.block = newBlock(len(p.t))
	free := float64(len(p.t) - 2)
	p.perNoise = distuv.ChiSquared{K: free}.Quantile(0.5) / free
	return p
}

// slice returns the noise of slice k, NaN if too few voxels have a decay.
func (p *pool) slice(k int) float64 {
	p.take(k * p.plane)
	p.fits, p.first, p.total = p.fits[:0], p.first[:0], p.total[:0]
	n := len(p.t)
	for decays := p.decays; len(decays) > 0; {
		count := min(len(decays)/n, lanes.Width)
		p.fit(decays[:count*n])
		decays = decays[count*n:]
	}
	if len(p.fits) < fewestVoxels {
		return math.NaN()
	}
	slices.SortFunc(p.fits, func(a, b residual) int { return cmp.Compare(a.variance, b.variance) })
	sigma := math.Sqrt(p.fits[len(p.fits)/2].variance / p.perNoise)
	if clear, ok := p.clear(sigma); ok {
		return clear
	}
	return p.floored(sigma)
}

// take gathers the echoes of up to noiseVoxels voxels of the foreground of the slice that begins at
// voxel base. It visits the slice in steps of the golden section, so that its sample covers the
// slice evenly wherever it stops.
func (p *pool) take(base int) {
	p.decays = p.decays[:0]
	step := int(float64(p.plane)/math.Phi) | 1
	for gcd(step, p.plane) > 1 {
		step += 2
	}
	v, first := 0, p.echo[0][base:base+p.plane]
	for range min(p.plane, visits) {
		if first[v] > p.threshold && !p.saturated(base+v) {
			for _, echo := range p.echo {
				p.decays = append(p.decays, float64(echo[base+v]))
			}
			if len(p.decays) == noiseVoxels*len(p.echo) {
				return
			}
		}
		v = (v + step) % p.plane
	}
}

// saturated reports whether voxel v reaches a ceiling.
func (p *pool) saturated(v int) bool {
	return p.ceilings != nil && slices.ContainsFunc(p.ceilings[v/p.plane], func(c ceiling) bool {
		return float64(p.echo[c.echo][v]) >= c.level
	})
}

// fit fits a block of decays by nlls.
func (p *pool) fit(decays []float64) {
	n, b := len(p.t), p.block
	b.n = len(decays) / n
	for i := range b.n {
		for e := range n {
			b.y[e*lanes.Width+i] = decays[i*n+e]
		}
	}
	p.plain.estimateBlock(b, 0)
	p.total = append(p.total, b.total[:b.n]...)
	last := p.te0 + p.t[n-1]
	for i := range b.n {
		v := b.result(i)
		p.first = append(p.first, v)
		if v.status == volume.Fitted {
			p.fits = append(p.fits, residual{v.rss / float64(n-2), v.s0 * lanes.Exp(-last/v.t2)})
		}
	}
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// clear returns the noise from the voxels whose curve stays clear of the floor, if there are
// enough. Which voxels these are depends on the noise, so that it takes a few rounds from a first
// guess. A fitted curve and its residuals are independent, so that the choice does not bias the
// residuals.
func (p *pool) clear(sigma float64) (float64, bool) {
	for range noiseRounds {
		p.variances = p.variances[:0]
		for _, f := range p.fits {
			if f.last >= clearOf*sigma {
				p.variances = append(p.variances, f.variance)
			}
		}
		if len(p.variances) < enoughClear {
			return 0, false
		}
		before := sigma
		sigma = math.Sqrt(p.variances[len(p.variances)/2] / p.perNoise)
		if math.Abs(sigma-before) <= settled*before {
			break
		}
	}
	return sigma, true
}

// floored returns the noise if the floor affects most voxels. It fits the expectation of
// magnitudes, divides the residuals by the variance of magnitudes, and repeats this with the
// resulting noise.
func (p *pool) floored(sigma float64) float64 {
	n := len(p.t)
	for range noiseRounds {
		p.variances = p.variances[:0]
		for i, first := range p.first {
			if first.status == volume.LowSignal {
				continue
			}
			v := p.rician.refine(first, p.decays[i*n:(i+1)*n], sigma, p.total[i])
			if v.status == volume.Fitted {
				p.variances = append(p.variances, p.rician.chi(v, sigma)/float64(n-2))
			}
		}
		if len(p.variances) < fewestVoxels {
			break
		}
		slices.Sort(p.variances)
		before := sigma
		sigma = float64(sigma * math.Sqrt(p.variances[len(p.variances)/2]/p.perNoise))
		if math.Abs(sigma-before) <= settled*before {
			break
		}
	}
	return sigma
}

// unhot is the fraction of a sample below the top of its histogram: a few very bright voxels must
// not compress the rest into one grey value.
const unhot = 0.999

// otsu returns Otsu's threshold: the grey value that divides the echo into two classes with the
// largest between-class variance, on a histogram of 256 values of a sample. Values that are not
// finite are skipped.
func otsu(echo []float32) float32 {
	stride := len(echo)/histogramVoxels | 1
	var sample []float32
	for v := 0; v < len(echo); v += stride {
		if x := float64(echo[v]); x-x == 0 { // neither NaN nor infinite
			sample = append(sample, echo[v])
		}
	}
	if len(sample) == 0 {
		return 0
	}
	slices.Sort(sample)
	lo, hi := sample[0], sample[int(unhot*float64(len(sample)-1))]
	if !(hi > lo) {
		return lo
	}
	var count [256]int
	per := float64(len(count)-1) / (float64(hi) - float64(lo))
	for _, x := range sample {
		count[int(min((float64(x)-float64(lo))*per, float64(len(count)-1)))]++
	}
	return lo + float32(float64(parting(count[:])+1)/per)
}

// parting returns the last bin of Otsu's lower class.
func parting(count []int) int {
	total, sum := 0, 0
	for b, c := range count {
		total += c
		sum += b * c
	}
	best, most := 0, -1.0
	below, sumBelow := 0, 0
	for b, c := range count[:len(count)-1] {
		below += c
		sumBelow += b * c
		above := total - below
		if below == 0 || above == 0 {
			continue
		}
		d := float64(sumBelow)/float64(below) - float64(sum-sumBelow)/float64(above)
		if separation := float64(below) * float64(above) * d * d; separation > most {
			best, most = b, separation
		}
	}
	return best
}
