package samples

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// A label may differ by up to 0.01 from a whole number, in any type that can hold it. Expected
// labels and indices are by hand.
func TestWholeNumbers(t *testing.T) {
	for _, c := range []struct {
		value float64
		want  uint16
		fault Fault
	}{
		{0, 0, 0}, {1.0001, 1, 0}, {0.9901, 1, 0}, {1.0099, 1, 0}, {65535, 65535, 0}, {65535.005, 65535, 0},
		{-0.005, 0, 0},
		{1.3, 0, FaultFraction}, {1.011, 0, FaultFraction}, {-1, 0, FaultNegative}, {-0.5, 0, FaultNegative},
		{65536, 0, FaultRange},
		{math.NaN(), 0, FaultNaN}, {math.Inf(1), 0, FaultRange}, {math.Inf(-1), 0, FaultNegative},
	} {
		values := make([]float64, 24)
		values[23] = c.value
		var b bytes.Buffer
		if err := binary.Write(&b, binary.BigEndian, values); err != nil {
			t.Fatal(err)
		}
		got, err := NewReader(&b, Array{Kind: Float64, BigEndian: true, Size: []int{2, 3, 4}}).Labels()
		if FaultOf(err) != c.fault {
			t.Errorf("%g: %v", c.value, err)
		}
		if c.fault == FaultNone && (len(got) != 24 || got[23] != c.want) {
			t.Errorf("%g: %v", c.value, got)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "voxel (1, 2, 3): ") {
			t.Errorf("%g: %v", c.value, err)
		}
	}
}

// Chunks are in order and complete for any number of values.
func TestEachLabels(t *testing.T) {
	for _, n := range []int{1, chunk - 1, chunk, chunk + 1, 3*chunk + 7} {
		data := make([]byte, 2*n)
		for v := range n {
			binary.LittleEndian.PutUint16(data[2*v:], uint16(v*7))
		}
		a := Array{Kind: Uint16, Size: []int{n}}
		whole, err := NewReader(bytes.NewReader(data), a).Labels()
		if err != nil {
			t.Fatal(err)
		}
		var parts []uint16
		err = NewReader(bytes.NewReader(data), a).EachLabels(func(first int, labels []uint16) error {
			if first != len(parts) {
				t.Errorf("%d: chunk begins at %d, want %d", n, first, len(parts))
			}
			parts = append(parts, labels...)
			return nil
		})
		if err != nil || !slices.Equal(parts, whole) || whole[n-1] != uint16((n-1)*7) {
			t.Errorf("%d: %d labels, %v", n, len(parts), err)
		}
	}
	stop := errors.New("enough")
	err := NewReader(
		bytes.NewReader(make([]byte, 9)), Array{Kind: Uint8, Size: []int{9}},
	).EachLabels(func(int, []uint16) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}

func TestPatterned(t *testing.T) {
	for _, c := range []struct {
		pattern           string
		first, last, step int
		want              []string // nil where it is none
	}{
		{"s%03d.raw", 9, 11, 1, []string{"s009.raw", "s010.raw", "s011.raw"}},
		{"s%d", 10, 7, -2, []string{"s10", "s8"}},
		{"%2d", 9, 10, 1, []string{" 9", "10"}},
		{"x%1dy", 3, 3, 5, []string{"x3y"}},
		{"s%03d%d", 1, 2, 1, nil}, {"s%s", 1, 2, 1, nil}, {"s", 1, 2, 1, nil}, {"s%", 1, 2, 1, nil},
		{"s%xd", 1, 2, 1, nil}, {"s%-3d", 1, 2, 1, nil},
		{"s%99d", 1, 2, 1, nil}, {"s%d", 1, 2, 0, nil}, {"s%d", 2, 1, 1, nil}, {"s%d", 1, 11, 1, nil},
	} {
		got, ok := patterned(c.pattern, c.first, c.last, c.step, 10)
		if ok != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("%s %d %d %d: %q, %v", c.pattern, c.first, c.last, c.step, got, ok)
		}
	}
}

// A line may be longer than the buffer.
func TestSkipLines(t *testing.T) {
	text := strings.Repeat("x", 3*bufferSize) + "\nsecond\nrest"
	for lines, want := range []string{text, "second\nrest", "rest"} {
		br, _ := Buffered(strings.NewReader(text))
		if err := SkipLines(br, lines); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(br); string(got) != want {
			t.Errorf("%d lines: %d bytes left", lines, len(got))
		}
	}
	if err := SkipLines(bufio.NewReader(strings.NewReader(text)), 3); FaultOf(err) != FaultLength {
		t.Errorf("%v", err)
	}
}
