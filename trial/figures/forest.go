package figures

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// forest draws the differences of least-squares means from the reference arm, or their ratios on the log scale.
// "forest" has one block for all compartments, "forest-scores" and "forest-markers" one for each endpoint, since
// units differ. A trial of one arm has no such figure.
func forest(a trial.Analysis, f family, _ Options) ([]figure.Picture, error) {
	if len(a.Design.Arms) < 2 || len(a.Design.Visits) < 2 {
		return nil, nil
	}
	a, names := renamed(a)
	flags := newFlagged(names)
	most := 1
	if f.familyKind == compartments { // an endpoint needs at least a row for each arm and a heading
		most = max(1, forestMost/len(a.Design.Arms))
	}
	var blocks []forestBlock
	var together []int
	for k, n := range f.endpoints {
		together = append(together, n)
		if k+1 == len(f.endpoints) || len(together) == most || a.Endpoints[n].Log != a.Endpoints[f.endpoints[k+1]].Log {
			blocks, together = append(blocks, newForestBlock(a, together, flags)), nil
		}
	}
	blocks = slices.DeleteFunc(blocks, func(b forestBlock) bool { return len(b.rows) == 0 })
	return forestPictures(a, f, blocks, flags)
}

// forestRow is a heading, or a contrast.
type forestRow struct {
	heading string
	words   string
	n       string
	trial.Contrast
	flagged bool
}

// forestBlock is rows on one axis.
type forestBlock struct {
	rows     []forestRow
	scale    figure.Range
	decimals int
	label    string
	// worse is the side that favours the reference: 1 for the right, if higher is worse; −1 for the
	// left; 0 if it is not known.
	worse           int
	arm, reference  string
	withHolm, isCut bool
	// onlyPrimary reports that visits other than the primary one are omitted.
	onlyPrimary bool
}

// Sizes of the forest in points.
const (
	forestRowHeight = 12
	forestHead      = 14
	forestFoot      = 40  // ticks, name of the axis, words of direction
	forestLabels    = 110 // the largest width
	forestPanel     = 64  // the smallest width that labels leave
	forestGap       = 8   // between columns
	forestIndent    = 8
	forestMost      = 46 // rows of a picture: a page of A4
	ratioDecimals   = 2
)

// newForestBlock returns the block of some endpoints.
func newForestBlock(a trial.Analysis, endpoints []int, flags *flagged) forestBlock {
	b := forestBlock{reference: a.Design.Arms[0], arm: "the arm", label: "Difference of least-squares means"}
	if len(a.Design.Arms) == 2 {
		b.arm = a.Design.Arms[1]
	}
	b.onlyPrimary = rowsOf(a, endpoints) > forestMost
	var headings []string
	for _, e := range a.Endpoints {
		headings = append(headings, e.Title)
	}
	headings = figure.FitAll(strong, headings, forestLabels)
	var all []mmrm.Estimate
	for k, n := range endpoints {
		e := a.Endpoints[n]
		b.direction(k, e.Direction)
		var rows []forestRow
		for _, c := range e.Contrasts {
			if b.onlyPrimary && c.Visit != a.Design.MainVisit(e.Endpoint) {
				continue
			}
			row := forestRow{Contrast: c, words: visitLabel(a.Design.Visits[c.Visit]),
				n: fmt.Sprintf("%d, %d", e.Model.SubjectsAt(c.Arm, c.Visit), e.Model.SubjectsAt(0, c.Visit))}
			if len(a.Design.Arms) > 2 {
				row.words += ", " + a.Design.Arms[c.Arm]
			}
			row.flagged = flags.touch(e.Cells[c.Arm][c.Visit].ChangeFlags, e.Cells[0][c.Visit].ChangeFlags)
			rows = append(rows, row)
			all = append(all, c.Model)
			b.withHolm = b.withHolm || !math.IsNaN(c.Holm)
		}
		if len(rows) > 0 {
			b.rows = append(append(b.rows, forestRow{heading: headings[n]}), rows...)
		}
		b.decimals = max(b.decimals, e.Decimals())
		b.label = withUnit("Difference of least-squares means", e.Unit)
	}
	b.scale, b.isCut = forestRange(all)
	if b.scale.Log = a.Endpoints[endpoints[0]].Log; b.scale.Log {
		b.label, b.decimals = "Ratio of geometric least-squares means", ratioDecimals
		for i, m := range all {
			all[i] = a.Endpoints[endpoints[0]].Displayed(m)
		}
	}
	b.decimals = decimalsFor(all, b.decimals)
	return b
}

// rowsOf returns the number of rows of endpoints with all visits.
func rowsOf(a trial.Analysis, endpoints []int) int {
	rows := 0
	for _, n := range endpoints {
		rows += 1 + len(a.Endpoints[n].Contrasts)
	}
	return rows
}

// direction updates the direction of the block with that of its k-th endpoint. It is unknown if the
// endpoints have different directions.
func (b *forestBlock) direction(k int, d trial.Direction) {
	worse := map[trial.Direction]int{trial.HigherIsWorse: 1, trial.HigherIsBetter: -1}[d]
	if k > 0 && worse != b.worse {
		worse = 0
	}
	b.worse = worse
}

func (b forestBlock) height() vg.Length {
	return forestHead + vg.Length(len(b.rows))*forestRowHeight + forestFoot
}

// forestPictures draws blocks, as many in a picture as fit a page.
func forestPictures(a trial.Analysis, f family, blocks []forestBlock, flags *flagged) ([]figure.Picture, error) {
	var out []figure.Picture
	for len(blocks) > 0 {
		n, rows := 1, len(blocks[0].rows)
		for n < len(blocks) && rows+len(blocks[n].rows)+4 <= forestMost {
			rows += len(blocks[n].rows) + 4
			n++
		}
		p, err := forestPicture(a, f, blocks[:n], flags)
		if err != nil {
			return nil, err
		}
		blocks = blocks[n:]
		out = append(out, p)
	}
	for n := range out {
		out[n].Name, out[n].Part = figure.PageName(f.name("forest"), n), n
	}
	return out, nil
}

func forestPicture(a trial.Analysis, f family, blocks []forestBlock, flags *flagged) (figure.Picture, error) {
	reference := figure.ShortenAll(a.Design.Arms, isShort)[0]
	fr := newFrame(f.name("forest"), "Differences of "+f.noun()+" from "+reference,
		fmt.Sprintf("Differences from %s in the least-squares means of the change from baseline, by %s and "+
			"visit%s: estimates of the mixed model for repeated measures with %s confidence intervals, n of the arm and "+
			"of the reference in the model.", reference, word(f.familyKind == compartments, "compartment", "endpoint"),
			logRemark(a, f, "ratios of geometric means"), percentOf(a.Plan.Level)))
	var height vg.Length
	var cut, holm, primary, onlyPrimary bool
	for _, b := range blocks {
		height += b.height()
		cut, holm, onlyPrimary = cut || b.isCut, holm || b.withHolm, onlyPrimary || b.onlyPrimary
		primary = primary || slices.ContainsFunc(b.rows, func(r forestRow) bool { return r.Primary() })
	}
	if holm {
		fr.Caption += " Holm p is adjusted over the contrasts of the family: primary, or key secondary."
	}
	if primary {
		fr.Caption += " The primary contrast is bold."
	}
	if onlyPrimary {
		fr.Caption += " Of many visits, only the primary one is shown."
	}
	fr.Caption += modelRemarks(a, f)
	flags.annotate(&fr)
	fr.NoteArrowheads(cut)
	if len(a.Design.Arms) > 2 {
		fr.Legend = figure.MarkSymbols(a.Design.Arms)[1:]
	}
	return fr.Draw(height, func(c draw.Canvas, body vg.Rectangle) {
		for _, b := range blocks {
			b.paint(c, body, percentOf(a.Plan.Level))
			body.Max.Y -= b.height()
		}
	})
}

// paint draws the block at the top of the body.
func (b forestBlock) paint(c draw.Canvas, body vg.Rectangle, level string) {
	heads := [...]string{"n, n ref.", word(b.scale.Log, "ratio [", "difference [") + level + " CI]", "p", "Holm p"}
	cols, width := b.columns(body, heads[:])
	b.rows = b.shortened(cols)
	top := body.Max.Y - forestHead
	p := figure.Panel{Canvas: c, X: b.scale, Area: vg.Rectangle{
		Min: vg.Point{X: cols.n + width[0] + forestGap, Y: top - vg.Length(len(b.rows))*forestRowHeight},
		Max: vg.Point{X: cols.interval - width[1] - forestGap, Y: top},
	}}
	y := body.Max.Y - 3
	figure.Write(c, figure.Align(small, figure.Left, figure.Below), vg.Point{X: cols.n, Y: y}, heads[0])
	figure.Write(c, figure.Align(small, figure.Right, figure.Below), vg.Point{X: cols.interval, Y: y}, heads[1])
	figure.Write(c, figure.Align(small, figure.Right, figure.Below), vg.Point{X: cols.p, Y: y}, heads[2])
	if b.withHolm {
		figure.Write(c, figure.Align(small, figure.Right, figure.Below), vg.Point{X: cols.holm, Y: y}, heads[3])
	}
	b.axis(p)
	for n, row := range b.rows {
		b.row(p, row, cols, top-(vg.Length(n)+0.5)*forestRowHeight)
	}
}

// forestColumns are the positions of the columns of text: the left ends of the labels and of n, the
// right ends of the others.
type forestColumns struct{ labels, n, interval, p, holm vg.Length }

// columns gives each column of text the width of its widest cell, and the panel the remaining width. It
// also returns the widths of n, the interval, p and Holm's p.
func (b forestBlock) columns(body vg.Rectangle, heads []string) (cols forestColumns, width [4]vg.Length) {
	bold := figure.Bold(small)
	for n, head := range heads {
		width[n] = small.Width(head)
	}
	var labels vg.Length
	for _, r := range b.rows {
		if r.heading != "" {
			labels = max(labels, min(forestLabels, strong.Width(printable.Line(r.heading))))
			continue
		}
		labels = max(labels, min(forestLabels, forestIndent+bold.Width(printable.Line(r.words)+" "+figure.Dagger)))
		for n, s := range []string{r.n, b.estimate(r), figure.PValue(r.Model.P), figure.PValue(r.Holm)} {
			width[n] = max(width[n], bold.Width(s))
		}
	}
	rest := width[0] + width[1] + width[2] + forestPanel + 4*forestGap
	if b.withHolm {
		rest += width[3] + forestGap
	}
	labels = min(labels, body.Size().X-rest)
	cols = forestColumns{labels: body.Min.X, n: body.Min.X + labels + forestGap, p: body.Max.X}
	if b.withHolm {
		cols.holm, cols.p = body.Max.X, body.Max.X-width[3]-forestGap
	}
	cols.interval = cols.p - width[2] - forestGap
	return cols, width
}

// axis draws the ticks below, the line of no difference, and which arm each side favours.
func (b forestBlock) axis(p figure.Panel) {
	p.AxisX()
	p.LineX(figure.ZeroLine, 0)
	p.NameX(figure.Fit(small, b.label, p.Area.Size().X+60))
	if b.worse == 0 {
		return
	}
	sides := [2]string{b.arm, b.reference}
	if b.worse < 0 {
		sides = [2]string{b.reference, b.arm}
	}
	middle := figure.Centre(p.Area).X
	y := p.Area.Min.Y - 25
	room := min(middle-figure.Margin, figure.Margin+figure.BodyWidth-middle) - 3 - small.Width("← favours ")
	words := figure.FitAll(small, sides[:], room)
	figure.Write(p.Canvas, figure.Align(small, figure.Right, figure.Below), vg.Point{X: middle - 4, Y: y},
		"← favours "+words[0])
	figure.Write(p.Canvas, figure.Align(small, figure.Left, figure.Below), vg.Point{X: middle + 4, Y: y},
		"favours "+words[1]+" →")
}

// shortened returns the rows with words that fit the column of labels and differ from each other.
func (b forestBlock) shortened(cols forestColumns) []forestRow {
	bold := figure.Bold(small)
	var words []string
	for _, r := range b.rows {
		words = append(words, r.words)
	}
	words = figure.FitAll(bold, words, cols.n-cols.labels-forestGap-forestIndent-bold.Width(" "+figure.Dagger))
	rows := slices.Clone(b.rows)
	for n := range rows {
		rows[n].words = words[n]
	}
	return rows
}

// row draws a heading or a contrast at y.
func (b forestBlock) row(p figure.Panel, r forestRow, cols forestColumns, y vg.Length) {
	left := cols.labels
	if r.heading != "" {
		figure.Write(p.Canvas, figure.Align(strong, figure.Left, figure.Middle), vg.Point{X: left, Y: y}, r.heading)
		return
	}
	style := small
	if r.Primary() {
		style = figure.Bold(small)
		grey := color.NRGBA{0, 0, 0, 0x12}
		figure.FillRect(p.Canvas, grey, vg.Rectangle{Min: vg.Point{X: left, Y: y - forestRowHeight/2},
			Max: vg.Point{X: max(cols.p, cols.holm), Y: y + forestRowHeight/2}})
	}
	words := r.words
	if r.flagged {
		words += " " + figure.Dagger
	}
	figure.Write(p.Canvas, figure.Align(style, figure.Left, figure.Middle), vg.Point{X: left + forestIndent, Y: y},
		words)
	figure.Write(p.Canvas, figure.Align(style, figure.Left, figure.Middle), vg.Point{X: cols.n, Y: y}, r.n)
	figure.Write(p.Canvas, figure.Align(style, figure.Right, figure.Middle), vg.Point{X: cols.interval, Y: y},
		b.estimate(r))
	figure.Write(p.Canvas, figure.Align(style, figure.Right, figure.Middle), vg.Point{X: cols.p, Y: y},
		figure.PValue(r.Model.P))
	if b.withHolm {
		figure.Write(p.Canvas, figure.Align(style, figure.Right, figure.Middle), vg.Point{X: cols.holm, Y: y},
			figure.PValue(r.Holm))
	}
	b.whisker(p, r, y)
}

func (b forestBlock) estimate(r forestRow) string {
	if !figure.Drawable(r.Model.Value) {
		return "–"
	}
	n := func(x float64) string { return figure.Number(b.scale.Number(x), b.decimals) }
	return fmt.Sprintf("%s [%s, %s]", n(r.Model.Value), n(r.Model.Low), n(r.Model.High))
}

// whisker draws the estimate and its interval, with arrowheads where it is cut.
func (b forestBlock) whisker(p figure.Panel, r forestRow, y vg.Length) {
	if !figure.Drawable(r.Model.Value) {
		return
	}
	sign := figure.SignOf(r.Arm)
	radius, width := vg.Length(2.4), vg.Length(0.9)
	if r.Primary() {
		radius, width = 3.4, 1.6
	}
	bounded := figure.Drawable(r.Model.Low) && figure.Drawable(r.Model.High)
	if bounded {
		p.IntervalX(draw.LineStyle{Color: sign.Colour, Width: width}, y, r.Model.Low, r.Model.High, 2)
	}
	p.Mark(sign, radius, vg.Point{X: p.AtX(b.scale.Clamp(r.Model.Value)), Y: y}, !bounded)
}
