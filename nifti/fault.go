package nifti

import "errors"

// Fault is the kind of what is wrong with a file, for those who say what to do about it.
type Fault int

// The kinds of faults. The zero Fault is for errors of other packages.
const (
	FaultNone     Fault = iota
	FaultFormat         // not NIfTI, or a header that no NIfTI file has
	FaultNIfTI2         // NIfTI-2
	FaultPair           // the header of a .hdr/.img pair, Analyze 7.5 or NIfTI
	FaultDatatype       // colour, complex values and such
	FaultFrames         // several frames where one is wanted, or more than four dimensions
	FaultPlace          // neither sform nor qform
	FaultAffine         // an sform or qform that places no grid
	FaultLength         // fewer or more bytes than the header declares
	FaultGzip           // damaged compression
	FaultNegative       // a label below 0
	FaultFraction       // a label that is not whole
	FaultNaN            // a label that is not a number
	FaultRange          // a label above 65535
)

// Error is an error of this package with its kind.
type Error struct {
	Fault Fault
	err   error
}

// Error returns the text of what is wrong.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns what is wrong without its kind: ErrUnsupported, ErrNoGeometry,
// io.ErrUnexpectedEOF and such may be below it.
func (e *Error) Unwrap() error { return e.err }

// FaultOf returns the kind of an error of this package; FaultNone for others and nil.
func FaultOf(err error) Fault {
	var e *Error
	if errors.As(err, &e) {
		return e.Fault
	}
	return FaultNone
}

// fault gives an error its kind, unless it has one.
func fault(f Fault, err error) error {
	if err == nil || f == FaultNone || FaultOf(err) != FaultNone {
		return err
	}
	return &Error{Fault: f, err: err}
}
