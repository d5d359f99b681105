package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/report"
)

func TestParseShard(t *testing.T) {
	slurm := func(id, low, high, count string) map[string]string {
		return map[string]string{"SLURM_ARRAY_TASK_ID": id, "SLURM_ARRAY_TASK_MIN": low, "SLURM_ARRAY_TASK_MAX": high,
			"SLURM_ARRAY_TASK_COUNT": count}
	}
	kubernetes := map[string]string{"JOB_COMPLETION_INDEX": "0"}
	for _, c := range []struct {
		text    string
		environ map[string]string
		want    batch.Shard
		problem string
	}{
		{"", slurm("3", "1", "8", "8"), batch.Shard{}, ""},
		{"3/8", nil, batch.Shard{Index: 3, Count: 8}, ""},
		{"1/1", nil, batch.Shard{Index: 1, Count: 1}, ""},
		{"auto", slurm("3", "1", "8", "8"), batch.Shard{Index: 3, Count: 8}, ""},
		{"auto", slurm("0", "0", "7", "8"), batch.Shard{Index: 1, Count: 8}, ""},
		{"auto", slurm("7", "0", "7", "8"), batch.Shard{Index: 8, Count: 8}, ""},
		{"auto/8", slurm("3", "3", "3", "1"), batch.Shard{Index: 3, Count: 8}, ""}, // submitted again alone
		{"auto/8", kubernetes, batch.Shard{Index: 1, Count: 8}, ""},
		{"auto/8", map[string]string{"JOB_COMPLETION_INDEX": "7"}, batch.Shard{Index: 8, Count: 8}, ""},
		{"auto", slurm("5", "1", "9", "3"), batch.Shard{}, "not numbered one by one"},
		{"auto", slurm("5", "", "", ""), batch.Shard{}, "not numbered one by one"},
		{"auto/8", slurm("0", "0", "7", "8"), batch.Shard{}, "not a number from 1 to 8"},
		{"auto/8", slurm("9", "1", "9", "9"), batch.Shard{}, "not a number from 1 to 8"},
		{"auto/8", map[string]string{"JOB_COMPLETION_INDEX": "8"}, batch.Shard{}, "not a number from 0 to 7"},
		{"auto", kubernetes, batch.Shard{}, "Kubernetes does not say"},
		{"auto", nil, batch.Shard{}, "not a job array"},
		{"auto/8", nil, batch.Shard{}, "not a job array"},
		{"0/8", nil, batch.Shard{}, "is not I/N"},
		{"9/8", nil, batch.Shard{}, "is not I/N"},
		{"3", nil, batch.Shard{}, "is not I/N"},
		{"a/b", nil, batch.Shard{}, "the number of shards"},
		{"auto/0", nil, batch.Shard{}, "the number of shards"},
	} {
		got, err := parseShard(c.text, func(name string) string { return c.environ[name] })
		if got != c.want || (err != nil) != (c.problem != "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q in %v: %s, %v; want %s, %s", c.text, c.environ, got, err, c.want, c.problem)
		}
	}
}

// Shards that are merged leave the bytes of one run. A study that fails does not make its shard fail.
func TestShardCommands(t *testing.T) {
	dir := studies(t, 4)
	if err := os.Remove(filepath.Join(dir, "SB", "labels.nii.gz")); err != nil {
		t.Fatal(err)
	}
	whole, out := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "results")
	run := func(out string, more ...string) (int, string, string) {
		return call(append([]string{"run", dir, "--out", out, "--scheme", "compartments"}, more...)...)
	}
	if code, _, stderr := run(whole); code != exitFailed {
		t.Fatal(code, stderr)
	}
	if code, _, stderr := call("merge", whole); code != exitUsage || !strings.Contains(stderr, "holds no shards") {
		t.Errorf("merge without shards: exit status %d, %s", code, stderr)
	}
	for shard := 1; shard <= 2; shard++ {
		code, stdout, stderr := run(out, "--shard", fmt.Sprintf("%d/2", shard))
		if code != exitOK || !strings.Contains(stdout, fmt.Sprintf("shard %d/2: ", shard)) ||
			!strings.Contains(stdout, " of 3 studies\n") || !strings.Contains(stderr, "/2: mapping studies: ") {
			t.Errorf("exit status %d\n%s%s", code, stdout, stderr)
		}
		if shard == 1 {
			if code, _, stderr := call("merge", out); code != exitUsage ||
				!strings.Contains(stderr, "shards not mapped: 2/2\nhint: map them with --shard") {
				t.Errorf("merge: exit status %d, %s", code, stderr)
			}
		}
	}
	code, stdout, stderr := call("merge", out)
	if code != exitOK || !strings.HasPrefix(stdout, "2 of 2 shards: 3 studies in the tables, 1 failed, 0 not done.") ||
		!strings.Contains(stderr, "SB") {
		t.Errorf("exit status %d\n%s%s", code, stdout, stderr)
	}
	for _, name := range []string{"compartments.csv", "studies.csv", "qc.csv", "index.html"} {
		want, err := os.ReadFile(filepath.Join(whole, name))
		got, gotErr := os.ReadFile(filepath.Join(out, name))
		if err != nil || gotErr != nil || string(want) != string(got) {
			t.Errorf("%s differs: %v %v", name, err, gotErr)
		}
	}
	if code, _, stderr := run(out, "--shard", "auto"); code != exitUsage || !strings.Contains(stderr, "not a job array") {
		t.Errorf("auto: exit status %d, %s", code, stderr)
	}
}

func TestGrouped3(t *testing.T) {
	for n, want := range map[int]string{0: "0 studies", 1: "1 study", 999: "999 studies", 1000: "1,000 studies",
		1234567: "1,234,567 studies"} {
		if got := studyCount(n); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestClusterCommands(t *testing.T) {
	dir := t.TempDir()
	slurm := []string{"cluster", "slurm", "studies", "--scripts", dir, "--out", "results", "--shards", "8"}
	kubernetes := []string{"cluster", "kubernetes", "/data/trial", "--out", "/results/trial", "--shards", "8",
		"--manifests", dir, "--image", "t2map:1", "--volume", "studies:/data:ro"}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{append(slurm, "--", "--scheme", "skm-tea"), exitOK, "To submit them: sh '"},
		{append(slurm, "--", "--schem", "skm-tea"), exitUsage, "options of run: unknown flag: --schem"},
		{append(slurm, "--", "other"), exitUsage, `options of run: "other" is not a flag`},
		{append(slurm, "--", "--force"), exitUsage, "options of run: --force"},
		{append(slurm, "--", "--out", "x"), exitUsage, "options of run: --out"},
		{append(slurm, "--", "--help"), exitUsage, "--help cannot be used in a job"},
		{append(slurm, "--", "--scheme", "skm-tea", "--maps", "some"), exitUsage, `options of run: maps "some"`},
		{append(slurm, "--", "--protocol", "missing.yaml"), exitUsage, "options of run: "},
		{append(slurm, "--", "--scheme", "skm-tea", "--skip-echoes", "-1"), exitUsage, "options of run: --skip"},
		{slurm, exitUsage, "options of run: no label scheme is given\nhint: name it after --"},
		{append(slurm, "--out", "s3://trial/results", "--", "--scheme", "skm-tea"), exitUsage,
			"--out s3://trial/results: shards cannot write to a bucket\nhint: map the shards into a folder"},
		{append(slurm, "--out", "shard_test.go", "--", "--scheme", "skm-tea"), exitUsage, "is a file, not a folder"},
		{append(kubernetes, "--out", "s3://trial/results"), exitUsage, "shards cannot write to a bucket"},
		{append(slurm, "--time", "a b", "--", "--scheme", "skm-tea"), exitUsage, `"a b" is not a valid time`},
		{append(slurm, "--shards", "0"), exitUsage, "--shards is missing"},
		{[]string{"cluster", "slurm", "--out", "x", "--shards", "2"}, exitUsage, "no folder of studies"},
		{[]string{"cluster", "slurm", "x", "--shards", "2"}, exitUsage, "--out is missing"},
		{kubernetes, exitUsage, `"/results/trial" is not in the folder of a volume`},
		{append(kubernetes, "--volume", "results:/results", "--", "--scheme", "skm-tea"), exitOK,
			"kubectl wait --for=condition=complete --timeout=-1s job/t2map-merge\n"},
		{[]string{"cluster", "kubernetes", "s3://trial/studies", "--out", "/results/trial", "--shards", "8", "--manifests",
			t.TempDir(), "--image", "t2map:1", "--volume", "results:/results", "--secret", "buckets"}, exitOK, "job/t2map"},
		{append(kubernetes, "--volume", "results"), exitUsage, "--volume: "},
		{[]string{"cluster"}, exitOK, "kubernetes"},
	} {
		code, stdout, stderr := call(c.args...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%v: exit status %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
	if os.PathSeparator == '/' {
		if code, _, stderr := call(append(slurm, "--scripts", dir+`\`, "--", "--scheme", "skm-tea")...); code != exitUsage ||
			!strings.Contains(stderr, "backslash") {
			t.Errorf("exit status %d, %s", code, stderr)
		}
	}
	// What is written after -- reaches run.
	for _, name := range []string{"array.sh", "shards.yaml"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), "skm-tea") {
			t.Errorf("%s: %v %s", name, err, text)
		}
	}
}

func TestShardError(t *testing.T) {
	left := batch.Outcome{NotDone: make([]report.Failure, 1)}
	for _, c := range []struct {
		name string
		o    batch.Outcome
		err  error
		code int
	}{
		{"done", batch.Outcome{}, nil, exitOK},
		{"failed studies", batch.Outcome{Failures: make([]report.Failure, 1)}, nil, exitOK},
		{"not done", left, nil, exitAgain},
		{"interrupted", left, errors.Join(context.Canceled, errors.New("tables")), exitAgain},
		{"busy", batch.Outcome{}, fmt.Errorf("shard: %w", &batch.BusyError{}), exitAgain},
		{"server away", batch.Outcome{}, &os.PathError{Op: "open", Path: "x", Err: syscall.ESTALE}, exitAgain},
		{"full disk", left, &batch.DiskFullError{Err: syscall.ENOSPC}, exitFailed},
		{"nothing found", batch.Outcome{}, &batch.NothingFoundError{}, exitNothing},
		{"other", batch.Outcome{}, errors.New("other"), exitUsage},
	} {
		if code := status(shardError(c.o, c.err)); code != c.code {
			t.Errorf("%s: exit status %d, want %d", c.name, code, c.code)
		}
	}
}
