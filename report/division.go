package report

import (
	"cmp"
	"image"
	"image/color"
	"io"
	"math"
	"slices"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// regionColours are the colours of regions.png: blue on the medial side, green on the lateral side,
// and warm colours between patella and femur. The colours of regions that touch or face each other
// differ most.
var regionColours = map[anatomy.Region]color.RGBA{
	anatomy.MedialTibialAnterior:    {0x00, 0xae, 0xb4, 0xff},
	anatomy.MedialTibialCentral:     {0x7d, 0xc8, 0xff, 0xff},
	anatomy.MedialTibialPosterior:   {0xa0, 0x78, 0xf0, 0xff},
	anatomy.MedialFemoralCentral:    {0x14, 0x78, 0xe6, 0xff},
	anatomy.MedialFemoralPosterior:  {0x5a, 0x46, 0xb4, 0xff},
	anatomy.LateralTibialAnterior:   {0xa0, 0x96, 0x14, 0xff},
	anatomy.LateralTibialCentral:    {0xbe, 0xeb, 0x50, 0xff},
	anatomy.LateralTibialPosterior:  {0x28, 0xb4, 0x8c, 0xff},
	anatomy.LateralFemoralCentral:   {0x46, 0xaf, 0x32, 0xff},
	anatomy.LateralFemoralPosterior: {0x00, 0x6e, 0x46, 0xff},
	anatomy.Trochlear:               {0xe6, 0x9f, 0x00, 0xff},
	anatomy.PatellarMedial:          {0xd5, 0x46, 0x14, 0xff},
	anatomy.PatellarLateral:         {0xff, 0xa0, 0x8c, 0xff},
	anatomy.RegionMedialMeniscus:    {0xc8, 0xa5, 0xd2, 0xff},
	anatomy.RegionLateralMeniscus:   {0xc8, 0xbe, 0x96, 0xff},
}

// layerShades is the largest number of shades of a region. With more layers, some share a shade: the
// palette must hold the greys and all shades of 15 regions and of 7 rows without a region.
const layerShades = 5

// shade returns the colour of a layer: dark at the bone, light at the joint. Layer 0 has the colour c.
func shade(c color.RGBA, layer, layers int) color.RGBA {
	if layer == 0 || layers < 2 {
		return c
	}
	shades := min(layers, layerShades)
	step := (layer - 1) * shades / layers
	x := 2*float64(step)/float64(shades-1) - 1 // −1 at the bone, 1 at the joint
	mix := func(v uint8) uint8 {
		const most = 0.45 // fraction of the way to black or white, at which the hue is still visible
		if x < 0 {
			return uint8(math.Round(float64(v) * (1 + most*x)))
		}
		return uint8(math.Round(float64(v) + (255-float64(v))*most*x))
	}
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

// division is the parts of a mask and their colours.
type division struct {
	parts   []segment.Part
	colours []color.RGBA // of each part
	layers  []string     // names, from bone to joint; nil if there are no layers
}

func newDivision(r segment.Regions) division {
	d := division{parts: r.Parts}
	layers := 0
	for _, p := range r.Parts {
		layers = max(layers, p.Layer)
	}
	d.layers = segment.LayerNames(layers)
	rowColour := lineColoursOf(r.Names)
	for _, p := range r.Parts {
		c, known := regionColours[anatomy.RegionNamed(p.Region)]
		if !known {
			c = lineColours[len(lineColours)-1]
			for n, name := range r.Names {
				if name == p.Compartment {
					c = lineColours[rowColour[n]]
				}
			}
		}
		d.colours = append(d.colours, shade(c, p.Layer, layers))
	}
	return d
}

// region returns the region of a part, or its compartment if it has no region.
func (d division) region(n int) string {
	if p := d.parts[n]; p.Region != "" {
		return p.Region
	}
	return d.parts[n].Compartment
}

// name names a part by its region and layer. A part without a layer says so if other parts of its
// region have layers. The tissue is added if the mask marks the region with several tissues.
func (d division) name(n int) string {
	tissue := ""
	if t := d.parts[n].Tissue; t != "" {
		tissue = " (" + t + ")"
	}
	if l := d.parts[n].Layer; l > 0 {
		return d.region(n) + " " + d.layers[l-1] + tissue
	}
	for m, p := range d.parts {
		if p.Layer > 0 && d.region(m) == d.region(n) {
			return d.region(n) + " without a layer" + tissue
		}
	}
	return d.region(n) + tissue
}

// paletted returns the palette of regions.png, greys first, and the index of each part.
func (d division) paletted() (color.Palette, []uint8) {
	p := figure.GreyPalette()
	index := make([]uint8, len(d.parts))
	entries := map[color.RGBA]uint8{}
	for n, c := range d.colours {
		i, ok := entries[c]
		if !ok && len(p) < 256 {
			i = uint8(len(p))
			entries[c] = i
			p = append(p, c)
		}
		index[n] = i
	}
	return p, index
}

// keys returns a key for each region that has voxels, in the order of package anatomy. Its colours
// are those of the layers, from bone to joint.
func (d division) keys(index []uint8, part []uint16) []figure.Key {
	present := make([]bool, len(d.parts)+1)
	for _, p := range part {
		present[p] = true
	}
	var order []int
	for n := range d.parts {
		if present[n+1] {
			order = append(order, n)
		}
	}
	middle := float64(len(d.layers)+1) / 2 // place of a part without a layer, whose shade is the middle one
	slices.SortStableFunc(order, func(a, b int) int {
		p, q := d.parts[a], d.parts[b]
		layer := func(p segment.Part) float64 {
			if p.Layer == 0 {
				return middle
			}
			return float64(p.Layer)
		}
		return cmp.Or(cmp.Compare(anatomy.RegionNamed(p.Region), anatomy.RegionNamed(q.Region)),
			cmp.Compare(p.Compartment, q.Compartment), cmp.Compare(layer(p), layer(q)))
	})
	var keys []figure.Key
	for _, n := range order {
		if last := len(keys) - 1; last < 0 || keys[last].Text != d.region(n) {
			keys = append(keys, figure.Key{Text: d.region(n)})
		}
		k := &keys[len(keys)-1]
		if !slices.Contains(k.Colours, index[n]) {
			k.Colours = append(k.Colours, index[n])
		}
	}
	return keys
}

// writeRegions writes regions.png: the slices of overlay.png, with each voxel of the mask in the
// colour of its region and the shade of its layer.
func writeRegions(w io.Writer, s scene, r Result) error {
	d := newDivision(s.regions)
	colours, index := d.paletted()
	sh := newSheet(s, false, d.keys(index, s.regions.Part))
	img := image.NewPaletted(image.Rectangle{Max: sh.size}, colours)
	figure.Fill(img, image.Rect(0, 0, sh.size.X, sh.header), figure.GreyPanel)
	text := s.words(r)
	text.subtitle = "division of the mask"
	if len(d.layers) > 1 {
		text.subtitle += "; layers are darker at the bone and lighter at the joint"
	}
	text.subtitle = printable.Join("; ", text.subtitle, r.Mask.Carried())
	drawWords(img, sh, text, sh.size.X-2*sh.textSize(sh.size.X))
	labels := newTileLabels(s.echo.Geometry, sh.view.size, sh.label)
	for n, k := range s.mask.Slices {
		sh.view.drawGrey(img, sh.corner(n), volume.Slice(s.echo.Geometry, s.echo.Data, k), s)
		labels.draw(img, sh.corner(n), k)
		sh.view.drawParts(img, sh.corner(n), volume.Slice(s.echo.Geometry, s.regions.Part, k), s.echo.Size[0], index)
	}
	return figure.EncodePNG(w, img)
}

// drawParts draws the parts of a slice, given their palette indices, with the top left pixel at corner.
func (v view) drawParts(dst *image.Paletted, corner image.Point, part []uint16, nx int, index []uint8) {
	for y, j := range v.y.near {
		inRow := part[v.crop.Min.X+nx*(v.crop.Min.Y+j):][:v.crop.Dx()]
		row := dst.Pix[dst.PixOffset(corner.X, corner.Y+y):][:v.size.X]
		for x, i := range v.x.near {
			if p := inRow[i]; p != 0 {
				row[x] = index[p-1]
			}
		}
	}
}
