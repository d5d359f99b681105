package segment

import "github.com/t2map/t2map/internal/parallel"

// worthSharing is the least number of voxels per goroutine: a pass over them takes ten times as long as
// starting it.
const worthSharing = 1 << 17

// shares returns the number of parts into which shareOut divides n voxels.
func shares(n int) int { return parallel.Parts(n, 0, worthSharing) }

// shareOut is parallel.Split for voxels, with a worker for each processor.
func shareOut(n int, work func(part, start, end int)) { parallel.Split(n, 0, worthSharing, work) }
