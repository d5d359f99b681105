package batch

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// keepSlices removes the images of the T2 series whose position in patient x is not to be kept.
func keepSlices(t *testing.T, study string, keep func(x float64) bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(study, "IM_*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal("no images", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		offset := bytes.Index(data, []byte("\x20\x00\x32\x00DS")) // ImagePositionPatient
		n := int(binary.LittleEndian.Uint16(data[offset+6:]))
		x, _, _ := strings.Cut(string(data[offset+8:][:n]), `\`)
		v, err := strconv.ParseFloat(x, 64)
		if err != nil {
			t.Fatal(err)
		}
		if !keep(v) {
			remove(t, f)
		}
	}
}

// asSKI10 gives the tissues of skm-tea the labels of ski10, which does not divide the tibia.
func asSKI10(l volume.Labels) volume.Labels {
	return withLabels(l, func(_ int, label uint16) uint16 {
		return [...]uint16{0, 0, 2, 4, 4, 0, 0}[label]
	})
}

// middleOf returns the mean position in patient x of the labelled voxels.
func middleOf(l volume.Labels) float64 {
	sum, n := 0.0, 0
	for v, label := range l.Data {
		if label != 0 {
			i, j, k := v%l.Size[0], v/l.Size[0]%l.Size[1], v/l.SliceVoxels()
			sum, n = sum+l.Position(float64(i), float64(j), float64(k))[0], n+1
		}
	}
	return sum / float64(n)
}

// A plate of which less than half lies in the field of view of the series has no value, though its
// tissue has enough, and says why; run and inspect warn. On the grid of the mask it is all there.
func TestPlatesOutsideTheFieldOfView(t *testing.T) {
	if testing.Short() {
		t.Skip("maps three studies")
	}
	for _, c := range []struct {
		empty string
		keep  func(x float64) bool // relative to the middle of the knee
	}{
		{segment.Medial, func(x float64) bool { return x < 6 }},
		{segment.Lateral, func(x float64) bool { return x > -16 }},
	} {
		dir := t.TempDir()
		labels, study := dessStudy(t, dir, "S01")
		labels = asSKI10(labels)
		writeLabels(t, filepath.Join(study, "labels.nii.gz"), labels)
		s := skmTea(t, dir)
		s.Protocol.Scheme, _ = segment.Named("ski10")
		whole := oneResult(t, s)
		if len(whole.Warnings) > 0 {
			t.Errorf("all slices: warnings %q", whole.Warnings)
		}
		middle, right := middleOf(labels), 1.0 // a right knee has its medial side at larger x
		if whole.Side == "left" {
			right = -1
		}
		keepSlices(t, study, func(x float64) bool { return c.keep(right * (x - middle)) })
		s.Out = t.TempDir()
		r := oneResult(t, s)
		const outside, mostly = "outside the field of view of the series", "mostly outside the field of view of the " +
			"series ("
		row := rowOf(t, r, c.empty)
		says := strings.HasPrefix(row.Note, outside) || strings.HasPrefix(row.Note, mostly)
		if row.Voxels != 0 || !math.IsNaN(float64(row.MeanT2)) || !says {
			t.Errorf("%s: %d voxels, note %q", c.empty, row.Voxels, row.Note)
		}
		other := segment.Lateral
		if c.empty == segment.Lateral {
			other = segment.Medial
		}
		was, is := rowOf(t, whole, other), rowOf(t, r, other)
		if was.Voxels != is.Voxels || strings.Contains(is.Note, "alone") {
			t.Errorf("%s: %d voxels, %d with all slices, note %q", other, is.Voxels, was.Voxels, is.Note)
		}
		trochlea := rowOf(t, r, "trochlear")
		if trochlea.Voxels == 0 || !strings.Contains(trochlea.Note, " % of it lies in the field of view of "+
			"the series") {
			t.Errorf("trochlea: %d voxels, note %q", trochlea.Voxels, trochlea.Note)
		}
		for n, begin := range []string{
			"not reported, because most of it lies outside the field of view of the series: " + c.empty + "-tibial (",
			"a part of the mask lies outside the field of view of the series: trochlear (",
		} {
			if len(r.Warnings) != 2 || !strings.HasPrefix(r.Warnings[n], begin) {
				t.Errorf("%s: warnings %q", c.empty, r.Warnings)
			}
		}
		in, err := Inspect(t.Context(), s)
		if err != nil || !cmp.Equal(in.Studies[0].Warnings, r.Warnings) {
			t.Errorf("inspect warns %q, run %q, %v", in.Studies[0].Warnings, r.Warnings, err)
		}
		for _, region := range r.Division.Regions {
			out, full := strings.HasPrefix(region.Region, c.empty), strings.HasPrefix(region.Region, other)
			if out && region.InView >= 0.5 || full && region.InView < 0.9 || region.InView > 1 {
				t.Errorf("%s: %.2f in view", region.Region, region.InView)
			}
		}
	}
}

// onSeries returns the labels on the grid of the series, by the nearest voxel.
func onSeries(t *testing.T, l volume.Labels, g volume.Geometry) volume.Labels {
	t.Helper()
	out := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	inverse, ok := l.Geometry.Inverse()
	if !ok {
		t.Fatal("flat grid")
	}
	for v := range out.Data {
		p := g.Position(float64(v%g.Size[0]), float64(v/g.Size[0]%g.Size[1]), float64(v/g.SliceVoxels()))
		var index [3]int
		in := true
		for a, row := range inverse {
			index[a] = int(math.Round(row[0]*p[0] + row[1]*p[1] + row[2]*p[2] + row[3]))
			in = in && index[a] >= 0 && index[a] < l.Size[a]
		}
		if in {
			out.Data[v] = l.Data[index[0]+l.Size[0]*(index[1]+l.Size[1]*index[2])]
		}
	}
	return out
}

// Erosion is the reason of rows of which it leaves nothing, and the others say how much is left, on
// another grid and on that of the series.
func TestErosionIsTheReason(t *testing.T) {
	if testing.Short() {
		t.Skip("maps six studies")
	}
	dir := t.TempDir()
	labels, study := dessStudy(t, dir, "S01")
	path := filepath.Join(study, "labels.nii.gz")
	writeLabels(t, path, labels)
	s := skmTea(t, dir)
	whole := oneResult(t, s)
	series := readLabelsOf(t, filepath.Join(whole.Dir, "compartments.nii.gz")).Geometry
	for _, mask := range []volume.Labels{labels, onSeries(t, labels, series)} {
		writeLabels(t, path, mask)
		for _, mm := range []float64{0, 1.1, 9} {
			s.Out, s.Protocol.Division.ErodeMM = t.TempDir(), mm
			r := oneResult(t, s)
			checkEroded(t, r, mm)
			for _, region := range r.Division.Regions {
				if region.InView < 0.9 || mask.Size == series.Size && region.InView != 1 {
					t.Errorf("erosion by %g mm: %s: in_view %g", mm, region.Region, region.InView)
				}
			}
			if got := rowNames(r); mm > 0 && !cmp.Equal(got, rowNames(whole)) {
				t.Errorf("erosion by %g mm: other rows (-whole +eroded):\n%s", mm, cmp.Diff(rowNames(whole), got))
			}
		}
	}
}

// checkEroded checks the notes and warnings of a study whose mask was eroded.
func checkEroded(t *testing.T, r report.Result, mm float64) {
	t.Helper()
	const gone, left = "removed by erosion", "erosion left "
	none, some := 0, 0
	for _, row := range slices.Concat(r.Compartments, r.Regions) {
		says := strings.Contains(row.Note, gone) || strings.Contains(row.Note, left)
		switch {
		case mm == 0 && says, mm > 0 && row.Voxels > 0 && !says, row.Note == gone && row.Voxels > 0:
			t.Errorf("erosion by %g mm: %s %s %s: %d voxels, note %q",
				mm, row.Compartment, row.Region, row.Layer, row.Voxels, row.Note)
		case row.Note == gone, row.Layer != segment.All && row.Note == "no voxels in the mask":
			none++ // or a layer that thin cartilage on the voxels of the series does not have
		case row.Voxels > 0:
			some++
		}
		if strings.Contains(row.Note, "the mask has no") {
			t.Errorf("erosion by %g mm: %s: note %q", mm, row.Region, row.Note)
		}
	}
	warned := strings.Contains(strings.Join(r.Warnings, "\n"), "erode_mm left less than half of what the mask marks: ")
	if warned != (mm > 0) || none == 0 && mm > 1 || (some > 0) != (mm < 9) {
		t.Errorf("erosion by %g mm: %d rows eroded, %d with voxels, warnings %q", mm, none, some, r.Warnings)
	}
	if mm == 9 && (len(r.Warnings) != 1 || none != len(r.Compartments)+len(r.Regions)) {
		t.Errorf("all eroded: %d rows of %d, warnings %q", none, len(r.Compartments)+len(r.Regions), r.Warnings)
	}
}

// rowNames names the rows of a result.
func rowNames(r report.Result) (rows []string) {
	for _, row := range slices.Concat(r.Compartments, r.Regions) {
		rows = append(rows, row.Compartment+" "+row.Region+" "+row.Layer)
	}
	return rows
}
