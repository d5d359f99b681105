// Package segmenter runs a program that makes a label map of an image: once for each study,
// in a scratch folder of its own, never through a shell.
//
// A scratch folder holds
//
//	input/knee_0000.nii.gz   the image; the name is what nnU-Net asks for
//	output/                  the program writes one label map, .nii or .nii.gz, here
//	tmp/                     TMPDIR of the program
//
// and nothing in it names a person: neither paths nor file names have a subject or a study.
//
// The program gets the environment of this process, an empty standard input and the scratch
// folder as its working folder. It and all that it starts are one process group (a job on
// Windows), which is ended with it. What leaves the group on purpose, as a daemon does, is out
// of reach.
//
// The package does not read images: whether a label map is sound is for its reader to say.
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

// grace is how long a program that is to end may take to do so by itself, and how long its
// output is waited for once it has ended. Programs of several processes free shared memory in that
// time; a user who has pressed Ctrl-C does not wait longer gladly.
const grace = 2 * time.Second

// period is how often the size of the scratch folder is looked at. A disk writes some 2 GB/s
// at most, so that the bound is exceeded by 1 GB.
const period = 500 * time.Millisecond

// Limits bound a program.
type Limits struct {
	// Time is how long it may run.
	Time time.Duration
	// Bytes is how much its scratch folder may hold.
	Bytes int64
}

// Run runs the program, argv[0] as Find returns it, and waits until it has ended. It returns
// the end of what the program wrote to standard error, or where that is empty to standard
// output, in one line that is safe to print.
//
// Errors are ctx's where it ended, else *StartError, *TimeoutError, *ScratchSizeError,
// *ExitError or *SignalError. In every case no process of the program's group is left.
func Run(ctx context.Context, argv []string, s *Scratch, l Limits) (said string, err error) {
	r, err := run(ctx, argv, s, l)
	return r.said(s), err
}

// FirstLine runs a program that prints its version, as Run does, and returns the first line of
// its standard output that is not blank, or where there is none of its standard error, safe to
// print. A program that prints nothing is an *NothingSaidError.
func FirstLine(ctx context.Context, argv []string, s *Scratch, l Limits) (string, error) {
	r, err := run(ctx, argv, s, l)
	if err != nil {
		return "", err
	}
	for _, c := range []*capture{&r.out, &r.err} {
		if line := c.firstLine(s.Dir); line != "" {
			return line, nil
		}
	}
	return "", &NothingSaidError{}
}

// ran is what a program wrote.
type ran struct{ out, err capture }

func (r *ran) said(s *Scratch) string {
	if text := r.err.end(s.Dir); text != "" {
		return text
	}
	return r.out.end(s.Dir)
}

func run(ctx context.Context, argv []string, s *Scratch, l Limits) (*ran, error) {
	r := new(ran)
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
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.Dir, &r.out, &r.err, grace
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
		err = nil // it has ended; what it left running kept its output open
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

// failed says why the program did not succeed: the cause for which it was ended, if it was, or
// how it ended.
func (r *ran) failed(s *Scratch, cause, err error) error {
	said := r.said(s)
	var exit *exec.ExitError
	switch cause := cause.(type) {
	case *TimeoutError:
		return &TimeoutError{Limit: cause.Limit, Said: said}
	case *ScratchSizeError:
		return cause
	}
	if !errors.As(err, &exit) {
		return &StartError{Err: bare(err)}
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &SignalError{Signal: status.Signal().String(), Said: said}
	}
	return &ExitError{Status: exit.ExitCode(), Said: said}
}

// watch calls look every period until what it returns is called.
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
