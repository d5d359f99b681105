package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/resample"
)

// Every kind of fault has a hint, and errors of DICOM masks without a hint get one.
func TestMaskHints(t *testing.T) {
	for _, f := range samples.Faults() {
		if hintFault[f] == "" {
			t.Errorf("fault %d has no hint", f)
		}
	}
	seen := map[string]bool{}
	for _, err := range []error{
		&dicomio.FileError{Path: "a", Problem: "x", Kind: dicomio.ErrInvalid},
		&dicomio.FileError{Path: "a", Problem: "x", Kind: dicomio.ErrUnsupported},
		&segment.GridError{Distance: math.NaN()}, &segment.GridError{Distance: 3}, &FormatError{"a", formatMINC},
		&resample.OutsideError{DistanceMM: 3}, &coverError{},
		&dicomio.ForeignError{Path: "a", Problem: "x"}, errors.New("anything else"),
	} {
		got := hint.Find(HintMask(fmt.Errorf("mask: %w", err)))
		if got == "" || seen[got] {
			t.Errorf("%v: hint %q", err, got)
		}
		seen[got] = true
	}
	// An existing hint is kept, and an interrupted run has none.
	kept := HintMask(&dicomio.FileError{Path: "a", Problem: "x", Kind: dicomio.ErrInvalid, Hint: "own"})
	if hint.Find(kept) != "own" || HintMask(context.Canceled) != context.Canceled || HintMask(nil) != nil {
		t.Errorf("%q", hint.Find(kept))
	}
}
