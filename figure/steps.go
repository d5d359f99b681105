package figure

import (
	"slices"

	"gonum.org/v1/plot/vg"
)

// Steps is an x axis with a label at each of a few places, such as visits.
type Steps struct {
	At    []float64
	Words []string
	Label string
	// Evenly reports that the steps are at equal distances, not to scale.
	Evenly bool
	scale  Range
}

// Sizes of the axis in points.
const (
	stepsWide   = 125 // the width of the narrowest panel, of three in a row
	stepsApart  = 10  // 3.5 mm: closer points of two arms overlap
	stepsEvener = 2   // the factor by which equal distances must increase the smallest
)

// ToScale returns an axis with steps at these places. If some would be too close together, they are at equal distances
// with their labels, and the axis says so.
func ToScale(label string, places []float64, words []string) Steps {
	s := Steps{At: places, Words: words, Label: label}
	s.scale, _ = Cover(places...)
	room := s.room(Panel{X: s.scale, Area: vg.Rectangle{Max: vg.Point{X: stepsWide}}})
	if len(room) < 2 {
		return s
	}
	if least := slices.Min(room); least < stepsApart && stepsWide/vg.Length(len(room)-1) >= stepsEvener*least {
		s = ByOrder(label+" (not to scale)", words)
		s.Evenly = true
	}
	return s
}

// ByOrder returns an axis with steps at equal distances.
func ByOrder(label string, words []string) Steps {
	s := Steps{Words: words, Label: label}
	for n := range words {
		s.At = append(s.At, float64(n))
	}
	s.scale, _ = Cover(s.At...)
	return s
}

// room returns the distance of each step from the nearest other in a panel.
func (s Steps) room(p Panel) []vg.Length {
	room := make([]vg.Length, len(s.At))
	for n := range room {
		room[n] = p.Area.Size().X
		if n > 0 {
			room[n] = min(room[n], p.AtX(s.At[n])-p.AtX(s.At[n-1]))
		}
		if n+1 < len(s.At) {
			room[n] = min(room[n], p.AtX(s.At[n+1])-p.AtX(s.At[n]))
		}
	}
	return room
}

// draw draws the axis with its name and as many labels as fit. countWidths has the widths of the counts
// below the labels. It returns the steps with a label.
func (s Steps) draw(p Panel, countWidths []vg.Length) []int {
	places, widths := make([]vg.Length, len(s.At)), make([]vg.Length, len(s.At))
	for n, x := range s.At {
		places[n], widths[n] = p.AtX(x), max(countWidths[n], Small.Width(s.Words[n]))
	}
	p.BottomAxis(places)
	shown := Sparse(places, widths, 3)
	for _, n := range shown {
		p.labelX(places[n], s.Words[n])
	}
	p.NameX(s.Label)
	return shown
}
