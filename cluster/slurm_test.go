package cluster

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares scripts with the files in testdata.
func golden(t *testing.T, folder string, scripts []Script, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range scripts {
		path := filepath.Join("testdata", folder, one.Name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(one.Text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), one.Text); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func plain() Slurm {
	return Slurm{Job: Job{Name: "t2map", Program: "/opt/t2map", Folder: "/home/lab", Studies: []string{"/data/trial"},
		Out: "results", Options: []string{"--scheme", "skm-tea"}, Shards: 8}}
}

func full() Slurm {
	s := plain()
	s.Parallel, s.CPUs, s.MemoryMB = 4, 2, 4096
	s.Partition, s.Account, s.Time, s.Sbatch = "short", "lab-7", "4:00:00", []string{"--qos=night", "--comment=it's"}
	return s
}

func TestSlurmScripts(t *testing.T) {
	scripts, err := plain().Scripts()
	golden(t, "plain", scripts, err)
	scripts, err = full().Scripts()
	golden(t, "full", scripts, err)
}

func TestSlurmMistakes(t *testing.T) {
	for name, spoil := range map[string]func(*Slurm){
		"shards":          func(s *Slurm) { s.Shards = 0 },
		"many shards":     func(s *Slurm) { s.Shards = 100_001 },
		"name":            func(s *Slurm) { s.Name = "a b" },
		"line end":        func(s *Slurm) { s.Name = "a\n" },
		"partition":       func(s *Slurm) { s.Partition = "a\n#SBATCH --uid=0" },
		"account":         func(s *Slurm) { s.Account = "a b" },
		"time":            func(s *Slurm) { s.Time = "--x" },
		"studies":         func(s *Slurm) { s.Studies = nil },
		"no folder":       func(s *Slurm) { s.Out = "" },
		"NUL":             func(s *Slurm) { s.Options = []string{"a\x00"} },
		"negative":        func(s *Slurm) { s.CPUs = -1 },
		"negative memory": func(s *Slurm) { s.MemoryMB = -1 },
	} {
		s := full()
		spoil(&s)
		if _, err := s.Scripts(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// hostile are texts that a shell would change if they were not quoted.
var hostile = []string{"a b", "it's", `"`, `\`, "$(touch x)", "`touch x`", "$HOME", "*", "~", "a\nb\n#SBATCH --uid=0",
	"-x", "!", "#", ";", "&", "", "%a", "é", "\xff"}

// call is what a script has run in place of a program.
func callOf(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// stub writes a program that leaves its arguments in the file called and ends with a status.
func stub(t *testing.T, path, called string, more string) {
	t.Helper()
	text := "#!/bin/sh\nprintf '%s\\0' \"$@\" >>" + Quote(called) + "\n" + more + "\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// The shell leaves hostile names as they are, and adds memory and processors of the allocation.
func TestSlurmQuotes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no POSIX shell")
	}
	dir := filepath.Join(t.TempDir(), "it's a $(folder) %a")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	called := filepath.Join(dir, "called")
	s := plain()
	s.Program, s.Folder, s.Studies, s.Options = filepath.Join(dir, "t2 map"), dir, hostile, []string{"--mask", "*' $x"}
	s.Out, s.Sbatch = "out\n'put", []string{"--comment=" + strings.Join(hostile[:9], "")}
	stub(t, s.Program, called, "")
	scripts, err := s.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range scripts {
		if err := os.WriteFile(filepath.Join(dir, one.Name), []byte(one.Text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	script := func(name string, environ ...string) {
		t.Helper()
		_ = os.Remove(called)
		c := exec.Command("/bin/sh", filepath.Join(dir, name))
		c.Dir, c.Env = t.TempDir(), append(environ, "PATH="+dir+":"+os.Getenv("PATH"), "SLURM_JOB_ID=7",
			"SLURM_ARRAY_JOB_ID=7", "SLURM_ARRAY_TASK_ID=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, out)
		}
	}
	run := append([]string{"--shard=auto/8", "--out=" + s.Out, "--mask", "*' $x", "--"}, hostile...)
	for environ, more := range map[string][]string{
		"": nil, "SLURM_MEM_PER_NODE=4000": {"--memory=3000"}, "SLURM_MEM_PER_NODE=0": nil,
		"SLURM_CPUS_PER_TASK=3 SLURM_MEM_PER_CPU=400": {"--workers=3", "--memory=900"},
	} {
		script(ArrayScript, strings.Fields(environ)...)
		want := append(append([]string{"run"}, more...), run...)
		if diff := cmp.Diff(want, callOf(t, called)); diff != "" {
			t.Errorf("%s: %s", environ, diff)
		}
	}
	script(MergeScript)
	if diff := cmp.Diff([]string{"merge", "--wait", "--", s.Out}, callOf(t, called)); diff != "" {
		t.Error(diff)
	}
	stub(t, filepath.Join(dir, "sbatch"), called, "echo 7\\;other")
	script(SubmitScript)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	logs := "--output=" + strings.ReplaceAll(real, "%", "%%")
	want := []string{"--parsable", "--array=1-8", logs + "/shard-%a.log", s.Sbatch[0], ArrayScript, "--parsable",
		"--dependency=afterok:7", "--kill-on-invalid-dep=yes", logs + "/merge.log", s.Sbatch[0], MergeScript}
	if diff := cmp.Diff(want, callOf(t, called)); diff != "" {
		t.Error(diff)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	if jobs, err := Submit(t.Context(), dir); err != nil || jobs != (Submitted{"7", "7"}) {
		t.Errorf("%v, %v", jobs, err)
	}
	stub(t, filepath.Join(dir, "sbatch"), called, `case "$*" in *afterok*) echo no >&2; exit 1; esac; echo 7`)
	if jobs, err := Submit(t.Context(), dir); err == nil || jobs.Array != "7" ||
		!strings.HasSuffix(err.Error(), ": no") {
		t.Errorf("without the merge: %v, %v", jobs, err)
	}
}

// A shard or a merge that ends with 75 is queued again, unless it was cancelled or was started too often; others are
// not.
func TestSlurmRequeues(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no POSIX shell")
	}
	for _, c := range []struct {
		status, restarts string
		cancel, requeued bool
	}{
		{"75", "", false, true}, {"75", "19", false, true}, {"75", "20", false, false}, {"75", "", true, false},
		{"0", "", false, false}, {"1", "", false, false}, {"137", "", false, false},
	} {
		for script, job := range map[string]string{ArrayScript: "9_3", MergeScript: "11"} {
			var want []string
			if c.requeued {
				want = []string{"requeue", job}
			}
			if diff := cmp.Diff(want, requeue(t, script, c.status, c.restarts, c.cancel)); diff != "" {
				t.Errorf("%s: %+v: %s", script, c, diff)
			}
		}
	}
}

// requeue runs a script whose program ends with a status, and returns the arguments with which it has called scontrol.
func requeue(t *testing.T, script, status, restarts string, cancel bool) []string {
	t.Helper()
	dir := t.TempDir()
	s := plain()
	s.Program, s.Folder = filepath.Join(dir, "t2map"), dir
	more := "exit " + status
	if cancel {
		more = "kill -TERM $PPID; " + more
	}
	called := filepath.Join(dir, "requeued")
	stub(t, s.Program, filepath.Join(dir, "called"), more)
	stub(t, filepath.Join(dir, "scontrol"), called, "exit 1") // so that nothing sleeps
	scripts, err := s.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(scripts, func(one Script) bool { return one.Name == script })
	e := exec.Command("/bin/sh", "-c", scripts[n].Text)
	e.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "SLURM_ARRAY_JOB_ID=9", "SLURM_ARRAY_TASK_ID=3",
		"SLURM_JOB_ID=11", "SLURM_RESTART_COUNT=" + restarts}
	out, _ := e.CombinedOutput()
	if code := strconv.Itoa(e.ProcessState.ExitCode()); code != status {
		t.Errorf("%s: exit status %s, want %s: %s", script, code, status, out)
	}
	if _, err := os.Stat(called); err != nil {
		return nil
	}
	return callOf(t, called)
}

func TestParseStates(t *testing.T) {
	tasks := parseStates(`JobId=5 ArrayJobId=3 ArrayTaskId=1 JobName=t2map UserId=lab(1) JobState=RUNNING Reason=None
JobId=6 ArrayJobId=3 ArrayTaskId=2 JobName=t2map JobState=COMPLETED Comment=JobState=FAILED ArrayTaskId=9
JobId=3 ArrayJobId=3 ArrayTaskId=4-8%4 ArrayTaskThrottle=4 JobName=t2map JobState=PENDING Reason=Resources
JobId=7 ArrayJobId=3 ArrayTaskId=3 JobName=t2map JobState=CANCELLED Reason=None
`)
	failed := map[int]string{}
	p := count(tasks, 8, failed)
	if p != (Progress{8, 1, 1, 5, 1}) || failed[3] != "CANCELLED" {
		t.Errorf("%+v %v", p, failed)
	}
	p = count([]task{{3, "PENDING"}, {2, "COMPLETED"}}, 8, failed)
	if p.Failed != 0 || p.String() != "shards: 1 of 8 done, 0 running, 7 waiting" {
		t.Errorf("queued again: %v", p)
	}
	e := &EndError{"8", "CANCELLED", []TaskState{{3, "FAILED"}, {5, "TIMEOUT"}}}
	if e.Retry() != "3,5" || !strings.HasSuffix(e.Error(), "CANCELLED; shard 3 (FAILED), shard 5 (TIMEOUT)") {
		t.Error(e, e.Retry())
	}
}
