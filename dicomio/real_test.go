package dicomio

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/internal/dicomtest/tools"
)

// sharedData returns the path of real data next to the project.
func sharedData(t testing.TB, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "shared", "data"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skip(strings.Join(parts, "/") + " is not here (docs/real-scans.md says where to get it)")
	}
	return path
}

// referenceFrame is a frame as pydicom and numpy read it.
type referenceFrame struct {
	Type             string
	TE               float64
	Position         [3]float64
	Slope, Intercept float64
	Sum              float64
	SHA256           string
}

func enhancedReference(t *testing.T, text []byte) []referenceFrame {
	t.Helper()
	var frames []referenceFrame
	if err := json.Unmarshal(text, &frames); err != nil {
		t.Fatal(err)
	}
	return frames
}

// A real object: 53 slices, two echoes, magnitude and phase. Two echo times are not a
// train; its frames are arranged and read like those of one.
func TestRealEnhanced(t *testing.T) {
	file := sharedData(t, "enhanced-philips-2echo", "enhanced.dcm.gz")
	text, err := os.ReadFile(filepath.Join("testdata", "reference_enhanced.json"))
	if err != nil {
		t.Fatal(err)
	}
	reference := enhancedReference(t, text)
	dir := t.TempDir()
	gunzip(t, file, filepath.Join(dir, "enhanced"))
	f := find(t, dir)
	if len(f.Studies) != 1 || len(f.Damaged)+len(f.Studies[0].Damaged) != 0 || len(f.Studies[0].Others) != 1 {
		t.Fatalf("%+v", f)
	}
	s := f.Studies[0]
	if s.Passed.Derived != 106 || s.Passed.OtherSeries != 106 {
		t.Errorf("passed over %+v, want 106 phase and 106 other images", s.Passed)
	}
	train := newTrain(s.Others[0].images, echoTimes(s.Others[0].images), "")
	if train.Problem != nil || len(train.TE) != 2 || train.TE[0] != 2.3 || train.TE[1] != 4.6 ||
		train.Geometry.Size[2] != 53 {
		t.Fatalf("TE %v, size %v, %v", train.TE, train.Geometry.Size, train.Problem)
	}
	m, files, err := Read(t.Context(), train, 0)
	if err != nil || len(files) != 1 {
		t.Fatal(err, files)
	}
	voxels := m.SliceVoxels()
	for e, images := range train.grid {
		for k, h := range images {
			want := reference[h.index]
			values := m.Echo[e][k*voxels:][:voxels]
			got := referenceFrame{Type: h.component, TE: h.te, Position: h.position, Slope: h.slope,
				Intercept: h.intercept, SHA256: hashOf(values)}
			for _, v := range values {
				got.Sum += float64(v)
			}
			if math.Abs(got.Sum-want.Sum) > 1e-9*math.Abs(want.Sum) { // the order of adding differs
				t.Errorf("frame %d: sum %g, want %g", h.index, got.Sum, want.Sum)
			}
			got.Sum = want.Sum
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("frame %d (-pydicom +Read):\n%s", h.index, diff)
			}
			centre := m.Position(0, 0, float64(k))
			for r := range 3 {
				if math.Abs(centre[r]-want.Position[r]) > evenness {
					t.Errorf("frame %d lies at %v on the grid, want %v", h.index, centre, want.Position)
				}
			}
		}
	}
}

// The reference is the output of its script.
func TestRealEnhancedReference(t *testing.T) {
	file := sharedData(t, "enhanced-philips-2echo", "enhanced.dcm.gz")
	python := tools.Python(t, "pydicom")
	if exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("numpy is not installed")
	}
	out, err := exec.Command(python, filepath.Join("testdata", "reference_enhanced.py"), file).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "reference_enhanced.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(enhancedReference(t, text), enhancedReference(t, out)); diff != "" {
		t.Errorf("(-committed +written)\n%s", diff)
	}
}

func hashOf(values []float32) string {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return fmt.Sprintf("%x", sha256.Sum256(raw))
}

func gunzip(t *testing.T, source, target string) {
	t.Helper()
	data, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	write(t, target, data)
}

// Problems of real files that are damaged or odd. Those without group 0008, or with invalid
// content, are reviewed cases: see the reason of each.
func TestRealDamagedFiles(t *testing.T) {
	for _, c := range []struct {
		file, want string // of the error, or "" for none
		passed     Passed
	}{
		{file: "MR_truncated.dcm", want: "the file ends before its pixel data do"},
		{file: "emri_small_jpeg_2k_lossless_too_short.dcm", want: "the file ends before its pixel data do"},
		// it has none
		{file: "emri_small.dcm", want: "PerFrameFunctionalGroupsSequence (5200,9230): 0 items for 10 frames"},
		// but read to its end
		{file: "nested_priv_SQ.dcm", want: "SOPClassUID (0008,0016): missing"},
		{file: "meta_missing_tsyntax.dcm", want: "TransferSyntaxUID (0002,0010): missing"},
		{file: "no_meta.dcm", passed: Passed{NotDICOM: 1}}, // begins with a byte that does not belong to an element
		{file: "no_meta_group_length.dcm", passed: Passed{OtherModality: 1}},
		{file: "badVR.dcm", passed: Passed{OtherModality: 1}}, // an RT dose
		{file: "UN_sequence.dcm", passed: Passed{OtherModality: 1}},
		{file: "image_dfl.dcm", passed: Passed{OtherModality: 1}}, // a secondary capture
		{file: "test-SR.dcm", passed: Passed{OtherModality: 1}},
		{file: "parametric_map_float.dcm", passed: Passed{OtherModality: 1}},
	} {
		f := find(t, sharedData(t, "pydicom", c.file))
		var got string
		if len(f.Damaged) > 0 {
			got = f.Damaged[0].Error()
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || len(f.Studies) != 0 || f.Passed != c.passed {
			t.Errorf("%s: %q, passed over %+v, %d studies; want %q, %+v", c.file, got, f.Passed, len(f.Studies), c.want,
				c.passed)
		}
	}
}
