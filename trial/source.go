package trial

import (
	"fmt"

	"github.com/t2map/t2map/table"
)

// Tables are read by package table.
type (
	// Source is a table to be read.
	Source = table.Source
	// Format is how it is written.
	Format = table.Format
)

// Hint returns what can be done about an error of this package or of table; empty where there is
// nothing to say.
func Hint(err error) string { return table.Hint(err) }

// hinted joins an error and what can be done about it.
func hinted(hint, format string, a ...any) error {
	return &table.Error{Problem: fmt.Errorf(format, a...), Hint: hint}
}

// IsResults says whether a table has the columns of compartments.csv, for those who look for
// another.
func IsResults(s Source) bool {
	t, err := table.Read(s)
	return err == nil && t.Has("compartment") && t.Has("mean_t2_ms")
}
