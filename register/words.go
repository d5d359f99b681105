package register

import (
	"bytes"
	"strings"
)

// lastWords keeps the end of what elastix prints, which says why it failed.
type lastWords struct{ text []byte }

// longestWords is more than elastix prints of one error.
const longestWords = 4 << 10

func (w *lastWords) Write(p []byte) (int, error) {
	w.text = append(w.text, p...)
	if len(w.text) > 2*longestWords {
		w.text = append(w.text[:0], w.text[len(w.text)-longestWords:]...)
	}
	return len(p), nil
}

// explain returns a ModuleError with what elastix says of it.
func (w *lastWords) explain(err error) error {
	e := &ModuleError{Err: err}
	for line := range bytes.Lines(w.text) {
		if _, said, ok := strings.Cut(string(line), "Description: "); ok {
			e.Said = strings.TrimSpace(said)
		}
	}
	return e
}
