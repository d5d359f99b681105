package dicomio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
)

// obliqueAxes are perpendicular, aligned with no axis of the patient.
func obliqueAxes() [6]float64 {
	s, c := math.Sincos(0.1234567)
	return [6]float64{-s, c, 0, 0.6 * c, 0.6 * s, -0.8}
}

// trainOf returns the images of a small sound train, 3 slices × 4 echoes of
// 3 × 5 pixels, in a shuffled order of files. Pixel v of slice k and echo e
// holds 1000·e + 100·k + v.
func trainOf() []dicomwrite.Image {
	var images []dicomwrite.Image
	for n := range 12 {
		k, e := n*5%12%3, n*5%12/3
		im := obliqueImage()
		im.Orientation = obliqueAxes()
		im.InstanceUID = fmt.Sprintf("2.25.3.%d", n)
		im.TE, im.EchoNumber, im.InstanceNumber = float64(10*(e+1)), 1, 7
		normal := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:]))
		for r := range 3 {
			im.Position[r] += 3.5 * float64(k) * normal[r]
		}
		im.Pixels = make([]int32, 15)
		for v := range im.Pixels {
			im.Pixels[v] = int32(1000*e + 100*k + v)
		}
		images = append(images, im)
	}
	return images
}

// save writes the images as dir/IM_0000 and so on.
func save(t *testing.T, dir string, images []dicomwrite.Image) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for n, im := range images {
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), b.Bytes())
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, roots ...string) Finding {
	t.Helper()
	f, err := Find(context.Background(), roots, FindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// only returns the one train of the one study under dir.
func only(t *testing.T, dir string) Train {
	t.Helper()
	f := find(t, dir)
	if len(f.Studies) != 1 || len(f.Studies[0].Trains) != 1 {
		t.Fatalf("found %+v, want one study with one train", f)
	}
	return f.Studies[0].Trains[0]
}

func TestReadEverySyntaxAndStorage(t *testing.T) {
	for _, syntax := range writtenSyntaxes {
		for _, c := range []struct {
			allocated, stored int
			signed            bool
			slope, intercept  float64
		}{
			{8, 8, false, 0, 0}, {8, 8, true, 2, -1}, {16, 8, false, 0, 0}, {16, 10, true, 0, 0},
			{16, 12, false, 1.5, 0}, {16, 12, true, 0.25, 7}, {16, 16, false, 0, 0}, {16, 16, true, 1, 0},
		} {
			t.Run(fmt.Sprintf("%s %d of %d signed=%t slope=%g", syntax.name, c.stored, c.allocated, c.signed, c.slope), func(t *testing.T) {
				images := trainOf()
				for n := range images {
					im := &images[n]
					im.Syntax, im.BitsAllocated, im.BitsStored, im.Signed = syntax.uid, c.allocated, c.stored, c.signed
					im.RescaleSlope, im.RescaleIntercept = c.slope, c.intercept
					for v, p := range im.Pixels {
						// The whole range of what can be stored, both ends among them.
						span := int32(1) << c.stored
						im.Pixels[v] = (p*7919 + int32(v%2)*(span-1)) % span
						if c.signed {
							im.Pixels[v] -= span / 2
						}
					}
				}
				dir := t.TempDir()
				save(t, dir, images)
				train := only(t, dir)
				s, _, err := Read(context.Background(), train, 2)
				if err != nil {
					t.Fatal(err)
				}
				if c.slope == 0 {
					c.slope = 1
				}
				for n, im := range images {
					k, e := n*5%12%3, n*5%12/3
					for v, p := range im.Pixels {
						want := float32(float64(p)*c.slope + c.intercept)
						if got := s.Echo[e][k*15+v]; got != want {
							t.Fatalf("echo %d, slice %d, pixel %d: got %g, want %g", e, k, v, got, want)
						}
					}
				}
			})
		}
	}
}

func TestReadGeometryAndHashes(t *testing.T) {
	dir := t.TempDir()
	images := trainOf()
	save(t, dir, images)
	train := only(t, dir)
	s, files, err := Read(context.Background(), train, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.TE, []float64{10, 20, 30, 40}) || s.Size != [3]int{5, 3, 3} {
		t.Errorf("TE %v, size %v", s.TE, s.Size)
	}
	im := obliqueImage()
	im.Orientation = obliqueAxes()
	normal := cross([3]float64(im.Orientation[:3]), [3]float64(im.Orientation[3:]))
	for _, index := range [][3]float64{{0, 0, 0}, {4, 0, 0}, {0, 2, 0}, {0, 0, 2}, {4, 2, 2}} {
		got := s.Position(index[0], index[1], index[2])
		for r := range 3 {
			want := im.Position[r] + index[0]*im.PixelSpacing[1]*im.Orientation[r] + index[1]*im.PixelSpacing[0]*im.Orientation[3+r] + index[2]*3.5*normal[r]
			// Decimal strings of positions hold 16 characters.
			if math.Abs(got[r]-want) > 1e-6 {
				t.Errorf("voxel %v lies at %v, want coordinate %d to be %g", index, got, r, want)
			}
		}
	}
	if len(files) != 12 || train.Side != "L" || train.Hash == "" {
		t.Errorf("%d files, side %q, hash %q", len(files), train.Side, train.Hash)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%x", sha256.Sum256(data)); f.SHA256 != want {
			t.Errorf("%s: hash %s, want %s", f.Path, f.SHA256, want)
		}
	}
}

// A slope that changes over the echoes is applied file by file.
func TestReadAppliesEachSlope(t *testing.T) {
	dir := t.TempDir()
	images := trainOf()
	for n := range images {
		images[n].RescaleSlope = 1 / images[n].TE
		images[n].RescaleIntercept = images[n].TE
	}
	save(t, dir, images)
	s, _, err := Read(context.Background(), only(t, dir), 0)
	if err != nil {
		t.Fatal(err)
	}
	for e, te := range s.TE {
		for k := range 3 {
			// Decimal strings hold the slope to 14 digits, float32 the value to 7.
			want := float64(1000*e+100*k+7)/te + te
			if got := float64(s.Echo[e][k*15+7]); math.Abs(got-want) > 1e-6*want {
				t.Errorf("echo %d, slice %d: %g, want %g", e, k, got, want)
			}
		}
	}
}

// refusal is a train spoilt in one place, and what the error must say.
type refusal struct {
	name  string
	spoil func(images []dicomwrite.Image) []dicomwrite.Image
	want  string // the problem
	at    string // the attribute, or ""
	kind  error
	hint  bool
}

func without(keyword string) func([]dicomwrite.Image) []dicomwrite.Image {
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

// image 4 of trainOf is slice 2 (of 0…2) of echo 2, by n·5 mod 12 = 8.
var refusals = []refusal{
	{"echo missing at a slice", func(i []dicomwrite.Image) []dicomwrite.Image { return slices.Delete(i, 4, 5) }, "echo time 30 ms is missing at slice 3 of 3", "", ErrInvalid, true},
	{"duplicate of position and echo", func(i []dicomwrite.Image) []dicomwrite.Image {
		c := i[4]
		c.InstanceUID = "2.25.99"
		return append(i, c)
	}, "slice 3 at echo time 30 ms is there twice (also IM_0004)", "", ErrInvalid, true},
	{"uneven spacing", func(i []dicomwrite.Image) []dicomwrite.Image {
		for n := range i {
			if n*5%12%3 == 2 {
				i[n].Position[1] += 1e-4
				for r := range 3 {
					i[n].Position[r] += 3.5 * cross([3]float64(i[n].Orientation[:3]), [3]float64(i[n].Orientation[3:]))[r]
				}
			}
		}
		return i
	}, "uneven slice spacing", "ImagePositionPatient (0020,0032)", ErrInvalid, true},
	{"slice shifted in its plane", one(func(im *dicomwrite.Image) {
		for r := range 3 {
			im.Position[r] += 2 * im.Orientation[r]
		}
	}), "uneven slice spacing", "ImagePositionPatient (0020,0032)", ErrInvalid, true},
	{"mixed matrix", one(func(im *dicomwrite.Image) { im.Rows, im.Columns = 5, 3 }), "mixed geometry", "Rows (0028,0010)", ErrInvalid, true},
	{"mixed spacing", one(func(im *dicomwrite.Image) { im.PixelSpacing[0] *= 1.01 }), "mixed geometry", "PixelSpacing (0028,0030)", ErrInvalid, true},
	{"mixed orientation", one(func(im *dicomwrite.Image) { im.Orientation = [6]float64{1, 0, 0, 0, 1, 0} }), "mixed geometry", "ImageOrientationPatient (0020,0037)", ErrInvalid, true},
	{"two frames of reference", one(func(im *dicomwrite.Image) { im.FrameOfReferenceUID = "2.25.77" }), "mixed geometry", "FrameOfReferenceUID (0020,0052)", ErrInvalid, true},
	{"orientation not perpendicular", func(i []dicomwrite.Image) []dicomwrite.Image {
		for n := range i {
			i[n].Orientation = [6]float64{1, 0, 0, 0.5, 0.5, 0}
		}
		return i
	}, "not a pair of perpendicular unit vectors", "ImageOrientationPatient (0020,0037)", ErrInvalid, false},
	{"askew stack", func(i []dicomwrite.Image) []dicomwrite.Image {
		for n := range i {
			for r := range 3 {
				i[n].Position[r] += 2 * float64(n*5%12%3) * i[n].Orientation[r]
			}
		}
		return i
	}, "askew", "ImagePositionPatient (0020,0032)", ErrInvalid, false},
	{"EchoTime missing", without("EchoTime"), "missing", "EchoTime (0018,0081)", ErrInvalid, true},
	{"EchoTime empty", override("EchoTime", ""), "missing", "EchoTime (0018,0081)", ErrInvalid, true},
	{"EchoTime a word", override("EchoTime", "soon"), `"soon" is not a number`, "EchoTime (0018,0081)", ErrInvalid, false},
	{"EchoTime zero", override("EchoTime", "0"), "0 ms is not an echo time", "EchoTime (0018,0081)", ErrInvalid, false},
	{"PixelSpacing missing", without("PixelSpacing"), "missing", "PixelSpacing (0028,0030)", ErrInvalid, true},
	{"PixelSpacing of one value", override("PixelSpacing", "0.3"), "1 values, want 2", "PixelSpacing (0028,0030)", ErrInvalid, false},
	{"PixelSpacing zero", override("PixelSpacing", "0", "0.3"), "is not a spacing", "PixelSpacing (0028,0030)", ErrInvalid, false},
	{"position missing", without("ImagePositionPatient"), "missing", "ImagePositionPatient (0020,0032)", ErrInvalid, true},
	{"orientation missing", without("ImageOrientationPatient"), "missing", "ImageOrientationPatient (0020,0037)", ErrInvalid, true},
	{"rows missing", without("Rows"), "missing", "Rows (0028,0010)", ErrInvalid, true},
	{"both sides in one series", one(func(im *dicomwrite.Image) { im.Laterality = "R" }), "elsewhere in the series", "Laterality (0020,0060)", ErrInvalid, false},
	{"colour", override("SamplesPerPixel", "3"), "3 samples per pixel", "SamplesPerPixel (0028,0002)", ErrUnsupported, false},
	{"inverted grey", override("PhotometricInterpretation", "MONOCHROME1"), "MONOCHROME1", "PhotometricInterpretation (0028,0004)", ErrUnsupported, false},
	{"several frames", override("NumberOfFrames", "3"), "3 frames", "NumberOfFrames (0028,0008)", ErrUnsupported, false},
	{"32 bits", override("BitsAllocated", "32"), "32 bits allocated", "BitsAllocated (0028,0100)", ErrUnsupported, false},
	{"more bits stored than allocated", override("BitsStored", "17"), "17 bits stored in 16 allocated", "BitsStored (0028,0101)", ErrInvalid, false},
	{"bits not at the bottom", func(i []dicomwrite.Image) []dicomwrite.Image {
		i[4].BitsStored = 12
		i[4].Overrides = []dicomwrite.Override{{Keyword: "HighBit", Values: []string{"15"}}}
		return i
	}, "high bit 15", "HighBit (0028,0102)", ErrUnsupported, false},
	{"slope zero", func(i []dicomwrite.Image) []dicomwrite.Image {
		i[4].RescaleSlope = 1
		i[4].Overrides = []dicomwrite.Override{{Keyword: "RescaleSlope", Values: []string{"0"}}}
		return i
	}, "0 would erase the image", "RescaleSlope (0028,1053)", ErrInvalid, false},
	{"single slice without thickness", func(i []dicomwrite.Image) []dicomwrite.Image {
		var out []dicomwrite.Image
		for n, im := range i {
			if n*5%12%3 == 1 {
				im.SliceThickness = 0
				out = append(out, im)
			}
		}
		return out
	}, "a single slice says nothing of its spacing", "SliceThickness (0018,0050)", ErrInvalid, false},
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
			if got := train.Problem.Error(); !strings.Contains(got, c.want) || !strings.Contains(got, c.at) {
				t.Errorf("error %q, want …%s…%s…", got, c.at, c.want)
			}
			if !errors.Is(train.Problem, c.kind) {
				t.Errorf("error %q is not %q", train.Problem, c.kind)
			}
			var f *FileError
			if c.at != "" && (!errors.As(train.Problem, &f) || !strings.HasPrefix(f.Path, "IM_")) {
				t.Errorf("error %q names no file", train.Problem)
			}
			if got := Hint(train.Problem) != ""; c.hint && !got {
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
			h := &header{name: fmt.Sprint("IM_", e), slope: 2, scaleSlope: ss, manufacturer: "Philips"}
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
		if err := train(spoilt...).scale(""); err == nil || !strings.Contains(err.Error(), "(2005,100E)") || Hint(err) == "" {
			t.Errorf("scale slopes %v: %v", spoilt, err)
		}
	}
}

func TestSuspects(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"the first echo time everywhere", "10", "several images per slice position, but no echo time other than 10 ms"},
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
		if p == nil || !strings.Contains(p.Error(), c.want) || Hint(p) == "" {
			t.Errorf("%s: %v, want …%s…", c.name, p, c.want)
		}
	}
}

// A train whose echoes are a series each, as Siemens XA exports them, is one.
func TestSeriesPerEcho(t *testing.T) {
	images := trainOf()
	for n := range images {
		images[n].SeriesUID = fmt.Sprintf("2.25.2.%g", images[n].TE)
	}
	dir := t.TempDir()
	save(t, dir, images)
	if train := only(t, dir); train.Problem != nil || len(train.TE) != 4 {
		t.Errorf("%+v", train)
	}
	// A hole or a repeated echo time is refused as it is within one series.
	dir = t.TempDir()
	save(t, dir, slices.Delete(slices.Clone(images), 4, 5))
	if p := only(t, dir).Problem; p == nil || !strings.Contains(p.Error(), "echo time 30 ms is missing at slice 3 of 3") {
		t.Errorf("an echo missing at a slice: %v", p)
	}
	for n := range images {
		if images[n].TE == 40 {
			images[n].TE = 10
		}
	}
	dir = t.TempDir()
	save(t, dir, images)
	if p := only(t, dir).Problem; p == nil || !strings.Contains(p.Error(), "is there twice") {
		t.Errorf("two series of one echo time: %v", p)
	}
	// Scans that differ in TR are not one train, which is the reason where their echo times are
	// even; images of several weightings are not at such times.
	for n := range images {
		images[n].TE = float64(10 * (n*5%12/3 + 1))
		images[n].TR = 100 * images[n].TE
	}
	dir = t.TempDir()
	save(t, dir, images)
	s := find(t, dir).Studies[0]
	if len(s.Trains) != 0 || len(s.Suspects) != 1 || s.Passed.OtherSeries != 0 || len(s.Others) != 0 {
		t.Fatalf("%+v", s)
	}
	if p := s.Suspects[0].Problem; !containsAll(p.Error(), "RepetitionTime (0018,0080): ", "of the same train") || Hint(p) == "" {
		t.Error(p)
	}
	for n := range images {
		images[n].TE *= images[n].TE / 10
	}
	dir = t.TempDir()
	save(t, dir, images)
	if s := find(t, dir).Studies[0]; len(s.Trains)+len(s.Suspects) != 0 || s.Passed.OtherSeries != 12 || len(s.Others) != 4 {
		t.Errorf("%+v", s)
	}
}

// The decay of gradient echoes is T2*; such a series is left out and, where
// there is no other, named as the reason.
func TestGradientEchoIsNoTrain(t *testing.T) {
	dir := t.TempDir()
	images := trainOf()
	for n := range images {
		images[n].Overrides = []dicomwrite.Override{{Keyword: "ScanningSequence", Values: []string{"GR"}}}
	}
	save(t, dir, images)
	s := find(t, dir).Studies[0]
	if len(s.Trains) != 0 || len(s.Suspects) != 1 || !strings.Contains(s.Suspects[0].Problem.Error(), "T2*") {
		t.Errorf("%+v", s)
	}
}

// Objects beside the images that have no pixels, or none that this package
// could read, are no concern of the train.
func TestObjectsBesideTheTrain(t *testing.T) {
	for _, c := range []struct {
		name      string
		overrides []dicomwrite.Override
	}{
		{"MR raw data", []dicomwrite.Override{{Keyword: "SOPClassUID", Values: []string{"1.2.840.10008.5.1.4.1.1.66"}}, {Keyword: "MediaStorageSOPClassUID", Values: []string{"1.2.840.10008.5.1.4.1.1.66"}}, {Keyword: "PixelData"}}},
		{"a video", []dicomwrite.Override{{Keyword: "SOPClassUID", Values: []string{"1.2.840.10008.5.1.4.1.1.77.1.4.1"}}, {Keyword: "MediaStorageSOPClassUID", Values: []string{"1.2.840.10008.5.1.4.1.1.77.1.4.1"}}, {Keyword: "TransferSyntaxUID", Values: []string{"1.2.840.10008.1.2.4.999"}}}},
		{"a DICOMDIR", []dicomwrite.Override{{Keyword: "SOPClassUID"}, {Keyword: "MediaStorageSOPClassUID", Values: []string{directoryClass}}, {Keyword: "PixelData"}, {Keyword: "Modality"}, {Keyword: "StudyInstanceUID"}}},
	} {
		dir := t.TempDir()
		save(t, dir, trainOf())
		im := trainOf()[0]
		im.InstanceUID, im.Overrides = "2.25.555", c.overrides
		save(t, filepath.Join(dir, "beside"), []dicomwrite.Image{im})
		f := find(t, dir)
		if len(f.Studies) != 1 || len(f.Studies[0].Damaged)+len(f.Damaged) != 0 || f.Studies[0].Trains[0].Problem != nil {
			t.Errorf("%s: %+v", c.name, f)
		}
		if n := f.Passed.DICOMDIR + f.Passed.OtherModality + f.Studies[0].Passed.OtherModality; n != 1 {
			t.Errorf("%s: counted %d times", c.name, n)
		}
	}
}

// Normalised and plain images under one series UID are two trains.
func TestTwoImageTypesInOneSeries(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, trainOf())
	other := trainOf()
	for n := range other {
		other[n].ImageType = []string{"ORIGINAL", "PRIMARY", "M", "NORM"}
		other[n].InstanceUID += ".1"
	}
	save(t, filepath.Join(dir, "norm"), other)
	trains := find(t, dir).Studies[0].Trains
	if len(trains) != 2 || trains[0].Hash == trains[1].Hash || trains[0].Description == trains[1].Description {
		t.Errorf("%+v", trains)
	}
}

// A real directory of a medium, as dcmtk writes it.
func TestRealDICOMDIR(t *testing.T) {
	writer, err := exec.LookPath("dcmmkdir")
	if err != nil {
		t.Skip("dcmmkdir is not installed: ", err)
	}
	dir := t.TempDir()
	images := trainOf()
	for n := range images {
		images[n].Overrides = []dicomwrite.Override{
			{Keyword: "PatientName", Values: []string{"A"}}, {Keyword: "StudyDate", Values: []string{"20200101"}},
			{Keyword: "StudyTime", Values: []string{"120000"}}, {Keyword: "StudyID", Values: []string{"1"}},
			{Keyword: "InstanceNumber", Values: []string{fmt.Sprint(n + 1)}},
		}
	}
	save(t, filepath.Join(dir, "IMAGES"), images)
	c := exec.Command(writer, "--recurse", "--invent", "--general-purpose", "IMAGES")
	c.Dir = dir
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("dcmmkdir: %v\n%s", err, text)
	}
	f := find(t, dir)
	if f.Passed.DICOMDIR != 1 || len(f.Damaged) != 0 || len(f.Studies) != 1 || len(f.Studies[0].Damaged) != 0 || f.Studies[0].Trains[0].Problem != nil {
		t.Errorf("%+v", f)
	}
}

// A pipe in the folder is passed over; opening it would wait for its writer.
func TestPipeIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, trainOf())
	if err := exec.Command("mkfifo", filepath.Join(dir, "pipe")).Run(); err != nil {
		t.Skip("no pipes here: ", err)
	}
	done := make(chan Finding)
	go func() {
		f, _ := Find(context.Background(), []string{dir}, FindOptions{})
		done <- f
	}()
	select {
	case f := <-done:
		if f.Passed.NotDICOM != 1 || len(f.Studies) != 1 {
			t.Errorf("%+v", f)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Find waits for the pipe")
	}
}

// One study of two patients is a mistake of the site.
func TestTwoPatientsInOneStudy(t *testing.T) {
	for _, change := range []func(*dicomwrite.Image){
		func(im *dicomwrite.Image) { im.PatientID = "P02" }, func(im *dicomwrite.Image) { im.TrialSubject = "S02" }, func(im *dicomwrite.Image) { im.TrialTimepoint = "month12" },
	} {
		dir := t.TempDir()
		images := trainOf()
		change(&images[4])
		save(t, dir, images)
		if s := find(t, dir).Studies[0]; len(s.Damaged) == 0 || !strings.Contains(s.Damaged[0].Error(), "differs from that of other images") {
			t.Errorf("%+v", s.Damaged)
		}
	}
}

// The same study under two searched folders, given relative to a third.
func TestFindUnderSeveralRelativeRoots(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"a", "p/b", "p/here"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(folder)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	images := trainOf()
	save(t, filepath.Join(dir, "a"), images[:6])
	save(t, filepath.Join(dir, "p", "b"), images[6:])
	t.Chdir(filepath.Join(dir, "p", "here"))
	f := find(t, filepath.Join("..", "..", "a"), filepath.Join("..", "b"))
	if len(f.Studies) != 1 || f.Studies[0].Trains[0].Problem != nil || f.Studies[0].Name() != "a" {
		t.Errorf("%+v", f)
	}
	// With a file in both, the names say which is which.
	save(t, filepath.Join(dir, "p", "b"), images)
	f = find(t, filepath.Join("..", "..", "a"), filepath.Join("..", "b"))
	if p := f.Studies[0].Trains[0].Problem; p == nil || !strings.Contains(p.Error(), "is there twice (also a/IM_0000)") || !strings.HasPrefix(p.Error(), "b/IM_0000: ") {
		t.Errorf("%v", p)
	}
}

func TestOtherFilesAreCounted(t *testing.T) {
	dir := t.TempDir()
	train := trainOf()
	save(t, filepath.Join(dir, "s07", "train"), train)
	series := func(name string, change func(*dicomwrite.Image)) {
		images := trainOf()
		for n := range images {
			images[n].SeriesUID, images[n].InstanceUID = "2.25.50."+name, fmt.Sprintf("2.25.60.%s.%d", name, n)
			change(&images[n])
		}
		save(t, filepath.Join(dir, "s07", name), images)
	}
	series("1", func(im *dicomwrite.Image) { im.ImageType = []string{"DERIVED", "PRIMARY", "T2 MAP"} })
	series("2", func(im *dicomwrite.Image) { im.ImageType = []string{"ORIGINAL", "PRIMARY", "P", "SE"} })
	scout := trainOf()[:2]
	for n := range scout {
		scout[n].SeriesUID, scout[n].InstanceUID, scout[n].TE = "2.25.70", fmt.Sprint("2.25.71.", n), 5
	}
	save(t, filepath.Join(dir, "s07", "scout"), scout)
	ct := trainOf()[:1]
	ct[0].StudyUID = "2.25.80"
	ct[0].Overrides = []dicomwrite.Override{{Keyword: "SOPClassUID", Values: []string{"1.2.840.10008.5.1.4.1.1.2"}}, {Keyword: "Modality", Values: []string{"CT"}}}
	save(t, filepath.Join(dir, "ct"), ct)
	write(t, filepath.Join(dir, "s07", "notes.dcm"), []byte("a text file named .dcm"))
	write(t, filepath.Join(dir, "s07", "empty"), nil)

	f := find(t, dir)
	if len(f.Studies) != 1 {
		t.Fatalf("found %d studies, want 1", len(f.Studies))
	}
	s := f.Studies[0]
	if got, want := f.Passed, (Passed{NotDICOM: 2, OtherModality: 1}); got != want {
		t.Errorf("passed over %+v, want %+v", got, want)
	}
	if got, want := s.Passed, (Passed{Derived: 24, OtherSeries: 2}); got != want {
		t.Errorf("the study passed over %+v, want %+v", got, want)
	}
	if s.Name() != "s07" || s.Home != dir || len(f.Damaged)+len(s.Damaged) != 0 {
		t.Errorf("name %q, home %q, damaged %v %v", s.Name(), s.Home, f.Damaged, s.Damaged)
	}
}

func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "a"), trainOf())
	other := trainOf()
	for n := range other {
		other[n].StudyUID = "2.25.1000"
	}
	save(t, filepath.Join(dir, "b"), other)
	victim := filepath.Join(dir, "a", "IM_0003")
	whole, err := os.ReadFile(victim)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		tells      bool // whose it is
		damage     func()
	}{
		{"pixels cut short", "the file ends before its pixel data do", true, func() { write(t, victim, whole[:len(whole)-4]) }},
		{"cut within the header", "IM_0003", false, func() { write(t, victim, whole[:300]) }},
		{"an unknown transfer syntax", "valid but not supported (transfer syntax \"1.2.840.10008.1.2.9\")", false, func() {
			write(t, victim, bytes.Replace(whole, []byte(uid.ExplicitVRLittleEndian+"\x00"), []byte("1.2.840.10008.1.2.9\x00"), 1))
		}},
		{"unreadable", "IM_0003: cannot be read", false, func() { unreadable(t, victim) }},
	} {
		c.damage()
		f := find(t, dir)
		if len(f.Studies) != 2 {
			t.Fatalf("%s: %+v", c.name, f)
		}
		d, spoiled := f.Damaged, 1
		if c.tells {
			d, spoiled = f.Studies[0].Damaged, 0
		}
		if len(d) != 1 || !strings.Contains(d[0].Error(), c.want) || len(f.Studies[0].Spoiled) != spoiled || len(f.Studies[1].Spoiled) != 0 {
			t.Errorf("%s: damage %v, want …%s…; spoiled %d and %d", c.name, d, c.want, len(f.Studies[0].Spoiled), len(f.Studies[1].Spoiled))
		}
		if f.Studies[0].Trains[0].Problem == nil {
			t.Errorf("%s: the study does not miss the image", c.name)
		}
		if d := f.Studies[1].Damaged; len(d) != 0 {
			t.Errorf("%s: study b has damage %v", c.name, d)
		}
	}
}

// unreadable replaces the file by one that cannot be opened by anyone, root
// included: a link to itself.
func unreadable(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Base(path), path); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
}

// Files can change between Find and Read.
func TestReadNoticesChange(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(path string, data []byte)
	}{
		{"truncated", "has changed", func(path string, data []byte) { write(t, path, data[:len(data)-4]) }},
		{"longer", "has changed", func(path string, data []byte) { write(t, path, append(data, 0, 0)) }},
		{"another image", "has changed", func(path string, _ []byte) {
			var b bytes.Buffer
			im := trainOf()[5]
			im.InstanceUID = trainOf()[4].InstanceUID
			if err := dicomwrite.WriteImage(&b, im); err != nil {
				t.Fatal(err)
			}
			write(t, path, b.Bytes())
		}},
		{"another echo", "has changed", func(path string, data []byte) {
			im := trainOf()[4]
			im.TE = 90 // as many bytes as before
			var b bytes.Buffer
			if err := dicomwrite.WriteImage(&b, im); err != nil || b.Len() != len(data) {
				t.Fatal(err, b.Len(), len(data))
			}
			write(t, path, b.Bytes())
		}},
		{"gone", "cannot be read", func(path string, _ []byte) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}},
		{"text", "has changed", func(path string, data []byte) { write(t, path, bytes.Repeat([]byte("x"), len(data))) }},
	} {
		dir := t.TempDir()
		save(t, dir, trainOf())
		train := only(t, dir)
		path := filepath.Join(dir, "IM_0004")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		was := stamps(t, dir)
		c.change(path, data)
		was.restore(t) // the header's bytes tell
		if _, _, err := Read(context.Background(), train, 0); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "IM_0004") {
			t.Errorf("%s: %v, want …%s…", c.name, err, c.want)
		}
	}
}

// The library returns no error when PixelData is shorter than rows × columns
// need, or longer.
func TestLengthOfPixelDataIsChecked(t *testing.T) {
	for rows, want := range map[string]string{
		"30": "PixelData (7FE0,0010): 30 bytes, want 300 (30 rows × 5 columns × 16 bits)",
		"2":  "PixelData (7FE0,0010): 30 bytes, want 20 (2 rows × 5 columns × 16 bits)",
	} {
		dir := t.TempDir()
		images := trainOf()
		for n := range images {
			images[n].Overrides = []dicomwrite.Override{{Keyword: "Rows", Values: []string{rows}}}
		}
		save(t, dir, images)
		if p := only(t, dir).Problem; p == nil || !strings.Contains(p.Error(), want) {
			t.Errorf("%s rows: %v, want …%s…", rows, p, want)
		}
	}
	h := &header{name: "x", rows: 30, columns: 5, allocated: 16, stored: 16, slope: 1}
	if _, err := (&frameReader{body: bytes.NewReader(make([]byte, 30))}).read(h, 0); err == nil {
		t.Error("150 pixels come out of 30 bytes")
	}
}

func TestFindHomes(t *testing.T) {
	dir := t.TempDir()
	put := func(folder, study string) {
		images := trainOf()
		for n := range images {
			images[n].StudyUID = study
			images[n].InstanceUID = fmt.Sprintf("%s.%d", study, n)
		}
		save(t, filepath.Join(dir, filepath.FromSlash(folder)), images)
	}
	put("s01/baseline/dicom", "2.25.101")
	put("s01/month12/dicom", "2.25.102")
	put("s02/baseline/dicom/a", "2.25.103")
	f := find(t, dir)
	var got []string
	for _, s := range f.Studies {
		got = append(got, s.Name()+" in "+files.Below(dir, s.Home))
	}
	want := []string{"s01/baseline in s01/baseline", "s01/month12 in s01/month12", "s02/baseline/dicom/a in s02"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// A folder given twice, or within another, is searched once.
	if f := find(t, dir, dir, filepath.Join(dir, "s01")); f.Files != 36 || len(f.Studies) != 3 {
		t.Errorf("%d files, %d studies", f.Files, len(f.Studies))
	}
	// Results of an earlier run may lie among the studies.
	f, err := Find(context.Background(), []string{dir}, FindOptions{Exclude: filepath.Join(dir, "s01")})
	if err != nil || f.Files != 12 {
		t.Errorf("with s01 excluded: %d files, %v", f.Files, err)
	}
}

func TestFindFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "store", "a"), trainOf())
	if err := os.Mkdir(filepath.Join(dir, "trial"), 0o755); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"trial/s01":  filepath.Join(dir, "store", "a"), // a study elsewhere
		"trial/loop": filepath.Join(dir, "trial"),      // a folder into itself
		"door":       filepath.Join(dir, "trial"),      // the searched folder as a link
	} {
		if err := os.Symlink(to, filepath.Join(dir, filepath.FromSlash(from))); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	f := find(t, filepath.Join(dir, "door"))
	if len(f.Studies) != 1 || f.Files != 12 || f.Studies[0].Name() != "s01" || f.Studies[0].Trains[0].Problem != nil {
		t.Errorf("%+v", f)
	}
	if f := find(t, dir); len(f.Studies) != 1 || f.Files != 12 || f.Studies[0].Trains[0].Problem != nil {
		t.Errorf("searched through links and folders: %+v", f)
	}
}

// In big endian two pixels of 8 bits share a word, unless they are written as
// bytes.
func TestDecodeBytesInWords(t *testing.T) {
	for vr, want := range map[string][]float32{"OW": {2, 1, 4}, "OB": {1, 2, 3}} {
		h := &header{syntax: uid.ExplicitVRBigEndian, pixels: elements.Element{VR: vr}, rows: 1, columns: 3, allocated: 8, stored: 8, slope: 1}
		raw, err := (&frameReader{body: bytes.NewReader([]byte{1, 2, 3, 4})}).read(h, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, 3)
		if h.decode(got, raw); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", vr, got, want)
		}
	}
}

// Other pixels are not seen in a file whose size and modification time somebody has kept;
// the hash is that of the bytes they came from.
func TestReadOtherPixels(t *testing.T) {
	dir := t.TempDir()
	images := trainOf()
	save(t, dir, images)
	was := stamps(t, dir)
	train := only(t, dir)
	images[4].Pixels[3]++
	save(t, dir, images)
	was.restore(t)
	s, files, err := Read(context.Background(), train, 0)
	if err != nil {
		t.Fatal(err)
	}
	k, e := 4*5%12%3, 4*5%12/3 // as in trainOf
	if got, want := s.Echo[e][15*k+3], float32(images[4].Pixels[3]); got != want {
		t.Errorf("got %g, want %g", got, want)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Path))
		if want := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || f.SHA256 != want {
			t.Errorf("%s: hash %s, want %s; %v", f.Path, f.SHA256, want, err)
		}
	}
}

// Every number of stored bits, signed or not, with other bits set above them, on
// pixels that come four at a time and on those left over.
func TestDecodeStoredBits(t *testing.T) {
	words := []uint16{0, 1, 0x7fff, 0x8000, 0xffff, 0x5555, 0xaaaa}
	raw := make([]byte, 0, 2*len(words))
	for _, w := range words {
		raw = binary.LittleEndian.AppendUint16(raw, w)
	}
	for stored := 1; stored <= 16; stored++ {
		for representation := range 2 {
			for _, slope := range []float64{1, 0.5} {
				h := &header{rows: 1, columns: len(words), allocated: 16, stored: stored, pixelsAre: representation, slope: slope}
				got := make([]float32, len(words))
				h.decode(got, raw)
				for v, w := range words {
					n := int(w) % (1 << stored)
					if representation == 1 && n >= 1<<(stored-1) {
						n -= 1 << stored
					}
					if want := float32(float64(n) * slope); got[v] != want {
						t.Errorf("%d bits, representation %d, slope %g: %#04x is %g, want %g", stored, representation, slope, w, got[v], want)
					}
				}
			}
		}
	}
}

func TestFindNothing(t *testing.T) {
	if f := find(t, t.TempDir()); f.Files != 0 || len(f.Studies) != 0 {
		t.Errorf("an empty folder holds %+v", f)
	}
	if _, err := Find(context.Background(), []string{filepath.Join(t.TempDir(), "nowhere")}, FindOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestFindCancelled(t *testing.T) {
	dir := t.TempDir()
	save(t, dir, trainOf())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Find(ctx, []string{dir}, FindOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, _, err := Read(ctx, only(t, dir), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
