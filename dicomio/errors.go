package dicomio

import (
	"errors"
	"fmt"
	"strings"
)

// The two kinds of a file's error. A file that violates DICOM, or lacks what a T2 map
// needs, is invalid. A file that uses a part of DICOM that this package does not read is
// not supported.
var (
	ErrInvalid     = errors.New("invalid")
	ErrUnsupported = errors.New("valid but not supported")
)

// FileError describes what is wrong with one file.
type FileError struct {
	// Path is the file's path relative to the searched folder, with slashes; empty if the
	// error is shown beside the name of the file.
	Path string
	// Attribute is the keyword and tag of the faulty attribute, EchoTime (0018,0081), or
	// empty if the fault is not in one attribute.
	Attribute string
	// Problem says what is wrong, with the value found and the value wanted.
	Problem string
	// Kind is ErrInvalid, ErrUnsupported or an error of the file system.
	Kind error
	// Topic is the subject of the error.
	Topic Topic
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

// Advice returns the hint, for hint.Find.
func (e *FileError) Advice() string { return e.Hint }

// withHint replaces the hint.
func (e *FileError) withHint(hint string) *FileError {
	e.Hint = hint
	return e
}

// TrainError describes what is wrong with a series as a whole, even if each of its files is
// sound.
type TrainError struct {
	// Series is the hash of the series, or empty if the problem is that of several.
	Series string
	// Problem says what is wrong and where.
	Problem string
	// Topic is the subject of the error.
	Topic Topic
	// Hint says what to do about it, or is empty.
	Hint string
}

// Error returns series hash: problem, or the problem alone without a series.
func (e *TrainError) Error() string {
	if e.Series == "" {
		return e.Problem
	}
	return "series " + e.Series + ": " + e.Problem
}

// Unwrap returns ErrInvalid.
func (e *TrainError) Unwrap() error { return ErrInvalid }

// Advice returns the hint, for hint.Find.
func (e *TrainError) Advice() string { return e.Hint }
