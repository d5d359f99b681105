package dicomio

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// benchTrain writes a train of 10 slices × 7 echoes of 384 × 384 pixels that hold noise over a
// decay, as unsigned numbers of 12 bits or signed ones of 16.
func benchTrain(b *testing.B, signed bool, slope float64) Train {
	b.Helper()
	dir, rng := b.TempDir(), rand.New(rand.NewPCG(3, 4))
	im := obliqueImage()
	im.Orientation = obliqueAxes()
	im.Rows, im.Columns, im.Pixels = 384, 384, make([]int32, 384*384)
	im.RescaleSlope = slope
	im.BitsStored = 12
	if im.Signed = signed; signed {
		im.BitsStored = 16
	}
	normal, origin := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:])), im.Position
	for n := range 70 {
		k, e := n%10, n/10
		im.InstanceUID, im.TE = fmt.Sprintf("2.25.9.%d", n), float64(10*(e+1))
		for r := range im.Position {
			im.Position[r] = origin[r] + 3.5*float64(k)*normal[r]
		}
		for v := range im.Pixels {
			im.Pixels[v] = int32(2000/(e+1)+v%384) + int32(20*rng.NormFloat64())
		}
		var file bytes.Buffer
		if err := dicomwrite.WriteImage(&file, im); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), file.Bytes(), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	f, err := Find(b.Context(), []string{dir}, FindOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return f.Studies[0].Trains[0]
}

// BenchmarkRead reads a train whose files are in the cache.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name   string
		signed bool
		slope  float64
	}{{"unsigned", false, 0}, {"signed", true, 0}, {"rescaled", false, 2.5}} {
		b.Run(c.name, func(b *testing.B) {
			train := benchTrain(b, c.signed, c.slope)
			b.SetBytes(70 * 2 * 384 * 384)
			for b.Loop() {
				if _, _, err := Read(b.Context(), train, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecode decodes one image that is in the cache.
func BenchmarkDecode(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	raw, dst := make([]byte, 2*384*384), make([]float32, 384*384)
	for v := range dst {
		n := 2000 + int32(20*rng.NormFloat64())
		raw[2*v], raw[2*v+1] = byte(n), byte(n>>8)
	}
	for _, slope := range []float64{1, 2.5} {
		b.Run(fmt.Sprint("slope=", slope), func(b *testing.B) {
			h := &header{texts: &texts{}, rows: 384, columns: 384, allocated: 16, stored: 12, slope: slope}
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				h.decode(dst, raw)
			}
		})
	}
}
