package dicomio

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
)

// cohort writes studies of 12 files, each in a folder of its own.
func cohort(t *testing.T, studies int) string {
	t.Helper()
	l := layout{t, t.TempDir()}
	for n := range studies {
		l.put(filepath.Join("s"+fmt.Sprint(n), "dicom"), fmt.Sprint(10000+n), nil)
	}
	return l.dir
}

// live returns the bytes in use.
func live() int64 {
	runtime.GC()
	runtime.GC() // pools keep their content once
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The memory of FindEach grows with each study by the facts of its chunk and the numbers of
// its folders, not by its headers, which take 16 kB.
func TestFindEachMemory(t *testing.T) {
	const few, many, most = 20, 220, 4000 // bytes: 600, and the chunks in use differ
	peak := func(studies int) (used int64) {
		dir := cohort(t, studies)
		start, n := live(), 0
		for f, err := range FindEach(t.Context(), []string{dir}, FindOptions{Workers: 2}) {
			if err != nil || len(f.Studies) != 1 || f.Studies[0].Trains[0].Problem != nil {
				t.Fatal(f, err)
			}
			if n++; n%10 == 0 {
				used = max(used, live()-start)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
		if n != studies {
			t.Errorf("%d chunks, want %d", n, studies)
		}
		return used
	}
	first := peak(few)
	if each := (peak(many) - first) / (many - few); each > most {
		t.Errorf("FindEach takes %d bytes for each study, want at most %d", each, most)
	} else {
		t.Logf("%d bytes for each study", each)
	}
}
