package table

import (
	"encoding/csv"
	"io"
)

// Writer writes the rows of a table as CSV one after the other, in bounded memory.
type Writer[R any] struct {
	columns []Column[R]
	csv     *csv.Writer
	cells   []string
}

// NewWriter returns a writer of a table to w. The first row, which it writes, names the columns. The table is complete
// after Close.
func NewWriter[R any](w io.Writer, columns []Column[R]) *Writer[R] {
	out := &Writer[R]{columns: columns, csv: csv.NewWriter(w), cells: Heads(columns)}
	_ = out.csv.Write(out.cells) // Close returns the error
	return out
}

// Write appends a row.
func (w *Writer[R]) Write(r R) error {
	for i, c := range w.columns {
		w.cells[i] = c.Cell(r)
	}
	return w.csv.Write(w.cells)
}

// Close writes the end of the table. It does not close the underlying writer.
func (w *Writer[R]) Close() error {
	w.csv.Flush()
	return w.csv.Error()
}
