package pipeline

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"
)

// inParallel calls two functions in parallel and returns the error of the first, else that of the second. A panic
// of the first is an error. The second runs in the caller's goroutine, so that the caller may recover from its
// panic.
func inParallel(first, second func() error) error {
	var g errgroup.Group
	g.Go(func() error { return guarded(first) })
	err := second()
	return cmp.Or(g.Wait(), err)
}

// inParallelUntil is inParallel for functions that stop when their context ends. An error of either function ends the
// context. The error that came first is returned.
func inParallelUntil(ctx context.Context, first, second func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return guarded(func() error { return first(ctx) }) })
	done := make(chan error, 1)
	g.Go(func() error { return <-done })
	defer close(done) // also if second panics
	done <- second(ctx)
	return g.Wait()
}
