package codec

import (
	"encoding/binary"
	"fmt"
)

// coding describes how a codestream stores the values of a frame: as numbers of precision
// bits, rounded if lossy.
//
// Of 12 bits in 16, dcmtk 3.6.7 and GDCM 3.0.21 code all 16 in lossless JPEG, JPEG-LS and
// JPEG 2000, and so do the encoders of the Siemens and pydicom test files. Only the
// near-lossless JPEG-LS of dcmtk and the lossy JPEG of both code 12. JPEG has no signs, so
// that signed values are coded as words: -1 is 0xffff, or 0x0fff if an encoder removes the
// bits above the stored ones. JPEG 2000 has a sign in its header, which some encoders omit.
type coding struct {
	precision     int
	signed, lossy bool
}

// agree checks that values in this coding can be converted to those of f.
func (c coding) agree(f Frame) error {
	switch {
	case c.precision > f.width()*8:
		return fmt.Errorf("%d bits per sample in the codestream, %d allocated", c.precision, f.Allocated)
	case f.Signed && !c.signed && c.precision < f.Stored:
		// It is not known whether the highest bit of so few is a sign.
		return fmt.Errorf("%d unsigned bits per sample in the codestream for %d signed bits stored", c.precision,
			f.Stored)
	}
	return nil
}

// value returns the number that a word w of the codestream stands for, and whether it fits
// the stored bits. w is in two's complement in 16 bits if the codestream is signed.
func (c coding) value(f Frame, w uint16) (int32, bool) {
	mask, sign := f.mask(), f.sign()
	v := (int32(w&mask) ^ sign) - sign
	switch {
	case c.signed && int32(int16(w)) == v:
		return v, true
	case !c.signed && (w&^mask == 0 || f.Signed && uint16(v)&uint16(1<<c.precision-1) == w):
		return v, true // unchanged, or extended by the encoder up to its precision
	case c.lossy && (c.signed || !f.Signed):
		// Rounding exceeded the range. This cannot be told for words of signed values.
		n := int32(w)
		if c.signed {
			n = int32(int16(w))
		}
		return min(max(n, -sign), int32(mask)-sign), true
	}
	return v, false
}

// words stores the values of src in dst, which must have room for them.
func (c coding) words(f Frame, dst []byte, src []uint16) error {
	wide := f.width() == 2
	if wide && (!c.signed && !f.Signed || f.Signed && f.Stored == bitsOfWidestSample) {
		// Unchanged words, if they fit; see agree.
		dst = dst[:2*len(src)]
		all := uint16(0)
		for i, w := range src {
			all |= w
			binary.LittleEndian.PutUint16(dst[2*i:2*i+2], w)
		}
		if all&^f.mask() == 0 {
			return nil
		}
	}
	for i, w := range src {
		v, fits := c.value(f, w)
		if !fits {
			return c.misfit(f, w)
		}
		if wide {
			binary.LittleEndian.PutUint16(dst[2*i:], uint16(v))
		} else {
			dst[i] = byte(v)
		}
	}
	return nil
}

func (c coding) misfit(f Frame, w uint16) error {
	n := int(w)
	if c.signed {
		n = int(int16(w))
	}
	kind := "unsigned"
	if f.Signed {
		kind = "signed"
	}
	return fmt.Errorf("the value %d in the codestream does not fit %d %s bits stored", n, f.Stored, kind)
}
