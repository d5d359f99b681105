package batch

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/volume"
)

// What a reader signs is the mask of the next run, voxel for voxel, and only its study is mapped again. Readers who
// disagree, and a rejection, are failures; an adjudicator decides.
func TestRunUsesSignedMask(t *testing.T) {
	dir, s := resumable(t)
	before := run(t, s).Results
	mask := readMask(t, filepath.Join(before[0].Dir, "compartments.nii.gz"))
	erased := erasedRun(mask, 3)
	scheme := s.Protocol.Scheme
	sign := func(reader string, r reads.Read, strokes ...drawing.Stroke) *reads.Read {
		t.Helper()
		store, err := reads.Open(s.Out)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		d, err := store.Begin(reader, reads.Key{Study: before[0].Study, Series: before[0].Series}, mask, []uint16{1, 2, 3},
			reads.Scheme{Name: scheme.Name, SHA256: scheme.Sum()}, "the mask of the run")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range strokes {
			if changed, err := d.Apply(one); err != nil || !changed {
				t.Fatal(changed, err)
			}
		}
		r.Name, r.Meaning, r.Change = "R. Ader", "I have drawn this mask", "more careful"
		signed, err := store.Sign(d, r)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	sumsOfReaders := func() (sums []string) {
		t.Helper()
		store, err := reads.Open(s.Out)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		all, _, err := store.Decisions(reads.Key{Study: before[0].Study, Series: before[0].Series})
		for _, one := range all {
			sums = append(sums, one.Sum)
		}
		if err != nil || len(sums) != 2 {
			t.Fatal(err, sums)
		}
		return sums
	}
	first := sign("R1", reads.Read{State: reads.Signed}, erased)
	again := run(t, s)
	if again.Mapped != 1 || again.Earlier != 1 || len(again.Failures) > 0 {
		t.Fatalf("%+v", again.Outcome)
	}
	used := readMask(t, filepath.Join(again.Results[0].Dir, "compartments.nii.gz"))
	for v := range mask.Data {
		want := mask.Data[v]
		if v >= erased.Runs[0].First && v < erased.Runs[0].First+3 {
			want = 0
		}
		if used.Data[v] != want {
			t.Fatalf("voxel %d has label %d, signed as %d", v, used.Data[v], want)
		}
	}
	result := again.Results[0]
	if sum := result.Compartments; total(sum) != total(before[0].Compartments)-3 {
		t.Errorf("%d voxels, before %d", total(sum), total(before[0].Compartments))
	}
	if last := result.Inputs[len(result.Inputs)-1]; last.Path != "reads/R1/"+first.Key.String()+"/1/mask.nii.gz" ||
		last.SHA256 != first.Mask {
		t.Errorf("input %+v", last)
	}
	checkRead(t, s.Out, result, report.SignedRead{Reader: "R1", Revision: 1, Time: first.Time, SHA256: sumOfRead(t, s.Out,
		first)}, "signed")
	if out := run(t, s); out.Mapped != 0 || out.Earlier != 2 {
		t.Errorf("%+v", out.Outcome)
	}
	v, err := Verify(t.Context(), s.Out, []string{filepath.Join(dir, "studies")}, 0)
	if err != nil || len(v.Findings) > 0 {
		t.Errorf("%v %+v", err, v)
	}

	two := s
	two.Protocol.Reads.Readers = 2
	own := run(t, two) // of two readers one has signed
	if len(own.Results) != 1 || own.Results[0].Mask.Read != nil {
		t.Errorf("%+v", own)
	}
	two.Protocol.Reads.Use = protocol.ReadsSigned
	if out := run(t, two); len(out.Failures) != 2 || !strings.Contains(out.Failures[0].Reason+out.Failures[1].Reason,
		"1 of 2 readers has signed") {
		t.Errorf("%+v", out.Failures)
	}
	scheme.Labels = slices.Clone(scheme.Labels)
	scheme.Labels[0], scheme.Labels[1] = segment.Label{Value: 1, Name: segment.Lateral}, segment.Label{Value: 2, Name: segment.Medial}
	sign("R1", reads.Read{State: reads.Signed})
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason,
		"another scheme with the name compartments") {
		t.Errorf("%+v", out.Failures)
	}
	scheme = s.Protocol.Scheme
	sign("R1", reads.Read{State: reads.Signed}, erased)
	sign("R2", reads.Read{State: reads.Signed})
	out := run(t, s)
	if len(out.Failures) != 1 || out.Failures[0].Code != report.ReasonRead ||
		!strings.Contains(out.Failures[0].Reason, "readers R1 and R2 have signed different masks") {
		t.Errorf("%+v", out.Failures)
	}
	judged := sign("A1", reads.Read{State: reads.Signed, Reason: "closer to the bone",
		Adjudicates: sumsOfReaders()}, erased)
	out = run(t, s)
	if out.Mapped != 1 || len(out.Failures) > 0 {
		t.Fatalf("%+v", out.Outcome)
	}
	checkRead(t, s.Out, out.Results[0], report.SignedRead{Reader: "A1", Revision: 1, Time: judged.Time, Adjudicated: true,
		SHA256: sumOfRead(t, s.Out, judged)}, "adjudicated")
	sign("A1", reads.Read{State: reads.Rejected, Reason: "motion", Adjudicates: sumsOfReaders()})
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, `"motion"`) {
		t.Errorf("%+v", out.Failures)
	}
	sign("R1", reads.Read{State: reads.Signed})
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "reader R1 signed after adjudicator A1") {
		t.Errorf("%+v", out.Failures)
	}
	// Without the adjudicator's decision: both readers have signed the same voxels.
	if err := os.RemoveAll(filepath.Join(s.Out, "reads", "A1")); err != nil {
		t.Fatal(err)
	}
	if out := run(t, s); out.Mapped != 1 || len(out.Failures) > 0 {
		t.Errorf("%+v", out.Failures)
	}
}

// checkRead checks the read in the result of a study and in both tables. The mask of no other study is a reader's.
func checkRead(t *testing.T, out string, r report.Result, want report.SignedRead, state string) {
	t.Helper()
	if diff := cmp.Diff(&want, r.Mask.Read); diff != "" {
		t.Errorf("the read of the mask (-want +got):\n%s", diff)
	}
	if want.Time.Location() != time.UTC || want.SHA256 == "" {
		t.Errorf("read %+v", want)
	}
	for _, name := range []string{"compartments.csv", "studies.csv"} {
		rows := 0
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		written, err := table.Read(table.Source{Name: name, Data: b})
		if err != nil {
			t.Fatal(err)
		}
		if err := written.Need("study", "mask_read"); err != nil {
			t.Fatal(err)
		}
		for _, row := range written.Rows {
			wanted := ""
			if row.Text("study") == r.Study {
				wanted = state
				rows++
			}
			if got := row.Text("mask_read"); got != wanted {
				t.Errorf("%s: study %s: mask_read %q, want %q", name, row.Text("study"), got, wanted)
			}
		}
		if rows == 0 {
			t.Errorf("%s has no row of the study", name)
		}
	}
}

// sumOfRead returns the SHA-256 of the read.json of a read.
func sumOfRead(t *testing.T, out string, r *reads.Read) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(out, reads.Folder, r.Reader, r.Key.String(), strconv.Itoa(r.Revision), "read.json"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// erasedRun returns a stroke that erases the first n neighbouring voxels with one label.
func erasedRun(m volume.Labels, n int) drawing.Stroke {
	for _, r := range drawing.Runs(m.Data) {
		if r.Length >= n {
			return drawing.Stroke{Tool: "eraser", Runs: []drawing.Run{{First: r.First, Length: n}}}
		}
	}
	panic("no label has so many voxels in a row")
}

func total(rows []segment.Summary) (n int) {
	for _, c := range rows {
		n += c.Voxels
	}
	return n
}

func readMask(t *testing.T, path string) volume.Labels {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Studies without a signed read, which the protocol requires, are known to the next run: their headers are not read again.
func TestUnreadStudiesAreInTheIndex(t *testing.T) {
	_, s := resumable(t)
	s.Protocol.Reads.Use = protocol.ReadsSigned
	first := run(t, s)
	headers := 0
	s.Progress = func(stage Stage, _, _ int) {
		if stage == StageHeaders {
			headers++
		}
	}
	again := run(t, s)
	if headers > 0 || len(again.Failures) != 2 || again.Failures[0] != first.Failures[0] ||
		again.Failures[0].Code != report.ReasonRead {
		t.Errorf("%d headers, %+v, before %+v", headers, again.Failures, first.Failures)
	}
}
