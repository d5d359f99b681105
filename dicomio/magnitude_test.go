package dicomio

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
)

// An image with both magnitude and T2 in its type is an echo if its series lacks it, in
// files and if the echo is missing on one slice only.
func TestEchoesThatNameT2(t *testing.T) {
	plain := []string{"M", "SE"}
	for name, values := range map[string]func(k, e int) []string{
		"the last":  func(_, e int) []string { return [][]string{plain, plain, plain, {"M", "SE", "T2"}}[e] },
		"the first": func(_, e int) []string { return [][]string{{"M", "T1"}, {"M"}, {"M"}, {"M"}}[e] },
		"beside PD": func(_, e int) []string {
			return [][]string{{"M", "PD"}, {"M", "PD"}, {"M", "T2"},
				{"M", "T2"}}[e]
		},
		"all but one": func(_, e int) []string { return [][]string{plain, {"M", "SE", "T2"}}[min(e, 1)] },
		"all":         func(int, int) []string { return []string{"M_SE", "M", "T2"} },
		"T1 then T2": func(_, e int) []string {
			return [][]string{{"M", "T1"}, {"M", "PD"}, {"M", "PD"},
				{"M", "T2"}}[e]
		},
		"on one slice":     func(k, e int) []string { return [][]string{plain, {"M", "SE", "T2"}}[max(0, e+k-4)] },
		"one of so many":   func(_, e int) []string { return []string{"M", fmt.Sprintf("ECHO %d OF 4", e+1)} },
		"one of, a stroke": func(_, e int) []string { return []string{"M", fmt.Sprintf("E%d/4", e+1)} },
	} {
		dir := t.TempDir()
		save(t, dir, typed(values))
		s := find(t, dir).Studies[0]
		if len(s.Trains) != 1 || s.Trains[0].Problem != nil || len(s.Trains[0].TE) != 4 ||
			len(s.Trains[0].LeftOut) != 0 || s.Passed.Derived != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// Numbered echoes at uneven times are echoes too.
func TestNumberedEchoThatNamesT2(t *testing.T) {
	for _, numbered := range []bool{true, false} {
		images := typed(func(_, e int) []string { return [][]string{{"M"}, {"M"}, {"M"}, {"M", "T2"}}[e] })
		for n := range images {
			if numbered {
				images[n].EchoNumber = int(images[n].TE) / 10
			}
			if images[n].TE == 40 {
				images[n].TE = 77
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		s := find(t, dir).Studies[0]
		if len(s.Trains) != 1 || len(s.Trains[0].LeftOut) == 1 == numbered || len(s.Trains[0].TE) == 4 != numbered {
			t.Errorf("numbered %t: %+v", numbered, s)
		}
	}
}

// Maps in the train's own series are not echoes, whatever their echo time; one at a time of
// its own is named.
func TestMapsInTheSeriesOfATrain(t *testing.T) {
	plain := func(int, int) []string { return []string{"M", "SE"} }
	for name, c := range map[string]struct {
		te      []float64 // of the maps
		types   [][]string
		leftOut []LeftOut
		derived int
	}{
		"of a time of the train": {[]float64{20}, [][]string{{"M", "SE", "T2"}}, nil, 3},
		"without a time":         {[]float64{0}, [][]string{{"M", "T2"}}, nil, 3},
		"no magnitude":           {[]float64{50}, [][]string{{"T2", "T2"}}, nil, 3},
		"at the mean": {[]float64{25}, [][]string{{"M", "SE", "T2"}},
			[]LeftOut{{`ORIGINAL\PRIMARY\M\SE\T2`, `ORIGINAL\PRIMARY\M\SE`, []float64{25}, 3}}, 0},
		"a word that ends with MAP": {[]float64{50}, [][]string{{"M", "SE", "T2MAP"}},
			[]LeftOut{{`ORIGINAL\PRIMARY\M\SE\T2MAP`, `ORIGINAL\PRIMARY\M\SE`, []float64{50}, 3}}, 0},
		"two in one place": {[]float64{50, 50}, [][]string{{"M", "T2"}, {"M", "T1"}}, nil, 6},
		"two apart": {[]float64{15, 35}, [][]string{{"M", "T1"}, {"M", "T2"}},
			[]LeftOut{{`ORIGINAL\PRIMARY\M\T1`, `ORIGINAL\PRIMARY\M\SE`, []float64{15}, 3},
				{`ORIGINAL\PRIMARY\M\T2`, `ORIGINAL\PRIMARY\M\SE`, []float64{35}, 3}}, 0},
	} {
		images := typed(plain)
		for n, te := range c.te {
			for _, im := range typed(func(int, int) []string { return c.types[n] }) {
				if im.TE == 10 {
					im.TE = te
					im.InstanceUID += fmt.Sprint(".", n+1)
					images = append(images, im)
				}
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		s := find(t, dir).Studies[0]
		if len(s.Trains) != 1 || s.Trains[0].Problem != nil || len(s.Trains[0].TE) != 4 ||
			s.Passed.Derived != c.derived || s.Passed.OtherSeries != 0 || len(s.Others) != len(c.leftOut) {
			t.Errorf("%s: %+v", name, s)
			continue
		}
		if d := cmp.Diff(c.leftOut, s.Trains[0].LeftOut); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	// In a series of its own it is a map, whatever its echo time.
	var maps []dicomwrite.Image
	for _, im := range typed(func(int, int) []string { return []string{"M", "T2"} }) {
		if im.TE == 10 {
			im.TE, im.SeriesUID = 50, "2.25.4711"
			im.InstanceUID += ".1"
			maps = append(maps, im)
		}
	}
	dir := t.TempDir()
	save(t, dir, slices.Concat(typed(plain), maps))
	if s := find(t, dir).Studies[0]; len(s.Trains) != 1 || len(s.Trains[0].TE) != 4 || s.Passed.Derived != 3 {
		t.Errorf("in a series of its own: %+v", s)
	}
}

// A map at the next echo time is recognised if the train is complete without it or its
// values are of another kind; otherwise it cannot be distinguished from an echo.
func TestMapAtTheNextEchoTime(t *testing.T) {
	number := func(image *dicomwrite.Image, isMap bool) {
		if image.EchoNumber = int(image.TE) / 10; isMap {
			image.EchoNumber = 1
		}
	}
	for name, c := range map[string]struct {
		change func(im *dicomwrite.Image, isMap bool)
		isMap  bool
	}{
		"nothing tells":         {func(*dicomwrite.Image, bool) {}, false},
		"numbers of the echoes": {number, true},
		"numbers to the map": {func(im *dicomwrite.Image, isMap bool) {
			im.EchoNumber = int(im.TE) / 10
		}, false},
		"length of the train":      {func(im *dicomwrite.Image, _ bool) { set(im, "EchoTrainLength", "4") }, true},
		"length of a longer train": {func(im *dicomwrite.Image, _ bool) { set(im, "EchoTrainLength", "5") }, false},
		"scale": {func(im *dicomwrite.Image, isMap bool) {
			if isMap {
				im.RescaleSlope = 0.1
			}
		}, true},
		"description": {func(im *dicomwrite.Image, isMap bool) {
			if isMap {
				im.SeriesDescription += " T2 Images"
			}
		}, true},
	} {
		var images []dicomwrite.Image
		for _, im := range typed(func(int, int) []string { return []string{"M", "SE"} }) {
			image := im
			c.change(&im, false)
			if images = append(images, im); image.TE == 10 {
				image.TE, image.InstanceUID, image.ImageType = 50, image.InstanceUID+".1",
					[]string{"ORIGINAL", "PRIMARY", "M", "T2"}
				c.change(&image, true)
				images = append(images, image)
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		s := find(t, dir).Studies[0]
		if len(s.Trains) != 1 || s.Trains[0].Problem != nil || (len(s.Trains[0].TE) == 4) != c.isMap ||
			(len(s.Trains[0].LeftOut) == 1) != c.isMap {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// set overrides an attribute.
func set(im *dicomwrite.Image, keyword, value string) {
	im.Overrides = append(slices.Clone(im.Overrides), dicomwrite.Override{Keyword: keyword, Values: []string{value}})
}

// If the types of its images leave a series without a train, they are the reason.
func TestTypesThatLeaveNoTrain(t *testing.T) {
	for name, values := range map[string]func(k, e int) []string{
		"one each":     func(_, e int) []string { return []string{"M", string(rune('W' + e))} },
		"named as map": func(_, e int) []string { return [][]string{{"M", "SE"}, {"M", "SE", "T2MAP"}}[min(e, 1)] },
		"two and two":  func(_, e int) []string { return [][]string{{"M"}, {"M", "FILTERED"}}[e/2] },
	} {
		dir := t.TempDir()
		save(t, dir, typed(values))
		s := find(t, dir).Studies[0]
		if len(s.Trains) != 0 || len(s.Suspects) != 1 || len(s.Others) != 0 {
			t.Fatalf("%s: %+v", name, s)
		}
		p := s.Suspects[0].Problem
		if !containsAll(p.Error(), "ImageType (0008,0008)", `ORIGINAL\\PRIMARY\\M`, "10, 20, 30, 40 ms") ||
			hint.Find(p) == "" {
			t.Errorf("%s: %v", name, p)
		}
	}
}
