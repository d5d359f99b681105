package t2fit

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// benchVoxels reads the voxels of the benchmark study, or those of its foreground,
// as its generator leaves them in the folder that T2MAP_BENCH_RAW names;
// docs/performance.sh sets it.
func benchVoxels(b *testing.B, foreground bool) volume.MultiEcho {
	dir := os.Getenv("T2MAP_BENCH_RAW")
	if dir == "" {
		b.Skip("T2MAP_BENCH_RAW names no folder")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "me_int16.bin"))
	if err != nil {
		b.Fatal(err)
	}
	mask, err := os.ReadFile(filepath.Join(dir, "foreground.u8"))
	if err != nil {
		b.Fatal(err)
	}
	const rows, echoes = 384 * 384, 7
	s := volume.MultiEcho{TE: echoTimes(10, 10, echoes)}
	for e := range echoes {
		var data []float32
		for v, m := range mask {
			if m != 0 || !foreground {
				at := (v/rows*echoes+e)*rows + v%rows
				data = append(data, float32(int16(binary.LittleEndian.Uint16(raw[2*at:]))))
			}
		}
		s.Echo = append(s.Echo, data)
	}
	s.Size = [3]int{len(s.Echo[0]), 1, 1}
	return s
}

// BenchmarkForeground is the fit of the benchmark study's foreground, to compare
// with fit_avx2 and fit_scalar on the same voxels.
func BenchmarkForeground(b *testing.B) { benchMethods(b, benchVoxels(b, true)) }

// BenchmarkEveryVoxel is the fit of the whole study, of which more than half is
// noise.
func BenchmarkEveryVoxel(b *testing.B) { benchMethods(b, benchVoxels(b, false)) }

func benchMethods(b *testing.B, s volume.MultiEcho) {
	for _, method := range Methods {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/vectors=%t/threads=%d", method, lanes.Vectors(), workers), func(b *testing.B) {
				for b.Loop() {
					if _, err := Fit(context.Background(), s, volume.Labels{}, Options{Method: method, Workers: workers}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Voxels()), "ns/voxel")
			})
		}
	}
}
