package samples

import (
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// Fault is the kind of a fault in a file, for callers that suggest a remedy.
type Fault int

// The kinds of faults. The zero Fault is for errors of other packages.
const (
	FaultNone     Fault = iota
	FaultFormat         // not of the format, or an invalid header
	FaultVersion        // a version of the format that is not read, such as NIfTI-2
	FaultPair           // the header of a .hdr/.img pair, Analyze 7.5 or NIfTI
	FaultDatatype       // colour, complex values and the like
	FaultFrames         // several frames or channels instead of one, or a number of dimensions other than three
	FaultPlace          // the position of the voxels in the patient is unknown
	FaultAffine         // an affine that is not finite or flat
	FaultForms          // two positions that differ: NIfTI's qform and sform
	FaultLength         // fewer or more bytes than the header declares
	FaultPacked         // damaged compression
	FaultEncoding       // a compression or encoding that is not read
	FaultDataFile       // the data file of a header does not exist or may not be opened
	FaultSegments       // a table of segments that contradicts itself or the voxels
	FaultNegative       // a label below 0
	FaultFraction       // a label that is not whole
	FaultNaN            // a label that is not a number
	FaultRange          // a label above 65535
	faults              // how many there are
)

// Faults returns all kinds but FaultNone.
func Faults() []Fault {
	out := make([]Fault, 0, faults)
	for f := FaultNone + 1; f < faults; f++ {
		out = append(out, f)
	}
	return out
}

// ErrUnsupported marks a file that is sound but of a kind that is not read.
var ErrUnsupported = errors.New("valid but not supported")

// Error is an error of a reader of label maps, with its kind.
type Error struct {
	Fault Fault
	err   error
}

// Error returns the message of the cause.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the cause without its kind, which may wrap ErrUnsupported, io.ErrUnexpectedEOF and
// others.
func (e *Error) Unwrap() error { return e.err }

// FaultOf returns the kind of an error of a reader, or FaultNone for other errors and nil.
func FaultOf(err error) Fault {
	var e *Error
	if errors.As(err, &e) {
		return e.Fault
	}
	return FaultNone
}

// Mark gives an error its kind, unless it has one.
func Mark(f Fault, err error) error {
	if err == nil || f == FaultNone || FaultOf(err) != FaultNone {
		return err
	}
	return &Error{Fault: f, err: err}
}

// StreamFault returns the kind of an error of a stream from which more data were expected.
func StreamFault(err error) Fault {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return FaultLength
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, new(flate.CorruptInputError)),
		errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrDictionary),
		errors.As(err, new(bzip2.StructuralError)):
		return FaultPacked
	}
	return FaultNone
}

// Unexpected converts io.EOF to io.ErrUnexpectedEOF.
func Unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
