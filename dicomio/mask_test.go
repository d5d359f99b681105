package dicomio

import (
	stdcmp "cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/volume"
)

func readMask(t testing.TB, file []byte, g volume.Geometry, o MaskOptions) (volume.Segmentation, error) {
	t.Helper()
	s, _, err := ReadMask(context.Background(), openBytes(t, file), g, o)
	return s, err
}

// voxels returns the indices of the x in the picture, slice by slice and row by row. Blanks
// are ignored.
func voxels(picture string) []uint32 {
	out := []uint32{}
	for v, c := range strings.Join(strings.Fields(picture), "") {
		if c == 'x' {
			out = append(out, uint32(v))
		}
	}
	return out
}

// pixels returns the picture as the values of a binary frame.
func pixels(picture string) []byte {
	out := make([]byte, len(strings.Join(strings.Fields(picture), "")))
	for _, v := range voxels(picture) {
		out[v] = 1
	}
	return out
}

func segmentVoxels(s volume.Segmentation) map[int][]uint32 {
	out := map[int][]uint32{}
	for _, g := range s.Segments {
		out[g.Number] = append([]uint32{}, g.Voxels...)
	}
	return out
}

// Valid segmentations on a grid of 5 × 3 × 2 voxels: rows of 5 bits end within bytes.
func TestReadSEG(t *testing.T) {
	first, second := "x...x .xx.. ....x", "..... .xxx. x...."
	wide := func(values ...byte) []byte {
		var out []byte
		for _, v := range values {
			out = append(out, v, v) // 257·v
		}
		return out
	}
	for _, c := range []struct {
		name string
		seg  testSEG
		opt  MaskOptions
		want map[int][]uint32
	}{
		{"binary, rows not byte-aligned", testSEG{rows: 3, columns: 5, segments: []fields{segment(1, "a")},
			frames: []testFrame{{1, [3]float64{0, 0, 1}, pixels(second)}, {1, [3]float64{}, pixels(first)}}},
			MaskOptions{},
			map[int][]uint32{1: voxels(first + second)}},
		{"part of the slices, two segments that overlap", testSEG{rows: 3, columns: 5, segments: []fields{segment(1,
			"a"), segment(2, "b"), segment(7, "empty")},
			frames: []testFrame{{2, [3]float64{0, 0, 1}, pixels(second)}, {1, [3]float64{0, 0, 1}, pixels(first)}}},
			MaskOptions{},
			map[int][]uint32{1: voxels("..... ..... ....." + first), 2: voxels("..... ..... ....." + second), 7: {}}},
		{"groups of each frame's own", testSEG{rows: 3, columns: 5, ownGroups: true,
			segments: []fields{segment(1, "a")},
			frames:   []testFrame{{1, [3]float64{}, pixels(first)}}}, MaskOptions{},
			map[int][]uint32{1: voxels(first)}},
		{"rows backwards", testSEG{rows: 3, columns: 5, orientation: [6]float64{-1, 0, 0, 0, 1, 0},
			segments: []fields{segment(1, "a")},
			frames:   []testFrame{{1, [3]float64{4, 0, 0}, pixels("x.... ..... ....x")}}}, MaskOptions{},
			map[int][]uint32{1: voxels("....x ..... x....")}},
		{"rows and columns changed", testSEG{rows: 5, columns: 3, orientation: [6]float64{0, 1, 0, 1, 0, 0},
			segments: []fields{segment(1, "a")},
			frames:   []testFrame{{1, [3]float64{0, 0, 1}, pixels("xx. ... ... ... ..x")}}}, MaskOptions{},
			map[int][]uint32{1: voxels("..... ..... ..... x.... x.... ....x")}},
		{"across the slices", testSEG{rows: 2, columns: 5, orientation: [6]float64{1, 0, 0, 0, 0, 1},
			segments: []fields{segment(1, "a")},
			frames:   []testFrame{{1, [3]float64{0, 2, 0}, pixels("x.x.. ...xx")}}}, MaskOptions{},
			map[int][]uint32{1: voxels("..... ..... x.x.. ..... ..... ...xx")}},
		{"cropped", testSEG{rows: 2, columns: 2, segments: []fields{segment(1, "a")},
			frames: []testFrame{{1, [3]float64{3, 1, 0}, pixels("x. xx")}}}, MaskOptions{},
			map[int][]uint32{1: voxels("..... ...x. ...xx")}},
		{"larger than the series", testSEG{rows: 3, columns: 7, segments: []fields{segment(1, "a")},
			frames: []testFrame{{1, [3]float64{-1, 0, 0}, pixels(".x..... ....... .....x.")}}}, MaskOptions{},
			map[int][]uint32{1: voxels("x.... ..... ....x")}},
		{"within the tolerance", testSEG{rows: 3, columns: 5, spacing: [2]float64{1.01, 0.99},
			segments: []fields{segment(1, "a")},
			frames:   []testFrame{{1, [3]float64{0, 0, 0.05}, pixels(first)}}}, MaskOptions{},
			map[int][]uint32{1: voxels(first)}},
		{"fractional, from half on", testSEG{kind: fractionalType, rows: 1, columns: 5,
			segments: []fields{segment(1, "a")},
			others: fields{}.add(tag.MaximumFractionalValue, "US", 4).add(tag.SegmentationFractionalType, "CS",
				"OCCUPANCY"),
			frames: []testFrame{{1, [3]float64{}, []byte{0, 1, 2, 3, 4}}}}, MaskOptions{},
			map[int][]uint32{1: {2, 3, 4}}},
		{"fractional, from all on", testSEG{kind: fractionalType, rows: 1, columns: 5,
			segments: []fields{segment(1, "a")},
			others: fields{}.add(tag.MaximumFractionalValue, "US", 4).add(tag.SegmentationFractionalType, "CS",
				"PROBABILITY"),
			frames: []testFrame{{1, [3]float64{}, []byte{0, 1, 2, 3, 4}}}}, MaskOptions{Threshold: 1},
			map[int][]uint32{1: {4}}},
		{"fractional, from anything on", testSEG{kind: fractionalType, rows: 1, columns: 5,
			segments: []fields{segment(1, "a")},
			others: fields{}.add(tag.MaximumFractionalValue, "US", 4).add(tag.SegmentationFractionalType, "CS",
				"PROBABILITY"),
			frames: []testFrame{{1, [3]float64{}, []byte{0, 1, 2, 3, 4}}}}, MaskOptions{Threshold: 1e-9},
			map[int][]uint32{1: {1, 2, 3, 4}}},
		{"label map", testSEG{kind: labelMapType, class: labelMapClass, rows: 1, columns: 5,
			segments: []fields{segment(2, "b"), segment(1, "a")},
			frames:   []testFrame{{0, [3]float64{}, []byte{0, 1, 2, 2, 0}}}}, MaskOptions{},
			map[int][]uint32{1: {1}, 2: {2, 3}}},
		{"label map of 16 bits", testSEG{kind: labelMapType, bits: 16, rows: 1, columns: 5,
			segments: []fields{segment(257, "b"), segment(514, "a")},
			frames:   []testFrame{{0, [3]float64{}, wide(0, 1, 2, 2, 0)}}}, MaskOptions{},
			map[int][]uint32{257: {1}, 514: {2, 3}}},
		{"label map whose background is padding", testSEG{kind: labelMapType, rows: 1, columns: 5,
			segments: []fields{segment(0, "zero"), segment(1, "a")},
			others:   fields{}.add(tag.PixelPaddingValue, "US", 9),
			frames:   []testFrame{{0, [3]float64{}, []byte{0, 1, 9, 9, 0}}}}, MaskOptions{},
			map[int][]uint32{0: {0, 4}, 1: {1}}},
		{"label map with a segment for the background", testSEG{kind: labelMapType, rows: 1, columns: 5,
			segments: []fields{segment(0, "x").sequence(tag.SegmentedPropertyTypeCodeSequence, coded("DCM", "125040")),
				segment(1, "a")},
			frames: []testFrame{{0, [3]float64{}, []byte{0, 1, 0, 0, 1}}}}, MaskOptions{},
			map[int][]uint32{1: {1, 4}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readMask(t, c.seg.bytes(), unitGrid(5, 3, 2), c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, segmentVoxels(got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			wantThreshold := 0.0
			if c.seg.kind == fractionalType {
				wantThreshold = stdcmp.Or(c.opt.Threshold, 0.5)
			}
			if got.Threshold != wantThreshold {
				t.Errorf("threshold %g, want %g", got.Threshold, wantThreshold)
			}
		})
	}
}

// Segmentations that are wrong in one place.
func TestReadSEGRefuses(t *testing.T) {
	good := func() testSEG {
		return testSEG{rows: 3, columns: 5, segments: []fields{segment(1, "a")},
			frames: []testFrame{{1, [3]float64{}, pixels("x.... ..... .....")}}}
	}
	fractional := func(value byte, others fields) testSEG {
		s := good()
		s.kind, s.others, s.frames[0].pixels = fractionalType, others, slices.Repeat([]byte{value}, 15)
		return s
	}
	occupancy := fields{}.add(tag.SegmentationFractionalType, "CS", "OCCUPANCY")
	for _, c := range []struct {
		name string
		seg  testSEG
		want string
	}{
		{"a frame between slices", func() testSEG { s := good(); s.frames[0].position[2] = 0.4; return s }(),
			"mask.dcm: ImagePositionPatient (0020,0032): frame 1: it lies 0.40 mm from the nearest slice of the " +
				"series (allowed 0.10 mm)"},
		{"a frame beyond the slices", func() testSEG { s := good(); s.frames[0].position[2] = 5; return s }(),
			"it lies 4.00 mm from the nearest slice"},
		{"a frame shifted in its plane", func() testSEG { s := good(); s.frames[0].position[0] = 0.3; return s }(),
			"its pixels lie up to 0.30 mm from the voxels of the series (allowed 0.10 mm)"},
		{"another spacing", func() testSEG { s := good(); s.spacing = [2]float64{1, 1.1}; return s }(),
			"its pixels lie up to 0.40 mm from the voxels"},
		{"half the spacing", func() testSEG { s := good(); s.spacing = [2]float64{0.4, 0.4}; return s }(),
			"do not lie on the voxels of the series"},
		{"an oblique frame", func() testSEG {
			s := good()
			s.orientation = [6]float64{0.8, 0.6, 0, -0.6, 0.8,
				0}
			return s
		}(), "rows and columns run [0.8 0.6 0] and [-0.6 0.8 0] voxels from pixel to pixel"},
		{"far away", func() testSEG { s := good(); s.frames[0].position[2] = 1e30; return s }(),
			"not a valid position"},
		{"pixels outside the series", func() testSEG { s := good(); s.frames[0].position[0] = -1; return s }(),
			"frame 1: 1 pixels of segments lie outside the series"},
		{"a frame twice", func() testSEG { s := good(); s.frames = append(s.frames, s.frames[0]); return s }(),
			"frame 2: slice 1 of the series appears twice for segment 1"},
		{"an unknown segment", func() testSEG { s := good(); s.frames[0].segment = 2; return s }(),
			"ReferencedSegmentNumber (0062,000B): frame 1: 2 is not declared in this object"},
		{"a segment twice", func() testSEG {
			s := good()
			s.segments = append(s.segments,
				segment(1, "b"))
			return s
		}(), "SegmentNumber (0062,0004): 1 appears twice"},
		{"no segments", func() testSEG { s := good(); s.segments = nil; return s }(),
			"SegmentSequence (0062,0002): missing"},
		{"no spacing", func() testSEG { s := good(); s.spacing = [2]float64{-1, 1}; return s }(),
			`PixelSpacing (0028,0030): frame 1: -1\1 mm is not a spacing`},
		{"unknown type", func() testSEG { s := good(); s.kind, s.bits = "SURFACE", 1; return s }(),
			`SegmentationType (0062,0001): valid but not supported`},
		{"binary of 8 bits", func() testSEG { s := good(); s.bits = 8; return s }(),
			"BitsAllocated (0028,0100): 8 bits allocated, want [1] for BINARY"},
		{"binary as a label map", func() testSEG { s := good(); s.class = labelMapClass; return s }(),
			"BINARY in a label map"},
		{"lossy", func() testSEG {
			s := good()
			s.others = fields{}.add(tag.LossyImageCompression, "CS", "01")
			return s
		}(), "LossyImageCompression (0028,2110): lossy compression"},
		{"fractional without a maximum", fractional(1, occupancy), "MaximumFractionalValue (0062,000E): missing"},
		{"fractional of a third kind", fractional(1, fields{}.add(tag.SegmentationFractionalType, "CS", "GUESS")),
			`SegmentationFractionalType (0062,0010): "GUESS", want PROBABILITY or OCCUPANCY`},
		{"a value above the maximum", fractional(5, slices.Clone(occupancy).add(tag.MaximumFractionalValue, "US", 4)),
			"frame 1: value 5 has no meaning in this object"},
		{"a maximum of 0", fractional(0, slices.Clone(occupancy).add(tag.MaximumFractionalValue, "US", 0)),
			"0, want 1 to 255"},
		{"a label of no segment", func() testSEG {
			s := good()
			s.kind, s.frames[0].pixels = labelMapType, slices.Repeat([]byte{3}, 15)
			return s
		}(), "frame 1: value 3 has no meaning in this object"},
		{"zero where padding is another value", func() testSEG {
			s := good()
			s.kind, s.frames[0].pixels, s.others = labelMapType, make([]byte, 15),
				fields{}.add(tag.PixelPaddingValue, "US", 5)
			return s
		}(), "value 0 has no meaning in this object"},
		{"padding that is a segment", func() testSEG {
			s := good()
			s.kind, s.frames[0].pixels, s.others = labelMapType, make([]byte, 15),
				fields{}.add(tag.PixelPaddingValue, "US", 1)
			return s
		}(), "PixelPaddingValue (0028,0120): 1 is both the background and segment 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readMask(t, c.seg.bytes(), unitGrid(5, 3, 2), MaskOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			var f *FileError
			if !errors.As(err, &f) {
				t.Errorf("%T is not a FileError", err)
			}
			contradicts := strings.Contains(c.want, "not declared") || strings.Contains(c.want, "no meaning") ||
				strings.Contains(c.want, "appears twice for")
			if contradicts && !strings.Contains(hint.Find(err), "again with") {
				t.Errorf("%v: hint %q", err, hint.Find(err))
			}
		})
	}
}

// The codes of a segment are returned, with modifiers in either place.
func TestSegmentCodes(t *testing.T) {
	item := segment(4, "Knorpel").sequence(tag.SegmentedPropertyTypeCodeSequence, coded("SCT", "309312004").
		sequence(tag.SegmentedPropertyTypeModifierCodeSequence, coded("SCT", "24028007"))).
		sequence(tag.AnatomicRegionSequence, coded("SCT", "71341001").sequence(tag.AnatomicRegionModifierSequence,
			coded("SCT", "255561001")))
	seg := testSEG{rows: 3, columns: 5, segments: []fields{item},
		frames: []testFrame{{4, [3]float64{}, make([]byte, 15)}}}
	got, err := readMask(t, seg.bytes(), unitGrid(5, 3, 2), MaskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sct := func(value string) volume.Code { return volume.Code{Scheme: "SCT", Value: value, Meaning: "meaning"} }
	want := []volume.Segment{{Number: 4, Label: "Knorpel", Type: sct("309312004"),
		Regions:   []volume.Code{sct("71341001")},
		Modifiers: []volume.Code{sct("24028007"), sct("255561001")}}}
	if d := cmp.Diff(want, got.Segments); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A frame lies at its position on oblique grids too, for any direction of its rows:
// compared pixel by pixel through both affine maps.
func TestSEGOnObliqueGrids(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		g := obliqueGrid(r, 6, 4, 3)
		// A frame of the grid's plane (a, b) at c, either axis flipped.
		axes := r.Perm(3)
		a, b, c := axes[0], axes[1], axes[2]
		flips := [2]bool{r.IntN(2) == 1, r.IntN(2) == 1}
		columns, rows := g.Size[a], g.Size[b]
		voxel := func(column, row int) [3]int {
			var v [3]int
			v[a], v[b], v[c] = column, row, g.Size[c]-1
			if flips[0] {
				v[a] = columns - 1 - column
			}
			if flips[1] {
				v[b] = rows - 1 - row
			}
			return v
		}
		position := func(v [3]int) [3]float64 { return g.Position(float64(v[0]), float64(v[1]), float64(v[2])) }
		seg := testSEG{rows: rows, columns: columns, segments: []fields{segment(1, "a")}}
		spacing := g.Spacing()
		seg.spacing = [2]float64{spacing[b], spacing[a]}
		origin := position(voxel(0, 0))
		right, down := position(voxel(1, 0)), position(voxel(0, 1))
		for i := range 3 {
			seg.orientation[i], seg.orientation[3+i] = (right[i]-origin[i])/spacing[a], (down[i]-origin[i])/spacing[b]
		}
		picture := make([]byte, rows*columns)
		var want []uint32
		for p := range picture {
			if picture[p] = byte(r.IntN(2)); picture[p] == 1 {
				v := voxel(p%columns, p/columns)
				want = append(want, uint32(v[0]+g.Size[0]*(v[1]+g.Size[1]*v[2])))
			}
		}
		slices.Sort(want)
		seg.frames = []testFrame{{1, origin, picture}}
		got, err := readMask(t, seg.bytes(), g, MaskOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Segments[0].Voxels, want) {
			t.Fatalf("%v, want %v", got.Segments[0].Voxels, want)
		}
	}
}

// obliqueGrid returns a grid turned at random.
func obliqueGrid(r *rand.Rand, nx, ny, nz int) volume.Geometry {
	unit := func(v [3]float64) [3]float64 {
		n := dot(v, v)
		for i := range v {
			v[i] /= math.Sqrt(n)
		}
		return v
	}
	u := unit([3]float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()})
	w := unit(cross(u, [3]float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}))
	axes := [3][3]float64{u, w, cross(u, w)}
	g := volume.Geometry{Size: [3]int{nx, ny, nz}}
	for d := range 3 {
		step := 0.4 + 3*r.Float64()
		for i := range 3 {
			g.Affine[i][d] = axes[d][i] * step
		}
	}
	for i := range 3 {
		g.Affine[i][3] = 100 * r.NormFloat64()
	}
	return g
}

// The references of a mask are compared with the train.
func TestForeign(t *testing.T) {
	train := func(frame string) Train {
		return Train{Hash: hash("1.2.3.4"), images: []*header{{texts: &texts{series: "1.2.3.4", frame: frame},
			instance: "4.1"}, {texts: &texts{series: "1.2.3.5", frame: frame}, instance: "5.1"}}}
	}
	object := func(frame string, series ...string) MaskObject {
		return MaskObject{Name: "s/seg.dcm", header: &header{texts: &texts{frame: frame}, references: series}}
	}
	drawn := MaskObject{Name: "s/rt.dcm", header: &header{texts: &texts{}, frameUIDs: []string{"9.2"},
		frameTag: tag.ReferencedFrameOfReferenceUID, references: []string{"1.2.3.4"}}}
	madeFrom := func(m MaskObject, images ...string) MaskObject { m.header.sources = images; return m }
	structures := func(frames []string, series ...string) MaskObject {
		return MaskObject{Name: "s/rt.dcm", header: &header{texts: &texts{}, frameUIDs: frames, references: series}}
	}
	for _, c := range []struct {
		name  string
		train Train
		mask  MaskObject
		want  string
	}{
		{"series and frame", train("9.1"), object("9.1", "1.2.3.4"), ""},
		{"one of several series", train("9.1"), object("9.1", "7.7", "1.2.3.5"), ""},
		{"series, and the mask has no frame", train("9.1"), object("", "1.2.3.4"), ""},
		{"series, and the train has no frame", train(""), object("9.1", "1.2.3.4"), ""},
		{"frame alone", train("9.1"), object("9.1"), ""},
		{"another series", train("9.1"), object("9.1", "7.7"), "s/seg.dcm: it refers to another series: " +
			hash("7.7") + ", not " + hash("1.2.3.4")},
		{"many others", train("9.1"), object("9.1", "7.1", "7.2", "7.3", "7.4", "7.4"), " and 1 more, not "},
		{"another frame", train("9.1"), object("9.2"), "is frame " + hash("9.2") + ", but series"},
		{"series in another frame", train("9.1"), object("9.2", "1.2.3.4"),
			"its FrameOfReferenceUID (0020,0052) is frame " + hash("9.2")},
		{"nothing", train("9.1"), object(""), "names neither a series nor"},
		{"a frame, and the train has none", train(""), object("9.2"), "has no FrameOfReferenceUID"},
		{"an image", train("9.1"), madeFrom(object("9.1"), "4.7", "5.1"), ""},
		{"an image, and the mask has no frame", train("9.1"), madeFrom(object(""), "5.1"), ""},
		{"other images", train("9.1"), madeFrom(object("9.1"), "4.7", "4.8"),
			"the images that its SourceImageSequence (0008,2112) names do not belong to series " + hash("1.2.3.4")},
		{"an image in another frame", train("9.1"), madeFrom(object("9.2"), "5.1"), "is frame " + hash("9.2")},
		{"series, and other images", train("9.1"), madeFrom(object("9.1", "1.2.3.4"), "4.7"), ""},
		{"another series, and an image", train("9.1"), madeFrom(object("9.1", "7.7"), "5.1"), "another series"},
		{"two frames", train("9.1"), structures([]string{"9.0", "9.1"}, "7.7", "1.2.3.4"), ""},
		{"two frames and no series", train("9.1"), structures([]string{"9.0", "9.1"}), ""},
		{"two other frames", train("9.1"), structures([]string{"9.0", "9.2"}, "1.2.3.4"), "is frame " + hash("9.0") +
			", " + hash("9.2") + ", but the series it refers to"},
		{"structures in another frame", train("9.1"), drawn, "its ReferencedFrameOfReferenceUID (3006,0024) is frame " +
			hash("9.2")},
		{"no mask", train("9.1"), MaskObject{}, "references are not known"},
	} {
		err := c.train.Foreign(c.mask)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Masks in a study are returned with it, with their descriptions.
func TestFindMasks(t *testing.T) {
	seg := testSEG{rows: 3, columns: 5, segments: []fields{segment(1, "a")},
		frames: []testFrame{{1, [3]float64{}, make([]byte, 15)}},
		series: "1.2.840.1", frame: "1.2.840.9", others: fields{}.add(tag.ContentLabel, "CS", "KNEE")}
	m := openBytes(t, seg.bytes())
	if m.Kind != MaskSEG || m.Label != "KNEE" || !slices.Equal(m.header.references, []string{"1.2.840.1"}) ||
		m.header.frame != "1.2.840.9" {
		t.Errorf("%+v, references %v, frame %q", m, m.header.references, m.header.frame)
	}
	for _, c := range []struct {
		name   string
		file   []byte
		frames []string
	}{
		{"one frame", structureSet("1.2.840.1", "1.2.840.9", testStructure{number: 1, frame: "1.2.840.8"}),
			[]string{"1.2.840.9"}},
		{"two frames", structureSetIn("1.2.840.1", "1.2.840.9",
			[]fields{fields{}.add(tag.FrameOfReferenceUID, "UI", "1.2.840.10")}, testStructure{number: 1}),
			[]string{"1.2.840.10", "1.2.840.9"}},
		{"those of structures", structureSet("1.2.840.1", "", testStructure{number: 1, frame: "1.2.840.8"},
			testStructure{number: 2},
			testStructure{number: 3, frame: "1.2.840.8"}), []string{"1.2.840.8"}},
		{"none", structureSet("1.2.840.1", "", testStructure{number: 1}), nil},
	} {
		m = openBytes(t, c.file)
		if got := m.header.framesOfReference(); m.Kind != MaskRTSTRUCT ||
			!slices.Equal(m.header.references, []string{"1.2.840.1"}) || !slices.Equal(got, c.frames) {
			t.Errorf("%s: %+v, references %v, frames %q, want %q", c.name, m, m.header.references, got, c.frames)
		}
	}
}

// The images from which a segmentation was made are known even if it names no series: those
// of all frames and of each.
func TestSourcesOfSEG(t *testing.T) {
	seg := testSEG{rows: 3, columns: 5, segments: []fields{segment(1, "a")}, sharedSource: "4.1",
		sources: [][]string{nil, {"4.3", "4.2"}, {"4.3"}}}
	for z := range 3 {
		seg.frames = append(seg.frames, testFrame{1, [3]float64{0, 0, float64(z)}, make([]byte, 15)})
	}
	labels := seg
	labels.kind, labels.class = labelMapType, labelMapClass
	named := seg
	named.series = "1.2.840.1"
	for _, c := range []struct {
		name string
		seg  testSEG
		want []string
	}{
		{"segmentation", seg, []string{"4.1", "4.2", "4.3"}},
		{"label map", labels, []string{"4.1", "4.2", "4.3"}},
		{"a series is named", named, nil},
	} {
		if m := openBytes(t, c.seg.bytes()); m.Problem != nil || !slices.Equal(m.header.sources, c.want) {
			t.Errorf("%s: %v, %q, want %q", c.name, m.Problem, m.header.sources, c.want)
		}
	}
}
