package batch

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/volume"
)

// secrets are what must not come out of a header.
var secrets = map[string]string{
	"PatientName":                 "DOE^JANE",
	"PatientBirthDate":            "19570713",
	"InstitutionName":             "ST ELSEWHERE",
	"InstitutionAddress":          "12 HIDDEN LANE",
	"AccessionNumber":             "ACC778899",
	"ReferringPhysicianName":      "HOUSE^GREGORY",
	"OperatorsName":               "SMITH^OPERATOR",
	"StationName":                 "STATION9",
	"DeviceSerialNumber":          "SERIAL4242",
	"OtherPatientIDs":             "OTHER4711",
	"StudyDescription":            "KNEE OF JANE",
	"PatientComments":             "VIP COMMENT",
	"RequestingPhysician":         "WILSON^JAMES",
	"PerformingPhysicianName":     "CUDDY^LISA",
	"PatientAddress":              "7 HOME STREET",
	"PatientTelephoneNumbers":     "555-0199",
	"IssuerOfPatientID":           "ISSUER77",
	"PatientMotherBirthName":      "MAIDEN^NAME",
	"InstitutionalDepartmentName": "DEPARTMENT5",
}

// scan writes a small study whose headers hold the secrets and a hostile subject.
func scan(t *testing.T, dir, subject string, broken bool) {
	t.Helper()
	attributes := maps.Clone(secrets)
	attributes["ClinicalTrialSubjectID"], attributes["ClinicalTrialTimePointID"] = subject, "v1"
	scanOf(t, dir, attributes, broken)
}

// scanOf writes a small study with these attributes; an empty one is left out.
func scanOf(t *testing.T, dir string, attributes map[string]string, broken bool) {
	t.Helper()
	g := volume.Geometry{Size: [3]int{8, 8, 2}, Affine: [3][4]float64{{0, 0, 3, 0}, {1, 0, 0, 0}, {0, -1, 0, 0}}}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		k, e := n%2, n/2
		im := dicomwrite.Image{
			Series: dicomwrite.Series{
				StudyUID: "2.25.900.1", SeriesUID: "2.25.900.2", FrameOfReferenceUID: "2.25.900.4", PatientID: "P",
			},
			Grid: dicomwrite.Grid{
				Rows: 8, Columns: 8, PixelSpacing: [2]float64{1, 1}, Orientation: [6]float64{0, 1, 0, 0, 0, -1},
				SliceThickness: 3,
			},
			InstanceUID: fmt.Sprintf("2.25.900.3.%d", n), TE: 10 * float64(e+1), TR: 2000,
			Position: [3]float64{3 * float64(k), 0, 0}, Pixels: make([]int32, 64),
		}
		for v := range im.Pixels {
			im.Pixels[v] = int32(1000*math.Exp(-im.TE/40)) + int32(v%5)
		}
		for keyword, value := range attributes {
			override := dicomwrite.Override{Keyword: keyword}
			if value != "" {
				override.Values = []string{value}
			}
			im.Overrides = append(im.Overrides, override)
		}
		if broken && n == 3 {
			im.Overrides = append(im.Overrides, dicomwrite.Override{Keyword: "EchoTime"})
		}
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			t.Fatal(err)
		}
		for keyword, value := range attributes {
			if !bytes.Contains(b.Bytes(), []byte(value)) {
				t.Fatalf("the scan does not hold its %s", keyword)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("IM_%04d", n)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeMask(t, filepath.Join(dir, "labels.nii.gz"), g, func(v int) uint8 { return uint8(1 + v%3) })
}

// everythingWritten returns all text that came out of a run: every file, those
// in gzip unpacked, and the log.
func everythingWritten(t *testing.T, s Settings, log *bytes.Buffer) map[string]string {
	t.Helper()
	out := map[string]string{"log": log.String()}
	for name := range tree(t, s.Out) {
		data, err := os.ReadFile(filepath.Join(s.Out, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(data)
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if data, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
			out[name] = string(data)
		}
	}
	return out
}

// No name, birth date or institution comes out, whether a study is done or fails.
func TestPrivacy(t *testing.T) {
	for _, broken := range []bool{false, true} {
		dir := t.TempDir()
		scan(t, filepath.Join(dir, "studies", "s07"), "S07", broken)
		s := settings(t, dir)
		var log bytes.Buffer
		s.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		out := run(t, s)
		if (len(out.Failures) == 1) != broken || len(out.Results)+len(out.Failures) != 1 {
			t.Fatalf("%+v", out)
		}
		in, err := Inspect(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		texts := everythingWritten(t, s, &log)
		texts["inspect"] = fmt.Sprintf("%+v", in)
		for name, text := range texts {
			for keyword, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s holds the %s", name, keyword)
				}
			}
			for _, uid := range []string{"2.25.900.1", "2.25.900.2", "2.25.900.3"} {
				if strings.Contains(text, uid) {
					t.Errorf("%s holds a UID", name)
				}
			}
		}
		if broken && out.Failures[0].Reason != "read: s07/IM_0003: EchoTime (0018,0081): missing" {
			t.Errorf("reason %q", out.Failures[0].Reason)
		}
	}
}

// A subject code is data: it becomes no markup, no formula and no path.
func TestHostileSubject(t *testing.T) {
	for _, subject := range []string{`<script>alert(1)</script>`, `=cmd|' /C calc'!A0`, `../../../escape`,
		`..\..\escape`, "S\u202e07", "A,\"B\"\n"} {
		dir := t.TempDir()
		scan(t, filepath.Join(dir, "studies", "s07"), subject, false)
		s := settings(t, dir)
		var log bytes.Buffer
		s.Log = slog.New(slog.NewTextHandler(&log, nil))
		out := run(t, s)
		if len(out.Results) != 1 {
			t.Fatalf("%q: %+v", subject, out)
		}
		if rel, err := filepath.Rel(s.Out, out.Results[0].Dir); err != nil || strings.HasPrefix(rel, "..") ||
			strings.Count(filepath.ToSlash(rel), "/") != 1 {
			t.Errorf("%q: results went to %s", subject, out.Results[0].Dir)
		}
		texts := everythingWritten(t, s, &log)
		if strings.Contains(texts["index.html"], "<script>alert") {
			t.Errorf("%q stands in the page as markup", subject)
		}
		for _, table := range []string{"compartments.csv", "studies.csv"} {
			for _, line := range strings.Split(texts[table], "\n") {
				if strings.HasPrefix(line, "=") || strings.HasPrefix(line, `"=`) {
					t.Errorf("%q: %s has a formula: %s", subject, table, line)
				}
			}
		}
	}
}
