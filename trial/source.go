package trial

import "github.com/t2map/t2map/table"

// Tables are read by package table.
type (
	// Source is a table to be read.
	Source = table.Source
	// Format is the form in which it is written.
	Format = table.Format
)

// IsResults reports whether a table has the columns of compartments.csv.
func IsResults(s Source) bool {
	t, err := table.Read(s)
	return err == nil && t.Has("compartment") && t.Has("mean_t2_ms")
}
