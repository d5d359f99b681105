package codec

import (
	"encoding/binary"
	"fmt"
)

// coding is how a codestream holds the values of a frame: numbers of precision bits,
// rounded where lossy.
//
// Encoders differ in the precision they write for the same pixels of 12 bits in 16,
// as met in real files: GDCM writes the allocated bits, 16, in every JPEG; dcmtk
// writes the stored ones, 12; both are what PS3.5 8.2 allows or puts up with. JPEG
// knows no signs, so that signed values are coded as words: 1 less than 0 is 0xfff,
// or 0xffff where the encoder did not take the bits above the stored ones away. JPEG
// 2000 has a sign in its header, which some encoders leave out.
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
	case c.signed:
		return v, int32(int16(w)) == v
	case w&^mask == 0:
		return v, true
	case f.Signed: // extended by the encoder up to its precision
		return v, uint16(v)&uint16(1<<c.precision-1) == w
	case c.lossy: // rounding went beyond the largest value
		return int32(mask), true
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
