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
	// Place is the file and line of this program's code, such as segment/regions.go:237.
	Place string
	// Value is the value of the panic. It may hold texts of the study and is therefore not part of the error's text.
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

// panicPlace returns the file and line of this program's code that panicked, such as segment/regions.go:237. It
// must be called by a function that recovers. Unlike the value of the panic, the place holds no text of a study.
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

// frameFile returns the file of a frame relative to the module, independent of the folder of the build.
func frameFile(f runtime.Frame) string {
	name := strings.TrimPrefix(f.Function, modulePath+"/")
	dir, rest := path.Split(name) // batch.(*work).run: the package ends at the first dot after the last slash
	pkg, _, _ := strings.Cut(rest, ".")
	return dir + pkg + "/" + path.Base(f.File)
}
