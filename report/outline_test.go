package report

import (
	"image"
	"image/color"
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Outlines are told from each other, from grey and from excluded voxels by every reader, and
// from the usual T2 of cartilage by most. A difference of 10 in CIELAB is seen at a glance in areas; lines need
// more.
func TestLineColours(t *testing.T) {
	distance := func(a, b color.RGBA, eye [3][3]float64) float64 {
		p, q := sampletest.Lab(a, eye), sampletest.Lab(b, eye)
		return math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2])
	}
	for name, eye := range sampletest.Eyes {
		for n, c := range lineColours[:strongLines] {
			for _, other := range lineColours[n+1 : strongLines] {
				if d := distance(c, other, eye); d < 40 {
					t.Errorf("%s: %v and %v differ by %.0f", name, c, other, d)
				}
			}
			if d := distance(c, figure.ExcludedColour, eye); d < 30 {
				t.Errorf("%s: %v and the excluded colour differ by %.0f", name, c, d)
			}
			for _, grey := range figure.GreyPalette() {
				if d := distance(c, grey.(color.RGBA), eye); d < 30 {
					t.Errorf("%s: %v and the grey %v differ by %.0f", name, c, grey, d)
				}
			}
			for ms := 25; ms <= 45; ms++ {
				least := 15.
				if name == "normal" {
					least = 40
				}
				if d := distance(c, figure.ScaleColour(float64(ms)/figure.ScaleMaxMS), eye); d < least {
					t.Errorf("%s: %v and T2 of %d ms differ by %.0f", name, c, ms, d)
				}
			}
		}
	}
}

func TestLineColoursOf(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  []int
	}{
		{[]string{"medial", "lateral", "patellofemoral"}, []int{0, 1, 2}},
		{[]string{"patellofemoral", "medial"}, []int{2, 0}},
		{[]string{"medial", "lateral", "patellofemoral", "medial-meniscus", "lateral-meniscus"}, []int{0, 1, 2, 3, 4}},
		{[]string{"medial-tibial", "lateral-tibial", "patellar", "femoral"}, []int{0, 1, 2, 3}},
		{[]string{"medial", "medial-tibial", "x", "y", "z", "u", "v"}, []int{0, 3, 4, 5, 6, 3, 4}},
	} {
		if got := lineColoursOf(c.names); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.names, got, c.want)
		}
	}
}

// Regions that touch differ at a glance, and a layer is darker the nearer it is to the bone.
func TestRegionColours(t *testing.T) {
	if len(regionColours) != len(anatomy.Regions()) {
		t.Errorf("%d colours for %d regions", len(regionColours), len(anatomy.Regions()))
	}
	for a, c := range regionColours {
		for b, d := range regionColours {
			p, q := sampletest.Lab(c, sampletest.Eyes["normal"]), sampletest.Lab(d, sampletest.Eyes["normal"])
			if e := math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2]); a < b && e < 20 {
				t.Errorf("%v and %v differ by %.0f", a, b, e)
			}
		}
		last := -1.
		for layer := 1; layer <= 5; layer++ {
			l := lightness(shade(c, layer, 5))
			if l <= last {
				t.Errorf("%v: layer %d is not lighter than the one below", a, layer)
			}
			last = l
		}
	}
	// Whatever a mask holds fits the palette.
	r := segment.Regions{Names: []string{"a", "b", "c", "d", "e", "f", "g"}}
	for _, name := range r.Names {
		r.Parts = append(r.Parts, segment.Part{Compartment: name})
	}
	for _, region := range anatomy.Regions() {
		for layer := range 40 {
			r.Parts = append(r.Parts, segment.Part{Compartment: region.Compartment(), Region: region.String(), Layer: layer + 1})
		}
	}
	if p, _ := newDivision(r).paletted(); len(p) > 256 {
		t.Errorf("%d colours", len(p))
	}
}

// The outlines lie around the voxels of each compartment: no T2 is hidden but by a line between two.
func TestOverlayOutlines(t *testing.T) {
	s := smallStudy()
	s.Regions.Names = []string{"medial", "lateral", "patellofemoral"}
	img, sh, _ := drawOverlay(t, s)
	n := s.Echo.Size[0]
	colour := func(p image.Point) color.Color { return img.At(p.X, p.Y) }
	counts := map[color.Color]int{}
	for v, r := range volume.Slice(s.Regions.Geometry, s.Regions.Data, 1) {
		i, j := v%n, v/n
		if r == 0 || i == 0 || s.Regions.Data[n*n+v-1] != 0 {
			continue
		}
		// The voxel begins a run: left of its first pixel is its outline.
		at := sh.pixelOf(1, i, j)
		edge := sh.corner(1).X + (i-sh.view.crop.Min.X)*sh.view.size.X/sh.view.crop.Dx()
		if got, want := colour(image.Pt(edge-1, at.Y)), color.Color(lineColours[r-1]); got != want {
			// Another compartment's outline may lie over it where two meet.
			if got != color.Color(lineColours[0]) && got != color.Color(lineColours[1]) && got != color.Color(lineColours[2]) {
				t.Fatalf("left of voxel (%d, %d) of compartment %d is %v, want %v", i, j, r, got, want)
			}
			continue
		}
		counts[lineColours[r-1]]++
		plain := at
		plain.X -= sh.lead
		if !isGrey(colour(plain)) {
			t.Fatalf("the plain slice has the colour %v at voxel (%d, %d)", colour(plain), i, j)
		}
	}
	if len(counts) != 3 {
		t.Errorf("outlines %v, want three colours", counts)
	}
}
