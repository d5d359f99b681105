package elements

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// fuzzWish has what every wish has: plain elements, numbers, and sequences of
// sequences.
var fuzzWish = Wish{
	tag.PatientID: nil, tag.Rows: nil, tag.EchoTime: nil, tag.EffectiveEchoTime: nil, PhilipsScaleSlope: nil,
	tag.ContourData:                    nil,
	tag.ReferencedSeriesSequence:       {tag.SeriesInstanceUID: nil},
	tag.SharedFunctionalGroupsSequence: {tag.MREchoSequence: {tag.EffectiveEchoTime: nil}},
	tag.PerFrameFunctionalGroupsSequence: {tag.MREchoSequence: {tag.EffectiveEchoTime: nil},
		PhilipsFrame: {PhilipsScaleSlope: nil}},
	tag.ReferencedFrameOfReferenceSequence: {
		tag.RTReferencedStudySequence: {tag.RTReferencedSeriesSequence: {tag.SeriesInstanceUID: nil}},
	},
	tag.PixelValueTransformationSequence:            {tag.RescaleSlope: nil, tag.RescaleIntercept: nil},
	tag.UnassignedSharedConvertedAttributesSequence: {tag.EchoTime: nil, PhilipsScaleSlope: nil},
}

// watched is a file that records the reads from it.
type watched struct {
	t    *testing.T
	data []byte
	read int64
}

func (w *watched) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || offset > int64(len(w.data)) {
		w.t.Fatalf("read at %d of %d", offset, len(w.data))
	}
	n := copy(p, w.data[offset:])
	w.read += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// FuzzGuard: for any file, the walk ends after a number of steps that is bounded by the
// length of the file, reads nothing twice except ahead, and gathers only wanted elements,
// in a form that the library can parse.
func FuzzGuard(f *testing.F) {
	// Seeds in every syntax that is written are in testdata; these are real.
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "data", "pydicom", "*.dcm"))
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 12<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		in := &watched{t: t, data: data}
		out, err := Guard(in, size, fuzzWish)
		inflatedTo := size
		if z, ok := out.Body.(*inflated); ok {
			inflatedTo = z.length
		}
		if most := 8 + inflatedTo/8; int64(out.elements) > most && err == nil || int64(out.elements) > most+1 {
			t.Fatalf("%d elements in %d bytes", out.elements, inflatedTo)
		}
		// A read begins after the last one, or at an element for which that was too short;
		// and each is at most as long as all before it.
		if in.read > 64*size+leastAhead {
			t.Fatalf("%d bytes were read of %d", in.read, size)
		}
		if got := int64(len(out.wanted)); got > 8*inflatedTo+1024 {
			t.Fatalf("%d bytes are gathered of %d", got, inflatedTo)
		}
		if out.Pixels != nil && err == nil && out.Pixels.Length != Undefined &&
			out.Pixels.Value+out.Pixels.Length > inflatedTo {
			t.Fatalf("pixels %+v in %d bytes", *out.Pixels, inflatedTo)
		}
		for _, part := range out.Fragments {
			if part.Offset < 0 || part.Length < 0 || part.Offset+part.Length > inflatedTo {
				t.Fatalf("fragment %+v in %d bytes", part, inflatedTo)
			}
		}
		d, parseErr := out.Parse()
		checkGathered(t, d, fuzzWish)
		if err == nil && parseErr == nil && out.Syntax == uid.ExplicitVRLittleEndian && out.gathered > 0 &&
			len(d) == 0 {
			t.Fatal("what was gathered is lost")
		}
	})
}

// checkGathered checks that all elements are wanted.
func checkGathered(t *testing.T, d Dataset, want Wish) {
	for _, e := range d {
		if e.Tag.Group == 2 {
			continue // of the file that the library is handed
		}
		inside, ok := want[e.Tag]
		if !ok {
			t.Fatalf("%v is not wanted", e.Tag)
		}
		items, sequence := e.Value.GetValue().([]*dicom.SequenceItemValue)
		if sequence != (inside != nil) {
			t.Fatalf("%v: a sequence: %t", e.Tag, sequence)
		}
		if len(items) > 0 {
			for _, item := range ItemsOf(e) {
				checkGathered(t, item, inside)
			}
		}
	}
}
