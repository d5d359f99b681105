package codec

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// markerLSE precedes parameters of JPEG-LS (T.87 C.2.4.1), and lsePresets those of the
// coding (C.2.4.1.1). The other kinds are mapping tables and larger sizes.
const (
	markerLSE  = 0xf8
	lsePresets = 1
)

// jpegLS decodes JPEG-LS (ITU-T T.87) of one component.
type jpegLS struct {
	f       Frame
	frame   jpegFrame
	presets lsPresets
	restart int // rows from one restart to the next, 0 for none
	dst     []byte
}

// errRare means that only the module may be able to decode the frame.
var errRare = errors.New("JPEG-LS: not decoded here")

// decodeJPEGLS decodes a frame of one component. The module decodes rare features: mapping
// tables and the interleaving of one component with itself.
func decodeJPEGLS(f Frame, syntax string, data, dst []byte) error {
	if f.Samples != 1 {
		return decodeForeign(f, syntax, data, dst)
	}
	frame, err := readJPEGFrame(f, syntax, data)
	if err != nil {
		return err
	}
	d := &jpegLS{f: f, frame: frame, dst: dst}
	err = d.decode(data)
	if errors.Is(err, errRare) {
		return decodeForeign(f, syntax, data, dst)
	}
	if err != nil {
		return fmt.Errorf("JPEG-LS: %w", err)
	}
	return nil
}

// decode reads the segments up to the scan, and decodes the scan.
func (d *jpegLS) decode(data []byte) error {
	for rest := data[2:]; ; {
		s, err := nextSegment(rest)
		if err != nil {
			return err
		}
		rest = s.rest
		switch s.marker {
		case markerEOI:
			return errShort
		case markerLSE:
			err = d.readPresets(s.body)
		case markerDRI:
			err = d.readRestart(s.body)
		case markerSOS:
			return d.scan(s)
		}
		if err != nil {
			return err
		}
	}
}

// readRestart reads the restart interval, in rows if a scan has one component, in two to
// four bytes (T.87 C.2.5).
func (d *jpegLS) readRestart(body []byte) error {
	if len(body) < 2 || len(body) > 4 {
		return errors.New("a restart interval of the wrong length")
	}
	d.restart = 0
	for _, b := range body {
		d.restart = d.restart<<8 | int(b)
	}
	return nil
}

// lsPresets are the parameters that a stream may set, 0 for the default (T.87
// C.2.4.1.1).
type lsPresets struct{ maxVal, t1, t2, t3, reset int }

func (d *jpegLS) readPresets(body []byte) error {
	if len(body) == 0 || body[0] != lsePresets {
		return errRare
	}
	if len(body) != 1+5*2 {
		return errors.New("preset parameters of the wrong length")
	}
	word := func(n int) int { return int(binary.BigEndian.Uint16(body[1+2*n:])) }
	d.presets = lsPresets{word(0), word(1), word(2), word(3), word(4)}
	return nil
}

// complete replaces zeros by the defaults for samples of this precision and checks the
// parameters (T.87 C.2.4.1.1.1 and table C.1).
func (p lsPresets) complete(precision, near int) (lsPresets, error) {
	const reset, maxNear = 64, 255
	top := 1<<precision - 1
	p.maxVal = cmp.Or(p.maxVal, top)
	p.reset = cmp.Or(p.reset, reset)
	if p.maxVal > top || near > min(maxNear, p.maxVal/2) {
		return p, fmt.Errorf("MAXVAL %d and NEAR %d for %d bits", p.maxVal, near, precision)
	}
	t := defaultThresholds(p.maxVal, near)
	p.t1, p.t2, p.t3 = cmp.Or(p.t1, t[0]), cmp.Or(p.t2, t[1]), cmp.Or(p.t3, t[2])
	if p.t1 <= near || p.t2 < p.t1 || p.t3 < p.t2 || p.t3 > p.maxVal {
		return p, fmt.Errorf("thresholds %d, %d, %d with MAXVAL %d and NEAR %d", p.t1, p.t2, p.t3, p.maxVal, near)
	}
	if p.reset < 3 || p.reset > max(255, p.maxVal) {
		return p, fmt.Errorf("RESET %d with MAXVAL %d", p.reset, p.maxVal)
	}
	return p, nil
}

// defaultThresholds returns T1, T2 and T3 (T.87 C.2.4.1.1.1).
func defaultThresholds(maxVal, near int) [3]int {
	basic := [3]int{3, 7, 21}
	t := [3]int{}
	before := near + 1
	for n := range t {
		wider := (3 + 2*n) * near
		if maxVal >= 128 {
			factor := (min(maxVal, 4095) + 128) / 256
			t[n] = factor*(basic[n]-2-n) + 2 + n + wider
		} else {
			factor := 256 / (maxVal + 1)
			t[n] = max(2+n, basic[n]/factor+wider)
		}
		if t[n] > maxVal || t[n] < before {
			t[n] = before
		}
		before = t[n]
	}
	return t
}

// scan decodes the frame's only scan (T.87 C.2.3).
func (d *jpegLS) scan(header segment) error {
	b := header.body
	if len(b) != 6 || b[0] != 1 {
		return errors.New("a scan header of the wrong length")
	}
	if b[2] != 0 || b[4] != 0 {
		return errRare // a mapping table, interleaved
	}
	shift := int(b[5] & 15)
	if b[1] != d.frame.components[0] || shift >= d.frame.precision {
		return fmt.Errorf("a scan of component %#x with point transform %d", b[1], shift)
	}
	near := int(b[3])
	p, err := d.presets.complete(d.frame.precision, near)
	if err != nil {
		return err
	}
	s := newLSScan(p, near, d.f.Columns)
	every := d.f.Rows
	if d.restart > 0 {
		every = min(every, d.restart)
	}
	out := lsOutput{jpegLS: d, coding: d.frame.coding(near > 0 || shift > 0), shift: shift}
	coded := header.rest
	for row := 0; row < d.f.Rows; row += every {
		if row > 0 {
			if coded, err = afterRestart(coded, row/every-1); err != nil {
				return err
			}
		}
		n := codedBytes(coded)
		s.start(coded[:n])
		if err := out.rows(s, row, min(every, d.f.Rows-row)); err != nil {
			return err
		}
		coded = coded[n:]
	}
	return nil
}

// codedBytes returns the number of bytes before a marker: 0xff and more than 0x7f (T.87
// A.1).
func codedBytes(data []byte) int {
	for position := 0; ; position++ {
		n := bytes.IndexByte(data[position:], 0xff)
		if n < 0 {
			return len(data)
		}
		if position += n; position+1 < len(data) && data[position+1] > 0x7f {
			return position
		}
	}
}

// lsOutput stores decoded rows.
type lsOutput struct {
	*jpegLS
	coding  coding
	shift   int
	shifted []uint16
}

// rows decodes n rows from the row first on. They must use up the coded bytes.
func (o *lsOutput) rows(s *lsScan, first, n int) error {
	for row := first; row < first+n; row++ {
		if !s.row() {
			return fmt.Errorf("row %d: an invalid code", row)
		}
		if s.bits.left() < 0 {
			return fmt.Errorf("row %d: %w", row, errShort)
		}
		if err := o.put(s.values(), row); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
	}
	// The last byte is padded with zeros, and after 0xff there is one more.
	if left := s.bits.left(); left >= 16 {
		return fmt.Errorf("%d bytes too many", left/8)
	}
	return nil
}

func (o *lsOutput) put(values []uint16, row int) error {
	if o.shift > 0 {
		o.shifted = o.shifted[:0]
		for _, v := range values {
			if bits.Len16(v)+o.shift > o.frame.precision {
				return errors.New("a value with more bits than declared")
			}
			o.shifted = append(o.shifted, v<<o.shift)
		}
		values = o.shifted
	}
	return o.coding.words(o.f, o.dst[row*o.f.Columns*o.f.width():], values)
}
