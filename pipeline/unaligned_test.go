package pipeline

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/volume"
)

// A mask lies on a series if its voxels are some or all of the series' voxels, in any order of axes.
func TestLiesOn(t *testing.T) {
	series := volume.Geometry{Size: [3]int{100, 80, 20}}
	series.Affine = [3][4]float64{{0, 0, 2, -30}, {0.5, 0, 0, 10}, {0, -0.5, 0, 40}}
	change := func(f func(g *volume.Geometry)) volume.Geometry {
		g := series
		f(&g)
		return g
	}
	turned := volume.Geometry{Size: [3]int{series.Size[1], series.Size[2], series.Size[0]}}
	for r, a := range series.Affine { // rows, slices and columns, the first backwards
		turned.Affine[r] = [4]float64{-a[1], a[2], a[0], a[3] + float64(series.Size[1]-1)*a[1]}
	}
	for _, c := range []struct {
		name string
		mask volume.Geometry
		want bool
	}{
		{"the same", series, true},
		{"turned", turned, true},
		{"a part", change(func(g *volume.Geometry) { g.Size[0], g.Affine[1][3], g.Size[2] = 60, 15, 9 }), true},
		{"a part, as headers round", change(func(g *volume.Geometry) { g.Size[0], g.Affine[1][3] = 60, 15.02 }), true},
		{"a part between voxels", change(func(g *volume.Geometry) { g.Size[0], g.Affine[1][3] = 60, 15.25 }), false},
		{"beyond the edge", change(func(g *volume.Geometry) { g.Affine[0][3] += 2 }), false},
		{"finer", change(func(g *volume.Geometry) { g.Size = [3]int{199, 80, 20}; g.Affine[1][0] = 0.25 }), false},
		{"every other slice", change(func(g *volume.Geometry) { g.Size[2] = 10; g.Affine[0][2] = 4 }), false},
		{"one slice, tilted", change(func(g *volume.Geometry) { g.Size = [3]int{2, 2, 1}; g.Affine[0][0] = 2 }), false},
	} {
		if got := liesOn(c.mask, series); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// A --register that has no effect, or that names the wrong series, causes a warning.
func TestRegisterThatDoesNothing(t *testing.T) {
	train := func(hash string, z float64) dicomio.Train {
		g := volume.Geometry{Size: [3]int{8, 8, 8}, Affine: [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, z}}}
		return dicomio.Train{Hash: hash, Number: 7, Geometry: g}
	}
	mapped, moving, third := train("aa", 0), train("bb", 0.5), train("cc", 0.25)
	p := protocol.Protocol{Register: protocol.Register{Moving: "SAG*"}}
	for _, c := range []struct {
		name     string
		moving   *dicomio.Train
		mask     dicomio.Train
		onSeries bool
		want     string // the beginning of the warning, "" for none
	}{
		{"on the image", &moving, moving, false, ""},
		{"on a third series", &moving, third, false,
			"the mask does not lie on the voxels of series bb (number 7), which --register names"},
		{"the mapped series", nil, third, false, "--register names the mapped series itself"},
		{"the mapped series, and the mask on it", nil, mapped, true, ""},
	} {
		m := maskRead{labels: volume.Labels{Geometry: c.mask.Geometry}}
		k := dividedKnee{onSeries: c.onSeries}
		job := Job{Train: mapped, Moving: c.moving}
		for _, j := range []Job{job, {Train: mapped, MaskSource: &job}} { // its own mask, and a carried one
			got := j.alignmentWarnings(m, k, p)
			if len(got) > 1 || (len(got) == 1) != (c.want != "") || !strings.HasPrefix(strings.Join(got, ""), c.want) {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		if got := job.alignmentWarnings(m, k, protocol.Protocol{}); len(got) > 0 {
			t.Errorf("%s, without --register: %q", c.name, got)
		}
	}
}

// A note names each image that registration has not moved, also in its second step.
func TestStillNotes(t *testing.T) {
	first := report.Registration{Moving: "aa"}
	still := report.Registration{Moving: "bb", Unmoved: true}
	twice := report.Registration{Moving: "cc", Unmoved: true, Next: &still}
	for n, c := range []struct {
		g    *report.Registration
		want []string // the series
	}{{nil, nil}, {&first, nil}, {&still, []string{"bb"}}, {&twice, []string{"cc", "bb"}}} {
		got := stillNotes(c.g)
		if len(got) != len(c.want) {
			t.Fatalf("%d: %q, want %q", n, got, c.want)
		}
		for k, series := range c.want {
			if !strings.Contains(got[k], "series "+series) {
				t.Errorf("%d: %q, want the series %s", n, got[k], series)
			}
		}
	}
}
