package report

import (
	"image"
	"image/color"
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// machado are the matrices by which Machado, Oliveira and Fernandes (2009,
// 10.1109/TVCG.2009.113) simulate a complete loss of the long and of the middle cones, on
// linear RGB.
var machado = map[string][3][3]float64{
	"normal":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
}

// labOf returns CIE L*a*b* (D65) of a colour as someone sees it.
func labOf(c color.RGBA, eye [3][3]float64) [3]float64 {
	var linear, seen, xyz [3]float64
	for n, v := range []uint8{c.R, c.G, c.B} {
		x := float64(v) / 255
		if linear[n] = x / 12.92; x > 0.04045 {
			linear[n] = math.Pow((x+0.055)/1.055, 2.4)
		}
	}
	for r, row := range eye {
		seen[r] = min(max(row[0]*linear[0]+row[1]*linear[1]+row[2]*linear[2], 0), 1)
	}
	white := [3]float64{0.95047, 1, 1.08883}
	for r, row := range [3][3]float64{{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}} {
		v := (row[0]*seen[0] + row[1]*seen[1] + row[2]*seen[2]) / white[r]
		if xyz[r] = (24389*v/27 + 16) / 116; v > 216.0/24389 {
			xyz[r] = math.Cbrt(v)
		}
	}
	return [3]float64{116*xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])}
}

// Outlines are told from each other, from grey and from excluded voxels by every reader, and
// from the usual T2 of cartilage by most. A difference of 10 in CIELAB is seen at a glance in areas; lines need
// more.
func TestLineColours(t *testing.T) {
	distance := func(a, b color.RGBA, eye [3][3]float64) float64 {
		p, q := labOf(a, eye), labOf(b, eye)
		return math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2])
	}
	for name, eye := range machado {
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
			p, q := labOf(c, machado["normal"]), labOf(d, machado["normal"])
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
	for v, r := range slice(s.Regions.Geometry, s.Regions.Data, 1) {
		i, j := v%n, v/n
		if r == 0 || i == 0 || s.Regions.Data[n*n+v-1] != 0 {
			continue
		}
		// The voxel begins a run: left of its first pixel is its outline.
		at := sh.pixelOf(1, i, j)
		edge := sh.at(1).X + (i-sh.view.crop.Min.X)*sh.view.size.X/sh.view.crop.Dx()
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
