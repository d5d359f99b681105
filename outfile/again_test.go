package outfile

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestTransient(t *testing.T) {
	for err, want := range map[error]bool{
		&os.PathError{Op: "read", Path: "x", Err: syscall.ESTALE}: true, syscall.ETIMEDOUT: true,
		passing(true): true, passing(false): false,
		syscall.EIO: false, syscall.ENOSPC: false, syscall.ENOENT: false, io.ErrUnexpectedEOF: false,
	} {
		if got := Transient(fmt.Errorf("read: %w", err)); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// passing is an error that says whether it passes.
type passing bool

func (p passing) Error() string   { return "not now" }
func (p passing) Transient() bool { return bool(p) }
