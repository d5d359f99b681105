package pipeline

import (
	"runtime"
	"testing"
)

// The collector runs if much was allocated.
func TestCollect(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	garbage := make([]byte, leastGarbage+before.HeapAlloc)
	runtime.KeepAlive(garbage)
	collect()
	runtime.ReadMemStats(&after)
	if before.NumForcedGC == after.NumForcedGC && before.NumGC == after.NumGC {
		t.Error("nothing was collected after much was allocated")
	}
}
