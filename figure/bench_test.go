package figure

import (
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BenchmarkRender draws a picture as large as a report's, whose files are most of the work.
func BenchmarkRender(b *testing.B) {
	p := Picture{Name: "sample", Width: PictureWidth, Height: 100}
	paint := func(c draw.Canvas) {
		sample(c)
		for n := range 60 {
			Write(c, Letters(8), vg.Point{X: vg.Length(250 + 80*(n%3)), Y: vg.Length(10 + 12*(n/3))},
				"−1.53 [−2.41, 0.65]")
		}
	}
	for b.Loop() {
		if _, err := p.Render(paint); err != nil {
			b.Fatal(err)
		}
	}
}
