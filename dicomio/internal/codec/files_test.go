package codec_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/t2map/t2map/dicomio/internal/codec"
)

// shared is the folder of real data.
const shared = "../../../../shared/data"

// file has the parts of a DICOM file in explicit VR little endian that tests need.
type file struct {
	syntax    string
	frame     codec.Frame
	frames    int
	fragments [][]byte // without the offset table; nil where the pixels are not compressed
	pixels    []byte
}

// sharedFile reads one of the real files.
func sharedFile(t testing.TB, name string) file {
	t.Helper()
	path := filepath.Join(shared, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here (docs/real-scans.md says where to get it)", path)
	}
	return readFile(t, path)
}

// element returns the value of the first element with this tag and VR.
func element(data []byte, group, number uint16, vr string) []byte {
	key := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, group), number)
	start := bytes.Index(data, append(key, vr...))
	if start < 0 {
		return nil
	}
	data = data[start+6:]
	n := int(binary.LittleEndian.Uint16(data))
	return data[2 : 2+n]
}

func readFile(t testing.TB, path string) file {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	number := func(n uint16) int {
		v := element(data, 0x28, n, "US")
		if len(v) != 2 {
			t.Fatalf("%s: (0028,%04x) is missing", path, n)
		}
		return int(binary.LittleEndian.Uint16(v))
	}
	f := file{
		syntax: string(bytes.TrimRight(element(data, 2, 0x10, "UI"), "\x00")),
		frame: codec.Frame{
			Rows: number(0x10), Columns: number(0x11), Samples: number(2),
			Allocated: number(0x100), Stored: number(0x101), Signed: number(0x103) == 1,
		},
		frames: 1,
	}
	if n, err := strconv.Atoi(string(bytes.TrimSpace(element(data, 0x28, 8, "IS")))); err == nil {
		f.frames = n
	}
	f.readPixels(t, data)
	return f
}

func (f *file) readPixels(t testing.TB, data []byte) {
	t.Helper()
	start := -1
	for _, head := range []string{"\xe0\x7f\x10\x00OW", "\xe0\x7f\x10\x00OB"} {
		start = max(start, bytes.LastIndex(data, []byte(head)))
	}
	if start < 0 {
		t.Fatal("no pixel data")
	}
	n := binary.LittleEndian.Uint32(data[start+8:])
	data = data[start+12:]
	if n != 0xffffffff {
		f.pixels = data[:n]
		return
	}
	for binary.LittleEndian.Uint32(data) == 0xe000fffe {
		n := binary.LittleEndian.Uint32(data[4:])
		f.fragments = append(f.fragments, data[8:8+n])
		data = data[8+n:]
	}
	f.fragments = f.fragments[1:]
	if f.frames == 1 {
		f.fragments = [][]byte{slices.Concat(f.fragments...)}
	}
}

// plain returns the frames of an uncompressed file in the form of Decode.
func (f file) plain(t testing.TB) [][]byte {
	t.Helper()
	frames := make([][]byte, f.frames)
	size := f.frame.Rows * f.frame.Columns * f.frame.Samples * max(f.frame.Allocated, 8) / 8
	for n := range frames {
		if f.frame.Allocated > 1 {
			frames[n] = f.pixels[n*size : (n+1)*size]
			continue
		}
		frames[n] = make([]byte, size)
		for i := range size {
			frames[n][i] = f.pixels[(n*size+i)/8] >> ((n*size + i) % 8) & 1
		}
	}
	return frames
}

// check compares the file's frames with the wanted ones.
func check(t *testing.T, f file, want [][]byte) {
	t.Helper()
	if len(f.fragments) != len(want) {
		t.Fatalf("%d fragments for %d frames", len(f.fragments), len(want))
	}
	for n, fragment := range f.fragments {
		got, err := codec.Decode(f.syntax, f.frame, fragment, nil)
		if err != nil {
			t.Fatalf("frame %d: %v", n+1, err)
		}
		if len(got) != len(want[n]) {
			t.Fatalf("frame %d: %d bytes, want %d", n+1, len(got), len(want[n]))
		}
		for i := range got {
			if got[i] != want[n][i] {
				t.Fatalf("frame %d, byte %d: %d, want %d", n+1, i, got[i], want[n][i])
			}
		}
	}
}
