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

// bound returns the memory that no study may exceed. If the settings give no bound, a study
// that needs more than defaultMemoryMB runs alone.
func (s Settings) bound() pipeline.Bound {
	if s.MemoryMB > 0 {
		return pipeline.Bound{Bytes: int64(s.MemoryMB) << 20, UserSet: true}
	}
	return pipeline.MachineBound()
}

// runOverhead is the memory that a run takes besides the headers of its cohort and its
// studies: pictures, the tables' page and the program itself.
const runOverhead = 64 << 20

// limitCollector makes the garbage collector keep the run's memory to what its studies
// need, once headers have been read: by default the memory may grow to twice that in use. It never raises a
// limit that was set from outside (GOMEMLIMIT). The function that it returns restores the former limit.
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
