package dicomio

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
)

// losses finds the evidence of a lost echo, and no other.
func TestLosses(t *testing.T) {
	uneven := func(te ...float64) Loss { return Loss{Reason: UnevenTimes, TE: te} }
	skipped := func(n ...int) Loss { return Loss{Reason: SkippedNumbers, Numbers: n} }
	promised := func(n int, private bool) Loss { return Loss{Reason: LongerTrain, Promised: n, Private: private} }
	for _, c := range []struct {
		name                string
		te                  []float64
		numbers             []int // of the echoes; the last is for the rest, and nil means none
		train, count        int
		manufacturer        string
		want                []Loss
		next                float64
		wantUneven, perEcho bool
	}{
		{name: "whole", te: []float64{10, 20, 30, 40}, numbers: []int{1, 2, 3, 4}, train: 4, next: 50},
		{name: "GE's knee", te: []float64{6.312, 12.624, 18.936, 25.248}, numbers: []int{1, 2, 3, 4}, train: 1,
			count: 4, manufacturer: "GE MEDICAL SYSTEMS", next: 31.56},
		{name: "of a prostate", te: []float64{26.4, 39.6, 52.8, 66},
			want: []Loss{{Reason: LateFirst, TE: []float64{13.2}}}, next: 13.2},
		{name: "of a prostate, numbered", te: []float64{26.4, 39.6, 52.8, 66}, numbers: []int{1, 2, 3, 4},
			want: []Loss{{Reason: LateFirst, TE: []float64{13.2}}}, next: 13.2},
		{name: "of a prostate, as long as promised", te: []float64{26.4, 39.6, 52.8, 66}, numbers: []int{1, 2, 3, 4},
			train: 4, next: 13.2},
		{name: "rounded to 0.1 ms", te: []float64{6.3, 12.6, 18.9, 25.2, 31.6}, next: 37.925},
		{name: "one lost", te: []float64{10, 20, 40, 50}, numbers: []int{1, 2, 4, 5},
			want: []Loss{skipped(3), uneven(30)}, wantUneven: true},
		{name: "two lost", te: []float64{10, 40, 50, 60}, want: []Loss{uneven(20, 30)}, wantUneven: true},
		{name: "two lost apart", te: []float64{10, 20, 40, 50, 70}, want: []Loss{uneven(30, 60)}, wantUneven: true},
		{name: "one lost, rounded", te: []float64{6.3, 12.6, 25.2, 31.6}, want: []Loss{uneven(18.925)},
			wantUneven: true},
		{name: "the first lost", te: []float64{20, 30, 40}, numbers: []int{2, 3, 4}, want: []Loss{skipped(1)},
			next: 10},
		{name: "the last lost", te: []float64{10, 20, 30}, numbers: []int{1, 2, 3}, train: 4,
			want: []Loss{promised(4, false)}, next: 40},
		{name: "the last lost, GE", te: []float64{10, 20, 30}, train: 1, count: 4, manufacturer: "GE MEDICAL SYSTEMS",
			want: []Loss{promised(4, true)}, next: 40},
		{name: "another vendor's number", te: []float64{10, 20, 30}, count: 4, manufacturer: "SIEMENS", next: 40},
		{name: "every second", te: []float64{20, 40, 60}, numbers: []int{2, 4, 6}, want: []Loss{skipped(1, 3, 5)},
			next: 80},
		{name: "from 0", te: []float64{10, 20, 30}, numbers: []int{0, 1, 2}, next: 40},
		{name: "all numbered 1", te: []float64{10, 20, 30}, numbers: []int{1, 1, 1}, next: 40},
		{name: "no numbers", te: []float64{10, 20, 30}, next: 40},
		{name: "in another order", te: []float64{10, 20, 30}, numbers: []int{3, 2, 1},
			want: []Loss{{Reason: DisorderedNumbers, Numbers: []int{3, 2, 1}}}, next: 40},
		{name: "two exchanged", te: []float64{10, 20, 30, 40}, numbers: []int{1, 2, 4, 3},
			want: []Loss{{Reason: DisorderedNumbers, Numbers: []int{1, 2, 4, 3}}}, next: 50},
		{name: "numbers of another kind", te: []float64{10, 20, 30}, numbers: []int{1, 100, 200}, next: 40},
		{name: "measured unevenly", te: []float64{10, 20, 30, 50, 80}, numbers: []int{1, 2, 3, 4, 5}, train: 5,
			wantUneven: true},
		{name: "one lost, numbered anew", te: []float64{10, 20, 40, 50}, numbers: []int{1, 2, 3, 4},
			want: []Loss{uneven(30)}, wantUneven: true},
		{name: "one lost, numbered anew, the old length", te: []float64{10, 20, 40, 50}, numbers: []int{1, 2, 3, 4},
			train: 5, want: []Loss{uneven(30), promised(5, false)}, wantUneven: true},
		{name: "measured unevenly, unnumbered", te: []float64{10, 20, 30, 50, 80}, want: []Loss{uneven(40, 60, 70)},
			wantUneven: true},
		{name: "no multiples", te: []float64{10, 25, 50, 90, 150, 250}, wantUneven: true},
		{name: "far apart", te: []float64{10, 11, 1000}, wantUneven: true},
	} {
		images := imagesOf(c.te...)
		for n, h := range images {
			h.echoTrain, h.echoCount, h.manufacturer = c.train, c.count, c.manufacturer
			if c.numbers != nil {
				h.echoNumber = c.numbers[n]
			}
		}
		train := Train{TE: c.te}
		got := losses(images)
		near := cmp.Comparer(func(a, b float64) bool { return within(a, b, 1e-9) })
		if d := cmp.Diff(c.want, got, near); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if train.Uneven() != c.wantUneven || !within(train.Next(), c.next, 1e-9) {
			t.Errorf("%s: uneven %t, next %g", c.name, train.Uneven(), train.Next())
		}
	}
}

// A train with evidence of a lost echo can still be read.
func TestTrainWithALostEcho(t *testing.T) {
	for _, perEcho := range []bool{false, true} {
		images := slices.DeleteFunc(trainOf(), func(im dicomwrite.Image) bool { return im.TE == 20 })
		for n := range images {
			images[n].EchoNumber, images[n].EchoTrainLength = int(images[n].TE)/10, 4
			if perEcho {
				images[n].SeriesUID = fmt.Sprintf("2.25.2.%g", images[n].TE)
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		train := only(t, dir)
		want := []Loss{{Reason: SkippedNumbers, Numbers: []int{2}}, {Reason: UnevenTimes, TE: []float64{20}},
			{Reason: LongerTrain, Promised: 4}}
		if d := cmp.Diff(want, train.Losses); d != "" || train.Problem != nil {
			t.Errorf("%v\n%s", train.Problem, d)
		}
	}
}

// Echo times in seconds or microseconds are refused with the probable unit; those of every
// train in use are not.
func TestScaleOfEchoTimes(t *testing.T) {
	for _, c := range []struct {
		factor float64
		want   string
	}{
		{1, ""}, {0.06, ""}, {49, ""}, // to 2.4 ms and 1960 ms
		{1e-3, "the echo times are 0.01 … 0.04, which look like seconds"}, {0.04, "look like seconds"},
		{1e3, "the echo times are 10000 … 40000, which look like microseconds"},
		{51, "look like microseconds"}, {1e6, "look like nanoseconds"},
		{1e-6, "the echo times are 1e-05 … 4e-05: the attribute"},
	} {
		for _, enhanced := range []bool{false, true} {
			images := trainOf()
			for n := range images {
				images[n].TE *= c.factor
			}
			dir := t.TempDir()
			attribute := "EchoTime (0018,0081)"
			if enhanced {
				saveEnhanced(t, dir, images)
				attribute = "EffectiveEchoTime (0018,9082)"
			} else {
				save(t, dir, images)
			}
			p := only(t, dir).Problem
			if c.want == "" && p != nil {
				t.Errorf("× %g: %v", c.factor, p)
			}
			if c.want != "" && (p == nil || !containsAll(p.Error(), c.want, attribute) || hint.Find(p) == "") {
				t.Errorf("× %g: %v, want …%s…%s…", c.factor, p, attribute, c.want)
			}
		}
	}
}

// A repetition time that changes within a slice is refused with both values and their
// files, in files and in frames; one that jitters or is missing in some images is not. One
// that changes between slices is recorded.
func TestRepetitionTimeOfATrain(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(n int, im *dicomwrite.Image)
		want   string
	}{
		{"of late echoes", func(_ int, im *dicomwrite.Image) {
			if im.TE > 20 {
				im.TR = 1200
			}
		}, "RepetitionTime (0018,0080): 1200 ms, but 2700 ms in IM_0001 of the same slice"},
		{"of a slice", func(n int, im *dicomwrite.Image) {
			if n*5%12%3 == 2 {
				im.TR = 2750
			}
		}, ""},
		{"in one image", func(n int, im *dicomwrite.Image) {
			if n == 7 {
				im.TR = 2703
			}
		}, "IM_0007: RepetitionTime (0018,0080): 2703 ms, but 2700 ms in IM_0001"},
		{"rounding of a long one", func(n int, im *dicomwrite.Image) { im.TR += float64(n % 3) }, ""},
		{"jitter", func(n int, im *dicomwrite.Image) { im.TR += 0.04 * float64(n) }, ""},
		{"missing in some", func(n int, im *dicomwrite.Image) { im.TR *= float64(n % 2) }, ""},
		{"missing in all", func(_ int, im *dicomwrite.Image) { im.TR = 0 }, ""},
	} {
		images := trainOf()
		for n := range images {
			c.change(n, &images[n])
		}
		dir := t.TempDir()
		save(t, dir, images)
		train := only(t, dir)
		p := train.Problem
		if differ := train.SliceTR == [2]float64{2700, 2750}; differ != (c.name == "of a slice") || !differ &&
			train.SliceTR != [2]float64{} {
			t.Errorf("%s: slices from %g ms", c.name, train.SliceTR)
		}
		if c.want == "" && p != nil || c.want != "" && (p == nil || !containsAll(p.Error(), c.want) ||
			hint.Find(p) == "") {
			t.Errorf("%s: %v, want …%s…", c.name, p, c.want)
		}
	}
}

// One echo in seconds among others in ms is refused; short first echoes are not.
func TestScaleOfOneEchoTime(t *testing.T) {
	for _, c := range []struct {
		original, te float64
		refused      bool
	}{{40, 0.04, true}, {20, 0.02, true}, {10, 0.9, true}, {10, 1, false}, {10, 2.3, false}} {
		images := trainOf()
		for n := range images {
			if images[n].TE == c.original {
				images[n].TE = c.te
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		p := only(t, dir).Problem
		if c.refused != (p != nil) || c.refused && (!containsAll(p.Error(), "EchoTime (0018,0081)", fmt.Sprint(c.te,
			" ms beside")) || hint.Find(p) == "") {
			t.Errorf("%g ms as %g: %v", c.original, c.te, p)
		}
	}
}
