package dicomio

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/dicomtest"
)

func containsAll(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

// saveEnhanced writes the images as the frames of one object.
func saveEnhanced(t *testing.T, dir string, images []dicomwrite.Image) {
	t.Helper()
	o := dicomtest.Enhanced{Series: images[0].Series, Grid: images[0].Grid, InstanceUID: "2.25.77", TR: 2000}
	for _, im := range images {
		o.Frames = append(o.Frames, dicomtest.Frame{TE: im.TE, Position: im.Position, Pixels: im.Pixels})
	}
	var b bytes.Buffer
	if err := dicomtest.WriteEnhanced(&b, o); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "IM"), b.Bytes())
}

// typed returns trainOf with the third and later values of ImageType from values, for slice
// k and echo e.
func typed(values func(k, e int) []string) []dicomwrite.Image {
	images := trainOf()
	for n := range images {
		k, e := n*5%12%3, n*5%12/3
		images[n].ImageType = append([]string{"ORIGINAL", "PRIMARY"}, values(k, e)...)
	}
	return images
}

// Words that number or describe the echo do not divide a train.
func TestEchoesOfSeveralImageTypes(t *testing.T) {
	for name, values := range map[string]func(k, e int) []string{
		"proton density first": func(_, e int) []string {
			return []string{[]string{"PROTON_DENSITY", "M", "M", "M"}[e],
				"SE"}
		},
		"contrasts": func(_, e int) []string {
			return []string{[]string{"PD", "T2", "T2W",
				"T2_WEIGHTED"}[e]}
		},
		"M and TE": func(_, e int) []string { return []string{"M", fmt.Sprint("TE", e+1)} },
		"echo times": func(_, e int) []string {
			return []string{"M", "ND",
				fmt.Sprintf("TE_%d.0MS", 10*(e+1))}
		},
		"echo numbers": func(_, e int) []string { return []string{"M", fmt.Sprintf("ECHO %d", e+1), "NORM"} },
		"bare numbers": func(_, e int) []string { return []string{"OTHER", fmt.Sprint(e + 1)} },
		"first echo": func(_, e int) []string {
			return []string{"M", []string{"FIRST_ECHO", "2ND ECHO", "ECHO", "LATE_ECHO"}[e]}
		},
		"first and last": func(_, e int) []string {
			return []string{"M", []string{"FIRST", "SHORT_TE", "LONG TE", "LAST"}[e], "MFSPLIT"}[:2+e/2]
		},
		"one slice": func(k, e int) []string { return []string{[]string{"M", "PD"}[max(0, k-1)], "SE"} },
		"none":      func(_, e int) []string { return [][]string{{"M"}, {}, {"M"}, {}}[0*e] },
	} {
		for _, perEcho := range []bool{false, true} {
			images := typed(values)
			if perEcho && name == "one slice" {
				continue // a series of two types is not a series of one echo
			}
			for n := range images {
				if perEcho {
					images[n].SeriesUID = fmt.Sprintf("2.25.2.%g", images[n].TE)
				}
			}
			dir := t.TempDir()
			save(t, dir, images)
			s := find(t, dir).Studies[0]
			if len(s.Trains) != 1 || s.Trains[0].Problem != nil || len(s.Trains[0].TE) != 4 ||
				len(s.Trains[0].LeftOut) != 0 {
				t.Errorf("%s, series per echo %t: %d trains, %d others", name, perEcho, len(s.Trains), len(s.Others))
			}
		}
	}
}

// Words that distinguish more than echoes still divide a series: two full trains are two,
// even if the words might describe an echo. Images of the series that do not belong to a
// train because of their type are recorded, and are not another series.
func TestImageTypesThatDivide(t *testing.T) {
	joined := func(a, b []string) []dicomwrite.Image {
		second := typed(func(_, _ int) []string { return b })
		for n := range second {
			second[n].InstanceUID += ".1"
		}
		return append(typed(func(_, _ int) []string { return a }), second...)
	}
	for name, images := range map[string][]dicomwrite.Image{
		"normalised":     joined([]string{"M", "ND"}, []string{"M", "ND", "NORM"}),
		"undistorted":    joined([]string{"M"}, []string{"M", "DIS2D"}),
		"two contrasts":  joined([]string{"PROTON_DENSITY"}, []string{"T2"}),
		"two echo words": joined([]string{"M", "E1"}, []string{"M", "E2"}),
	} {
		dir := t.TempDir()
		save(t, dir, images)
		trains := find(t, dir).Studies[0].Trains
		if len(trains) != 2 || trains[0].Hash == trains[1].Hash || trains[0].Problem != nil ||
			trains[1].Problem != nil || len(trains[0].LeftOut)+len(trains[1].LeftOut) != 0 {
			t.Errorf("%s: %+v", name, trains)
		}
	}
	for name, c := range map[string]struct {
		images []dicomwrite.Image
		want   LeftOut
	}{
		"first echo filtered": {typed(func(_, e int) []string {
			return [][]string{{"M", "FILTERED"}, {"M"}, {"M"},
				{"M"}}[e]
		}),
			LeftOut{`ORIGINAL\PRIMARY\M\FILTERED`, `ORIGINAL\PRIMARY\M`, []float64{10}, 3}},
		"last echo derived": {func() []dicomwrite.Image {
			images := typed(func(int, int) []string { return []string{"M"} })
			for n := range images {
				if images[n].TE == 40 {
					images[n].ImageType[0] = "DERIVED"
				}
			}
			return images
		}(), LeftOut{`DERIVED\PRIMARY\M`, `ORIGINAL\PRIMARY\M`, []float64{40}, 3}},
	} {
		dir := t.TempDir()
		save(t, dir, c.images)
		s := find(t, dir).Studies[0]
		if len(s.Trains) != 1 || s.Passed.OtherSeries != 0 {
			t.Fatalf("%s: %+v", name, s)
		}
		if d := cmp.Diff([]LeftOut{c.want}, s.Trains[0].LeftOut); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	// Two trains of a series with different echoes are each in the other's LeftOut.
	split := append(typed(func(_, e int) []string { return []string{"M", []string{"RAW", "FILTERED"}[e/3]} }),
		typed(func(int, int) []string { return []string{"M", "FILTERED"} })...)
	for n := range split {
		if n >= 12 { // 30 … 60 ms, of which 40 ms is of the other type already
			split[n].TE += 30
			split[n].InstanceUID += ".1"
		}
	}
	split = slices.DeleteFunc(split, func(im dicomwrite.Image) bool {
		return im.TE == 40 &&
			strings.HasSuffix(im.InstanceUID, ".1")
	})
	dir := t.TempDir()
	save(t, dir, split)
	if trains := find(t, dir).Studies[0].Trains; len(trains) != 2 || len(trains[0].LeftOut) != 1 ||
		len(trains[1].LeftOut) != 1 || !slices.Equal(trains[0].LeftOut[0].TE, trains[1].TE) {
		t.Errorf("a split train: %+v", trains)
	}
	// A scout with the same series UID on another grid is another series.
	images := trainOf()
	scout := images[0]
	scout.InstanceUID, scout.ImageType, scout.Rows, scout.Columns, scout.TE = "2.25.88",
		[]string{"ORIGINAL", "PRIMARY", "SCOUT"}, 5, 3, 5
	dir = t.TempDir()
	save(t, dir, append(images, scout))
	if s := find(t, dir).Studies[0]; s.Passed.OtherSeries != 1 || len(s.Trains[0].LeftOut) != 0 {
		t.Errorf("a scout: %+v", s)
	}
}

// Anonymisers that replace UIDs image by image, or echo by echo.
func TestUIDsOfTheirOwn(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(n int, im *dicomwrite.Image)
		want   string // "" for a sound train
	}{
		{"series for each image", func(n int, im *dicomwrite.Image) { im.SeriesUID = fmt.Sprint("2.25.6.", n) }, ""},
		{"frame for each image", func(n int, im *dicomwrite.Image) {
			im.FrameOfReferenceUID = fmt.Sprint("2.25.6.",
				n)
		}, "FrameOfReferenceUID (0020,0052): 12 different UIDs among 12 images of one series"},
		{"frame for each echo", func(_ int, im *dicomwrite.Image) {
			im.FrameOfReferenceUID = fmt.Sprint("2.25.6.",
				im.TE)
		}, "FrameOfReferenceUID (0020,0052): 4 different UIDs among 12 images"},
		{"series and frame for each echo", func(_ int, im *dicomwrite.Image) {
			im.SeriesUID, im.FrameOfReferenceUID = fmt.Sprint("2.25.6.", im.TE), fmt.Sprint("2.25.7.", im.TE)
		}, "FrameOfReferenceUID (0020,0052): 4 different UIDs among series that would be one train of the echo " +
			"times 10, 20, 30, 40 ms"},
		{"series for each echo, no frame", func(_ int, im *dicomwrite.Image) {
			im.SeriesUID, im.FrameOfReferenceUID = fmt.Sprint("2.25.6.", im.TE), ""
		}, "FrameOfReferenceUID (0020,0052): missing"},
	} {
		images := trainOf()
		for n := range images {
			c.change(n, &images[n])
		}
		dir := t.TempDir()
		save(t, dir, images)
		s := find(t, dir).Studies[0]
		all := slices.Concat(s.Trains, s.Suspects)
		if len(all) != 1 || len(s.Others) != 0 {
			t.Fatalf("%s: %+v", c.name, s)
		}
		switch p := all[0].Problem; {
		case c.want == "" && (p != nil || len(s.Trains) != 1):
			t.Errorf("%s: %v", c.name, p)
		case c.want != "" && (p == nil || !containsAll(p.Error(), c.want) || hint.Find(p) == "" ||
			strings.Contains(p.Error(), "2.25")):
			t.Errorf("%s: %v, want …%s…", c.name, p, c.want)
		}
	}
}

// sliceOf returns the slice of image n of trainOf.
func sliceOf(n int) int { return n * 5 % 12 % 3 }

// If each echo, slice or image has a study of its own, the studies are one visit, which fails
// for one reason. Unrelated studies next to each other are not joined.
func TestScatteredStudies(t *testing.T) {
	for _, c := range []struct {
		name   string
		folder func(n int) string
		change func(n int, im *dicomwrite.Image)
		want   int // different UIDs; 0 for studies that stay apart
		apart  int
	}{
		{"by slice", nil, func(n int, im *dicomwrite.Image) { im.StudyUID = fmt.Sprint("2.25.6.", sliceOf(n)) }, 3, 0},
		{"by slice, series too", nil, func(n int, im *dicomwrite.Image) {
			im.StudyUID, im.SeriesUID = fmt.Sprint("2.25.6.", sliceOf(n)), fmt.Sprint("2.25.7.", sliceOf(n))
		}, 3, 0},
		{"by slice, frames too", nil, func(n int, im *dicomwrite.Image) {
			im.StudyUID, im.FrameOfReferenceUID = fmt.Sprint("2.25.6.", sliceOf(n)), fmt.Sprint("2.25.7.", sliceOf(n))
		}, 3, 0},
		{"by slice, all UIDs: nothing says that they belong together", nil, func(n int, im *dicomwrite.Image) {
			im.StudyUID, im.SeriesUID, im.FrameOfReferenceUID = fmt.Sprint("2.25.6.", sliceOf(n)),
				fmt.Sprint("2.25.7.", sliceOf(n)), fmt.Sprint("2.25.8.", sliceOf(n))
		}, 0, 3},
		{"by slice, of several patients", nil, func(n int, im *dicomwrite.Image) {
			im.StudyUID, im.PatientID = fmt.Sprint("2.25.6.", sliceOf(n)), fmt.Sprint("P", sliceOf(n))
		}, 0, 3},
		{"by slice, of several TR", nil, func(n int, im *dicomwrite.Image) {
			im.StudyUID, im.TR = fmt.Sprint("2.25.6.", sliceOf(n)), 2000+100*float64(sliceOf(n))
		}, 0, 3},
		{"by echo", nil, func(_ int, im *dicomwrite.Image) { im.StudyUID = fmt.Sprint("2.25.6.", im.TE) }, 4, 0},
		{"by image", nil, func(n int, im *dicomwrite.Image) { im.StudyUID = fmt.Sprint("2.25.6.", n) }, 12, 0},
		{"by echo, all UIDs", nil, func(_ int, im *dicomwrite.Image) {
			im.StudyUID, im.SeriesUID, im.FrameOfReferenceUID = fmt.Sprint("2.25.6.", im.TE),
				fmt.Sprint("2.25.7.", im.TE), fmt.Sprint("2.25.8.", im.TE)
		}, 4, 0},
		{"by echo, in folders", func(n int) string { return fmt.Sprint("echo", n*5%12/3) },
			func(_ int, im *dicomwrite.Image) { im.StudyUID = fmt.Sprint("2.25.6.", im.TE) }, 4, 0},
		{"by image, in folders", func(n int) string { return fmt.Sprint("echo", n*5%12/3) },
			func(n int, im *dicomwrite.Image) { im.StudyUID = fmt.Sprint("2.25.6.", n) }, 12, 0},
		{"several patients", nil, func(_ int, im *dicomwrite.Image) {
			im.StudyUID, im.PatientID = fmt.Sprint("2.25.6.", im.TE), fmt.Sprint("P", im.TE)
		}, 0, 4},
		{"one echo time", nil, func(_ int, im *dicomwrite.Image) {
			im.StudyUID, im.TE = fmt.Sprint("2.25.6.", im.TE),
				10
		}, 0, 4},
		{"several TR", nil, func(_ int, im *dicomwrite.Image) {
			im.StudyUID, im.TR = fmt.Sprint("2.25.6.", im.TE),
				100*im.TE
		}, 0, 4},
	} {
		images := trainOf()
		dir := t.TempDir()
		for n := range images {
			c.change(n, &images[n])
			folder := dir
			if c.folder != nil {
				folder = filepath.Join(dir, c.folder(n))
			}
			save(t, folder, nil)
			write(t, filepath.Join(folder, fmt.Sprint("IM_", n)), written(t, images[n]))
		}
		studies := find(t, dir).Studies
		if c.want == 0 {
			if len(studies) != c.apart || slices.ContainsFunc(studies,
				func(s Study) bool { return len(s.Damaged) > 0 }) {
				t.Errorf("%s: %d studies", c.name, len(studies))
			}
			continue
		}
		members := "images"
		if strings.HasPrefix(c.name, "by slice") {
			members = "slices"
		}
		want := fmt.Sprintf("StudyInstanceUID (0020,000D): %d different UIDs among the %s of one train with the "+
			"echo times 10, 20, 30, 40 ms", c.want, members)
		if len(studies) != 1 || len(studies[0].Damaged) != 1 || studies[0].Damaged[0].Error() != want ||
			hint.Find(studies[0].Damaged[0]) == "" {
			t.Errorf("%s: %d studies, %v", c.name, len(studies), studies[0].Damaged)
			continue
		}
		// A damaged file of one of them belongs to the visit.
		write(t, filepath.Join(dir, "cut"), written(t, images[0])[:len(written(t, images[0]))-4])
		if s := find(t, dir).Studies[0]; len(s.Damaged)+len(s.Spoiled) != 2 {
			t.Errorf("%s: a damaged file: %v %v", c.name, s.Damaged, s.Spoiled)
		}
	}
}
