package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// lossless decodes lossless JPEG with Huffman codes, process 14 (ITU-T T.81 annex H).
type lossless struct {
	f       Frame
	frame   jpegFrame
	tables  [4]*huffman
	restart int // samples of each component between restarts, or 0
	done    uint
	dst     []byte
}

// decodeLossless decodes a frame with one scan of all components or one scan for each.
func decodeLossless(f Frame, syntax string, data, dst []byte) error {
	frame, err := readJPEGFrame(f, syntax, data)
	if err != nil {
		return err
	}
	for c := frame.components; len(c) > 3 || len(c) == 3 && f.Samples > 1; c = c[3:] {
		if c[1] != 0x11 {
			return fmt.Errorf("JPEG: subsampled components: %w", errors.ErrUnsupported)
		}
	}
	d := &lossless{f: f, frame: frame, dst: dst}
	for rest := data[2:]; d.done != 1<<f.Samples-1; {
		s, err := nextSegment(rest)
		if err != nil {
			return err
		}
		rest = s.rest
		switch s.marker {
		case markerEOI:
			return fmt.Errorf("JPEG: %w", errShort)
		case markerDHT:
			err = d.readTables(s.body)
		case markerDRI:
			if len(s.body) != 2 {
				return errors.New("JPEG: a restart interval of the wrong length")
			}
			d.restart = int(binary.BigEndian.Uint16(s.body))
		case markerSOS:
			if err = d.scan(s); err == nil {
				rest = skipScan(rest)
			}
		}
		if err != nil {
			return fmt.Errorf("JPEG: %w", err)
		}
	}
	return nil
}

// readTables reads the Huffman tables of a segment (T.81 B.2.4.2). Those for AC
// coefficients, which lossless frames do not have, are skipped.
func (d *lossless) readTables(body []byte) error {
	for len(body) > 0 {
		class, tableIndex := body[0]>>4, body[0]&15
		if class > 1 || tableIndex > 3 {
			return fmt.Errorf("an invalid Huffman table %#x", body[0])
		}
		if class == 1 {
			n := 1 + maxCode
			for _, count := range body[1:min(n, len(body))] {
				n += int(count)
			}
			body = body[min(n, len(body)):]
			continue
		}
		h, n, err := newHuffman(body[1:])
		if err != nil {
			return err
		}
		d.tables[tableIndex], body = h, body[1+n:]
	}
	return nil
}

// scan is the header of a scan (T.81 B.2.3) and the state of its decoding.
type scan struct {
	first     int // component
	tables    []*huffman
	predictor byte
	shift     uint // the point transform
	start     uint16
	cur, prev []uint16 // a row, with the components of a pixel side by side
}

func (d *lossless) newScan(body []byte) (*scan, error) {
	if len(body) < 1 || len(body) != 4+2*int(body[0]) {
		return nil, errors.New("a scan header of the wrong length")
	}
	n := int(body[0])
	s := &scan{predictor: body[1+2*n], shift: uint(body[3+2*n] & 15)}
	if n != 1 && n != d.f.Samples || n == 0 {
		return nil, fmt.Errorf("a scan of %d of %d components: %w", n, d.f.Samples, errors.ErrUnsupported)
	}
	if s.predictor < 1 || s.predictor > 7 || int(s.shift) >= d.frame.precision {
		return nil, fmt.Errorf("invalid predictor %d or point transform %d", s.predictor, s.shift)
	}
	for k := range n {
		c := d.component(body[1+2*k])
		if k == 0 {
			s.first = c
		}
		if c != s.first+k || c < 0 || d.done>>c&1 != 0 {
			return nil, fmt.Errorf("component %#x appears twice or is not in the frame", body[1+2*k])
		}
		d.done |= 1 << c
		table := body[2+2*k] >> 4
		if table > 3 || d.tables[table] == nil {
			return nil, fmt.Errorf("no Huffman table %d", table)
		}
		s.tables = append(s.tables, d.tables[table])
	}
	s.start = 1 << (d.frame.precision - int(s.shift) - 1)
	s.cur, s.prev = make([]uint16, n*d.f.Columns), make([]uint16, n*d.f.Columns)
	return s, nil
}

// component returns the index of the component with this name, or -1.
func (d *lossless) component(name byte) int {
	for c := range d.f.Samples {
		if d.frame.components[3*c] == name {
			return c
		}
	}
	return -1
}

// scan decodes the scan that begins with this segment.
func (d *lossless) scan(header segment) error {
	s, err := d.newScan(header.body)
	if err != nil {
		return err
	}
	every := d.f.Rows
	if d.restart > 0 {
		if d.restart%d.f.Columns != 0 {
			return fmt.Errorf("a restart every %d samples, not whole rows of %d", d.restart, d.f.Columns) // T.81 H.1.1
		}
		every = d.restart / d.f.Columns
	}
	var bits bitReader
	coded, buf := header.rest, make([]byte, 0, len(header.rest))
	for row := range d.f.Rows {
		if row%every == 0 {
			if row > 0 {
				if coded, err = afterRestart(coded, row/every-1); err != nil {
					return err
				}
			}
			var n int
			buf, n = unstuff(buf[:0], coded)
			bits, coded = bitReader{data: buf}, coded[n:]
		}
		if !s.differences(&bits) {
			return fmt.Errorf("row %d: an invalid code", row)
		}
		if bits.left() < 0 {
			return fmt.Errorf("row %d: %w", row, errShort)
		}
		s.undo(row%every == 0)
		if err := d.put(s, row); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		s.cur, s.prev = s.prev, s.cur
	}
	return nil
}

// unstuff appends the coded bytes up to the next marker to dst, each 0xff without the 0
// after it (T.81 B.1.1.5), and returns their number in src.
func unstuff(dst, src []byte) ([]byte, int) {
	position := 0
	for {
		n := bytes.IndexByte(src[position:], 0xff)
		if n < 0 {
			return append(dst, src[position:]...), len(src)
		}
		end := position + n
		if end+1 >= len(src) || src[end+1] != 0 {
			return append(dst, src[position:end]...), end
		}
		dst = append(dst, src[position:end+1]...)
		position = end + 2
	}
}

// afterRestart returns the bytes after the restart marker at the beginning of coded, which
// must be the n-th, from 0.
func afterRestart(coded []byte, n int) ([]byte, error) {
	s, err := nextSegment(coded)
	if err != nil {
		return nil, err
	}
	if s.marker != markerRST0+byte(n%8) {
		return nil, fmt.Errorf("restart %d is missing", n)
	}
	return s.rest, nil
}

// differences reads a row of differences.
func (s *scan) differences(bits *bitReader) bool {
	if len(s.tables) == 1 {
		return bits.differences(s.cur, s.tables[0])
	}
	ok := true
	for i := 0; i < len(s.cur); {
		for _, table := range s.tables {
			ok = bits.differences(s.cur[i:i+1], table) && ok
			i++
		}
	}
	return ok
}

// undo adds the predictions to a row of differences, modulo 2¹⁶ (T.81 H.1.2.1 and table
// H.1). The first row, also after a restart, has no row above it.
func (s *scan) undo(first bool) {
	n := len(s.tables)
	cur, prev := s.cur, s.prev[:len(s.cur)]
	predictor := s.predictor
	for k := range n {
		if first {
			cur[k] += s.start
		} else {
			cur[k] += prev[k]
		}
	}
	if first {
		predictor = 1
	}
	if n == 1 && predictor == 1 {
		left := cur[0]
		for i := 1; i < len(cur); i++ {
			left += cur[i]
			cur[i] = left
		}
		return
	}
	undoRow(cur, prev, n, predictor)
}

// undoRow adds predictions from the second pixel on; the left neighbour of a sample is n
// before it.
func undoRow(cur, prev []uint16, n int, predictor byte) {
	for i := n; i < len(cur); i++ {
		a, b, c := int(cur[i-n]), int(prev[i]), int(prev[i-n])
		switch predictor {
		case 1:
			b = a
		case 3:
			b = c
		case 4:
			b = a + b - c
		case 5:
			b = a + (b-c)>>1
		case 6:
			b += (a - c) >> 1
		case 7:
			b = (a + b) >> 1
		}
		cur[i] += uint16(b)
	}
}

// put stores a decoded row.
func (d *lossless) put(s *scan, row int) error {
	all := uint16(0)
	for _, v := range s.cur {
		all |= v
	}
	if uint64(all)<<s.shift>>d.frame.precision != 0 {
		return errors.New("a value with more bits than declared")
	}
	values := s.cur
	if s.shift > 0 {
		values = make([]uint16, len(s.cur))
		for i, v := range s.cur {
			values[i] = v << s.shift
		}
	}
	c := d.frame.coding(false)
	width := d.f.width()
	if len(s.tables) == d.f.Samples {
		return c.words(d.f, d.dst[row*len(s.cur)*width:], values)
	}
	for i := range values {
		position := ((row*d.f.Columns+i)*d.f.Samples + s.first) * width
		if err := c.words(d.f, d.dst[position:], values[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}
