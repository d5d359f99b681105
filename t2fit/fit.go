package t2fit

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// slab is the number of voxels that a worker claims at a time: large enough
// that claiming costs nothing, small enough that the last one does not keep the
// others waiting and that its echoes stay in a core's cache.
const slab = 4096

// Fit estimates T2 in every voxel of s that within labels other than 0, or in
// every voxel where within has no data. The grids must have the same size;
// whether they are the same place is for the caller to have checked. Voxels
// outside are NaN and NotFitted. The result does not depend on the number of
// workers.
//
// It is an error when the series is malformed, when fewer than MinEchoes echoes
// are left after skipping, or when ctx ends.
func Fit(ctx context.Context, s volume.MultiEcho, within volume.Labels, o Options) (volume.Maps, error) {
	o, err := o.Defaults()
	if err != nil {
		return volume.Maps{}, err
	}
	if err := check(s, within, o); err != nil {
		return volume.Maps{}, err
	}
	noise, err := noiseOf(ctx, s, within, o)
	if err != nil {
		return volume.Maps{}, err
	}
	estimators := newEstimators(newTrain(s.TE[o.SkipEchoes:]), o)
	n, m := s.Voxels(), mapsOf(s.Geometry, o)
	m.Noise = noise
	job := job{echo: s.Echo[o.SkipEchoes:], within: within.Data, maps: m, plane: s.SliceVoxels()}
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(o.Workers, (n+slab-1)/slab) {
		g.Go(func() error {
			w := job.worker(fitter{o, estimators()})
			for {
				lo := int(next.Add(slab)) - slab
				if lo >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				w.fit(lo, min(lo+slab, n))
			}
		})
	}
	if err := g.Wait(); err != nil {
		return volume.Maps{}, err
	}
	return m, nil
}

// noiseOf returns the noise of the series where the method or the options need it
// or gave it.
func noiseOf(ctx context.Context, s volume.MultiEcho, within volume.Labels, o Options) (volume.Noise, error) {
	if o.Sigma > 0 {
		given := volume.Noise{Sigma: make([]float64, s.Size[2]), Source: string(SigmaGiven)}
		for k := range given.Sigma {
			given.Sigma[k] = o.Sigma
		}
		return given, nil
	}
	return estimateNoise(ctx, s, o)
}

// mapsOf returns maps on g that hold no estimate yet, those of them that the
// method has.
func mapsOf(g volume.Geometry, o Options) volume.Maps {
	n := g.Voxels()
	m := volume.Maps{
		Geometry: g,
		T2:       make([]float32, n),
		S0:       make([]float32, n),
		R2:       make([]float32, n),
		SE:       make([]float32, n),
		Status:   make([]volume.Status, n),
	}
	if o.Method == NLLSOffset {
		m.Offset = make([]float32, n)
	}
	if o.Method == EPG {
		m.B1 = make([]float32, n)
	}
	if o.EchoFloor > 0 {
		m.Echoes = make([]uint8, n)
	}
	return m
}

// job is what the workers of a fit share.
type job struct {
	echo   [][]float32 // the fitted ones
	within []uint16    // nil for every voxel
	maps   volume.Maps
	plane  int // voxels of a slice
}

// worker is one worker of a fit.
type worker struct {
	job
	fitter
	*block
	voxel [lanes.Width]int // of each decay of the block
}

func (j job) worker(f fitter) *worker {
	return &worker{job: j, fitter: f, block: newBlock(len(j.echo))}
}

// fit fits voxels lo to hi, those of the mask block by block.
func (w *worker) fit(lo, hi int) {
	if w.within != nil {
		nan := float32(math.NaN())
		for _, m := range [][]float32{w.maps.T2, w.maps.S0, w.maps.R2, w.maps.SE, w.maps.Offset, w.maps.B1} {
			if m != nil {
				for v := lo; v < hi; v++ {
					m[v] = nan
				}
			}
		}
	}
	for v := lo; v < hi; v++ {
		if w.within != nil && w.within[v] == 0 {
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

// flush fits the voxels gathered so far.
func (w *worker) flush() {
	for e, echo := range w.echo {
		column := w.y[e*lanes.Width:][:w.n]
		for i := range column {
			column[i] = float64(echo[w.voxel[i]])
		}
	}
	for i, v := range w.voxel[:w.n] {
		w.sigma[i] = w.maps.Noise.Sigma[v/w.plane]
	}
	w.estimateBlock(w.block, func(i int, est Estimate) { w.put(w.voxel[i], est) })
	w.n = 0
}

// put writes an estimate into the maps.
func (w *worker) put(v int, est Estimate) {
	m := &w.maps
	m.T2[v], m.S0[v] = float32(est.T2), float32(est.S0)
	m.R2[v], m.SE[v] = float32(est.R2), float32(est.SE)
	if m.Offset != nil {
		m.Offset[v] = float32(est.Offset)
	}
	if m.B1 != nil {
		m.B1[v] = float32(est.B1)
	}
	if m.Echoes != nil {
		m.Echoes[v] = uint8(est.Echoes)
	}
	m.Status[v] = est.Status
}

// Curve fits one decay: the signal at the echo times te in ms, strictly
// increasing, skipped echoes still in both. It is an error when their lengths
// differ, when a value is not finite or when too few echoes are left.
func Curve(te, signal []float64, o Options) (Estimate, error) {
	o, err := o.Defaults()
	if err != nil {
		return failed(volume.NotFitted), err
	}
	if len(te) != len(signal) {
		return failed(volume.NotFitted), fmt.Errorf("%d echo times for %d signals", len(te), len(signal))
	}
	if err := o.checkTE(te); err != nil {
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
	}
	f := fitter{o, newEstimators(newTrain(te[o.SkipEchoes:]), o)()}
	return f.estimate(signal[o.SkipEchoes:], sigma), nil
}

// check returns an error when the series or the labels do not hold what their
// sizes promise.
func check(s volume.MultiEcho, within volume.Labels, o Options) error {
	if err := o.checkTE(s.TE); err != nil {
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
	if within.Data != nil && len(within.Data) != s.Voxels() {
		return fmt.Errorf("mask has %d voxels, the series %d", len(within.Data), s.Voxels())
	}
	return nil
}
