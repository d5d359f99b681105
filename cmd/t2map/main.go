// Command t2map maps cartilage T2 in multi-echo knee MRI. It reads folders of DICOM
// studies and writes, for each study, a T2 map and the mean T2 of the medial, lateral
// and patellofemoral compartments.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/objects/mirror"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
)

// Exit statuses, as described in docs/results.md.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNothing     = 3
	exitAgain       = 75 // EX_TEMPFAIL of sysexits.h, by which Slurm and others know that a job may be tried again
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endSignals()...)
	// The first signal ends the run in an orderly way. The next one has its usual effect and
	// ends the process, even while it waits for a disk that does not answer.
	context.AfterFunc(ctx, stop)
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// endSignals returns the signals that end a run: interrupt, termination, and a closed terminal unless this signal is
// ignored, as it is under nohup.
func endSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// usageError is a mistake in the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// failedError says that some work failed, such as "2 studies failed". Its exit status is exitFailed.
type failedError struct{ text string }

func (e failedError) Error() string { return e.text }

// againError is a transient error: the command should be run again.
type againError struct{ err error }

func (e againError) Error() string { return e.err.Error() }
func (e againError) Unwrap() error { return e.err }

// rootCommand returns the command line with all commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "t2map",
		Short: "Cartilage T2 from multi-echo knee MRI",
		Long: `t2map reads folders of DICOM studies with a multi-echo MRI sequence of the knee, fits
T2 in every voxel, and reports the mean T2 of the medial, lateral and patellofemoral
compartments of every study. It also compares the arms of a trial.

For research. Not a medical device.`,
		Example: `  t2map demo                                    map and analyse a synthetic trial
  t2map inspect studies                         show the studies, and what run would do
  t2map run studies --out results --scheme skm-tea
  t2map trial results --design trial.csv --out trial-report`,
		Version:       pipeline.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{hint.Errorf(c.CommandPath()+" --help", "%w", err)}
	})
	root.AddCommand(runCommand(), mergeCommand(), clusterCommand(), tablesCommand(), verifyCommand(),
		inspectCommand(), readCommand(), readsCommand(), unblindCommand(), accountCommand(), protocolCommand(), trialCommand(),
		repeatCommand(), compareMasksCommand(), powerCommand(), demoCommand(demoStudies), validateCommand(), versionCommand(),
		licensesCommand())
	complete(root)
	return root
}

// execute runs the command line and returns the exit status. It is the only place where errors become exit statuses.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	out, messages := &output{w: stdout, name: "standard output"}, &output{w: stderr, name: "standard error"}
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(messages)
	err := root.ExecuteContext(ctx)
	if failed := out.failure(); failed != nil && (err == nil || errors.Is(err, out.err)) {
		err = failed
	}
	if err != nil {
		printError(messages, err)
	}
	code := status(err)
	if code == exitOK && messages.failure() != nil { // a warning may be lost, and only the exit status can say so
		code = exitFailed
	}
	return code
}

// printError prints an error and its hint.
func printError(w io.Writer, err error) {
	if errors.Is(err, context.Canceled) {
		var joined interface{ Unwrap() []error }
		if errors.As(err, &joined) { // such as tables that could not be written
			for _, e := range joined.Unwrap() {
				if !errors.Is(e, context.Canceled) {
					printError(w, e)
				}
			}
		}
		fmt.Fprintln(w, "t2map: interrupted")
		return
	}
	fmt.Fprintf(w, "t2map: %v\n", err)
	if advice := hint.Find(err); advice != "" {
		fmt.Fprintf(w, "hint: %s\n", advice)
	}
}

func status(err error) int {
	var nothing *batch.NothingFoundError
	var failed failedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, new(againError)):
		return exitAgain
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &nothing):
		return exitNothing
	case errors.As(err, &failed), errors.As(err, new(slurmError)), outfile.Full(err),
		errors.Is(err, objects.ErrUnavailable), errors.As(err, new(*mirror.LostError)):
		return exitFailed
	}
	// Every other error is about an argument, a file that an argument names, or an output
	// folder that cannot be used.
	return exitUsage
}

// output is standard output or standard error. It remembers the first write error, because the functions that print
// do not check for errors.
type output struct {
	w    io.Writer
	name string

	mu  sync.Mutex
	err error
}

// Write writes until the first error.
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

// failure returns an error if the output is incomplete, and otherwise nil.
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
	return failedError{fmt.Sprintf("%s: %v: the output is incomplete", o.name, err)}
}

// usage converts the errors of an argument check into usage errors.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := refuseBuckets(c, args); err != nil {
			return err
		}
		switch err := check(c, args); {
		case err != nil && c.HasSubCommands(): // err names the unknown command
			return usageError{hint.Errorf(c.CommandPath()+" --help", "%w", err)}
		case err != nil:
			return usageError{hint.Errorf(c.CommandPath()+" --help",
				"wrong number of arguments: got %d, want %s", len(args), strings.TrimSuffix(c.UseLine(), " [flags]"))}
		}
		return nil
	}
}
