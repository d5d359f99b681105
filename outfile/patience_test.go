package outfile

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
	"time"
)

func TestHeld(t *testing.T) {
	sharing := &fs.PathError{Op: "rename", Path: "x", Err: syscall.Errno(32)} // ERROR_SHARING_VIOLATION
	for _, c := range []struct {
		goos string
		err  error
		want bool
	}{
		{"windows", sharing, true},
		{"windows", &fs.PathError{Err: syscall.Errno(33)}, true}, // ERROR_LOCK_VIOLATION
		{"windows", &fs.PathError{Err: fs.ErrPermission}, true},
		{"windows", &fs.PathError{Err: fs.ErrNotExist}, false},
		{"windows", nil, false},
		{"linux", sharing, false},
		{"linux", &fs.PathError{Err: fs.ErrPermission}, false},
	} {
		if got := held(c.goos, c.err); got != c.want {
			t.Errorf("%s, %v: %v, want %v", c.goos, c.err, got, c.want)
		}
	}
}

func TestRetry(t *testing.T) {
	busy, other := errors.New("busy"), errors.New("other")
	for _, c := range []struct {
		name  string
		errs  []error // of one call after the other
		want  error
		calls int
	}{
		{"at once", []error{nil}, nil, 1},
		{"after a moment", []error{busy, busy, nil}, nil, 3},
		{"another error is final", []error{busy, other, nil}, other, 2},
	} {
		calls := 0
		err := retry(func() error { calls++; return c.errs[calls-1] }, func(err error) bool { return err == busy })
		if err != c.want || calls != c.calls {
			t.Errorf("%s: error %v after %d calls, want %v after %d", c.name, err, calls, c.want, c.calls)
		}
	}
	var total time.Duration
	for _, p := range pauses {
		total += p
	}
	if total < time.Second/2 || total > 3*time.Second/2 {
		t.Errorf("the pauses are %v together, want about a second", total)
	}
}
