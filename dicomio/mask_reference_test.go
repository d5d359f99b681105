package dicomio

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/volume"
)

// reference is the result of testdata/reference_masks.py for a mask.
type reference struct {
	File      string
	Threshold float64
	Refused   string
	Size      [3]int
	Affine    [3][4]float64
	Segments  map[string]referenceSegment
}

type referenceSegment struct {
	Voxels  int
	SHA256  string
	Refused string
}

const masksData = "../../shared/data"

func readReference(t *testing.T) map[string]reference {
	t.Helper()
	if _, err := os.Stat(masksData); err != nil {
		t.Skipf("%s is not here (docs/real-scans.md says where to get it)", masksData)
	}
	text, err := os.ReadFile("testdata/reference_masks.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]reference
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// Public masks have, segment by segment, the voxels that another program finds in them.
func TestMasksEqualReference(t *testing.T) {
	for name, want := range readReference(t) {
		t.Run(name, func(t *testing.T) {
			file := want.File
			if file == "" {
				file = name
			}
			m, err := OpenMaskObject(new(files.Tree), filepath.Join(masksData, filepath.FromSlash(file)), file)
			if err != nil {
				t.Fatal(err)
			}
			g := volume.Geometry{Size: want.Size, Affine: want.Affine}
			if want.Refused != "" {
				g = unitGrid(4, 4, 4)
			}
			got, _, err := ReadMask(context.Background(), m, g, MaskOptions{Threshold: want.Threshold})
			if want.Refused != "" {
				var f *FileError
				if !errors.As(err, &f) || f.Attribute+": "+f.Problem != want.Refused {
					t.Fatalf("got %v, want %s", err, want.Refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Segments, summarized(got)); diff != "" {
				t.Errorf("segments (-reference +read):\n%s", diff)
			}
		})
	}
}

// summarized converts a segmentation to the form of the reference.
func summarized(s volume.Segmentation) map[string]referenceSegment {
	out := map[string]referenceSegment{}
	for _, segment := range s.Segments {
		key := strconv.Itoa(segment.Number)
		if segment.Problem != nil {
			out[key] = referenceSegment{Refused: "encloses no area"}
			continue
		}
		words, _ := binary.Append(nil, binary.LittleEndian, segment.Voxels)
		out[key] = referenceSegment{Voxels: len(segment.Voxels), SHA256: fmt.Sprintf("%x", sha256.Sum256(words))}
	}
	return out
}

// The committed reference is the output of its script.
func TestReferenceIsReproduced(t *testing.T) {
	want := readReference(t)
	python := tools.Python(t, "pydicom")
	if exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("numpy is not installed")
	}
	text, err := exec.Command(python, "testdata/reference_masks.py", masksData).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var got map[string]reference
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		g, there := got[name]
		if !there {
			t.Logf("%s: not made again, this python has no decoder for it", name)
			continue
		}
		if diff := cmp.Diff(w, g); diff != "" {
			t.Errorf("%s (-committed +made):\n%s", name, diff)
		}
	}
}
