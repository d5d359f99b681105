package t2fit

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// slab is the number of voxels that a worker claims at a time, in whole blocks: large enough that
// claiming costs nothing, small enough that no worker waits long for the last one and that the
// echoes stay in the cache of a core.
const slab = 16 * lanes.Width

// Fit resolves the options and fits the series with them, as Resolved.Fit does.
func Fit(ctx context.Context, s volume.MultiEcho, mask volume.Labels, o Options) (volume.Maps, error) {
	r, err := o.Resolve()
	if err != nil {
		return volume.Maps{}, err
	}
	return r.Fit(ctx, s, mask)
}

// Fit estimates T2 in every voxel of s that has a label other than 0 in mask, or in every
// voxel if mask has no data. Both grids must have the same size; the caller has checked that
// they lie in the same place. Voxels outside the mask are NaN and NotFitted. The result does
// not depend on the number of workers.
//
// It is an error if the series is malformed, if its echo times do not suit the method, if the
// options need the noise and it cannot be estimated, or if ctx ends.
func (o Resolved) Fit(ctx context.Context, s volume.MultiEcho, mask volume.Labels) (volume.Maps, error) {
	if err := o.checkSeries(s, mask); err != nil {
		return volume.Maps{}, err
	}
	noise, err := o.noise(ctx, s)
	if err != nil {
		return volume.Maps{}, err
	}
	estimators := newEstimators(newTrain(s.TE[o.SkipEchoes:]), o)
	n, m := s.Voxels(), o.emptyMaps(s.Geometry)
	m.Noise = noise
	job := job{
		echo: s.Echo[o.SkipEchoes:], mask: mask.Data, maps: m, plane: s.SliceVoxels(),
		ceilings: ceilingsOf(s, o.SkipEchoes),
	}
	err = parallel.EachWorker(ctx, (n+slab-1)/slab, o.Workers, func() func(int) error {
		w := job.worker(fitter{o, estimators()})
		return func(i int) error {
			w.fit(i*slab, min((i+1)*slab, n))
			return nil
		}
	})
	if err != nil {
		return volume.Maps{}, err
	}
	return m, nil
}

// noise returns the noise of the series: the given one, or an estimate.
func (o Resolved) noise(ctx context.Context, s volume.MultiEcho) (volume.Noise, error) {
	if o.Sigma > 0 {
		known := volume.Noise{Sigma: make([]float64, s.Size[2]), Source: string(SigmaGiven)}
		for k := range known.Sigma {
			known.Sigma[k] = o.Sigma
		}
		return known, nil
	}
	return estimateNoise(ctx, s, o)
}

// emptyMaps returns the maps of the method on the grid g, without estimates.
func (o Resolved) emptyMaps(g volume.Geometry) volume.Maps {
	n := g.Voxels()
	m := volume.Maps{
		Geometry: g,
		T2:       volume.Floats(n),
		S0:       volume.Floats(n),
		R2:       volume.Floats(n),
		SE:       volume.Floats(n),
		Status:   make([]volume.Status, n),
	}
	if o.Method == NLLSOffset {
		m.Offset = volume.Floats(n)
	}
	if o.Method == EPG {
		m.B1 = volume.Floats(n)
	}
	if o.EchoFloor > 0 {
		m.Echoes = make([]uint8, n)
	}
	return m
}

// job is shared by the workers of a fit.
type job struct {
	echo  [][]float32 // the fitted echoes
	mask  []uint16    // nil for every voxel
	maps  volume.Maps
	plane int // voxels of a slice
	// ceilings are those of each slice; nil if no fitted echo was clipped.
	ceilings [][]ceiling
}

// worker is one worker of a fit.
type worker struct {
	job
	fitter
	*block
	voxel [lanes.Width]int // of each decay of the block
	short lanes.Shorts     // the values of the maps
}

func (j job) worker(f fitter) *worker {
	return &worker{job: j, fitter: f, block: newBlock(len(j.echo))}
}

// fit fits the voxels of the mask from lo to hi, exclusive, block by block.
func (w *worker) fit(lo, hi int) {
	if w.mask == nil {
		for v := lo; v < hi; v += lanes.Width {
			w.n = min(lanes.Width, hi-v)
			for i := range w.n {
				w.voxel[i] = v + i
			}
			w.flush()
		}
		return
	}
	w.clear(lo, hi)
	for v := lo; v < hi; v++ {
		if w.mask[v] == 0 {
			continue
		}
		w.voxel[w.n] = v
		w.n++
		if w.n == lanes.Width {
			w.flush()
		}
	}
	w.flush()
}

// clear sets the maps to NaN from voxel lo to hi, exclusive.
func (w *worker) clear(lo, hi int) {
	nan := float32(math.NaN())
	m := &w.maps
	for _, data := range [][]float32{m.T2, m.S0, m.R2, m.SE, m.Offset, m.B1} {
		if data == nil {
			continue
		}
		for v := lo; v < hi; v++ {
			data[v] = nan
		}
	}
}

// flush fits the voxels gathered so far.
func (w *worker) flush() {
	if w.n == 0 {
		return
	}
	for e, echo := range w.echo {
		column := w.y[e*lanes.Width:][:w.n]
		if w.inARow() {
			lanes.Widen(column, echo[w.voxel[0]:])
			continue
		}
		for i := range column {
			column[i] = float64(echo[w.voxel[i]])
		}
	}
	w.noise()
	w.findBlock(w.block)
	if w.ceilings != nil {
		w.saturate()
	}
	w.write()
	w.n = 0
}

// noise looks up the noise of the block's voxels, most of which are in one slice.
func (w *worker) noise() {
	sigmas := w.maps.Noise.Sigma
	k := w.voxel[0] / w.plane
	sigma, end := sigmas[k], (k+1)*w.plane
	for i, v := range w.voxel[:w.n] {
		if v >= end {
			k = v / w.plane
			sigma, end = sigmas[k], (k+1)*w.plane
		}
		w.sigma[i] = sigma
	}
}

// inARow reports whether the voxels of the block are consecutive.
func (w *worker) inARow() bool { return w.voxel[w.n-1]-w.voxel[0] == w.n-1 }

// write checks the results of the block and writes them to the maps.
func (w *worker) write() {
	m, s := &w.maps, &w.short
	limits := lanes.Limits{Low: w.o.T2Range[0], High: w.o.T2Range[1], MinR2: max(w.o.MinR2, leastR2)}
	lanes.Narrow(&w.curves, &w.total, limits, w.n, s)
	for i, status := range w.status[:w.n] {
		if status != volume.Fitted || s.Sound[i/4]>>(i%4)&1 == 0 {
			w.exclude(i)
		}
	}
	for _, target := range []struct {
		data   []float32
		values *[lanes.Width]float32
	}{{m.T2, &s.T2}, {m.S0, &s.S0}, {m.R2, &s.R2}, {m.SE, &s.SE}} {
		put(target.data, target.values[:w.n], w.voxel[:w.n], w.inARow())
	}
	put(m.Status, w.status[:w.n], w.voxel[:w.n], w.inARow())
	if m.Offset != nil || m.B1 != nil || m.Echoes != nil {
		w.writeExtra()
	}
}

// exclude sets the status of a decay that is not sound, and its values for the maps.
func (w *worker) exclude(i int) {
	c, s, nan := &w.curves, &w.short, float32(math.NaN())
	status := w.o.verdict(w.status[i], curve{c.T2[i], c.S0[i], c.RSS[i]}, w.total[i])
	w.status[i] = status
	if status.HasValue() {
		return
	}
	s.T2[i], s.S0[i], s.SE[i] = nan, nan, nan
	if status != volume.PoorFit {
		s.R2[i] = nan
	}
}

// put writes the values of a block to their voxels.
func put[T any](dst, src []T, voxel []int, inARow bool) {
	if inARow {
		copy(dst[voxel[0]:], src)
		return
	}
	for i, v := range voxel {
		dst[v] = src[i]
	}
}

// writeExtra writes the maps of offset, B1 and number of echoes, which few methods have.
func (w *worker) writeExtra() {
	m := &w.maps
	for i, v := range w.voxel[:w.n] {
		value := m.Status[v].HasValue()
		for _, extra := range []struct {
			data  []float32
			value float64
		}{{m.Offset, w.offset[i]}, {m.B1, w.b1[i]}} {
			switch {
			case extra.data == nil:
			case value:
				extra.data[v] = float32(extra.value)
			default:
				extra.data[v] = float32(math.NaN())
			}
		}
		if m.Echoes != nil {
			m.Echoes[v] = w.echoes[i]
		}
	}
}

// Curve resolves the options and fits one decay with them, as Resolved.Curve does.
func Curve(te, signal []float64, o Options) (Estimate, error) {
	r, err := o.Resolve()
	if err != nil {
		return failed(volume.NotFitted), err
	}
	return r.Curve(te, signal)
}

// Curve fits one decay: signal holds the magnitude at each of the strictly increasing echo times
// te, in ms; both include the echoes to skip. It is an error if their lengths differ, if a value is
// not finite, if too few echoes remain, or if the options need the noise and Sigma is 0.
func (o Resolved) Curve(te, signal []float64) (Estimate, error) {
	if len(te) != len(signal) {
		return failed(volume.NotFitted), fmt.Errorf("%d echo times for %d signals", len(te), len(signal))
	}
	if err := o.CheckTE(te); err != nil {
		return failed(volume.NotFitted), err
	}
	for e, v := range signal {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return failed(volume.NotFitted), fmt.Errorf("signal of echo %d is %g", e+1, v)
		}
	}
	sigma := math.NaN()
	if o.Sigma > 0 {
		sigma = o.Sigma
	} else if o.Method == Rician || o.EchoFloor > 0 {
		return failed(volume.NotFitted), errors.New("the noise cannot be estimated from one decay: give sigma")
	}
	f := fitter{o, newEstimators(newTrain(te[o.SkipEchoes:]), o)()}
	return f.estimate(signal[o.SkipEchoes:], sigma), nil
}

// checkSeries returns an error if the echo times do not suit the options, or if the arrays of
// the series and the mask do not have the sizes of their grids.
func (o Resolved) checkSeries(s volume.MultiEcho, mask volume.Labels) error {
	if err := o.CheckTE(s.TE); err != nil {
		return err
	}
	if len(s.Echo) != len(s.TE) {
		return fmt.Errorf("%d echo times for %d echoes", len(s.TE), len(s.Echo))
	}
	for e, data := range s.Echo {
		if len(data) != s.Voxels() {
			return fmt.Errorf("echo %d has %d voxels, the grid %d", e+1, len(data), s.Voxels())
		}
	}
	if mask.Data != nil && len(mask.Data) != s.Voxels() {
		return fmt.Errorf("mask has %d voxels, the series %d", len(mask.Data), s.Voxels())
	}
	if s.Ceiling != nil && len(s.Ceiling) != len(s.Echo) {
		return fmt.Errorf("ceilings of %d echoes for %d", len(s.Ceiling), len(s.Echo))
	}
	for e, levels := range s.Ceiling {
		if len(levels) != s.Size[2] {
			return fmt.Errorf("echo %d has ceilings for %d slices of %d", e+1, len(levels), s.Size[2])
		}
	}
	return nil
}
