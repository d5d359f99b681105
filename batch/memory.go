package batch

import (
	"cmp"
	"runtime/debug"
	"runtime/metrics"

	"github.com/t2map/t2map/pipeline"
)

// defaultMemoryMB is enough for two OAI knees of 384 × 384 × 30 voxels and 7
// echoes, which take 240 MiB each.
const defaultMemoryMB = 1024

// concurrentMemory returns the bytes that studies in progress at the same time may take.
func (s Settings) concurrentMemory() int64 {
	return int64(cmp.Or(s.MemoryMB, defaultMemoryMB)) << 20
}

// bound returns the memory that no study may exceed. Without a bound in the settings it is the memory of the machine,
// and a study that needs more than defaultMemoryMB runs alone.
func (s Settings) bound() pipeline.Bound {
	if s.MemoryMB > 0 {
		return pipeline.Bound{Bytes: int64(s.MemoryMB) << 20, UserSet: true}
	}
	return pipeline.MachineBound()
}

// runOverhead is the memory in bytes that a run needs in addition to the headers of its cohort and to its studies:
// for pictures, the page and the program itself.
const runOverhead = 64 << 20

// limitCollector makes the garbage collector limit the run to the memory that its studies need. Call it after the
// headers have been read. Without it, memory may grow to twice the memory in use. It never raises a limit that was
// set from outside (GOMEMLIMIT). The returned function restores the former limit.
func limitCollector(budget int64, jobs []pipeline.Job, workers int) func() {
	most := budget
	for _, j := range jobs {
		most = max(most, j.Memory(workers))
	}
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	held := int64(sample[0].Value.Uint64() - sample[1].Value.Uint64())
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, most+held+runOverhead))
	return func() { debug.SetMemoryLimit(before) }
}
