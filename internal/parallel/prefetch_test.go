package parallel

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The next item is produced while one is used, and no more than that.
func TestPrefetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started atomic.Int64
		produce := func(_ context.Context, i int) (int, error) {
			started.Add(1)
			time.Sleep(time.Second)
			return i, nil
		}
		start, n := time.Now(), 0
		for i, err := range Prefetch(t.Context(), 10, produce, func(int) { t.Error("an item was discarded") }) {
			if i != n || err != nil {
				t.Errorf("item %d, %v; want %d", i, err, n)
			}
			time.Sleep(time.Second)
			if n++; int(started.Load()) > n+1 {
				t.Errorf("%d items were started when %d were used", started.Load(), n)
			}
		}
		if took := time.Since(start); n != 10 || took != 11*time.Second {
			t.Errorf("%d items in %v, want 10 in 11 s", n, took)
		}
	})
}

// Each item is either yielded or discarded, and an error ends the loop.
func TestPrefetchEnds(t *testing.T) {
	fault := errors.New("fault")
	for _, c := range []struct {
		name        string
		last, fails int
	}{{"all", 10, 10}, {"early end", 3, 10}, {"error", 10, 5}, {"error after the end", 3, 4}} {
		var used, discarded []int
		produced := 0
		var got error
		for i, err := range Prefetch(t.Context(), 10, func(_ context.Context, i int) (int, error) {
			if i == c.fails {
				return 0, fault
			}
			produced++
			return i, nil
		}, func(i int) { discarded = append(discarded, i) }) {
			if got = err; err != nil {
				continue
			}
			if used = append(used, i); len(used) == c.last {
				break
			}
		}
		all := slices.Concat(used, discarded)
		for i, item := range all {
			if item != i {
				t.Errorf("%s: used %v, discarded %v", c.name, used, discarded)
			}
		}
		if len(all) != produced || len(used) != min(c.last, c.fails) || (got != nil) != (c.fails < c.last) {
			t.Errorf("%s: produced %d, used %v, discarded %v, %v", c.name, produced, used, discarded, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var got error
	for _, err := range Prefetch(ctx, 10, func(ctx context.Context, i int) (int, error) { return i, ctx.Err() },
		func(int) {}) {
		cancel()
		n, got = n+1, err
	}
	if n > 3 || !errors.Is(got, context.Canceled) {
		t.Errorf("%d items after the end of the context, %v", n, got)
	}
}
