package register

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/volume"
)

// A real knee of three slices: its first echo is registered to its fifth, moved. The mean error
// over the field is within a voxel, 0.6 mm, in the plane and a quarter of a slice, 1 mm.
func TestRealKnee(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "knee-ge-mese", "dicom")
	if _, err := os.Stat(dir); err != nil {
		t.Skip(dir + " is not here (docs/real-scans.md says where to get it)")
	}
	found, err := dicomio.Find(t.Context(), []string{dir}, dicomio.FindOptions{})
	if err != nil || len(found.Studies) != 1 || len(found.Studies[0].Trains) != 1 {
		t.Fatal("not one train: ", err)
	}
	series, _, err := dicomio.Read(t.Context(), found.Studies[0].Trains[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	echo := func(e int) volume.Map { return volume.Map{Geometry: series.Geometry, Data: series.Echo[e]} }
	centre := mean(whole(series.Geometry).corners(series.Geometry))
	want := rotationAbout(centre, [3]float64{1, 0.1, 0}, 5, [3]float64{0.5, 6, -4})
	moving := echo(4)
	moving.Geometry = moving.Moved(want)
	got, err := Rigid(t.Context(), echo(0), moving, Options{})
	average, corner, degrees := miss(got.Transform, want, boxOf(whole(series.Geometry).corners(series.Geometry)))
	t.Logf(
		"missed by %.3f mm, %.3f at a corner, %.3f°; metric %.3f to %.3f", average, corner, degrees, got.Before,
		got.After,
	)
	if err != nil || average > 1 {
		t.Errorf("%v, missed by %.3f mm and %.3f°", err, average, degrees)
	}
}

// No rigid transform aligns a knee with its mirror image: after registration, the mutual
// information is far less than that of two images of one knee.
func TestMirrored(t *testing.T) {
	k := theKnee(t)
	mirrored := k.thin
	for c := range 4 { // left and right about the middle of the knee
		mirrored.Affine[0][c] = -mirrored.Affine[0][c]
	}
	mirrored.Affine[0][3] += 2 * mean(whole(k.thin.Geometry).corners(k.thin.Geometry))[0]
	o := quick
	o.CheckMirror = true
	right, err := Rigid(t.Context(), k.first, k.thin, o)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := Rigid(t.Context(), k.first, mirrored, quick)
	t.Logf("metric %.3f, mirrored %.3f: %v", right.After, wrong.After, err)
	if err == nil && wrong.After > 0.8*right.After {
		t.Errorf("metric %.3f, mirrored %.3f", right.After, wrong.After)
	}
	var mirror *MirrorError
	if _, err := Rigid(t.Context(), k.first, mirrored, o); !errors.As(err, &mirror) {
		t.Errorf("%v, want a MirrorError", err)
	}
	// The same contrast, the joint alone, and a moved knee.
	o.Field = BoundingBox(k.labels, 20)
	move := rotationAbout(mean(BoundingBox(k.labels, 0).corners()), [3]float64{2, -1, 1}, 7, [3]float64{-4, 5, 3})
	same := volume.Map{Geometry: k.first.Moved(move), Data: k.first.Data}
	if _, err := Rigid(t.Context(), k.first, same, o); err != nil {
		t.Error(err)
	}
	for c := range 4 {
		same.Affine[0][c] = -same.Affine[0][c]
	}
	same.Affine[0][3] += 2 * mean(BoundingBox(k.labels, 0).corners())[0]
	if _, err := Rigid(t.Context(), k.first, same, o); !errors.As(err, &mirror) || mirror.Mirrored < mirror.Score {
		t.Errorf("one contrast: %v, want a MirrorError", err)
	}
}
