package batch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/table"
)

// Hint returns what to do about an error of this package, of dicomio, files or table, or "".
func Hint(err error) string {
	var h *hintError
	if errors.As(err, &h) {
		return h.hint
	}
	return cmp.Or(dicomio.Hint(err), files.Hint(err), table.Hint(err))
}

// hintError is an error with a way out.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// hinted joins an error and what to do about it.
func hinted(hint, format string, a ...any) error {
	return &hintError{fmt.Errorf(format, a...), hint}
}

// missingError says that a file or folder that was named does not exist. It is an fs.ErrNotExist.
type missingError struct{ path string }

func (e *missingError) Error() string        { return e.path + " does not exist" }
func (e *missingError) Is(target error) bool { return target == fs.ErrNotExist }
