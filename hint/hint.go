// Package hint attaches advice to errors: what the user can do about them.
package hint

import (
	"errors"
	"fmt"
)

// Find returns the advice of the first error in the chain that has an Advice method, or "". The errors of Errorf and
// of packages files, dicomio and table have this method.
func Find(err error) string {
	var a interface {
		error
		Advice() string
	}
	if errors.As(err, &a) {
		return a.Advice()
	}
	return ""
}

// Errorf is fmt.Errorf with advice.
func Errorf(advice, format string, a ...any) error {
	return &advised{fmt.Errorf(format, a...), advice}
}

type advised struct {
	error
	advice string
}

func (e *advised) Unwrap() error  { return e.error }
func (e *advised) Advice() string { return e.advice }
