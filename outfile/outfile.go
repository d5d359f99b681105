// Package outfile writes the files of results so that each is complete or absent, even if
// another program holds it for a moment.
package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/renameio/v2/maybe"
)

// Replace writes the content of the file at path. A reader sees either the earlier file or
// the new one, except on Windows, where a crash may leave a part of it.
//
// Its errors name the file, and the likely cause if the message of the system does not.
func Replace(path string, content []byte) error {
	err := Patiently(func() error { return maybe.WriteFile(path, content, 0o644) })
	if err == nil {
		return nil
	}
	return notWritten(path, err)
}

// notWritten adds the name of the file to an error of writing it, and the likely cause if the system does not say it.
func notWritten(path string, err error) error {
	cause := ""
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		cause = "a folder of that name exists: "
	} else if held(runtime.GOOS, err) {
		cause = "it may be open in another program, such as a spreadsheet: close it there: "
	}
	return fmt.Errorf("%s: not written: %s%w", filepath.Base(path), cause, Bare(err))
}

// Bare returns the cause of an error of the system, without the name of the temporary file.
func Bare(err error) error {
	var link *os.LinkError
	var path *fs.PathError
	switch {
	case errors.As(err, &link):
		return link.Err
	case errors.As(err, &path):
		return path.Err
	}
	return err
}

// SyncFolder makes the names in dir durable. Windows cannot sync a folder, and it is not necessary
// there, since NTFS journals names.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
