package elements

import (
	"encoding/binary"
	"fmt"
	"io"
)

// OffsetTable returns the extended offset table or, if it is absent, the basic one, or nil.
// Offsets are relative to the item of the first fragment.
func (o *Outline) OffsetTable(frames int) ([]int64, error) {
	basic := o.Fragments[0]
	offset, n, width := o.offsets.Value, o.offsets.Length, int64(8)
	if n == 0 {
		offset, n, width = basic.Offset, basic.Length, 4
	}
	switch {
	case n == 0:
		return nil, nil
	case n != width*int64(frames):
		return nil, fmt.Errorf("its offset table has %d bytes for %d frames", n, frames)
	}
	table := make([]byte, n)
	if _, err := o.Body.ReadAt(table, offset); err != nil && err != io.EOF {
		return nil, err
	}
	offsets := make([]int64, frames)
	for i := range offsets {
		if width == 8 {
			offsets[i] = int64(binary.LittleEndian.Uint64(table[8*i:]))
		} else {
			offsets[i] = int64(binary.LittleEndian.Uint32(table[4*i:]))
		}
	}
	return offsets, nil
}
