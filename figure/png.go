package figure

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/png"
	"math"

	"gonum.org/v1/plot/vg"
)

// dpi is the lowest resolution that journals accept for pictures.
const dpi = 300

// png writes the sheet as a PNG with its size on paper.
func (s *sheet) png(p Picture) ([]byte, error) {
	c, pixels := newPixels(vg.Length(s.width), vg.Length(s.height), dpi, nil)
	for _, m := range s.marks {
		c.SetColor(m.colour)
		switch m.kind {
		case stroke:
			c.SetLineWidth(vg.Length(m.width))
			dash := make([]vg.Length, len(m.dash))
			for n, d := range m.dash {
				dash[n] = vg.Length(d)
			}
			c.SetLineDash(dash, 0)
			c.Stroke(vgPath(m.path))
		case fill:
			c.Fill(vgPath(m.path))
		case letters:
			c.Fill(m.outlined())
		case raster:
			c.DrawImage(m.rectangle(), m.image)
		}
	}
	var b bytes.Buffer
	img := s.thrifty(pixels)
	// The files are 7 % larger than with the default level, with images a third, and take a fifth of the time.
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("figure %s: PNG: %w", p.Name, err)
	}
	return withDensity(b.Bytes()), nil
}

func vgPath(path []step) vg.Path {
	vgPoint := func(p point) vg.Point { return vg.Point{X: vg.Length(p.x), Y: vg.Length(p.y)} }
	var converted vg.Path
	for _, p := range path {
		switch p.verb {
		case moveTo:
			converted.Move(vgPoint(p.points[0]))
		case lineTo:
			converted.Line(vgPoint(p.points[0]))
		case curveTo:
			converted.CubeTo(vgPoint(p.points[0]), vgPoint(p.points[1]), vgPoint(p.points[2]))
		case closePath:
			converted.Close()
		}
	}
	return converted
}

// withDensity adds the chunk pHYs (PNG, 11.3.4.3), pixels per metre, after the header. image/png writes no
// such chunk, and a word processor would show the picture three times as wide.
func withDensity(file []byte) []byte {
	const header = 8 + 4 + 4 + 13 + 4 // signature; length, type, data and CRC of IHDR
	perMetre := uint32(math.Round(dpi / 0.0254))
	chunk := []byte("pHYs")
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = binary.BigEndian.AppendUint32(chunk, perMetre)
	chunk = append(chunk, 1) // the unit is the metre
	dense := bytes.Clone(file[:header])
	dense = binary.BigEndian.AppendUint32(dense, uint32(len(chunk)-4))
	dense = append(dense, chunk...)
	dense = binary.BigEndian.AppendUint32(dense, crc32.ChecksumIEEE(chunk))
	return append(dense, file[header:]...)
}
