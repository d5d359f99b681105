package phantom

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// each calls f for 0 … n−1, as many at a time as there are processors, and
// returns the first error. Calls share nothing, so their order does not matter.
func each(ctx context.Context, n int, f func(i int) error) error {
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		if inner.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := inner.Err(); err != nil {
				return err
			}
			return f(i)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
