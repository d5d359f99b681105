//go:build ignore

// Command cohort measures what a study costs in cohorts of several sizes; see cohort.sh.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/t2map/t2map/phantom"
)

func main() {
	log.SetFlags(0)
	program := flag.String("t2map", "", "`program` to measure")
	work := flag.String("work", "", "`folder` for studies and results")
	sizes := flag.String("sizes", "36,360,1500,3000", "`numbers` of studies")
	only := flag.Int("write", 0, "`number` of studies to write into the folder, and no more")
	flag.Parse()
	if *only > 0 {
		if err := write(*work, *only); err != nil {
			log.Fatal(err)
		}
		return
	}
	fmt.Println("studies  CPU s  CPU ms/study  wall s  peak MiB")
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			log.Fatal(err)
		}
		if err := measure(*program, *work, n, flag.Args()); err != nil {
			log.Fatal(err)
		}
	}
}

// measure makes n studies, where they are not there yet, maps them and prints a line.
func measure(program, work string, n int, options []string) error {
	studies := filepath.Join(work, fmt.Sprintf("studies-%d", n))
	results := filepath.Join(work, fmt.Sprintf("results-%d", n))
	if _, err := os.Stat(filepath.Join(studies, "made")); err != nil {
		// In a process of its own: Linux counts what this one took as the child's.
		if out, err := exec.Command(os.Args[0], "-work", studies, "-write", strconv.Itoa(n)).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	if err := os.RemoveAll(results); err != nil {
		return err
	}
	args := append([]string{"run", studies, "--out", results, "--scheme", "compartments", "--quiet"}, options...)
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	start := time.Now()
	if err := c.Run(); err != nil {
		return err
	}
	cpu := (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	fmt.Printf("%7d  %5.1f  %12.1f  %6.1f  %8.0f\n", n, cpu, 1e3*cpu/float64(n), time.Since(start).Seconds(), peakMiB(c.ProcessState))
	return os.RemoveAll(results)
}

// write makes n studies of 24 × 24 × 5 voxels and 7 echoes, as a core lab's archive has them:
// a folder for each subject and visit, 35 files and a mask in it.
func write(dir string, n int) error {
	ctx := context.Background()
	for i := range n {
		o := phantom.Options{Subject: fmt.Sprintf("S%04d", i/3), Visit: fmt.Sprintf("V%d", i%3), Matrix: 24, Slices: 5, Seed: uint64(i)}
		s, err := phantom.New(ctx, o)
		if err == nil {
			err = s.Write(ctx, filepath.Join(dir, o.Subject, o.Visit))
		}
		if err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "made"), nil, 0o666)
}

// peakMiB is the most memory that the process had at a time.
func peakMiB(s *os.ProcessState) float64 {
	most := float64(s.SysUsage().(*syscall.Rusage).Maxrss)
	if runtime.GOOS == "darwin" { // in bytes there, elsewhere in KiB
		most /= 1 << 10
	}
	return most / (1 << 10)
}
