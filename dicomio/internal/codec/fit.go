package codec

import (
	"encoding/binary"
	"fmt"
)

// coding is how a codestream holds the values of a frame: numbers of precision bits,
// rounded where lossy.
//
// Of 12 bits in 16, dcmtk 3.6.7 and GDCM 3.0.21 code all 16, in lossless JPEG, in
// JPEG-LS and in JPEG 2000, and so do the encoders of the Siemens and pydicom test
// files; only dcmtk's near-lossless JPEG-LS and the lossy JPEG of both code 12. JPEG
// knows no signs, so that signed values are coded as words: -1 is 0xffff, or 0x0fff
// where an encoder takes the bits above the stored ones away. JPEG 2000 has a sign in
// its header, which some encoders leave out.
type coding struct {
	precision     int
	signed, lossy bool
}

// agree asks that values of this coding can be told to be those of f.
func (c coding) agree(f Frame) error {
	switch {
	case c.precision > f.width()*8:
		return fmt.Errorf("%d bits per sample in the codestream, %d allocated", c.precision, f.Allocated)
	case f.Signed && !c.signed && c.precision < f.Stored:
		// Whether the highest bit of so few is a sign, no one says.
		return fmt.Errorf("%d unsigned bits per sample in the codestream for %d signed bits stored", c.precision, f.Stored)
	}
	return nil
}

// value returns the number that a codestream's word w is, and whether it fits the
// stored bits. w is two's complement in 16 bits where the codestream is signed.
func (c coding) value(f Frame, w uint16) (int32, bool) {
	mask, sign := f.mask(), f.sign()
	v := (int32(w&mask) ^ sign) - sign
	switch {
	case c.signed && int32(int16(w)) == v:
		return v, true
	case !c.signed && (w&^mask == 0 || f.Signed && uint16(v)&uint16(1<<c.precision-1) == w):
		return v, true // as it is, or extended by the encoder up to its precision
	case c.lossy && (c.signed || !f.Signed):
		// Rounding went beyond the range. Words of signed values cannot be told.
		n := int32(w)
		if c.signed {
			n = int32(int16(w))
		}
		return min(max(n, -sign), int32(mask)-sign), true
	}
	return v, false
}

// words puts the values of src into dst, which has room for as many.
func (c coding) words(f Frame, dst []byte, src []uint16) error {
	wide := f.width() == 2
	if wide && (!c.signed && !f.Signed || f.Signed && f.Stored == bitsOfWidestSample) {
		// Words as they are, if they fit; see agree.
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
