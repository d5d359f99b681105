package outfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// bufferSize is the number of bytes that a File writes at a time.
const bufferSize = 1 << 16

// File is a file that is written piece by piece and then replaces the file at its path as a whole, as Replace does. It
// ends with Commit or Abort.
type File struct {
	path   string
	file   *os.File
	buffer *bufio.Writer
}

// Create begins a file beside path. A file at path stays as it is until Commit. The error names the file.
func Create(path string) (*File, error) {
	file, err := temporary(path)
	if err != nil {
		return nil, notWritten(path, err)
	}
	return &File{path, file, bufio.NewWriterSize(file, bufferSize)}, nil
}

// Write appends to the file. After an error, Commit returns it too.
func (f *File) Write(p []byte) (int, error) { return f.buffer.Write(p) }

// Commit replaces the file at the path. If it fails, the file at the path stays as it was, and the error names it.
func (f *File) Commit() error { return f.commit(f.file.Sync) }

// commit replaces the file after sync.
func (f *File) commit(sync func() error) error {
	err := f.buffer.Flush()
	if err == nil {
		err = sync()
	}
	if err != nil {
		return f.Abort(err)
	}
	if err = f.file.Close(); err == nil {
		err = Patiently(func() error { return os.Rename(f.file.Name(), f.path) })
	}
	if err != nil {
		os.Remove(f.file.Name())
		return notWritten(f.path, err)
	}
	return nil
}

// Abort removes what was written; the file at the path stays as it was. It returns err with the name of the file.
func (f *File) Abort(err error) error {
	f.file.Close()
	os.Remove(f.file.Name())
	if err == nil {
		return nil
	}
	return notWritten(f.path, err)
}

// Stream is Replace for content that is too large for memory: write writes it. If write fails, the file at path stays
// as it was.
func Stream(path string, write func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return f.Abort(err)
	}
	return f.Commit()
}

// Stash is Stream for content that can be made again: it does not wait until the content is on the disk. If the machine
// fails, the file may be damaged, so that its reader must check it.
func Stash(path string, write func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return f.Abort(err)
	}
	return f.commit(func() error { return nil })
}

// temporary creates a file beside path with the name that renameio would give it: a dot, the name, digits. It has the
// permissions of the file at path, if there is one.
func temporary(path string) (*os.File, error) {
	for {
		name := fmt.Sprintf(".%s%d", filepath.Base(path), rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if info, statErr := os.Lstat(path); err == nil && statErr == nil && info.Mode().IsRegular() {
			_ = f.Chmod(info.Mode().Perm()) // some file systems have no permissions
		}
		return f, err
	}
}
