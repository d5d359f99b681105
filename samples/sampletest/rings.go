package sampletest

import (
	"math"
	"math/rand/v2"

	"github.com/t2map/t2map/volume"
)

// Rings returns a knee on a sagittal grid of n × n × slices voxels over 120 mm: a bone with a ring
// of cartilage in three compartments. T2 grows outwards from 20 to 60 ms and is NaN in a few
// voxels.
func Rings(n, slices int) (echo volume.Map, maps volume.Maps, labels volume.Labels) {
	sp := 120 / float64(n)
	// Rows run to the back, columns to the foot, slices to the left.
	g := volume.Geometry{
		Size: [3]int{n, n, slices}, Affine: [3][4]float64{{0, 0, 3.5, -50}, {sp, 0, 0, -60}, {0, -sp, 0, 60}},
	}
	v := g.Voxels()
	nan := float32(math.NaN())
	echo = volume.Map{Geometry: g, Data: make([]float32, v)}
	maps = volume.Maps{
		Geometry: g, T2: make([]float32, v), S0: make([]float32, v), R2: make([]float32, v),
		SE: make([]float32, v), Status: make([]volume.Status, v),
	}
	labels = volume.Labels{Geometry: g, Data: make([]uint16, v)}
	rng := rand.New(rand.NewPCG(1, 2))
	for k := range slices {
		for j := range n {
			for i := range n {
				index := i + n*(j+n*k)
				x, y := (float64(i)+0.5)*sp-60, (float64(j)+0.5)*sp-60
				r := math.Hypot(x, y)
				maps.T2[index], maps.S0[index], maps.R2[index], maps.SE[index] = nan, nan, nan, nan
				switch {
				case r < 24:
					echo.Data[index] = 700
				case r < 28:
					echo.Data[index] = 500
					labels.Data[index] = uint16(1 + i*3/n)
					if (i+j)%13 == 0 {
						maps.Status[index] = volume.LowSignal
						break
					}
					maps.Status[index] = volume.Fitted
					maps.T2[index], maps.S0[index] = float32(20+10*(r-24)), 800
					maps.R2[index], maps.SE[index] = 0.99, 1
				case r < 56:
					echo.Data[index] = 200
				}
				echo.Data[index] += float32(rng.IntN(40))
			}
		}
	}
	return echo, maps, labels
}
