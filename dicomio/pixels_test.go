package dicomio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/dicomio/internal/elements"
)

// The library returns no error when PixelData is shorter than rows × columns
// need, or longer.
func TestLengthOfPixelDataIsChecked(t *testing.T) {
	for rows, want := range map[string]string{
		"30": "PixelData (7FE0,0010): 30 bytes, want 300 (30 rows × 5 columns × 16 bits)",
		"2":  "PixelData (7FE0,0010): 30 bytes, want 20 (2 rows × 5 columns × 16 bits)",
	} {
		dir := t.TempDir()
		images := trainOf()
		for n := range images {
			images[n].Overrides = []dicomwrite.Override{{Keyword: "Rows", Values: []string{rows}}}
		}
		save(t, dir, images)
		if p := only(t, dir).Problem; p == nil || !strings.Contains(p.Error(), want) {
			t.Errorf("%s rows: %v, want …%s…", rows, p, want)
		}
	}
	h := &header{texts: &texts{}, name: "x", rows: 30, columns: 5, allocated: 16, stored: 16, slope: 1}
	if _, err := (&frameReader{body: bytes.NewReader(make([]byte, 30))}).read(h, 0); err == nil {
		t.Error("150 pixels come out of 30 bytes")
	}
}

// In big endian two pixels of 8 bits share a word, unless they are written as
// bytes.
func TestDecodeBytesInWords(t *testing.T) {
	for vr, want := range map[string][]float32{"OW": {2, 1, 4}, "OB": {1, 2, 3}} {
		h := &header{texts: &texts{syntax: uid.ExplicitVRBigEndian}, pixels: elements.Element{VR: vr}, rows: 1,
			columns: 3, allocated: 8, stored: 8, slope: 1}
		raw, err := (&frameReader{body: bytes.NewReader([]byte{1, 2, 3, 4})}).read(h, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, 3)
		if h.decode(got, raw); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", vr, got, want)
		}
	}
}

// Changed pixels are not noticed if size and modification time of the file are preserved;
// the hash is that of the bytes that were read.
func TestReadOtherPixels(t *testing.T) {
	dir := t.TempDir()
	images := trainOf()
	save(t, dir, images)
	was := stamps(t, dir)
	train := only(t, dir)
	images[4].Pixels[3]++
	save(t, dir, images)
	was.restore(t)
	s, files, err := Read(context.Background(), train, 0)
	if err != nil {
		t.Fatal(err)
	}
	k, e := 4*5%12%3, 4*5%12/3 // as in trainOf
	if got, want := s.Echo[e][15*k+3], float32(images[4].Pixels[3]); got != want {
		t.Errorf("got %g, want %g", got, want)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Path))
		if want := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || f.SHA256 != want {
			t.Errorf("%s: hash %s, want %s; %v", f.Path, f.SHA256, want, err)
		}
	}
}

// Every number of stored bits, signed or not, with other bits set above them, for pixels in
// groups of four and for the rest.
func TestDecodeStoredBits(t *testing.T) {
	words := []uint16{0, 1, 0x7fff, 0x8000, 0xffff, 0x5555, 0xaaaa}
	raw := make([]byte, 0, 2*len(words))
	for _, w := range words {
		raw = binary.LittleEndian.AppendUint16(raw, w)
	}
	for stored := 1; stored <= 16; stored++ {
		for representation := range 2 {
			for _, slope := range []float64{1, 0.5} {
				h := &header{texts: &texts{}, rows: 1, columns: len(words), allocated: 16, stored: stored,
					representation: representation, slope: slope}
				got := make([]float32, len(words))
				h.decode(got, raw)
				for v, w := range words {
					n := int(w) % (1 << stored)
					if representation == 1 && n >= 1<<(stored-1) {
						n -= 1 << stored
					}
					if want := float32(float64(n) * slope); got[v] != want {
						t.Errorf("%d bits, representation %d, slope %g: %#04x is %g, want %g", stored, representation,
							slope, w, got[v], want)
					}
				}
			}
		}
	}
}
