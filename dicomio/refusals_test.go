package dicomio

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
)

// refusal is a train with one fault, and the expected error.
type refusal struct {
	name      string
	spoil     func(images []dicomwrite.Image) []dicomwrite.Image
	want      string // the problem
	attribute string // the attribute, or ""
	kind      error
}

func removing(keyword string) func([]dicomwrite.Image) []dicomwrite.Image {
	return func(images []dicomwrite.Image) []dicomwrite.Image {
		images[4].Overrides = []dicomwrite.Override{{Keyword: keyword}}
		return images
	}
}

func override(keyword string, values ...string) func([]dicomwrite.Image) []dicomwrite.Image {
	return func(images []dicomwrite.Image) []dicomwrite.Image {
		images[4].Overrides = []dicomwrite.Override{{Keyword: keyword, Values: values}}
		return images
	}
}

func one(change func(*dicomwrite.Image)) func([]dicomwrite.Image) []dicomwrite.Image {
	return func(images []dicomwrite.Image) []dicomwrite.Image {
		change(&images[4])
		return images
	}
}

// refusals change image 4 of trainOf, which is slice 2 (of 0…2) of echo 2, by n·5 mod 12 = 8.
var refusals = []refusal{
	{"echo missing at a slice", func(i []dicomwrite.Image) []dicomwrite.Image { return slices.Delete(i, 4, 5) },
		"echo time 30 ms is missing at slice 3 of 3", "", ErrInvalid},
	{"duplicate of position and echo", func(i []dicomwrite.Image) []dicomwrite.Image {
		c := i[4]
		c.InstanceUID = "2.25.99"
		return append(i, c)
	}, "slice 3 at echo time 30 ms appears twice (also IM_0004)", "", ErrInvalid},
	{"uneven spacing", func(i []dicomwrite.Image) []dicomwrite.Image {
		for n := range i {
			if n*5%12%3 == 2 {
				i[n].Position[1] += 1e-4
				for r := range 3 {
					i[n].Position[r] += 3.5 * cross([3]float64(i[n].Orientation[:3]),
						[3]float64(i[n].Orientation[3:]))[r]
				}
			}
		}
		return i
	}, "uneven slice spacing", "ImagePositionPatient (0020,0032)", ErrInvalid},
	{"slice shifted in its plane", one(func(im *dicomwrite.Image) {
		for r := range 3 {
			im.Position[r] += 2 * im.Orientation[r]
		}
	}), "uneven slice spacing", "ImagePositionPatient (0020,0032)", ErrInvalid},
	{"mixed matrix", one(func(im *dicomwrite.Image) { im.Rows, im.Columns = 5, 3 }), "mixed geometry",
		"Rows (0028,0010)", ErrInvalid},
	{"mixed spacing", one(func(im *dicomwrite.Image) { im.PixelSpacing[0] *= 1.01 }), "mixed geometry",
		"PixelSpacing (0028,0030)", ErrInvalid},
	{"mixed orientation", one(func(im *dicomwrite.Image) { im.Orientation = [6]float64{1, 0, 0, 0, 1, 0} }),
		"mixed geometry", "ImageOrientationPatient (0020,0037)", ErrInvalid},
	{"two frames of reference", one(func(im *dicomwrite.Image) { im.FrameOfReferenceUID = "2.25.77" }),
		"mixed geometry", "FrameOfReferenceUID (0020,0052)", ErrInvalid},
	{"orientation not perpendicular", func(i []dicomwrite.Image) []dicomwrite.Image {
		for n := range i {
			i[n].Orientation = [6]float64{1, 0, 0, 0.5, 0.5, 0}
		}
		return i
	}, "not a pair of perpendicular unit vectors", "ImageOrientationPatient (0020,0037)", ErrInvalid},
	{"askew stack", func(i []dicomwrite.Image) []dicomwrite.Image {
		for n := range i {
			for r := range 3 {
				i[n].Position[r] += 2 * float64(n*5%12%3) * i[n].Orientation[r]
			}
		}
		return i
	}, "not stacked along", "ImagePositionPatient (0020,0032)", ErrInvalid},
	{"EchoTime missing", removing("EchoTime"), "missing", "EchoTime (0018,0081)", ErrInvalid},
	{"EchoTime empty", override("EchoTime", ""), "missing", "EchoTime (0018,0081)", ErrInvalid},
	{"EchoTime a word", override("EchoTime", "soon"), `"soon" is not a number`, "EchoTime (0018,0081)", ErrInvalid},
	{"EchoTime zero", override("EchoTime", "0"), "0 ms is not an echo time", "EchoTime (0018,0081)", ErrInvalid},
	{"PixelSpacing missing", removing("PixelSpacing"), "missing", "PixelSpacing (0028,0030)", ErrInvalid},
	{"PixelSpacing of one value", override("PixelSpacing", "0.3"), "1 values, want 2", "PixelSpacing (0028,0030)",
		ErrInvalid},
	{"PixelSpacing zero", override("PixelSpacing", "0", "0.3"), "is not a spacing", "PixelSpacing (0028,0030)",
		ErrInvalid},
	{"position missing", removing("ImagePositionPatient"), "missing", "ImagePositionPatient (0020,0032)", ErrInvalid},
	{"orientation missing", removing("ImageOrientationPatient"), "missing", "ImageOrientationPatient (0020,0037)",
		ErrInvalid},
	{"rows missing", removing("Rows"), "missing", "Rows (0028,0010)", ErrInvalid},
	{"both sides in one series", one(func(im *dicomwrite.Image) { im.Laterality = "R" }), "elsewhere in the series",
		"Laterality (0020,0060)", ErrInvalid},
	{"colour", override("SamplesPerPixel", "3"), "3 samples per pixel", "SamplesPerPixel (0028,0002)", ErrUnsupported},
	{"inverted grey", override("PhotometricInterpretation", "MONOCHROME1"), "MONOCHROME1",
		"PhotometricInterpretation (0028,0004)", ErrUnsupported},
	{"several frames", override("NumberOfFrames", "3"), "3 frames", "NumberOfFrames (0028,0008)", ErrUnsupported},
	{"32 bits", override("BitsAllocated", "32"), "32 bits allocated", "BitsAllocated (0028,0100)", ErrUnsupported},
	{"more bits stored than allocated", override("BitsStored", "17"), "17 bits stored in 16 allocated",
		"BitsStored (0028,0101)", ErrInvalid},
	{"bits not at the bottom", func(i []dicomwrite.Image) []dicomwrite.Image {
		i[4].BitsStored = 12
		i[4].Overrides = []dicomwrite.Override{{Keyword: "HighBit", Values: []string{"15"}}}
		return i
	}, "high bit 15", "HighBit (0028,0102)", ErrUnsupported},
	{"slope zero", func(i []dicomwrite.Image) []dicomwrite.Image {
		i[4].RescaleSlope = 1
		i[4].Overrides = []dicomwrite.Override{{Keyword: "RescaleSlope", Values: []string{"0"}}}
		return i
	}, "0 would erase the image", "RescaleSlope (0028,1053)", ErrInvalid},
	{"single slice without thickness", func(i []dicomwrite.Image) []dicomwrite.Image {
		var out []dicomwrite.Image
		for n, im := range i {
			if n*5%12%3 == 1 {
				im.SliceThickness = 0
				out = append(out, im)
			}
		}
		return out
	}, "the spacing of a single slice is not known", "SliceThickness (0018,0050)", ErrInvalid},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			save(t, dir, c.spoil(trainOf()))
			train := only(t, dir)
			if train.Problem == nil {
				t.Fatal("the train is accepted")
			}
			if got := train.Problem.Error(); !strings.Contains(got, c.want) || !strings.Contains(got, c.attribute) {
				t.Errorf("error %q, want …%s…%s…", got, c.attribute, c.want)
			}
			if !errors.Is(train.Problem, c.kind) {
				t.Errorf("error %q is not %q", train.Problem, c.kind)
			}
			var f *FileError
			if c.attribute != "" && (!errors.As(train.Problem, &f) || !strings.HasPrefix(f.Path, "IM_")) {
				t.Errorf("error %q names no file", train.Problem)
			}
			if hint.Find(train.Problem) == "" {
				t.Errorf("error %q has no hint", train.Problem)
			}
			if _, _, err := Read(context.Background(), train, 0); err == nil {
				t.Error("Read decodes a train that has a problem")
			}
		})
	}
}

// Philips' display values are on one scale only while slope × scale slope is the
// same over the echoes.
func TestRefusesEchoesOnTwoScales(t *testing.T) {
	train := func(scale ...float64) *Train {
		t := &Train{}
		for e, ss := range scale {
			h := &header{name: fmt.Sprint("IM_", e), slope: 2, scaleSlope: ss, texts: &texts{manufacturer: "Philips"}}
			t.grid, t.images = append(t.grid, []*header{h}), append(t.images, h)
		}
		return t
	}
	nan := math.NaN()
	for _, sound := range [][]float64{{nan, nan, nan}, {0.01, 0.01, 0.01}} {
		if err := train(sound...).scale(""); err != nil {
			t.Errorf("scale slopes %v are refused: %v", sound, err)
		}
	}
	for _, spoilt := range [][]float64{{0.01, 0.02, 0.01}, {0.01, nan, 0.01}} {
		if err := train(spoilt...).scale(""); err == nil || !strings.Contains(err.Error(), "(2005,100E)") ||
			hint.Find(err) == "" {
			t.Errorf("scale slopes %v: %v", spoilt, err)
		}
	}
}

func TestSuspects(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"the first echo time everywhere", "10",
			"several images per slice position, but no echo time other than 10 ms"},
		{"no echo time anywhere", "", "EchoTime (0018,0081): missing"},
	} {
		images := trainOf()
		for n := range images {
			images[n].Overrides = []dicomwrite.Override{{Keyword: "EchoTime", Values: []string{c.value}}}
		}
		dir := t.TempDir()
		save(t, dir, images)
		f := find(t, dir)
		if len(f.Studies) != 1 || len(f.Studies[0].Trains) != 0 || len(f.Studies[0].Suspects) != 1 {
			t.Fatalf("%s: %+v", c.name, f)
		}
		p := f.Studies[0].Suspects[0].Problem
		if p == nil || !strings.Contains(p.Error(), c.want) || hint.Find(p) == "" {
			t.Errorf("%s: %v, want …%s…", c.name, p, c.want)
		}
	}
}
