package figure

import (
	"image"
	"image/color"
	"math"

	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"

	"github.com/t2map/t2map/printable"
)

// sheet is a vg.Canvas that records all drawing as a list of marks. All three files are written from this
// list, so that they show the same. Coordinates are transformed to points of the sheet and rounded to a
// hundredth, so that the last bit of a sum, which may depend on the processor, does not reach a file.
type sheet struct {
	width, height float64
	stack         []drawState
	marks         []mark
}

// drawState is the state that Push saves.
type drawState struct {
	m      matrix
	colour color.NRGBA
	width  float64
	dash   []float64
}

// mark is a stroked or filled path, a text or an image.
type mark struct {
	kind   markKind
	colour color.NRGBA
	path   []step
	width  float64   // of a stroke
	dash   []float64 // of a stroke
	text   string
	face   plotfont.Face
	start  point   // start of the text's baseline
	angle  float64 // of the text, degrees counterclockwise
	image  image.Image
	corner point // of the image, opposite to at, above and to the right
}

type markKind int8

const (
	stroke markKind = iota
	fill
	letters
	raster
)

type point struct{ x, y float64 }

// step is a part of a path to the last of its points. The other points control its shape.
type step struct {
	verb   verb
	points [3]point
}

type verb int8

const (
	moveTo  verb = iota // to[0]
	lineTo              // to[0]
	curveTo             // control points to[0] and to[1], end to[2]
	closePath
)

// matrix takes (x, y) to (a·x + c·y + e, b·x + d·y + f).
type matrix struct{ a, b, c, d, e, f float64 }

func (m matrix) apply(p vg.Point) point {
	x, y := float64(p.X), float64(p.Y)
	return point{hundredth(m.a*x + m.c*y + m.e), hundredth(m.b*x + m.d*y + m.f)}
}

// times returns the matrix that applies n first.
func (m matrix) times(n matrix) matrix {
	return matrix{
		a: m.a*n.a + m.c*n.b, b: m.b*n.a + m.d*n.b,
		c: m.a*n.c + m.c*n.d, d: m.b*n.c + m.d*n.d,
		e: m.a*n.e + m.c*n.f + m.e, f: m.b*n.e + m.d*n.f + m.f,
	}
}

// hundredth rounds to 0.01. Numbers far outside the sheet, which no writer supports, are clamped to a million
// points, and NaN becomes 0.
func hundredth(x float64) float64 {
	const far = 1e6
	if math.IsNaN(x) {
		return 0
	}
	x = math.Round(min(max(x, -far), far)*100) / 100
	return x + 0 // no negative 0
}

func newSheet(width, height float64) *sheet {
	s := &sheet{width: width, height: height, stack: []drawState{{m: matrix{a: 1, d: 1}}}}
	vg.Initialize(s)
	return s
}

func (s *sheet) top() *drawState { return &s.stack[len(s.stack)-1] }

// Size implements vg.CanvasSizer.
func (s *sheet) Size() (w, h vg.Length) { return vg.Length(s.width), vg.Length(s.height) }

// SetLineWidth implements vg.Canvas, as do all methods below.
func (s *sheet) SetLineWidth(w vg.Length) { s.top().width = hundredth(float64(w)) }

func (s *sheet) SetLineDash(pattern []vg.Length, _ vg.Length) {
	s.top().dash = nil
	for _, d := range pattern {
		s.top().dash = append(s.top().dash, hundredth(float64(d)))
	}
}

func (s *sheet) SetColor(c color.Color) {
	if c == nil {
		c = color.Black
	}
	s.top().colour = color.NRGBAModel.Convert(c).(color.NRGBA)
}

func (s *sheet) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	s.top().m = s.top().m.times(matrix{a: cos, b: sin, c: -sin, d: cos})
}

func (s *sheet) Translate(p vg.Point) {
	s.top().m = s.top().m.times(matrix{a: 1, d: 1, e: float64(p.X), f: float64(p.Y)})
}

func (s *sheet) Scale(x, y float64) { s.top().m = s.top().m.times(matrix{a: x, d: y}) }

func (s *sheet) Push() { s.stack = append(s.stack, *s.top()) }

func (s *sheet) Pop() { s.stack = s.stack[:len(s.stack)-1] }

func (s *sheet) Stroke(p vg.Path) {
	if t := s.top(); t.width > 0 && t.colour.A > 0 {
		s.marks = append(s.marks, mark{kind: stroke, colour: t.colour, path: s.steps(p), width: t.width, dash: t.dash})
	}
}

func (s *sheet) Fill(p vg.Path) {
	if t := s.top(); t.colour.A > 0 {
		s.marks = append(s.marks, mark{kind: fill, colour: t.colour, path: s.steps(p)})
	}
}

func (s *sheet) FillString(face plotfont.Face, start vg.Point, text string) {
	text = printable.Line(text)
	if text == "" || face.Font.Size <= 0 {
		return
	}
	t := s.top()
	angle := hundredth(math.Atan2(t.m.b, t.m.a) * 180 / math.Pi)
	s.marks = append(s.marks, mark{kind: letters, colour: t.colour, text: text, face: face, start: t.m.apply(start),
		angle: angle})
}

// DrawImage draws an image in a rectangle. The canvas must not be rotated.
func (s *sheet) DrawImage(area vg.Rectangle, img image.Image) {
	m := s.top().m
	s.marks = append(s.marks, mark{kind: raster, colour: color.NRGBA{A: 0xff}, image: img, start: m.apply(area.Min),
		corner: m.apply(area.Max)})
}

// steps returns the path in coordinates of the sheet, with arcs as curves.
func (s *sheet) steps(p vg.Path) []step {
	m := s.top().m
	var steps []step
	var here vg.Point
	for _, c := range p {
		switch c.Type {
		case vg.MoveComp:
			steps = append(steps, step{moveTo, [3]point{m.apply(c.Pos)}})
			here = c.Pos
		case vg.LineComp:
			steps = append(steps, step{lineTo, [3]point{m.apply(c.Pos)}})
			here = c.Pos
		case vg.ArcComp:
			steps, here = m.arc(steps, c)
		case vg.CurveComp:
			first, second := c.Control[0], c.Control[len(c.Control)-1]
			if len(c.Control) == 1 { // convert a quadratic curve to a cubic one
				q := c.Control[0]
				first = here.Add(q.Sub(here).Scale(2. / 3))
				second = c.Pos.Add(q.Sub(c.Pos).Scale(2. / 3))
			}
			steps = append(steps, step{curveTo, [3]point{m.apply(first), m.apply(second), m.apply(c.Pos)}})
			here = c.Pos
		case vg.CloseComp:
			steps = append(steps, step{verb: closePath})
		}
	}
	return steps
}

// arc adds an arc as curves of at most a right angle and returns its end. Each curve deviates from the arc by
// less than 0.03 % of the radius.
func (m matrix) arc(steps []step, c vg.PathComp) ([]step, vg.Point) {
	place := func(angle float64) vg.Point {
		sin, cos := math.Sincos(angle)
		return vg.Point{X: c.Pos.X + c.Radius*vg.Length(cos), Y: c.Pos.Y + c.Radius*vg.Length(sin)}
	}
	parts := max(1, int(math.Ceil(math.Abs(c.Angle)/(math.Pi/2)-1e-9)))
	turn := c.Angle / float64(parts)
	// The length of the handles of a circular arc: 4/3·tan(θ/4).
	handle := vg.Length(4. / 3 * math.Tan(turn/4))
	start := place(c.Start)
	first := step{lineTo, [3]point{m.apply(start)}}
	if len(steps) == 0 {
		first.verb = moveTo
	}
	steps = append(steps, first)
	for n := range parts {
		a := c.Start + turn*float64(n)
		start, last := place(a), place(a+turn)
		control1 := vg.Point{X: start.X - handle*(start.Y-c.Pos.Y), Y: start.Y + handle*(start.X-c.Pos.X)}
		control2 := vg.Point{X: last.X + handle*(last.Y-c.Pos.Y), Y: last.Y - handle*(last.X-c.Pos.X)}
		steps = append(steps, step{curveTo, [3]point{m.apply(control1), m.apply(control2), m.apply(last)}})
	}
	return steps, place(c.Start + c.Angle)
}
