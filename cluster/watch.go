package cluster

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/t2map/t2map/hint"
)

// Submitted holds the numbers of the jobs.
type Submitted struct{ Array, Merge string }

var isNumber = regexp.MustCompile(`^[0-9]+$`)

// Submit runs the script that submits the jobs. If the array was submitted and the merge was not, the numbers and an
// error are returned.
func Submit(ctx context.Context, folder string) (Submitted, error) {
	script, err := filepath.Abs(filepath.Join(folder, SubmitScript))
	if err != nil {
		return Submitted{}, err
	}
	out, err := output(ctx, "/bin/sh", script)
	var s Submitted
	for line := range strings.Lines(out) {
		switch kind, number, _ := strings.Cut(strings.TrimSpace(line), " "); {
		case !isNumber.MatchString(number):
		case kind == "array":
			s.Array = number
		case kind == "merge":
			s.Merge = number
		}
	}
	switch {
	case err != nil && s.Array != "":
		return s, hint.Errorf("scancel "+s.Array+", or t2map merge when it has ended",
			"array job %s is submitted, but the job that merges is not: %w", s.Array, err)
	case err != nil:
		return s, fmt.Errorf("submit: %w", err)
	case s.Array == "" || s.Merge == "":
		return s, fmt.Errorf("submit: %s has not printed the numbers of the jobs", SubmitScript)
	}
	return s, nil
}

// output runs a program and returns its standard output. The error has the last line of its messages.
func output(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	out, err := c.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		err = fmt.Errorf("%s: %s", filepath.Base(name), lines[len(lines)-1])
	}
	return string(out), err
}

// Progress counts the shards of a job by what Slurm says of them.
type Progress struct{ Shards, Done, Running, Waiting, Failed int }

// String describes the progress.
func (p Progress) String() string {
	text := fmt.Sprintf("shards: %d of %d done, %d running, %d waiting", p.Done, p.Shards, p.Running, p.Waiting)
	if p.Failed > 0 {
		text += fmt.Sprintf(", %d failed", p.Failed)
	}
	return text
}

// EndError says that the job that merges has failed, and which shards have.
type EndError struct {
	Merge string // its number
	State string // its state, in Slurm's words
	// Shards are those that have failed, with their states, as far as Slurm still knows them.
	Shards []TaskState
}

// TaskState is the state of a shard in Slurm's words.
type TaskState struct {
	Shard int
	State string
}

// Error names the states.
func (e *EndError) Error() string {
	text := fmt.Sprintf("the job that merges (%s) ended with the state %s", e.Merge, e.State)
	const shown = 8
	for n, s := range e.Shards[:min(shown, len(e.Shards))] {
		text += fmt.Sprintf("%s shard %d (%s)", []string{";", ","}[min(n, 1)], s.Shard, s.State)
	}
	if n := len(e.Shards) - shown; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// Retry returns the argument of SubmitScript that submits the shards that have failed, or "".
func (e *EndError) Retry() string {
	var numbers []string
	for _, s := range e.Shards {
		numbers = append(numbers, strconv.Itoa(s.Shard))
	}
	return strings.Join(numbers, ",")
}

// Watch waits until the job that merges has ended. It calls report when the progress has changed. The error is an
// *EndError if the merge has failed. If ctx ends, the jobs go on. Slurm's controller may be away for patience.
func Watch(ctx context.Context, s Submitted, shards int, interval, patience time.Duration,
	report func(Progress)) error {
	var last Progress
	failed := map[int]string{}
	answered := time.Now()
	for {
		tasks, err := states(ctx, s.Array)
		var merge []task
		if err == nil || forgotten(err) { // Slurm forgets jobs some minutes after their end (MinJobAge)
			merge, err = states(ctx, s.Merge)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (forgotten(err) || time.Since(answered) > patience):
			return fmt.Errorf("the state of the job that merges (%s) is not known: %w", s.Merge, err)
		case err == nil:
			answered = time.Now()
			if p := count(tasks, shards, failed); p != last {
				last = p
				report(p)
			}
			if state := stateOf(merge); ended(state) {
				return endOf(s, state, failed)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(interval):
		}
	}
}

// forgotten reports whether Slurm says that there is no such job.
func forgotten(err error) bool { return strings.Contains(err.Error(), "Invalid job id") }

// endOf returns the error of a merge that has ended.
func endOf(s Submitted, state string, failed map[int]string) error {
	if state == "COMPLETED" {
		return nil
	}
	e := &EndError{Merge: s.Merge, State: state}
	for shard, state := range failed {
		e.Shards = append(e.Shards, TaskState{shard, state})
	}
	slices.SortFunc(e.Shards, func(a, b TaskState) int { return a.Shard - b.Shard })
	return e
}

// task is a job, or tasks of an array that have the same state.
type task struct {
	shard int // 0 if it is not one task of an array
	state string
}

// states asks Slurm for the states of a job.
func states(ctx context.Context, job string) ([]task, error) {
	out, err := output(ctx, "scontrol", "show", "job", "-o", job)
	if err != nil {
		return nil, err
	}
	return parseStates(out), nil
}

// parseStates reads the answer of scontrol. The fields that are read come before those that a user may fill.
func parseStates(text string) []task {
	var tasks []task
	for line := range strings.Lines(text) {
		var t task
		for _, field := range strings.Fields(line) {
			switch name, value, _ := strings.Cut(field, "="); name {
			case "ArrayTaskId":
				if n, err := strconv.Atoi(value); err == nil && t.shard == 0 {
					t.shard = n
				}
			case "JobState":
				if t.state == "" {
					t.state = value
				}
			}
		}
		if t.state != "" {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

func stateOf(tasks []task) string {
	if len(tasks) == 0 {
		return ""
	}
	return tasks[0].state
}

// ended reports whether a job in the state does not run any more.
func ended(state string) bool {
	return slices.Contains([]string{"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY",
		"BOOT_FAIL", "DEADLINE", "PREEMPTED", "REVOKED"}, state)
}

// count counts the shards by their states, and notes those that have failed. Shards that Slurm has forgotten have
// ended.
func count(tasks []task, shards int, failed map[int]string) Progress {
	p := Progress{Shards: shards}
	for _, t := range tasks {
		switch {
		case t.shard == 0: // several that wait; they are what remains
		case ended(t.state) && t.state != "COMPLETED":
			failed[t.shard] = t.state
		case t.state == "RUNNING" || t.state == "COMPLETING":
			p.Running++
			delete(failed, t.shard)
		case t.state == "COMPLETED":
			p.Done++
			delete(failed, t.shard)
		default:
			delete(failed, t.shard)
		}
	}
	p.Failed = len(failed)
	p.Waiting = max(0, shards-p.Done-p.Running-p.Failed)
	return p
}
