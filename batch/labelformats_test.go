package batch

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/volume"
)

// nrrdGrid writes the geometry as NRRD does, in RAS.
func nrrdGrid(g volume.Geometry) string {
	var axes []string
	for c := range 3 {
		axes = append(axes, fmt.Sprintf("(%.17g,%.17g,%.17g)", -g.Affine[0][c], -g.Affine[1][c], g.Affine[2][c]))
	}
	return fmt.Sprintf("space: RAS\nspace directions: %s\nspace origin: (%.17g,%.17g,%.17g)\n", strings.Join(axes, " "),
		-g.Affine[0][3], -g.Affine[1][3], g.Affine[2][3])
}

// nrrdText is a header in NRRD of a mask, with more fields and keys.
func nrrdText(g volume.Geometry, fields string) string {
	return fmt.Sprintf("NRRD0005\ntype: uchar\ndimension: 3\nsizes: %d %d %d\n%s%s", g.Size[0], g.Size[1], g.Size[2],
		nrrdGrid(g), fields)
}

// metaText is a header in MetaImage of a mask, with more fields; the name of the data comes last.
func metaText(g volume.Geometry, fields, data string) string {
	var matrix []string
	s := g.Spacing()
	for c := range 3 {
		for r := range 3 {
			matrix = append(matrix, fmt.Sprintf("%.17g", g.Affine[r][c]/s[c]))
		}
	}
	return fmt.Sprintf("ObjectType = Image\nNDims = 3\nDimSize = %d %d %d\nTransformMatrix = %s\nOffset = %.17g %.17g "+
		"%.17g\nElementSpacing = %.17g %.17g %.17g\nElementType = MET_UCHAR\n%sElementDataFile = %s\n",
		g.Size[0], g.Size[1], g.Size[2], strings.Join(matrix,
			" "), g.Affine[0][3], g.Affine[1][3], g.Affine[2][3], s[0], s[1], s[2], fields, data)
}

// turned returns the labels with the first axis last and the second backwards.
func turned(g volume.Geometry, data []uint8) (volume.Geometry, []uint8) {
	out := volume.Geometry{Size: [3]int{g.Size[1], g.Size[2], g.Size[0]}}
	for r := range 3 {
		out.Affine[r] = [4]float64{-g.Affine[r][1], g.Affine[r][2], g.Affine[r][0], g.Affine[r][3] +
			float64(g.Size[1]-1)*g.Affine[r][1]}
	}
	var moved []uint8
	for i := range g.Size[0] {
		for k := range g.Size[2] {
			for j := g.Size[1] - 1; j >= 0; j-- {
				moved = append(moved, data[i+g.Size[0]*(j+g.Size[1]*k)])
			}
		}
	}
	return out, moved
}

// narrow returns labels as bytes.
func narrow(labels []uint16) []uint8 {
	out := make([]uint8, len(labels))
	for v, l := range labels {
		out[v] = uint8(l)
	}
	return out
}

func packed(t testing.TB, b []byte, in func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var out bytes.Buffer
	z := in(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func inGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

func inZlib(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }

// studyWith writes the phantom's study without its mask, and files in its folder.
func studyWith(t testing.TB, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	kneeAs(t, study, dicomtest.Form{})
	remove(t, filepath.Join(study, "labels.nii.gz"))
	for name, content := range files {
		path := filepath.Join(study, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// One mask gives the same numbers in every format that is read, in one file or two, in the
// series' order of voxels or another, by number or by name. Results say which format it was
// and list every file.
func TestMaskFormats(t *testing.T) {
	dir := t.TempDir()
	k := kneeAs(t, filepath.Join(dir, "studies", "a"), dicomtest.Form{})
	want := oneResult(t, settings(t, dir))
	g, data := k.Labels.Geometry, narrow(k.Labels.Data)
	gt, turnedData := turned(g, data)
	raw, gz := string(data), packed(t, data, inGzip)
	segments := "Segment0_ID:=Segment_1\nSegment0_Name:=Lateral\nSegment0_LabelValue:=2\nSegment0_Layer:=0\n" +
		"Segment1_Name:=Medial cartilage\nSegment1_LabelValue:=1\nSegment1_Layer:=0\n" +
		"Segment2_Name:=Segment_3\nSegment2_LabelValue:=3\nSegment2_Layer:=0\n"
	var layers []uint8 // of which the first is the lateral segment, and the second the others
	for _, l := range data {
		layers = append(layers, map[uint8]uint8{2: 1}[l], map[uint8]uint8{1: 1, 3: 3}[l])
	}
	layered := strings.Replace(strings.Replace(segments, "LabelValue:=2\nSegment0_Layer:=0",
		"LabelValue:=1\nSegment0_Layer:=0", 1), "LabelValue:=1\nSegment1_Layer:=0", "LabelValue:=1\nSegment1_Layer:=1",
		1)
	layered = strings.Replace(layered, "Segment2_Name:=Segment_3\nSegment2_LabelValue:=3\nSegment2_Layer:=0",
		"Segment2_Name:=Patellofemoral\nSegment2_LabelValue:=3\nSegment2_Layer:=1", 1)
	fourD := strings.Replace(strings.Replace(strings.Replace(nrrdText(g, "encoding: raw\n"+layered+"\n"),
		"dimension: 3", "dimension: 4", 1), "sizes: ", "sizes: 2 ", 1), "space directions: ", "space directions: none ",
		1)
	for name, c := range map[string]struct {
		files map[string]string
		kind  string
		data  string // the name of the data file, beside the first
	}{
		"nrrd": {map[string]string{"labels.nrrd": nrrdText(g, "encoding: gzip\n\n") + gz}, "NRRD", ""},
		"nrrd, other order": {map[string]string{"labels.nrrd": nrrdText(gt, "encoding: raw\n\n") +
			string(turnedData)}, "NRRD", ""},
		"nrrd in gzip": {map[string]string{"labels.nrrd.gz": packed(t,
			[]byte(nrrdText(g, "encoding: raw\n\n")+raw), inGzip)}, "NRRD", ""},
		"nhdr": {map[string]string{"Labels.nhdr": nrrdText(g, "encoding: gzip\ndata file: "+
			"Labels.raw.gz\n"), "Labels.raw.gz": gz}, "NRRD", "a/Labels.raw.gz"},
		"nhdr, a folder": {map[string]string{"mask.nhdr": nrrdText(g, "encoding: raw\ndata file: "+
			"./voxels/x.raw\n"), "voxels/x.raw": raw}, "NRRD", "a/voxels/x.raw"},
		"seg.nrrd": {map[string]string{"Segmentation.seg.nrrd": nrrdText(g,
			"encoding: gzip\n"+segments+"\n") + gz}, "NRRD", ""},
		"seg.nrrd, turned": {map[string]string{"Segmentation.seg.nrrd": nrrdText(gt,
			"encoding: raw\n"+segments+"\n") + string(turnedData)}, "NRRD", ""},
		"seg.nrrd, layers": {map[string]string{"1.seg.nrrd": fourD + string(layers)}, "NRRD", ""},
		"mha":              {map[string]string{"mask.mha": metaText(g, "", "LOCAL") + raw}, "MetaImage", ""},
		"mha, other order": {map[string]string{"mask.mha": metaText(gt, "CompressedData = True\n", "LOCAL") +
			packed(t, turnedData, inZlib)}, "MetaImage", ""},
		"mhd": {map[string]string{"seg.mhd": metaText(g, "", "seg.raw"), "seg.raw": raw}, "MetaImage",
			"a/seg.raw"},
		"mhd, zraw": {map[string]string{"seg.mhd": metaText(g, "CompressedData = True\n", "seg.zraw"),
			"seg.zraw": packed(t, data, inZlib)}, "MetaImage", "a/seg.zraw"},
		"mhd, Windows' slash": {map[string]string{"seg.mhd": metaText(g, "", `x\seg.raw`), "x/seg.raw": raw},
			"MetaImage", "a/x/seg.raw"},
	} {
		dir := studyWith(t, c.files)
		s := settings(t, dir)
		if name == "nrrd in gzip" {
			s.Mask = "*.nrrd.gz"
		}
		r := oneResult(t, s)
		if d := cmp.Diff(want.Compartments, r.Compartments, sameNumbers); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if r.Mask.Kind != c.kind || (len(r.Mask.Segments) > 0) != strings.HasPrefix(name, "seg.nrrd") {
			t.Errorf("%s: %+v", name, r.Mask)
		}
		var inputs []string
		for _, f := range r.Inputs {
			inputs = append(inputs, f.Path)
			if len(f.SHA256) != 64 {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if !slices.Contains(inputs, r.Mask.Path) || c.data != "" && !slices.Contains(inputs, c.data) ||
			len(inputs) != len(want.Inputs)+min(1, len(c.data)) {
			t.Errorf("%s: inputs %v", name, inputs[len(inputs)-2:])
		}
		for file, content := range c.files { // the hash is that of the file as it lies there
			index := slices.IndexFunc(r.Inputs, func(f report.File) bool { return f.Path == "a/"+file })
			if index < 0 || name != "nrrd in gzip" && r.Inputs[index].SHA256 != fmt.Sprintf("%x",
				sha256.Sum256([]byte(content))) {
				t.Errorf("%s: %s is not among the inputs, or has another hash", name, file)
			}
		}
	}
}

// What is wrong with a mask in another format has a reason that names its files and a hint,
// which inspect gives too.
func TestRefusedFormats(t *testing.T) {
	k, err := phantom.New(context.Background(), phantom.Options{Matrix: 64, Slices: 6, Subject: "S01"})
	if err != nil {
		t.Fatal(err)
	}
	g, raw := k.Labels.Geometry, string(narrow(k.Labels.Data))
	gz := packed(t, []byte(raw), inGzip)
	bomb := strings.Repeat(packed(t, make([]byte, 1<<20), inGzip), 100)
	mhd := func(name string) map[string]string { return map[string]string{"seg.mhd": metaText(g, "", name)} }
	for name, c := range map[string]struct {
		files        map[string]string
		reason, hint string
	}{
		"truncated": {map[string]string{"mask.nrrd": nrrdText(g, "encoding: raw\n\n") + raw[:1000]},
			"a/mask.nrrd: data: 1000 of 24576 bytes", "copy the mask again"},
		"cut gzip": {map[string]string{"mask.nrrd": nrrdText(g, "encoding: gzip\n\n") + gz[:len(gz)-9]},
			"a/mask.nrrd: data: ", "copy the mask again"},
		"bomb": {map[string]string{"mask.nrrd": nrrdText(g, "encoding: gzip\n\n") + gz + bomb},
			"more than the 64×64×6 voxels", "copy the mask again"},
		"bomb in MetaImage": {map[string]string{"mask.mha": metaText(g, "CompressedData = True\n", "LOCAL") + gz +
			bomb}, "more than the 64×64×6 voxels", "copy the mask again"},
		"bomb in a file": {map[string]string{"mask.nhdr": nrrdText(g, "encoding: gzip\ndata file: x.gz\n"),
			"x.gz": gz + bomb}, "more than the 64×64×6 voxels", "copy the mask again"},
		"no space": {map[string]string{"mask.nrrd": strings.Replace(nrrdText(g, "encoding: raw\n\n"),
			"space: RAS\n", "", 1) + raw}, "a/mask.nrrd: space: missing", "space directions and space origin"},
		"hex": {map[string]string{"mask.nrrd": nrrdText(g, "encoding: hex\n\n") + raw}, "encoding: hex",
			"raw or in gzip"},
		"fewer voxels": {map[string]string{"mask.nrrd": strings.Replace(nrrdText(g, "encoding: raw\n\n"),
			"sizes: 64", "sizes: 32", 1) + raw}, "more than the 32×64×6 voxels that sizes declares",
			"copy the mask again"},
		"no segment's label": {map[string]string{"a.seg.nrrd": nrrdText(g,
			"encoding: raw\nSegment0_Name:=Medial\nSegment0_LabelValue:=9\n\n") + raw}, "belongs to no segment",
			"save the segmentation again"},
		"an unknown segment": {map[string]string{"a.seg.nrrd": nrrdText(g,
			"encoding: "+
				"raw\nSegment0_Name:=Tumour\nSegment0_LabelValue:=1\nSegment1_Name:=Lateral\nSegment1_LabelValue:=2\n"+
				"Segment2_Name:=Patellofemoral\nSegment2_LabelValue:=3\n\n") + raw},
			"a/a.seg.nrrd: scheme compartments does not know", "`segments` in a scheme file"},
		"no place": {map[string]string{"seg.mhd": "ObjectType = Image\nNDims = 3\nDimSize = 64 64 " +
			"6\nElementType = MET_UCHAR\nElementDataFile = seg.raw\n", "seg.raw": raw},
			"a/seg.mhd: TransformMatrix: missing", "TransformMatrix, Offset and ElementSpacing"},
		"missing data": {mhd("seg.raw"), "a/seg.mhd: the data file a/seg.raw does not exist", "into one folder"},
		"data above": {mhd("../b/seg.raw"), "a/seg.mhd: the data file ../b/seg.raw lies outside of the header's " +
			"folder", "without a folder"},
		"data hidden above":   {mhd("x/../../seg.raw"), "lies outside of the header's folder", "without a folder"},
		"Windows' data above": {mhd(`..\seg.raw`), "lies outside of the header's folder", "without a folder"},
		"data anywhere":       {mhd("/etc/passwd"), "the data file /etc/passwd lies outside", "without a folder"},
		"data on a drive":     {mhd(`C:\data\seg.raw`), "lies outside", "without a folder"},
		"a folder as data": {map[string]string{"seg.mhd": metaText(g, "", "x"), "x/y": ""},
			"a/seg.mhd: the data file a/x: a/x: is not a regular file", "into one folder"},
		"NRRD, data above": {map[string]string{"mask.nhdr": nrrdText(g, "encoding: raw\ndata file: "+
			"LIST\n../x.raw\n")}, "a/mask.nhdr: the data file ../x.raw lies outside", "without a folder"},
	} {
		s := settings(t, studyWith(t, c.files))
		in, err := Inspect(context.Background(), s)
		if err != nil || len(in.Studies[0].Problems) != 1 && name != "an unknown segment" {
			t.Errorf("%s: %+v, %v", name, in.Studies, err)
			continue
		}
		f := oneFailure(t, s)
		if !strings.Contains(f.Reason, c.reason) || !strings.Contains(f.Hint, c.hint) {
			t.Errorf("%s: %q, hint %q, want %q and %q", name, f.Reason, f.Hint, c.reason, c.hint)
		}
		if p := in.Studies[0].Problems; len(p) > 0 && (p[0].Reason != f.Reason || p[0].Hint != f.Hint) {
			t.Errorf("%s: inspect says %+v, run %q", name, p[0], f.Reason)
		}
	}
}

// A mask in NIfTI goes before 3D Slicer's own file beside it, which is noted and not compared;
// a pattern that fits a header and its data means the header; two masks are two.
func TestWhichFormat(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	k := kneeAs(t, study, dicomtest.Form{})
	g, raw := k.Labels.Geometry, string(narrow(k.Labels.Data))
	if err := os.Rename(filepath.Join(study, "labels.nii.gz"), filepath.Join(study,
		"Segmentation.nii.gz")); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(study, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("Segmentation.seg.nrrd", nrrdText(g, "encoding: raw\n\n")+raw)
	r := oneResult(t, settings(t, dir))
	if r.Mask.Kind != "NIfTI" || !slices.ContainsFunc(r.Notes, func(n string) bool {
		return strings.HasSuffix(n,
			"not used: a/Segmentation.seg.nrrd")
	}) ||
		slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "Segmentation") }) {
		t.Errorf("%+v, notes %q, warnings %q", r.Mask, r.Notes, r.Warnings)
	}
	remove(t, filepath.Join(study, "Segmentation.seg.nrrd"))
	if err := os.Rename(filepath.Join(study, "Segmentation.nii.gz"), filepath.Join(dir, "aside.nii.gz")); err != nil {
		t.Fatal(err)
	}
	write("knee.nrrd", nrrdText(g, "encoding: raw\n\n")+raw) // of another name
	s := settings(t, dir)
	s.Out = filepath.Join(dir, "none")
	if f := oneFailure(t, s); !strings.Contains(f.Reason, "knee.nrrd (NRRD)") || !strings.Contains(f.Hint,
		"--mask 'knee.nrrd'") {
		t.Errorf("%q, hint %q", f.Reason, f.Hint)
	}
	remove(t, filepath.Join(study, "knee.nrrd"))
	write("Segmentation.seg.nrrd", nrrdText(g, "encoding: raw\n\n")+raw)
	write("knee.mhd", metaText(g, "", "knee.raw"))
	write("knee.raw", raw)
	s = settings(t, dir)
	s.Out, s.Mask = filepath.Join(dir, "other"), "knee*"
	if r := oneResult(t, s); r.Mask.Kind != "MetaImage" || !strings.HasSuffix(r.Mask.Path, "/knee.mhd") {
		t.Errorf("%+v", r.Mask)
	}
	write("mask.mha", metaText(g, "", "LOCAL")+raw)
	s = settings(t, dir)
	s.Out = filepath.Join(dir, "two")
	if f := oneFailure(t, s); !strings.Contains(f.Reason, "2 candidates") {
		t.Errorf("%q", f.Reason)
	}
}

// A header and its data in an archive.
func TestDataFileInArchive(t *testing.T) {
	k, err := phantom.New(context.Background(), phantom.Options{Matrix: 64, Slices: 6, Subject: "S01"})
	if err != nil {
		t.Fatal(err)
	}
	g := k.Labels.Geometry
	dir := studyWith(t, map[string]string{"seg.nhdr": nrrdText(g, "encoding: gzip\ndata file: seg.raw.gz\n"),
		"seg.raw.gz": packed(t, narrow(k.Labels.Data), inGzip)})
	study := filepath.Join(dir, "studies", "a")
	zipFolder(t, study, study+".zip")
	if err := os.RemoveAll(study); err != nil {
		t.Fatal(err)
	}
	r := oneResult(t, settings(t, dir))
	if last := r.Inputs[len(r.Inputs)-1]; r.Mask.Kind != "NRRD" || !strings.HasSuffix(last.Path, "/seg.raw.gz") {
		t.Errorf("%+v, %+v", r.Mask, last)
	}
}

// A name of the patient in the header of a mask does not come out, be it that of a segment or in
// an error.
func TestPrivacyOfHeaders(t *testing.T) {
	g := volume.Geometry{Size: [3]int{8, 8, 2}, Affine: [3][4]float64{{0, 0, 3, 0}, {1, 0, 0, 0}, {0, -1, 0, 0}}}
	zeros := string(make([]byte, 128))
	for name, c := range map[string]struct{ file, content, reason string }{
		"unknown segment": {"a.seg.nrrd", nrrdText(g, "encoding: raw\nSegment0_Name:=Tumour of "+
			"Jane\nSegment0_LabelValue:=1\n\n") + zeros, `"Tumour of [removed]"`},
		"NRRD": {"mask.nrrd", nrrdText(g, "encoding: jane\n\n") + zeros, `encoding: "[removed]" is not`},
		"MetaImage": {"mask.mha", metaText(g, "BinaryData = jane\n", "LOCAL") + zeros,
			`BinaryData: "[removed]" is neither`},
	} {
		dir := t.TempDir()
		study := filepath.Join(dir, "studies", "s07")
		scan(t, study, "S07", false)
		remove(t, filepath.Join(study, "labels.nii.gz"))
		if err := os.WriteFile(filepath.Join(study, c.file), []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		s := settings(t, dir)
		var log bytes.Buffer
		s.Log = slog.New(slog.NewTextHandler(&log, nil))
		out := run(t, s)
		if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, c.reason) {
			t.Errorf("%s: %+v", name, out.Failures)
		}
		for file, text := range everythingWritten(t, s, &log) {
			if strings.Contains(strings.ToLower(text), "jane") {
				t.Errorf("%s: %s holds the name", name, file)
			}
		}
	}
}
