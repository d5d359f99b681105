package figure

import (
	"fmt"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PictureWidth is the width of pictures in mm. Letters of at least 7.5 points in a picture of this width are at
// least 5 points, which is legible in print, when a journal prints it in a column of 85 mm (7.5·85/127 = 5.02).
const PictureWidth = 127

const pointsPerMM = 72 / 25.4

// MM returns the length of x mm.
func MM(x float64) vg.Length { return vg.Length(x * pointsPerMM) }

// Picture is a figure with its files.
type Picture struct {
	// Name is the name of its files, without extension.
	Name string
	// Part numbers the pictures of a figure that has several, from 0.
	Part int
	// Title is short; Caption describes the content, the numbers of subjects, and the intervals.
	Title, Caption string
	// Flags are the problems that concern the picture, as indices into the caller's list. The picture
	// itself names only as many as fit.
	Flags []int
	// Remarks are further sentences for the reader.
	Remarks []string
	// Width and Height in mm.
	Width, Height float64
	// SVG, PNG and PDF are the files.
	SVG, PNG, PDF []byte
}

// Render calls paint and returns the picture with its files. The same drawing produces the same bytes. It
// may be called from several goroutines. A size that is not positive or above 60 cm is an error.
func (p Picture) Render(paint func(draw.Canvas)) (Picture, error) {
	s, err := p.draw(paint)
	if err != nil {
		return p, err
	}
	bare := p // the files may not depend on each other
	var files errgroup.Group
	files.Go(func() (err error) { p.PNG, err = s.png(bare); return err })
	files.Go(func() (err error) { p.PDF, err = s.pdf(bare); return err })
	p.SVG = s.svg(bare)
	return p, files.Wait()
}

// RenderSVG is like Render but makes only the SVG, which contains everything that is drawn. It takes a
// fiftieth of the time and is for tests of positions.
func (p Picture) RenderSVG(paint func(draw.Canvas)) (Picture, error) {
	s, err := p.draw(paint)
	if err != nil {
		return p, err
	}
	p.SVG = s.svg(p)
	return p, nil
}

func (p Picture) draw(paint func(draw.Canvas)) (*sheet, error) {
	const most = 600 // mm, about the height of A2, and 7,000 pixels
	if !(p.Width > 0 && p.Height > 0 && p.Width <= most && p.Height <= most) {
		return nil, fmt.Errorf("figure %s: %g × %g mm is not the size of a picture", p.Name, p.Width, p.Height)
	}
	s := newSheet(hundredth(p.Width*pointsPerMM), hundredth(p.Height*pointsPerMM))
	paint(draw.NewCanvas(s, vg.Length(s.width), vg.Length(s.height)))
	return s, nil
}
