package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"
)

func TestFull(t *testing.T) {
	for _, c := range []struct {
		goos string
		err  error
		want bool
	}{
		{"linux", fmt.Errorf("t2.nii.gz: %w", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}), true},
		{"darwin", errors.Join(errors.New("other"), syscall.EDQUOT), true},
		{"linux", syscall.Errno(112), false}, // EHOSTDOWN there
		{"linux", fs.ErrPermission, false},
		{"linux", nil, false},
		{"windows", &fs.PathError{Err: syscall.Errno(112)}, true}, // ERROR_DISK_FULL
		{"windows", &fs.PathError{Err: syscall.Errno(39)}, true},  // ERROR_HANDLE_DISK_FULL
		{"windows", fs.ErrExist, false},
	} {
		if got := full(c.goos, c.err); got != c.want {
			t.Errorf("%s, %v: %v", c.goos, c.err, got)
		}
	}
}
