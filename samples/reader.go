package samples

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// chunk is the number of voxels that are read and decoded at a time: at most 256 kB of the file,
// which stay in a core's cache.
const chunk = 32 << 10

// firstCapacity is the number of voxels for which memory is allocated on the header's word alone.
// likelyCapacity, which is enough for a knee, is the number if the file is long enough to hold
// them. Above that, memory doubles as data arrive.
const (
	firstCapacity  = 1 << 20
	likelyCapacity = 1 << 23
)

// mostDeflated is the highest compression ratio of deflate (zlib's technical notes: 1032 to 1).
const mostDeflated = 1032

// wholeTolerance is the largest difference of a label from a whole number. NIfTI's scl_slope and
// scl_inter are float32, whose rounding (2⁻²⁴ of the value, twice) changes the highest label,
// 65535, by 0.008. An interpolated label differs by more.
const wholeTolerance = 0.01

// Array describes how the voxels of a file are stored.
type Array struct {
	Kind      Kind
	BigEndian bool
	// Text reports that the stream holds decimal numbers between blanks instead.
	Text bool
	// Slope and Inter convert stored numbers to values: value = Slope·stored + Inter. Slope 0 means
	// that values are stored unscaled.
	Slope, Inter float64
	// Size is the number of values along the axes of the array, the fastest first. Their
	// product fits into an int.
	Size []int
	// Trusted reports that the caller expects an array of this size, so that all memory is
	// allocated at once. Otherwise memory grows with the data. Length is a hint for that: the bytes
	// of a file that is held in memory, or 0.
	Trusted bool
	Length  int
}

// voxels returns the product of the sizes.
func (a Array) voxels() int {
	n := 1
	for _, s := range a.Size {
		n *= s
	}
	return n
}

// index names the v-th value by its indices, as (i, j, k).
func (a Array) index(v int) string {
	parts := make([]string, len(a.Size))
	for d, s := range a.Size {
		parts[d] = fmt.Sprint(v % s)
		v /= s
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// Reader reads the values of an array from a stream that begins with the first of them.
type Reader struct {
	Array
	source io.Reader
	raw    []byte    // one chunk of the stream
	values []float64 // one chunk, decoded, if needed
	words  words
}

// NewReader returns a reader of the array that the stream holds.
func NewReader(source io.Reader, a Array) *Reader {
	r := &Reader{Array: a, source: source}
	m := min(chunk, a.voxels())
	r.values = make([]float64, m)
	if a.Text {
		r.words.r = source
	} else {
		r.raw = make([]byte, m*a.Kind.Size())
	}
	return r
}

// capacity returns the number of voxels for which memory is allocated at first.
func (r *Reader) capacity() int {
	n := r.voxels()
	if r.Trusted {
		return n
	}
	return min(n, max(firstCapacity, min(r.Length*mostDeflated/r.Kind.Size(), likelyCapacity)))
}

// next reads the next n ≤ chunk values and returns them as little endian. done values were read
// before.
func (r *Reader) next(n, done int) ([]byte, error) {
	size := r.Kind.Size()
	raw := r.raw[:n*size]
	switch got, err := io.ReadFull(r.source, raw); {
	case FaultOf(err) == FaultDataFile:
		return nil, err // the file could not be opened
	case err != nil:
		return nil, Mark(StreamFault(err), fmt.Errorf("data: %d of %d bytes: %w",
			int64(done)*int64(size)+int64(got), int64(r.voxels())*int64(size), Unexpected(err)))
	}
	if r.BigEndian {
		swap(raw, size)
	}
	return raw, nil
}

// decoded reads the next n ≤ chunk values, with slope and intercept applied.
func (r *Reader) decoded(n, done int) ([]float64, error) {
	values := r.values[:n]
	if r.Text {
		if err := r.words.numbers(values, done, r.voxels()); err != nil {
			return nil, err
		}
	} else {
		raw, err := r.next(n, done)
		if err != nil {
			return nil, err
		}
		r.Kind.decode(values, raw)
	}
	r.scale(values)
	return values, nil
}

// scaled reports whether stored numbers differ from the values.
func (r *Reader) scaled() bool { return r.Slope != 0 && (r.Slope != 1 || r.Inter != 0) }

// scale applies slope and intercept.
func (r *Reader) scale(values []float64) {
	if !r.scaled() {
		return
	}
	for i, v := range values {
		// The conversion prevents fusing product and sum, so that every machine computes the same
		// bits.
		values[i] = float64(r.Slope*v) + r.Inter
	}
}

// Float32 reads the array as magnitudes, rounded to float32. Values that are not finite are kept.
func (r *Reader) Float32() ([]float32, error) {
	n := r.voxels()
	out := make([]float32, 0, r.capacity())
	for done := 0; done < n; done = len(out) {
		values, err := r.decoded(min(chunk, n-done), done)
		if err != nil {
			return nil, err
		}
		out = extend(out, len(values), n)
		for i, v := range values {
			out[done+i] = float32(v)
		}
	}
	return out, nil
}

// Labels reads the array as labels: whole numbers of 0 to 65535, in any storage.
//
// A value that is negative, fractional (by more than 0.01), not a number or above 65535 is an error
// that names the first such voxel (i, j, k) and its value. It is an error too if the stream ends
// early; End checks that it does not continue.
func (r *Reader) Labels() ([]uint16, error) {
	n := r.voxels()
	out := make([]uint16, 0, r.capacity())
	for done := 0; done < n; done = len(out) {
		m := min(chunk, n-done)
		out = extend(out, m, n)
		if err := r.labels(out[done:], done); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// EachLabels reads the array as Labels does, and calls use for each chunk, with the index of its
// first value. The chunk is valid until use returns. EachLabels stops at the first error of use.
func (r *Reader) EachLabels(use func(first int, labels []uint16) error) error {
	n := r.voxels()
	out := make([]uint16, min(chunk, n))
	for done := 0; done < n; {
		m := min(chunk, n-done)
		clear(out)
		if err := r.labels(out[:m], done); err != nil {
			return err
		}
		if err := use(done, out[:m]); err != nil {
			return err
		}
		done += m
	}
	return nil
}

// labels reads the next len(dst) ≤ chunk values as labels into dst, which is all zero. The usual
// kinds have a fast path.
func (r *Reader) labels(dst []uint16, done int) error {
	var values []float64
	var err error
	if r.Text {
		values, err = r.decoded(len(dst), done)
	} else {
		var raw []byte
		if raw, err = r.next(len(dst), done); err == nil && r.whole(dst, raw) {
			return nil
		}
		if err == nil {
			values = r.values[:len(dst)]
			r.Kind.decode(values, raw)
			r.scale(values)
		}
	}
	if err != nil {
		return err
	}
	for i, v := range values {
		whole := math.Round(v)
		if !(whole >= 0 && whole <= math.MaxUint16 && math.Abs(v-whole) <= wholeTolerance) {
			return r.badLabel(done+i, v)
		}
		dst[i] = uint16(whole)
	}
	return nil
}

// whole converts kinds that hold only labels into dst, which is all zero, and reports whether it
// did. Most of a mask is background, where dst is not even touched.
func (r *Reader) whole(dst []uint16, raw []byte) bool {
	switch {
	case r.scaled():
	case r.Kind == Uint8:
		for len(raw) >= 8 {
			if binary.LittleEndian.Uint64(raw) != 0 {
				for i, v := range (*[8]byte)(raw) {
					(*[8]uint16)(dst)[i] = uint16(v)
				}
			}
			raw, dst = raw[8:], dst[8:]
		}
		for i, v := range raw {
			dst[i] = uint16(v)
		}
		return true
	case r.Kind == Uint16, r.Kind == Int16:
		var all uint16
		for i := range dst {
			dst[i] = binary.LittleEndian.Uint16(raw[2*i:])
			all |= dst[i]
		}
		return r.Kind == Uint16 || all < 1<<15
	}
	return false
}

// badLabel returns the error of a value at voxel v that is not a label.
func (r *Reader) badLabel(v int, value float64) error {
	reason, kind := "not a whole number", FaultFraction
	switch {
	case math.IsNaN(value):
		reason, kind = "not a number", FaultNaN
	case value < 0:
		reason, kind = "negative", FaultNegative
	case value > math.MaxUint16:
		reason, kind = "above 65535", FaultRange
	}
	return Mark(kind, fmt.Errorf("voxel %s: %.9g is not a label: %s", r.index(v), value, reason))
}

// End returns an error if the stream continues after the declared data, which the message describes
// by declared. gzip and zlib verify their checksums when the end is reached.
func (r *Reader) End(declared string) error {
	if r.Text {
		return r.words.end(declared)
	}
	var one [1]byte
	n, err := io.ReadFull(r.source, one[:])
	switch {
	case n > 0:
		return Mark(FaultLength, fmt.Errorf("data: more than %s", declared))
	case !errors.Is(err, io.EOF):
		return Mark(StreamFault(err), fmt.Errorf("data: %w", err))
	}
	return nil
}

// extend lengthens s by m elements; its capacity doubles up to n. So memory is at most twice that
// of the data that arrived.
func extend[T any](s []T, m, n int) []T {
	if cap(s)-len(s) < m {
		grown := make([]T, len(s), min(n, max(2*cap(s), len(s)+m)))
		copy(grown, s)
		s = grown
	}
	return s[:len(s)+m]
}
