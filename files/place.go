package files

import (
	"context"
	"io"
	"io/fs"
	"sync"
)

// place is where an absolute path leads: the disk, or a bucket.
type place interface {
	// stat follows links.
	stat(path string) (fs.FileInfo, error)
	lstat(path string) (fs.FileInfo, error)
	// resolved returns the path with links resolved; a path that does not exist is not resolved.
	resolved(path string) string
	// list returns the entries of a folder in the order of their names. With an error, it returns those before it.
	list(folder string) ([]fs.DirEntry, error)
	// open opens a regular file. A folder, pipe or device is notRegular.
	open(path string) (source, error)
	// holdsFile reports whether a file lies anywhere below the folder.
	holdsFile(folder string) bool
}

// source is an open file of a place.
type source interface {
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

// places are the places that a tree has met. The zero value has a disk that tries once.
type places struct {
	disk    disk
	mu      sync.Mutex // guards buckets
	buckets map[string]*bucket
}

// place returns the place of a path. The zero Tree has a place, too.
func (t *Tree) place(path string) place {
	name, _, ok := inBucket(path)
	if !ok {
		return &t.places.disk
	}
	t.places.mu.Lock()
	defer t.places.mu.Unlock()
	b := t.places.buckets[name]
	if b == nil {
		b = newBucket(t.context(), name)
		if t.places.buckets == nil {
			t.places.buckets = map[string]*bucket{}
		}
		t.places.buckets[name] = b
	}
	return b
}

// resolved returns the absolute path with links resolved.
func (t *Tree) resolved(path string) string { return t.place(path).resolved(path) }

func (t *Tree) context() context.Context {
	if t.ctx == nil {
		return context.Background()
	}
	return t.ctx
}

// Stat describes the file or folder at a path, on the disk or in a bucket. It is an error of kind fs.ErrNotExist if
// there is none.
func Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	t := newTree(ctx, Limits{})
	return t.place(Absolute(path)).stat(Absolute(path))
}

// Version returns a text that differs between two versions of an object, also of equal size and time. It is "" for a
// file on the disk.
func Version(info fs.FileInfo) string {
	object, _ := info.(objectInfo)
	return object.etag
}

// state returns the numbers that change when a file does: its size, time and permissions, and the version of an object.
func state(info fs.FileInfo) []int64 {
	numbers := []int64{info.Size(), info.ModTime().UnixNano(), int64(info.Mode())}
	if object, ok := info.(objectInfo); ok {
		numbers = append(numbers, object.version())
	}
	return numbers
}
