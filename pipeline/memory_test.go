package pipeline

import (
	"runtime"
	"testing"
)

// The collector runs where much was allocated.
func TestCollect(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	garbage := make([]byte, leastGarbage+after.HeapAlloc)
	runtime.KeepAlive(garbage)
	collect()
	runtime.ReadMemStats(&before)
	if before.NumForcedGC == after.NumForcedGC && before.NumGC == after.NumGC {
		t.Error("nothing was collected after much was allocated")
	}
}
