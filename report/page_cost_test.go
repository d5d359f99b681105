package report

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestPageCost prints the size and the times of pages, for docs/page.sh.
func TestPageCost(t *testing.T) {
	sizes := os.Getenv("T2MAP_PAGE_SIZES")
	if sizes == "" {
		t.Skip("docs/page.sh runs it")
	}
	b := newBrowser(t, 1280, 900)
	t.Log("| studies | files | read to load (kB) | read to open a study (kB) | all (kB) | kB per study | write (s) | " +
		"load (ms) | script memory (MB) |")
	t.Log("|---|---|---|---|---|---|---|---|---|")
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		c := generatedStudies(dir, n)
		start := time.Now()
		if err := writePage(dir, c); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start).Seconds()
		files, load, open, all := pageSizesOf(t, dir)
		var times []float64
		for range 5 {
			b.open(dir, "#view=table")
			var ms float64
			b.evaluate("performance.getEntriesByName('usable')[0].startTime", &ms)
			times = append(times, ms)
		}
		slices.Sort(times)
		b.get("HeapProfiler.collectGarbage", nil, nil)
		var memory struct{ UsedSize float64 }
		b.get("Runtime.getHeapUsage", nil, &memory)
		kB := func(bytes int64) float64 { return float64(bytes) / 1e3 }
		t.Logf("| %d | %d | %.0f | %.0f | %.0f | %.2f | %.2f | %.0f | %.1f |", n, files, kB(load), kB(open), kB(all),
			kB(all)/float64(n), took, times[2], memory.UsedSize/1e6)
	}
}

// pageSizesOf returns the number of files of a page, the bytes that a browser reads to load it, those of the largest
// file of details, and those of all files.
func pageSizesOf(t *testing.T, dir string) (files int, load, open, all int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files++
		all += info.Size()
		if strings.HasPrefix(d.Name(), "details-") {
			open = max(open, info.Size())
		} else {
			load += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, load, open, all
}

// The writer of a page keeps a few bytes per study.
func TestPageMemory(t *testing.T) {
	dir := t.TempDir()
	p := newPageWriter(dir, "1")
	c := generatedStudies(dir, 60) // whose results are added again as those of other subjects
	number := 0
	fill := func(studies int) uint64 {
		for ; number < studies; number++ {
			r := c.Results[number%len(c.Results)]
			r.Subject = "S" + strconv.Itoa(number/3)
			if err := p.add(r); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const first, second = 2001, 8001 // just after a piece of rows was written
	before := fill(first)
	after := fill(second)
	if grown := float64(after) - float64(before); grown > 100*(second-first) {
		t.Errorf("%.0f bytes per study are kept, want at most 100", grown/(second-first))
	} else {
		t.Logf("%.1f bytes per study are kept", grown/(second-first))
	}
	if err := p.finish(nil); err != nil {
		t.Fatal(err)
	}
}
