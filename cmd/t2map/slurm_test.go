//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/t2map/t2map/cluster"
	"github.com/t2map/t2map/internal/dicomtest/tools"
)

// slurm is a Slurm cluster on this machine: a controller and four nodes.
type slurm struct {
	t     *testing.T
	nodes map[string]*exec.Cmd
	dir   string
}

// slurmNodes is the number of nodes.
const slurmNodes = 4

// slurmConf is for daemons that run as this user, without munge and accounting. Short times replace those by which
// real clusters wait for a node and for a task that ends. A task that is queued again starts when its credential has
// expired; 5 s is the shortest time that Slurm accepts.
const slurmConf = `ClusterName=t2map
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[2]d
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
SlurmUser=%[3]s
SlurmdUser=%[3]s
StateSaveLocation=%[4]s/state
SlurmdSpoolDir=%[4]s/spool-%%n
SlurmctldPidFile=%[4]s/ctld.pid
SlurmdPidFile=%[4]s/%%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=5
KillWait=3
PartitionName=main Nodes=ALL Default=YES
`

// startSlurm starts Slurm, or skips the test if it is not installed.
func startSlurm(t *testing.T) *slurm {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes minutes to wait for lost nodes and tasks that are queued again")
	}
	for _, tool := range []string{"slurmctld", "slurmd", "sbatch", "scontrol", "scancel", "sinfo", "squeue"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("Slurm is not installed: ", tool)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		t.Skip("the host has no name: ", err)
	}
	host, _, _ = strings.Cut(host, ".")
	s := &slurm{t: t, nodes: map[string]*exec.Cmd{}, dir: t.TempDir()}
	user := "root"
	if os.Getuid() != 0 {
		user = os.Getenv("USER")
	}
	conf := fmt.Sprintf(slurmConf, host, freePort(t), user, s.dir)
	for n := 1; n <= slurmNodes; n++ {
		conf += fmt.Sprintf("NodeName=n%d NodeHostname=%s NodeAddr=127.0.0.1 Port=%d CPUs=1 RealMemory=2000\n", n, host,
			freePort(t))
		if err := os.Mkdir(filepath.Join(s.dir, fmt.Sprintf("spool-n%d", n)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(s.dir, "slurm.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLURM_CONF", path)
	s.daemon("slurmctld", "-D", "-i")
	for n := 1; n <= slurmNodes; n++ {
		s.startNode(fmt.Sprintf("n%d", n))
	}
	s.awaitNodes()
	return s
}

// cancelAll ends all jobs, which a failed test may leave.
func (s *slurm) cancelAll() {
	s.run("scancel", "--partition=main")
	for range 100 {
		if s.run("squeue", "-h") == "" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *slurm) startNode(name string) { s.nodes[name] = s.daemon("slurmd", "-D", "-N", name) }

// awaitNodes waits until all nodes are idle.
func (s *slurm) awaitNodes() {
	s.t.Helper()
	out := ""
	for range 300 {
		if out = s.run("sinfo", "-h", "-N", "-o", "%T"); strings.Count(out, "idle\n") == slurmNodes {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "slurmctld.log"))
	s.t.Fatalf("the nodes do not start: %s\n%s", out, log)
}

// daemon starts a daemon in the foreground, and ends it after the test.
func (s *slurm) daemon(name string, args ...string) *exec.Cmd {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		ended := time.AfterFunc(10*time.Second, func() { _ = c.Process.Kill() })
		_ = c.Wait()
		ended.Stop()
	})
	return c
}

// run runs a program and returns what it prints.
func (s *slurm) run(name string, args ...string) string {
	out, _ := exec.Command(name, args...).CombinedOutput()
	return string(out)
}

// freePort returns a port that nobody uses.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no ports here: ", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// slurmTrial is a trial that a single machine has mapped, for all runs to compare with.
type slurmTrial struct {
	*slurm
	top, studies, whole string
	largest             int // the shard of eight with most studies
}

// slurmRun is a run of the trial on the cluster.
type slurmRun struct {
	*slurmTrial
	t            *testing.T // that of the run, not of the cluster
	out, scripts string
	// notes is a folder in which each task leaves a file TASK-NODE with the number of its process.
	notes string
}

// newSlurmTrial maps 24 studies on a single machine. Names of folders are such as a shell would change.
func newSlurmTrial(s *slurm) *slurmTrial {
	s.t.Helper()
	top := filepath.Join(s.t.TempDir(), "it's $(here) %a")
	tr := &slurmTrial{slurm: s, top: top, studies: filepath.Join(top, "a trial"), whole: filepath.Join(top, "whole")}
	if err := os.Mkdir(top, 0o777); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(studies(s.t, 24), tr.studies); err != nil {
		s.t.Fatal(err)
	}
	// A study that fails does not keep the tables from being written.
	if err := os.Remove(filepath.Join(tr.studies, "SC", "labels.nii.gz")); err != nil {
		s.t.Fatal(err)
	}
	if code, _, stderr := call("run", tr.studies, "--out", tr.whole, "--scheme", "compartments"); code != exitFailed {
		s.t.Fatal(code, stderr)
	}
	tr.findLargest()
	return tr
}

// findLargest finds the shard with most studies.
func (tr *slurmTrial) findLargest() {
	tr.t.Helper()
	most := 0
	for n := 1; n <= 8; n++ {
		_, stdout, stderr := call("run", tr.studies, "--out", filepath.Join(tr.top, "none"), "--scheme", "compartments",
			"--shard", fmt.Sprintf("%d/8", n), "--dry-run")
		if stdout == "" && stderr == "" {
			tr.t.Fatal("the dry run says nothing")
		}
		if k := strings.Count(stdout, "\nmap ") + 1; k > most {
			tr.largest, most = n, k
		}
	}
}

// newRun returns a run with folders of its own, whose jobs end with the test.
func (tr *slurmTrial) newRun(t *testing.T) *slurmRun {
	t.Helper()
	top := filepath.Join(tr.top, t.Name())
	r := &slurmRun{slurmTrial: tr, t: t, out: filepath.Join(top, "out [1]"), notes: filepath.Join(top, "notes")}
	r.scripts = filepath.Join(r.out, ".t2map", "slurm")
	if err := os.MkdirAll(r.notes, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.cancelAll)
	return r
}

// program writes the program that tasks run: t2map, after lines of a shell that see the number of the task.
func (r *slurmRun) program(lines string) string {
	r.t.Helper()
	path := filepath.Join(r.notes, "t2map of a test")
	text := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = run ]; then\necho $$ >%s/$SLURM_ARRAY_TASK_ID-$SLURMD_NODENAME\n%s\nfi\n"+
		"T2MAP_AS_COMMAND=1 exec %s \"$@\"\n", cluster.Quote(r.notes), lines, cluster.Quote(os.Args[0]))
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// cluster starts t2map cluster slurm.
func (r *slurmRun) cluster(program string, flags ...string) (*exec.Cmd, *bytes.Buffer) {
	args := append([]string{"cluster", "slurm", r.studies, "--out", r.out, "--shards", "8", "--cpus", "1", "--memory",
		"1000", "--program", program}, flags...)
	return started(r.t, nil, append(args, "--", "--scheme", "compartments")...)
}

// same compares the results with those of a single machine.
func (r *slurmRun) same() {
	r.t.Helper()
	want, got := tools.ReadTree(r.t, r.whole), tools.ReadTree(r.t, r.out)
	for name := range want {
		if ignored(name) {
			continue
		}
		if !bytes.Equal(got[name], want[name]) {
			r.t.Errorf("%s differs from that of a single machine", name)
		}
	}
	for name := range got {
		if _, known := want[name]; !known && !ignored(name) {
			r.t.Errorf("%s is not in the results of a single machine", name)
		}
	}
	if len(want) < 24 {
		r.t.Errorf("%d files were compared", len(want))
	}
}

// ignored reports whether a file says when and where a run took place.
func ignored(name string) bool {
	return name == "audit.jsonl" || name == "timing.csv" || strings.HasPrefix(name, ".t2map")
}

// log returns the log of a shard.
func (r *slurmRun) log(shard int) string {
	data, _ := os.ReadFile(filepath.Join(r.scripts, fmt.Sprintf("shard-%d.log", shard)))
	return string(data)
}

// await waits until a condition holds.
func (r *slurmRun) await(what string, holds func() bool) {
	r.t.Helper()
	for range 900 {
		if holds() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	merge, _ := os.ReadFile(filepath.Join(r.scripts, "merge.log"))
	r.t.Fatalf("it does not happen: %s\n%s\n%s", what, r.run("scontrol", "show", "job", "-o"), merge)
}

// held returns the shard with most studies, and a program that stops in it when the first study is done, in the first
// life of its task.
func (r *slurmRun) held() (shard int, program string) {
	r.t.Helper()
	shard = r.largest
	log := filepath.Join(r.scripts, fmt.Sprintf("shard-%d.log", shard))
	return shard, r.program(fmt.Sprintf(`if [ "$SLURM_ARRAY_TASK_ID" = %d ] && [ -z "$SLURM_RESTART_COUNT" ] && mkdir %s
then (until grep -q "study done" %s; do sleep 0.01; done; kill -STOP $$; touch %s) & fi`, shard,
		cluster.Quote(filepath.Join(r.notes, "held")), cluster.Quote(log),
		cluster.Quote(filepath.Join(r.notes, "stopped"))))
}

// stopped waits until the shard has stopped, and returns its process and the name of its node.
func (r *slurmRun) stopped(shard int) (process int, node string) {
	r.t.Helper()
	r.await("a shard stops", func() bool { return exists(filepath.Join(r.notes, "stopped")) })
	found, _ := filepath.Glob(filepath.Join(r.notes, fmt.Sprintf("%d-n?", shard)))
	if len(found) != 1 {
		r.t.Fatal(found)
	}
	text, err := os.ReadFile(found[0])
	if err == nil {
		process, err = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	_, node, _ = strings.Cut(filepath.Base(found[0]), "-")
	return process, node
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// parent returns the parent of a process.
func parent(t *testing.T, process int) int {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	number, err := strconv.Atoi(fields[1])
	if err != nil || number < 2 {
		t.Fatal(string(stat), err)
	}
	return number
}

// array returns the number of the array job, of which a task runs.
func (r *slurmRun) array() string {
	r.t.Helper()
	found := strings.Fields(r.run("squeue", "-h", "-t", "RUNNING", "-o", "%F"))
	if len(found) == 0 {
		r.t.Fatal("no task runs")
	}
	return found[0]
}

// The tests share a cluster and the results of a single machine, because both take longer than most of them.
func TestSlurm(t *testing.T) {
	tr := newSlurmTrial(startSlurm(t))
	for name, test := range map[string]func(*testing.T, *slurmRun){
		"array": testSlurmArray, "node lost": testSlurmNodeLost, "time limit": testSlurmTimeLimit,
		"cancelled": testSlurmCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, tr.newRun(t)) })
	}
}

// An array of 8 over 4 nodes leaves the bytes of a single machine.
func testSlurmArray(t *testing.T, r *slurmRun) {
	c, stderr := r.cluster(r.program(""), "--wait")
	if err := c.Wait(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr, r.log(1))
	}
	r.same()
	seen := map[string]bool{}
	tasks, _ := filepath.Glob(filepath.Join(r.notes, "*-n?"))
	for _, path := range tasks {
		_, node, _ := strings.Cut(filepath.Base(path), "-")
		seen[node] = true
	}
	if len(tasks) != 8 || len(seen) != slurmNodes {
		t.Errorf("%d tasks on %v", len(tasks), seen)
	}
	// One shard has read the headers of all studies before they were mapped, and each of the others those of its own.
	all, own := 0, 0
	for shard := 1; shard <= 8; shard++ {
		files, studies := headersRead(t, r.log(shard))
		if files > 24*42 {
			all++
		} else if files > studies*44 {
			own++
			t.Errorf("shard %d has read %d headers for %d studies", shard, files, studies)
		}
	}
	if all != 1 {
		t.Errorf("%d shards have read all headers", all)
	}
}

var (
	isHeaders = regexp.MustCompile(`reading headers: \d+ of (\d+)`)
	isShard   = regexp.MustCompile(`(?m)^shard \d/8: (\d+) of 23 studies$`)
)

// headersRead returns the number of files whose headers a shard has read, and that of its studies, from its log.
func headersRead(t *testing.T, log string) (files, studies int) {
	t.Helper()
	for _, m := range isHeaders.FindAllStringSubmatch(log, -1) {
		n, _ := strconv.Atoi(m[1])
		files = max(files, n)
	}
	m := isShard.FindStringSubmatch(log)
	if m == nil {
		t.Fatalf("the log of a shard has no summary:\n%s", log)
	}
	studies, _ = strconv.Atoi(m[1])
	return files, studies
}

// A node that is lost in the middle of a shard costs time only.
func testSlurmNodeLost(t *testing.T, r *slurmRun) {
	shard, program := r.held()
	c, stderr := r.cluster(program, "--wait")
	process, node := r.stopped(shard)
	script := parent(t, process)
	_ = r.nodes[node].Process.Kill()
	t.Cleanup(func() { // for the tests that follow
		r.startNode(node)
		r.awaitNodes()
	})
	for _, p := range []int{parent(t, script), script, process} { // Slurm's daemon of the task, its script and t2map
		if err := syscall.Kill(p, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr, r.log(shard))
	}
	r.same()
	if found, _ := filepath.Glob(filepath.Join(r.notes, fmt.Sprintf("%d-n?", shard))); len(found) != 2 {
		t.Errorf("shard %d ran on %v", shard, found)
	}
}

// A shard that is told to end before its time limit is queued again and goes on. Meanwhile another process with the
// same shard ends with the exit status that says so, and a run without shards does not begin.
func testSlurmTimeLimit(t *testing.T, r *slurmRun) {
	shard, program := r.held()
	c, stderr := r.cluster(program, "--wait")
	process, _ := r.stopped(shard)
	run := []string{"run", r.studies, "--out", r.out, "--scheme", "compartments"}
	if code, _, stderr := call(append(run, "--shard", fmt.Sprintf("%d/8", shard))...); code != exitAgain ||
		!strings.Contains(stderr, fmt.Sprintf("shard %d/8: output folder %s: process %d", shard, r.out, process)) {
		t.Errorf("the same shard: exit status %d, %s", code, stderr)
	}
	if code, _, stderr := call(run...); code != exitUsage {
		t.Errorf("no shard: exit status %d, %s", code, stderr)
	}
	if code, _, stderr := call("merge", r.out); code != exitAgain {
		t.Errorf("merge: exit status %d, %s", code, stderr)
	}
	if out := r.run("scancel", "--batch", "--signal=USR1", fmt.Sprintf("%s_%d", r.array(), shard)); out != "" {
		t.Fatal(out)
	}
	time.Sleep(time.Second) // until the script has told its child, which is stopped
	if err := syscall.Kill(process, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, stderr, r.log(shard))
	}
	r.same()
	log := r.log(shard)
	if !strings.Contains(log, " not done.") || !strings.Contains(log, "t2map: interrupted") ||
		!regexp.MustCompile(`studies: \d+ new, \d+ done`).MatchString(log) {
		t.Errorf("the shard has not gone on:\n%s", log)
	}
}

// A task that is cancelled keeps the tables from being written. Its shard can be submitted again.
func testSlurmCancelled(t *testing.T, r *slurmRun) {
	shard, program := r.held()
	c, stderr := r.cluster(program, "--wait")
	r.stopped(shard)
	if out := r.run("scancel", fmt.Sprintf("%s_%d", r.array(), shard)); out != "" {
		t.Fatal(out)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != exitFailed ||
		!strings.Contains(stderr.String(), fmt.Sprintf("shard %d (CANCELLED)", shard)) ||
		!strings.Contains(stderr.String(), fmt.Sprintf("submit.sh' %d\n", shard)) {
		t.Errorf("exit status %d\n%s", code, stderr)
	}
	if exists(filepath.Join(r.out, "studies.csv")) {
		t.Error("there are tables")
	}
	code, _, text := call("merge", r.out)
	if code != exitUsage || !strings.Contains(text, fmt.Sprintf(": %d/8\n", shard)) {
		t.Errorf("merge: exit status %d, %s", code, text)
	}
	again := exec.Command("/bin/sh", filepath.Join(r.scripts, cluster.SubmitScript), strconv.Itoa(shard))
	if out, err := again.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	r.await("the shards are merged", func() bool {
		log, _ := os.ReadFile(filepath.Join(r.scripts, "merge.log"))
		return strings.Contains(string(log), "8 of 8 shards: 23 studies in the tables, 1 failed, 0 not done.")
	})
	r.same()
}
