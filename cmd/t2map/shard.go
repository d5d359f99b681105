package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
)

// shardAdvice is the hint of errors of --shard.
const shardAdvice = "name the shard and their number, as in --shard 3/8"

// parseShard parses I/N, auto or auto/N. The environment of a job array decides what auto is.
func parseShard(text string, environ func(string) string) (batch.Shard, error) {
	if text == "" {
		return batch.Shard{}, nil
	}
	first, second, isPair := strings.Cut(text, "/")
	count := 0
	if isPair {
		var err error
		if count, err = strconv.Atoi(second); err != nil || count < 1 {
			return batch.Shard{}, hint.Errorf(shardAdvice, "--shard %q: the number of shards is not 1 or more", text)
		}
	}
	if first == "auto" {
		s, err := shardOfJob(count, environ)
		if err != nil {
			return s, fmt.Errorf("--shard %s: %w", text, err)
		}
		return s, nil
	}
	index, err := strconv.Atoi(first)
	if err != nil || !isPair || index < 1 || index > count {
		return batch.Shard{}, hint.Errorf(shardAdvice, "--shard %q is not I/N with I from 1 to N, auto or auto/N", text)
	}
	return batch.Shard{Index: index, Count: count}, nil
}

// shardOfJob returns the shard of the array job in which this process runs. A count of 0 is that of the array.
func shardOfJob(count int, environ func(string) string) (batch.Shard, error) {
	if environ("SLURM_ARRAY_TASK_ID") != "" {
		return shardOfTask(count, environ)
	}
	text := environ("JOB_COMPLETION_INDEX")
	if text == "" {
		return batch.Shard{}, hint.Errorf(shardAdvice, "this is not a job array: the environment has neither "+
			"SLURM_ARRAY_TASK_ID (Slurm) nor JOB_COMPLETION_INDEX (Kubernetes)")
	}
	if count == 0 {
		return batch.Shard{}, hint.Errorf("name the completions of the job, as in --shard auto/8",
			"Kubernetes does not say how many shards there are")
	}
	index, err := strconv.Atoi(text)
	if err != nil || index < 0 || index >= count {
		return batch.Shard{}, hint.Errorf("the number after auto/ is that of the job's completions",
			"JOB_COMPLETION_INDEX is %q, not a number from 0 to %d", text, count-1)
	}
	return batch.Shard{Index: index + 1, Count: count}, nil
}

// shardOfTask returns the shard of a task of a Slurm array. With a count, tasks are numbered from 1. Without one, the
// array itself says how many there are: it must then hold all shards.
func shardOfTask(count int, environ func(string) string) (batch.Shard, error) {
	number := func(name string) int {
		n, err := strconv.Atoi(environ("SLURM_ARRAY_TASK_" + name))
		if err != nil {
			return -1
		}
		return n
	}
	task, low, high := number("ID"), number("MIN"), number("MAX")
	if count > 0 {
		if task < 1 || task > count {
			return batch.Shard{}, hint.Errorf(fmt.Sprintf("submit the job with --array=1-%d", count),
				"SLURM_ARRAY_TASK_ID is %q, not a number from 1 to %d", environ("SLURM_ARRAY_TASK_ID"), count)
		}
		return batch.Shard{Index: task, Count: count}, nil
	}
	count = number("COUNT")
	if low < 0 || count < 1 || high-low+1 != count || task < low || task > high {
		return batch.Shard{}, hint.Errorf("submit the job with --array=1-N, or name the number of shards, as in "+
			"--shard auto/8", "the tasks of the array are not numbered one by one, so that their number is not that of the shards")
	}
	return batch.Shard{Index: task - low + 1, Count: count}, nil
}

// printShard prints a summary of a shard.
func printShard(w io.Writer, s batch.Settings, o batch.Outcome) {
	if o.Studies == 0 {
		return // it has ended before it knew
	}
	studies := 0
	for _, n := range o.Choices {
		studies += n
	}
	fmt.Fprintf(w, "shard %s: %s of %s\n", s.Shard, grouped3(studies), studyCount(o.Studies))
	if text := choiceCounts(o.Choices); text != "" {
		fmt.Fprintln(w, text)
	}
	fmt.Fprintf(w, "%s mapped, %d failed", printable.Counted(o.Mapped, "study", "studies"), len(o.Failures))
	if n := len(o.NotDone); n > 0 {
		fmt.Fprintf(w, ", %d not done", n)
	}
	fmt.Fprintln(w, ". When all shards have ended, t2map merge writes the tables.")
}

func studyCount(n int) string {
	if n == 1 {
		return "1 study"
	}
	return grouped3(n) + " studies"
}

// grouped3 writes a number with commas between thousands.
func grouped3(n int) string {
	text := strconv.Itoa(n)
	for k := len(text) - 3; k > 0; k -= 3 {
		text = text[:k] + "," + text[k:]
	}
	return text
}

// shardError returns the error of a sharded run. Failed studies are not errors: they are in the tables, and must not
// keep the job that merges from running. An error that may pass is an againError.
func shardError(o batch.Outcome, err error) error {
	switch {
	case err == nil && len(o.NotDone) > 0:
		return againError{hint.Errorf("run the shard again", "%s not done: the system may do it later",
			printable.Counted(len(o.NotDone), "study is", "studies are"))}
	case errors.Is(err, context.Canceled), errors.As(err, new(*batch.BusyError)), outfile.Transient(err):
		return againError{err}
	}
	return err
}
