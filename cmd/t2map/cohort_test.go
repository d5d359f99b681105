//go:build unix

package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/t2map/t2map/phantom"
)

// The cohorts of docs/cohort.sh, which sets T2MAP_COHORT to a folder and T2MAP_COHORT_SIZES to the numbers of studies.
// One test writes them and another maps them, in separate processes: Linux counts the memory of a parent as its
// child's.

func cohorts(t *testing.T) (dir string, sizes []int) {
	dir = os.Getenv("T2MAP_COHORT")
	if dir == "" {
		t.Skip("docs/cohort.sh runs it")
	}
	for text := range strings.SplitSeq(os.Getenv("T2MAP_COHORT_SIZES"), ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, n)
	}
	return dir, sizes
}

// TestCohortMade writes studies of 24 × 24 × 5 voxels and 7 echoes: a folder for each subject and visit, with 35 images
// and a mask.
func TestCohortMade(t *testing.T) {
	dir, sizes := cohorts(t)
	for _, n := range sizes {
		studies := filepath.Join(dir, fmt.Sprintf("studies-%d", n))
		made := filepath.Join(studies, "made")
		if _, err := os.Stat(made); err == nil {
			continue
		}
		for i := range n {
			o := phantom.Options{Subject: fmt.Sprintf("S%04d", i/3), Visit: fmt.Sprintf("V%d", i%3), Matrix: 24,
				Slices: 5, Seed: uint64(i)}
			s, err := phantom.New(context.Background(), o)
			if err == nil {
				err = s.Write(context.Background(), filepath.Join(studies, o.Subject, o.Visit))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(made, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCohortMapped prints the cost of a study in each cohort: the minimum over several rounds, because other programs
// on the machine can only increase it. Each round maps every cohort; the first one maps those that take seconds three
// times, because a second of other work would show.
func TestCohortMapped(t *testing.T) {
	dir, sizes := cohorts(t)
	rounds := 1
	if text := os.Getenv("T2MAP_COHORT_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	least := make([]cohortCost, len(sizes))
	for round := range rounds {
		for i, n := range sizes {
			if c := mapCohort(t, dir, n); round == 0 {
				least[i] = c
			} else {
				least[i].lower(c)
			}
			for range 2 {
				if round == 0 && n <= 100 {
					least[i].lower(mapCohort(t, dir, n))
				}
			}
		}
	}
	fmt.Println("studies   CPU s  CPU ms/study  wall s  studies/s  busy %  peak MiB  rerun s  peak MiB  tables s  peak MiB" +
		"  files/study  KiB/study  page KiB")
	for i, n := range sizes {
		c, all := least[i], float64(n)
		fmt.Printf("%7d  %6.1f  %12.1f  %6.1f  %9.1f  %6.0f  %8.0f  %7.2f  %8.0f  %8.2f  %8.0f  %11.1f  %9.1f  %8.0f\n", n,
			c.run.cpu, 1e3*c.run.cpu/all, c.run.wall, all/c.run.wall, 100*c.run.cpu/c.run.wall/float64(runtime.NumCPU()),
			c.run.peak, c.rerun.wall, c.rerun.peak, c.tables.wall, c.tables.peak, float64(c.files)/all,
			float64(c.bytes)/1024/all, float64(c.page)/1024)
	}
}

// cost is the cost of a process: processor time and wall time in seconds, and peak memory in MiB.
type cost struct{ cpu, wall, peak float64 }

// lower takes the least times and the most memory of two runs.
func (c *cost) lower(other cost) {
	*c = cost{min(c.cpu, other.cpu), min(c.wall, other.wall), max(c.peak, other.peak)}
}

// cohortCost is the cost of a cohort: of its run, of a second run with nothing to do, and of the tables; its files with
// their bytes, and the bytes of the page without pictures.
type cohortCost struct {
	run, rerun, tables cost
	files              int
	bytes, page        int64
}

func (c *cohortCost) lower(other cohortCost) {
	c.run.lower(other.run)
	c.rerun.lower(other.rerun)
	c.tables.lower(other.tables)
}

func mapCohort(t *testing.T, dir string, n int) cohortCost {
	t.Helper()
	out := filepath.Join(dir, "results")
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", filepath.Join(dir, fmt.Sprintf("studies-%d", n)), "--out", out, "--scheme",
		"compartments", "--quiet"}
	args = append(args, strings.Fields(os.Getenv("T2MAP_COHORT_OPTIONS"))...)
	c := cohortCost{run: costOf(t, args...), rerun: costOf(t, args...), tables: costOf(t, "tables", out, "--quiet")}
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		c.files, c.bytes = c.files+1, c.bytes+info.Size()
		if rel, _ := filepath.Rel(out, path); rel == "index.html" || strings.HasPrefix(rel, "page"+string(filepath.Separator)) {
			c.page += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// costOf runs t2map and returns its cost.
func costOf(t *testing.T, args ...string) cost {
	t.Helper()
	c := exec.Command(os.Getenv("T2MAP"), args...)
	start := time.Now()
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	cpu := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return cost{cpu.Seconds(), time.Since(start).Seconds(), peakMiB(c.ProcessState)}
}

// peakMiB returns the peak memory of a process.
func peakMiB(s *os.ProcessState) float64 {
	most := float64(s.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" { // in bytes there, elsewhere in KiB
		most /= 1 << 10
	}
	return most / (1 << 10)
}
