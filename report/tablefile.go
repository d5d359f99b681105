package report

import (
	"io"

	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/table/parquet"
)

// rowWriter writes rows in the format of a file: table.Writer or parquet.Writer.
type rowWriter[R any] interface {
	Write(R) error
	Close() error
}

// tableFile is a file to which rows are written. An error ends it: it takes no more rows, and commit returns the error.
type tableFile[R any] struct {
	file *outfile.File // nil after an error
	rows rowWriter[R]
	err  error
}

func newTableFile[R any](path string, format func(io.Writer) rowWriter[R]) *tableFile[R] {
	file, err := outfile.Create(path)
	if err != nil {
		return &tableFile[R]{err: err}
	}
	return &tableFile[R]{file: file, rows: format(file)}
}

func (f *tableFile[R]) write(row R) {
	if f.err != nil {
		return
	}
	if err := f.rows.Write(row); err != nil {
		f.abort(err)
	}
}

// commit replaces the file.
func (f *tableFile[R]) commit() error {
	if f.err != nil {
		return f.err
	}
	if err := f.rows.Close(); err != nil {
		f.abort(err)
		return f.err
	}
	return f.file.Commit()
}

// abort leaves the file as it was.
func (f *tableFile[R]) abort(err error) {
	if f.err == nil {
		f.err = f.file.Abort(err)
	}
}

// tableFiles are the files of a table: CSV and Parquet.
type tableFiles[R any] struct{ csv, parquet *tableFile[R] }

func newTableFiles[R any](csvPath, parquetPath string, columns []table.Column[R]) *tableFiles[R] {
	return &tableFiles[R]{
		newTableFile(csvPath, func(w io.Writer) rowWriter[R] { return table.NewWriter(w, columns) }),
		newTableFile(parquetPath, func(w io.Writer) rowWriter[R] { return parquet.NewWriter(w, columns) }),
	}
}

func (t *tableFiles[R]) write(row R) {
	t.csv.write(row)
	t.parquet.write(row)
}

func (t *tableFiles[R]) abort(err error) {
	t.csv.abort(err)
	t.parquet.abort(err)
}
