package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Markers of JPEG 2000 (ITU-T T.800 table A.2).
const (
	markerSOC = 0xff4f
	markerSIZ = 0xff51
	markerCOD = 0xff52
	markerCOC = 0xff53
	markerSOT = 0xff90
	markerSOP = 0xff91
	markerEPH = 0xff92
	markerSOD = 0xff93
	markerEOC = 0xffd9
)

// jpeg2000Size is the size of a codestream (T.800 A.5.1).
type jpeg2000Size struct {
	tiles  int
	coding coding
}

// codestream returns the codestream in data, which should be all of it (PS3.5 A.4.4). Some
// writers embed a JP2 file instead, in which it is the content of the box jp2c (T.800
// I.5.4).
func codestream(data []byte) ([]byte, error) {
	if len(data) < 4 || binary.BigEndian.Uint32(data) != 12 { // the length of a JP2 file's first box
		return data, nil
	}
	for len(data) >= 8 {
		n, body := uint64(binary.BigEndian.Uint32(data)), 8
		if n == 1 && len(data) >= 16 {
			n, body = binary.BigEndian.Uint64(data[8:]), 16
		}
		if n == 0 {
			n = uint64(len(data))
		}
		if n < uint64(body) || n > uint64(len(data)) {
			break
		}
		if string(data[4:8]) == "jp2c" {
			return data[body:n], nil
		}
		data = data[n:]
	}
	return nil, errors.New("JPEG 2000: a JP2 file without a codestream")
}

// readJPEG2000Size returns the size of a codestream after checking it against f.
func readJPEG2000Size(f Frame, data []byte) (jpeg2000Size, error) {
	const fixed = 36 // bytes before the components
	var h jpeg2000Size
	if len(data) < 6+fixed || binary.BigEndian.Uint16(data) != markerSOC ||
		binary.BigEndian.Uint16(data[2:]) != markerSIZ {
		return h, errors.New("JPEG 2000: no codestream")
	}
	siz := data[6:]
	word := func(position int) int64 { return int64(binary.BigEndian.Uint32(siz[position:])) }
	columns, rows := word(2)-word(10), word(6)-word(14)
	components := int(binary.BigEndian.Uint16(siz[34:]))
	if rows != int64(f.Rows) || columns != int64(f.Columns) || components != f.Samples {
		return h, fmt.Errorf("JPEG 2000: %d rows × %d columns × %d samples in the codestream, %d × %d × %d in the "+
			"data set",
			rows, columns, components, f.Rows, f.Columns, f.Samples)
	}
	if length := int(binary.BigEndian.Uint16(data[4:])); length != fixed+2+3*components ||
		len(siz) < fixed+3*components {
		return h, fmt.Errorf("JPEG 2000: a size segment of %d bytes", length)
	}
	if err := h.readTiles(word); err != nil {
		return h, err
	}
	parts := siz[fixed : fixed+3*components]
	h.coding = coding{precision: int(parts[0]&0x7f) + 1, signed: parts[0]&0x80 != 0}
	for ; len(parts) > 0; parts = parts[3:] {
		if parts[0] != siz[fixed] || parts[1] != 1 || parts[2] != 1 {
			return h, fmt.Errorf("JPEG 2000: components that differ or are subsampled: %w", errors.ErrUnsupported)
		}
	}
	return h, h.coding.agree(f)
}

// readTiles computes the number of tiles. word returns the word at an offset of the size
// segment.
func (h *jpeg2000Size) readTiles(word func(position int) int64) error {
	h.tiles = 1
	for _, position := range []int{2, 6} { // across, then down
		end, tile, origin := word(position), word(position+16), word(position+24)
		if tile == 0 || origin > word(position+8) || origin+tile <= word(position+8) {
			return errors.New("JPEG 2000: tiles that do not begin where the image does")
		}
		h.tiles *= int(min((end-origin+tile-1)/tile, maxTiles+1))
		if h.tiles > maxTiles {
			return fmt.Errorf("JPEG 2000: more than %d tiles", maxTiles)
		}
	}
	return nil
}

// maxTiles is the largest number of tiles (T.800 A.4.2).
const maxTiles = 65535

// jpeg2000Parts is the information in the headers of the image and of its tiles.
type jpeg2000Parts struct {
	styles         int  // number of coding styles
	irreversible   bool // one of them names the irreversible wavelet (T.800 table A.20)
	tiles          map[uint16]bool
	highThroughput bool     // one of them is that of HTJ2K (T.814 A.4)
	marked         bool     // packets may begin with SOP or have an EPH (T.800 table A.13)
	packets        [][]byte // packets of each tile part
	tile           []byte   // the present tile part and everything after it
	length         int      // its length, or 0 if it extends to the end
}

// readJPEG2000Parts walks the headers of a codestream. A truncated tile part is an error,
// which the decoders would tolerate.
func readJPEG2000Parts(data []byte) (jpeg2000Parts, error) {
	p := jpeg2000Parts{tiles: map[uint16]bool{}}
	if len(data) < 2 || binary.BigEndian.Uint16(data) != markerSOC {
		return p, errors.New("JPEG 2000: no codestream")
	}
	for rest := data[2:]; len(rest) >= 2; {
		marker := binary.BigEndian.Uint16(rest)
		if marker == markerEOC {
			return p, nil
		}
		if marker == markerSOD {
			if err := p.keep(rest); err != nil {
				return p, err
			}
			if rest = p.next(); rest == nil {
				return p, nil
			}
			continue
		}
		if len(rest) < 4 {
			break
		}
		n := int(binary.BigEndian.Uint16(rest[2:]))
		if n < 2 || n+2 > len(rest) {
			break
		}
		if err := p.read(marker, rest); err != nil {
			return p, err
		}
		rest = rest[n+2:]
	}
	if p.tile != nil || len(p.tiles) == 0 {
		return p, fmt.Errorf("JPEG 2000: %w", errShort)
	}
	return p, nil // without an end marker, or with padding
}

// keep records the packets of the present tile part, which follow the marker at the
// beginning of rest.
func (p *jpeg2000Parts) keep(rest []byte) error {
	start, end := len(p.tile)-len(rest)+2, len(p.tile)
	if p.length != 0 {
		end = p.length
	}
	if start < 2 || start > end {
		return errors.New("JPEG 2000: an invalid tile part")
	}
	p.packets = append(p.packets, p.tile[start:end])
	return nil
}

// checkPackets checks that no packet contains an impossible byte: FF is followed by at most
// 8F in packet headers (T.800 B.10.1) and in coded bits (C.2.2, D.4.2 and D.6), so that
// markers from FF90 on show damage, though not all of it. The coded bits of HTJ2K differ
// and are not checked.
func (p *jpeg2000Parts) checkPackets() error {
	if p.highThroughput {
		return nil
	}
	for _, b := range p.packets {
		for len(b) > 0 {
			position := bytes.IndexByte(b, 0xff)
			if position < 0 || position == len(b)-1 {
				break
			}
			marker := binary.BigEndian.Uint16(b[position:])
			b = b[position+1:]
			switch {
			case marker < markerSOT:
			case marker == markerEOC:
				// The end, in a tile part without a length or one that includes it.
				b = nil
			case p.marked && marker == markerEPH:
			case p.marked && marker == markerSOP && len(b) >= 5 && b[1] == 0 && b[2] == 4:
				b = b[5:] // its length and the number of the packet
			default:
				return fmt.Errorf("JPEG 2000: %04X in a packet, where no marker may occur", marker)
			}
		}
	}
	return nil
}

// next returns the bytes after the present tile part, or nil if it is the last.
func (p *jpeg2000Parts) next() []byte {
	if p.length == 0 {
		return nil
	}
	rest := p.tile[p.length:]
	p.tile, p.length = nil, 0
	return rest
}

// read reads the segment at the beginning of rest.
func (p *jpeg2000Parts) read(marker uint16, rest []byte) error {
	const (
		shortestPart = 14       // SOT with its marker, and SOD
		inCOD, inCOC = 5 + 4, 6 // offset of the transformation (T.800 A.6.1 and A.6.2)
	)
	body := rest[4 : 2+binary.BigEndian.Uint16(rest[2:])]
	transformation := -1
	switch marker {
	case markerSOT:
		if len(body) != 8 || p.tile != nil {
			return errors.New("JPEG 2000: an invalid tile part")
		}
		p.tile, p.length = rest, int(binary.BigEndian.Uint32(body[2:]))
		p.tiles[binary.BigEndian.Uint16(body)] = true
		if p.length != 0 && p.length < shortestPart {
			return errors.New("JPEG 2000: an invalid tile part")
		}
		if p.length > len(rest) {
			return fmt.Errorf("JPEG 2000: %w", errShort)
		}
	case markerCOD:
		transformation = inCOD
	case markerCOC: // with one component, or up to 256
		transformation = inCOC
	}
	if marker == markerCOD && len(body) > 0 {
		const sop, eph = 2, 4 // T.800 table A.13
		p.marked = p.marked || body[0]&(sop|eph) != 0
	}
	if transformation >= 0 && transformation < len(body) {
		const ht = 0x40 // T.814 table A.3
		p.styles++
		p.highThroughput = p.highThroughput || body[transformation-1]&ht != 0
		p.irreversible = p.irreversible || body[transformation] == 0
	}
	return nil
}

// jpeg2000IsReversible reports whether every wavelet of the codestream is reversible.
func jpeg2000IsReversible(data []byte) (bool, error) {
	data, err := codestream(data)
	if err != nil {
		return false, err
	}
	p, err := readJPEG2000Parts(data)
	switch {
	case p.styles > 0:
		return !p.irreversible, nil // perhaps not of all tiles, if the data end early
	case err == nil:
		err = errors.New("JPEG 2000: no coding style")
	}
	return false, err
}
