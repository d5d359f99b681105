package codec_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// Transfer syntaxes of HTJ2K.
const (
	htLossless = "1.2.840.10008.1.2.4.201"
	htRPCL     = "1.2.840.10008.1.2.4.202"
	htLossy    = "1.2.840.10008.1.2.4.203"
)

// wave returns an image with a slope, folds and noise, as in testdata/htj2k.py.
func wave(f codec.Frame) []byte {
	out := make([]byte, 0, f.Rows*f.Columns*2)
	state := uint32(1)
	for y := range f.Rows {
		for x := range f.Columns {
			state = state*1664525 + 1013904223
			v := (3*x*y + 40*x + 25*y + int(state>>27)) & (1<<f.Stored - 1)
			if f.Signed {
				v -= 1 << (f.Stored - 1)
			}
			if f.Allocated == 8 {
				out = append(out, byte(v))
			} else {
				out = binary.LittleEndian.AppendUint16(out, uint16(v))
			}
		}
	}
	return out
}

// Codestreams of other encoders than the module's own, see testdata/htj2k.py.
func TestHTJ2K(t *testing.T) {
	for _, c := range []struct {
		name, syntax string
		frame        codec.Frame
		deviation    int // at most
	}{
		{"openjph-8u-40x56", htLossless, codec.Frame{Rows: 40, Columns: 56, Samples: 1, Allocated: 8, Stored: 8}, 0},
		{"openjph-16u-33x47", htLossless, codec.Frame{Rows: 33, Columns: 47, Samples: 1, Allocated: 16, Stored: 16}, 0},
		{"openjph-16s-64x48", htLossless, codec.Frame{Rows: 64, Columns: 48, Samples: 1, Allocated: 16, Stored: 16,
			Signed: true}, 0},
		{"ojph_compress-LRCP-12u-64x48", htLossless, codec.Frame{Rows: 64, Columns: 48, Samples: 1, Allocated: 16,
			Stored: 12}, 0},
		{"ojph_compress-RPCL-12u-64x48", htRPCL, codec.Frame{Rows: 64, Columns: 48, Samples: 1, Allocated: 16,
			Stored: 12}, 0},
		// OpenJPH 0.26.3 and OpenJPEG 2.5.4 deviate as much.
		{"openjph-lossy-16u-64x48", htLossy, codec.Frame{Rows: 64, Columns: 48, Samples: 1, Allocated: 16, Stored: 16},
			36},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", c.name+".j2c"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := codec.Decode(c.syntax, c.frame, data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if deviation := farthest(c.frame, got, wave(c.frame)); deviation > c.deviation {
				t.Errorf("off by %d", deviation)
			}
			if lossy := codec.Lossy(c.syntax, data); lossy != (c.deviation > 0) {
				t.Errorf("lossy: %v", lossy)
			}
		})
	}
}

// farthest returns the largest difference between two frames.
func farthest(f codec.Frame, a, b []byte) int {
	most := 0
	for i := range f.Rows * f.Columns * f.Samples {
		d := valueAt(f, a, i) - valueAt(f, b, i)
		most = max(most, d, -d)
	}
	return most
}

// valueAt returns the i-th value of a frame.
func valueAt(f codec.Frame, frame []byte, i int) int {
	switch {
	case f.Allocated <= 8 && f.Signed:
		return int(int8(frame[i]))
	case f.Allocated <= 8:
		return int(frame[i])
	case f.Signed:
		return int(int16(binary.LittleEndian.Uint16(frame[2*i:])))
	}
	return int(binary.LittleEndian.Uint16(frame[2*i:]))
}
