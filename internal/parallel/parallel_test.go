package parallel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// No piece of work begins after the context has ended.
func TestEachCancelled(t *testing.T) {
	const pieces, last = 1000, 10
	for _, workers := range []int{1, 4} {
		ctx, cancel := context.WithCancel(t.Context())
		cancelled := make(chan struct{})
		var began atomic.Int64
		err := Each(ctx, pieces, workers, func(int) error {
			switch n := began.Add(1); {
			case n == last:
				cancel()
				close(cancelled)
			case n > last:
				<-cancelled
			}
			return nil
		})
		// Each of the other workers may have begun one piece before cancel has returned.
		if n := int(began.Load()); !errors.Is(err, context.Canceled) || n < last || n > last+workers-1 {
			t.Errorf(
				"%d workers: %d of %d pieces began, %v; want %d to %d", workers, n, pieces, err, last, last+workers-1,
			)
		}
	}
}

func TestEachError(t *testing.T) {
	fault := errors.New("fault")
	for _, workers := range []int{0, 1, 4} {
		err := Each(t.Context(), 100, workers, func(i int) error {
			if i == 7 {
				return fault
			}
			return nil
		})
		if err != fault {
			t.Errorf("%d workers: %v, want %v", workers, err, fault)
		}
	}
}

// Every number occurs once, for any number of workers.
func TestOnce(t *testing.T) {
	for _, n := range []int{0, 1, 7, 1000} {
		for _, workers := range []int{0, 1, 3, 64} {
			var each, split = make([]int, n), make([]int, n)
			err := EachWorker(t.Context(), n, workers, func() func(int) error {
				return func(i int) error { each[i]++; return nil }
			})
			if err != nil {
				t.Fatal(err)
			}
			Split(n, workers, 10, func(part, start, end int) {
				if part >= Parts(n, workers, 10) {
					t.Errorf("part %d of %d", part, Parts(n, workers, 10))
				}
				for i := start; i < end; i++ {
					split[i]++
				}
			})
			for i := range n {
				if each[i] != 1 || split[i] != 1 {
					t.Fatalf("%d of %d by %d workers: %d and %d times", i, n, workers, each[i], split[i])
				}
			}
		}
	}
}
