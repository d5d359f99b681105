package batch

import (
	"cmp"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"github.com/t2map/t2map/internal/machine"
	"github.com/t2map/t2map/internal/spare"
	"github.com/t2map/t2map/pipeline"
)

// usualMemory is used if the memory of the machine is not known. It is enough for two OAI knees of 384 × 384 × 30
// voxels and 7 echoes, which take 240 MiB each.
const usualMemory = 1 << 30

// concurrentMemory returns the bytes that studies in progress at the same time may take: by default, half of what the
// machine or the process's control group has.
func (s Settings) concurrentMemory() int64 {
	if s.MemoryMB > 0 {
		return int64(s.MemoryMB) << 20
	}
	return cmp.Or(machine.Memory()/2, usualMemory)
}

// bound returns the memory that no study may exceed. Without a bound in the settings it is the memory of the machine,
// and a study that needs more than concurrentMemory runs alone.
func (s Settings) bound() pipeline.Bound {
	if s.MemoryMB > 0 {
		return pipeline.Bound{Bytes: int64(s.MemoryMB) << 20, UserSet: true}
	}
	return pipeline.MachineBound()
}

// runOverhead is the memory in bytes that a run needs in addition to the headers of its cohort and to its studies:
// for pictures, the page and the program itself.
const runOverhead = 64 << 20

// limitCollector makes the garbage collector limit the run to the memory that its studies need, of which the largest
// needs largest. Without it, memory may grow to twice the memory in use. It never raises a limit that was set from
// outside (GOMEMLIMIT). The returned function restores the former limit.
func limitCollector(budget, largest int64) func() {
	most := max(min(budget, usualMemory), largest, min(inFlight*largest, budget))
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	held := int64(sample[0].Value.Uint64() - sample[1].Value.Uint64())
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, most+held+runOverhead))
	return func() { debug.SetMemoryLimit(before) }
}

// The garbage that may be in memory, in percent of what is in use.
const (
	// usualGCPercent is the default of Go.
	usualGCPercent = 100
	// runGCPercent is used while studies are mapped.
	runGCPercent = 50
	// linesGCPercent is used while what is in use is mostly lines of many studies.
	linesGCPercent = 25
)

// collector sets how often the garbage collector runs, unless that was changed from outside (GOGC), or another run in
// this process does.
type collector struct {
	active bool
	now    int   // the setting
	start  int64 // bytes of objects at the start
	lines  int64 // bytes of the lines of a large cohort
}

// collecting says that a collector is active.
var collecting atomic.Bool

// tightenCollector returns a collector. The caller must call its method restore.
func tightenCollector() *collector {
	c := &collector{start: heapMetric("/memory/classes/heap/objects:bytes")}
	if !collecting.CompareAndSwap(false, true) {
		return c
	}
	if before := debug.SetGCPercent(runGCPercent); before != usualGCPercent {
		debug.SetGCPercent(before)
		collecting.Store(false)
		return c
	}
	c.active, c.now = true, runGCPercent
	return c
}

// restore ends the use of the collector, with the default of Go.
func (c *collector) restore() {
	c.set(usualGCPercent)
	if c.active {
		c.active = false
		collecting.Store(false)
	}
}

// set changes the setting.
func (c *collector) set(percent int) {
	if c.active && percent != c.now {
		c.now = percent
		debug.SetGCPercent(percent)
	}
}

// holdLines makes the collector run more often if the lines of many studies are in memory, and little else.
func (c *collector) holdLines(studies int) {
	if studies > mostWaiting {
		c.set(linesGCPercent)
	}
}

// mapping prepares for the mapping of studies. The lines of a large cohort are discounted, so that it may have no more
// garbage in memory than a small one.
func (c *collector) mapping(large bool) {
	c.set(runGCPercent)
	if large {
		debug.FreeOSMemory() // which also collects garbage, so that what is left is in use
		c.lines = max(0, inUse()-c.start)
	}
}

// entryBytes is about what the ledger takes for a result.
const entryBytes = 300

// adjust adjusts the setting while studies are mapped, when the ledger has that many new results. The garbage may be half
// of what is in use without the lines; but an eighth of everything, so that the collector does not run all the time.
func (c *collector) adjust(results int) {
	if c.lines > 0 {
		live, lines := inUse(), c.lines+int64(results)*entryBytes
		c.set(int(runGCPercent * max(live-lines, live/4) / live))
	}
}

// tabulating frees what was needed to map studies and is not needed for tables.
func (c *collector) tabulating() {
	c.set(runGCPercent)
	spare.Forget()
	if c.lines > 0 {
		debug.FreeOSMemory()
	}
}

// inUse returns the bytes that were in use after the last garbage collection.
func inUse() int64 { return heapMetric("/gc/heap/live:bytes") }

func heapMetric(name string) int64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
