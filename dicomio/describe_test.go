package dicomio

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
)

// The scanner and the acquisition are read from classic and from multi-frame images.
func TestScannerAndAcquisition(t *testing.T) {
	images := trainOf()
	for n := range images {
		im := &images[n]
		im.Model, im.Serial, im.Software, im.SequenceName = "KNEE", " 4242", "VE11C", "SE"
		im.FlipAngle, im.PixelBandwidth = 180, 244.141
	}
	first := images[0]
	wantScanner := Scanner{Manufacturer: "T2MAP PHANTOM", Model: "KNEE", Software: "VE11C", Serial: hash("4242"),
		Field: 3}
	want := Acquisition{PixelSpacing: [2]float64{first.PixelSpacing[1], first.PixelSpacing[0]}, TR: 2700, Flip: 180,
		Bandwidth: 244.141, Sequence: "SE"}
	near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
	for _, form := range []string{"classic", "enhanced", "legacy"} {
		dir := t.TempDir()
		if form == "classic" {
			save(t, dir, images)
		} else {
			o := dicomtest.Enhanced{Series: first.Series, Grid: first.Grid, InstanceUID: "2.25.77",
				Legacy: form == "legacy",
				TR:     first.TR, FieldStrength: 3, FlipAngle: 180, PixelBandwidth: 244.141}
			for _, im := range images {
				o.Frames = append(o.Frames, dicomtest.Frame{TE: im.TE, Position: im.Position, Pixels: im.Pixels})
			}
			var b bytes.Buffer
			if err := dicomtest.WriteEnhanced(&b, o); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, "IM"), b.Bytes())
		}
		train := only(t, dir)
		if form == "legacy" {
			want.Sequence = "" // the writer says none
		}
		if d := cmp.Diff(wantScanner, train.Scanner, near); d != "" {
			t.Errorf("%s (-want +got):\n%s", form, d)
		}
		if d := cmp.Diff(want, train.Acquisition, near); d != "" {
			t.Errorf("%s (-want +got):\n%s", form, d)
		}
	}
}

// Missing, contradictory or non-numeric values do not fail a study and are not made up,
// whatever the order of the files.
func TestAcquisitionIsNotMadeUp(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(n int, im *dicomwrite.Image)
		check   func(Train) bool
		varying string
	}{
		"nothing said": {func(_ int, im *dicomwrite.Image) { im.TR, im.FieldStrength, im.Manufacturer = 0, 0, "" },
			func(t Train) bool {
				return t.Scanner.Serial == "" && t.Scanner.Manufacturer == "" && math.IsNaN(t.Scanner.Field) &&
					math.IsNaN(t.Acquisition.TR) && math.IsNaN(t.Acquisition.Flip) &&
					math.IsNaN(t.Acquisition.Bandwidth)
			}, ""},
		"not numbers": {func(_ int, im *dicomwrite.Image) {
			im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: "PixelBandwidth",
				Values: []string{"wide"}})
		}, func(t Train) bool { return math.IsNaN(t.Acquisition.Bandwidth) }, ""},
		"two bandwidths": {func(_ int, im *dicomwrite.Image) {
			im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: "PixelBandwidth",
				Values: []string{"100", "200"}})
		}, func(t Train) bool { return math.IsNaN(t.Acquisition.Bandwidth) }, ""},
		"TR jitters": {func(n int, im *dicomwrite.Image) { im.TR = 2700 + 0.01*float64(n) },
			func(t Train) bool { return t.Acquisition.TR == 2700 }, ""},
		"flip varies": {func(n int, im *dicomwrite.Image) { im.FlipAngle = 90 + float64(n) },
			func(t Train) bool { return t.Acquisition.TR == 2700 && math.IsNaN(t.Acquisition.Flip) }, "flip"},
		"two scanners": {func(n int, im *dicomwrite.Image) { im.Serial, im.Model = fmt.Sprint(n%2), "BA"[n%2:][:1] },
			func(t Train) bool { return t.Scanner.Serial == hash("0/1") && t.Scanner.Model == "A/B" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			images := trainOf()
			for n := range images {
				c.change(n, &images[n])
			}
			dir := t.TempDir()
			save(t, dir, images)
			train := only(t, dir)
			if train.Problem != nil || !c.check(train) || strings.Join(train.Acquisition.Varying, " ") != c.varying {
				t.Errorf("%v, %+v, %+v", train.Problem, train.Scanner, train.Acquisition)
			}
		})
	}
}
