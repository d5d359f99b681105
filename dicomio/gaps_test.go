package dicomio

import (
	"math"
	"testing"
)

// Effects of scanners and workstations on the background and the edges of images are not
// losses: noise cut at a threshold or by a mask of each image, and edges and corners of
// zeros that differ between echoes.
func TestZerosOfRealScansAreSound(t *testing.T) {
	for _, scan := range []string{"knee-ge-mese", "nist-ge-1.5t", "nist-philips-3t"} {
		train := only(t, sharedData(t, scan, "dicom"))
		for _, c := range []struct {
			name string
			cut  func(e, i, j, columns, rows int, share, local float64) bool
		}{
			{"noise below a threshold", func(_, _, _, _, _ int, share, _ float64) bool { return share < 0.1 }},
			{"below a high one", func(_, _, _, _, _ int, share, _ float64) bool { return share < 0.6 }},
			{"a mask of each image", func(_, _, _, _, _ int, _, local float64) bool { return local < 0.3 }},
			{"a mask of every second image", func(e, _, _, _, _ int, _, local float64) bool {
				return e%2 == 0 && local < 0.2
			}},
			{"corners", func(e, i, j, columns, rows int, _, _ float64) bool {
				return i+j < rows/6+e%3 || (columns-i)+(rows-j) < rows/6+e%3
			}},
			{"edges, shifted by echo", func(e, i, j, columns, _ int, _, _ float64) bool {
				return i < 6+e%3 || j < e%4 ||
					i > columns-5-e%2
			}},
		} {
			d, _, err := train.decode(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			for e := range d.grid {
				for k, h := range d.grid[e] {
					if k%4 != 0 {
						continue // some slices suffice
					}
					cutZeros(h, d.image(e, k), func(i, j int, share, local float64) bool {
						return c.cut(e, i, j, h.columns, h.rows, share, local)
					})
					d.seen[e][k] = content{peak: d.seen[e][k].peak}
					d.seen[e][k].note(h, d.image(e, k))
				}
			}
			if err := d.checkContent(); err != nil {
				t.Errorf("%s, %s: %v", scan, c.name, err)
			}
		}
	}
}

// cutZeros sets pixels to zero for which cut is true. Its arguments are a pixel and the
// mean of its surroundings, relative to the image's mean.
func cutZeros(h *header, pixels []float32, cut func(i, j int, share, local float64) bool) {
	zero := h.rescale(0)
	mean := 0.0
	for _, v := range pixels {
		mean += float64(v-zero) / float64(len(pixels))
	}
	out := make([]float32, len(pixels))
	for v := range pixels {
		i, j := v%h.columns, v/h.columns
		sum, n := 0.0, 0
		for y := max(0, j-2); y <= min(h.rows-1, j+2); y++ {
			for x := max(0, i-2); x <= min(h.columns-1, i+2); x++ {
				sum += float64(pixels[y*h.columns+x] - zero)
				n++
			}
		}
		if out[v] = pixels[v]; cut(i, j, float64(pixels[v]-zero)/mean, sum/float64(n)/mean) {
			out[v] = zero
		}
	}
	copy(pixels, out)
}

// A line of one value is lost only if the neighbouring echoes show that it had several.
func TestOverwrittenLine(t *testing.T) {
	for _, c := range []struct {
		name  string
		other func(i int) float32
		want  bool
	}{
		{"varied before and after", func(i int) float32 { return 500 + 20*float32(i) }, true},
		{"varied by less than decays away", func(i int) float32 { return 500 + 3*float32(i) }, false},
		{"was one value before", func(int) float32 { return 500 }, false},
	} {
		h := &header{texts: &texts{}, rows: 2, columns: 12, slope: 1}
		d := decoded{Train: Train{grid: [][]*header{{h}, {h}, {h}}}, echo: make([][]float32, 3),
			seen: make([][]content, 3)}
		d.Geometry.Size = [3]int{12, 2, 1}
		for e := range d.echo {
			for v := range 24 {
				value := c.other(v%12) * float32(math.Exp(-float64(e)/9))
				if e == 1 && v < 12 {
					value = 9
				}
				d.echo[e] = append(d.echo[e], value)
			}
			d.seen[e] = make([]content, 1)
			d.seen[e][0].note(h, d.echo[e])
		}
		if got := d.overwritten(1, 0, 0, 0, 0); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
