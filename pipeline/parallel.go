package pipeline

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"
)

// inParallel calls two functions side by side and returns the first one's error, else
// the second's. The second runs where the caller does, which may recover from it; a panic of the first
// is an error.
func inParallel(first, second func() error) error {
	var g errgroup.Group
	g.Go(func() error { return guarded(first) })
	err := second()
	return cmp.Or(g.Wait(), err)
}

// inParallelUntil is inParallel for functions that stop when their context ends, as it does with the error of
// either. That error, the first, is returned.
func inParallelUntil(ctx context.Context, first, second func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return guarded(func() error { return first(ctx) }) })
	done := make(chan error, 1)
	g.Go(func() error { return <-done })
	defer close(done) // also where second panics
	done <- second(ctx)
	return g.Wait()
}
