//go:build unix

package main

import (
	"context"
	"fmt"
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
// on the machine can only increase it. Each round maps every cohort.
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
				least[i] = cohortCost{min(c.cpu, least[i].cpu), min(c.wall, least[i].wall), max(c.peak, least[i].peak)}
			}
		}
	}
	fmt.Println("studies   CPU s  CPU ms/study  wall s  peak MiB")
	for i, n := range sizes {
		c := least[i]
		fmt.Printf("%7d  %6.1f  %12.1f  %6.1f  %8.0f\n", n, c.cpu, 1e3*c.cpu/float64(n), c.wall, c.peak)
	}
}

// cohortCost is the cost of a run: processor time and wall time in seconds, and peak memory in MiB.
type cohortCost struct{ cpu, wall, peak float64 }

func mapCohort(t *testing.T, dir string, n int) cohortCost {
	t.Helper()
	out := filepath.Join(dir, "results")
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", filepath.Join(dir, fmt.Sprintf("studies-%d", n)), "--out", out, "--scheme",
		"compartments", "--quiet"}
	c := exec.Command(os.Getenv("T2MAP"), append(args, strings.Fields(os.Getenv("T2MAP_COHORT_OPTIONS"))...)...)
	start := time.Now()
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	cpu := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return cohortCost{cpu.Seconds(), time.Since(start).Seconds(), peakMiB(c.ProcessState)}
}

// peakMiB returns the peak memory of a process.
func peakMiB(s *os.ProcessState) float64 {
	most := float64(s.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" { // in bytes there, elsewhere in KiB
		most /= 1 << 10
	}
	return most / (1 << 10)
}
