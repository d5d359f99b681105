package dicomwrite

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// PixelFormat is the storage of whole numbers in pixel data.
type PixelFormat struct {
	allocated, stored int
	signed            bool
}

// NewPixelFormat returns a format. 0 allocated bits mean 16, and 0 stored bits mean all
// allocated ones.
func NewPixelFormat(allocated, stored int, signed bool) PixelFormat {
	if allocated == 0 {
		allocated = 16
	}
	if stored == 0 {
		stored = allocated
	}
	return PixelFormat{allocated: allocated, stored: stored, signed: signed}
}

// Check returns an error if BitsAllocated is not among the allowed numbers, or if
// BitsStored does not fit.
func (f PixelFormat) Check(allowed ...int) error {
	if !slices.Contains(allowed, f.allocated) {
		return fmt.Errorf("BitsAllocated: got %d, want %d or %d", f.allocated, allowed[0], allowed[len(allowed)-1])
	}
	if f.stored < 1 || f.stored > f.allocated {
		return fmt.Errorf("BitsStored: got %d, want 1 to %d", f.stored, f.allocated)
	}
	return nil
}

// Pack appends the pixels to raw, in 8 or 16 bits and the byte order of the file. It is an
// error if a value does not fit into the stored bits.
func (f PixelFormat) Pack(raw []byte, pixels []int32, enc Encoding) ([]byte, error) {
	lo, hi := int32(0), int32(1)<<f.stored-1
	if f.signed {
		lo, hi = -(int32(1) << (f.stored - 1)), int32(1)<<(f.stored-1)-1
	}
	for v, p := range pixels {
		if p < lo || p > hi {
			return nil, fmt.Errorf("pixel %d: got %d, want %d to %d", v, p, lo, hi)
		}
	}
	raw = slices.Grow(raw, len(pixels)*f.allocated/8)
	switch {
	case f.allocated == 8:
		for _, p := range pixels {
			raw = append(raw, byte(p))
		}
	case enc.order == binary.BigEndian:
		for _, p := range pixels {
			raw = binary.BigEndian.AppendUint16(raw, uint16(p))
		}
	default: // without a call through the interface for each pixel
		for _, p := range pixels {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(p))
		}
	}
	return raw, nil
}

// Describe lists the attributes of the image pixel module that describe one pixel.
func (f PixelFormat) Describe(l *List) {
	l.Short(tag.BitsAllocated, f.allocated)
	l.Short(tag.BitsStored, f.stored)
	l.Short(tag.HighBit, f.stored-1)
	representation := 0
	if f.signed {
		representation = 1
	}
	l.Short(tag.PixelRepresentation, representation)
}

// DescribeData lists the pixel data, padded with a zero to an even length (PS3.5 8.1.1).
func (f PixelFormat) DescribeData(l *List, raw []byte) {
	if len(raw)%2 != 0 {
		raw = append(raw, 0)
	}
	vr := "OW"
	if f.allocated <= 8 {
		vr = "OB" // bytes in both byte orders, never swapped in pairs
	}
	l.Add(tag.PixelData, vr, dicom.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: raw})
}
