package batch

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment/quality"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/volume"
)

// moved returns an image whose slices are moved by (dx, dy) pixels, by cubic interpolation (Catmull–Rom) in both
// directions.
func moved(g volume.Geometry, img []float32, dx, dy float64) []float32 {
	weights := func(d float64) (first int, w [4]float64) { // of the pixels first-1 to first+2 before the new one
		first = int(math.Floor(-d))
		x := -d - float64(first)
		return first, [4]float64{((2-x)*x - 1) * x / 2, (x*x*(3*x-5) + 2) / 2, ((4-3*x)*x + 1) * x / 2, (x - 1) * x * x / 2}
	}
	fi, wi := weights(dx)
	fj, wj := weights(dy)
	inside := func(i, n int) int { return min(max(i, 0), n-1) }
	out := make([]float32, len(img))
	for v := range out {
		p := g.Index(v)
		sum := 0.0
		for b := range wj {
			j := inside(p[1]+fj+b-1, g.Size[1])
			for a := range wi {
				i := inside(p[0]+fi+a-1, g.Size[0])
				sum += wi[a] * wj[b] * float64(img[i+g.Size[0]*(j+g.Size[1]*p[2])])
			}
		}
		out[v] = float32(sum)
	}
	return out
}

// On a real knee, known shifts of a late echo are found to 0.1 pixel, beyond the shift that the images have: 0.1 pixel
// along columns.
func TestShiftOfRealKnee(t *testing.T) {
	dir := realData(t, "knee-ge-mese")
	s, labels, _ := realStudy(t, dir)
	first, last := s.Echo[1], s.Echo[len(s.Echo)-1]
	own := quality.Between(s.Geometry, first, last, labels.Data)
	if own.Pixels() > 0.15 || own.Correlation < 0.5 {
		t.Errorf("as acquired: %+v", own)
	}
	for _, d := range [][2]float64{{0.1, 0}, {0.25, -0.25}, {-0.5, 0.5}, {0.7, 0.4}, {1, -1}, {1.4, 0.6}, {-3.5, 2.2}} {
		got := quality.Between(s.Geometry, first, moved(s.Geometry, last, d[0], d[1]), labels.Data)
		if math.Abs(got.I-own.I-d[0]) > 0.1 || math.Abs(got.J-own.J-d[1]) > 0.1 {
			t.Errorf("shift %v: %+v", d, got)
		}
	}
}

// A phantom without faults has a residual as large as its noise, no shift, and the S2/S1 of the fit; a noisy one is
// flagged, and a visit is compared with the baseline.
func TestQualityOfStudies(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "S01-a"), phantom.Options{Subject: "S01"})
	knee(t, filepath.Join(dir, "studies", "S01-b"), phantom.Options{Subject: "S01", Visit: "M12", Software: "PHANTOM 2",
		Seed: 3})
	knee(t, filepath.Join(dir, "studies", "S02"), phantom.Options{Subject: "S02", SNR: 12})
	s := settings(t, dir)
	out := run(t, s)
	if len(out.Results) != 3 {
		t.Fatalf("%+v", out.Failures)
	}
	for _, r := range out.Results {
		if r.Quality == nil || len(r.Quality.Compartments) != len(r.Compartments) {
			t.Fatalf("%s: %+v", r.Subject, r.Quality)
		}
		for n, c := range r.Quality.Compartments {
			if c.ResidualChi2 < 0.8 || c.ResidualChi2 > 1.25 {
				t.Errorf("%s, %s: χ² %g", r.Subject, c.Compartment, c.ResidualChi2)
			}
			// The phantom has no stimulated echoes.
			if r.Subject == "S01" && math.Abs(float64(c.S2S1/c.S2S1Fit)-1) > 0.03 {
				t.Errorf("%s, %s: S2/S1 %g, fit %g", r.Subject, c.Compartment, c.S2S1, c.S2S1Fit)
			}
			if c.ErodedVoxels == 0 || c.ErodedVoxels >= r.Compartments[n].Used {
				t.Errorf("%s, %s: %d of %d voxels after erosion", r.Subject, c.Compartment, c.ErodedVoxels,
					r.Compartments[n].Used)
			}
		}
		if px := math.Hypot(float64(r.Quality.ShiftI), float64(r.Quality.ShiftJ)); !(px < 0.1) {
			t.Errorf("%s: a shift of %g pixels", r.Subject, px)
		}
		again, err := report.ReadResult(filepath.Join(r.Dir, report.ResultFile))
		if err != nil || len(again.QualityFlags) != len(r.QualityFlags) || again.Quality.ShiftI != r.Quality.ShiftI {
			t.Errorf("as written: %+v, %v", again.QualityFlags, err)
		}
	}
	checkQC(t, s.Out)
	if _, err := Tables(t.Context(), Settings{Out: s.Out}); err != nil {
		t.Error(err)
	}
	checkQC(t, s.Out)
}

func checkQC(t *testing.T, out string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(out, "qc.csv"))
	if err != nil {
		t.Fatal(err)
	}
	qc, err := table.Read(table.Source{Name: "qc.csv", Data: raw})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range qc.Rows {
		flags, noisy := r.Text("flags"), r.Text("subject") == "S02"
		if strings.Contains(flags, "snr_last:") != noisy || strings.Contains(flags, "baseline_software:warn") !=
			(r.Text("visit") == "M12") || strings.Contains(flags, "shift") || len(r.Text("protocol_sha256")) != 64 {
			t.Errorf("%s %s %s: %s", r.Text("subject"), r.Text("visit"), r.Text("compartment"), flags)
		}
	}
}
