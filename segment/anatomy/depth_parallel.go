package anatomy

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// shareOut calls work for consecutive parts of 0 … n−1, side by side in as many parts as there
// are workers (0: processors). A part writes only what belongs to its own numbers, so the
// result does not depend on the number of workers.
func shareOut(n, workers int, work func(part, from, to int)) {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = max(1, min(workers, n/worthSharing))
	if workers == 1 {
		work(0, 0, n)
		return
	}
	var g errgroup.Group
	for part := range workers {
		g.Go(func() error {
			work(part, n*part/workers, n*(part+1)/workers)
			return nil
		})
	}
	_ = g.Wait() // no part fails
}

// sideBySide calls work for 0 … n−1, at the same time unless there is but one worker, and returns
// the first error. The calls share nothing that they write.
func sideBySide(n, workers int, work func(n int) error) error {
	var g errgroup.Group
	g.SetLimit(max(1, min(workers, n)))
	for i := range n {
		g.Go(func() error { return work(i) })
	}
	return g.Wait()
}

// worthSharing is the least number of items per worker: below it, starting a goroutine (about a
// microsecond) costs more than it saves.
const worthSharing = 1000
