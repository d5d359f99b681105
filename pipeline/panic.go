package pipeline

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/t2map/t2map/hint"
)

// PanicError says that the processing of a study panicked.
type PanicError struct {
	// Place is that of this program's code, as segment/regions.go:237.
	Place string
	// Value is that of the panic. It may hold texts of the study, and is not in the error's own.
	Value any
}

// Error gives the place.
func (e *PanicError) Error() string { return "internal error at " + e.Place }

// panicked returns the error of a panic, for a function that recovers.
func panicked(value any) error {
	return hint.Errorf("please report this place and the kind of data", "%w", &PanicError{panicPlace(), value})
}

// guarded calls f and returns a *PanicError where it panics.
func guarded(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	return f()
}

// panicPlace returns the place of this program's code that panicked, as segment/regions.go:237, when it
// is called by a function that recovers. Nothing of a study is in it, as in the value of the panic there
// may be.
func panicPlace() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	panicked := false
	for {
		f, ok := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && strings.HasPrefix(f.Function, modulePath+"/"):
			return fmt.Sprintf("%s:%d", frameFile(f), f.Line)
		}
		if !ok {
			return "an unknown place"
		}
	}
}

const modulePath = "github.com/t2map/t2map"

// frameFile returns the file of a frame below the module, whatever path it was built in.
func frameFile(f runtime.Frame) string {
	name := strings.TrimPrefix(f.Function, modulePath+"/")
	dir, rest := path.Split(name) // batch.(*work).run: the package ends at the first dot behind the slash
	pkg, _, _ := strings.Cut(rest, ".")
	return dir + pkg + "/" + path.Base(f.File)
}
