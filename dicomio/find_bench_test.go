package dicomio

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

const benchFolders, benchFilesEach = 100, 100

// privateGroup resembles the private elements of scanners: 150 short ones, and one of 4 kB
// like the protocols of Siemens and GE.
func privateGroup() []byte {
	var b []byte
	element := func(number uint16, vr string, value []byte) {
		b = binary.LittleEndian.AppendUint16(b, 0x0019)
		b = binary.LittleEndian.AppendUint16(b, number)
		b = append(b, vr...)
		if vr == "OB" {
			b = binary.LittleEndian.AppendUint32(append(b, 0, 0), uint32(len(value)))
		} else {
			b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
		}
		b = append(b, value...)
	}
	element(0x10, "LO", []byte("T2MAP BENCHMARK "))
	for n := range uint16(150) {
		element(0x1000+n, "DS", []byte(fmt.Sprintf("%-16.6f", 1000/float64(n+1))))
	}
	element(0x10F0, "OB", bytes.Repeat([]byte("protocol"), 512))
	return b
}

// trial writes studies of 100 classic files each, 5 slices × 20 echoes of 64 × 64
// pixels.
func trial(b *testing.B, dir string) {
	b.Helper()
	private := privateGroup()
	im := obliqueImage()
	im.Orientation = obliqueAxes()
	im.Rows, im.Columns, im.Pixels = 64, 64, make([]int32, 64*64)
	normal := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:]))
	origin := im.Position
	for study := range benchFolders {
		folder := filepath.Join(dir, fmt.Sprintf("s%03d", study))
		if err := os.Mkdir(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		for n := range benchFilesEach {
			k, e := n%5, n/5
			im.StudyUID, im.SeriesUID = fmt.Sprintf("2.25.7.%d", study), fmt.Sprintf("2.25.8.%d", study)
			im.InstanceUID, im.TE = fmt.Sprintf("2.25.9.%d.%d", study, n), float64(10*(e+1))
			for r := range im.Position {
				im.Position[r] = origin[r] + 3.5*float64(k)*normal[r]
			}
			var file bytes.Buffer
			if err := dicomwrite.WriteImage(&file, im); err != nil {
				b.Fatal(err)
			}
			data := file.Bytes()
			position := bytes.Index(data, []byte{0x20, 0, 0x0D, 0, 'U', 'I'}) // after group 0018
			whole := append(append(bytes.Clone(data[:position]), private...), data[position:]...)
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("IM_%04d", n)), whole, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkFind searches 10,000 files that have just been written, so that they are
// in the cache.
func BenchmarkFind(b *testing.B) {
	dir := b.TempDir()
	trial(b, dir)
	b.ReportAllocs()
	for b.Loop() {
		f, err := Find(context.Background(), []string{dir}, FindOptions{})
		if err != nil || len(f.Studies) != benchFolders || f.Studies[0].Trains[0].Problem != nil {
			b.Fatal(err, len(f.Studies))
		}
	}
	b.ReportMetric(float64(benchFolders*benchFilesEach*b.N)/b.Elapsed().Seconds(), "files/s")
}

// BenchmarkParse reads one header from memory.
func BenchmarkParse(b *testing.B) {
	for _, syntax := range []string{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian} {
		im := obliqueImage()
		im.Syntax = syntax
		var file bytes.Buffer
		if err := dicomwrite.WriteImage(&file, im); err != nil {
			b.Fatal(err)
		}
		b.Run(syntax, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h := &header{texts: &texts{}, name: "bench", size: int64(file.Len())}
				if _, err := h.parse(bytes.NewReader(file.Bytes())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFindEach searches the files of BenchmarkFind in chunks.
func BenchmarkFindEach(b *testing.B) {
	dir := b.TempDir()
	trial(b, dir)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for f, err := range FindEach(context.Background(), []string{dir}, FindOptions{}) {
			if err != nil || len(f.Studies) != 1 || f.Studies[0].Trains[0].Problem != nil {
				b.Fatal(err, len(f.Studies))
			}
			n++
		}
		if n != benchFolders {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(benchFolders*benchFilesEach*b.N)/b.Elapsed().Seconds(), "files/s")
}
