package pipeline

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/segment"
)

// The error of a panic names the file and line, in every package and in both functions that run in parallel. It
// does not contain the value of the panic.
func TestPanicPlace(t *testing.T) {
	none := func() error { return nil }
	deep := func() error { segment.Parts{}.InRegion(7, "medial", segment.All); return nil }
	here := func() error { panic("Doe^Jane") }
	withContext := func(f func() error) func(context.Context) error {
		return func(context.Context) error { return f() }
	}
	for name, c := range map[string]struct {
		run  func() error
		want string
	}{
		"another package": {deep, `^internal error at segment/regions\.go:\d+$`},
		"this package":    {here, `^internal error at pipeline/panic_test\.go:\d+$`},
		"first of both": {func() error { return inParallel(deep, none) },
			`^internal error at segment/regions\.go:\d+$`},
		"second of both": {func() error { return inParallel(none, deep) },
			`^internal error at segment/regions\.go:\d+$`},
		"first until": {func() error { return inParallelUntil(t.Context(), withContext(here), withContext(none)) },
			`^internal error at pipeline/panic_test\.go:\d+$`},
	} {
		err := guarded(c.run)
		if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) || hint.Find(err) == "" ||
			strings.Contains(err.Error(), "Doe") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
