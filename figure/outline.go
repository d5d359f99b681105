package figure

import (
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
)

// outlined returns the outlines of the letters of a text, to be filled in a PNG. vgimg would rotate the
// pixels of letters instead. That blurs them, and it uses floating point, so that a processor with fused
// multiply-adds would produce other shades.
func (m mark) outlined() vg.Path {
	var (
		path vg.Path
		buf  sfnt.Buffer
		f    = m.face.Face
		unit = fixed.Int26_6(f.UnitsPerEm()) // makes lengths integers in the typeface's own units
		size = float64(m.face.Font.Size) / float64(unit)
		x    fixed.Int26_6 // of the letter on its line
		last sfnt.GlyphIndex
	)
	sin, cos := math.Sincos(m.angle * math.Pi / 180)
	place := func(p fixed.Point26_6) vg.Point { // y of outlines points down
		offset, up := float64(x+p.X)*size, -float64(p.Y)*size
		return vg.Point{X: vg.Length(m.start.x + offset*cos - up*sin), Y: vg.Length(m.start.y + offset*sin + up*cos)}
	}
	for n, r := range drawable(f, m.text) {
		g, err := f.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if n > 0 {
			if kern, err := f.Kern(&buf, last, g, unit, 0); err == nil {
				x += kern
			}
		}
		if segments, err := f.LoadGlyph(&buf, g, unit, nil); err == nil {
			path = append(path, outlineOf(segments, place)...)
		}
		if advance, err := f.GlyphAdvance(&buf, g, unit, 0); err == nil {
			x += advance
		}
		last = g
	}
	return path
}

// outlineOf returns the path of a letter's segments.
func outlineOf(segments sfnt.Segments, place func(fixed.Point26_6) vg.Point) vg.Path {
	var p vg.Path
	for n, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if n > 0 {
				p.Close()
			}
			p.Move(place(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			p.Line(place(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			p.QuadTo(place(s.Args[0]), place(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			p.CubeTo(place(s.Args[0]), place(s.Args[1]), place(s.Args[2]))
		}
	}
	if len(segments) > 0 {
		p.Close()
	}
	return p
}
