package batch

import (
	"fmt"
	"io/fs"

	"github.com/t2map/t2map/hint"
)

// Hint returns what to do about an error, or "".
func Hint(err error) string { return hint.Find(err) }

// hintError is an error with a way out.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// Advice returns the hint, for hint.Find.
func (e *hintError) Advice() string { return e.hint }

// hinted joins an error and what to do about it.
func hinted(hint, format string, a ...any) error {
	return &hintError{fmt.Errorf(format, a...), hint}
}

// missingError says that a file or folder that was named does not exist. It is an fs.ErrNotExist.
type missingError struct{ path string }

func (e *missingError) Error() string        { return e.path + " does not exist" }
func (e *missingError) Is(target error) bool { return target == fs.ErrNotExist }
