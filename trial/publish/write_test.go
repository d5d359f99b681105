package publish

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial"
)

// usual is a trial of two arms, three visits and four endpoints.
var usual = sample{arms: 2, visits: 3, perArm: 12, scores: true}

// samples are the trials that every file must be sound for.
func samples() map[string]trial.Analysis {
	return map[string]trial.Analysis{
		"usual":     usual.analysis(),
		"one arm":   sample{arms: 1, visits: 3, perArm: 8}.analysis(),
		"one visit": sample{arms: 2, visits: 1, perArm: 6}.analysis(),
		"six arms":  sample{arms: 6, visits: 5, perArm: 5, scores: true}.analysis(),
		"alone":     sample{arms: 2, visits: 2, perArm: 1}.analysis(),
		"visits":    sample{arms: 2, visits: 60, perArm: 3}.analysis(),
		"hostile":   hostile(),
	}
}

// written writes a report and returns its files by path.
func written(t *testing.T, dir string, a trial.Analysis, pictures ...figure.Picture) map[string]string {
	t.Helper()
	if err := Write(dir, a, pictures, nil); err != nil {
		t.Fatal(err)
	}
	return contents(t, dir)
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parsed(t *testing.T, name, content string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rows
}

func TestWritesTheSameBytes(t *testing.T) {
	a, b := written(t, t.TempDir(), usual.analysis(), picture("means")),
		written(t, t.TempDir(), usual.analysis(), picture("means"))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("two reports of one analysis differ:\n%s", diff)
	}
	for _, want := range []string{
		"trial.html", "trial.json", "analysis.R", "figures/means.svg", "figures/means.png", "figures/means.pdf",
		"description.csv", "lsmeans.csv", "contrasts.csv", "individuals.csv", "responders.csv", "correlations.csv",
		"values.csv", "quality.csv", "flags.csv", "flow.csv", "mk.csv", "adbds.csv", "dictionary/mk.csv",
	} {
		if a[want] == "" {
			t.Errorf("%s is missing or empty", want)
		}
	}
	if got, want := len(a), 3+2*12+3; got != want {
		t.Errorf("%d files, want %d", got, want)
	}
}

// A report replaces an earlier one and no other file.
func TestReplacesAnEarlierReport(t *testing.T) {
	dir := t.TempDir()
	written(t, dir, usual.analysis(), picture("means"), picture("gone"))
	for _, name := range []string{"figures/mine.png", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files := written(t, dir, sample{arms: 1, visits: 2, perArm: 3}.analysis(), picture("means"))
	for _, name := range []string{"figures/mine.png", "notes.txt", "figures/means.svg"} {
		if files[name] == "" {
			t.Errorf("%s is gone", name)
		}
	}
	if files["figures/gone.svg"] != "" || files["figures/gone.pdf"] != "" {
		t.Error("a picture of the earlier report stayed")
	}
	if strings.Contains(files["values.csv"], "WOMAC") {
		t.Error("values.csv is that of the earlier report")
	}
}

// Maps are in a separate folder. Maps of an earlier report that are not written again are removed.
func TestWritesMaps(t *testing.T) {
	dir := t.TempDir()
	a := usual.analysis()
	maps := []Map{{"S01-month12-unrolled-change", []byte("one")}, {"S02-month12-unrolled-change", []byte("two")}}
	if err := Write(dir, a, nil, maps); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "maps", "mine.nii.gz"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	for _, f := range Files(nil, maps) {
		if files[f] == "" {
			t.Errorf("%s is not written", f)
		}
	}
	if files["maps/S01-month12-unrolled-change.nii.gz"] != "one" ||
		!strings.Contains(files["trial.json"], `"S02-month12-unrolled-change"`) {
		t.Error("a map holds another content, or trial.json does not name it")
	}
	if err := Write(dir, a, nil, maps[:1]); err != nil {
		t.Fatal(err)
	}
	files = contents(t, dir)
	if files["maps/S02-month12-unrolled-change.nii.gz"] != "" ||
		files["maps/S01-month12-unrolled-change.nii.gz"] != "one" || files["maps/mine.nii.gz"] != "mine" {
		t.Error("a map of the earlier report stayed, or another file went")
	}
	for _, names := range [][]string{{"../x"}, {"a.b"}, {"x", "X"}} {
		var bad []Map
		for _, n := range names {
			bad = append(bad, Map{n, nil})
		}
		if err := Write(filepath.Join(t.TempDir(), "out"), a, nil, bad); err == nil ||
			!strings.Contains(err.Error(), "map") {
			t.Errorf("maps %q: error %v", names, err)
		}
	}
}

// trial.json of somebody else names no picture that could be removed.
func TestKeepsPicturesThatAreNotItsOwn(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "figures"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"figures/x.svg": "mine", "trial.json": `{"schema": "other/1", "pictures": ["x", "../notes"]}`,
		"notes.svg": "mine",
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files := written(t, dir, usual.analysis())
	if files["figures/x.svg"] != "mine" || files["notes.svg"] != "mine" {
		t.Error("a file that is not of a report was removed")
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"mk.csv", "trial.html"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := Write(dir, usual.analysis(), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "mk.csv: not written: a folder") ||
		!strings.Contains(err.Error(), "trial.html: not written") {
		t.Errorf("error %v, want one that names both files", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "adbds.csv")); err != nil {
		t.Error("one file kept another from being written")
	}
	for _, names := range [][]string{{"../x"}, {""}, {"a b"}, {"x", "X"}, {"con."}, {strings.Repeat("x", 101)}} {
		var pictures []figure.Picture
		for _, n := range names {
			pictures = append(pictures, picture(n))
		}
		empty := filepath.Join(t.TempDir(), "out")
		if err := Write(empty, usual.analysis(), pictures, nil); err == nil ||
			!strings.Contains(err.Error(), "picture") {
			t.Errorf("pictures %q: error %v", names, err)
		}
		if _, err := os.Stat(empty); err == nil {
			t.Errorf("pictures %q: something was written", names)
		}
	}
}

// Every table is a CSV with a dictionary of its columns. Its numbers are numbers, and a spreadsheet runs
// none of its cells.
func TestTablesAgreeWithTheirDictionaries(t *testing.T) {
	for name, a := range samples() {
		if name == "visits" && testing.Short() {
			continue
		}
		files := written(t, t.TempDir(), a)
		for path, content := range files {
			file, isDictionary := strings.CutPrefix(path, "dictionary/")
			if !isDictionary {
				continue
			}
			dictionary, rows := parsed(t, path, content), parsed(t, file, files[file])
			if diff := cmp.Diff(table.DictionaryColumns, dictionary[0]); diff != "" {
				t.Errorf("%s, %s: %s", name, path, diff)
			}
			var columns []string
			for _, d := range dictionary[1:] {
				columns = append(columns, d[0])
				if d[1] == "" || d[2] == "" || d[6] == "" {
					t.Errorf("%s, column %s: no label, type or origin", path, d[0])
				}
			}
			if diff := cmp.Diff(columns, rows[0]); diff != "" {
				t.Errorf("%s, %s (-dictionary +table):\n%s", name, file, diff)
			}
			checkCells(t, name+", "+file, dictionary[1:], rows[1:])
		}
	}
}

func checkCells(t *testing.T, name string, dictionary, rows [][]string) {
	t.Helper()
	for _, row := range rows {
		for i, cell := range row {
			_, err := strconv.ParseFloat(cell, 64)
			switch kind := dictionary[i][2]; {
			case cell == "":
			case kind == "number" && (err != nil || strings.ContainsAny(cell, "nNiI")):
				t.Fatalf("%s, %s: %q is not a number", name, dictionary[i][0], cell)
			case kind == "integer":
				if _, err := strconv.Atoi(cell); err != nil {
					t.Fatalf("%s, %s: %q is not an integer", name, dictionary[i][0], cell)
				}
			case kind == "text" && strings.ContainsAny(cell[:1], "=+-@\t\r") && err != nil:
				t.Fatalf("%s, %s: a spreadsheet would run %q", name, dictionary[i][0], cell)
			}
			if strings.ContainsAny(cell, "\n\r\u202e") || strings.ToValidUTF8(cell, "") != cell {
				t.Fatalf("%s, %s: %q is not one printable line", name, dictionary[i][0], cell)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	for name, a := range samples() {
		content, err := encode(&a, []string{"means"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		// encoding/json takes neither NaN nor Inf, nor two values.
		var v map[string]any
		if err := json.Unmarshal(content, &v); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v["schema"] != schema || len(v["pictures"].([]any)) != 1 {
			t.Errorf("%s: schema %v, pictures %v", name, v["schema"], v["pictures"])
		}
		if bytes.Contains(content, []byte(": null,\n  \"notes\"")) {
			t.Errorf("%s: an empty list is null", name)
		}
	}
}

// readBack is a part of trial.json as a program would read it.
type readBack struct {
	Design struct {
		Arms     []string
		Subjects []struct {
			ID  string
			BMI *float64
		}
	}
	Plan struct {
		Covariance string
		DF         string
		WithinCV   float64 `json:"within_cv"`
	}
	Endpoints []struct {
		Name, Direction string
		RC              *float64
		Values          [][]struct {
			X       *float64
			Missing *struct{ Kind, Detail string }
			Flags   []int
		}
		Cells [][]struct {
			Change struct {
				N    int
				Mean float64
			}
		}
		Changes [][]struct {
			Delta   *float64
			Verdict string
		}
		Model struct {
			LogLik  *float64                 `json:"log_lik"`
			LSMeans [][]struct{ DF float64 } `json:"ls_means"`
		}
		Contrasts []struct {
			Arm, Visit int
			NReference int `json:"n_reference"`
			Holm       *float64
			Wilcoxon   struct {
				Exact bool
				Shift struct{ Low float64 }
			}
		}
	}
	Inputs []struct{ SHA256 string }
}

// JSON has the numbers to the last bit, null for absent numbers, and words.
func TestJSONValues(t *testing.T) {
	a := usual.analysis()
	a.Endpoints[0].Cells[1][2].Change.Mean = 0.1 + 0.2
	a.Endpoints[0].Model.LogLik = nan
	content, err := encode(&a, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var v readBack
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatal(err)
	}
	e := v.Endpoints[0]
	if e.Cells[1][2].Change.Mean != 0.1+0.2 || e.Model.LogLik != nil || v.Endpoints[3].RC != nil || e.RC == nil ||
		v.Design.Subjects[4].BMI != nil {
		t.Errorf("numbers: mean %v, logLik %v, RC %v and %v", e.Cells[1][2].Change.Mean, e.Model.LogLik, e.RC,
			v.Endpoints[3].RC)
	}
	if e.Direction != "higher is worse" || v.Plan.Covariance != "unstructured" || v.Plan.DF != "kenward-roger" ||
		v.Plan.WithinCV != 0.05 {
		t.Errorf("words: %q %q %q", e.Direction, v.Plan.Covariance, v.Plan.DF)
	}
	if x := e.Values[2][2]; x.X != nil || x.Missing == nil || x.Missing.Kind != "no study" ||
		e.Values[1][0].Missing != nil {
		t.Errorf("a missing value: %+v", x)
	}
	if x := e.Values[0][1]; len(x.Flags) != 1 || a.Flags[x.Flags[0]].Kind != trial.ScannerChange {
		t.Errorf("a flagged value: %+v", x)
	}
	if c := e.Contrasts[1]; c.Visit != 2 || c.NReference != a.Endpoints[0].Contrasts[1].NReference || c.Holm == nil ||
		!c.Wilcoxon.Exact || c.Wilcoxon.Shift.Low != a.Endpoints[0].Contrasts[1].Wilcoxon.Shift.Low {
		t.Errorf("a contrast: %+v", c)
	}
	if e.Model.LSMeans[1][1].DF != a.Endpoints[0].Model.LSMeans[1][1].DF || len(v.Inputs[0].SHA256) != 64 ||
		e.Changes[0][0].Verdict != "none" || e.Changes[0][0].Delta != nil {
		t.Error("least-squares means, inputs or changes are not as they should be")
	}
}

// docs/trial.md names every file and every column.
func TestDocsNameEveryColumn(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "trial.md"))
	if err != nil {
		t.Fatal(err)
	}
	a := usual.analysis()
	for _, table := range tables(&a) {
		_, after, ok := strings.Cut(string(b), "\n### "+table.name+".csv\n")
		if !ok || !strings.Contains(string(b), "  "+table.name+".csv ") {
			t.Errorf("docs/trial.md has no %s.csv", table.name)
			continue
		}
		section, _, _ := strings.Cut(after, "\n### ")
		documented := map[string]bool{}
		for _, line := range strings.Split(section, "\n") {
			if cells := strings.Split(line, "|"); len(cells) > 2 {
				for _, name := range strings.Split(cells[1], ",") {
					documented[strings.TrimSpace(name)] = true
				}
			}
		}
		for _, c := range table.Columns {
			if !documented[c] {
				t.Errorf("docs/trial.md, %s.csv: no word of %s", table.name, c)
			}
			delete(documented, c)
		}
		for name := range documented {
			if name != "column" && name != "---" {
				t.Errorf("docs/trial.md, %s.csv: there is no column %s", table.name, name)
			}
		}
	}
}

// Files names exactly the files that Write writes, for any trial.
func TestFiles(t *testing.T) {
	for name, a := range samples() {
		pictures := []figure.Picture{picture("means")}
		files := written(t, t.TempDir(), a, pictures...)
		want := Files(pictures, nil)
		for _, f := range want {
			if _, there := files[f]; !there {
				t.Errorf("%s: %s is not written", name, f)
			}
		}
		if len(files) != len(want) {
			t.Errorf("%s: %d files are written, %d named", name, len(files), len(want))
		}
	}
}
