package printable

import (
	"bytes"
	"encoding/csv"
)

// CSV returns a table as CSV (RFC 4180, with line feeds); its first row has the names of
// the columns. Cells are written as they are: the caller passes texts of unknown origin
// through Cell.
func CSV(columns []string, rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	// Writing to a bytes.Buffer never fails.
	_ = w.Write(columns)
	_ = w.WriteAll(rows)
	return b.Bytes()
}
