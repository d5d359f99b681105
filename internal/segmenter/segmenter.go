// Package segmenter runs a program that makes a label map of an image. The program runs once for each study, in a new
// scratch folder, and without a shell.
//
// A scratch folder holds
//
//	input/knee_0000.nii.gz   the image; nnU-Net needs this form of name
//	output/                  the program writes one label map, .nii or .nii.gz, here
//	tmp/                     TMPDIR of the program
//
// and nothing in it names a person: paths and file names contain neither a subject nor a study.
//
// The program gets the environment of this process, an empty standard input and the scratch folder as its working
// folder. The program and the processes that it starts are one process group (a job on Windows), which ends with the
// program. A process that leaves the group on purpose, such as a daemon, is not ended.
//
// The package does not read images. The reader of a label map must check it.
package segmenter

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// grace is the time between SIGTERM and SIGKILL, and the longest wait for output after a program has ended. Programs
// of several processes free shared memory in this time. A user who has pressed Ctrl-C should not wait longer.
const grace = 2 * time.Second

// period is the time between two checks of the size of the scratch folder. A disk writes at most about 2 GB/s, so
// the limit is exceeded by at most 1 GB.
const period = 500 * time.Millisecond

// Limits are the limits of a program.
type Limits struct {
	// Time is the longest time that it may run.
	Time time.Duration
	// Bytes is the largest size of its scratch folder.
	Bytes int64
}

// Run runs the program, argv[0] as Find returns it, and waits until it has ended.
//
// The error is that of ctx if ctx has ended, else *StartError, *TimeoutError, *ScratchSizeError, *ExitError or
// *SignalError. Run never leaves a process of the program's group behind.
func Run(ctx context.Context, argv []string, s *Scratch, l Limits) error {
	_, err := run(ctx, argv, s, l)
	return err
}

// FirstLine runs a program that prints its version, as Run does. It returns the first line of its standard output
// that is not blank, or of its standard error if there is none, safe to print. If the program prints nothing, the
// error is a *NothingPrintedError.
func FirstLine(ctx context.Context, argv []string, s *Scratch, l Limits) (string, error) {
	r, err := run(ctx, argv, s, l)
	if err != nil {
		return "", err
	}
	for _, c := range []*capture{&r.stdout, &r.stderr} {
		if line := c.firstLine(s.Dir); line != "" {
			return line, nil
		}
	}
	return "", &NothingPrintedError{}
}

// streams are the outputs of a program.
type streams struct{ stdout, stderr capture }

// lastOutput returns the end of standard error, or of standard output if standard error is empty, in one line that is
// safe to print.
func (r *streams) lastOutput(s *Scratch) string {
	if text := r.stderr.end(s.Dir); text != "" {
		return text
	}
	return r.stdout.end(s.Dir)
}

func run(ctx context.Context, argv []string, s *Scratch, l Limits) (*streams, error) {
	r := new(streams)
	if err := ctx.Err(); err != nil {
		return r, err
	}
	// Linux ends the program when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	bounded, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	timed, cancel := context.WithTimeoutCause(bounded, l.Time, &TimeoutError{Limit: l.Time})
	defer cancel()
	cmd := exec.CommandContext(timed, argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.Dir, &r.stdout, &r.stderr, grace
	cmd.Env = s.environment(cmd.Environ())
	g := newGroup(cmd)
	if err := g.start(); err != nil {
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		return r, &StartError{Err: bare(err)}
	}
	stopWatching := watch(func() {
		if n := s.size(); n > l.Bytes {
			stop(&ScratchSizeError{Limit: l.Bytes})
		}
	})
	err := g.wait()
	stopWatching()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // the program has ended; a process that it started kept its output open
	}
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case err != nil:
		return r, r.failed(s, context.Cause(timed), err)
	case s.size() > l.Bytes:
		return r, &ScratchSizeError{Limit: l.Bytes}
	}
	return r, nil
}

// failed returns the error of a program that did not succeed. cause is the reason why it was stopped, or nil; err
// is the error of waiting for it.
func (r *streams) failed(s *Scratch, cause, err error) error {
	output := r.lastOutput(s)
	var exit *exec.ExitError
	switch cause := cause.(type) {
	case *TimeoutError:
		return &TimeoutError{Limit: cause.Limit, Output: output}
	case *ScratchSizeError:
		return cause
	}
	if !errors.As(err, &exit) {
		return &StartError{Err: bare(err)}
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &SignalError{Signal: status.Signal().String(), Output: output}
	}
	return &ExitError{Status: exit.ExitCode(), Output: output}
}

// watch calls look every period until the returned function is called.
func watch(look func()) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		t := time.NewTicker(period)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				look()
			}
		}
	})
	return func() { close(done); running.Wait() }
}
