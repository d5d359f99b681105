package codec_test

import (
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// Decoded bytes per second, of a knee slice of 256 × 256 and of the Siemens slice of
// 384 × 384, both of 16 bits allocated.
func BenchmarkDecode(b *testing.B) {
	knee := func(command ...string) func(b *testing.B) file {
		return func(b *testing.B) file {
			need(b, command[0])
			path, _ := variant{16, 12, false}.write(b)
			out := filepath.Join(b.TempDir(), "out.dcm")
			run(b, append(command, path, out)...)
			return readFile(b, out)
		}
	}
	siemens := func(name string) func(b *testing.B) file {
		return func(b *testing.B) file { return sharedFile(b, filepath.Join("transfer-syntaxes", name)) }
	}
	for _, c := range []struct {
		name string
		file func(b *testing.B) file
	}{
		{"RLE/knee", knee("dcmcrle")},
		{"RLE/siemens", siemens("4.dcm")},
		{"JPEGLossless/knee", knee("dcmcjpeg", "+e1", "+tl")},
		{"JPEGLossless/siemens", siemens("5.dcm")},
		{"JPEGLosslessPredictor7/knee", knee("dcmcjpeg", "+el", "+tl", "+sv", "7")},
		{"JPEGExtended/knee", knee("dcmcjpeg", "+ee")},
		{"JPEGLS/knee", knee("dcmcjpls")},
		{"JPEGLS/siemens", siemens("7.dcm")},
		{"JPEG2000/knee", knee("gdcmconv", "--j2k")},
		{"JPEG2000/siemens", siemens("9.dcm")},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := c.file(b)
			benchmark(b, f.syntax, f.frame, f.fragments[0])
		})
	}
	for _, s := range seeds(b) {
		if s.name == "deflated" || s.name == "openjph" {
			b.Run(s.name, func(b *testing.B) { benchmark(b, s.syntax, s.frame, s.data) })
		}
	}
}

func benchmark(b *testing.B, syntax string, f codec.Frame, data []byte) {
	dst, err := codec.Decode(syntax, f, data, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(dst)))
	b.ReportAllocs()
	for b.Loop() {
		if dst, err = codec.Decode(syntax, f, data, dst); err != nil {
			b.Fatal(err)
		}
	}
}
