package batch

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/volume"
)

// protonDensity writes into dir, beside the train of scan, a series of one echo on a grid of
// its own, 12 × 10 × 4, in the same frame of reference. Voxel v of slice k holds 100·k + v.
func protonDensity(t *testing.T, dir string, change func(n int, im *dicomwrite.Image)) {
	t.Helper()
	for n := range 4 {
		im := dicomwrite.Image{
			Series: dicomwrite.Series{
				StudyUID: "2.25.900.1", SeriesUID: "2.25.900.7", FrameOfReferenceUID: "2.25.900.4", PatientID: "P",
				TrialSubject: "S07", TrialTimepoint: "v1", SeriesNumber: 4, SeriesDescription: "SAG PD fs",
			},
			Grid: dicomwrite.Grid{
				Rows: 10, Columns: 12, PixelSpacing: [2]float64{0.5, 0.75},
				Orientation: [6]float64{0, 1, 0, 0, 0, -1}, SliceThickness: 1.5,
			},
			InstanceUID: fmt.Sprintf("2.25.900.8.%d", n), TE: 14, TR: 3000,
			Position: [3]float64{1.5 * float64(n), 0.5, -0.5}, Pixels: make([]int32, 120),
		}
		for v := range im.Pixels {
			im.Pixels[v] = int32(100*n + v)
		}
		if change != nil {
			change(n, &im)
		}
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			t.Fatal(err)
		}
		// Names before the train's and in the wrong order: neither matters.
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("A%s_%d", im.SeriesUID, 9-n)), b.Bytes(),
			0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Without a word about it, the first echo lies beside the maps, all of it, and the
// mask by compartment; neither does where no maps are wanted.
func TestAnatomyIsTheFirstEcho(t *testing.T) {
	for _, maps := range []protocol.Maps{protocol.MapsFull, protocol.MapsMask, protocol.MapsNone} {
		dir := t.TempDir()
		scan(t, filepath.Join(dir, "studies", "s07"), "S07", false)
		s := settings(t, dir)
		s.Protocol.Maps = maps
		r := run(t, s).Results[0]
		if maps == protocol.MapsNone {
			for _, name := range []string{"anatomy.nii.gz", "compartments.nii.gz"} {
				if _, err := os.Stat(filepath.Join(r.Dir, name)); err == nil || r.Anatomy != nil {
					t.Errorf("%s is written with --maps none", name)
				}
			}
			continue
		}
		got := tools.ReadMap(t, filepath.Join(r.Dir, "anatomy.nii.gz"))
		for v, x := range got.Data {
			if want := float32(778 + v%64%5); x != want { // 1000·exp(−10/40), cut
				t.Fatalf("%s: voxel %d is %g, want %g", maps, v, x, want)
			}
		}
		mask := tools.ReadMap(t, filepath.Join(r.Dir, "compartments.nii.gz"))
		for v, x := range mask.Data {
			// The series' slices run to the right, the mask's to the left.
			if want := float32(1 + (v+64)%128%3); x != want {
				t.Fatalf("%s: voxel %d is of compartment %g, want %g", maps, v, x, want)
			}
		}
		if got.Geometry != mask.Geometry || r.Anatomy == nil || r.Anatomy.Series != r.Series || r.Anatomy.TE != 10 ||
			r.Anatomy.Size != r.Size {
			t.Errorf("%s: %+v on %v", maps, r.Anatomy, got.Geometry)
		}
	}
}

// A series that is named, by description, number or hash, is read with its own values and
// grid, and its files stand among the inputs.
func TestAnatomyIsNamed(t *testing.T) {
	dir := t.TempDir()
	scan(t, filepath.Join(dir, "studies", "s07"), "S07", false)
	protonDensity(t, filepath.Join(dir, "studies", "s07"), nil)
	s := settings(t, dir)
	hash := ""
	for _, rule := range []func(*Settings){
		func(s *Settings) { s.Protocol.Anatomy = protocol.SeriesRule{Description: "sag*pd*"} },
		func(s *Settings) { s.Protocol.Anatomy = protocol.SeriesRule{Number: 4, Echoes: 1, Side: "L"} },
		func(s *Settings) { s.Anatomy = "SAG PD*" },
		func(s *Settings) { s.Anatomy, s.Protocol.Anatomy = "4", protocol.SeriesRule{Number: 99} },
		func(s *Settings) { s.Anatomy = hash },
	} {
		s := s
		rule(&s)
		r := run(t, s).Results[0]
		if r.Anatomy == nil || r.Anatomy.Series == r.Series || r.Anatomy.TE != 14 || len(r.Warnings) > 0 {
			t.Fatalf("%+v, warnings %q", r.Anatomy, r.Warnings)
		}
		hash = r.Anatomy.Series
		got := tools.ReadMap(t, filepath.Join(r.Dir, "anatomy.nii.gz"))
		want := volume.Geometry{Size: [3]int{12, 10, 4}, Affine: [3][4]float64{{0, 0, -1.5, 4.5}, {0.75, 0, 0, 0.5},
			{0, -0.5, 0, -0.5}}}
		if got.Geometry != want {
			t.Fatalf("grid %v, want %v", got.Geometry, want)
		}
		for v, x := range got.Data {
			if x != float32(100*(3-v/120)+v%120) {
				t.Fatalf("voxel %d is %g", v, x)
			}
		}
		if n := len(r.Inputs); n != 10+1+4 {
			t.Errorf("%d inputs, want ten echoes, the mask and four slices", n)
		}
	}
}

// What is named and cannot be had is a warning of a study that is mapped all the
// same, and nothing is put in its place.
func TestAnatomyIsNotGuessed(t *testing.T) {
	for name, c := range map[string]struct {
		rule   string
		change func(n int, im *dicomwrite.Image)
		twice  bool
		want   string
	}{
		"not there": {"COR*", nil, false, "no series of the study fits --anatomy COR*"},
		"several":   {"SAG PD*", nil, true, "2 series fit --anatomy SAG PD*: number 4 (hash"},
		"another frame": {"4", func(_ int, im *dicomwrite.Image) { im.FrameOfReferenceUID = "2.25.5" }, false,
			"frame of reference"},
		"no frame": {"4", func(_ int, im *dicomwrite.Image) { im.FrameOfReferenceUID = "" }, false,
			"frame of reference"},
		"a slice missing": {"4", func(n int, im *dicomwrite.Image) {
			im.Position[0] = []float64{0, 1.5, 4.5,
				6}[n]
		}, false, "uneven slice spacing"},
		"no place": {"4", func(_ int,
			im *dicomwrite.Image) {
			im.Overrides = []dicomwrite.Override{{Keyword: "PixelSpacing"}}
		}, false,
			"PixelSpacing (0028,0030): missing"},
		"three planes": {"4", func(n int, im *dicomwrite.Image) {
			im.Orientation[n%3],
				im.Orientation[(n+1)%3] = 0, 1
		}, false, ""},
		"a slice there twice": {"4", func(n int, im *dicomwrite.Image) { im.Position[0] = 3 * float64(n/2) }, false,
			"appears twice"},
		"mosaic": {"4", func(_ int, im *dicomwrite.Image) {
			im.ImageType = []string{"ORIGINAL", "PRIMARY",
				"M", "MOSAIC"}
		}, false, "mosaic"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			studies := filepath.Join(dir, "studies", "s07")
			scan(t, studies, "S07", false)
			protonDensity(t, studies, c.change)
			if c.twice {
				protonDensity(t, studies, func(n int, im *dicomwrite.Image) {
					im.SeriesUID, im.InstanceUID = "2.25.900.9", fmt.Sprintf("2.25.900.10.%d", n)
				})
			}
			s := settings(t, dir)
			s.Anatomy = c.rule
			out := run(t, s)
			if len(out.Results) != 1 {
				t.Fatalf("%+v", out.Failures)
			}
			r := out.Results[0]
			warned := func(texts []string) bool {
				return slices.ContainsFunc(texts, func(w string) bool {
					return strings.Contains(w, "anatomy: ") &&
						strings.Contains(w, c.want)
				})
			}
			if _, err := os.Stat(filepath.Join(r.Dir, "anatomy.nii.gz")); err == nil || r.Anatomy != nil ||
				!warned(r.Warnings) {
				t.Errorf("%v, %+v, warnings %q", err, r.Anatomy, r.Warnings)
			}
			in, err := Inspect(context.Background(), s)
			if err != nil || !warned(in.Studies[0].Warnings) {
				t.Errorf("inspect: %v, warnings %q", err, in.Studies[0].Warnings)
			}
			s.Protocol.Maps = protocol.MapsNone
			if r := run(t, s).Results[0]; warned(r.Warnings) {
				t.Errorf("without maps: warnings %q", r.Warnings)
			}
		})
	}
}

// The protocol's rule is read from YAML.
func TestAnatomyInProtocol(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(path, []byte("anatomy: {description: \"SAG*PD*\", side: R}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p, err := protocol.ReadProtocol(path); err != nil || p.Anatomy != (protocol.SeriesRule{Description: "SAG*PD*",
		Side: "R"}) {
		t.Errorf("%+v, %v", p.Anatomy, err)
	}
	if err := os.WriteFile(path, []byte("anatomy: {side: both}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := protocol.ReadProtocol(path); err == nil || !strings.Contains(err.Error(), `anatomy: side "both"`) {
		t.Errorf("%v", err)
	}
}
