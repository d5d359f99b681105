package t2fit

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/volume"
)

// slab is the number of voxels that a worker claims at a time: large enough
// that claiming costs nothing, small enough that the last one does not keep the
// others waiting and that its echoes stay in a core's cache.
const slab = 4096

// block is the number of voxels whose echoes are gathered at a time: with seven
// echoes they take 14 kB, within a core's first cache.
const block = 256

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
	k := newKernel(s.TE[o.SkipEchoes:], o)
	n, m := s.Voxels(), mapsOf(s.Geometry)
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(o.Workers, (n+slab-1)/slab) {
		g.Go(func() error {
			y := make([]float64, block*len(k.t))
			for {
				lo := int(next.Add(slab)) - slab
				if lo >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				k.fitSlab(m, s.Echo[o.SkipEchoes:], within.Data, y, lo, min(lo+slab, n))
			}
		})
	}
	if err := g.Wait(); err != nil {
		return volume.Maps{}, err
	}
	return m, nil
}

// mapsOf returns maps on g that hold no estimate yet.
func mapsOf(g volume.Geometry) volume.Maps {
	n := g.Voxels()
	return volume.Maps{
		Geometry: g,
		T2:       make([]float32, n),
		S0:       make([]float32, n),
		R2:       make([]float32, n),
		SE:       make([]float32, n),
		Status:   make([]volume.Status, n),
	}
}

// fitSlab fits voxels lo to hi of the echoes into m; y is scratch for block
// voxels.
func (k *kernel) fitSlab(m volume.Maps, echo [][]float32, within []uint16, y []float64, lo, hi int) {
	nan := float32(math.NaN())
	n := len(k.t)
	for from := lo; from < hi; from += block {
		to := min(from+block, hi)
		if within != nil && !slices.ContainsFunc(within[from:to], func(l uint16) bool { return l != 0 }) {
			for v := from; v < to; v++ {
				m.T2[v], m.S0[v], m.R2[v], m.SE[v] = nan, nan, nan, nan
			}
			continue
		}
		// Voxel by voxel for the kernel, echo by echo through memory.
		for e := range n {
			for i, s := range echo[e][from:to] {
				y[i*n+e] = float64(s)
			}
		}
		for v := from; v < to; v++ {
			if within != nil && within[v] == 0 {
				m.T2[v], m.S0[v], m.R2[v], m.SE[v] = nan, nan, nan, nan
				continue
			}
			est := k.estimate(y[(v-from)*n : (v-from+1)*n])
			m.T2[v], m.S0[v] = float32(est.T2), float32(est.S0)
			m.R2[v], m.SE[v] = float32(est.R2), float32(est.SE)
			m.Status[v] = est.Status
		}
	}
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
	if err := checkTE(te, o.SkipEchoes); err != nil {
		return failed(volume.NotFitted), err
	}
	for e, v := range signal {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return failed(volume.NotFitted), fmt.Errorf("signal of echo %d is %g", e+1, v)
		}
	}
	return newKernel(te[o.SkipEchoes:], o).estimate(signal[o.SkipEchoes:]), nil
}

// check returns an error when the series or the labels do not hold what their
// sizes promise.
func check(s volume.MultiEcho, within volume.Labels, o Options) error {
	if err := checkTE(s.TE, o.SkipEchoes); err != nil {
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

// CheckTE returns an error unless the echo times te, in ms, are positive and
// strictly increasing with enough of them left after the skipped ones, or where
// the options make no sense.
func (o Options) CheckTE(te []float64) error {
	o, err := o.Defaults()
	if err != nil {
		return err
	}
	return checkTE(te, o.SkipEchoes)
}

// checkTE returns an error unless te is positive and strictly increasing with
// enough echoes after the skipped ones.
func checkTE(te []float64, skip int) error {
	for e, t := range te {
		if !(t > 0) || math.IsInf(t, 0) {
			return fmt.Errorf("echo time %d is %g ms", e+1, t)
		}
		if e > 0 && t <= te[e-1] {
			return fmt.Errorf("echo times do not increase: %g ms follows %g ms", t, te[e-1])
		}
	}
	if len(te)-skip < MinEchoes {
		return fmt.Errorf("%d echoes less %d skipped leave %d, a fit needs at least %d", len(te), skip, max(len(te)-skip, 0), MinEchoes)
	}
	return nil
}
