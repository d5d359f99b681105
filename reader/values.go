package reader

import (
	"cmp"
	"context"
	"errors"
	"image/color"
	"io/fs"
	"net/http"
	"slices"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// labels are the labels of the scheme that have a meaning, with their colours.
func (s *Server) labels() []Label {
	var out []Label
	var names []string
	for _, l := range s.Protocol.MaskScheme().Labels {
		if l.Name == segment.Ignore {
			continue
		}
		out = append(out, Label{Value: l.Value, Name: printable.Short(l.Name)})
		names = append(names, l.Name)
	}
	for n, c := range colours(names) {
		out[n].Color = [3]uint8{c.R, c.G, c.B}
	}
	return out
}

// strong are colours that differ clearly from each other, from the grey of images and from the colours of T2. The first three
// are those of the medial, lateral and patellofemoral compartment in all pictures.
var strong = [...]color.RGBA{
	{R: 0x40, G: 0xa0, B: 0xff}, {R: 0xbe, G: 0xff, B: 0x00}, {R: 0xe6, G: 0x00, B: 0x00}, {R: 0x00, G: 0xe6, B: 0xd2},
	{R: 0xff, G: 0x50, B: 0xdc}, {R: 0xff, G: 0xff, B: 0xff}, {R: 0xa0, G: 0x82, B: 0x5a}, {R: 0x00, G: 0xb4, B: 0x50},
}

// colours returns the colours of labels. Those of compartments are those in all pictures.
func colours(names []string) []color.RGBA {
	out := make([]color.RGBA, len(names))
	used := map[color.RGBA]bool{}
	for n, name := range names {
		if c, ok := report.SideColour(name); ok && !used[c] {
			c.A = 0
			out[n], used[c] = c, true
		}
	}
	next := 0
	for n := range out {
		for out[n] == (color.RGBA{}) {
			if c := strong[next%len(strong)]; !used[c] || next >= len(strong) {
				out[n] = c
			}
			next++
		}
	}
	return out
}

// present returns the mask that a reader sees, that of the drawing or else that of standing, and the number of the step.
func (s *Server) present(c aCase, v *view) (mask volume.Labels, step int, err error) {
	d, err := s.drafts.resume(s, c)
	if errors.Is(err, fs.ErrNotExist) {
		mask, err = s.standing(c, v)
		return mask, 0, err
	}
	if err != nil {
		return mask, 0, err
	}
	defer d.mu.Unlock()
	err = d.View(func(one *drawing.Drawing) {
		mask = volume.Labels{Geometry: one.Mask().Geometry, Data: slices.Clone(one.Mask().Data)}
	})
	return mask, d.Steps(), err
}

// standing returns the mask of a study without a drawing: what the reader has signed last with this scheme and on this
// grid, or else the study's own, or an empty one.
func (s *Server) standing(c aCase, v *view) (volume.Labels, error) {
	own, err := s.Store.Reads(c.user.Code, c.Key)
	if err != nil {
		return volume.Labels{}, err
	}
	if signed, ok := reads.Standing(own); ok {
		if mask, err := s.signedMask(v, signed); !errors.As(err, new(*statusError)) {
			return mask, err
		}
	}
	if v.NoMask == nil {
		return v.Mask, nil
	}
	return volume.Labels{Geometry: v.Series.Geometry, Data: make([]uint16, v.Series.Voxels())}, nil
}

// values answers with the values of the drawing, or of the study's mask, with compartments.
func (s *Server) values(r *http.Request) (answer, error) {
	c, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	mask, _, err := s.present(c, v)
	if err != nil {
		return answer{}, err
	}
	out, err := valuesOf(v, mask, true)
	return answer{value: out}, err
}

// binMS is the width of the bins of histograms.
const binMS = 2

// valuesOf computes the values of a mask. divide adds the compartments, which takes longer.
func valuesOf(v *view, mask volume.Labels, divide bool) (Values, error) {
	out := Values{Rows: []Row{}, Compartments: []Row{}, BinMS: binMS}
	m, err := v.Measure(context.Background(), mask, divide)
	if err != nil {
		return out, err
	}
	label := map[string]segment.Label{} // by the name of the row
	for n, l := range v.Rows().Labels {
		if l.Name != segment.Ignore {
			label[l.Name] = v.Scheme().Labels[n]
		}
	}
	counts := histograms(v, m.Status, mask)
	for _, one := range m.Labels {
		row := rowOf(one)
		own := label[one.Compartment]
		row.Name, row.Label, row.Counts = printable.Short(own.Name), own.Value, counts[one.Compartment]
		out.Rows = append(out.Rows, row)
	}
	slices.SortStableFunc(out.Rows, func(a, b Row) int { return cmp.Compare(a.Label, b.Label) })
	for _, one := range m.Compartments {
		row := rowOf(one)
		if !slices.ContainsFunc(out.Rows, func(r Row) bool { return r.Name == row.Name }) { // such as a meniscus
			out.Compartments = append(out.Compartments, row)
		}
	}
	if m.Problem != nil {
		out.Note = printable.Line(m.Problem.Error())
	}
	return out, nil
}

func rowOf(one segment.Summary) Row {
	name := one.Compartment
	if one.Region != segment.All {
		name = one.Region
	}
	return Row{Name: printable.Short(name), Voxels: one.Voxels, Used: one.Used, Mean: one.MeanT2, SD: one.SDT2,
		Median: one.MedianT2, Note: printable.Line(one.Note), Counts: []int{}}
}

// histograms counts the fitted voxels of each meaning by T2, in bins of binMS from 0 to the end of the accepted range.
func histograms(v *view, status []volume.Status, mask volume.Labels) map[string][]int {
	bins := int(v.Fit.T2Range[1]/binMS) + 1
	counts := map[string][]int{}
	byLabel := map[uint16][]int{}
	for _, l := range v.Rows().Labels {
		if counts[l.Name] == nil {
			counts[l.Name] = make([]int, bins)
		}
		byLabel[l.Value] = counts[l.Name]
	}
	for i, label := range mask.Data {
		if label == 0 || status[i] != volume.Fitted {
			continue
		}
		if c := byLabel[label]; c != nil {
			c[min(int(v.Maps.T2[i]/binMS), bins-1)]++
		}
	}
	return counts
}

// numbers converts values for JSON, in which NaN is null.
func numbers(x []float64) []number.Float {
	out := make([]number.Float, len(x))
	for n, v := range x {
		out[n] = number.Float(v)
	}
	return out
}
