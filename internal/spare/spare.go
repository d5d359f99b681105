// Package spare shares large memory between goroutines that need it for a moment.
package spare

import "sync"

// List holds the values that are not in use. Unlike a sync.Pool it limits their number, and it keeps them when the
// garbage collector runs, which it may do once for each small study. It may be used by several goroutines.
type List[T any] struct {
	free  chan place[T]
	fresh func() T
}

// place is for one value, which is made when it is needed first.
type place[T any] struct {
	value T
	made  bool
}

// NewList returns a list of at most most values, which fresh makes. It exists as long as the program runs: see Forget.
func NewList[T any](most int, fresh func() T) *List[T] {
	l := &List[T]{make(chan place[T], most), fresh}
	for range most {
		l.free <- place[T]{}
	}
	mu.Lock()
	defer mu.Unlock()
	forget = append(forget, l.forget)
	return l
}

// Take returns a value that is not in use. It waits for one if all of them are.
func (l *List[T]) Take() T {
	p := <-l.free
	if !p.made {
		return l.fresh()
	}
	return p.value
}

// Give ends the use of a value that Take has returned.
func (l *List[T]) Give(v T) { l.free <- place[T]{v, true} }

func (l *List[T]) forget() {
	for range len(l.free) {
		select {
		case <-l.free:
			l.free <- place[T]{} // there is room: its own
		default:
			return
		}
	}
}

var (
	mu     sync.Mutex
	forget []func() // of all lists
)

// Forget frees the memory of all values that are not in use. Those that are needed later are made again.
func Forget() {
	mu.Lock()
	defer mu.Unlock()
	for _, f := range forget {
		f()
	}
}
