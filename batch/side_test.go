package batch

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// sayInImages changes what the images of a study say of its side: the value of Laterality, which
// is R in the phantom, and the description. An empty value leaves Laterality empty.
func sayInImages(t testing.TB, study, laterality, description string) {
	t.Helper()
	const was = "SAG T2 MAP 4 ECHO "
	files, err := filepath.Glob(filepath.Join(study, "IM_*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal("no images: ", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		side, text := []byte("\x20\x00\x60\x00CS\x02\x00R "), []byte(was)
		if !bytes.Contains(b, side) || !bytes.Contains(b, text) || len(description) > len(was) {
			t.Fatalf("%s: no Laterality, or another description", f)
		}
		b = bytes.Replace(b, side, append(side[:8:8], (laterality + "  ")[:2]...), 1)
		b = bytes.Replace(b, text, []byte((description + strings.Repeat(" ", len(was)))[:len(was)]), 1)
		if err := os.WriteFile(f, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What the sources say of the side of the knee must agree: the attributes of the images, their
// description, the manifest and the anatomy of the mask. A contradiction fails the study and says
// what each of them says; where nothing but the anatomy says it, the anatomy decides.
func TestSourcesOfTheSide(t *testing.T) {
	if testing.Short() {
		t.Skip("divides large masks several times")
	}
	const mask = "medial-tibial-cartilage in the mask says right, medial-meniscus in the mask says right"
	all := []struct {
		name, laterality, description, manifest string
		reasons                                 []string // none where it is mapped
		sides                                   []report.SideSource
	}{
		{"agree", "R", "RIGHT KNEE T2", "R", nil, []report.SideSource{
			{Source: "Laterality (0020,0060)", Side: "right"}, {Source: "SeriesDescription (0008,103E)",
				Side: "right"}, {Source: "the manifest or the layout", Side: "right"}}},
		{"anatomy-alone", "", "T2 MAP", "", nil, nil},
		{"manifest-alone", "", "T2 MAP", "R", nil, []report.SideSource{{Source: "the manifest or the layout",
			Side: "right"}}},
		{"laterality", "L", "T2 MAP", "", []string{"the sources contradict each other about the side of the knee: " +
			"Laterality (0020,0060) says left, " + mask}, nil},
		{"description", "", "T2 LEFT", "", []string{"the sources contradict each other about the side of the knee: " +
			"SeriesDescription (0008,103E) says left, " + mask}, nil},
		{"manifest", "", "T2 MAP", "L", []string{"the sources contradict each other about the side of the knee: the " +
			"manifest or the layout says left, " + mask}, nil},
		{"both-say-left", "L", "T2 LEFT", "L", []string{"Laterality (0020,0060) says left, SeriesDescription " +
			"(0008,103E) says left, the manifest or the layout says left, " + mask}, nil},
		{"images", "R", "T2 LEFT", "", []string{"side of the knee: Laterality (0020,0060) says R, SeriesDescription " +
			"(0008,103E) says L"}, nil},
		{"images-and-manifest", "R", "T2 RIGHT", "L", []string{"the manifest or the layout says L, Laterality " +
			"(0020,0060) of number 1 says R, SeriesDescription (0008,103E) of number 1 says R"}, nil},
	}
	dir := t.TempDir()
	var names []string
	manifest := "folder,subject,visit,side\n"
	for _, c := range all {
		names = append(names, c.name)
		manifest += "studies/" + c.name + "," + c.name + ",V1," + c.manifest + "\n"
	}
	labels := tissueStudies(t, dir, names)
	s := skmTea(t, dir)
	s.Manifest = filepath.Join(dir, "m.csv")
	writeText(t, s.Manifest, manifest)
	for _, c := range all {
		study := filepath.Join(dir, "studies", c.name)
		sayInImages(t, study, c.laterality, c.description)
		writeLabels(t, filepath.Join(study, "labels.nii.gz"), labels)
	}
	out := run(t, s)
	table, err := os.ReadFile(filepath.Join(s.Out, "compartments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	subjectColumn, sideColumn := slices.Index(rows[0], "subject"), slices.Index(rows[0], "side")
	for _, c := range all {
		n := slices.IndexFunc(out.Results, func(r report.Result) bool { return r.Subject == c.name })
		if c.reasons == nil {
			want := append(slices.Clone(c.sides), report.SideSource{Source: "medial-tibial-cartilage in the mask",
				Side: "right"}, report.SideSource{Source: "medial-meniscus in the mask", Side: "right"})
			if n < 0 || out.Results[n].Side != "right" || !slices.Equal(out.Results[n].Division.Sides, want) {
				t.Errorf("%s: result %d, want sides %+v: %+v", c.name, n, want, out.Failures)
			}
			for _, row := range rows {
				if row[subjectColumn] == c.name && row[sideColumn] != "right" {
					t.Errorf("%s: row %q", c.name, row)
				}
			}
			continue
		}
		n = slices.IndexFunc(out.Failures, func(f report.Failure) bool { return f.Subject == c.name })
		if n < 0 {
			t.Errorf("%s: is mapped", c.name)
			continue
		}
		f := out.Failures[n]
		for _, part := range c.reasons {
			if !strings.Contains(f.Reason, part) {
				t.Errorf("%s: %s, want …%s…", c.name, f.Reason, part)
			}
		}
		if !strings.Contains(f.Hint, "which knee it is") {
			t.Errorf("%s: hint %s", c.name, f.Hint)
		}
	}
}

// A mask whose tibia is one label, without menisci and fibula, shows no side: without another
// source it is refused, with one it is divided, and the note says what nobody would notice. The
// first release of OAI-ZIB has such labels; under the names of its second one, in which the same
// number is the medial tibia, it is refused.
func TestUndividedTibia(t *testing.T) {
	if testing.Short() {
		t.Skip("divides large masks several times")
	}
	dir := t.TempDir()
	names := []string{"no-side", "named", "second-release", "tissues"}
	labels := withLabels(tissueStudies(t, dir, names), func(_ int, label uint16) uint16 {
		return map[uint16]uint16{skmFemur: 2, skmMedialTibia: 4, skmLateralTibia: 4}[label]
	})
	for _, name := range names {
		study := filepath.Join(dir, "studies", name)
		if name == "no-side" {
			sayInImages(t, study, "", "T2 MAP")
		}
		writeLabels(t, filepath.Join(study, "labels.nii.gz"), labels)
	}
	settingsOf := func(name, scheme string) Settings {
		s := skmTea(t, dir)
		s.Roots, s.Out = []string{filepath.Join(dir, "studies", name)}, t.TempDir()
		var err error
		if s.Protocol.Scheme, err = segment.Named(scheme); err != nil {
			t.Fatal(err)
		}
		return s
	}
	f := oneFailure(t, settingsOf("no-side", "ski10"))
	if !strings.Contains(f.Reason, "cannot be divided into medial and lateral: the side of the knee is not known") ||
		!strings.Contains(f.Hint, "name the side of the knee in the manifest") {
		t.Errorf("%s, hint %s", f.Reason, f.Hint)
	}
	r := oneResult(t, settingsOf("named", "ski10"))
	if !strings.Contains(strings.Join(r.Notes, "\n"), "a mask that was mirrored from left to right would not be "+
		"detected") || r.Side != "right" {
		t.Errorf("side %s, notes %q", r.Side, r.Notes)
	}
	for _, name := range []string{segment.Medial, segment.Lateral, segment.Patellofemoral, "medial-tibial",
		"lateral-tibial"} {
		if row := rowOf(t, r, name); row.Voxels < 50 {
			t.Errorf("%+v", row)
		}
	}
	f = oneFailure(t, settingsOf("second-release", "oai-zib"))
	if !strings.Contains(f.Reason, "medial-tibial-cartilage: lies on both sides of the knee") ||
		!strings.Contains(f.Hint, "such as ski10") {
		t.Errorf("%s, hint %s", f.Reason, f.Hint)
	}
	s := settingsOf("tissues", "ski10")
	s.Protocol.Division.Method = protocol.DivideNone
	r = oneResult(t, s)
	var rows []string
	for _, c := range r.Compartments {
		rows = append(rows, c.Compartment)
		if c.Voxels < 200 {
			t.Errorf("%+v", c)
		}
	}
	if !slices.Equal(rows, []string{"femoral", "tibial"}) || r.Division != nil || len(r.Regions) > 0 {
		t.Errorf("rows %q, division %+v", rows, r.Division)
	}
}
