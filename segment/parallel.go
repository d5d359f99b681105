package segment

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// worthSharing is the least number of voxels for which another goroutine is started: a pass over as many
// takes ten times as long as starting it.
const worthSharing = 1 << 17

// shares returns in how many parts shareOut divides n voxels: one for each processor.
func shares(n int) int { return max(1, min(runtime.GOMAXPROCS(0), n/worthSharing)) }

// shareOut calls work for consecutive parts of 0 … n−1, side by side. A part writes only what belongs
// to its own numbers.
func shareOut(n int, work func(part, from, to int)) {
	parts := shares(n)
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
