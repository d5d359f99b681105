package codec_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// Lossy frames are decoded as by the encoders' own decoders, and reported as lossy.
func TestLossyEncoders(t *testing.T) {
	for _, c := range []struct {
		v         variant
		encode    []string
		decode    []string
		deviation int  // at most
		silent    bool // nothing in the data says that they are lossy
	}{
		{variant{8, 8, false}, []string{"dcmcjpeg", "+eb"}, []string{"dcmdjpeg"}, 1, false},
		{variant{8, 8, false}, []string{"dcmcjpeg", "+ee"}, []string{"dcmdjpeg"}, 1, false},
		{variant{16, 12, false}, []string{"dcmcjpeg", "+eb"}, []string{"dcmdjpeg"}, 1, false},
		{variant{16, 12, false}, []string{"dcmcjpeg", "+ee"}, []string{"dcmdjpeg"}, 1, false},
		{variant{16, 16, true}, []string{"dcmcjpeg", "+ee"}, []string{"dcmdjpeg"}, 1, false},
		{variant{8, 8, false}, []string{"gdcmconv", "--jpeg", "--lossy", "-q", "90"}, []string{"dcmdjpeg"}, 1, false},
		{variant{16, 12, false}, []string{"dcmcjpeg", "+el", "+tl", "+pt", "2"}, []string{"dcmdjpeg"}, 0, false},
		{variant{8, 8, true}, []string{"dcmcjpeg", "+el", "+tl", "+pt", "3", "+sv", "7"}, []string{"dcmdjpeg"}, 0,
			false},
		{variant{16, 12, false}, []string{"dcmcjpls", "+en"}, []string{"dcmdjpls"}, 0, false},
		{variant{16, 16, false}, []string{"dcmcjpls", "+en"}, []string{"dcmdjpls"}, 0, false},
		{variant{16, 16, false}, []string{"gdcmconv", "--jpegls", "--lossy", "-e", "3"}, []string{"gdcmconv", "--raw"},
			0, false},
		{variant{16, 16, false}, []string{"gdcmconv", "--j2k", "--lossy", "-q", "80"}, []string{"gdcmconv", "--raw"}, 0,
			true},
		{variant{16, 16, true}, []string{"gdcmconv", "--j2k", "--lossy", "-q", "80"}, []string{"gdcmconv", "--raw"}, 0,
			true},
		{variant{16, 16, true}, []string{"gdcmconv", "--j2k", "--lossy", "-q", "80", "--irreversible"},
			[]string{"gdcmconv", "--raw"}, 0, false},
	} {
		t.Run(fmt.Sprintf("%v %v", c.v, c.encode), func(t *testing.T) {
			need(t, c.encode[0])
			need(t, c.decode[0])
			path, _ := c.v.write(t)
			coded, plain := filepath.Join(t.TempDir(), "coded.dcm"), filepath.Join(t.TempDir(), "plain.dcm")
			run(t, append(c.encode, path, coded)...)
			run(t, append(c.decode, coded, plain)...)
			f := readFile(t, coded)
			got, err := codec.Decode(f.syntax, f.frame, f.fragments[0], nil)
			if err != nil {
				t.Fatal(err)
			}
			deviation := farthest(f.frame, got, readFile(t, plain).plain(t)[0])
			t.Logf("%+v: off by %d", f.frame, deviation)
			if deviation > c.deviation {
				t.Errorf("off by %d", deviation)
			}
			if lossy := codec.Lossy(f.syntax, f.fragments[0]); lossy == c.silent {
				t.Errorf("lossy: %v", lossy)
			}
		})
	}
}

// The beginning of a frame is as informative as the whole frame.
func TestLossyByTheHead(t *testing.T) {
	for _, s := range seeds(t) {
		whole := codec.Lossy(s.syntax, s.data)
		if head := codec.Lossy(s.syntax, s.data[:len(s.data)*9/10]); head != whole {
			t.Errorf("%s: lossy by its head %t, as a whole %t", s.name, head, whole)
		}
		const j2k, j2kLossless = "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.90"
		if s.syntax == j2k && !codec.Lossy(j2kLossless, s.data[:len(s.data)*9/10]) {
			t.Errorf("%s: not lossy by its head under another label", s.name)
		}
	}
}
