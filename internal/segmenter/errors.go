package segmenter

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"
)

// NotFoundError says that the program was not found.
type NotFoundError struct {
	// Name is the name that was looked for.
	Name string
	Err  error
}

// Error names it.
func (e *NotFoundError) Error() string { return fmt.Sprintf("%q: %v", e.Name, e.Err) }

// Unwrap returns the reason.
func (e *NotFoundError) Unwrap() error { return e.Err }

// StartError says that the program could not be started.
type StartError struct{ Err error }

// Error gives the reason.
func (e *StartError) Error() string { return fmt.Sprintf("cannot be started: %v", e.Err) }

// Unwrap returns the system's error.
func (e *StartError) Unwrap() error { return e.Err }

// TimeoutError says that the program reached its time limit.
type TimeoutError struct {
	Limit time.Duration
	// Output is the end of the program's output, safe to print, here and in the other errors.
	Output string
}

// Error gives the limit.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("not finished after %s%s", duration(e.Limit), outputText(e.Output))
}

// ExitError says that the program failed.
type ExitError struct {
	Status int
	Output string
}

// Error gives the exit status.
func (e *ExitError) Error() string {
	return fmt.Sprintf("exit status %d%s", e.Status, outputText(e.Output))
}

// SignalError says that a signal ended the program, which this process did not send.
type SignalError struct {
	Signal string // as the system calls it, such as "killed"
	Output string
}

// Error names the signal.
func (e *SignalError) Error() string {
	return fmt.Sprintf("ended by a signal (%s)%s", e.Signal, outputText(e.Output))
}

// ScratchSizeError says that the program exceeded the size limit of its scratch folder.
type ScratchSizeError struct{ Limit int64 }

// Error gives the limit.
func (e *ScratchSizeError) Error() string {
	return fmt.Sprintf("its scratch folder holds more than %d MiB", e.Limit>>20)
}

// NoOutputError says that the program succeeded and wrote no label map.
type NoOutputError struct{}

// Error names the folder.
func (e *NoOutputError) Error() string { return "no label map (.nii, .nii.gz) in {dir}/output" }

// ManyOutputsError says that the program wrote several label maps.
type ManyOutputsError struct {
	// Names are the paths of the first ones below the output folder, safe to print. Count is the number of all.
	Names []string
	Count int
}

// Error names them.
func (e *ManyOutputsError) Error() string {
	text := strings.Join(e.Names, ", ")
	if n := e.Count - len(e.Names); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%d label maps in {dir}/output, want one: %s", e.Count, text)
}

// OutputKindError says that the output is a link, or anything else but a regular file.
type OutputKindError struct {
	Name string // safe to print
	Kind fs.FileMode
}

// Error names it.
func (e *OutputKindError) Error() string {
	kind := "not a regular file"
	if e.Kind&fs.ModeSymlink != 0 {
		kind = "a link, not a file"
	}
	return fmt.Sprintf("{dir}/output/%s is %s", e.Name, kind)
}

// OutputSizeError says that the label map is too large for the grid of the image.
type OutputSizeError struct{ Bytes, Limit int64 }

// Error gives both sizes.
func (e *OutputSizeError) Error() string {
	return fmt.Sprintf("the label map has %d bytes, more than a float64 label map on the grid of the image, which "+
		"has %d", e.Bytes, e.Limit)
}

// NothingPrintedError says that a program printed nothing instead of its version.
type NothingPrintedError struct{}

// Error says so.
func (e *NothingPrintedError) Error() string { return "prints nothing" }

// duration formats d without its zero parts: 30m instead of 30m0s.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// outputText is the part of a message that quotes a program's last output.
func outputText(output string) string {
	if output == "" {
		return "; it printed nothing"
	}
	return "; its last output: " + output
}

// bare returns the system's error without the path of the executable, which may name a user.
func bare(err error) error {
	var path *fs.PathError
	var run *exec.Error
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &run):
		return run.Err
	}
	return err
}
