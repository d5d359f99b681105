package codec_test

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// fuzzFrame returns a small frame from five numbers.
func fuzzFrame(rows, columns, samples, stored, flags uint8) codec.Frame {
	f := codec.Frame{Rows: 1 + int(rows)%64, Columns: 1 + int(columns)%64, Samples: 1 + int(samples)%3, Allocated: 16,
		Stored: 1 + int(stored)%16, Signed: flags&1 != 0}
	switch {
	case flags&2 != 0 && f.Stored <= 8:
		f.Allocated = 8
	case flags&4 != 0:
		f.Allocated, f.Stored, f.Samples, f.Signed = 1, 1, 1, false
	}
	return f
}

// fuzz decodes variants of the seeds in one syntax.
func fuzz(f *testing.F, kind, syntax string) {
	for _, s := range seeds(f) {
		if strings.Contains(s.name, kind) {
			f.Add(uint8(s.frame.Rows-1), uint8(s.frame.Columns-1), uint8(s.frame.Samples-1), uint8(s.frame.Stored-1),
				uint8(0), s.data)
		}
	}
	f.Fuzz(func(t *testing.T, rows, columns, samples, stored, flags uint8, data []byte) {
		attempt(t, seed{"fuzz", syntax, fuzzFrame(rows, columns, samples, stored, flags), nil}, data)
	})
}

func FuzzDecodeRLE(f *testing.F) { fuzz(f, "rle", "1.2.840.10008.1.2.5") }

func FuzzDecodeJPEGLossless(f *testing.F) {
	p := plainJPEG{f: codec.Frame{Rows: 9, Columns: 7, Samples: 3, Allocated: 16, Stored: 16}, predictor: 7, restart: 2,
		apart: true}
	f.Add(uint8(8), uint8(6), uint8(2), uint8(15), uint8(1), p.encode(make([]uint16, 9*7*3)))
	fuzz(f, ".57", "1.2.840.10008.1.2.4.57")
}

// FuzzDecode uses all syntaxes, with the frames of the seeds, which agree with the headers of
// most variants.
func FuzzDecode(f *testing.F) {
	all := seeds(f)
	for i, s := range all {
		f.Add(uint8(i), uint8(s.frame.Stored-1), uint8(0), s.data)
	}
	f.Fuzz(func(t *testing.T, choice, stored, flags uint8, data []byte) {
		s := all[int(choice)%len(all)]
		s.frame.Stored, s.frame.Signed = 1+int(stored)%s.frame.Allocated, flags&1 != 0
		attempt(t, s, data)
		codec.Lossy(s.syntax, data)
	})
}
