package batch

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// movingTrial writes a subject whose knee moves between the T2 and the DESS series and from
// visit to visit; masks are drawn on the DESS series, and that of month 3 is left out.
func movingTrial(t *testing.T, dir string) []phantom.Truth {
	t.Helper()
	truth, err := phantom.WriteTrial(t.Context(), dir, phantom.Trial{
		Subjects: 1, Matrix: 112, Slices: 18, Echoes: 4, DESSMatrix: 132, DESSSlices: 36,
		Form:        phantom.Form{Mask: phantom.MaskTissues},
		VisitMotion: phantom.Motion{Turn: 5, Shift: 5}, DESSMotion: phantom.Motion{Turn: 3, Shift: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"month03/labels.nii.gz", "month12"} {
		if err := os.RemoveAll(filepath.Join(dir, "S01", gone)); err != nil {
			t.Fatal(err)
		}
	}
	return truth
}

// A mask of a knee that moved is registered, and carried to the next visit: the transforms are
// those of the phantom, and so is T2.
func TestRegisteredAndCarried(t *testing.T) {
	if testing.Short() {
		t.Skip("registers three times")
	}
	dir := t.TempDir()
	truth := movingTrial(t, filepath.Join(dir, "studies"))
	// A visit that gets its mask from another one needs no series of its own to draw it on.
	gone, err := filepath.Glob(filepath.Join(dir, "studies", "S01", "month03", "DESS_*.dcm"))
	if err != nil || len(gone) == 0 {
		t.Fatal("no DESS series: ", err)
	}
	for _, path := range gone {
		remove(t, path)
	}
	s := settings(t, dir)
	s.Protocol.Scheme, _ = segment.Named("skm-tea")
	s.Protocol.Register.Moving, s.Protocol.Masks.Visit = "SAG*DESS*", "baseline"
	out := run(t, s)
	if len(out.Results) != 2 {
		t.Fatalf("%d results, %v", len(out.Results), out.Failures)
	}
	wantOf := map[string]string{"baseline": report.MaskImage, "month03": report.EarlierVisit}
	for n, r := range out.Results {
		want := truth[n]
		g := r.Registration
		if g == nil || g.Source != wantOf[r.Visit] || (r.Mask.SourceVisit != "") != (r.Visit != "baseline") {
			t.Fatalf("%s: registration %+v, mask %+v", r.Visit, g, r.Mask)
		}
		// A point of the study's series lies in the aligned image where the phantom moved it:
		// in the DESS series of the visit, or in the T2 series of the baseline.
		expected := want.DESSMoved
		if r.Visit != "baseline" {
			expected = want.Moved.Inverse()
		}
		got := volume.Rigid{Rotation: g.Rotation, Shift: g.ShiftMM}
		centre := centreOf(t, r)
		for _, shift := range [][3]float64{{}, {25, 0, 0}, {0, 25, 0}, {0, 0, 25}} {
			p := centre
			for i := range p {
				p[i] += shift[i]
			}
			// A third of a pixel: these grids have 1.2 mm pixels.
			if d := apartMM(got.Apply(p), expected.Apply(p)); d > 0.4 {
				t.Errorf("%s: %.2f mm off at %v", r.Visit, d, shift)
			}
		}
		for c, name := range []string{"medial", "lateral", "patellofemoral"} {
			dev := math.Abs(float64(r.Compartments[c].MeanT2)/want.T2[c].MeanT2 - 1)
			if r.Compartments[c].Compartment != name || dev > 0.03 {
				t.Errorf("%s %s: %.2f ms, true %.2f", r.Visit, name, r.Compartments[c].MeanT2, want.T2[c].MeanT2)
			}
		}
		if _, err := os.Stat(filepath.Join(r.Dir, "checkerboard.png")); err != nil {
			t.Error(err)
		}
	}
	checkCorrectable(t, out.Results[1])
	carried, err := os.ReadFile(filepath.Join(s.Out, "compartments.csv"))
	if err != nil || !strings.Contains(string(carried), ",baseline,") {
		t.Errorf("no row says that its mask is that of the baseline: %v", err)
	}
}

// checkCorrectable reads the carried mask and finds the tissues of the scheme in it, on the
// voxels of the compartments.
func checkCorrectable(t *testing.T, r report.Result) {
	t.Helper()
	mask, used := readLabelsOf(t, filepath.Join(r.Dir, "mask.nii.gz")), readLabelsOf(t, filepath.Join(r.Dir,
		"compartments.nii.gz"))
	seen := map[uint16]bool{}
	for v, l := range mask.Data {
		seen[l] = true
		if (l != 0) != (used.Data[v] != 0) {
			t.Fatalf("voxel %d: label %d, compartment %d", v, l, used.Data[v])
		}
	}
	if len(seen) != 7 { // background, four plates, two menisci
		t.Errorf("labels %v, want those of skm-tea", seen)
	}
}

func readLabelsOf(t *testing.T, path string) volume.Labels {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// centreOf is the middle of the mask in a result, mm LPS.
func centreOf(t *testing.T, r report.Result) [3]float64 {
	t.Helper()
	l := readLabelsOf(t, filepath.Join(r.Dir, "compartments.nii.gz"))
	var sum [3]float64
	n := 0.0
	for v, c := range l.Data {
		if c != 0 {
			for i, x := range l.Position(float64(v%l.Size[0]), float64(v/l.Size[0]%l.Size[1]),
				float64(v/l.SliceVoxels())) {
				sum[i] += x
			}
			n++
		}
	}
	for i := range sum {
		sum[i] /= n
	}
	return sum
}

func apartMM(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// A study whose mask cannot be carried fails and says why; a movement beyond the limit fails
// the study, with the way out.
func TestCarriedFromNowhere(t *testing.T) {
	if testing.Short() {
		t.Skip("divides large masks several times")
	}
	dir := t.TempDir()
	movingTrial(t, filepath.Join(dir, "studies"))
	if err := os.RemoveAll(filepath.Join(dir, "studies", "S01", "baseline", "labels.nii.gz")); err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	s.Protocol.Scheme, _ = segment.Named("skm-tea")
	s.Protocol.Masks.Visit = "baseline"
	out := run(t, s)
	if len(out.Results) != 0 || len(out.Failures) != 2 {
		t.Fatalf("%d results, %d failures", len(out.Results), len(out.Failures))
	}
	for _, f := range out.Failures {
		want := map[string]string{"baseline": "none found (looked for", "month03": "none to carry: the visit " +
			"baseline is missing, failed or has no mask"}[f.Visit]
		if !strings.Contains(f.Reason, want) || f.Hint == "" {
			t.Errorf("%s: %s (%s)", f.Visit, f.Reason, f.Hint)
		}
	}
}

// Settings of the registration that make no sense, and series that are not there.
func TestRegisterRefuses(t *testing.T) {
	dir := t.TempDir()
	movingTrial(t, filepath.Join(dir, "studies"))
	for _, c := range []struct {
		name     string
		register protocol.Register
		want     string
	}{
		{"no such series", protocol.Register{Moving: "COR*"}, "no series of the study fits COR*"},
		{"a movement beyond the limit", protocol.Register{Moving: "SAG*DESS*", MaxRotation: 0.5}, "0.5"},
	} {
		if c.register.MaxRotation > 0 && testing.Short() {
			continue
		}
		s := settings(t, dir)
		s.Out = filepath.Join(dir, "out-"+strings.ReplaceAll(c.name, " ", "-"))
		s.Protocol.Scheme, _ = segment.Named("skm-tea")
		s.Protocol.Register = c.register
		s.Roots = []string{filepath.Join(dir, "studies", "S01", "baseline")}
		out := run(t, s)
		if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, c.want) || out.Failures[0].Hint == "" {
			t.Errorf("%s: %+v", c.name, out.Failures)
		}
	}
	if err := (protocol.Protocol{Register: protocol.Register{MaxShift: -1}}).Check(); err == nil ||
		!strings.Contains(err.Error(), "max_shift_mm") {
		t.Errorf("a negative limit: %v", err)
	}
}
