package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

// person is the text in every text attribute; no output may contain it.
const person = "Quillfeather^Marmaduke, Ag. 19570713 13JUL1957 St Osyth Infirmary Knee"

// personal holds its words in lower case.
var personal = []string{"quillfeather", "marmaduke", "19570713", "13jul1957", "osyth", "infirmary"}

// needed lists the texts without which an image is not mapped. Each is corrupted in a study of its own.
var needed = []string{
	"ImageType", "SOPClassUID", "Modality", "ScanningSequence", "EchoPulseSequence", "PhotometricInterpretation",
	"ComplexImageComponent", "PatientIdentityRemoved",
	"EchoTime", "RepetitionTime", "FlipAngle", "MagneticFieldStrength", "PixelBandwidth", "SliceThickness",
	"ImagePositionPatient", "ImageOrientationPatient",
	"PixelSpacing", "RescaleSlope", "RescaleIntercept", "SeriesNumber", "InstanceNumber", "NumberOfFrames",
	"EchoNumbers", "EchoTrainLength",
	"SpecificCharacterSet", "LossyImageCompression", "FrameOfReferenceUID", "StudyInstanceUID", "SeriesInstanceUID",
	"TransferSyntaxUID",
}

// textKeywords returns all text attributes of DICOM's dictionary.
func textKeywords(t *testing.T) []string {
	var all []string
	for _, group := range []uint16{0x0008, 0x0010, 0x0012, 0x0018, 0x0020, 0x0028, 0x0032, 0x0038, 0x0040, 0x0054,
		0x0070, 0x0088, 0x2100, 0x4008, 0x4010} {
		for element := range 0x10000 {
			info, err := tag.Find(tag.Tag{Group: group, Element: uint16(element)})
			if err != nil || info.Keyword == "" || slices.Contains(needed, info.Keyword) || len(info.VRs) != 1 ||
				info.Tag.Element != uint16(element) {
				continue
			}
			if strings.Contains("AE AS CS DA DT LO LT PN SH ST TM UC UR UT", info.VRs[0]) {
				all = append(all, info.Keyword)
			}
		}
	}
	if len(all) < 500 {
		t.Fatalf("%d text attributes", len(all))
	}
	return all
}

// writePerson writes a study of 2 slices and 5 echoes with the person in every text attribute, and in
// one image in spoilt, if that is not empty.
func writePerson(t *testing.T, dir string, n int, keywords []string, spoilt string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		k, e := i%2, i/2
		im := dicomwrite.Image{
			Series: dicomwrite.Series{
				StudyUID: fmt.Sprintf("2.25.77.%d", n), SeriesUID: fmt.Sprintf("2.25.78.%d", n),
				FrameOfReferenceUID: "2.25.80",
			},
			Grid: dicomwrite.Grid{
				Rows: 8, Columns: 8, PixelSpacing: [2]float64{1, 1}, Orientation: [6]float64{0, 1, 0, 0, 0, -1},
				SliceThickness: 3,
			},
			InstanceUID: fmt.Sprintf("2.25.79.%d.%d", n, i), TE: 10 * float64(e+1), TR: 2000,
			Position: [3]float64{3 * float64(k), 0, 0}, Pixels: make([]int32, 64),
		}
		for v := range im.Pixels {
			im.Pixels[v] = int32(1000*math.Exp(-im.TE/40)) + int32(v%5)
		}
		for _, keyword := range keywords {
			value := person
			if keyword == "PatientBirthDate" {
				value = "19570713"
			}
			im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: keyword, Values: []string{value}})
		}
		if spoilt != "" && i == 3 {
			im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: spoilt, Values: []string{person}})
		}
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			t.Fatalf("%s: %v", spoilt, err)
		}
		if bytes.Count(b.Bytes(), []byte("Quillfeather")) < len(keywords)-1 {
			t.Fatal("the image does not hold the name in every text")
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("IM_%04d", i)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := volume.Geometry{Size: [3]int{8, 8, 2}, Affine: [3][4]float64{{0, 0, 3, 0}, {1, 0, 0, 0}, {0, -1, 0, 0}}}
	labels := make([]uint8, g.Voxels())
	for v := range labels {
		labels[v] = uint8(1 + v%3)
	}
	var mask bytes.Buffer
	if err := nifti.WriteLabels(&mask, g, labels, ""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "labels.nii.gz"), mask.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The names, the birth date and the institution are in every text attribute, including private ones, of valid studies
// and of studies that fail. No file, folder name or message contains them.
func TestNothingPersonalComesOut(t *testing.T) {
	for i, element := range []uint16{0x0010, 0x1001, 0x1002} {
		private := tag.Info{Tag: tag.Tag{Group: 0x0019, Element: element}, VRs: []string{"LO"},
			Keyword: fmt.Sprintf("T2mapTestPrivate%d", i)}
		if err := tag.Add(private, true); err != nil {
			t.Fatal(err)
		}
	}
	keywords := append(textKeywords(t), "T2mapTestPrivate0", "T2mapTestPrivate1", "T2mapTestPrivate2")
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	writePerson(t, filepath.Join(data, "sound"), 0, keywords, "")
	few := []string{"PatientName", "PatientBirthDate", "InstitutionName", "PatientID", "SeriesDescription"}
	for i, spoilt := range needed {
		writePerson(t, filepath.Join(data, fmt.Sprintf("spoilt-%02d", i)), i+1, few, spoilt)
	}
	cutShort(t, data, keywords)

	out := filepath.Join(dir, "results")
	texts := map[string]string{}
	for _, c := range []struct { // the second run finds the names of the first
		name string
		args []string
	}{
		{"run", []string{"run", data, "--out", out, "--scheme", "compartments"}},
		{"run again", []string{"run", data, "--out", out, "--scheme", "compartments", "--layout", "{subject}"}},
		{"run one series", []string{"run", data, "--out", out + "2", "--scheme", "compartments", "--series",
			"nothing"}},
		{"inspect", []string{"inspect", data}},
		{"inspect --json", []string{"inspect", data, "--json", "--scheme", "compartments"}},
	} {
		name := c.name
		code, stdout, stderr := call(c.args...)
		if code != exitFailed && name != "run again" {
			t.Errorf("%s: status %d\n%s", name, code, stderr)
		}
		texts[name+", stdout"], texts[name+", stderr"] = stdout, stderr
	}
	maps.Copy(texts, allFiles(t, out))
	if text := texts["compartments.csv"]; strings.Count(text, "\n") < 4 || !strings.Contains(text, "anon-") {
		t.Errorf("nothing was mapped:\n%s", text)
	}
	for name, text := range texts {
		text = strings.ToLower(name + "\n" + text)
		for _, secret := range personal {
			if index := strings.Index(text, secret); index >= 0 {
				t.Errorf("%s holds %s: …%s…", name, secret, text[max(0, index-60):min(len(text), index+60)])
			}
		}
	}
}

// cutShort adds a study with a damaged image, and a file that does not name its study.
func cutShort(t *testing.T, data string, keywords []string) {
	t.Helper()
	dir := filepath.Join(data, "damaged")
	writePerson(t, dir, 99, keywords, "")
	for name, size := range map[string]int64{"IM_0002": -20, "IM_0004": 700} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if size < 0 {
			size += info.Size()
		}
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
	}
}

// allFiles returns the unpacked contents of all files below a folder, by path.
func allFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			all[filepath.ToSlash(name)+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		if err == nil && strings.HasSuffix(path, ".gz") {
			var z *gzip.Reader
			if z, err = gzip.NewReader(bytes.NewReader(data)); err == nil {
				data, err = io.ReadAll(z)
			}
		}
		all[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
