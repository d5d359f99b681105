package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// disk is the file system. It tries again after an error that may be gone a moment later: that
// of a file server that restarts, or of a disk that reads a sector anew. The zero value tries
// once.
type disk struct {
	ctx  context.Context // its end ends the pauses
	vain *atomic.Int32   // operations in a row that failed after all attempts
}

func newDisk(ctx context.Context) disk { return disk{ctx, new(atomic.Int32)} }

// pauses are the waits before the second, third and fourth attempt. Clients of file servers
// repeat a request themselves for seconds to minutes before they return an error.
var pauses = [...]time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 600 * time.Millisecond}

// mostVain is the number of operations after which an error is final at once, until one
// succeeds: a dead disk is not waited for at each of a cohort's files.
const mostVain = 10

// fault, unless nil, returns the error of an operation on the file at path. Tests set it.
var fault func(path string) error

// patient calls do with the path, and again as long as its error may be transient, after
// pauses that grow. It returns the last result.
func patient[T any](d *disk, path string, do func(path string) (T, error)) (T, error) {
	if fault != nil {
		do = faulty(do)
	}
	out, err := do(path)
	if d.vain == nil {
		return out, err
	}
	for _, p := range pauses {
		if err == nil || !transient(runtime.GOOS, err) {
			break
		}
		if d.vain.Load() >= mostVain {
			return out, err
		}
		select {
		case <-d.ctx.Done():
			return out, err
		case <-time.After(p):
		}
		out, err = do(path)
	}
	switch {
	case err != nil && transient(runtime.GOOS, err):
		d.vain.Add(1)
	case d.vain.Load() > 0:
		d.vain.Store(0)
	}
	return out, err
}

func faulty[T any](do func(path string) (T, error)) func(path string) (T, error) {
	return func(path string) (out T, err error) {
		if err := fault(path); err != nil {
			return out, err
		}
		return do(path)
	}
}

// transient reports whether the operation that failed may succeed a moment later.
func transient(goos string, err error) bool {
	// Another program has the file open (winerror.h); package syscall does not name these
	// errors on other systems. A missing permission is final, since nothing is written.
	const sharingViolation, lockViolation = syscall.Errno(32), syscall.Errno(33)
	var e syscall.Errno
	if !errors.As(err, &e) {
		return false
	}
	switch e {
	case syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EAGAIN, syscall.EINTR, syscall.ECONNRESET:
		return true
	}
	return goos == "windows" && (e == sharingViolation || e == lockViolation)
}

func (d *disk) stat(path string) (fs.FileInfo, error) { return patient(d, path, os.Stat) }

func (d *disk) lstat(path string) (fs.FileInfo, error) { return patient(d, path, os.Lstat) }

func (d *disk) list(folder string) ([]fs.DirEntry, error) { return patient(d, folder, os.ReadDir) }

func (d *disk) resolved(path string) string {
	if real, err := patient(d, path, filepath.EvalSymlinks); err == nil {
		return real
	}
	return path
}

// open looks first: opening a pipe waits for its writer, and a device may never end.
func (d *disk) open(path string) (source, error) {
	info, err := d.stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, notRegular
	}
	f, err := patient(d, path, os.Open)
	if err != nil {
		return nil, err
	}
	return &diskFile{f, d}, nil
}

// holdsFile skips folders that cannot be read.
func (*disk) holdsFile(folder string) bool {
	found := false
	_ = filepath.WalkDir(folder, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if found = !e.IsDir(); found {
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// diskFile is a file on the disk.
type diskFile struct {
	*os.File
	disk *disk
}

// ReadAt implements io.ReaderAt.
func (f *diskFile) ReadAt(p []byte, off int64) (int, error) {
	return patient(f.disk, f.Name(), func(string) (int, error) { return f.File.ReadAt(p, off) })
}

// Stat returns the state of the open file.
func (f *diskFile) Stat() (fs.FileInfo, error) {
	return patient(f.disk, f.Name(), func(string) (fs.FileInfo, error) { return f.File.Stat() })
}
