package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// BenchmarkMask takes the real knee of ../shared/data/knee-dess-seg, 384 × 384 × 160 voxels with
// bone, from its file to the regions and layers of a sagittal series of 384 × 384 × 30.
func BenchmarkMask(b *testing.B) {
	path := filepath.Join("..", "..", "shared", "data", "knee-dess-seg", "labels.nrrd")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		b.Skip("../shared/data/knee-dess-seg does not exist")
	}
	var p protocol.Protocol
	p.Scheme.Name = "knee-dess-seg"
	for n, tissue := range []string{"femoral-cartilage", "medial-tibial-cartilage", "lateral-tibial-cartilage",
		"patellar-cartilage", "femur", "tibia", "patella", "fibula", "lateral-meniscus", "medial-meniscus"} {
		p.Scheme.Labels = append(p.Scheme.Labels, segment.Label{Value: uint16(n + 1), Name: tissue})
	}
	const pixel, gap, lean = 0.3125, 3.5, 0.1
	sin, cos := math.Sincos(lean)
	series := volume.Geometry{Size: [3]int{384, 384, 30}, Affine: [3][4]float64{
		{pixel * sin, 0, gap * cos, -75}, {pixel * cos, 0, -gap * sin, -18}, {0, -pixel, 0, 5}}}
	for r := range 3 { // the middle of the cartilage is in the middle
		a := &series.Affine[r]
		a[3] -= 191.5*(a[0]+a[1]) + 14.5*a[2]
	}
	j := Job{Mask: Mask{Path: path, Format: formatNRRD}, Train: dicomio.Train{Geometry: series, Thickness: 3}}
	b.ReportAllocs()
	for b.Loop() {
		_, placed, err := j.findRegions(context.Background(), p, 0)
		if err != nil {
			b.Fatal(err)
		}
		if testing.Verbose() {
			h := sha256.New()
			_ = binary.Write(h, binary.LittleEndian, placed.regions.Part)
			_ = binary.Write(h, binary.LittleEndian, placed.regions.Fraction)
			b.Logf("%d parts, %x; %+v", len(placed.regions.Parts), h.Sum(nil)[:8], placed.record)
		}
	}
}
