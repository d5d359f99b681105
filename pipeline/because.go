package pipeline

import (
	"errors"

	"github.com/t2map/t2map/report"
)

// ReasonError is a failure of a study with the reason that is known where it occurs.
type ReasonError struct {
	Reason report.Reason
	err    error
}

// Error is that of the failure.
func (e *ReasonError) Error() string { return e.err.Error() }

// Unwrap returns the failure.
func (e *ReasonError) Unwrap() error { return e.err }

// Because gives a failure its reason, unless it has one already: the place where it occurs knows more than those above
// it. nil stays nil.
func Because(reason report.Reason, err error) error {
	if err == nil || errors.As(err, new(*ReasonError)) {
		return err
	}
	return &ReasonError{reason, err}
}
