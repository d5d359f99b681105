//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/report"
)

// times returns how often a test repeats something: a number in the environment, or the default.
func times(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// resultTree returns the hashes of the files of a folder of results by their names. It omits what has times: the
// record, the state and the superseded results, and hidden files, which nothing reads.
func resultTree(t *testing.T, out string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != out && (strings.HasPrefix(d.Name(), ".") || d.Name() == report.SupersededFolder):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir(), d.Name() == audit.File, d.Name() == "timing.csv":
			return nil
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(out, path)
		all[filepath.ToSlash(name)] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// wantWhole checks that each folder of a study is complete or absent, and returns the number of complete ones.
func wantWhole(t *testing.T, out string) int {
	t.Helper()
	folders, _ := filepath.Glob(filepath.Join(out, "S*", "[^.]*"))
	for _, folder := range folders {
		data, err := os.ReadFile(filepath.Join(folder, report.ResultFile))
		var r report.Result
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil {
			t.Errorf("%s: %v", folder, err)
		}
		for _, f := range r.Outputs {
			data, err := os.ReadFile(filepath.Join(folder, f.Path))
			if sum := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || sum != f.SHA256 {
				t.Errorf("%s/%s: %s, %v", folder, f.Path, sum, err)
			}
		}
	}
	return len(folders)
}

// undisturbed maps the studies without a disturbance, and returns the files and the time.
func undisturbed(t *testing.T, dir string) (map[string]string, time.Duration) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "undisturbed")
	start := time.Now()
	if code, _, stderr := call("run", dir, "--out", out, "--scheme", "compartments", "--quiet"); code != exitOK {
		t.Fatal(stderr)
	}
	return resultTree(t, out), time.Since(start)
}

// wantSame checks that a folder of results has the files of an undisturbed run, and that verify finds nothing.
func wantSame(t *testing.T, dir, out string, want map[string]string) {
	t.Helper()
	if code, _, stderr := call("run", dir, "--out", out, "--scheme", "compartments", "--quiet"); code != exitOK {
		t.Fatal(stderr)
	}
	if diff := cmp.Diff(want, resultTree(t, out)); diff != "" {
		t.Error(diff)
	}
	if code, stdout, stderr := call("verify", out, "--studies", dir); code != exitOK {
		t.Errorf("verify: exit status %d\n%s%s", code, stdout, stderr)
	}
}

// A run that is killed at any moment leaves complete folders only, and the next one goes on from there. In the end
// nothing shows that a run was killed.
func TestKilledAtAnyMoment(t *testing.T) {
	dir := studies(t, 8)
	want, usual := undisturbed(t, dir)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	out := filepath.Join(t.TempDir(), "results")
	for kill := range times(t, "T2MAP_KILLS", 6) {
		c, stderr := started(t, nil, "run", dir, "--out", out, "--scheme", "compartments", "--quiet")
		time.Sleep(time.Duration(random.Int64N(int64(usual))))
		_ = c.Process.Kill()
		_ = c.Wait()
		done := wantWhole(t, out)
		if stderr.Len() > 0 {
			t.Errorf("kill %d: %s", kill, stderr)
		}
		if done == 8 { // begin anew, sometimes with the tables and sometimes without
			wantSame(t, dir, out, want)
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantSame(t, dir, out, want)
}

// A run whose disk is full ends with status 1 and leaves complete folders only. With more space it goes on.
func TestFullDiskOfAnySize(t *testing.T) {
	dir := studies(t, 8)
	want, _ := undisturbed(t, dir)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range times(t, "T2MAP_FULL_DISKS", 3) {
		size := 100 + random.IntN(2500) // KiB; all files take about 3 MiB
		disk := t.TempDir()
		if text, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dk", size), "tmpfs",
			disk).CombinedOutput(); err != nil {
			t.Skipf("no file system can be mounted here: %v %s", err, text)
		}
		out := filepath.Join(disk, "results")
		code, _, stderr := call("run", dir, "--out", out, "--scheme", "compartments", "--quiet")
		if done := wantWhole(t, out); code != exitFailed || !strings.Contains(stderr, "hint: free disk space") {
			t.Errorf("%d KiB: exit status %d with %d studies: %s", size, code, done, stderr)
		}
		if text, err := exec.Command("mount", "-o", "remount,size=64m", disk).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, text)
		}
		wantSame(t, dir, out, want)
		if text, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, text)
		}
	}
}

// Of two runs into one folder at once, one is refused or waits, and the bytes are those of one run.
func TestTwoRunsAtOnce(t *testing.T) {
	dir := studies(t, 8)
	want, _ := undisturbed(t, dir)
	out := filepath.Join(t.TempDir(), "results")
	first, _ := started(t, nil, "run", dir, "--out", out, "--scheme", "compartments", "--quiet")
	second, _ := started(t, nil, "run", dir, "--out", out, "--scheme", "compartments", "--quiet")
	third, stderr := started(t, nil, "run", dir, "--out", out, "--scheme", "compartments", "--quiet", "--wait")
	_, _, _ = first.Wait(), second.Wait(), third.Wait()
	codes := map[int]int{}
	for _, c := range []*exec.Cmd{first, second, third} {
		codes[c.ProcessState.ExitCode()]++
	}
	if third.ProcessState.ExitCode() != exitOK || codes[exitOK]+codes[exitUsage] != 3 {
		t.Errorf("exit statuses: %v; the one that waits: %s", codes, stderr)
	}
	wantSame(t, dir, out, want)
}
