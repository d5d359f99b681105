package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/volume"
)

// readResults maps two phantoms and returns the folder of results, their reads, and the rows of studies.csv.
func readResults(t *testing.T) (string, *reads.Store, []map[string]string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "results")
	mustCall(t, "run", studies(t, 2), "--scheme", "compartments", "--quiet", "--out", out)
	s, err := reads.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return out, s, readTable(t, filepath.Join(out, "studies.csv"))
}

// mapsOf reads the mask, T2 and status of a study.
func mapsOf(t *testing.T, dir string) (mask volume.Labels, t2 []float32, status []uint16) {
	t.Helper()
	read := func(name string, do func(*os.File) error) {
		f, err := os.Open(filepath.Join(dir, name))
		if err == nil {
			err = do(f)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	read("compartments.nii.gz", func(f *os.File) (err error) { mask, err = nifti.ReadLabels(f); return err })
	read("t2.nii.gz", func(f *os.File) error {
		_, frames, err := nifti.ReadFrames(f)
		t2 = frames[0]
		return err
	})
	read("status.nii.gz", func(f *os.File) error { l, err := nifti.ReadLabels(f); status = l.Data; return err })
	return mask, t2, status
}

// signRead signs a mask without changes.
func signRead(t *testing.T, s *reads.Store, reader string, k reads.Key, mask volume.Labels, r reads.Read) {
	t.Helper()
	d, err := s.Begin(reader, k, mask, []uint16{1, 2, 3}, reads.Scheme{Name: "compartments"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Name, r.Meaning = "Rosa Ader", "I have checked this mask"
	if _, err := s.Sign(d, r); err != nil {
		t.Fatal(err)
	}
}

// withoutRow is the mask without its voxels in rows of odd number.
func withoutRow(mask volume.Labels) volume.Labels {
	out := volume.Labels{Geometry: mask.Geometry, Data: make([]uint16, len(mask.Data))}
	for v, value := range mask.Data {
		if mask.Index(v)[1]%2 == 0 {
			out.Data[v] = value
		}
	}
	return out
}

// The tables have the numbers that a plain calculation from the files gives.
func TestReadsCommand(t *testing.T) {
	results, s, table := readResults(t)
	signed := reads.Read{State: reads.Signed}
	want := map[string][3]float64{} // Dice and both means of T2, by study and label
	for _, row := range table {
		k := reads.Key{Study: row["study"], Series: row["series"]}
		mask, t2, status := mapsOf(t, filepath.Join(results, filepath.FromSlash(row["folder"])))
		other := withoutRow(mask)
		signRead(t, s, "R1", k, mask, signed)
		signRead(t, s, "R2", k, other, signed)
		k.Repeat = 1
		signRead(t, s, "R1", k, other, signed)
		for label := uint16(1); label <= 3; label++ {
			var n, sum [2]float64
			var voxels [2]int
			for v := range t2 {
				for side, value := range []uint16{mask.Data[v], other.Data[v]} {
					if value == label {
						voxels[side]++
						if status[v] == 1 {
							n[side]++
							sum[side] += float64(t2[v])
						}
					}
				}
			}
			want[fmt.Sprint(row["study"], " ", label)] = [3]float64{2 * float64(voxels[1]) / float64(voxels[0]+voxels[1]),
				sum[0] / n[0], sum[1] / n[1]}
		}
	}
	protocol := filepath.Join(t.TempDir(), "p.yaml")
	write(t, protocol, "reads: {min_dice: 0.99, max_wcv_percent: 50}\n")
	out := filepath.Join(t.TempDir(), "agreement")
	code, stdout, stderr := call("reads", results, "--protocol", protocol, "--out", out)
	if code != exitOK || stderr != "" {
		t.Fatalf("exit status %d\n%s%s", code, stdout, stderr)
	}
	for _, w := range []string{"R1 4 0 0 0 4 2", "R2 2 0 0 0 2 0", "R1, R2 medial 2 0.", "REPEATS OF",
		"wCV within a reader above 50 %: none.", "Dice below 0.99:", "R1 and R2, SA", "agreement_summary.csv"} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), w) {
			t.Errorf("%q is not in\n%s", w, stdout)
		}
	}
	rows := readTable(t, filepath.Join(out, "agreement.csv"))
	if len(rows) != 12 {
		t.Errorf("%d rows", len(rows))
	}
	for _, row := range rows {
		values := want[row["study"]+" "+row["label"]]
		for n, column := range []string{"dice", "mean_t2_a_ms", "mean_t2_b_ms"} {
			got, err := strconv.ParseFloat(row[column], 64)
			if err != nil || math.Abs(got-values[n]) > []float64{0.5001e-4, 0.5001e-2, 0.5001e-2}[n] {
				t.Errorf("%s of %v: want %g", column, row, values[n])
			}
		}
		if row["below_min_dice"] != "below" || row["subject"] == "" || row["kind"] == "within" != (row["reader_b"] == "R1") {
			t.Errorf("%v", row)
		}
	}
	// Where a read is the mask of the run, its T2 is that of the run.
	for _, own := range readTable(t, filepath.Join(results, "compartments.csv")) {
		for _, row := range rows {
			if row["study"] == own["study"] && row["name"] == own["compartment"] && row["mean_t2_a_ms"] != own["mean_t2_ms"] {
				t.Errorf("%s %s: %s ms, of the run %s", own["study"], own["compartment"], row["mean_t2_a_ms"], own["mean_t2_ms"])
			}
		}
	}
	for _, name := range []string{"reads.csv", "agreement_summary.csv", "dictionary/agreement.csv", "bland-altman-R1.R2.svg",
		"bland-altman-R1.pdf"} {
		text, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(name)))
		if err != nil || len(text) == 0 || strings.Contains(string(text), "Ader") {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		if strings.HasSuffix(name, "R2.svg") && !strings.Contains(string(text), "R2 − R1 (ms)") {
			t.Errorf("%s does not name the readers", name)
		}
	}
}

// A damaged read is named, and the others are evaluated. Texts of readers cannot change the terminal, and names of readers
// are not shown.
func TestReadsOfUnknownOrigin(t *testing.T) {
	results, s, table := readResults(t)
	keys := make([]reads.Key, len(table))
	var masks []volume.Labels
	for n, row := range table {
		keys[n] = reads.Key{Study: row["study"], Series: row["series"]}
		mask, _, _ := mapsOf(t, filepath.Join(results, filepath.FromSlash(row["folder"])))
		masks = append(masks, mask)
	}
	signRead(t, s, "R1", keys[0], masks[0], reads.Read{State: reads.Signed})
	signRead(t, s, "R2", keys[0], withoutRow(masks[0]), reads.Read{State: reads.Signed})
	signRead(t, s, "R1", keys[1], masks[1], reads.Read{State: reads.Query,
		Text: "Which \x1b[31mknee?\u202e\n" + strings.Repeat("long ", 100)})
	signRead(t, s, "R2", keys[1], masks[1], reads.Read{State: reads.Rejected, Reason: "motion"})
	signRead(t, s, "R3", keys[1], masks[1], reads.Read{State: reads.Signed})
	write(t, filepath.Join(results, "reads", "R3", keys[1].String(), "1", "read.json"), "{\x1b")
	write(t, filepath.Join(results, "S9", "result.json"), "{")
	code, stdout, stderr := call("reads", results)
	if code != exitFailed || strings.ContainsAny(stdout+stderr, "\x1b\u202e") || strings.Contains(stdout, "Ader") {
		t.Errorf("exit status %d\n%s%s", code, stdout, stderr)
	}
	text := strings.Join(strings.Fields(stdout), " ")
	for _, w := range []string{"R1 1 1 0 0 2 0", "R2 1 0 1 0 2 0", "R3 0 0 0 0 0 0", "R1, R2 medial 1",
		"open queries: R1, SB, baseline, right: Which [31mknee? long long", " long l…",
		"one pair has no spread: no limits of agreement: R1, R2 medial, R1, R2 lateral"} {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in\n%s", w, stdout)
		}
	}
	for _, w := range []string{"reads/R3/" + keys[1].String() + ": ", "read.json: ", "S9/result.json: cannot be read",
		"2 reads or files cannot be evaluated"} {
		if !strings.Contains(stderr, w) {
			t.Errorf("%q is not in\n%s", w, stderr)
		}
	}
}

// Folders without reads, and a folder for the tables that readers see, are refused.
func TestReadsUsage(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "with", "reads", "R1"), 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "p.yaml"), "reads: {min_dice: 2}\n")
	with := filepath.Join(dir, "with")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no folder":         {[]string{filepath.Join(dir, "none")}, "no such file"},
		"no reads":          {[]string{dir}, "it has no reads"},
		"tables in results": {[]string{with, "--out", filepath.Join(with, "agreement")}, "lies in the folder of results"},
		"results":           {[]string{with, "--out", with}, "lies in the folder of results"},
		"a limit":           {[]string{with, "--protocol", filepath.Join(dir, "p.yaml")}, "min_dice"},
		"workers":           {[]string{with, "--workers", "-1"}, "negative"},
	} {
		code, _, stderr := call(append([]string{"reads"}, c.args...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit status %d, %s", name, code, stderr)
		}
	}
	if code, stdout, stderr := call("reads", with); code != exitOK || !strings.Contains(stdout, "there is no agreement yet") {
		t.Errorf("exit status %d\n%s%s", code, stdout, stderr)
	}
}
