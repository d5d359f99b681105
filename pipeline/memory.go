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

// MemoryError says that a study needs more memory than it may have.
type MemoryError struct {
	// Need and Bound are in bytes.
	Need, Bound int64
	// Given says that the bound is that of the settings, not of the machine.
	Given bool
}

// Error gives both in MiB.
func (e *MemoryError) Error() string {
	bound := "what this machine has for a study"
	if e.Given {
		bound = "the bound that was set"
	}
	return fmt.Sprintf("the study needs %d MiB of memory, more than %s, %d MiB", mebibytes(e.Need), bound, e.Bound>>20)
}

// mebibytes rounds up.
func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }

// CheckMemory returns an error if the job needs more memory, with some bytes added to the estimate of
// Memory, than a study may have.
func (j Job) CheckMemory(extra int64) error {
	need := j.Memory(0) + extra
	if j.Bound.Bytes == 0 || need <= j.Bound.Bytes {
		return nil
	}
	advice := "check Rows, Columns and the number of images; if they are right, map the study on a machine with " +
		"more memory"
	if j.Bound.Given {
		advice = "check Rows, Columns and the number of images; if they are right, give more memory with --memory MIB"
	}
	g := j.Train.Geometry.Size
	return Explained(hint.Errorf(advice, "memory: %d×%d×%d voxels, %d echoes: %w",
		g[0], g[1], g[2], len(j.Train.TE), &MemoryError{Need: need, Bound: j.Bound.Bytes, Given: j.Bound.Given}))
}

// bytesPerMarkedVoxel is what a voxel of a segment takes while a DICOM mask is read: its
// index of 4 bytes, in a list that doubles as it grows, and in a copy.
const bytesPerMarkedVoxel = 12

// mostMarked returns how many voxels the segments of the job's mask may have, besides the memory of the job and
// some extra bytes; 0 if nothing bounds them.
func (j Job) mostMarked(extra int64) int {
	if j.Bound.Bytes == 0 {
		return 0
	}
	return int(min(math.MaxInt, max(1, (j.Bound.Bytes-j.Memory(0)-extra)/bytesPerMarkedVoxel)))
}

// Bound is the memory that a study may take; the zero value bounds nothing.
type Bound struct {
	Bytes int64
	// Given says that the user has given the bound; else it is that of the machine.
	Given bool
}

// MachineBound is three quarters of the memory that this process may have, and bounds nothing if that is
// not known. The rest is for headers, pictures and the system.
func MachineBound() Bound { return Bound{Bytes: machineMemory() / 4 * 3} }

var machineMemory = sync.OnceValue(machine.Memory)

// Memory estimates the bytes that the job takes while it is processed. Reading takes
// buffers beside the echoes; the anatomy is read when all echoes but one are no longer needed, but
// that memory is not counted as free before the collector has run.
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

// collect runs the garbage collector where at least leastGarbage was allocated since it
// ran last, and twice as much as it has to look at. Large arrays that are no longer needed
// then make room for the next ones. Each run of the collector looks at the headers of the
// whole cohort, but not into arrays of numbers; the second condition keeps its cost per study
// from growing with the number of studies. A call during another call does nothing.
func collect() {
	if !collecting.TryLock() {
		return
	}
	defer collecting.Unlock()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/scan/heap:bytes"}}
	metrics.Read(sample)
	live, now, Knee := sample[0].Value.Uint64(), sample[1].Value.Uint64(), sample[2].Value.Uint64()
	if now >= live+max(leastGarbage, 2*Knee) {
		runtime.GC()
	}
}
