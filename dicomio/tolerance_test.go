package dicomio

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

func imagesOf(te ...float64) []*header {
	var out []*header
	for _, v := range te {
		out = append(out, &header{te: v, texts: &texts{}})
	}
	return out
}

// Echo times that differ by rounding are equal, in any order; a chain of small steps is
// not, and neither are echoes on another scale.
func TestEchoTimesAreClusters(t *testing.T) {
	nan := math.NaN()
	var chain, seconds []float64
	for n := range 100 {
		chain = append(chain, 10+0.05*float64(n))
	}
	for n := range 32 {
		seconds = append(seconds, 0.01*float64(n+1))
	}
	for _, c := range []struct {
		name     string
		te, want []float64
	}{
		{"identical", []float64{30, 10, 20, 20, 10, 30}, []float64{10, 20, 30}},
		{"one microsecond", []float64{10, 10.001, 20, 20.001, 20, 30, 30.001}, []float64{10, 20, 30}},
		{"two decimals and three", []float64{6.31, 6.312, 12.62, 12.624, 18.94, 18.936},
			[]float64{6.312, 12.624, 18.936}},
		{"one decimal and three", []float64{6.3, 6.312, 12.6, 12.624, 18.9, 18.936}, []float64{6.3, 12.6, 18.9}},
		{"one image off", []float64{10, 10, 20, 20, 30, 30.001}, []float64{10, 20, 30}},
		{"no echo time", []float64{nan, 10, nan}, []float64{10}},
		{"uneven and rounded", []float64{10, 25.3, 25.31, 25.31, 50}, []float64{10, 25.31, 50}},
		{"a chain", chain, nil},
		{"seconds", seconds, seconds},
		{"none", nil, nil},
	} {
		for range 5 {
			rand.Shuffle(len(c.te), func(i, j int) { c.te[i], c.te[j] = c.te[j], c.te[i] })
			got := echoes(imagesOf(c.te...))
			for n, e := range got {
				if e.most-e.least > sameTE || e.te < e.least || e.te > e.most || n > 0 && e.least <= got[n-1].most {
					t.Errorf("%s: echoes %v", c.name, got)
				}
			}
			if te := echoTimes(imagesOf(c.te...)); c.name != "a chain" &&
				!slices.Equal(te, slices.Sorted(slices.Values(c.want))) {
				t.Errorf("%s: %v, want %v", c.name, te, c.want)
			}
		}
	}
}

// Numbers that differ by rounding do not divide a train, in one series and in one for each
// echo. Different settings of the scanner do.
func TestRoundedTrains(t *testing.T) {
	for _, perEcho := range []bool{false, true} {
		for name, change := range map[string]func(n int, im *dicomwrite.Image){
			"echo time": func(n int, im *dicomwrite.Image) {
				if n*5%12%3 == 1 {
					im.TE += 0.001
				}
			},
			"echo time to one decimal": func(n int, im *dicomwrite.Image) {
				im.TE *= 0.6312
				if n*5%12%3 == 1 {
					im.TE = math.Round(im.TE*10) / 10
				}
			},
			"position along the normal": func(n int, im *dicomwrite.Image) {
				normal := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:]))
				for r := range 3 {
					im.Position[r] += 0.02 * float64(n%2) * normal[r]
				}
			},
			"position in the plane": func(n int, im *dicomwrite.Image) {
				for r := range 3 {
					im.Position[r] += 0.02 * float64(n%2) * im.Orientation[r]
				}
			},
			"orientation": func(_ int, im *dicomwrite.Image) { im.Orientation[0] += 1e-8 * im.TE },
			"spacing":     func(_ int, im *dicomwrite.Image) { im.PixelSpacing[1] += 1e-7 * im.TE },
			"thickness":   func(_ int, im *dicomwrite.Image) { im.SliceThickness = 3 + 1e-7*im.TE },
			"TR":          func(_ int, im *dicomwrite.Image) { im.TR += 1e-5 * im.TE },
			"flip":        func(_ int, im *dicomwrite.Image) { im.FlipAngle = 179.9 + 1e-3*im.TE },
			"field":       func(_ int, im *dicomwrite.Image) { im.FieldStrength = 2.89 + 1e-5*im.TE },
		} {
			images := trainOf()
			for n := range images {
				if perEcho {
					images[n].SeriesUID = fmt.Sprintf("2.25.2.%g", images[n].TE)
				}
				change(n, &images[n])
			}
			dir := t.TempDir()
			save(t, dir, images)
			s := find(t, dir).Studies[0]
			if len(s.Trains) != 1 || s.Trains[0].Problem != nil || len(s.Trains[0].TE) != 4 ||
				s.Trains[0].Geometry.Size[2] != 3 {
				t.Errorf("series per echo %t, %s: %d trains, %d others, %v", perEcho, name, len(s.Trains),
					len(s.Others), s.Trains)
			}
		}
	}
}

// Thin slices are distinguished where positions may differ by rounding, and a chain of
// small steps is refused.
func TestThinSlices(t *testing.T) {
	for step, slices := range map[float64]int{0.3: 3, 0.04: 0} {
		images := trainOf()
		for n := range images {
			im := &images[n]
			normal := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:]))
			for r := range 3 {
				im.Position[r] += (step - 3.5) * float64(n*5%12%3) * normal[r]
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		train := only(t, dir)
		if train.Geometry.Size[2] != slices || (train.Problem == nil) != (slices > 0) {
			t.Errorf("slices every %g mm: %d, %v", step, train.Geometry.Size[2], train.Problem)
		}
	}
}

// Positions in one place are found on both sides of a border of cells, and far out.
func TestCrowded(t *testing.T) {
	imagesAt := func(x ...float64) []*header {
		var out []*header
		for _, v := range x {
			out = append(out, &header{texts: &texts{}, position: [3]float64{v, -v, 1e6}})
		}
		return out
	}
	for _, c := range []struct {
		x    []float64
		want bool
	}{
		{[]float64{1, 1, 1}, true}, {[]float64{0.0499, 0.0501, 0.07}, true}, {[]float64{-0.01, 0, 0.01}, true},
		{[]float64{1, 1, 1.1}, false},
		{[]float64{1, 2, 3, 4}, false}, {[]float64{math.NaN(), math.NaN(), math.NaN()}, false},
		{[]float64{1e300, 1e300, 1e300}, true}, {nil, false},
	} {
		if got := crowded(imagesAt(c.x...)); got != c.want {
			t.Errorf("%v: %t", c.x, got)
		}
	}
}

// Frames of an object that have the same indices and echo times which rounding set apart
// contradict each other, as they do with the same echo time.
func TestFramesOfOneEchoContradict(t *testing.T) {
	for te, want := range map[float64]int{10: 1, 10.001: 1, 9.97: 1, 10.5: 0} {
		frames := imagesOf(10, te)
		for n, h := range frames {
			h.index, h.stack = n, stack{indices: []float64{1, 2}}
		}
		if checkStacks(frames); len(frames[1].faults) != want {
			t.Errorf("%g ms: %v", te, frames[1].faults)
		}
	}
}

// Echo times are printed without the noise of binary fractions.
func TestEchoTimesInMessages(t *testing.T) {
	twelve := 12.0
	if got := listMS([]float64{twelve * 2.9, float64(float32(6.312)), 150, 0.1 +
		0.2}); got != "34.8, 6.312, 150, 0.3 ms" {
		t.Error(got)
	}
	images := trainOf()
	for n := range images {
		images[n].TE *= 0.1 * 11.6
		images[n].Overrides = append(images[n].Overrides, dicomwrite.Override{Keyword: "EchoTime",
			Values: []string{fmt.Sprintf("%.15f", images[n].TE)}})
	}
	dir := t.TempDir()
	save(t, dir, slices.Delete(images, 4, 5))
	if p := only(t, dir).Problem; p == nil || !strings.Contains(p.Error(), "echo time 34.8 ms is missing") {
		t.Error(p)
	}
}
