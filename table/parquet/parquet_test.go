package parquet

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	library "github.com/parquet-go/parquet-go"

	"github.com/t2map/t2map/table"
)

type row struct {
	Subject string
	T2      float64
	Voxels  int
}

var columns = []table.Column[row]{
	table.Text("subject", "Subject", table.FromImages, func(r row) string { return r.Subject }),
	table.Fixed("mean_t2_ms", "Mean T2", 2, func(r row) float64 { return r.T2 }).WithUnit("ms"),
	table.Count("voxels", "Voxels", func(r row) int { return r.Voxels }).WithTerms("0 or more"),
	table.Flag("few", "Few voxels", "yes", func(r row) bool { return r.Voxels < 10 }),
}

// sample has an empty cell of every kind, texts of several languages, and one that a spreadsheet would evaluate.
var sample = []row{{"S01", 38.126, 250}, {"=1+1", math.NaN(), -1}, {"", -0.5, 0}, {"Müller\n膝", 1e9, math.MaxInt64}}

func write(t testing.TB, rows []row) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, columns)
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The library reads what was written: names in the order of the table, types, nulls, metadata.
func TestWrite(t *testing.T) {
	data := write(t, sample)
	f, err := library.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	const want = `message table {
	optional binary subject (STRING);
	optional double mean_t2_ms;
	optional int64 voxels (INT(64,true));
	optional binary few (STRING);
}`
	if got := f.Schema().String(); got != want {
		t.Errorf("%s", got)
	}
	var rows []string
	groups := f.RowGroups()
	reader := groups[0].Rows()
	defer reader.Close()
	buffer := make([]library.Row, len(sample))
	n, err := reader.ReadRows(buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	for _, r := range buffer[:n] {
		rows = append(rows, fmt.Sprintf("%v", r))
	}
	if got, want := strings.Join(rows, "\n"), "[S01 38.13 250 <null>]\n[=1+1 <null> <null> yes]\n[<null> -0.5 0 yes]\n"+
		"[Müller 膝 1e+09 9223372036854775807 <null>]"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for key, want := range map[string]string{"column.mean_t2_ms.unit": "ms", "column.mean_t2_ms.label": "Mean T2",
		"column.voxels.terms": "0 or more", "column.subject.origin": "images"} {
		if got, ok := f.Lookup(key); !ok || got != want {
			t.Errorf("%s: %q", key, got)
		}
	}
	if _, ok := f.Lookup("column.subject.unit"); ok {
		t.Error("a column without a unit has one")
	}
}

// Large tables have several groups of rows, and as many rows as were written.
func TestGroups(t *testing.T) {
	rows := many(2*rowsPerGroup + 5)
	data := write(t, rows)
	f, err := library.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil || f.NumRows() != int64(len(rows)) || len(f.RowGroups()) != 3 {
		t.Fatal(err, f.NumRows(), len(f.RowGroups()))
	}
	if n := write(t, nil); len(n) == 0 {
		t.Error("an empty table has no file")
	}
}

func many(n int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{"S" + strconv.Itoa(i), 20 + float64(i%4000)/100, i % 1000}
	}
	return rows
}

// The same bytes, again and on other processors: .ci/run runs this test on arm64 too.
func TestSameBytesEverywhere(t *testing.T) {
	data := write(t, many(3*rowsPerGroup/2))
	if again := write(t, many(3*rowsPerGroup/2)); !bytes.Equal(data, again) {
		t.Error("two files differ")
	}
	const want = "a0c7a6203d417f17"
	if got := fmt.Sprintf("%x", sha256.Sum256(data))[:16]; got != want {
		t.Errorf("%d bytes, %s, want %s", len(data), got, want)
	}
}

// The memory of a writer does not grow with the rows, but for the list of its groups: 4 KB for each group of
// 4,096 rows.
func TestMemory(t *testing.T) {
	w := NewWriter(io.Discard, columns)
	heap := func(rows int) uint64 {
		for i := range rows {
			if err := w.Write(row{"S" + strconv.Itoa(i), 20 + float64(i%4000)/100, i}); err != nil {
				t.Fatal(err)
			}
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // the first leaves what pools hold
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	few, more := heap(3*rowsPerGroup), heap(20*rowsPerGroup)
	if more > few+1<<20 {
		t.Errorf("%d bytes after 3 groups, %d after 23", few, more)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWrongNumber(t *testing.T) {
	for kind, want := range map[table.Kind]string{table.Integer: "not a whole number", table.Numeric: "not a number"} {
		for _, text := range []string{"abc", "NaN", "1,5"} {
			c := table.Column[row]{Name: "x", Kind: kind, Cell: func(row) string { return text }}
			err := NewWriter(io.Discard, []table.Column[row]{c}).Write(sample[0])
			if err == nil || !strings.Contains(err.Error(), `row 1: x: "`+text+`" is `+want) {
				t.Errorf("%v", err)
			}
		}
	}
}

// pandas, pyarrow and DuckDB read the same values, types, nulls and units. T2MAP_PYTHON is a Python that has them.
func TestOtherReaders(t *testing.T) {
	python, given := os.LookupEnv("T2MAP_PYTHON")
	if !given {
		python = "python3"
	}
	for _, reader := range []string{"pyarrow", "pandas", "duckdb"} {
		t.Run(reader, func(t *testing.T) {
			if err := exec.Command(python, "-c", "import pyarrow, "+reader).Run(); err != nil && !given {
				t.Skip(reader + " is absent: .ci/run installs it, and names its Python in T2MAP_PYTHON")
			} else if err != nil {
				t.Fatal(python, " has no ", reader)
			}
			path := filepath.Join(t.TempDir(), "t.parquet")
			if err := os.WriteFile(path, write(t, sample), 0o666); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(python, filepath.Join("testdata", "read.py"), reader, path).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
