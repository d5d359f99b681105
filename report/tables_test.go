package report

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/volume"
)

// sampleCohort holds sampleStudies.
func sampleCohort(dir string) Cohort {
	results, failures := sampleStudies(dir)
	return Cohort{Version: "1.2.3", Results: Sorted(results), Failures: failures}
}

// sampleStudies has two finished studies of one subject, one of another with a
// hostile code, and two failures.
func sampleStudies(dir string) ([]Result, []Failure) {
	first := sampleResult(sampleGeometry())
	first.Dir = filepath.Join(dir, "S01", "month03")
	earlier := first
	earlier.Visit, earlier.Study, earlier.Notes = "baseline", "00ff", nil
	earlier.Dir = filepath.Join(dir, "S01", "baseline")
	earlier.Mask.Read = &SignedRead{Reader: "R1", Revision: 1, SHA256: "ab"}
	hostile := first
	hostile.Subject, hostile.Visit, hostile.Side = `=HYPERLINK("http://x","y")`, "../../etc", ""
	hostile.Protocol.Name = "site, \"two\"\nlines"
	hostile.Protocol.SkippedEchoes = 0
	hostile.Mask.SourceVisit, hostile.Mask.Read = "=baseline", nil
	hostile.Dir = filepath.Join(dir, "a b", "50%#1?")
	hostile.Compartments = slices.Clone(first.Compartments)
	hostile.Compartments[0].Compartment = "<b>&medial"
	return []Result{first, hostile, earlier}, []Failure{
		{Subject: "S02", Visit: "baseline", Study: "77aa", Folder: "S02/baseline",
			Code: ReasonEchoTimes, MemoryBytes: 1 << 28,
			Reason: "read: IM_0042: EchoTime (0018,0081): missing", Hint: "ask the site for the original export"},
		{Folder: "loose", Code: ReasonNoSeries, Reason: "-no multi-echo series"},
	}
}

func TestTablesGolden(t *testing.T) {
	dir := t.TempDir()
	if err := WriteTables(dir, sampleCohort(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"compartments.csv", "studies.csv"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, name, got)
	}
}

func TestTablesDoNotDependOnOrder(t *testing.T) {
	dir := t.TempDir()
	read := func(c Cohort) (all [3]string) {
		if err := WriteTables(dir, c); err != nil {
			t.Fatal(err)
		}
		for n, name := range []string{"compartments.csv", "studies.csv", "index.html"} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all[n] = string(b)
		}
		return all
	}
	want := read(sampleCohort(dir))
	results, failures := sampleStudies(dir)
	slices.Reverse(results)
	slices.Reverse(failures)
	first := results[0].Subject
	if diff := cmp.Diff(want, read(Cohort{Version: "1.2.3", Results: Sorted(results), Failures: failures})); diff != "" {
		t.Errorf("reversed input (-want +got):\n%s", diff)
	}
	if results[0].Subject != first {
		t.Error("the caller's slice was sorted")
	}
}

func TestTablesWithoutStudies(t *testing.T) {
	dir := t.TempDir()
	if err := WriteTables(dir, Cohort{Version: "1"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "compartments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Join(table.Heads(compartmentColumns), ",") + "\n"; string(got) != want {
		t.Errorf("got %q, want the header alone", got)
	}
	err = WriteTables(filepath.Join(dir, "absent"), Cohort{})
	if err == nil || !strings.Contains(err.Error(), "compartments.csv") {
		t.Errorf("absent folder: error %v, want one that names the file", err)
	}
}

// The columns of exclusions are named after the states of volume, in their order.
func TestExclusionColumns(t *testing.T) {
	var want []string
	for _, s := range volume.Exclusions {
		want = append(want, "excluded_"+s.String())
	}
	var got []string
	for _, c := range table.Heads(compartmentColumns) {
		if strings.HasPrefix(c, "excluded_") {
			got = append(got, c)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

// Every row has as many cells as the header, whatever the texts hold.
func TestTablesParse(t *testing.T) {
	dir := t.TempDir()
	if err := WriteTables(dir, sampleCohort("")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{compartmentsTable, studiesTable, qcTable} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll() // checks the number of cells
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := strings.Count(string(text), "\n"), len(rows); got != want {
			t.Errorf("%s: %d lines for %d rows: a cell holds a line end", name, got, want)
		}
	}
}

// A table that cannot be replaced does not keep the others from being written,
// and the error names it and says why.
func TestTablesAreWrittenAlone(t *testing.T) {
	files := []string{compartmentsTable, studiesTable, qcTable, compartmentsParquet, studiesParquet, qcParquet, pageFile,
		failuresPage}
	for _, blocked := range files {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, blocked), 0o755); err != nil {
			t.Fatal(err)
		}
		err := WriteTables(dir, sampleCohort(dir))
		if want := blocked + ": not written: a folder of that name exists: "; err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		for _, name := range files {
			info, statErr := os.Stat(filepath.Join(dir, name))
			if statErr != nil || info.IsDir() != (name == blocked) {
				t.Errorf("with %s blocked, %s was not written (%v)", blocked, name, statErr)
			}
			if err != nil && strings.Contains(err.Error(), name) != (name == blocked) {
				t.Errorf("with %s blocked: error %v", blocked, err)
			}
		}
		got := list(t, dir)
		if want := slices.Sorted(slices.Values(files)); blocked != pageFile { // without it, the page is not kept
			want = slices.Sorted(slices.Values(append(want, PageFolder)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("with %s blocked (-want +got):\n%s", blocked, diff)
			}
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with %s blocked (-want +got):\n%s", blocked, diff)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"compartments.csv", "index.html"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := WriteTables(dir, sampleCohort(dir))
	if err == nil || !strings.Contains(err.Error(), "compartments.csv: not written") ||
		!strings.Contains(err.Error(), "index.html: not written") {
		t.Errorf("error %v, want one that names both files", err)
	}
}

// Every file that a study can have, and every column of the tables, is explained in docs/results.md.
func TestResultsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	dir := t.TempDir()
	s := full()
	n := s.Echo.Voxels()
	s.Maps.Offset, s.Maps.B1, s.Maps.Echoes = make([]float32, n), make([]float32, n), make([]uint8, n)
	s.Anatomy = s.Echo
	if _, err := WriteStudy(filepath.Join(dir, "s"), s); err != nil {
		t.Fatal(err)
	}
	tree, _, _ := strings.Cut(text, "In the names of folders")
	for _, name := range append(list(t, filepath.Join(dir, "s")), compartmentsTable, studiesTable, qcTable,
		compartmentsParquet, studiesParquet, qcParquet, pageFile, PageFolder+"/", failuresPage, timingTable) {
		if !strings.Contains(tree, " "+name+" ") {
			t.Errorf("docs/results.md does not list the file %s", name)
		}
	}
	for _, section := range []struct {
		name    string
		columns []string
	}{{"## compartments.csv", table.Heads(compartmentColumns)}, {"## studies.csv", table.Heads(studyColumns)},
		{"## qc.csv", table.Heads(qcColumns)}, {"## timing.csv", table.Heads(timingColumns)},
		{"### Reasons for a missing result", reasonNames()}} {
		_, lines, _ := strings.Cut(text, section.name+"\n")
		lines, _, _ = strings.Cut(lines, "\n## ")
		lines, _, _ = strings.Cut(lines, "\n### ")
		explained := map[string]bool{}
		for _, line := range strings.Split(lines, "\n") {
			if cells := strings.Split(line, "|"); len(cells) > 2 {
				for _, c := range strings.Split(cells[1], ",") {
					explained[strings.TrimSpace(c)] = true
				}
			}
		}
		for _, c := range section.columns {
			if !explained[c] {
				t.Errorf("docs/results.md does not explain the column %s of %s", c, section.name)
			}
		}
	}
}

// reasonNames returns the codes of all reasons.
func reasonNames() (names []string) {
	for _, t := range reasonTexts {
		names = append(names, string(t.reason))
	}
	return names
}
