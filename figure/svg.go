package figure

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"golang.org/x/image/font"

	"github.com/t2map/t2map/printable"
)

// families are typefaces whose letters have the widths of Liberation. Most Linux systems have Liberation, and
// other systems have Arial.
const families = "'Liberation Sans', Arimo, Arial, Helvetica, 'Nimbus Sans', sans-serif"

// svg writes the sheet as SVG, in which text remains text. Each text has its width as an attribute, so that it
// takes the same space with any typeface. The file loads nothing.
func (s *sheet) svg(p Picture) []byte {
	var b bytes.Buffer
	size := func(points float64) string { return plain(points / pointsPerMM) }
	fmt.Fprintf(&b,
		`<svg xmlns="http://www.w3.org/2000/svg" width="%smm" height="%smm" viewBox="0 0 %s %s" role="img">`+"\n",
		size(s.width), size(s.height), plain(s.width), plain(s.height))
	fmt.Fprintf(&b, "<title>%s</title>\n<desc>%s</desc>\n", escape(p.Title), escape(p.Caption))
	fmt.Fprintf(&b, `<rect width="%s" height="%s" fill="#fff"/>`+"\n", plain(s.width), plain(s.height))
	fmt.Fprintf(&b, `<g font-family="%s" stroke-linejoin="round" stroke-miterlimit="10">`+"\n", families)
	for _, m := range s.marks {
		switch m.kind {
		case stroke:
			fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s"%s stroke-width="%s"`, s.pathData(m.path),
				hex(m.colour), opacity("stroke", m.colour), plain(m.width))
			if len(m.dash) > 0 {
				fmt.Fprintf(&b, ` stroke-dasharray="%s"`, plain(m.dash...))
			}
			b.WriteString("/>\n")
		case fill:
			fmt.Fprintf(&b, `<path d="%s" fill="%s"%s/>`+"\n", s.pathData(m.path), hex(m.colour),
				opacity("fill", m.colour))
		case letters:
			s.svgText(&b, m)
		case raster:
			s.svgImage(&b, m)
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

func (s *sheet) svgText(b *bytes.Buffer, m mark) {
	x, y := m.start.x, hundredth(s.height-m.start.y)
	fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" fill="%s"`, plain(x), plain(y),
		plain(hundredth(float64(m.face.Font.Size))), hex(m.colour))
	if m.face.Font.Weight == font.WeightBold {
		b.WriteString(` font-weight="bold"`)
	}
	if len(m.text) > 1 {
		fmt.Fprintf(b, ` textLength="%s" lengthAdjust="spacingAndGlyphs"`,
			plain(hundredth(float64(m.face.Width(m.text)))))
	}
	if m.angle != 0 {
		fmt.Fprintf(b, ` transform="rotate(%s %s %s)"`, plain(hundredth(-m.angle)), plain(x), plain(y))
	}
	fmt.Fprintf(b, ">%s</text>\n", escape(m.text))
}

// pathData returns the path in the coordinates of SVG, whose y points down.
func (s *sheet) pathData(path []step) string {
	var b strings.Builder
	for _, p := range path {
		letter, points := "Z", 0
		switch p.verb {
		case moveTo:
			letter, points = "M", 1
		case lineTo:
			letter, points = "L", 1
		case curveTo:
			letter, points = "C", 3
		}
		b.WriteString(letter)
		for n, p2 := range p.points[:points] {
			if n > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(plain(p2.x, hundredth(s.height-p2.y)))
		}
	}
	return b.String()
}

// plain returns numbers of at most two decimals, without trailing zeros.
func plain(x ...float64) string {
	var b []byte
	for n, v := range x {
		if n > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendFloat(b, hundredth(v), 'f', -1, 64)
	}
	return string(b)
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func opacity(property string, c color.NRGBA) string {
	if c.A == 0xff {
		return ""
	}
	return fmt.Sprintf(` %s-opacity="%s"`, property, plain(float64(c.A)/0xff))
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(printable.Line(s))) // writing to a buffer does not fail
	return b.String()
}
