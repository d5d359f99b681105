package dicomio

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/volume"
)

// square is a contour around the centre (x, y); half is half its side.
func square(z, x, y, half float64) testContour {
	return contourOf(z, x-half, y-half, x+half, y-half, x+half, y+half, x-half, y+half)
}

func TestReadRTSTRUCT(t *testing.T) {
	xor := func(c testContour) testContour { c.kind = "CLOSEDPLANAR_XOR"; return c }
	for _, c := range []struct {
		name     string
		contours []testContour
		want     string // slice by slice, 5 × 4 × 2
	}{
		{"a square between centres", []testContour{square(1, 1.5, 1.5, 1)},
			"..... ..... ..... ..... ..... .xx.. .xx.. ....."},
		{"a square through centres", []testContour{square(0, 2, 2, 1)}, "..... .xxx. .xxx. .xxx."},
		{"a hole", []testContour{square(0, 2, 1.5, 1.9), square(0, 2, 1.5, 0.9)}, ".xxx. .x.x. .x.x. .xxx."},
		{"a hole by xor", []testContour{xor(square(0, 2, 1.5, 1.9)), xor(square(0, 2, 1.5, 0.9))},
			".xxx. .x.x. .x.x. .xxx."},
		{"an island in a hole", []testContour{square(0, 2, 1, 1.4), square(0, 2, 1, 0.9), square(0, 2, 1, 0.4)},
			".xxx. .xxx. .xxx. ....."},
		{"two slices, in any order", []testContour{square(1, 0, 0, 0.4), square(0, 4, 3, 0.4)},
			"..... ..... ..... ....x x.... ..... ..... ....."},
		{"two regions on a slice", []testContour{square(1, 0, 0, 0.4), square(1, 4, 3, 0.4)},
			"..... ..... ..... ..... x.... ..... ..... ....x"},
		{"a line there and back", []testContour{contourOf(0, 1, 1, 3, 1, 2, 1)}, "..... .xxx. ..... ....."},
		{"to the edge of the image", []testContour{square(0, 2, 1.5, 2)}, "xxxxx xxxxx xxxxx xxxxx"},
		{"within the tolerance of the slice", []testContour{square(0.08, 2, 2, 1)}, "..... .xxx. .xxx. .xxx."},
		{"nothing drawn", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "to the edge of the image" {
				c.contours = []testContour{contourOf(0, -0.5, -0.5, 4.5, -0.5, 4.5, 3.5, -0.5, 3.5)}
			}
			file := structureSet("1.2", "1.3", testStructure{number: 7, name: "Knorpel", contours: c.contours},
				testStructure{number: 2, name: "leer"})
			got, err := readMask(t, file, unitGrid(5, 4, 2), MaskOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Segments[0].Problem != nil {
				t.Fatal(got.Segments[0].Problem)
			}
			if d := cmp.Diff(map[int][]uint32{7: voxels(c.want), 2: {}}, segmentVoxels(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A fault of one structure does not affect the others.
func TestStructureProblems(t *testing.T) {
	kind := func(k string) testContour { c := square(0, 2, 2, 1); c.kind = k; return c }
	for _, c := range []struct {
		name      string
		structure testStructure
		want      string
	}{
		{"a point", testStructure{contours: []testContour{{kind: "POINT", data: `1\1\0`, points: 1}}},
			`ContourGeometricType (3006,0042): contour 1: "POINT" encloses no area, want CLOSED_PLANAR`},
		{"an open line beside a closed one", testStructure{contours: []testContour{square(0, 2, 2, 1),
			kind("OPEN_PLANAR")}}, `contour 2: "OPEN_PLANAR" encloses no area`},
		{"between slices", testStructure{contours: []testContour{square(0.4, 2, 2, 1)}},
			"contour 1: point 1 lies 0.40 mm from slice 1 of the series (allowed 0.10 mm)"},
		{"not planar", testStructure{contours: []testContour{{data: `1\1\0\2\1\0\2\2\0.3`}}},
			"point 3 lies 0.30 mm from slice 1"},
		{"beyond the slices", testStructure{contours: []testContour{square(5, 2, 2, 1)}},
			"point 1 lies 4.00 mm from slice 2"},
		{"beyond the image", testStructure{contours: []testContour{square(0, 4, 2, 1)}},
			"point 2 lies 0.50 mm outside the series"},
		{"far outside", testStructure{contours: []testContour{{data: `1e300\1\0\2\1\0\2\2\0`}}},
			"point 1 lies far outside the series"},
		{"farther than numbers reach",
			testStructure{contours: []testContour{{data: `1e308\-1e308\1e308\2\1\0\2\2\0`}}},
			"point 1 lies far outside the series"},
		{"another frame", testStructure{frame: "1.9", contours: []testContour{square(0, 2, 2, 1)}},
			"it is drawn in frame " + hash("1.9") + ", but the series is in frame " + hash("1.3")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.structure.number = 9
			good := testStructure{number: 1, name: "good", contours: []testContour{square(1, 1, 1, 0.4)}}
			got, err := readMask(t, structureSet("1.2", "1.3", c.structure, good), unitGrid(5, 4, 2),
				MaskOptions{Frame: hash("1.3")})
			if err != nil {
				t.Fatal(err)
			}
			bad := got.Segments[0]
			var f *FileError
			if strings.Contains(fmt.Sprint(bad.Problem), "mask.dcm") {
				t.Errorf("%v names the file, which its caller does", bad.Problem)
			}
			if bad.Problem == nil || !strings.Contains(bad.Problem.Error(), c.want) || !errors.As(bad.Problem, &f) ||
				len(bad.Voxels) > 0 || !strings.Contains(f.Hint, "ignore") {
				t.Errorf("%v, %d voxels, want %s", bad.Problem, len(bad.Voxels), c.want)
			}
			if got.Segments[1].Problem != nil || !slices.Equal(got.Segments[1].Voxels, []uint32{26}) {
				t.Errorf("the other: %+v", got.Segments[1])
			}
		})
	}
}

// Every structure is compared with the frame of reference of the series, not that of the
// structure set.
func TestStructureFrames(t *testing.T) {
	other := fields{}.add(tag.FrameOfReferenceUID, "UI", "1.4")
	for _, c := range []struct {
		name      string
		set       string   // the frame of reference that the set lists
		others    []fields // and the others
		structure string   // that of the structure
		series    string
		frame     string // that the segment has
		want      string // a part of its problem
	}{
		{"its own", "1.3", nil, "1.3", "1.3", "1.3", ""},
		{"the set's", "1.3", nil, "", "1.3", "1.3", ""},
		{"the set's, which is another", "1.4", nil, "", "1.3", "1.4", "is drawn in frame " + hash("1.4") +
			", but the series is in frame " + hash("1.3")},
		{"its own, beside another set's", "1.4", nil, "1.3", "1.3", "1.3", ""},
		{"another, and the set has none", "", nil, "1.4", "1.3", "1.4", "is drawn in frame " + hash("1.4")},
		{"the first of two", "1.3", []fields{other}, "1.3", "1.3", "1.3", ""},
		{"the second of two", "1.3", []fields{other}, "1.4", "1.4", "1.4", ""},
		{"the other of two", "1.3", []fields{other}, "1.3", "1.4", "1.3", "is drawn in frame " + hash("1.3")},
		{"one of two, not said which", "1.3", []fields{other}, "", "1.3", "",
			"missing, and the structure set is in 2 frames of reference"},
		{"any", "1.3", nil, "1.4", "", "1.4", ""},
		{"none at all", "", nil, "", "1.3", "", ""},
	} {
		s := testStructure{number: 1, frame: c.structure, contours: []testContour{square(0, 2, 2, 0.4)}}
		want := volume.Segment{Number: 1, Voxels: []uint32{12}}
		if c.frame != "" {
			want.Frame = hash(c.frame)
		}
		o := MaskOptions{}
		if c.series != "" {
			o.Frame = hash(c.series)
		}
		got, err := readMask(t, structureSetIn("1.2", c.set, c.others, s), unitGrid(5, 4, 2), o)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		segment := got.Segments[0]
		if p := segment.Problem; c.want == "" && p != nil || c.want != "" &&
			(p == nil || !strings.Contains(p.Error(), c.want)) {
			t.Errorf("%s: problem %v, want %q", c.name, p, c.want)
		}
		if c.want != "" {
			want.Voxels, segment.Problem = nil, nil
		}
		if d := cmp.Diff(want, segment); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// Structure sets that are wrong as a whole.
func TestReadRTSTRUCTRefuses(t *testing.T) {
	one := func(c ...testContour) []byte {
		return structureSet("1.2", "1.3", testStructure{number: 1, name: "a", contours: c})
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"one point", one(contourOf(0, 1, 1)), "mask.dcm: ContourData (3006,0050): structure 1, contour 1: 1 points " +
			"enclose no area"},
		{"two points", one(square(0, 2, 2, 1), contourOf(0, 1, 1, 2, 2)), "contour 2: 2 points enclose no area"},
		{"not a number", one(testContour{data: `NaN\1\0\2\1\0\2\2\0`}), `"NaN" is not a number`},
		{"infinite", one(testContour{data: `1e999\1\0\2\1\0\2\2\0`}), `"1e999" is not a number`},
		{"words", one(testContour{data: `one\1\0\2\1\0\2\2\0`}), `"one" is not a number`},
		{"an empty number", one(testContour{data: `1\1\0\2\1\0\2\\0`}), `"" is not a number`},
		{"no points of three", one(testContour{data: `1\1\0\2\1`}), "5 numbers are not points of three coordinates"},
		{"no data", one(testContour{}), "ContourData (3006,0050): structure 1, contour 1: missing"},
		{"another number of points", one(testContour{data: `1\1\0\2\1\0\2\2\0`, points: 4}),
			"NumberOfContourPoints (3006,0046): structure 1, contour 1: 4, but ContourData (3006,0050) holds 3 points"},
		{"some contours xor", one(square(0, 2, 2, 1), testContour{kind: "CLOSEDPLANAR_XOR", data: `1\1\0\2\1\0\2\2\0`}),
			"1 of its 2 contours are CLOSEDPLANAR_XOR, want all or none"},
		{"a structure twice", structureSet("1.2", "1.3", testStructure{number: 1}, testStructure{number: 1}),
			"ROINumber (3006,0022): 1 appears twice"},
		{"no structures", structureSet("1.2", "1.3"), "StructureSetROISequence (3006,0020): missing"},
		{"more voxels than a knee has", structureSet("1.2", "1.3", slices.Collect(func(yield func(testStructure) bool) {
			all := []testContour{contourOf(0, -0.5, -0.5, 4.5, -0.5, 4.5, 3.5, -0.5, 3.5),
				contourOf(1, -0.5, -0.5, 4.5, -0.5, 4.5, 3.5, -0.5, 3.5)}
			for n := range mostOverlap + 1 {
				if !yield(testStructure{number: n, contours: all}) {
					return
				}
			}
		})...), "its segments hold more than 320 voxels, 8 times those of the series"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readMask(t, c.file, unitGrid(5, 4, 2), MaskOptions{})
			var f *FileError
			if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &f) || f.Hint == "" {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// Codes of a structure are in its observation.
func TestStructureCodes(t *testing.T) {
	observed := fields{}.sequence(tag.SegmentedPropertyTypeCodeSequence, coded("SCT", "309312004")).
		sequence(tag.AnatomicRegionSequence, coded("SCT", "64234005"))
	got, err := readMask(t, structureSet("1.2", "1.3", testStructure{number: 3, name: "P", observed: observed}),
		unitGrid(5, 4, 2), MaskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []volume.Segment{{Number: 3, Label: "P", Frame: hash("1.3"),
		Type:    volume.Code{Value: "309312004", Scheme: "SCT", Meaning: "meaning"},
		Regions: []volume.Code{{Value: "64234005", Scheme: "SCT", Meaning: "meaning"}}}}
	if d := cmp.Diff(want, got.Segments); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A structure set with fifty thousand contours, or one contour of twice as many points, is
// read in memory proportional to its size; one of a million contours is refused.
func TestLargeStructures(t *testing.T) {
	many := make([]testContour, 50_000)
	for n := range many {
		many[n] = square(float64(n%2), 2, 1.5, 0.6)
	}
	long := make([]float64, 0, 200_000)
	for n := range 100_000 {
		s, c := math.Sincos(2 * math.Pi * float64(n) / 100_000)
		long = append(long, 2+1.2*c, 1.5+1.2*s)
	}
	for name, file := range map[string][]byte{
		"contours": structureSet("1.2", "1.3", testStructure{number: 1, contours: many}),
		"points": structureSet("1.2", "1.3", testStructure{number: 1,
			contours: []testContour{contourOf(0, long...)}}),
	} {
		m := openBytes(t, file)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, _, err := ReadMask(t.Context(), m, unitGrid(5, 4, 2), MaskOptions{})
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		t.Logf("%s: %d voxels of a file of %d MB with %d MB allocated", name, len(got.Segments[0].Voxels),
			len(file)>>20, (after.TotalAlloc-before.TotalAlloc)>>20)
		// Not with the race detector, which allocates memory too; short tests are meant for
		// it.
		if used := after.TotalAlloc - before.TotalAlloc; used > 40*uint64(len(file)) && !testing.Short() {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, used, len(file))
		}
	}
	path := writeTemp(t, structureSet("1.2", "1.3", testStructure{number: 1, contours: slices.Repeat(many[:1],
		1_000_000)}))
	start := time.Now() // it takes longer to write than to refuse
	m, err := OpenMaskObject(new(files.Tree), path, "mask.dcm")
	if err == nil {
		_, _, err = ReadMask(t.Context(), m, unitGrid(5, 4, 2), MaskOptions{})
	}
	if err == nil || time.Since(start) > 20*time.Second {
		t.Errorf("a million contours: %v after %v", err, time.Since(start))
	}
}
