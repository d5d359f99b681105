package resample

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// parallel calls do(0) to do(n − 1), each once, on so many goroutines.
func parallel(ctx context.Context, n, workers int, do func(int)) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(workers, n) {
		g.Go(func() error {
			for {
				k := int(next.Add(1)) - 1
				if k >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				do(k)
			}
		})
	}
	return g.Wait()
}
