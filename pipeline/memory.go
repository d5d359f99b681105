package pipeline

import (
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"sync"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/machine"
)

// MemoryError says that a study needs more memory than it may use.
type MemoryError struct {
	// Need is in bytes.
	Need  int64
	Bound Bound
}

// Error gives both in MiB.
func (e *MemoryError) Error() string {
	limit := "what this machine has for a study"
	if e.Bound.UserSet {
		limit = "the limit that was set"
	}
	return fmt.Sprintf("the study needs %d MiB of memory, more than %s, %d MiB", mebibytes(e.Need), limit,
		e.Bound.Bytes>>20)
}

// mebibytes rounds up.
func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }

// CheckMemory returns an error if the estimate of Memory and the extra bytes are more than a study may use.
func (j Job) CheckMemory(extra int64) error {
	need := j.Memory(0) + extra
	if j.Bound.Bytes == 0 || need <= j.Bound.Bytes {
		return nil
	}
	advice := "check Rows, Columns and the number of images; if they are right, map the study on a machine with " +
		"more memory"
	if j.Bound.UserSet {
		advice = "check Rows, Columns and the number of images; if they are right, give more memory with --memory MIB"
	}
	g := j.Train.Geometry.Size
	return Explained(hint.Errorf(advice, "memory: %d×%d×%d voxels, %d echoes: %w",
		g[0], g[1], g[2], len(j.Train.TE), &MemoryError{Need: need, Bound: j.Bound}))
}

// bytesPerMarkedVoxel is the memory for a voxel of a segment while a DICOM mask is read: its index of 4 bytes, in a
// list that doubles as it grows, and in a copy.
const bytesPerMarkedVoxel = 12

// mostMarked returns the largest number of voxels of the segments of the job's mask, if the job needs the extra
// bytes as well; 0 means no limit.
func (j Job) mostMarked(extra int64) int {
	if j.Bound.Bytes == 0 {
		return 0
	}
	return int(min(math.MaxInt, max(1, (j.Bound.Bytes-j.Memory(0)-extra)/bytesPerMarkedVoxel)))
}

// Bound is the limit of the memory for a study; the zero value means no limit.
type Bound struct {
	Bytes int64
	// UserSet says that the user has set the limit; else it is that of the machine.
	UserSet bool
}

// MachineBound is three quarters of the memory that this process may use, or no limit if that is not known. The
// rest is for headers, pictures and the system.
func MachineBound() Bound { return Bound{Bytes: machineMemory() / 4 * 3} }

var machineMemory = sync.OnceValue(machine.Memory)

// Memory estimates the bytes that the job takes while it is processed. Reading takes buffers in addition to the
// echoes. The anatomy is read when only one echo is still needed, but the memory of the others is not free before
// the collector has run.
func (j Job) Memory(workers int) int64 {
	n := memoryOf(j.Train) + j.Train.ReadMemory(workers)
	if a := j.Anatomy; a.Named && a.Problem == nil {
		n += a.memory() + a.Train.ReadMemory(workers)
	}
	return n + j.Input.memory(workers)
}

// memoryOf estimates the bytes a study takes: its echoes, four maps and labels
// before and after they are on the grid.
func memoryOf(t dicomio.Train) int64 {
	const maps, status, labels = 4 * 4, 1, 2 * 2
	return int64(t.Geometry.Voxels()) * int64(4*len(t.TE)+maps+status+labels)
}

// leastGarbage is the memory below which collect does nothing.
const leastGarbage = 32 << 20

// collecting is locked by the call of collect that runs the collector.
var collecting sync.Mutex

// collect runs the garbage collector if at least leastGarbage was allocated since its last run, and twice as much
// as it must scan. Large arrays that are no longer needed then make room for the next ones. The collector scans the
// headers of the whole cohort, but not arrays of numbers; the second condition keeps its cost per study independent
// of the number of studies. A call during another call does nothing.
func collect() {
	if !collecting.TryLock() {
		return
	}
	defer collecting.Unlock()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/scan/heap:bytes"}}
	metrics.Read(sample)
	live, allocated, scanned := sample[0].Value.Uint64(), sample[1].Value.Uint64(), sample[2].Value.Uint64()
	if allocated >= live+max(leastGarbage, 2*scanned) {
		runtime.GC()
	}
}
