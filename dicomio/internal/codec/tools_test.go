package codec_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/dicomio/internal/codec"
)

// need skips the test if the tool is missing.
func need(t testing.TB, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skip(tool, "is not installed")
	}
}

func run(t testing.TB, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
}

// knee returns the values of a slice of the first echo, signed 16 bit.
var knee = sync.OnceValues(func() ([]int32, error) {
	files, err := filepath.Glob(filepath.Join(shared, "knee-ge-mese", "dicom", "*"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s/knee-ge-mese is not here (docs/real-scans.md says where to get it)", shared)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	// The last 128 kB, explicit VR big endian.
	const size = 256 * 256 * 2
	start := bytes.LastIndex(data, []byte("\x7f\xe0\x00\x10OW"))
	if start < 0 || len(data)-start < 12+size {
		return nil, fmt.Errorf("%s holds no pixels", files[0])
	}
	values := make([]int32, size/2)
	for i := range values {
		values[i] = int32(int16(binary.BigEndian.Uint16(data[start+12+2*i:])))
	}
	return values, nil
})

// variant is the knee with other numbers of bits.
type variant struct {
	allocated, stored int
	signed            bool
}

func (v variant) String() string {
	s := "unsigned"
	if v.signed {
		s = "signed"
	}
	return fmt.Sprintf("%d of %d bits %s", v.stored, v.allocated, s)
}

var variants = []variant{
	{16, 16, true}, {16, 16, false}, {16, 12, true}, {16, 12, false}, {16, 10, false}, {16, 8, false}, {8, 8, false},
	{8, 8, true},
}

// values spreads the slice over all numbers of the variant, with noise in the lowest
// bits and both ends of the range.
func (v variant) values(t testing.TB) []int32 {
	t.Helper()
	src, err := knee()
	if err != nil {
		t.Skip(err)
	}
	most := int32(1)
	for _, s := range src {
		most = max(most, s)
	}
	top := int64(1)<<v.stored - 1
	out := make([]int32, len(src))
	state := uint32(1)
	for i, s := range src {
		state = state*1664525 + 1013904223
		n := int64(max(s, 0))*top/int64(most) + int64(state>>29)
		out[i] = int32(min(n, top))
	}
	out[0], out[1], out[2], out[3], out[700] = 0, int32(top), 0, int32(top)/2+1, int32(top)
	if v.signed {
		for i := range out {
			out[i] -= 1 << (v.stored - 1)
		}
	}
	return out
}

// write writes the variant as an uncompressed file and returns its name and frame.
func (v variant) write(t testing.TB) (string, [][]byte) {
	t.Helper()
	im := dicomwrite.Image{
		Series: dicomwrite.Series{
			StudyUID: "2.25.1", SeriesUID: "2.25.2",
		},
		Grid: dicomwrite.Grid{
			Rows: 256, Columns: 256, PixelSpacing: [2]float64{1, 1}, Orientation: [6]float64{1, 0, 0, 0, 1, 0},
		},
		InstanceUID: "2.25.3", TE: 10, BitsAllocated: v.allocated, BitsStored: v.stored, Signed: v.signed,
		Pixels: v.values(t),
	}
	path := filepath.Join(t.TempDir(), "plain.dcm")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := dicomwrite.WriteImage(file, im); err != nil {
		t.Fatal(err)
	}
	return path, readFile(t, path).plain(t)
}

// The output of real encoders for the knee is decoded bit for bit.
func TestEncoders(t *testing.T) {
	commands := [][]string{
		{"dcmcjpls", "+el"}, {"dcmcrle"},
		{"gdcmconv", "--jpeg"}, {"gdcmconv", "--jpegls"}, {"gdcmconv", "--j2k"}, {"gdcmconv", "--rle"},
	}
	for p := range 7 {
		commands = append(commands, []string{"dcmcjpeg", "+el", "+tl", "+sv", fmt.Sprint(p + 1)})
	}
	commands = append(commands, []string{"dcmcjpeg", "+e1", "+tl"})
	for _, v := range variants {
		for _, command := range commands {
			t.Run(fmt.Sprintf("%v %v", v, command), func(t *testing.T) {
				need(t, command[0])
				path, want := v.write(t)
				out := filepath.Join(t.TempDir(), "out.dcm")
				run(t, append(command, path, out)...)
				f := readFile(t, out)
				if !codec.Known(f.syntax) {
					t.Fatalf("syntax %s", f.syntax)
				}
				if f.frame.Stored != v.stored || f.frame.Signed != v.signed {
					t.Logf("the tool made %d bits, signed %v of it", f.frame.Stored, f.frame.Signed)
				}
				check(t, f, want)
			})
		}
	}
}
