package printable

import (
	"bytes"
	"encoding/csv"
)

// CSV returns the text of a table (RFC 4180, with line feeds), its first row the columns'
// names. Cells are written as they are: those of unknown origin have to go through Cell.
func CSV(columns []string, rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	// A bytes.Buffer takes everything, so there is no error to come.
	_ = w.Write(columns)
	_ = w.WriteAll(rows)
	return b.Bytes()
}
