package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/batch/internal/segmenter"
	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

// segmented returns settings by which the program makes the masks of a phantom that has none,
// and asks that nothing of it is left in the folder for temporary files.
func segmented(t testing.TB, dir string, s Segmenter) Settings {
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
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("left in the folder for temporary files: %v, %v", left, err)
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
	if r.Mask.Kind != "program" || r.Mask.Path != "segmentation.nii.gz" || p == nil || p.Series != r.Series || p.InputSHA256 != files["anatomy.nii.gz"] || p.OutputSHA256 != files["segmentation.nii.gz"] {
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
	if m == nil || m.TimeoutS != 1800 || m.Version != "" || len(m.Files) != 1 || m.Files[0].Path != filepath.Base(exe) || len(m.Files[0].SHA256) != 64 ||
		!slices.Equal(m.Command, []string{filepath.Base(exe), asSegmenter, "thresholds", "{input}", "{output}"}) {
		t.Errorf("%+v", m)
	}
	for name, want := range map[string]string{"studies.csv": ",segmentation.nii.gz,program,", "index.html": "segmented by " + filepath.Base(exe) + " " + asSegmenter} {
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
	for _, how := range []string{"flipped", "plain"} {
		s.Protocol.Segment, s.Out = segmenterFor(t, how), filepath.Join(dir, how)
		s.Protocol.Maps = MapsNone // the mask is kept all the same
		r := oneResult(t, s)
		if d := cmp.Diff(rows(want), rows(r)); d != "" {
			t.Errorf("%s: %s", how, d)
		}
		kept := readMap(t, filepath.Join(r.Dir, "segmentation.nii.gz"))
		if raw, err := os.ReadFile(filepath.Join(r.Dir, "segmentation.nii.gz")); err != nil || !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
			t.Errorf("%s: not in gzip (%v)", how, err)
		}
		if swapped := how == "flipped"; (kept.Size != want.Size) != swapped {
			t.Errorf("%s: kept on %v", how, kept.Size)
		}
	}
}

// What a program does wrong fails its study, with a typed error, a hint and no trace.
func TestSegmenterFailures(t *testing.T) {
	dir := t.TempDir()
	base := segmented(t, dir, Segmenter{})
	for how, c := range map[string]struct {
		want string // the end of the reason
		as   any
		hint string
	}{
		"hang":      {"not finished after 1s; it printed nothing", new(*segmenter.TimeoutError), "`timeout`"},
		"fail":      {"exit status 3; it printed at last: Traceback | RuntimeError: CUDA out of memory in {dir}/input/knee_0000.nii.gz", new(*segmenter.ExitError), "by hand"},
		"kill":      {"ended by a signal (killed); it printed nothing", new(*segmenter.SignalError), "--workers 1"},
		"nothing":   {"no label map (.nii, .nii.gz) in {dir}/output", new(*segmenter.NoOutputError), "{output}"},
		"two":       {"2 label maps in {dir}/output, want one: knee.nii.gz, other.nii.gz", new(*segmenter.ManyOutputsError), "--ml"},
		"huge":      {"the label map has 67108864 bytes, more than the 1245184 of one in float64 on the grid of the image", new(*segmenter.OutputSizeError), "NIfTI-1"},
		"vast":      {"its scratch folder holds more than 8192 MiB", new(*segmenter.ScratchSizeError), "probabilities"},
		"garbage":   {"", nil, "has to write a label map in NIfTI-1"},
		"truncated": {"", nil, "has to write a label map in NIfTI-1"},
		"placeless": {"", nil, "with its sform or qform"},
		"fractions": {"", nil, "whole numbers"},
		"moved":     {"its label map: mask grid differs from the series: voxel centres up to 5.00 mm apart (allowed 0.10 mm)", new(*segment.GridError), "resample it back"},
		"other":     {"its label map: mask is 32×64×6 voxels, the series 64×64×6", new(*segment.GridError), "resample it back"},
		"empty":     {"its label map marks no voxel", new(*EmptyMaskError), "look at the series"},
		"unknown":   {"mask: segmentation.nii.gz: scheme compartments does not know label 9 (2 voxels)", nil, "scheme"},
	} {
		t.Run(how, func(t *testing.T) {
			if runtime.GOOS == "windows" && (how == "kill" || how == "fail" || how == "vast") {
				t.Skip("there are no signals, paths have another separator, and sparse files are an option")
			}
			s := base
			emptyScratch(t)
			s.Out = t.TempDir()
			s.Protocol.Segment = segmenterFor(t, how)
			if how == "hang" {
				s.Protocol.Segment.Timeout = time.Second
			}
			f := oneFailure(t, s)
			if !strings.HasSuffix(f.Reason, c.want) || !strings.HasPrefix(f.Reason, "mask: ") || !strings.Contains(f.Hint, c.hint) || strings.Contains(f.Reason, os.TempDir()) {
				t.Errorf("%s (%s), want %s (%s)", f.Reason, f.Hint, c.want, c.hint)
			}
			if c.as == nil {
				return
			}
			j := jobOf(t, s)
			var err error
			if s.Protocol.Segment, err = s.Protocol.Segment.identified(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err = j.readMask(t.Context(), s.Protocol)
			var p *ProgramError
			if !errors.As(err, c.as) || !errors.As(err, &p) || !errors.As(err, new(*settingError)) {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

// jobOf returns the job of the one study.
func jobOf(t *testing.T, s Settings) Job {
	t.Helper()
	found, err := s.find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = found.Close() })
	s.searched(found)
	j := s.newJob(found.Studies[0])
	if err := s.choose(&j); err != nil {
		t.Fatal(err)
	}
	return j
}

// A failure of the program does not take away what an earlier run of it has made.
func TestSegmenterFailureLeavesResult(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	oneResult(t, s)
	s.Protocol.Segment.Timeout = time.Nanosecond // no setting that moves figures
	out := run(t, s)
	if len(out.Failures) != 1 || !strings.HasSuffix(out.Failures[0].Reason, "the earlier result of the study stays in the tables") || len(out.Earlier) != 1 {
		t.Errorf("%+v", out)
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

// A run that is interrupted leaves neither a program nor its folder.
func TestInterruptedSegmenter(t *testing.T) {
	dir := t.TempDir()
	pidFile := filepath.Join(dir, "pid")
	s := segmented(t, dir, segmenterFor(t, "hang", pidFile))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(time.Minute, cancel)
	go func() {
		for ctx.Err() == nil {
			if text, _ := os.ReadFile(pidFile); len(text) > 0 {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	start := time.Now()
	out, err := Run(ctx, s)
	if !errors.Is(err, context.Canceled) || len(out.NotDone) != 1 || len(out.Failures) > 0 || time.Since(start) > 30*time.Second {
		t.Errorf("%+v, %v", out, err)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := os.FindProcess(pid); runtime.GOOS != "windows" && (err != nil || p.Signal(syscall.Signal(0)) == nil) {
		t.Errorf("process %d is left (%v)", pid, err)
	}
}

// A series that cannot be read ends the program that is at work on its first echo.
func TestSegmenterOfDamagedSeries(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "hang"))
	j := jobOf(t, s)
	last := filepath.Join(dir, "studies", "a", "IM_0042.dcm")
	data, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(last, data[:len(data)-100], 0o666); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	j.Dir = filepath.Join(dir, "out")
	_, err = Process(t.Context(), j, s.Protocol, 1)
	if err == nil || !strings.HasPrefix(err.Error(), "read: ") || time.Since(start) > time.Minute {
		t.Errorf("%v", err)
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
	told := filepath.Join(dir, "told")
	s.Protocol.Segment = segmenterFor(t, "tell", told)
	oneFailure(t, s) // it writes no label map
	text, err := os.ReadFile(told)
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
			im.SeriesUID, im.SeriesNumber, im.SeriesDescription, im.FrameOfReferenceUID = fmt.Sprintf("2.25.900.7.%d", number), number, description, frame
			im.InstanceUID = fmt.Sprintf("2.25.900.8.%d.%d", number, n)
			im.Rows, im.Columns, im.PixelSpacing, im.Position, im.SliceThickness = 8, 8, [2]float64{1, 1}, [3]float64{3 * float64(n), 0, 0}, 3
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
		if n := slices.IndexFunc(r.Inputs, func(f report.File) bool { return strings.Contains(f.Path, "A2.25.900.7.5_8") }); n < 0 {
			t.Errorf("inputs %v", r.Inputs)
		}
	}
	protonDensity(t, study, nil)
	onGrid(6, "SAG DESS again", "2.25.900.5")
	s.Protocol.Segment.Input, s.Out = "SAG PD fs", t.TempDir() // which has another grid
	r := oneResult(t, s)
	kept := readMap(t, filepath.Join(r.Dir, "segmentation.nii.gz"))
	if used := slices.IndexFunc(r.Compartments, func(c segment.Summary) bool { return c.Voxels > 0 }); used < 0 || kept.Size != [3]int{12, 10, 4} || kept.Size == r.Size {
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
	if err := os.WriteFile(s.Manifest, []byte("folder,subject,mask\nstudies/a,S01,corrected.nii.gz\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	s.Rename = true
	r := oneResult(t, s)
	if d := cmp.Diff(rows(want), rows(r)); d != "" || r.Mask.Kind != "NIfTI" || r.Mask.Program != nil || r.Protocol.Segmenter == nil {
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
	want := fmt.Sprintf("map series %s (number %d) with what %s makes of series %[1]s (number %[2]d)", st.Series[0].Series, st.Series[0].Number, filepath.Base(exe))
	if st.Action != want || st.Mask == nil || st.Mask.Kind != "program" || st.Mask.Program.Series != st.Series[0].Series {
		t.Errorf("%s, want %s; %+v", st.Action, want, st.Mask)
	}
	s.Protocol.Segment.Command = []string{"no-such-segmenter", "{input}", "{output}"}
	if _, err := Inspect(t.Context(), s); !errors.As(err, new(*segmenter.NotFoundError)) || Hint(err) == "" {
		t.Errorf("%v", err)
	}
	if _, err := Run(t.Context(), s); !errors.As(err, new(*segmenter.NotFoundError)) || Hint(err) == "" {
		t.Errorf("%v", err)
	}
	s.Protocol.Segment, s.Mask = segmenterFor(t, "hang"), "x.nii.gz"
	if _, err := Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), "--mask x.nii.gz, but") || Hint(err) == "" {
		t.Errorf("%v", err)
	}
}

// The example of the documentation works as it stands there: the script is run, and marks the
// sides of the patient right.
func TestSegmenterOfTheDocumentation(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "segmenter.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"thresholds.py", "segment.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, body, _ := strings.Cut(string(text), "\n"); !strings.Contains(string(doc), body) {
			t.Errorf("docs/segmenter.md shows another %s than testdata", name)
		}
	}
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import nibabel").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		t.Skip("python with nibabel (Debian: python3-nibabel) is not installed")
	}
	dir := t.TempDir()
	s := segmented(t, dir, Segmenter{})
	p, err := ReadProtocol(filepath.Join("..", "testdata", "segment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.Protocol, p.Segment.Command[0] = p, python
	r := oneResult(t, s)
	if m := r.Protocol.Segmenter; len(m.Files) != 2 || m.Files[1].Path != "thresholds.py" || m.TimeoutS != 300 || r.Protocol.Scheme != "compartments" {
		t.Errorf("%+v", m)
	}
	echo, labels := readMap(t, filepath.Join(r.Dir, "anatomy.nii.gz")), readLabels(t, filepath.Join(r.Dir, "compartments.nii.gz"))
	middle := 0.0
	for k := range echo.Size[2] {
		for j := range echo.Size[1] {
			for i := range echo.Size[0] {
				middle += echo.Position(float64(i), float64(j), float64(k))[0] / float64(echo.Voxels())
			}
		}
	}
	count := [3]int{}
	for v, x := range echo.Data {
		i, j, k := v%echo.Size[0], v/echo.Size[0]%echo.Size[1], v/echo.Size[0]/echo.Size[1]
		want := uint16(0)
		if x > 150 && x < 400 {
			want = 2
			if echo.Position(float64(i), float64(j), float64(k))[0] < middle { // in LPS, on the right
				want = 1
			}
		}
		count[want]++
		if labels[v] != want {
			t.Fatalf("voxel %d is marked %d, want %d", v, labels[v], want)
		}
	}
	if slices.Min(count[:]) == 0 {
		t.Errorf("voxels by label: %v", count)
	}
}

func readLabels(t *testing.T, path string) []uint16 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	return l.Data
}
