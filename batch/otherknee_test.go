package batch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/volume"
)

// mirroredAbout is the grid as a mirror at x shows it.
func mirroredAbout(g volume.Geometry, x float64) volume.Geometry {
	g = mirrored(g)
	g.Affine[0][3] += 2 * x
	return g
}

// writeEchoes writes echoes as a series of a study; uid tells them from others.
func writeEchoes(t testing.TB, dir string, s volume.MultiEcho, study, series, description string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for e, echo := range s.Echo {
		for k := range s.Size[2] {
			pixels := make([]int32, s.SliceVoxels())
			for v := range pixels {
				pixels[v] = int32(echo[k*s.SliceVoxels()+v])
			}
			writeSlice(t, dir, s.Geometry, k, e, s.TE[e], pixels, func(im *dicomwrite.Image) {
				im.StudyUID, im.SeriesUID = study, study+series
				im.InstanceUID = strings.Replace(im.InstanceUID, "2.25.700", im.SeriesUID, 1)
				im.SeriesDescription, im.SeriesNumber = description, len(series)
			})
		}
	}
}

// A right knee's mask is not put onto a left knee where nothing says which knee the images show: neither
// that of another visit nor one that was drawn on another series. Where a manifest names the side, it is
// believed.
func TestMaskOfTheOtherKnee(t *testing.T) {
	if testing.Short() {
		t.Skip("registers several times")
	}
	knee, err := phantom.New(t.Context(), phantom.Options{Matrix: 96, Slices: 18, Echoes: 4, DESSMatrix: 110,
		DESSSlices: 40})
	if err != nil {
		t.Fatal(err)
	}
	dess, err := knee.DESS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	right, left := knee.Echoes, knee.Echoes
	x := right.Position(float64(right.Size[0])/2, float64(right.Size[1])/2, float64(right.Size[2])/2)[0]
	left.Geometry = mirroredAbout(right.Geometry, x)
	dir := t.TempDir()
	visits, series := filepath.Join(dir, "visits", "S01"), filepath.Join(dir, "series", "S01", "baseline")
	writeEchoes(t, filepath.Join(visits, "baseline"), right, "2.25.701", ".1", "T2 MAP")
	writeLabels(t, filepath.Join(visits, "baseline", "labels.nii.gz"), knee.Labels)
	writeEchoes(t, filepath.Join(visits, "month03"), left, "2.25.702", ".1", "T2 MAP")
	writeEchoes(t, filepath.Join(series, "t2"), left, "2.25.703", ".1", "T2 MAP")
	thin := volume.MultiEcho{Geometry: dess.Signal.Geometry, TE: []float64{5}, Echo: [][]float32{dess.Signal.Data}}
	writeEchoes(t, filepath.Join(series, "dess"), thin, "2.25.703", ".12", "DESS")
	writeLabels(t, filepath.Join(series, "labels.nii.gz"), dess.Tissues)

	s := settings(t, dir)
	s.Roots, s.Layout, s.Protocol.Masks.Visit = []string{filepath.Join(dir,
		"visits")}, "visits/{subject}/{visit}", "baseline"
	s.Protocol.Maps = protocol.MapsNone
	out := run(t, s)
	if len(out.Failures) != 1 || len(out.Results) != 1 || out.Failures[0].Visit != "month03" {
		t.Fatalf("carried: %d results, failures %+v", len(out.Results), out.Failures)
	}
	wantMirrored(t, out.Failures[0])
	s.Out, s.Manifest = filepath.Join(dir, "believed"), filepath.Join(dir, "m.csv")
	writeText(t, s.Manifest, "folder,subject,visit,side\n"+
		"visits/S01/baseline,S01,baseline,R\nvisits/S01/month03,S01,month03,R\n")
	if out := run(t, s); len(out.Results) != 2 {
		t.Errorf("with a side in the manifest: %+v", out.Failures)
	}
	writeText(t, s.Manifest, "folder,subject,visit,side\n"+
		"visits/S01/baseline,S01,baseline,R\nvisits/S01/month03,S01,month03,L\n")
	s.Out = filepath.Join(dir, "sides")
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason,
		"the visit baseline, whose mask would be carried, shows the right knee, this study the left one") {
		t.Errorf("other sides in the manifest: %+v", out.Failures)
	}

	s = skmTea(t, dir)
	s.Roots, s.Out, s.Protocol.Register.Moving = []string{filepath.Join(dir, "series")}, filepath.Join(dir,
		"registered"), "DESS"
	wantMirrored(t, oneFailure(t, s))
}

func wantMirrored(t *testing.T, f report.Failure) {
	t.Helper()
	if !strings.Contains(f.Reason, "fit better if one is mirrored from left to right") || !strings.Contains(f.Hint,
		"column side") {
		t.Errorf("%s (%s)", f.Reason, f.Hint)
	}
}

// A visit whose mask is to be carried may show the other knee, or both.
func TestSourceOfTheOtherKnee(t *testing.T) {
	line := func(visit, side string) *intake.Line {
		return &intake.Line{Identity: pipeline.Identity{Subject: "S01", Visit: visit}, Side: side}
	}
	left, right, unknown := line("baseline", "left"), line("baseline", "right"), line("baseline", "")
	for name, c := range map[string]struct {
		studies    []*intake.Line
		target     *intake.Line
		want, hint string
	}{
		"the other knee": {[]*intake.Line{left}, line("m3", "right"), "shows the left knee, this study the right one",
			"to the same knee only"},
		"the same knee": {[]*intake.Line{left, right}, line("m3", "right"), "", ""},
		"unknown":       {[]*intake.Line{unknown}, line("m3", "right"), "", ""},
		"both knees": {[]*intake.Line{left, right}, line("m3", ""), "2 studies belong to the visit baseline, whose " +
			"mask would be carried (sides: left, right)", "name the side of this study"},
		"two of them": {[]*intake.Line{right, unknown}, line("m3", "right"), "(sides: right, unknown)",
			"so that only one belongs to that visit"},
		"none": {nil, line("m3", "right"), "the visit baseline is missing, failed or has no mask",
			"map the visit together"},
	} {
		_, err := intake.NewMaskSources(append(c.studies, c.target), "baseline").Find(c.target)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(hint.Find(err), c.hint)) {
			t.Errorf("%s: %v (%s), want %s (%s)", name, err, hint.Find(err), c.want, c.hint)
		}
	}
}

// Limits of a registration that nothing asks for are an error: they would have no effect.
func TestLimitsWithoutRegistration(t *testing.T) {
	for name, c := range map[string]struct {
		register protocol.Register
		source   string
		bad      bool
	}{
		"a shift":          {protocol.Register{MaxShift: 40}, "", true},
		"a rotation":       {protocol.Register{MaxRotation: 5}, "", true},
		"with a series":    {protocol.Register{Moving: "DESS", MaxShift: 40}, "", false},
		"of carried masks": {protocol.Register{MaxShift: 40}, "baseline", false},
		"nothing":          {protocol.Register{}, "", false},
	} {
		s := Settings{Protocol: protocol.Protocol{Scheme: compartmentsScheme(t), Register: c.register,
			Masks: protocol.Masks{Visit: c.source}}}
		_, err := s.prepare()
		if c.bad != (err != nil) || c.bad && (!strings.Contains(err.Error(), "have no effect") ||
			!strings.Contains(hint.Find(err), "--register")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
