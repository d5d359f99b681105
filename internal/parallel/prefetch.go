package parallel

import (
	"context"
	"iter"

	"golang.org/x/sync/errgroup"
)

// Prefetch yields produce(ctx, 0) … produce(ctx, n−1), and produces the next item while one is used. It
// ends after the first error, which is yielded, or if ctx ends. An item that was produced and is
// not used, because the loop ended early, is given to discard.
func Prefetch[T any](ctx context.Context, n int, produce func(ctx context.Context, i int) (T, error),
	discard func(T)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		items := make(chan T)
		var g errgroup.Group
		g.Go(func() error {
			defer close(items)
			for i := range n {
				item, err := produce(inner, i)
				if err != nil {
					return err
				}
				select {
				case items <- item:
				case <-inner.Done():
					discard(item)
					return inner.Err()
				}
			}
			return nil
		})
		for item := range items {
			if !yield(item, nil) {
				cancel()
				for item := range items {
					discard(item)
				}
				_ = g.Wait() // the loop has ended
				return
			}
		}
		if err := g.Wait(); err != nil {
			var none T
			yield(none, err)
		}
	}
}
