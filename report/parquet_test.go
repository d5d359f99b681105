package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	library "github.com/parquet-go/parquet-go"
)

// The Parquet files have the cells of the CSV files, and the units of their columns.
func TestParquetIsTheTable(t *testing.T) {
	dir := t.TempDir()
	c := sampleCohort(dir)
	c.Failures = append(c.Failures, Failure{Subject: "=1+1", Visit: "-\x1b[31m", Reason: "+x"})
	if err := WriteTables(dir, c); err != nil {
		t.Fatal(err)
	}
	for name, unit := range map[string][2]string{
		"compartments": {"column.mean_t2_ms.unit", "ms"}, "studies": {"column.dx_mm.unit", "mm"},
		"qc": {"column.shift_px.unit", "px"},
	} {
		raw, err := os.ReadFile(filepath.Join(dir, name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, name+".parquet"))
		if err != nil {
			t.Fatal(err)
		}
		file, err := library.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := file.Lookup(unit[0]); got != unit[1] {
			t.Errorf("%s: %s is %q", name, unit[0], got)
		}
		for i, f := range file.Root().Columns() {
			if f.Name() != want[0][i] {
				t.Errorf("%s: column %d is %s, want %s", name, i, f.Name(), want[0][i])
			}
		}
		compareRows(t, name, file, want[1:])
	}
}

// compareRows compares the rows of a Parquet file with those of a CSV.
func compareRows(t *testing.T, name string, file *library.File, want [][]string) {
	t.Helper()
	if int(file.NumRows()) != len(want) {
		t.Fatalf("%s: %d rows, want %d", name, file.NumRows(), len(want))
	}
	rows := make([]library.Row, len(want))
	reader := file.RowGroups()[0].Rows()
	defer reader.Close()
	if n, err := reader.ReadRows(rows); n != len(want) || err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(n, err)
	}
	types := 0
	for i, r := range rows {
		for j, v := range r {
			cell := want[i][j]
			same := v.String() == cell || "'"+v.String() == cell
			switch v.Kind() {
			case library.Double:
				x, err := strconv.ParseFloat(cell, 64)
				same = err == nil && x == v.Double()
				types |= 1
			case library.Int64:
				types |= 2
			}
			if v.IsNull() {
				same = cell == ""
			}
			if !same || strings.HasPrefix(v.String(), "'") {
				t.Errorf("%s: row %d: %s: %q, want %q", name, i, file.Root().Columns()[j].Name(), v.String(), cell)
			}
		}
	}
	if types != 3 {
		t.Errorf("%s: no column has whole or other numbers", name)
	}
}
