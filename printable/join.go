package printable

import (
	"slices"
	"strings"
)

// Join joins the texts that are not empty.
func Join(separator string, texts ...string) string {
	present := slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return t == "" })
	return strings.Join(present, separator)
}
