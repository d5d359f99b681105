package files

import (
	"context"
	"io"
	"io/fs"
	"os"
	"sync"
)

// place is where a path leads: the file system, or a bucket.
type place interface {
	// stat follows links.
	stat(path string) (fs.FileInfo, error)
	lstat(path string) (fs.FileInfo, error)
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

// places are the places that a tree has met.
type places struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

// at returns the place of a path. The zero Tree has a place, too.
func (t *Tree) at(path string) place {
	name, _, ok := inBucket(path)
	if !ok {
		return disk{}
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

func (t *Tree) context() context.Context {
	if t.ctx == nil {
		return context.Background()
	}
	return t.ctx
}

// Stat describes the file or folder at a path, in the file system or a bucket. It is an error of kind fs.ErrNotExist
// if there is none.
func Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	t := &Tree{ctx: ctx}
	return t.at(Absolute(path)).stat(Absolute(path))
}

// disk is the file system.
type disk struct{}

func (disk) stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

func (disk) lstat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

func (disk) list(folder string) ([]fs.DirEntry, error) { return os.ReadDir(folder) }

// open looks first: opening a pipe waits for its writer, and a device may never end.
func (disk) open(path string) (source, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, notRegular
	}
	return os.Open(path)
}
