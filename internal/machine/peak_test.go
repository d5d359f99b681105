package machine

import (
	"runtime"
	"testing"
)

func TestHighWater(t *testing.T) {
	for status, want := range map[string]int64{
		"Name:\tt2map\nVmPeak:\t  999 kB\nVmHWM:\t   123 kB\nVmRSS:\t    1 kB\n": 123 << 10,
		"Name:\tt2map\n": 0, "VmHWM:\tmuch kB\n": 0, "": 0,
	} {
		if got := highWater(status); got != want {
			t.Errorf("%q: %d, want %d", status, got, want)
		}
	}
}

// The peak grows when memory is used, and does not fall when it is released.
func TestPeak(t *testing.T) {
	before := Peak()
	if before == 0 && runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("not known on ", runtime.GOOS)
	}
	const size = 64 << 20
	used := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		used[i] = 1
	}
	held := Peak()
	runtime.KeepAlive(used)
	if before < 1<<20 || held < size || held < before {
		t.Errorf("%d bytes before, %d with %d in use", before, held, size)
	}
}
