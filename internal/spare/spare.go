// Package spare shares large memory between goroutines that need it for a moment.
package spare

import "sync"

// List limits the number of values in use, and keeps those that are not. Unlike a sync.Pool it keeps them when the
// garbage collector runs, which may happen once for each small study. It may be used by several goroutines.
type List[T any] struct {
	places chan struct{} // one for each value in use
	fresh  func() T

	mu     sync.Mutex
	unused []T
}

// NewList returns a list of at most most values, which fresh makes. It exists as long as the program runs: see Forget.
func NewList[T any](most int, fresh func() T) *List[T] {
	l := &List[T]{places: make(chan struct{}, most), fresh: fresh}
	mu.Lock()
	defer mu.Unlock()
	forget = append(forget, l.forget)
	return l
}

// Take returns the value that was given last, or a new one. It waits if as many are in use as there may be.
func (l *List[T]) Take() T {
	l.places <- struct{}{}
	l.mu.Lock()
	defer l.mu.Unlock()
	last := len(l.unused) - 1
	if last < 0 {
		return l.fresh()
	}
	v := l.unused[last]
	l.unused = l.unused[:last]
	return v
}

// Give ends the use of a value that Take has returned.
func (l *List[T]) Give(v T) {
	l.mu.Lock()
	l.unused = append(l.unused, v)
	l.mu.Unlock()
	<-l.places
}

func (l *List[T]) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unused = nil
}

var (
	mu     sync.Mutex
	forget []func() // of all lists
)

// Forget frees the memory of all values that are not in use.
func Forget() {
	mu.Lock()
	defer mu.Unlock()
	for _, f := range forget {
		f()
	}
}
