// Package parquet writes tables of typed columns as Apache Parquet, for pandas, R, DuckDB and other programs that
// analyse large tables.
//
// A file has the columns and rows of the CSV of the same table. Numbers are DOUBLE, whole numbers are INT64 and texts
// are UTF-8. An empty cell is null. A text is not preceded by the apostrophe that protects spreadsheets from formulas.
// The file's key-value metadata describe each column: column.NAME.label, and unless they are empty column.NAME.unit,
// column.NAME.terms, column.NAME.derivation and column.NAME.origin.
//
// Equal rows give equal bytes, on every processor and with every number of processors.
package parquet

import (
	"fmt"
	"io"
	"math"
	"strconv"

	library "github.com/parquet-go/parquet-go"

	"github.com/t2map/t2map/table"
)

// rowsPerGroup limits the memory of a Writer: it holds one group of rows, encoded, which takes 1 MB for a table of 100
// columns. Readers skip groups by the ranges of their values, so that a group should not be too large either.
const rowsPerGroup = 1 << 11

// creator is the program in the file's metadata. It has no version, so that equal tables have equal bytes.
const creator = "t2map"

// Writer writes the rows of a table one after the other, in bounded memory.
type Writer[R any] struct {
	columns []table.Column[R]
	file    *library.GenericWriter[any]
	row     library.Row
	rows    int
}

// NewWriter returns a writer of a table to w. The file is complete after Close.
func NewWriter[R any](w io.Writer, columns []table.Column[R]) *Writer[R] {
	file := library.NewGenericWriter[any](w, schema(columns), library.CreatedBy(creator, "", ""),
		library.Compression(&codec{}),
		library.MaxRowsPerRowGroup(rowsPerGroup))
	for _, c := range columns {
		for _, entry := range []struct{ key, text string }{{"label", c.Label}, {"unit", c.Unit}, {"terms", c.Terms},
			{"derivation", c.Derivation}, {"origin", string(c.Origin)}} {
			if entry.text != "" {
				file.SetKeyValueMetadata("column."+c.Name+"."+entry.key, entry.text)
			}
		}
	}
	return &Writer[R]{columns: columns, file: file, row: make(library.Row, len(columns))}
}

// Write appends a row. A cell of a column of numbers that is neither empty nor a number is an error.
func (w *Writer[R]) Write(r R) error {
	w.rows++
	for i, c := range w.columns {
		v, err := value(c.Kind, c.Text(r))
		if err != nil {
			return fmt.Errorf("row %d: %s: %w", w.rows, c.Name, err)
		}
		present := 1 // the definition level of an optional column
		if v.IsNull() {
			present = 0
		}
		w.row[i] = v.Level(0, present, i)
	}
	_, err := w.file.WriteRows([]library.Row{w.row})
	return err
}

// Close writes the end of the file. It does not close the underlying writer.
func (w *Writer[R]) Close() error { return w.file.Close() }

// value converts the text of a cell. Null stands for an empty cell.
func value(kind table.Kind, text string) (library.Value, error) {
	if text == "" {
		return library.NullValue(), nil
	}
	switch kind {
	case table.Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return library.Value{}, fmt.Errorf("%.40q is not a whole number", text)
		}
		return library.Int64Value(n), nil
	case table.Numeric:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return library.Value{}, fmt.Errorf("%.40q is not a number", text)
		}
		return library.DoubleValue(x), nil
	}
	return library.ByteArrayValue([]byte(text)), nil
}

// ordered is a group of columns in the order of the table. The library's own groups are sorted by name.
type ordered struct {
	library.Group
	fields []library.Field
}

func (g ordered) Fields() []library.Field { return g.fields }

func schema[R any](columns []table.Column[R]) *library.Schema {
	group := library.Group{}
	for _, c := range columns {
		node := library.Encoded(library.String(), &library.RLEDictionary) // most texts occur in many rows
		switch c.Kind {
		case table.Integer:
			node = library.Int(64)
		case table.Numeric:
			node = library.Leaf(library.DoubleType)
		}
		group[c.Name] = library.Optional(node)
	}
	byName := map[string]library.Field{}
	for _, f := range group.Fields() {
		byName[f.Name()] = f
	}
	root := ordered{Group: group}
	for _, c := range columns {
		root.fields = append(root.fields, byName[c.Name])
	}
	return library.NewSchema("table", root)
}
