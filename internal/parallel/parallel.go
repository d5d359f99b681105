// Package parallel runs the parts of a calculation concurrently. In all functions, workers is the
// number of goroutines, and 0 or less means one per processor. Workers share nothing that they
// write, so that a result does not depend on their number.
package parallel

import (
	"context"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Workers returns workers, or the number of processors if it is not above 0.
func Workers(workers int) int {
	if workers <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return workers
}

// Each calls do once for each of 0 … n−1, and returns the first error. It stops early at an error
// or if ctx ends.
func Each(ctx context.Context, n, workers int, do func(i int) error) error {
	return EachWorker(ctx, n, workers, func() func(int) error { return do })
}

// EachWorker is Each for workers with scratch memory of their own: every worker calls newWorker
// once, and then calls the result for its share of 0 … n−1.
func EachWorker(ctx context.Context, n, workers int, newWorker func() func(i int) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(Workers(workers), n) {
		g.Go(func() error {
			do := newWorker()
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := do(i); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// Parts returns the number of parts into which Split divides n items.
func Parts(n, workers, least int) int { return max(1, min(Workers(workers), n/least)) }

// Split calls work for consecutive parts of 0 … n−1, one for each worker, with the number of the
// part and its range, end exclusive. A part has at least least items, unless it is the only one.
func Split(n, workers, least int, work func(part, start, end int)) {
	parts := Parts(n, workers, least)
	if parts == 1 {
		work(0, 0, n)
		return
	}
	var g errgroup.Group
	for part := range parts {
		g.Go(func() error {
			work(part, n*part/parts, n*(part+1)/parts)
			return nil
		})
	}
	_ = g.Wait() // no part fails
}
