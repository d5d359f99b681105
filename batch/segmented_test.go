package batch

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/internal/segmenter"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// segmented returns settings by which the program makes the masks of a phantom that has none,
// and asks that nothing of it is left in the folder for temporary files.
func segmented(t testing.TB, dir string, s protocol.Segmenter) Settings {
	t.Helper()
	study := filepath.Join(dir, "studies", "a")
	if _, err := os.Stat(study); err != nil {
		kneeAs(t, study, dicomtest.Form{})
		remove(t, filepath.Join(study, "labels.nii.gz"))
	}
	out := settings(t, dir)
	out.Protocol.Segment = s
	emptyScratch(t)
	return out
}

func emptyScratch(t testing.TB) {
	t.Helper()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Cleanup(func() {
		if entries, err := os.ReadDir(tmp); err != nil || len(entries) > 0 {
			t.Errorf("left in the folder for temporary files: %v, %v", entries, err)
		}
	})
}

// rows are the compartments as text, where NaN equals NaN.
func rows(r report.Result) []string {
	var out []string
	for _, c := range r.Compartments {
		out = append(out, fmt.Sprintf("%+v", c))
	}
	return out
}

// The mask that a program makes gives the very results of the same mask as a file, and what
// was made of what is recorded.
func TestSegmentedAsByFile(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	r := oneResult(t, s)
	study := filepath.Join(dir, "studies", "a")
	copyFile(t, filepath.Join(r.Dir, "segmentation.nii.gz"), filepath.Join(study, "labels.nii.gz"))
	other := settings(t, dir)
	other.Out = filepath.Join(dir, "by-file")
	want := oneResult(t, other)
	if d := cmp.Diff(rows(want), rows(r)); d != "" || r.Compartments[0].Used == 0 {
		t.Error(d)
	}
	hashes := func(r report.Result) map[string]string {
		out := map[string]string{}
		for _, f := range r.Outputs {
			if f.Path != "segmentation.nii.gz" {
				out[f.Path] = f.SHA256
			}
		}
		return out
	}
	if d := cmp.Diff(hashes(want), hashes(r)); d != "" {
		t.Error(d)
	}
	files := tree(t, r.Dir)
	p := r.Mask.Program
	if r.Mask.Kind != "program" || r.Mask.Path != "segmentation.nii.gz" || p == nil || p.Series != r.Series ||
		p.InputSHA256 != files["anatomy.nii.gz"] || p.OutputSHA256 != files["segmentation.nii.gz"] {
		t.Errorf("%+v %+v, files %v", r.Mask, p, files)
	}
	if !slices.Contains(r.Outputs, report.File{Path: "segmentation.nii.gz", SHA256: files["segmentation.nii.gz"]}) {
		t.Errorf("outputs %v", r.Outputs)
	}
	if len(r.Inputs)+1 != len(want.Inputs) || !cmp.Equal(r.Inputs, want.Inputs[:len(r.Inputs)]) {
		t.Errorf("inputs %v, want those of %v without the mask", r.Inputs, want.Inputs)
	}
	m := r.Protocol.Segmenter
	exe, _ := os.Executable()
	if m == nil || m.TimeoutS != 1800 || m.Version != "" || len(m.Files) != 1 ||
		m.Files[0].Path != filepath.Base(exe) || len(m.Files[0].SHA256) != 64 ||
		!slices.Equal(m.Command, []string{filepath.Base(exe), asSegmenter, "thresholds", "{input}", "{output}"}) {
		t.Errorf("%+v", m)
	}
	for name, want := range map[string]string{"studies.csv": ",segmentation.nii.gz,program,",
		"index.html": "segmented by " + filepath.Base(exe) + " " + asSegmenter} {
		text, err := os.ReadFile(filepath.Join(s.Out, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not have %q (%v)", name, want, err)
		}
	}
	if r.Protocol.Maps != "full" || want.Protocol.Segmenter != nil || want.Mask.Program != nil {
		t.Errorf("%+v", want.Mask)
	}
}

// Programs write label maps in their own order of axes, not compressed, and under other names.
func TestSegmentedInOtherForms(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	want := oneResult(t, s)
	for _, mode := range []string{"flipped", "plain"} {
		s.Protocol.Segment, s.Out = segmenterFor(t, mode), filepath.Join(dir, mode)
		s.Protocol.Maps = protocol.MapsNone // the mask is kept all the same
		r := oneResult(t, s)
		if d := cmp.Diff(rows(want), rows(r)); d != "" {
			t.Errorf("%s: %s", mode, d)
		}
		kept := tools.ReadMap(t, filepath.Join(r.Dir, "segmentation.nii.gz"))
		if raw, err := os.ReadFile(filepath.Join(r.Dir, "segmentation.nii.gz")); err != nil || !bytes.HasPrefix(raw,
			[]byte{0x1f, 0x8b}) {
			t.Errorf("%s: not in gzip (%v)", mode, err)
		}
		if swapped := mode == "flipped"; (kept.Size != want.Size) != swapped {
			t.Errorf("%s: kept on %v", mode, kept.Size)
		}
	}
}

// Two studies are segmented at a time, each by its own image.
func TestSegmentedSideBySide(t *testing.T) {
	dir := t.TempDir()
	for n := range 4 {
		study := filepath.Join(dir, "studies", fmt.Sprint(n))
		knee(t, study, phantom.Options{Subject: fmt.Sprintf("S%d", n), Seed: uint64(n)})
		remove(t, filepath.Join(study, "labels.nii.gz"))
	}
	emptyScratch(t)
	s := settings(t, dir)
	s.Protocol.Segment = segmenterFor(t, "thresholds")
	side := run(t, s)
	s.Out, s.Workers = filepath.Join(dir, "one-by-one"), 1
	single := run(t, s)
	if len(side.Results) != 4 || len(single.Results) != 4 {
		t.Fatalf("%+v %+v", side.Failures, single.Failures)
	}
	seen := map[string]bool{}
	for n, r := range side.Results {
		if d := cmp.Diff(rows(single.Results[n]), rows(r)); d != "" || r.Subject != single.Results[n].Subject {
			t.Errorf("%s: %s", r.Subject, d)
		}
		seen[r.Mask.Program.InputSHA256] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d different images", len(seen))
	}
}

// The program learns nothing of the patient, the subject or the study.
func TestSegmenterSeesNoIdentity(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "folder-of-jane")
	scan(t, study, "SUBJECT-77", false)
	remove(t, filepath.Join(study, "labels.nii.gz"))
	emptyScratch(t)
	s := settings(t, dir)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	record := filepath.Join(dir, "told")
	s.Protocol.Segment = segmenterFor(t, "tell", record)
	oneFailure(t, s) // it writes no label map
	text, err := os.ReadFile(record)
	if err != nil || !bytes.Contains(text, []byte("magnitude, see result.json")) {
		t.Fatalf("%q, %v", text, err)
	}
	for keyword, secret := range secrets {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the program is told the %s", keyword)
		}
	}
	for _, secret := range []string{"SUBJECT-77", "folder-of-jane", "2.25.900"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the program is told %s", secret)
		}
	}
}

// The program gets the series that is named, and nothing is taken in its place.
func TestSegmenterInput(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "s07")
	scan(t, study, "S07", false)
	remove(t, filepath.Join(study, "labels.nii.gz"))
	emptyScratch(t)
	onGrid := func(number int, description, frame string) {
		protonDensity(t, study, func(n int, im *dicomwrite.Image) {
			im.SeriesUID, im.SeriesNumber, im.SeriesDescription, im.FrameOfReferenceUID = fmt.Sprintf("2.25.900.7.%d",
				number), number, description, frame
			im.InstanceUID = fmt.Sprintf("2.25.900.8.%d.%d", number, n)
			im.Rows, im.Columns, im.PixelSpacing, im.Position, im.SliceThickness = 8, 8, [2]float64{1,
				1}, [3]float64{3 * float64(n), 0, 0}, 3
			im.Pixels = make([]int32, 64)
			for v := range im.Pixels {
				im.Pixels[v] = int32(200*(v%2) + number)
			}
		})
	}
	onGrid(5, "SAG DESS", "2.25.900.4")
	for _, old := range []string{"A2.25.900.7.5_7", "A2.25.900.7.5_6"} {
		remove(t, filepath.Join(study, old)) // two slices, as the train has
	}
	s := settings(t, dir)
	s.Protocol.Segment = segmenterFor(t, "thresholds")
	for _, name := range []string{"sag*dess*", "5"} {
		s.Protocol.Segment.Input, s.Out = name, t.TempDir()
		r := oneResult(t, s)
		voxels := 0
		for _, c := range r.Compartments {
			voxels += c.Voxels
		}
		if voxels != 64 || r.Mask.Program.Series == r.Series || r.Protocol.Segmenter.Input != name {
			t.Errorf("%d voxels, %+v", voxels, r.Mask.Program)
		}
		if n := slices.IndexFunc(r.Inputs, func(f report.File) bool {
			return strings.Contains(f.Path,
				"A2.25.900.7.5_8")
		}); n < 0 {
			t.Errorf("inputs %v", r.Inputs)
		}
	}
	protonDensity(t, study, nil)
	onGrid(6, "SAG DESS again", "2.25.900.5")
	s.Protocol.Segment.Input, s.Out = "SAG PD fs", t.TempDir() // which has another grid
	r := oneResult(t, s)
	kept := tools.ReadMap(t, filepath.Join(r.Dir, "segmentation.nii.gz"))
	if used := slices.IndexFunc(r.Compartments, func(c segment.Summary) bool { return c.Voxels > 0 }); used < 0 ||
		kept.Size != [3]int{12, 10, 4} || kept.Size == r.Size {
		t.Errorf("%+v, kept on %v", r.Compartments, kept.Size)
	}
	for name, want := range map[string]string{
		"cor*":       "segment: no series of the study fits input cor*",
		"sag*":       "segment: 3 series fit input sag*: number ",
		"*again":     "(number 6) is not in the frame of reference (0020,0052) of the mapped series",
		"SAG PD fs ": "no series of the study fits",
	} {
		s.Protocol.Segment.Input, s.Out = name, t.TempDir()
		if f := oneFailure(t, s); !strings.Contains(f.Reason, want) || f.Hint == "" {
			t.Errorf("%s: %s (%s), want %s", name, f.Reason, f.Hint, want)
		}
	}
}

// A mask that a reader has corrected is named in the manifest, and no program is run for it.
func TestCorrectedSegmentation(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	want := oneResult(t, s)
	copyFile(t, filepath.Join(want.Dir, "segmentation.nii.gz"), filepath.Join(dir, "studies", "a", "corrected.nii.gz"))
	s.Manifest = filepath.Join(dir, "manifest.csv")
	if err := os.WriteFile(s.Manifest, []byte("folder,subject,mask\nstudies/a,S01,corrected.nii.gz\n"),
		0o666); err != nil {
		t.Fatal(err)
	}
	s.Rename = true
	r := oneResult(t, s)
	if d := cmp.Diff(rows(want), rows(r)); d != "" || r.Mask.Kind != "NIfTI" || r.Mask.Program != nil ||
		r.Protocol.Segmenter == nil {
		t.Errorf("%+v %s", r.Mask, d)
	}
}

// inspect says what would be run, and runs nothing.
func TestInspectSegmenter(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "hang"))
	s.Protocol.Segment.Version = append(slices.Clone(s.Protocol.Segment.Command[:3]), "x")
	in, err := Inspect(t.Context(), s)
	if err != nil || in.Failed() > 0 {
		t.Fatalf("%+v, %v", in, err)
	}
	st := in.Studies[0]
	exe, _ := os.Executable()
	want := fmt.Sprintf("map series %s (number %d) with the label map that %s makes from series %[1]s (number %[2]d)",
		st.Series[0].Series, st.Series[0].Number, filepath.Base(exe))
	if st.Action != want || st.Mask == nil || st.Mask.Kind != "program" ||
		st.Mask.Program.Series != st.Series[0].Series {
		t.Errorf("%s, want %s; %+v", st.Action, want, st.Mask)
	}
	s.Protocol.Segment.Command = []string{"no-such-segmenter", "{input}", "{output}"}
	if _, err := Inspect(t.Context(), s); !errors.As(err, new(*segmenter.NotFoundError)) || hint.Find(err) == "" {
		t.Errorf("%v", err)
	}
	if _, err := Run(t.Context(), s); !errors.As(err, new(*segmenter.NotFoundError)) || hint.Find(err) == "" {
		t.Errorf("%v", err)
	}
	s.Protocol.Segment, s.Mask = segmenterFor(t, "hang"), "x.nii.gz"
	if _, err := Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), "--mask x.nii.gz: a program makes "+
		"the masks") || hint.Find(err) == "" {
		t.Errorf("%v", err)
	}
}
