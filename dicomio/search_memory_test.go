package dicomio

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
)

// cohort writes studies of 12 files, each in a folder of its own in that folder, and their
// masks, if wanted, into one folder.
func cohort(t *testing.T, folder string, studies int, masks bool) string {
	t.Helper()
	l := layout{t, t.TempDir()}
	for n := range studies {
		l.put(filepath.Join(folder, "s"+fmt.Sprint(n), "dicom"), fmt.Sprint(10000+n), nil)
		if masks {
			l.object("masks", fmt.Sprint(10000+n), seg, "SEG")
		}
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
	const few, many = 20, 120
	for _, c := range []struct {
		folder string
		masks  bool
		most   int64 // bytes; the chunks in use differ
	}{
		{"", false, 4000},
		{"data/site", false, 4000},
		{"data/site", true, 8000}, // the headers of all masks are in one chunk
	} {
		peak := func(studies int) (used int64) {
			dir := cohort(t, c.folder, studies, c.masks)
			start, n := live(), 0
			for f, err := range FindEach(t.Context(), []string{dir}, FindOptions{Workers: 2, ChunkFiles: 100}) {
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range f.Studies {
					if n++; s.Trains[0].Problem != nil || c.masks != (len(s.Masks) == 1) {
						t.Fatalf("%+v", s)
					}
					if n%10 == 0 {
						used = max(used, live()-start)
					}
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
			if n != studies {
				t.Errorf("%d studies, want %d", n, studies)
			}
			return used
		}
		first := peak(few)
		if each := (peak(many) - first) / (many - few); each > c.most {
			t.Errorf("%q: FindEach takes %d bytes for each study, want at most %d", c.folder, each, c.most)
		} else {
			t.Logf("%q, masks %v: %d bytes for each study", c.folder, c.masks, each)
		}
	}
}
