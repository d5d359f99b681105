package figure

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"

	"github.com/t2map/t2map/printable"
)

// pdf writes the sheet as a PDF of one page without a date, in which the letters that it uses are embedded.
// The PDFs of gonum/plot are not used: they support 255 letters only, without a minus sign and Greek
// letters, and contain the time.
func (s *sheet) pdf(p Picture) ([]byte, error) {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: s.width, Ht: s.height}})
	doc.SetCatalogSort(true)
	// Without a date, fpdf uses the current time. withoutDates removes these dates.
	doc.SetCreationDate(time.Unix(0, 0).UTC())
	doc.SetModificationDate(time.Unix(0, 0).UTC())
	doc.SetProducer("t2map", true)
	doc.SetTitle(printable.Line(p.Title), true)
	doc.SetSubject(printable.Line(p.Caption), true)
	doc.SetLang("en-GB")
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	doc.SetLineJoinStyle("round")
	widths := map[int]bool{} // of images
	for n, m := range s.marks {
		c := m.colour
		doc.SetAlpha(float64(c.A)/0xff, "Normal")
		switch m.kind {
		case stroke:
			doc.SetDrawColor(int(c.R), int(c.G), int(c.B))
			doc.SetLineWidth(m.width)
			doc.SetDashPattern(m.dash, 0)
			s.pdfPath(doc, m.path, "D")
		case fill:
			doc.SetFillColor(int(c.R), int(c.G), int(c.B))
			s.pdfPath(doc, m.path, "F")
		case letters:
			doc.SetTextColor(int(c.R), int(c.G), int(c.B))
			if err := s.pdfText(doc, m); err != nil {
				return nil, err
			}
		case raster:
			s.pdfImage(doc, m, n, widths)
		}
	}
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		return nil, fmt.Errorf("figure %s: PDF: %w", p.Name, err)
	}
	return withoutDates(b.Bytes()), nil
}

func (s *sheet) pdfPath(doc *fpdf.Fpdf, path []step, style string) {
	for _, p := range path {
		a, b, c := p.points[0], p.points[1], p.points[2]
		switch p.verb {
		case moveTo:
			doc.MoveTo(a.x, s.height-a.y)
		case lineTo:
			doc.LineTo(a.x, s.height-a.y)
		case curveTo:
			doc.CurveBezierCubicTo(a.x, s.height-a.y, b.x, s.height-b.y, c.x, s.height-c.y)
		case closePath:
			doc.ClosePath()
		}
	}
	doc.DrawPath(style)
}

func (s *sheet) pdfText(doc *fpdf.Fpdf, m mark) error {
	family, style := strings.ToLower(string(m.face.Font.Typeface)+string(m.face.Font.Variant)), ""
	if m.face.Font.Weight == font.WeightBold {
		style = "B"
	}
	if d := doc.GetFontDesc(family, style); d.Ascent == 0 { // not yet embedded
		var b bytes.Buffer // a copy, because fpdf modifies it
		if _, err := m.face.Face.WriteSourceTo(nil, &b); err != nil {
			return fmt.Errorf("typeface %s: %w", family, err)
		}
		doc.AddUTF8FontFromBytes(family, style, b.Bytes())
	}
	doc.SetFont(family, style, float64(m.face.Font.Size))
	x, y := m.start.x, s.height-m.start.y
	if m.angle != 0 {
		doc.TransformBegin()
		doc.TransformRotate(m.angle, x, y)
		defer doc.TransformEnd()
	}
	doc.Text(x, y, drawable(m.face.Face, m.text))
	return nil
}

// drawable replaces letters without a glyph by a white square. A PNG would have a gap in their place, and
// fpdf fails if they are outside the first plane of Unicode.
func drawable(f *sfnt.Font, s string) string {
	var buf sfnt.Buffer
	r := []rune(s)
	for n := range r {
		if !hasGlyph(f, &buf, r[n]) {
			r[n] = '\u25a1'
		}
	}
	return string(r)
}

// dates are the entries of a PDF's information dictionary.
var dates = regexp.MustCompile(`/(?:CreationDate|ModDate) \(D:19700101000000\)`)

// withoutDates overwrites the dates with spaces, which PDF allows between entries (ISO 32000-1, 7.2.2), so
// that no offset changes.
func withoutDates(b []byte) []byte {
	return dates.ReplaceAllFunc(b, func(d []byte) []byte { return bytes.Repeat([]byte{' '}, len(d)) })
}
