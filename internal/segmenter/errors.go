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
	// Name is how it was asked for.
	Name string
	Err  error
}

// Error names it.
func (e *NotFoundError) Error() string { return fmt.Sprintf("%q: %v", e.Name, e.Err) }

// Unwrap returns what the system said.
func (e *NotFoundError) Unwrap() error { return e.Err }

// StartError says that the program could not be started.
type StartError struct{ Err error }

// Error says why.
func (e *StartError) Error() string { return fmt.Sprintf("cannot be started: %v", e.Err) }

// Unwrap returns what the system said.
func (e *StartError) Unwrap() error { return e.Err }

// TimeoutError says that the program ran longer than it may.
type TimeoutError struct {
	Limit time.Duration
	// Said is the end of what it wrote, safe to print, here and in the other errors.
	Said string
}

// Error gives the limit.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("not finished after %s%s", Duration(e.Limit), lastWords(e.Said))
}

// ExitError says that the program failed.
type ExitError struct {
	Status int
	Said   string
}

// Error gives the exit status.
func (e *ExitError) Error() string {
	return fmt.Sprintf("exit status %d%s", e.Status, lastWords(e.Said))
}

// SignalError says that a signal ended the program, which this process did not send.
type SignalError struct {
	Signal string // as the system calls it, such as "killed"
	Said   string
}

// Error names the signal.
func (e *SignalError) Error() string {
	return fmt.Sprintf("ended by a signal (%s)%s", e.Signal, lastWords(e.Said))
}

// ScratchSizeError says that the program wrote more into its scratch folder than it may.
type ScratchSizeError struct{ Limit int64 }

// Error gives the limit.
func (e *ScratchSizeError) Error() string {
	return fmt.Sprintf("its scratch folder holds more than %d MiB", e.Limit>>20)
}

// NoOutputError says that the program succeeded and wrote no label map.
type NoOutputError struct{}

// Error says where it was looked for.
func (e *NoOutputError) Error() string { return "no label map (.nii, .nii.gz) in {dir}/output" }

// ManyOutputsError says that the program wrote several label maps.
type ManyOutputsError struct {
	// Names are the first of them below the output folder, safe to print, and Count is
	// the number of all.
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

// OutputKindError says that the output is a link or another thing that is not a file.
type OutputKindError struct {
	Name string // safe to print
	Kind fs.FileMode
}

// Error names it.
func (e *OutputKindError) Error() string {
	what := "not a regular file"
	if e.Kind&fs.ModeSymlink != 0 {
		what = "a link, not a file"
	}
	return fmt.Sprintf("{dir}/output/%s is %s", e.Name, what)
}

// OutputSizeError says that the label map is larger than one of the image's grid can be.
type OutputSizeError struct{ Bytes, Limit int64 }

// Error gives both.
func (e *OutputSizeError) Error() string {
	return fmt.Sprintf("the label map has %d bytes, more than a float64 label map on the grid of the image, which "+
		"has %d", e.Bytes, e.Limit)
}

// NothingSaidError says that a program that was to print its version printed nothing.
type NothingSaidError struct{}

// Error says so.
func (e *NothingSaidError) Error() string { return "prints nothing" }

// Duration returns d without its zero parts: 30m instead of 30m0s.
func Duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func lastWords(said string) string {
	if said == "" {
		return "; it printed nothing"
	}
	return "; its last output: " + said
}

// bare returns what the system said without the path of the executable, which may name a
// user.
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
