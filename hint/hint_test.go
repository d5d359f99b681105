package hint_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
)

// The outermost advice counts, whichever package gave it.
func TestFind(t *testing.T) {
	damaged := &dicomio.FileError{Path: "a", Problem: "is damaged", Hint: "copy it"}
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"none", "", errors.New("plain")},
		{"no error", "", nil},
		{"file", "copy it", fmt.Errorf("study: %w", damaged)},
		{"series", "ask the site", &dicomio.TrainError{Problem: "two grids", Hint: "ask the site"}},
		{"archive", "unpack it", &files.Error{Hint: "unpack it"}},
		{"outer", "start again", hint.Errorf("start again", "read: %w", damaged)},
		{"joined", "copy it", errors.Join(errors.New("plain"), damaged)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hint.Find(c.err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if err := hint.Errorf("x", "read: %w", damaged); !errors.Is(err, error(damaged)) ||
		err.Error() != "read: a: is damaged" {
		t.Errorf("got %q", err)
	}
}
