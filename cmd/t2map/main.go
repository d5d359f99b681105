// Command t2map maps cartilage T2 from multi-echo knee MRI: study folders of
// DICOM in, per study a T2 map and the mean T2 of the medial, lateral and
// patellofemoral compartment out.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/trial"
)

// Exit statuses; docs/results.md says when.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNothing     = 3
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	// The first signal ends what can be ended in good order; the next one ends the process
	// as it would any other, even where it waits for a disk that does not answer.
	context.AfterFunc(ctx, stop)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// endings are the signals that ask for an end: of the user, of the system, and of a
// terminal that is closed, unless that is ignored, as nohup has it.
func endings() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// usageError is a mistake in how the command was called.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// failedError says what was left undone.
type failedError struct{ what string }

func (e failedError) Error() string { return e.what }

// execute runs the command line and returns the exit status; it is the one place
// where errors become statuses.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "t2map",
		Short: "Cartilage T2 from multi-echo knee MRI",
		Long: `t2map takes folders of DICOM studies with a multi-echo MRI sequence of the knee,
fits T2 in every voxel and returns the mean T2 of the medial, lateral and
patellofemoral compartment of every study.

For research. Not a medical device.`,
		Example: `  t2map demo                                    a synthetic trial, from end to end
  t2map inspect studies                         what is there, and what run would do
  t2map run studies --out results --scheme compartments
  t2map trial results --design trial.csv --out trial-report`,
		Version:       batch.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	out, notes := &output{w: stdout, name: "standard output"}, &output{w: stderr, name: "standard error"}
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(notes)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nhint: %s --help", err, c.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(runCommand(), tablesCommand(), inspectCommand(), trialCommand(), repeatCommand(), powerCommand(), demoCommand(phantom.Trial{}), validateCommand(), licensesCommand())
	err := root.ExecuteContext(ctx)
	if failed := out.failure(); failed != nil && (err == nil || errors.Is(err, out.err)) {
		err = failed
	}
	if err != nil {
		complain(notes, err)
	}
	code := status(err)
	if code == exitOK && notes.failure() != nil { // a warning may be lost, and nothing is left to say so
		code = exitFailed
	}
	return code
}

// complain prints an error and its hint.
func complain(w io.Writer, err error) {
	if errors.Is(err, context.Canceled) {
		var several interface{ Unwrap() []error }
		if errors.As(err, &several) { // such as tables that could not be written
			for _, e := range several.Unwrap() {
				if !errors.Is(e, context.Canceled) {
					complain(w, e)
				}
			}
		}
		fmt.Fprintln(w, "t2map: interrupted")
		return
	}
	fmt.Fprintf(w, "t2map: %v\n", err)
	if hint := cmp.Or(batch.Hint(err), trial.Hint(err)); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}

func status(err error) int {
	var nothing *batch.NothingFoundError
	var failed failedError
	var full *batch.DiskFullError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &nothing):
		return exitNothing
	case errors.As(err, &failed), errors.As(err, &full):
		return exitFailed
	}
	// Everything else is an argument, a file named by one, or an output folder
	// that cannot be used.
	return exitUsage
}

// output is the standard output or the standard error. It remembers that something could not be
// written, which those who print do not ask.
type output struct {
	w    io.Writer
	name string

	mu  sync.Mutex
	err error
}

// Write writes, until the first error.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// failure says that not all was written, or is nil.
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		return nil
	}
	err := o.err
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return failedError{fmt.Sprintf("%s: %v: some of the output is lost", o.name, err)}
}

// usage makes the errors of a check of arguments usage errors.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{fmt.Errorf("%w\nhint: %s --help", err, c.CommandPath())}
		}
		return nil
	}
}
