//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// started starts t2map in a process of its own.
func started(t *testing.T, stdout *os.File, args ...string) (c *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	c, stderr = exec.Command(os.Args[0], args...), new(bytes.Buffer)
	c.Env = append(os.Environ(), "T2MAP_AS_COMMAND=1")
	c.Stderr = stderr
	if stdout != nil {
		c.Stdout = stdout
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c, stderr
}

// await waits until a file matches the pattern.
func await(t *testing.T, pattern string) {
	t.Helper()
	for range 5000 {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("there is no %s", pattern)
}

// A closed terminal or a shutdown of the system ends a run in an orderly way: finished studies are in the tables, and
// the others are not done.
func TestEndings(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			dir := studies(t, 12)
			out := filepath.Join(t.TempDir(), "results")
			c, stderr := started(t, nil, "run", dir, "--out", out, "--scheme", "compartments", "--workers", "1")
			await(t, filepath.Join(out, "*", "*", "result.json"))
			_ = c.Process.Signal(s)
			_ = c.Wait()
			if code := c.ProcessState.ExitCode(); code == exitOK {
				t.Skip("it was done before the signal reached it")
			} else if code != exitInterrupted {
				t.Fatalf("exit status %d, want %d\n%s", code, exitInterrupted, stderr)
			}
			table, err := os.ReadFile(filepath.Join(out, "studies.csv"))
			done, notDone := strings.Count(string(table), ",done,"), strings.Count(string(table), ",not done,")
			if err != nil || done == 0 || notDone == 0 || done+notDone != 12 || strings.Contains(string(table),
				",failed,") {
				t.Errorf("%d done, %d not done, %v\n%s", done, notDone, err, table)
			}
			if text := stderr.String(); !strings.HasSuffix(text, "t2map: interrupted\n") ||
				strings.Contains(text, "context") || strings.Contains(text, "failed:") {
				t.Errorf("stderr %s", text)
			}
		})
	}
}

// A process under nohup continues when its terminal is closed.
func TestNohup(t *testing.T) {
	nohup, err := exec.LookPath("nohup")
	if err != nil {
		t.Skip("nohup is not installed")
	}
	dir := studies(t, 6)
	out := filepath.Join(t.TempDir(), "results")
	c := exec.Command(nohup, os.Args[0], "run", dir, "--out", out, "--scheme", "compartments", "--workers", "1")
	c.Env = append(os.Environ(), "T2MAP_AS_COMMAND=1")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, filepath.Join(out, ".t2map.lock"))
	_ = c.Process.Signal(syscall.SIGHUP)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// If opening a file blocks, the first interrupt has no effect; the second one ends the process.
func TestSecondInterrupt(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here: ", err)
	}
	c, _ := started(t, nil, "run", studies(t, 1), "--out", filepath.Join(t.TempDir(), "r"), "--scheme",
		"compartments", "--manifest", pipe)
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for n := range 100 {
		select {
		case <-ended:
			if n < 2 {
				// A manifest that is not a file may be refused before it is opened, which is better.
				t.Logf("ended after %d interrupts", n)
			}
			return
		case <-time.After(100 * time.Millisecond):
			_ = c.Process.Signal(os.Interrupt)
		}
	}
	t.Error("100 interrupts did not end it")
}

// A pipe among the studies is ignored and does not block.
func TestPipeAmongStudies(t *testing.T) {
	dir := studies(t, 1)
	if err := syscall.Mkfifo(filepath.Join(dir, "SA", "IM_9999.dcm"), 0o600); err != nil {
		t.Skip("no pipes here: ", err)
	}
	if code, stdout, stderr := call("run", dir, "--out", filepath.Join(t.TempDir(), "r"), "--scheme",
		"compartments"); code != exitOK {
		t.Errorf("exit status %d\n%s%s", code, stdout, stderr)
	}
}

// The next run removes the files of a killed run, whose lock does not block it.
func TestKilledRun(t *testing.T) {
	dir := studies(t, 12)
	out := filepath.Join(t.TempDir(), "results")
	c, _ := started(t, nil, "run", dir, "--out", out, "--scheme", "compartments")
	await(t, filepath.Join(out, "*", ".*.tmp-*"))
	_ = c.Process.Kill()
	_ = c.Wait()
	unfinished, _ := filepath.Glob(filepath.Join(out, "*", ".*.tmp-*"))
	if len(unfinished) == 0 {
		// It was between two studies: leave behind what it would have.
		unfinished = []string{filepath.Join(out, "SL", ".baseline.tmp-01234567")}
		if err := os.MkdirAll(unfinished[0], 0o777); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := call("tables", out)
	if _, err := os.Stat(filepath.Join(out, "studies.csv")); code == exitOK && err != nil {
		t.Errorf("tables: %v\n%s%s", err, stdout, stderr)
	}
	code, stdout, stderr = call("run", dir, "--out", out, "--scheme", "compartments")
	if code != exitOK || !strings.Contains(stdout, "12 studies mapped, 0 failed.") {
		t.Errorf("exit status %d\n%s%s", code, stdout, stderr)
	}
	if hidden, _ := filepath.Glob(filepath.Join(out, "*", ".*")); len(hidden) != 0 {
		t.Errorf("left behind: %v", hidden)
	}
}

// Commands that write to or read a folder name the process that uses it.
func TestBusyFolder(t *testing.T) {
	dir := studies(t, 12)
	out := filepath.Join(t.TempDir(), "results")
	if code, _, stderr := call("run", filepath.Join(dir, "SA"), "--out", out, "--scheme",
		"compartments"); code != exitOK {
		t.Fatal(stderr)
	}
	c, _ := started(t, nil, "run", dir, "--out", out, "--scheme", "compartments", "--workers", "1")
	await(t, filepath.Join(out, "SB", "*"))
	if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("output folder %s: process %d", out, c.Process.Pid)
	for _, args := range [][]string{
		{"run", dir, "--out", out, "--scheme", "compartments"},
		{"tables", out},
		{"trial", out, "--design", "x.csv", "--out", "y"},
		{"repeat", out, "--out", "y"},
	} {
		code, _, stderr := call(args...)
		if code != exitUsage || !strings.Contains(stderr, want) ||
			!strings.Contains(stderr, "hint: wait until it has ended") {
			t.Errorf("%s: exit status %d, %s; want …%s…", args[0], code, stderr, want)
		}
	}
	_ = c.Process.Signal(syscall.SIGCONT)
	code, stdout, stderr := call("run", dir, "--out", out, "--scheme", "compartments", "--wait")
	if code != exitOK || !strings.Contains(stdout, "studies: 12 done") {
		t.Errorf("exit status %d\n%s%s", code, stdout, stderr)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// Incomplete output is an error.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("there is no /dev/full")
	}
	defer full.Close()
	dir := studies(t, 1)
	out := filepath.Join(t.TempDir(), "results")
	for _, args := range [][]string{
		{"run", dir, "--out", out, "--scheme", "compartments"}, {"tables", out}, {"inspect", dir},
		{"inspect", dir, "--json"}, {"licenses"}, {"run", "--help"}, {"--help"}, {"--version"},
	} {
		c, stderr := started(t, full, args...)
		_ = c.Wait()
		if code := c.ProcessState.ExitCode(); code != exitFailed ||
			!strings.HasSuffix(stderr.String(), "t2map: standard output: no space left on device: the output is "+
				"incomplete\n") {
			t.Errorf("%v: exit status %d, %s", args, code, stderr)
		}
	}
	// A lost warning may be important.
	for _, args := range [][]string{{"run", dir, "--out", out, "--scheme", "compartments", "--force"}, {"inspect", dir}} {
		c := exec.Command(os.Args[0], args...)
		c.Env = append(os.Environ(), "T2MAP_AS_COMMAND=1")
		c.Stderr = full
		stdout, _ := c.Output()
		if code := c.ProcessState.ExitCode(); code != exitFailed || len(stdout) == 0 {
			t.Errorf("%v, standard error full: exit status %d, %s", args, code, stdout)
		}
	}
}
