package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"

	"github.com/t2map/t2map/objects"
)

// The kinds of an error, in addition to those of the file system.
var (
	// ErrInvalid: an archive or its content is damaged or misleading.
	ErrInvalid = errors.New("invalid")
	// ErrUnsupported: the file may be sound, but this package does not read it.
	ErrUnsupported = errors.New("valid but not supported")
	// ErrLimit: the file exceeds the Limits.
	ErrLimit = errors.New("above a limit")
	// ErrNotRegular: a folder, pipe or device, which has no content to be read.
	ErrNotRegular = errors.New("not a regular file")
	// ErrDangling: a symbolic link whose target does not exist.
	ErrDangling = errors.New("a dangling link")
)

// Error describes what is wrong with one file or archive.
type Error struct {
	// Path is its name: relative to the searched folder, with slashes.
	Path string
	// Problem says what is wrong, with the value found and the value wanted.
	Problem string
	// Kind is ErrInvalid, ErrUnsupported, ErrLimit, ErrNotRegular, ErrDangling, an
	// error of the file system, or that of a bucket.
	Kind error
	// Hint says what to do about it, or is empty.
	Hint string
}

// Error returns path: problem.
func (e *Error) Error() string { return e.Path + ": " + e.Problem }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Advice returns the hint, for hint.Find.
func (e *Error) Advice() string { return e.Hint }

// withPath returns the error with the name of a file. Errors inside the package have no
// name until their caller adds it.
func (e *Error) withPath(name string) *Error {
	named := *e
	named.Path = name
	return &named
}

// named adds the name to an error of this package. The error of a context stays as it is.
func named(err error, name string) error {
	var e *Error
	if errors.As(err, &e) {
		return e.withPath(name)
	}
	return err
}

// ioError keeps the cause of an error of the file system but not its path: the error has a
// name already, and the path belongs to the site.
func ioError(err error) *Error {
	var inStore *objects.Error
	if errors.As(err, &inStore) {
		kind := inStore.Kind
		if errors.Is(kind, objects.ErrChanged) {
			kind = ErrInvalid
		}
		e := &Error{Problem: "cannot be read: " + inStore.Problem, Kind: kind, Hint: inStore.Hint}
		if inStore.General() {
			e.Kind = inStore // for Outage, and for those that ask whether it passes
		}
		return e
	}
	err = cause(err)
	e := &Error{Problem: "cannot be read: " + err.Error(), Kind: err, Hint: "check the file and its permissions"}
	if transient(runtime.GOOS, err) {
		e.Hint = "check the disk, or the connection to the file server, and start again"
	}
	return e
}

// Outage reports whether an error is that of a bucket whose server cannot be reached or does not answer, or does not
// accept the credentials any more. It says nothing about a file: others cannot be read either.
func Outage(err error) bool {
	var inStore *objects.Error
	return errors.As(err, &inStore) && inStore.General()
}

// openError is ioError, but leaves the errors of this package and of contexts as they are.
func openError(err error) error {
	if errors.As(err, new(*Error)) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return ioError(err)
}

// spoolError is ioError for the temporary files.
func spoolError(err error) *Error {
	err = cause(err)
	return &Error{Problem: "cannot be unpacked into a temporary file: " + err.Error(), Kind: err,
		Hint: "make room, or name a folder on a larger disk in TMPDIR (TMP on Windows)"}
}

func cause(err error) error {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return perr.Err
	}
	return err
}

var (
	errClosed  = &Error{Problem: "is closed", Kind: fs.ErrClosed}
	errChanged = &Error{Problem: "has changed since it was listed", Kind: ErrInvalid,
		Hint: "make sure that nothing writes to it, and start again"}
	notRegular = &Error{Problem: "is not a regular file", Kind: ErrNotRegular}
)

const copyAgain = "copy the archive again, or have it made again"

// damaged converts an error of the libraries that read archives. Their messages are not
// passed on, since they may quote the file.
func damaged(err error, detail string) error {
	var e *Error
	var perr *fs.PathError
	switch {
	case errors.As(err, &e), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &perr), errors.As(err, new(*objects.Error)):
		return ioError(err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{Problem: "ends early" + detail, Kind: ErrInvalid, Hint: copyAgain}
	}
	return &Error{Problem: "is damaged" + detail, Kind: ErrInvalid, Hint: copyAgain}
}
