package phantom

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

// smallWithDESS is small with a DESS series to match.
func smallWithDESS() Options {
	o := small()
	o.DESSMatrix, o.DESSSlices = 66, 14
	return o
}

func mustDESS(t *testing.T, s *Study) DESS {
	t.Helper()
	d, err := s.DESS(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The reader finds the T2 series alone as a train, and the DESS series beside it in the
// same frame of reference; its images and mask are those of the study.
func TestDESSIsReadBack(t *testing.T) {
	tools.Python(t, "pydicom", "numpy")
	s := mustNew(t, smallWithDESS())
	d := mustDESS(t, s)
	dir := mustWriteAs(t, s, Form{Mask: MaskTissues})
	found, err := dicomio.Find(context.Background(), []string{dir}, dicomio.FindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Studies) != 1 || len(found.Studies[0].Trains) != 1 || len(found.Studies[0].Others) != 1 {
		t.Fatalf("got %+v, want one study with one train and one other series", found.Studies)
	}
	var files []struct {
		Study, Series, Space, Variant, Kind string
		Position                            [3]float64
		Orientation                         [6]float64
		Spacing                             [2]float64
		Thickness, TE                       float64
		Number                              int
		Pixels                              []float32
	}
	tools.RunPydicom(t, &files, `
import glob, json, os, sys, pydicom
out = []
for p in sorted(glob.glob(os.path.join(sys.argv[1], 'DESS_*'))) + [os.path.join(sys.argv[1], 'IM_0001.dcm')]:
    d = pydicom.dcmread(p)
    out.append(dict(study=d.StudyInstanceUID, series=d.SeriesInstanceUID, space=d.FrameOfReferenceUID,
        variant=d.ScanningSequence + ' ' + d.MRAcquisitionType + ' ' + d.SeriesDescription + ' ' + d.Laterality + ' ' +
            d.BodyPartExamined,
        kind='/'.join(d.ImageType), position=[float(v) for v in d.ImagePositionPatient],
        orientation=[float(v) for v in d.ImageOrientationPatient], spacing=[float(v) for v in d.PixelSpacing],
        thickness=float(d.SliceThickness), te=float(d.EchoTime), number=int(d.InstanceNumber),
        pixels=d.pixel_array.ravel().tolist()))
print(json.dumps(out))
`, dir)
	if len(files) != s.Options.DESSSlices+1 {
		t.Fatalf("%d files, want %d", len(files), s.Options.DESSSlices+1)
	}
	t2 := files[len(files)-1]
	for slice, f := range files[:len(files)-1] {
		if f.Study != t2.Study || f.Space != t2.Space || f.Series == t2.Series || f.Series != files[0].Series ||
			f.Number != slice+1 ||
			f.Variant != "GR 3D SAG 3D DESS R KNEE" {
			t.Errorf("slice %d: got %+v beside the T2 series %s in %s", slice, f, t2.Series, t2.Space)
		}
		g := volume.Geometry{Size: [3]int{66, 66, 14}}
		normal := cross([3]float64(f.Orientation[:3]), [3]float64(f.Orientation[3:]))
		for r := range g.Affine {
			g.Affine[r] = [4]float64{
				f.Orientation[r] * f.Spacing[1], f.Orientation[3+r] * f.Spacing[0], normal[r] * f.Thickness,
				f.Position[r] - float64(slice)*normal[r]*f.Thickness,
			}
		}
		if diff := cmp.Diff(d.Signal.Geometry, g, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
			t.Fatalf("slice %d (-made +read):\n%s", slice, diff)
		}
		if n := d.Signal.SliceVoxels(); !slices.Equal(f.Pixels, d.Signal.Data[slice*n:(slice+1)*n]) {
			t.Errorf("slice %d: other pixels", slice)
		}
	}
	checkTissues(t, d, filepath.Join(dir, labelsName))
}

func checkTissues(t *testing.T, d DESS, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	labels, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.Tissues.Geometry, labels.Geometry, cmpopts.EquateApprox(0, 1e-4)); diff != "" {
		t.Errorf("geometry of the mask (-made +read):\n%s", diff)
	}
	if !slices.Equal(d.Tissues.Data, labels.Data) {
		t.Error("the mask differs")
	}
}

// The mask marks what lies there in the knee, also after the patient has moved from one
// series to the other; the scheme has every label.
func TestTissuesAreThoseOfTheKnee(t *testing.T) {
	for _, side := range []string{"R", "L"} {
		o := smallWithDESS()
		o.Side = side
		k := mustKnee(t, o)
		move := k.Motion([3]float64{3, -5, 4}, [3]float64{6, 2, -3})
		for _, moved := range [][2]volume.Rigid{{}, {{}, move}, {k.Motion([3]float64{0, 4, 0}, [3]float64{0, 0, 5}), move}} {
			o.Moved, o.DESSMoved = moved[0], moved[1]
			s := mustNew(t, o)
			d := mustDESS(t, s)
			seen := [len(SKMTea)]int{}
			for v, l := range d.Tissues.Data {
				seen[l]++
				if v%3 != 0 {
					continue
				}
				// Where this place lay when the T2 series was made.
				before := orIdentity(o.DESSMoved).Inverse().Apply(positionOf(d.Tissues.Geometry, v))
				tissue := s.Knee().Voxel(before).Tissue
				if want := Tissues[tissue]; SKMTea[l] != want && !(l == 0 && tissue >= FemurBone) {
					t.Fatalf("side %s, moved by %v: voxel %d is %q, the knee has %q", side, moved, v, SKMTea[l], want)
				}
			}
			if slices.Contains(seen[:], 0) {
				t.Errorf("side %s: voxels by label %v", side, seen)
			}
		}
	}
}

// The mask without the series is the mask of the series, in knees of any size and position; no image is written.
func TestTissuesAlone(t *testing.T) {
	for seed := range uint64(12) {
		o := smallWithDESS()
		o.Seed, o.Side = seed, [...]string{"R", "L"}[seed%2]
		if seed%3 == 0 {
			k := mustKnee(t, o)
			o.DESSMoved = k.Motion([3]float64{3, -5, 4}, [3]float64{6, 2, -3})
		}
		alone, err := mustNew(t, o).tissues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(mustDESS(t, mustNew(t, o)).Tissues, alone); diff != "" {
			t.Errorf("seed %d (-series +alone):\n%.500s", seed, diff)
		}
	}
	s := mustNew(t, smallWithDESS())
	dir := mustWriteAs(t, s, Form{Mask: MaskTissuesAlone})
	if n := len(tools.ReadTree(t, dir)); n != s.Options.Slices*s.Options.Echoes+1 {
		t.Errorf("%d files, want the T2 series and the mask", n)
	}
	checkTissues(t, mustDESS(t, s), filepath.Join(dir, labelsName)) // also after the mask alone
}

// As in a DESS scan with water excitation: fluid over cartilage over muscle over fat and
// bone, and cartilage stands out from bone by many times the noise.
func TestDESSContrast(t *testing.T) {
	if !(dessSignal[fluid] > 2*dessSignal[cartilage] && dessSignal[cartilage] > dessSignal[muscle] &&
		dessSignal[muscle] > dessSignal[marrow] && dessSignal[marrow] > dessSignal[cortex]) {
		t.Errorf("signals by tissue %v", dessSignal)
	}
	s := mustNew(t, smallWithDESS())
	d := mustDESS(t, s)
	a := structures(t, s.Knee(), d.Signal.Geometry)
	var sum, n [len(Tissues)]float64
	for v, tissue := range a.Tissue {
		sum[tissue] += float64(d.Signal.Data[v])
		n[tissue]++
	}
	sigma := dessNoise * dessSignal[cartilage] / s.Options.SNR
	cartilage, bone := sum[FemoralCartilage]/n[FemoralCartilage], sum[FemurBone]/n[FemurBone]
	if cartilage-bone < 10*sigma {
		t.Errorf("cartilage %v, bone %v, noise %v", cartilage, bone, sigma)
	}
}

func TestDESSConforms(t *testing.T) {
	dciodvfy, err := exec.LookPath("dciodvfy")
	if err != nil {
		t.Skip("dciodvfy is not installed")
	}
	dir := mustWriteAs(t, mustNew(t, smallWithDESS()), Form{DESS: true})
	// The exit status is not used, since it also reports warnings.
	out, _ := exec.Command(dciodvfy, filepath.Join(dir, "DESS_0003.dcm")).CombinedOutput()
	if strings.Contains(string(out), "Error") || len(out) == 0 {
		t.Errorf("%s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, labelsName)); err != nil {
		t.Error("DESS: true leaves the mask of the form in place: ", err)
	}
}

// The T2 series is the same bytes whether a DESS series lies beside it or not.
func TestDESSLeavesTheT2SeriesAlone(t *testing.T) {
	s := mustNew(t, smallWithDESS())
	bare, both := tools.ReadTree(t, mustWriteAs(t, s, Form{})), tools.ReadTree(t, mustWriteAs(t, s, Form{DESS: true}))
	if len(both) != len(bare)+s.Options.DESSSlices {
		t.Errorf("%d files, want %d and %d", len(both), len(bare), s.Options.DESSSlices)
	}
	for name := range bare {
		if !bytes.Equal(bare[name], both[name]) {
			t.Errorf("%s differs", name)
		}
	}
	identity := smallWithDESS()
	identity.Moved, identity.DESSMoved = volume.Identity(), volume.Identity()
	still := tools.ReadTree(t, mustWriteAs(t, mustNew(t, identity), Form{DESS: true}))
	for name := range both {
		if !bytes.Equal(both[name], still[name]) {
			t.Errorf("%s: the identity moves the knee", name)
		}
	}
}

func movingTrial() Trial {
	return Trial{
		Subjects: 2, Matrix: 32, Slices: 4, Echoes: 2, DESSMatrix: 44, DESSSlices: 8, Seed: 11,
		VisitMotion: Motion{Turn: 6, Shift: 8}, DESSMotion: Motion{Turn: 4, Shift: 5}, Form: Form{Mask: MaskTissues},
	}
}

func TestTrialOfPatientsWhoMove(t *testing.T) {
	dir := t.TempDir()
	truth, err := WriteTrial(context.Background(), dir, movingTrial())
	if err != nil {
		t.Fatal(err)
	}
	rows := readTable(t, filepath.Join(dir, motionName))
	if len(rows) != 1+2*len(truth) {
		t.Fatalf("%d rows of %s for %d studies", len(rows), motionName, len(truth))
	}
	for n, of := range truth {
		for m, moved := range []volume.Rigid{of.Moved, of.DESSMoved} {
			limit := [...]Motion{{Turn: 6, Shift: 8}, {Turn: 4, Shift: 5}}[m]
			angle := turnOf(moved)
			if still := m == 0 && of.Month == 0; still != (moved == volume.Identity()) ||
				!still && !(angle >= limit.Turn/2-1e-6 && angle <= limit.Turn+1e-6) {
				t.Errorf("%s %s: %v turns by %v°, want %v to %v", of.Subject, of.Visit, moved, angle, limit.Turn/2, limit.Turn)
			}
			row := rows[1+2*n+m]
			for i, want := range append(slices.Concat(moved.Rotation[0][:], moved.Rotation[1][:], moved.Rotation[2][:]),
				moved.Shift[:]...) {
				if got, err := strconv.ParseFloat(row[3+i], 64); err != nil || math.Abs(got-want) > 1e-9 ||
					row[0] != of.Subject || row[1] != of.Visit {
					t.Errorf("%s: row %v, want %v", motionName, row, moved)
				}
			}
		}
	}
	// A later trial whose patients lie still leaves no motion behind; its visits share the
	// mask, and have noise of their own.
	still := movingTrial()
	still.VisitMotion, still.DESSMotion = Motion{}, Motion{}
	if _, err := WriteTrial(context.Background(), dir, still); err != nil {
		t.Fatal(err)
	}
	files := tools.ReadTree(t, dir)
	if files[motionName] != nil || !bytes.Equal(files["S01/baseline/labels.nii.gz"], files["S01/month12/labels.nii.gz"]) ||
		bytes.Equal(files["S01/baseline/DESS_0004.dcm"], files["S01/month12/DESS_0004.dcm"]) {
		t.Error("motion of an earlier trial, another mask, or the same DESS image at two visits")
	}
}

// turnOf is the angle of a rotation in degrees.
func turnOf(t volume.Rigid) float64 {
	r := t.Rotation
	sin := math.Sqrt(square(r[2][1]-r[1][2])+square(r[0][2]-r[2][0])+square(r[1][0]-r[0][1])) / 2
	return math.Atan2(sin, (r[0][0]+r[1][1]+r[2][2]-1)/2) * 180 / math.Pi
}

func TestMovingTrialIsTheSameAgain(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	if _, err := WriteTrial(context.Background(), first, movingTrial()); err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if _, err := WriteTrial(context.Background(), second, movingTrial()); err != nil {
		t.Fatal(err)
	}
	a, b := tools.ReadTree(t, first), tools.ReadTree(t, second)
	if want := 6*(4*2+8+1) + 6; len(a) != want {
		t.Errorf("%d files, want %d", len(a), want)
	}
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s has other bytes", name)
		}
	}
}
