package trial

import (
	"errors"
	"fmt"

	"github.com/t2map/t2map/table"
)

// Tables are read by package table.
type (
	// Source is a table to be read.
	Source = table.Source
	// Format is how it is written.
	Format = table.Format
)

// hintError is an error with a way out.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// Hint returns what can be done about an error of this package or of table; empty where there is
// nothing to say.
func Hint(err error) string {
	var h *hintError
	if errors.As(err, &h) {
		return h.hint
	}
	return table.Hint(err)
}

func hinted(hint, format string, a ...any) error {
	return &hintError{fmt.Errorf(format, a...), hint}
}

// IsResults says whether a table has the columns of compartments.csv, for those who look for
// another.
func IsResults(s Source) bool {
	t, err := table.Read(s)
	return err == nil && t.Has("compartment") && t.Has("mean_t2_ms")
}
