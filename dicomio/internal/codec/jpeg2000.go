package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Markers of JPEG 2000 (ITU-T T.800 table A.2).
const (
	markerSOC = 0xff4f
	markerCAP = 0xff50
	markerSIZ = 0xff51
	markerCOD = 0xff52
	markerCOC = 0xff53
	markerSOT = 0xff90
	markerSOD = 0xff93
	markerEOC = 0xffd9
)

// jpeg2000Size is the image and tile size of a codestream (T.800 A.5.1).
type jpeg2000Size struct {
	rows, columns, components int
	coding                    coding
}

// codestream returns the codestream in data, which should be all of it (PS3.5
// A.4.4). Some writers embed a JP2 file instead: then it is the contents of the box
// jp2c (T.800 I.5.4).
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

// readJPEG2000Size returns the size of a codestream, having asked that it is that of f.
func readJPEG2000Size(f Frame, data []byte) (jpeg2000Size, error) {
	const fixed = 36 // bytes up to the components
	var h jpeg2000Size
	if len(data) < 6+fixed || binary.BigEndian.Uint16(data) != markerSOC || binary.BigEndian.Uint16(data[2:]) != markerSIZ {
		return h, errors.New("JPEG 2000: no codestream")
	}
	siz := data[6:]
	word := func(at int) int64 { return int64(binary.BigEndian.Uint32(siz[at:])) }
	columns, rows := word(2)-word(10), word(6)-word(14)
	components := int(binary.BigEndian.Uint16(siz[34:]))
	if rows != int64(f.Rows) || columns != int64(f.Columns) || components != f.Samples {
		return h, fmt.Errorf("JPEG 2000: %d rows × %d columns × %d samples in the codestream, %d × %d × %d in the data set",
			rows, columns, components, f.Rows, f.Columns, f.Samples)
	}
	if length := int(binary.BigEndian.Uint16(data[4:])); length != fixed+2+3*components || len(siz) < fixed+3*components {
		return h, fmt.Errorf("JPEG 2000: a size of %d bytes", length)
	}
	h.rows, h.columns, h.components = f.Rows, f.Columns, f.Samples
	parts := siz[fixed : fixed+3*components]
	h.coding = coding{precision: int(parts[0]&0x7f) + 1, signed: parts[0]&0x80 != 0}
	for ; len(parts) > 0; parts = parts[3:] {
		if parts[0] != siz[fixed] || parts[1] != 1 || parts[2] != 1 {
			return h, fmt.Errorf("JPEG 2000: components that differ or are subsampled: %w", errors.ErrUnsupported)
		}
	}
	return h, h.coding.agree(f)
}

// jpeg2000IsReversible says whether every wavelet that the codestream names is the
// reversible one (T.800 tables A.13 and A.20), in the headers of the image and of
// its tiles.
func jpeg2000IsReversible(data []byte) (bool, error) {
	data, err := codestream(data)
	if err != nil {
		return false, err
	}
	if len(data) < 2 || binary.BigEndian.Uint16(data) != markerSOC {
		return false, errors.New("JPEG 2000: no codestream")
	}
	named := false
	var tile []byte // the present tile part from its beginning on, nil before the first
	length := 0     // of the tile part, 0 where it goes on to the end
	for rest := data[2:]; len(rest) >= 4; {
		marker, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if marker == markerSOD || marker == markerEOC {
			if marker == markerEOC || length < 12 || length > len(tile) {
				break // the last
			}
			rest, tile, length = tile[length:], nil, 0
			continue
		}
		if n < 2 || n+2 > len(rest) {
			return false, fmt.Errorf("JPEG 2000: %w", errShort)
		}
		body := rest[4 : n+2]
		switch {
		case marker == markerSOT && len(body) == 8:
			tile, length = rest, int(binary.BigEndian.Uint32(body[2:]))
		case marker == markerCOD && len(body) >= 10 || marker == markerCOC && len(body) >= 7:
			named = true
			if !reversible(marker, body) {
				return false, nil
			}
		}
		rest = rest[n+2:]
	}
	if !named {
		return false, errors.New("JPEG 2000: no coding style")
	}
	return true, nil
}

// reversible says whether a coding style names the wavelet 5-3. The transformation is
// the fifth byte of the parameters that COD has after five others, and COC after two,
// or three with more than 256 components, which no frame has.
func reversible(marker uint16, body []byte) bool {
	at := 5 + 4
	if marker == markerCOC {
		at = 2 + 4
	}
	return body[at] == 1
}
