package phantom

import (
	"context"
	"testing"
)

// BenchmarkDivide is what a person costs beyond its voxels.
func BenchmarkDivide(b *testing.B) {
	k := &knee{size: 1, cartilage: 2.5, patellaHeight: 31}
	for b.Loop() {
		divide(k)
	}
}

// BenchmarkStructures samples the mask of a DESS series, 384 × 384 × 160.
func BenchmarkStructures(b *testing.B) {
	k, err := NewKnee(Options{})
	if err != nil {
		b.Fatal(err)
	}
	g := k.gridOver([3]float64{fieldOfView / 384, fieldOfView / 384, 0.7}, [3]float64{fieldOfView, fieldOfView, 112})
	for name, grid := range map[string]func() error{
		"along": func() error { _, err := k.Structures(context.Background(), g); return err },
		"oblique": func() error {
			_, err := k.Structures(context.Background(), g.Moved(k.Motion([3]float64{5, 5, 5}, [3]float64{})))
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := grid(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
