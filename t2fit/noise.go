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
	// noiseVoxels is the number of voxels of a slice that its noise is taken from.
	// The median of so many χ² of four degrees of freedom (seven echoes less the
	// first and two parameters) fixes the standard deviation to 0.475/√500, 2 %, and
	// that T2 by rician to 0.5 % where it is known to a fifth at all.
	noiseVoxels = 500
	// fewestVoxels is the number below which a slice says nothing of its noise: the
	// same formula gives 9 %.
	fewestVoxels = 30
	// clearOf is the magnitude at the last echo, in units of the noise, from which a
	// voxel's echoes count as free of the floor: the expectation is then off by
	// 0.17 at one end of the decay and the variance by 7 %. Over many slices the noise
	// comes out 1 % low at a signal-to-noise ratio of 20 and 3 % low at 3.
	clearOf = 3
	// enoughClear is the number of such voxels that suffice: 0.475/√200 is 3 %.
	enoughClear = 200
	// visits bounds the search for voxels in a slice that has few: a thirtieth of it
	// in the foreground is enough.
	visits = 32 * noiseVoxels
	// histogramVoxels is about the size of the sample for the threshold: 64 for each
	// grey value.
	histogramVoxels = 1 << 14
	// settled ends the rounds once one moves the noise by less than this part, a
	// twentieth of its standard error; noiseRounds bounds them.
	settled     = 1e-3
	noiseRounds = 30
)

// errNoNoise says that no slice had enough to estimate the noise from.
var errNoNoise = fmt.Errorf("%w from the residuals: no slice has %d voxels with a decay", ErrNoise, fewestVoxels)

// ErrNoise is what errors are about where the noise is needed and cannot be had: it
// has to be given, or taken from elsewhere.
var ErrNoise = errors.New("the noise cannot be estimated")

// estimateNoise returns the noise of each slice from where the options say. From
// residuals: a sample of the slice's foreground, which is the voxels whose first
// fitted echo is above Otsu's threshold for the series
// (10.1109/TSMC.1979.4310076), is fitted by nlls, and RSS/(n−2) is pooled by its
// median, over the median of χ² on n−2 degrees of freedom, so that a part of the
// voxels that holds no exponential decay counts for little. Where the floor reaches
// most voxels, they are fitted as rician does, in rounds.
//
// A residual holds whatever the model does not: the noise is too high where most
// voxels hold two tissues, or where stimulated echoes bend the decay. Rounding to
// whole numbers counts as noise of 0.29 units.
//
// A slice with fewer than 30 such voxels takes the median of the others, for a
// scanner does not change its receiver between slices. Where no slice has them,
// sigma is NaN, or an error where the options need it.
func estimateNoise(ctx context.Context, s volume.MultiEcho, o Resolved) (volume.Noise, error) {
	n := volume.Noise{Sigma: make([]float64, s.Size[2]), Source: string(o.SigmaFrom)}
	if o.SigmaFrom == FromBackground {
		return n, backgroundNoise(s, n.Sigma)
	}
	skip := o.SkipEchoes
	if o.Method == EPG {
		// The pooled fit knows no stimulated echoes, of which the first has most.
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

// fill replaces NaN by the median of the others.
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
	ceilings  [][]ceiling // voxels that reach one are passed over
	plain     *nlls
	rician    *rician
	perNoise  float64 // the median of RSS/(n−2) for noise of 1
	// Scratch: the decays taken, each with its echoes side by side; a block of them;
	// what the first fit says of each, and TSS; the residuals of those with a fit, by
	// their variance; variances.
	decays    []float64
	block     *block
	first     []found
	total     []float64
	fits      []residual
	variances []float64
}

// residual is what decides on a voxel after its first fit.
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

// slice returns the noise of slice k, NaN where too few voxels hold a decay.
func (p *pool) slice(k int) float64 {
	p.take(k * p.plane)
	p.fits, p.first, p.total = p.fits[:0], p.first[:0], p.total[:0]
	n := len(p.t)
	for decays := p.decays; len(decays) > 0; {
		taken := min(len(decays)/n, lanes.Width)
		p.fit(decays[:taken*n])
		decays = decays[taken*n:]
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

// take gathers the echoes of up to noiseVoxels voxels of the foreground of the
// slice that begins at voxel base. It visits the slice in steps of the golden
// section, so that wherever it stops it has been all over it.
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
		v := b.found(i)
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

// clear returns the noise by the voxels whose curve stays clear of the floor, if
// there are enough; which those are depends on the noise, so that it takes a few
// rounds from a first guess. A fitted curve and its residuals are independent, so
// that this choice does not bend the residuals.
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

// floored returns the noise where the floor reaches most voxels: fitted on the
// expectation of magnitudes, their residuals are taken over the variance that
// magnitudes have there, and again with the noise that this says.
func (p *pool) floored(sigma float64) float64 {
	n := len(p.t)
	for range noiseRounds {
		p.variances = p.variances[:0]
		for i, first := range p.first {
			if first.status == volume.LowSignal {
				continue
			}
			v := p.rician.from(first, p.decays[i*n:(i+1)*n], sigma, p.total[i])
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

// unhot is the fraction of a sample below the top of its histogram: a few hot
// voxels must not squeeze the rest into one grey value.
const unhot = 0.999

// otsu returns Otsu's threshold: the grey value that divides the echo into two
// classes whose means differ most for their spread, on a histogram of 256 values
// of a sample. Values that are not numbers are skipped.
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

// parting returns the last bin of the lower of Otsu's two classes.
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
		if between := float64(below) * float64(above) * d * d; between > most {
			best, most = b, between
		}
	}
	return best
}
