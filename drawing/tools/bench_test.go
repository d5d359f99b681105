package tools

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/t2map/t2map/volume"
)

// knee returns a mask of 384 × 384 × 30 voxels of 0.4 mm with curved layers of four voxels, as of a knee, with ragged edges
// and holes, in every slice.
func knee() volume.Labels {
	m := empty([3]int{384, 384, 30}, [2]float64{0.4, 0.4})
	r := rand.New(rand.NewPCG(1, 2))
	for v := range m.Data {
		at := m.Index(v)
		x, y := float64(at[0])-192-float64(at[2]), float64(at[1])-170
		femur := math.Hypot(x, y) - 75 + r.Float64()
		tibia := y - 88 + 0.001*x*x + r.Float64()
		switch {
		case femur > 0 && femur < 4 && y > -40 && r.IntN(100) > 0:
			m.Data[v] = 1
		case tibia > 0 && tibia < 4 && math.Abs(x) < 80:
			m.Data[v] = 2
		}
	}
	return m
}

// circle returns points on a circle around the middle of a slice, which is wound several times.
func circle(points int, radius, turns float64) [][2]float64 {
	out := make([][2]float64, points)
	for n := range out {
		sin, cos := math.Sincos(2 * math.Pi * turns * float64(n) / float64(points))
		out[n] = [2]float64{192.3 + radius*cos, 191.8 + radius*sin}
	}
	return out
}

func BenchmarkStroke(b *testing.B) {
	m := knee()
	values := make([]float32, len(m.Data))
	for v := range values {
		values[v] = float32(v % 100)
	}
	full := volume.Labels{Geometry: m.Geometry, Data: make([]uint16, len(m.Data))}
	for v := range full.Data {
		full.Data[v] = 1
	}
	for _, c := range []struct {
		name    string
		gesture Gesture
	}{
		{"brush", Gesture{Tool: Brush, Label: 3, Points: circle(200, 60, 0.5), RadiusMM: 2}},
		{"brush within limits", Gesture{Tool: Brush, Label: 3, Points: circle(200, 60, 0.5), RadiusMM: 2,
			Only: &Limits{values, 20, 80}}},
		{"long brush", Gesture{Tool: Brush, Label: 3, Points: circle(2000, 100, 5), RadiusMM: 5}},
		{"largest brush", Gesture{Tool: Brush, Label: 3, Points: circle(MostPoints, 150, 20), RadiusMM: MostRadiusMM}},
		{"polygon", Gesture{Tool: Polygon, Label: 3, Points: circle(500, 100, 1)}},
		{"largest polygon", Gesture{Tool: Polygon, Label: 3, Points: circle(MostPoints, 180, 3333.3)}},
		{"spline", Gesture{Tool: Spline, Label: 3, Points: circle(20, 100, 1)}},
		{"largest spline", Gesture{Tool: Spline, Label: 3, Points: circle(MostPoints, 180, 3333.3)}},
		{"fill", Gesture{Tool: Fill, Label: 3, Points: circle(1, 0, 1)}},
		{"copy", Gesture{Tool: Copy, From: 3, Slice: 4}},
		{"interpolate", Gesture{Tool: Interpolate, Label: 1, From: 10, Slice: 14}},
		{"interpolate all", Gesture{Tool: Interpolate, Label: 1, From: 0, Slice: 29}},
		{"smooth", Gesture{Tool: Smooth, Label: 1, Slice: 4, RadiusMM: 1}},
		{"smooth all", Gesture{Tool: Smooth, Label: 1, RadiusMM: 1, All: true}},
		{"smooth all most", Gesture{Tool: Smooth, Label: 1, RadiusMM: MostSmoothingMM, All: true}},
		{"holes", Gesture{Tool: Holes, Label: 1, Slice: 4}},
		{"holes all", Gesture{Tool: Holes, Label: 1, All: true}},
		{"clear", Gesture{Tool: Clear, Label: 1, Slice: 4}},
		{"clear all", Gesture{Tool: Clear, All: true}},
	} {
		for name, mask := range map[string]volume.Labels{"knee": m, "full": full} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.gesture.Stroke(mask); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
