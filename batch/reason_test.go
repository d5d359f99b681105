package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/register"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// brokenStudy writes a study of five echoes and two slices with a mask. change changes an image, whose slice is n%2 and
// whose echo is n/2, or omits it by returning false.
func brokenStudy(t *testing.T, dir, uid string, change func(n int, im *dicomwrite.Image) bool) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	g := volume.Geometry{Size: [3]int{8, 8, 2}, Affine: [3][4]float64{{0, 0, 3, 0}, {1, 0, 0, 0}, {0, -1, 0, 0}}}
	for n := range 10 {
		im := dicomwrite.Image{
			Series: dicomwrite.Series{StudyUID: uid, SeriesUID: uid + ".2", FrameOfReferenceUID: uid + ".4",
				PatientID: filepath.Base(dir)},
			Grid: dicomwrite.Grid{Rows: 8, Columns: 8, PixelSpacing: [2]float64{1, 1},
				Orientation: [6]float64{0, 1, 0, 0, 0, -1}, SliceThickness: 3},
			InstanceUID: fmt.Sprintf("%s.3.%d", uid, n), TE: 10 * float64(n/2+1), TR: 2000,
			Position: [3]float64{3 * float64(n%2), 0, 0}, Pixels: make([]int32, 64),
		}
		for v := range im.Pixels {
			im.Pixels[v] = int32(1000*math.Exp(-im.TE/40)) + int32((v*7+n)%5)
		}
		if !change(n, &im) {
			continue
		}
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("IM_%04d_%s", n, im.SeriesUID)
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(v int) uint8 { return uint8(1 + v%3) })
}

func override(im *dicomwrite.Image, keyword string, values ...string) {
	im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: keyword, Values: values})
}

// Each folder is named after the code that its failure must have.
func TestReasonsOfStudies(t *testing.T) {
	dir := t.TempDir()
	s := settings(t, dir)
	study := func(code report.Reason) string { return filepath.Join(s.Roots[0], string(code)) }
	images := func(code report.Reason) []string {
		files, err := filepath.Glob(filepath.Join(study(code), "IM_*"))
		if err != nil || len(files) == 0 {
			t.Fatal("no images: ", err)
		}
		return files
	}
	sound := func(int, *dicomwrite.Image) bool { return true }
	all := map[report.Reason]func(n int, im *dicomwrite.Image) bool{
		report.ReasonSide: func(_ int, im *dicomwrite.Image) bool {
			override(im, "Laterality", "L")
			override(im, "SeriesDescription", "RIGHT KNEE T2")
			return true
		},
		report.ReasonNoSeries:     func(n int, _ *dicomwrite.Image) bool { return n < 2 },
		report.ReasonSeriesChoice: sound,
		report.ReasonEchoTimes: func(n int, im *dicomwrite.Image) bool {
			if n == 3 {
				override(im, "EchoTime")
			}
			return true
		},
		report.ReasonGeometry: func(_ int, im *dicomwrite.Image) bool { override(im, "PixelSpacing"); return true },
		report.ReasonAttributes: func(n int, im *dicomwrite.Image) bool {
			im.FrameOfReferenceUID = fmt.Sprintf("2.25.77.%d", n)
			return true
		},
		report.ReasonMissingImages: func(n int, _ *dicomwrite.Image) bool { return n != 3 },
		report.ReasonDuplicates:    func(_ int, im *dicomwrite.Image) bool { im.Position[0] = 0; return true },
		report.ReasonDamaged:       sound,
		report.ReasonUnsupported: func(_ int, im *dicomwrite.Image) bool {
			im.ImageType = []string{"ORIGINAL", "PRIMARY", "M", "MOSAIC"}
			return true
		},
		report.ReasonUnreadable: sound, report.ReasonNoMask: sound, report.ReasonMask: sound,
	}
	number := 900
	for code, change := range all {
		number++
		brokenStudy(t, study(code), fmt.Sprintf("2.25.%d", number), change)
	}
	brokenStudy(t, study(report.ReasonSeriesChoice), "2.25.899", func(_ int, im *dicomwrite.Image) bool {
		first := images(report.ReasonSeriesChoice)
		im.StudyUID = studyOf(t, first[0])
		return true
	})
	if err := os.Truncate(images(report.ReasonDamaged)[2], 700); err != nil {
		t.Fatal(err)
	}
	remove(t, filepath.Join(study(report.ReasonNoMask), "labels.nii.gz"))
	writeText(t, filepath.Join(study(report.ReasonMask), "labels.nii.gz"), "not a mask")
	s.Progress = func(stage Stage, done, _ int) { // after the headers were read
		if files := images(report.ReasonUnreadable); stage == StageStudies && done == 0 && len(files) == 10 {
			remove(t, files[4])
		}
	}
	out := run(t, s)
	if len(out.Results) > 0 || len(out.Failures) != len(all) {
		t.Errorf("%d results, %d failures, want %d", len(out.Results), len(out.Failures), len(all))
	}
	for _, f := range out.Failures {
		if string(f.Code) != f.Folder || f.Hint == "" {
			t.Errorf("%s: %s: %q (%s)", f.Folder, f.Code, f.Reason, f.Hint)
		}
	}
}

// studyOf returns the StudyInstanceUID of an image that brokenStudy wrote.
func studyOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := []byte("\x20\x00\x0d\x00UI")
	n := bytes.Index(b, head) + len(head)
	if n < len(head) {
		t.Fatal("no StudyInstanceUID")
	}
	length := int(b[n]) | int(b[n+1])<<8
	return string(bytes.TrimRight(b[n+2:n+2+length], "\x00"))
}

// Errors that are rare, or whose studies other tests make.
func TestReasonOf(t *testing.T) {
	image := func(topic dicomio.Topic, kind error) error {
		return fmt.Errorf("read: %w", &dicomio.FileError{Path: "a", Problem: "x", Kind: kind, Topic: topic})
	}
	full := &fs.PathError{Op: "write", Path: "t2.nii.gz", Err: syscall.ENOSPC}
	for _, c := range []struct {
		err  error
		want report.Reason
	}{
		{&pipeline.PanicError{Place: "a.go:1"}, report.ReasonPanic},
		{fmt.Errorf("write: %w", full), report.ReasonDisk},
		{pipeline.Because(report.ReasonMask, full), report.ReasonDisk},
		{pipeline.Because(report.ReasonDisk, fs.ErrPermission), report.ReasonDisk},
		{pipeline.Explained(hint.Errorf("", "%w", &pipeline.MemoryError{})), report.ReasonMemory},
		{pipeline.Because(report.ReasonMask, &pipeline.MemoryError{}), report.ReasonMemory},
		{pipeline.Because(report.ReasonRegistration, &register.OverlapError{}), report.ReasonRegistration},
		{pipeline.Because(report.ReasonRegistration, &register.MirrorError{}), report.ReasonSide},
		{pipeline.Because(report.ReasonMask, &anatomy.Error{Problem: anatomy.NoSide}), report.ReasonSide},
		{pipeline.Because(report.ReasonMask, &anatomy.Error{Problem: anatomy.TwoKnees}), report.ReasonMask},
		{pipeline.Because(report.ReasonMask, pipeline.Because(report.ReasonNoMask, errors.New("x"))), report.ReasonNoMask},
		{pipeline.Because(report.ReasonMask, image(dicomio.TopicFile, dicomio.ErrInvalid)), report.ReasonMask},
		{image(dicomio.TopicGeometry, dicomio.ErrUnsupported), report.ReasonUnsupported},
		{image(dicomio.TopicFile, fs.ErrPermission), report.ReasonUnreadable},
		{&dicomio.TrainError{Topic: dicomio.TopicAcquisition}, report.ReasonAcquisition},
		{&dicomio.TrainError{Topic: dicomio.TopicQuantity}, report.ReasonNoSeries},
		{pipeline.Explained(errors.New("x")), report.ReasonSetting},
		{errors.New("x"), report.ReasonOther},
	} {
		if got := reasonOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
	if err := pipeline.Because(report.ReasonMask, nil); err != nil {
		t.Error("no failure has a reason")
	}
}
