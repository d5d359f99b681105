package objects

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// again calls do until it succeeds, fails permanently, or ctx ends. The object or bucket is named in errors.
func (b *Bucket) again(ctx context.Context, name string, do func() error) error {
	pause := b.pause
	for attempt := 1; ; attempt++ {
		err := failure(ctx, name, do())
		var e *Error
		if err == nil || !errors.As(err, &e) || !e.transient {
			b.down.Store(false)
			return err
		}
		if attempt == b.attempts || b.down.Load() {
			b.down.Store(true)
			return err
		}
		// Half of the pause is random, so that many clients do not come back at once.
		timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
		pause = min(2*pause, longestPause)
	}
}
