package batch

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
)

// secondTrain copies the study's images as a series of their own.
func secondTrain(t testing.TB, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "again"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		data = changeUID(t, data, []byte{0x20, 0, 0x0e, 0, 'U', 'I'})
		if err := os.WriteFile(filepath.Join(dir, "again", filepath.Base(f)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// changeUID changes the last digit of the UID element that begins so.
func changeUID(t testing.TB, data, element []byte) []byte {
	t.Helper()
	offset := bytes.Index(data, element)
	if offset < 0 {
		t.Fatal("no such element")
	}
	end := offset + 8 + int(data[offset+6])
	for data[end-1] == 0 {
		end--
	}
	data[end-1] = '0' + (data[end-1]-'0'+1)%10
	return data
}

func TestSeriesIsChosen(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	secondTrain(t, study)
	in, err := Inspect(context.Background(), settings(t, dir))
	if err != nil || len(in.Studies) != 1 || len(in.Studies[0].Series) != 2 || in.Studies[0].Action != "fail" {
		t.Fatalf("%+v, %v", in, err)
	}
	for _, series := range in.Studies[0].Series {
		s := settings(t, dir)
		s.Series = series.Series[:8]
		out := run(t, s)
		if len(out.Results) != 1 || out.Results[0].Series != series.Series {
			t.Errorf("--series %s: %+v", s.Series, out)
		}
	}
}

// otherSide says of the images of secondTrain that they are of the left knee.
func otherSide(t testing.TB, dir string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "again", "*.dcm"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		right := []byte("\x20\x00\x60\x00CS\x02\x00R ")
		if bytes.Count(data, right) != 1 {
			t.Fatal("no such element")
		}
		data = bytes.Replace(data, right, []byte("\x20\x00\x60\x00CS\x02\x00L "), 1)
		if err := os.WriteFile(f, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The two knees of a study go to folders of their own, one after the other.
func TestTwoSeriesOfAStudy(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	secondTrain(t, study)
	otherSide(t, study)
	// The phantom's one knee lies in both series, so that in the left one medial and lateral change places.
	masks := map[string]string{"R": "labels.nii.gz", "L": "labels-left.nii.gz"}
	labels := labelsOf(t, filepath.Join(study, masks["R"]))
	for v, label := range labels.Data {
		labels.Data[v] = []uint16{0, 2, 1, 3}[label]
	}
	writeLabels(t, filepath.Join(study, masks["L"]), labels)
	in, err := Inspect(context.Background(), settings(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	s := settings(t, dir)
	for n, series := range in.Studies[0].Series {
		s.Series, s.Mask = series.Series, masks[series.Side]
		out := run(t, s)
		if len(out.Results) != 1 || out.Earlier != n || len(out.Failures) != 0 {
			t.Errorf("series %d: %d results, %d earlier, %v", n, len(out.Results), out.Earlier, out.Failures)
		}
	}
	table, err := os.ReadFile(filepath.Join(s.Out, "compartments.csv"))
	if err != nil || strings.Count(string(table), "\n") != 1+2*3 {
		t.Errorf("%v\n%s", err, table)
	}
}

// A second series of the same knee takes the place of the first in the tables.
func TestSecondSeriesReplacesTheFirst(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	secondTrain(t, study)
	s := settings(t, dir)
	in, err := Inspect(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for n, series := range in.Studies[0].Series {
		s.Series = series.Series
		out := run(t, s)
		if len(out.Results) != 1 || out.Earlier != 0 || len(out.Remarks) != n || tableRows(t, s.Out) != 3 {
			t.Errorf("series %d: %+v, %d rows", n, out, tableRows(t, s.Out))
		}
	}
}
