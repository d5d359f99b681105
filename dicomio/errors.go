package dicomio

import (
	"errors"
	"fmt"
	"strings"
)

// The two kinds of a file's error. A file that breaks DICOM's rules, or leaves
// out what a T2 map needs, is invalid; one that keeps them but uses a part of
// DICOM that this package does not read is not supported.
var (
	ErrInvalid     = errors.New("invalid")
	ErrUnsupported = errors.New("valid but not supported")
)

// FileError is what is wrong with one file.
type FileError struct {
	// Path is the file's path below the folder that was searched, with slashes; empty
	// where the error stands beside a file that is named.
	Path string
	// Attribute is the keyword and tag at fault, EchoTime (0018,0081), or empty
	// when the file as a whole is.
	Attribute string
	// Problem says what is wrong, with got and want.
	Problem string
	// Kind is ErrInvalid, ErrUnsupported or an error of the file system.
	Kind error
	// Hint says what to do about it, or is empty.
	Hint string
}

// Error returns path: attribute: problem.
func (e *FileError) Error() string {
	var parts []string
	if e.Path != "" {
		parts = append(parts, e.Path)
	}
	if e.Attribute != "" {
		parts = append(parts, e.Attribute)
	}
	switch {
	case e.Kind == ErrUnsupported:
		parts = append(parts, fmt.Sprintf("%v (%s)", ErrUnsupported, e.Problem))
	case e.Problem != "":
		parts = append(parts, e.Problem)
	default:
		parts = append(parts, e.Kind.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the kind.
func (e *FileError) Unwrap() error { return e.Kind }

// TrainError is what is wrong with a series as a whole, though each of its files
// may be sound.
type TrainError struct {
	// Problem says what is wrong and where.
	Problem string
	// Hint says what to do about it, or is empty.
	Hint string
}

// Error returns the problem.
func (e *TrainError) Error() string { return e.Problem }

// Unwrap returns ErrInvalid.
func (e *TrainError) Unwrap() error { return ErrInvalid }

// Hint returns the hint that an error of this package carries, or "".
func Hint(err error) string {
	var f *FileError
	var t *TrainError
	switch {
	case errors.As(err, &f):
		return f.Hint
	case errors.As(err, &t):
		return t.Hint
	}
	return ""
}
