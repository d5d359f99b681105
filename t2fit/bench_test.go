package t2fit

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// benchVoxels reads the voxels of the benchmark study, or those of its foreground, from the folder
// that T2MAP_BENCH_RAW names. The generator of the study writes them; docs/performance.sh sets the
// variable.
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
				index := (v/rows*echoes+e)*rows + v%rows
				data = append(data, float32(int16(binary.LittleEndian.Uint16(raw[2*index:]))))
			}
		}
		s.Echo = append(s.Echo, data)
	}
	s.Size = [3]int{len(s.Echo[0]), 1, 1}
	return s
}

// BenchmarkForeground fits the benchmark study's foreground, for comparison with fit_avx2 and
// fit_scalar on the same voxels.
func BenchmarkForeground(b *testing.B) { benchMethods(b, benchVoxels(b, true)) }

// BenchmarkEveryVoxel fits the whole study, of which more than half is noise.
func BenchmarkEveryVoxel(b *testing.B) { benchMethods(b, benchVoxels(b, false)) }

func benchMethods(b *testing.B, s volume.MultiEcho) {
	perVoxel := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Voxels()), "ns/voxel")
	}
	for _, method := range Methods {
		o := mustResolve(b, Options{Method: method, Sigma: 10})
		// One worker on existing maps, since the C programs reuse theirs.
		b.Run(fmt.Sprintf("%s/vectors=%t/kernel", method, lanes.Vectors()), func(b *testing.B) {
			m := o.emptyMaps(s.Geometry)
			m.Noise, _ = o.noise(b.Context(), s)
			j := job{echo: s.Echo[o.SkipEchoes:], maps: m, plane: s.SliceVoxels()}
			w := j.worker(fitter{o, newEstimators(newTrain(s.TE[o.SkipEchoes:]), o)()})
			w.fit(0, s.Voxels())
			b.ReportAllocs()
			for b.Loop() {
				w.fit(0, s.Voxels())
			}
			perVoxel(b)
		})
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/vectors=%t/threads=%d", method, lanes.Vectors(), workers), func(b *testing.B) {
				for b.Loop() {
					if _, err := Fit(context.Background(), s, volume.Labels{},
						Options{Method: method, Sigma: 10, Workers: workers}); err != nil {
						b.Fatal(err)
					}
				}
				perVoxel(b)
			})
		}
	}
}

// BenchmarkScaling fits series of growing matrix and of growing train, to show that the cost grows
// linearly.
func BenchmarkScaling(b *testing.B) {
	run := func(name string, matrix, echoes int) {
		b.Run(name, func(b *testing.B) {
			s := repeatedSeries(matrix*matrix*30, echoes)
			b.ResetTimer()
			for b.Loop() {
				if _, err := Fit(context.Background(), s, volume.Labels{}, Options{Workers: 1}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Voxels()), "ns/voxel")
		})
	}
	for _, times := range []int{1, 2, 4} {
		run(fmt.Sprintf("matrix=%d", times*times), 96*times, 7)
	}
	for _, echoes := range []int{4, 6, 8, 12, 16, 24, 32} {
		run(fmt.Sprintf("echoes=%d", echoes), 96, echoes)
	}
}

// repeatedSeries returns n voxels that repeat 4096 decays, T2 20 to 80 ms with noise, whose echoes
// end at 70 ms.
func repeatedSeries(n, echoes int) volume.MultiEcho {
	const different = 4096
	rng := rand.New(rand.NewPCG(31, 32))
	step := 70 / float64(echoes)
	s := volume.MultiEcho{Geometry: volume.Geometry{Size: [3]int{n, 1, 1}}, TE: echoTimes(step, step, echoes)}
	for range s.TE {
		s.Echo = append(s.Echo, make([]float32, n))
	}
	for v := range different {
		y := decayOf(s.TE, 20+60*rng.Float64(), 800)
		for e := range y {
			value := float32(math.Hypot(y[e]+12*rng.NormFloat64(), 12*rng.NormFloat64()))
			for index := v; index < n; index += different {
				s.Echo[e][index] = value
			}
		}
	}
	return s
}
