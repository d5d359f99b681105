package panel

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/unroll"
	"github.com/t2map/t2map/volume"
)

// study is a study that a test may move.
type study struct{ report.Study }

// place gives all images of a study another affine.
func (s *study) place(affine [3][4]float64) {
	for _, g := range []*volume.Geometry{&s.Echo.Geometry, &s.Maps.Geometry, &s.Regions.Geometry, &s.Anatomy.Geometry} {
		g.Affine = affine
	}
}

// rings returns a study of sampletest.Rings.
func rings(n, slices int) study {
	echo, maps, labels := sampletest.Rings(n, slices)
	names := []string{"medial", "lateral", "patellofemoral"}
	r := report.Result{
		Version: "1.2.3", Subject: "S01", Visit: "month03", Study: "5f0c1a9e77d2b3c4", Series: "a1b2c3d4", Side: "left",
		Protocol: report.Protocol{Method: "nlls", SkippedEchoes: 1, T2RangeMS: [2]float64{0, 100}, Maps: "mask"},
		TE:       []float64{10, 20, 30, 40.5}, Size: echo.Size, Spacing: echo.Spacing(),
	}
	for _, name := range names {
		r.Compartments = append(r.Compartments,
			segment.Summary{Compartment: name, Region: segment.All, Layer: segment.All})
	}
	return study{report.Study{
		Echo: echo, Maps: maps, WriteMaps: true,
		Regions: segment.Regions{Labels: labels, Names: names}, Result: r,
	}}
}

// panelStudy writes a study of 12 slices of 3.5 mm from x = −50 on, of which the sixth has
// the most voxels, and returns its folder. It has the files that panels read: the pictures of
// report.WriteStudy would take longer than all else here.
func panelStudy(t *testing.T, change func(s *study)) string {
	t.Helper()
	s := rings(48, 12)
	for k := range 12 {
		if k == 5 {
			continue
		}
		for v, r := range volume.Slice(s.Regions.Geometry, s.Regions.Data, k) {
			if v%5 == 0 && r != 0 {
				s.Regions.Data[k*s.Regions.SliceVoxels()+v] = 0
			}
		}
	}
	s.Anatomy = s.Echo
	s.Result.Anatomy = &report.Anatomy{Series: s.Result.Series, TE: 10}
	if change != nil {
		change(&s)
	}
	dir := filepath.Join(t.TempDir(), "study")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var t2, status, compartments, anatomy bytes.Buffer
	err := errors.Join(
		nifti.WriteMap(&t2, volume.Map{Geometry: s.Maps.Geometry, Data: s.Maps.T2}, "T2 in ms"),
		nifti.WriteLabels(&status, s.Maps.Geometry, s.Maps.Status, "fit status"),
		nifti.WriteLabels(&compartments, s.Regions.Geometry, s.Regions.Data, "compartments"),
	)
	if s.Anatomy.Data != nil {
		err = errors.Join(err, nifti.WriteImage(&anatomy, s.Anatomy, "magnitude"))
	}
	result, jsonErr := json.Marshal(s.Result)
	if err := errors.Join(err, jsonErr); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		report.T2File: t2.Bytes(), report.StatusFile: status.Bytes(), report.CompartmentsFile: compartments.Bytes(),
		report.AnatomyFile: anatomy.Bytes(), report.ResultFile: result,
	} {
		if len(content) == 0 || name != report.ResultFile && !s.WriteMaps {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sampleUnrolled is a right knee with a notch.
func sampleUnrolled() *report.Unrolled {
	u := &report.Unrolled{
		Map:  unroll.Map{Angle: 4, Width: 1.5, Rows: [2]int{-15, 50}, Columns: [2]int{-27, 27}},
		Side: "right",
	}
	for a := u.Rows[0]; a < u.Rows[1]; a++ {
		for c := u.Columns[0]; c < u.Columns[1]; c++ {
			t2 := float64(50 + a/2 + c/2)
			if c > -6 && c < 6 && a > 15 {
				t2 = math.NaN()
			}
			u.T2 = append(u.T2, t2)
		}
	}
	return u
}
