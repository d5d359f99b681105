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

// bufferSize is the number of bytes that Stream writes at a time.
const bufferSize = 1 << 16

// Stream is Replace for content that is too large for memory: write writes it. If write fails, the file at path stays
// as it was.
func Stream(path string, write func(io.Writer) error) error {
	file, err := temporary(path)
	if err != nil {
		return notWritten(path, err)
	}
	renamed := false
	defer func() {
		if !renamed {
			os.Remove(file.Name())
		}
	}()
	buffer := bufio.NewWriterSize(file, bufferSize)
	if err = write(buffer); err == nil {
		err = buffer.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = Patiently(func() error { return os.Rename(file.Name(), path) })
	}
	if err != nil {
		return notWritten(path, err)
	}
	renamed = true
	return nil
}

// temporary creates a file beside path with the name that renameio would give it: a dot, the name, digits.
func temporary(path string) (*os.File, error) {
	for {
		name := fmt.Sprintf(".%s%d", filepath.Base(path), rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}
