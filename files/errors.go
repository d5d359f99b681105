package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
)

// The kinds of an error, beside those of the file system.
var (
	// ErrInvalid: an archive or what lies in it is damaged or misleading.
	ErrInvalid = errors.New("invalid")
	// ErrUnsupported: it may be sound, but this package does not read it.
	ErrUnsupported = errors.New("valid but not supported")
	// ErrLimit: it is more than the Limits allow.
	ErrLimit = errors.New("over a limit")
	// ErrNotRegular: a folder, pipe or device, which holds no bytes to be read.
	ErrNotRegular = errors.New("not a regular file")
	// ErrDangling: a symbolic link that leads to nothing.
	ErrDangling = errors.New("a link that leads to nothing")
)

// Error is what is wrong with one file or archive.
type Error struct {
	// Path is its name: below the searched folder, with slashes.
	Path string
	// Problem says what is wrong, with got and want.
	Problem string
	// Kind is ErrInvalid, ErrUnsupported, ErrLimit, ErrNotRegular, ErrDangling or an
	// error of the file system.
	Kind error
	// Hint says what to do about it, or is empty.
	Hint string
}

// Error returns path: problem.
func (e *Error) Error() string { return e.Path + ": " + e.Problem }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Hint returns the hint that an error of this package carries, or "".
func Hint(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// at returns the error as that of the file of that name. Inside the package
// errors have no name until it is known who looked.
func (e *Error) withPath(name string) *Error {
	named := *e
	named.Path = name
	return &named
}

// named puts the name to an error of this package; the end of a context stays
// what it is.
func named(err error, name string) error {
	var e *Error
	if errors.As(err, &e) {
		return e.withPath(name)
	}
	return err
}

// ioError keeps the cause but not the path of an error of the file system: the
// name is said once already, and the path is the site's own.
func ioError(err error) *Error {
	err = cause(err)
	return &Error{Problem: "cannot be read: " + err.Error(), Kind: err, Hint: "check the file and its permissions"}
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
	errChanged = &Error{Problem: "has changed since it was listed", Kind: ErrInvalid, Hint: "make sure that nothing writes to it, and start again"}
	notRegular = &Error{Problem: "is not a regular file", Kind: ErrNotRegular}
)

const copyAgain = "copy the archive or have it made again"

// damaged turns what a reader of archives says into an error of this package. The
// readers' own words are passed on to nobody: they may quote what they stumbled
// over.
func damaged(err error, where string) error {
	var e *Error
	var perr *fs.PathError
	switch {
	case errors.As(err, &e), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &perr):
		return ioError(err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{Problem: "ends early" + where, Kind: ErrInvalid, Hint: copyAgain}
	}
	return &Error{Problem: "is damaged" + where, Kind: ErrInvalid, Hint: copyAgain}
}
