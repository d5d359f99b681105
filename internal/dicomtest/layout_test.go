package dicomtest

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/phantom"
)

// pydicomStudy reads every DICOM file of a folder, in the order of names, frame by frame,
// and computes values by PS3.3 and Philips' formula: rescaled, and divided by rescale and
// scale slope if there is one.
const pydicomStudy = `
import glob, json, os, sys, pydicom
from pydicom.tag import Tag
def scale(d):
    return float(d.private_block(0x2005, 'Philips MR Imaging DD 001')[0x0e].value) if Tag(0x2005, 0x100e) in d else None
def values(stored, slope, intercept, factor):
    dv = stored * slope + intercept
    return (dv if factor is None else dv / (slope * factor)).ravel().tolist()
def frames(d):
    pixels = d.pixel_array.astype(float)
    if 'PerFrameFunctionalGroupsSequence' not in d:
        slope, intercept = float(d.get('RescaleSlope', 1)), float(d.get('RescaleIntercept', 0))
        return [dict(te=float(d.EchoTime), position=[float(v) for v in d.ImagePositionPatient], slope=slope,
            stored=pixels.ravel().tolist(), values=values(pixels, slope, intercept, scale(d)), component='MAGNITUDE')]
    out = []
    for n, own in enumerate(d.PerFrameFunctionalGroupsSequence):
        def group(name):
            return getattr(own if name in own else d.SharedFunctionalGroupsSequence[0], name)[0]
        pvt = group('PixelValueTransformationSequence')
        slope, intercept = float(pvt.RescaleSlope), float(pvt.RescaleIntercept)
        factor = scale(own[0x2005, 0x140f].value[0]) if Tag(0x2005, 0x140f) in own else None
        out.append(dict(te=float(group('MREchoSequence').EffectiveEchoTime),
            position=[float(v) for v in group('PlanePositionSequence').ImagePositionPatient], slope=slope,
            stored=pixels[n].ravel().tolist(), values=values(pixels[n], slope, intercept, factor),
            component=group('MRImageFrameTypeSequence').ComplexImageComponent))
    return out
def read(path):
    d = pydicom.dcmread(path)
    return dict(name=os.path.basename(path), study=d.StudyInstanceUID, series=d.SeriesInstanceUID,
        instance=d.SOPInstanceUID,
        number=int(d.InstanceNumber), space=d.FrameOfReferenceUID, echo=int(d.get('EchoNumbers', 0)), frames=frames(d))
print(json.dumps([read(p) for p in sorted(glob.glob(os.path.join(sys.argv[1], 'IM_*')))]))
`

type studyFrame struct {
	TE             float64
	Position       [3]float64
	Slope          float64
	Stored, Values []float64
	Component      string
}

type studyFile struct {
	Name, Study, Series, Instance, Space string
	Number, Echo                         int
	Frames                               []studyFrame
}

func mustWrite(t *testing.T, s *phantom.Study, form Form) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "study")
	if err := Write(context.Background(), s, dir, form); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkMagnitudes checks that each slice of each echo occurs once, with the study's
// magnitudes times one number.
func checkMagnitudes(t *testing.T, s *phantom.Study, files []studyFile, scale float64) {
	t.Helper()
	seen := map[[2]int]bool{}
	for _, file := range files {
		for _, f := range file.Frames {
			if f.Component != "MAGNITUDE" {
				continue
			}
			echo := slices.Index(s.Echoes.TE, f.TE)
			slice := nearestSlice(s, f.Position)
			if echo < 0 || slice < 0 || seen[[2]int{echo, slice}] {
				t.Fatalf("%s: TE %v, position %v: echo %d of slice %d, or twice", file.Name, f.TE, f.Position, echo,
					slice)
			}
			seen[[2]int{echo, slice}] = true
			n := s.Echoes.SliceVoxels()
			for v, want := range s.Echoes.Echo[echo][slice*n : (slice+1)*n] {
				if f.Values[v] != scale*float64(want) {
					t.Fatalf("%s: echo %d, slice %d, pixel %d: got %v, want %v·%v", file.Name, echo, slice, v,
						f.Values[v], scale, want)
				}
			}
		}
	}
	if want := s.Options.Slices * s.Options.Echoes; len(seen) != want {
		t.Errorf("got %d slices and echoes, want %d", len(seen), want)
	}
}

// nearestSlice returns the slice at a position, which passed through decimal
// strings, or −1.
func nearestSlice(s *phantom.Study, position [3]float64) int {
	for slice := range s.Options.Slices {
		p := s.Echoes.Position(0, 0, float64(slice))
		if math.Hypot(math.Hypot(p[0]-position[0], p[1]-position[1]), p[2]-position[2]) < 1e-6 {
			return slice
		}
	}
	return -1
}

func TestEveryLayoutHoldsTheSameMagnitudes(t *testing.T) {
	tools.Python(t, "pydicom", "numpy")
	s := mustNew(t, phantom.Options{Matrix: 24, Slices: 4, Echoes: 5, Seed: 3}) // five: one more than there are factors
	series := map[string]Layout{}
	for _, layout := range Layouts {
		t.Run(string(layout), func(t *testing.T) {
			var files []studyFile
			tools.RunPydicom(t, &files, pydicomStudy, mustWrite(t, s, Form{Layout: layout}))
			scale := 1.0
			if layout == LayoutPhilips || layout == LayoutPhilipsEnhanced {
				scale = PhilipsScale
			}
			checkMagnitudes(t, s, files, scale)
			instances := map[string]bool{}
			for _, f := range files {
				if f.Study != s.UID("study") || f.Space != s.UID("frame") {
					t.Errorf("%s: study %s, frame of reference %s", f.Name, f.Study, f.Space)
				}
				if other, ok := series[f.Series]; ok && other != layout {
					t.Errorf("%s: the series is also that of layout %s", f.Name, other)
				}
				series[f.Series] = layout
				instances[f.Instance] = true
			}
			if len(instances) != len(files) {
				t.Errorf("%d files are %d instances", len(files), len(instances))
			}
			checkLayout(t, layout, s, files)
		})
	}
}

// The package's own reader finds one train in each layout, and its magnitudes.
func TestEveryLayoutIsReadBack(t *testing.T) {
	s := mustNew(t, phantom.Options{Matrix: 48, Slices: 6, Echoes: 4, Seed: 3})
	for _, layout := range Layouts {
		t.Run(string(layout), func(t *testing.T) {
			dir := mustWrite(t, s, Form{Layout: layout})
			o := dicomio.FindOptions{}
			scale := float32(1)
			if layout == LayoutPhilips || layout == LayoutPhilipsEnhanced {
				o.PhilipsScaling, scale = dicomio.FloatingPoint, PhilipsScale
			}
			found, err := dicomio.Find(context.Background(), []string{dir}, o)
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Studies) != 1 || len(found.Studies[0].Trains) != 1 {
				t.Fatalf("got %+v, want one study with one train", found)
			}
			echoes, _, err := dicomio.Read(context.Background(), found.Studies[0].Trains[0], 0)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.Echoes.Geometry, echoes.Geometry, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
				t.Errorf("geometry (-made +read):\n%s", diff)
			}
			if !slices.Equal(echoes.TE, s.Echoes.TE) {
				t.Fatalf("echo times: got %v, want %v", echoes.TE, s.Echoes.TE)
			}
			for e, want := range s.Echoes.Echo {
				for v := range want {
					if echoes.Echo[e][v] != scale*want[v] {
						t.Fatalf("echo %d, voxel %d: got %v, want %v·%v", e, v, echoes.Echo[e][v], scale, want[v])
					}
				}
			}
		})
	}
}

// checkLayout checks the properties of the layout.
func checkLayout(t *testing.T, layout Layout, s *phantom.Study, files []studyFile) {
	t.Helper()
	series, numbers := map[string]int{}, map[int]int{}
	var first []float64
	frames, phases, echoNumbers := 0, 0, 0
	for _, f := range files {
		series[f.Series]++
		numbers[f.Number]++
		first = append(first, f.Frames[0].TE)
		frames += len(f.Frames)
		if f.Echo != 0 {
			echoNumbers++
		}
		for _, frame := range f.Frames {
			if frame.Component == "PHASE" {
				phases++
			}
		}
	}
	all := s.Options.Slices * s.Options.Echoes
	want := map[Layout]struct{ files, series, numbers, frames, phases, echoNumbers int }{
		LayoutClassic:         {all, 1, all, all, 0, all},
		LayoutShuffled:        {all, 1, s.Options.Slices, all, 0, 0},
		LayoutSeriesPerEcho:   {all, s.Options.Echoes, s.Options.Slices, all, 0, all},
		LayoutPhilips:         {all, 1, all, all, 0, all},
		LayoutEnhanced:        {1, 1, 1, all, 0, 0},
		LayoutEnhancedPerEcho: {s.Options.Echoes, 1, s.Options.Echoes, all, 0, 0},
		LayoutPhilipsEnhanced: {1, 1, 1, 2 * all, all, 0},
	}[layout]
	got := want
	got.files, got.series, got.numbers = len(files), len(series), len(numbers)
	got.frames, got.phases, got.echoNumbers = frames, phases, echoNumbers
	if got != want {
		t.Errorf("files, series, instance numbers, frames, phases, echo numbers: got %v, want %v", got, want)
	}
	if layout == LayoutShuffled && slices.Equal(first[:s.Options.Echoes], s.Echoes.TE) {
		t.Error("the files are in order")
	}
	if layout == LayoutEnhanced && files[0].Frames[0].TE == s.Echoes.TE[0] && files[0].Frames[1].TE == s.Echoes.TE[1] &&
		files[0].Frames[2].TE == s.Echoes.TE[2] {
		t.Error("the frames are in order")
	}
}

// Neither stored nor rescaled values may be on one scale, or a reader that does not know
// the scale slope would be right by chance.
func TestPhilipsNeedsItsScaleSlope(t *testing.T) {
	for echo := range 63 {
		slope, scale := philipsSlopes(echo)
		nextSlope, nextScale := philipsSlopes(echo + 1)
		// Stored is magnitude·scale, rescaled that times the slope.
		if scale == nextScale || slope*scale == nextSlope*nextScale || slope == nextSlope {
			t.Errorf("echoes %d, %d: slopes %v, %v; scales %v, %v", echo, echo+1, slope, nextSlope, scale, nextScale)
		}
		if philipsFactor(echo)*maxStored > math.MaxUint16 {
			t.Errorf("echo %d: a factor of %d", echo, philipsFactor(echo))
		}
	}
}

func TestMaskAsSegmentation(t *testing.T) {
	tools.Python(t, "pydicom", "numpy")
	for _, layout := range []Layout{LayoutClassic, LayoutEnhanced, LayoutSeriesPerEcho} {
		t.Run(string(layout), func(t *testing.T) {
			s := mustNew(t, phantom.Options{Matrix: 51, Slices: 6, Echoes: 3, Seed: 3}) // 51 is not a multiple of 8
			dir := mustWrite(t, s, Form{Layout: layout, Segmentation: true})
			if _, err := os.Stat(filepath.Join(dir, labelsName)); err == nil {
				t.Error("there is a NIfTI mask too")
			}
			var got struct {
				Series   string
				Found    bool
				Segments []string
				Frames   []struct {
					Segment  int
					Position [3]float64
					Pixels   []uint16
				}
			}
			tools.RunPydicom(t, &got, `
import glob, json, os, sys, pydicom
d = pydicom.dcmread(os.path.join(sys.argv[1], 'labels.dcm'))
refs = d.ReferencedSeriesSequence[0]
images = [pydicom.dcmread(p, stop_before_pixels=True) for p in glob.glob(os.path.join(sys.argv[1], 'IM_*'))]
there = {i.SOPInstanceUID: i.SeriesInstanceUID for i in images}
pixels = d.pixel_array
segments = []
for s in d.SegmentSequence:
    r = s.AnatomicRegionSequence[0]
    side = r.AnatomicRegionModifierSequence[0].CodeValue if 'AnatomicRegionModifierSequence' in r else ''
    segments.append(' '.join([s.SegmentLabel, s.SegmentedPropertyTypeCodeSequence[0].CodeValue, r.CodeValue, side]))
print(json.dumps(dict(segments=segments,
    found=all(there[i.ReferencedSOPInstanceUID] == refs.SeriesInstanceUID for i in refs.ReferencedInstanceSequence),
    frames=[dict(segment=int(f.SegmentIdentificationSequence[0].ReferencedSegmentNumber),
        pixels=pixels[n].ravel().tolist(),
        position=[float(v) for v in f.PlanePositionSequence[0].ImagePositionPatient])
        for n, f in enumerate(d.PerFrameFunctionalGroupsSequence)])))
`, dir)
			want := []string{
				"medial 309312004 72696002 255561001", "lateral 309312004 72696002 49370004",
				"patellofemoral 309312004 64234005 ",
			}
			if !got.Found || !slices.Equal(got.Segments, want) {
				t.Errorf("references found %v, segments %q", got.Found, got.Segments)
			}
			labels := make([]uint16, len(s.Labels.Data))
			for _, f := range got.Frames {
				slice := nearestSlice(s, f.Position)
				if slice < 0 || !slices.Contains(f.Pixels, 1) {
					t.Fatalf("a frame at %v, or an empty one", f.Position)
				}
				for v, p := range f.Pixels {
					labels[slice*s.Labels.SliceVoxels()+v] += p * uint16(f.Segment)
				}
			}
			if !slices.Equal(labels, s.Labels.Data) {
				t.Error("the labels differ")
			}
		})
	}
}

func TestLayoutsConform(t *testing.T) {
	dciodvfy, err := exec.LookPath("dciodvfy")
	if err != nil {
		t.Skip("dciodvfy is not installed")
	}
	s := mustNew(t, phantom.Options{Matrix: 48, Slices: 6, Echoes: 4, Seed: 3})
	for _, layout := range Layouts {
		dir := mustWrite(t, s, Form{Layout: layout, Segmentation: true})
		names := []string{segmentationName}
		if strings.Contains(string(layout), "enhanced") { // classic images are what they have always been
			names = append(names, imageName(0))
		}
		for _, name := range names {
			// its status is that of warnings too
			out, _ := exec.Command(dciodvfy, filepath.Join(dir, name)).CombinedOutput()
			if strings.Contains(string(out), "Error") || len(out) == 0 {
				t.Errorf("%s: %s:\n%s", layout, name, out)
			}
		}
	}
}

func TestSameLayoutSameBytes(t *testing.T) {
	s := mustNew(t, phantom.Options{Matrix: 48, Slices: 6, Echoes: 4, Seed: 3})
	for _, layout := range Layouts {
		form := Form{Layout: layout, Segmentation: true}
		want := tools.ReadTree(t, mustWrite(t, s, form))
		procs := runtime.GOMAXPROCS(1)
		got := tools.ReadTree(t, mustWrite(t, s, form))
		runtime.GOMAXPROCS(procs)
		for name := range want {
			if !bytes.Equal(got[name], want[name]) {
				t.Errorf("%s: %s has other bytes", layout, name)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got %d files, want %d", layout, len(got), len(want))
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	s := mustNew(t, phantom.Options{Matrix: 48, Slices: 6, Echoes: 4, Seed: 3})
	bare := *s
	bare.Labels.Data = make([]uint16, len(s.Labels.Data))
	for _, c := range []struct {
		name, want string
		study      *phantom.Study
		form       Form
	}{
		{"layout", `layout: got "mosaic", want one of`, s, Form{Layout: "mosaic"}},
		{"no labels", "labels.dcm: no voxel is labelled", &bare, Form{Segmentation: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Write(context.Background(), c.study, t.TempDir(), c.form)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
