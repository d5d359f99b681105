package dicomwrite

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
)

// pixelFormat is how whole numbers are stored in pixel data.
type pixelFormat struct {
	allocated, stored int
	signed            bool
}

// newPixelFormat fills in what 0 means: 16 bits, and all of those allocated.
func newPixelFormat(allocated, stored int, signed bool) pixelFormat {
	if allocated == 0 {
		allocated = 16
	}
	if stored == 0 {
		stored = allocated
	}
	return pixelFormat{allocated: allocated, stored: stored, signed: signed}
}

// check returns an error where as many bits are not allowed, or do not hold
// what is stored.
func (f pixelFormat) check(allowed ...int) error {
	if !slices.Contains(allowed, f.allocated) {
		return fmt.Errorf("BitsAllocated: got %d, want %d or %d", f.allocated, allowed[0], allowed[len(allowed)-1])
	}
	if f.stored < 1 || f.stored > f.allocated {
		return fmt.Errorf("BitsStored: got %d, want 1 to %d", f.stored, f.allocated)
	}
	return nil
}

// pack appends the pixels to raw, in 8 or 16 bits and the byte order of the
// file. Errors: a value that the stored bits do not hold.
func (f pixelFormat) pack(raw []byte, pixels []int32, order binary.ByteOrder) ([]byte, error) {
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
	case order == binary.BigEndian:
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

// describe lists the part of the image pixel module that is about one pixel.
func (f pixelFormat) describe(l *attributeList) {
	l.short(tag.BitsAllocated, f.allocated)
	l.short(tag.BitsStored, f.stored)
	l.short(tag.HighBit, f.stored-1)
	representation := 0
	if f.signed {
		representation = 1
	}
	l.short(tag.PixelRepresentation, representation)
}

// describeData lists the pixel data, with a zero byte at the end where their
// number would be odd (PS3.5 8.1.1).
func (f pixelFormat) describeData(l *attributeList, raw []byte) {
	if len(raw)%2 != 0 {
		raw = append(raw, 0)
	}
	vr := "OW"
	if f.allocated <= 8 {
		vr = "OB" // bytes in both byte orders, never swapped in pairs
	}
	l.add(tag.PixelData, vr, dicom.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: raw})
}
