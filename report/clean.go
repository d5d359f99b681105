package report

import "github.com/t2map/t2map/figure"

// Printable returns a text of unknown origin as one line of valid UTF-8: each
// control or format character, such as a line end or a mark that reverses the
// direction of writing, becomes a space.
func Printable(s string) string { return figure.Printable(s) }
