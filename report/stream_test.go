package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// A sequence that ends with an error, or is out of order, replaces no file and leaves none behind.
func TestTablesOfABrokenSequence(t *testing.T) {
	dir := t.TempDir()
	if err := WriteTables(dir, sampleCohort(dir)); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	if len(before) < 7 {
		t.Fatalf("%d files", len(before))
	}
	results, _ := sampleStudies(dir)
	damaged := errors.New("damaged")
	const many = 600 // the page writes files of details before the error
	for _, c := range []struct {
		name string
		seq  iter.Seq2[Result, error]
		want error
	}{
		{"at the start", func(yield func(Result, error) bool) { yield(Result{}, damaged) }, damaged},
		{"after a result", func(yield func(Result, error) bool) {
			if yield(results[0], nil) {
				yield(Result{}, damaged)
			}
		}, damaged},
		{"after many results", func(yield func(Result, error) bool) {
			for r, err := range generated(many, func(int, Result) {}) {
				if !yield(r, err) {
					return
				}
			}
			yield(Result{}, damaged)
		}, damaged},
		{"subjects", inOrder(results[0], results[1]), errOrder},
		{"visits", inOrder(results[0], results[2]), errOrder},
	} {
		if err := WriteTables(dir, Cohort{Results: c.seq}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		after := contents(t, dir)
		for name, text := range before {
			if !bytes.Equal(after[name], text) {
				t.Errorf("%s: %s was replaced", c.name, name)
			}
		}
		if len(after) != len(before) {
			t.Errorf("%s: %d files, want %d", c.name, len(after), len(before))
		}
	}
}

// inOrder yields results in the order of the arguments.
func inOrder(results ...Result) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		for _, r := range results {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// contents returns the files of a folder.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		out[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// WriteTables holds the results of one subject, and the Parquet files hold at most one group of rows each. The page
// has a test of its own.
func TestTablesInBoundedMemory(t *testing.T) {
	few, _ := tablesPeak(t, 100)
	many, results := tablesPeak(t, 5000)
	t.Logf("peak of the live heap: %d kB for 100 studies, %d kB for 5,000, with %d results", few>>10, many>>10, results)
	// Three Parquet files hold at most a group of 4,096 rows each, encoded: 100 studies do not fill one, and 5,000 take
	// 4.7 MB more. Their results would take 20 MB.
	if groups := uint64(8 << 20); many > few+groups {
		t.Errorf("%d bytes for 100 studies, %d for 5,000", few, many)
	}
	// A subject has four results; the next one, which shows that the subject has no more, is the fifth.
	if results > 6 {
		t.Errorf("%d results are in memory", results)
	}
}

// tablesPeak writes the tables of n studies. It returns the peak of the live heap above that at the start, and the
// largest number of results in memory.
func tablesPeak(t *testing.T, n int) (heap uint64, results int) {
	t.Helper()
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // the first leaves what pools hold
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	start, peak := live(), uint64(0)
	var held atomic.Int64
	tables := newTables(t.TempDir(), nil)
	for same, err := range subjects(generated(n, func(i int, r Result) {
		held.Add(1)
		runtime.AddCleanup(&r.Compartments[0], func(int) { held.Add(-1) }, 0)
		if i%(n/20) == n/20-1 {
			peak = max(peak, live())
			for wait := 0; held.Load() > 6 && wait < 1000; wait++ { // cleanups run after the collector
				time.Sleep(time.Millisecond)
			}
			results = max(results, int(held.Load()))
		}
	})) {
		if err != nil {
			t.Fatal(err)
		}
		tables.add(same)
	}
	if err := tables.commit(); err != nil {
		t.Fatal(err)
	}
	return peak - min(peak, start), results
}

// generated yields n results of subjects with four visits each, made one by one. It calls sample with each index and
// result.
func generated(n int, sample func(int, Result)) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		for i := range n {
			r := sampleResult(sampleGeometry())
			r.Subject, r.Visit = fmt.Sprintf("S%05d", i/4), fmt.Sprintf("V%d", i%4)
			r.Study, r.Series = fmt.Sprintf("%012x", i), fmt.Sprintf("%012x", i+1<<20)
			r.Compartments = slices.Clone(r.Compartments)
			for k := range r.Compartments {
				r.Compartments[k].Voxels += i % 97
			}
			sample(i, r)
			if !yield(r, nil) {
				return
			}
		}
	}
}
