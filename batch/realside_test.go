package batch

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/gzip"

	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// counted returns the voxels of every row.
func countedRows(r report.Result) []string {
	var out []string
	for _, row := range slices.Concat(r.Compartments, r.Regions) {
		out = append(out, fmt.Sprintf("%s/%s/%s %d %.6f", row.Compartment, row.Region, row.Layer, row.Voxels,
			row.MeanFraction))
	}
	return out
}

// outputOf returns a file of a result.
func outputOf(t testing.TB, r report.Result, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mirrorMask writes the real mask with its voxels where a mirror would show them: with x of the
// header's affine negated. It changes no voxel.
func mirrorMask(t testing.TB, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`\((-?)([0-9.]+),`)
	header, data, _ := bytes.Cut(b, []byte("\n\n"))
	var lines [][]byte
	for _, line := range bytes.Split(header, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("space directions")) || bytes.HasPrefix(line, []byte("space origin")) {
			line = number.ReplaceAllFunc(line, func(in []byte) []byte {
				if in[1] == '-' {
					return slices.Concat([]byte("("), in[2:])
				}
				return slices.Concat([]byte("(-"), in[1:])
			})
		}
		lines = append(lines, line)
	}
	if err := os.WriteFile(path, slices.Concat(bytes.Join(lines, []byte("\n")), []byte("\n\n"), data),
		0o644); err != nil {
		t.Fatal(err)
	}
}

// reflectMask writes the real mask with its voxels in the opposite order from left to right, within
// the grid, as a program does that loses the direction of an axis.
func reflectMask(t testing.TB, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header, data, _ := bytes.Cut(b, []byte("\n\n"))
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	labels, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	const slice = 384 * 384 // the third axis runs from left to right
	var turned []byte
	for k := len(labels)/slice - 1; k >= 0; k-- {
		turned = append(turned, labels[k*slice:(k+1)*slice]...)
	}
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if _, err := w.Write(turned); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, slices.Concat(header, []byte("\n\n"), out.Bytes()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Which voxels are taken, and into which regions they are divided, does not depend on T2; a
// knee in a mirror gives the same numbers and the other side; and a mask that was mirrored
// within its grid is refused, with what each source says.
func TestRealKneeByShapeAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("divides large masks several times")
	}
	p := palette(alikeT2, healthyFilm)
	s, study := paintedStudy(t, p, t2Series{})
	s.Protocol.Maps = protocol.MapsMask
	want := oneResult(t, s)
	if want.Side != "right" || len(want.Warnings)+len(want.Notes) != 0 || len(want.Division.Sides) < 3 {
		t.Errorf("side %s by %+v, warnings %q, notes %q", want.Side, want.Division.Sides, want.Warnings, want.Notes)
	}

	reflectMask(t, filepath.Join(study, "labels.nrrd"))
	s.Out = t.TempDir()
	s.Manifest = filepath.Join(t.TempDir(), "m.csv")
	writeText(t, s.Manifest, "folder,subject,side\n"+filepath.ToSlash(study)+",S1,R\n")
	f := oneFailure(t, s)
	for _, part := range []string{"the sources contradict each other about the side of the knee",
		"the manifest or the layout says right", "medial-tibial-cartilage in the mask says " +
			"left", "fibula in the mask says left", "medial-meniscus in the mask says left"} {
		if !strings.Contains(f.Reason, part) {
			t.Errorf("a mask mirrored within its grid: %s, want …%s…", f.Reason, part)
		}
	}
	if !strings.Contains(f.Hint, "which knee it is") {
		t.Errorf("hint %s", f.Hint)
	}

	other := maps.Clone(alikeT2)
	for r := range other {
		other[r] *= 1.5
	}
	other[anatomy.Trochlear] = 90 // a lesion
	s, _ = paintedStudy(t, palette(other, healthyFilm), t2Series{})
	s.Protocol.Maps = protocol.MapsMask
	longer := oneResult(t, s)
	for _, name := range []string{"regions.nii.gz", "compartments.nii.gz", "fraction.nii.gz"} {
		if !bytes.Equal(outputOf(t, want, name), outputOf(t, longer, name)) {
			t.Errorf("%s depends on T2", name)
		}
	}
	if d := cmp.Diff(countedRows(want), countedRows(longer)); d != "" {
		t.Errorf("voxels depend on T2:\n%s", d)
	}
	if a, b := rowOf(t, want, segment.Medial).MeanT2, rowOf(t, longer, segment.Medial).MeanT2; !(b > 1.4*a) {
		t.Errorf("medial T2 %.2f and %.2f ms: the second knee is not another", a, b)
	}

	s, study = paintedStudy(t, p, t2Series{mirrored: true})
	s.Protocol.Maps = protocol.MapsMask
	mirrorMask(t, filepath.Join(study, "labels.nrrd"))
	left := oneResult(t, s)
	if left.Side != "left" {
		t.Errorf("side %s in the mirror", left.Side)
	}
	if d := cmp.Diff(want.Division.Regions, left.Division.Regions, cmpopts.EquateApprox(1e-9, 0)); d != "" {
		t.Errorf("regions of the mask in the mirror:\n%s", d)
	}
	// Fractions are counted at points, which the mirror moves within a voxel of the series: by
	// 0.002 in the root mean square (see resample.ComputeFractions), which some voxels at the threshold pass.
	for n, row := range slices.Concat(want.Compartments, want.Regions) {
		other := slices.Concat(left.Compartments, left.Regions)[n]
		voxels, t2 := other.Voxels-row.Voxels, float64(other.MeanT2/row.MeanT2)-1
		if other.Compartment != row.Compartment || other.Region != row.Region || other.Layer != row.Layer ||
			max(voxels, -voxels) > max(3, row.Voxels/100) || math.Abs(t2) > 0.002 {
			t.Errorf("%s %s %s: %d voxels of %.3f ms, in the mirror %d of %.3f", row.Compartment, row.Region, row.Layer,
				row.Voxels, row.MeanT2, other.Voxels, other.MeanT2)
		}
	}
}
