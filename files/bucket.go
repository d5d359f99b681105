package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/t2map/t2map/objects"
)

// bucketRoot begins the absolute paths of objects: s3://trial/S01 is /s3:/trial/S01, and on Windows \\s3:\trial\S01.
// The functions of path/filepath work on such paths, and no folder or server has this name on Windows, where it may not
// have a colon.
var bucketRoot = filepath.Dir(bucketPath("b/f"))[:len(bucketPath("b"))-1]

// bucketPath returns the absolute path of an object, bucket/key.
func bucketPath(name string) string { return filepath.Clean(filepath.FromSlash("//s3:/" + name)) }

// inBucket divides the absolute path of an object or folder in a bucket.
func inBucket(path string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(path, bucketRoot)
	if !ok || rest == "" {
		return "", "", false
	}
	bucket, key, _ = strings.Cut(filepath.ToSlash(rest), "/")
	return bucket, key, true
}

// InBucket reports whether a name is that of a place in a bucket, s3://bucket/prefix, or its absolute path.
func InBucket(name string) bool {
	_, _, ok := inBucket(Absolute(name))
	return ok
}

// Shown returns a path for people: the absolute path of a place in a bucket becomes s3://bucket/prefix again.
func Shown(path string) string {
	if bucket, key, ok := inBucket(path); ok {
		return objects.Location{Bucket: bucket, Prefix: key}.String()
	}
	return path
}

// mostListed is the number of objects below a folder that are listed, and held, at once: ten requests. A folder with
// more is listed folder by folder. A study has some hundred images, so that most need one request.
const mostListed = 10_000

// bucket is a place in an object store. The slashes in keys divide folders.
type bucket struct {
	ctx    context.Context
	name   string
	opened func() (*objects.Bucket, error)

	mu sync.Mutex // guards listed
	// listed are the folders that were listed, by their keys with a slash at the end: those that contain the last one,
	// and those in it. A walk asks for the children of a folder after the folder, and for each file's size.
	listed map[string][]fs.DirEntry
}

func newBucket(ctx context.Context, name string) *bucket {
	return &bucket{ctx: ctx, name: name, listed: map[string][]fs.DirEntry{},
		opened: sync.OnceValues(func() (*objects.Bucket, error) { return objects.Open(name) })}
}

// folderKey returns what the keys below a folder begin with.
func folderKey(key string) string {
	if key == "" {
		return ""
	}
	return key + "/"
}

func (b *bucket) stat(p string) (fs.FileInfo, error) {
	_, key, _ := inBucket(p)
	b.mu.Lock()
	entries, known := b.listed[folderKey(parentKey(key))]
	b.mu.Unlock()
	if known && key != "" {
		n, found := slices.BinarySearchFunc(entries, path.Base(key),
			func(e fs.DirEntry, name string) int { return cmp.Compare(e.Name(), name) })
		if !found {
			return nil, fs.ErrNotExist
		}
		return entries[n].Info()
	}
	return b.ask(key)
}

// lstat is stat: buckets have no links.
func (b *bucket) lstat(p string) (fs.FileInfo, error) { return b.stat(p) }

func (b *bucket) resolved(p string) string { return p }

// parentKey returns the key of the folder that contains an object.
func parentKey(key string) string {
	parent, _ := path.Split(key)
	return strings.TrimSuffix(parent, "/")
}

// ask asks the server for an object or folder. If both have the name, it is a folder.
func (b *bucket) ask(key string) (fs.FileInfo, error) {
	bucket, err := b.opened()
	if err != nil {
		return nil, err
	}
	isFolder := key == "" // an empty bucket is an empty folder
	err = bucket.List(b.ctx, folderKey(key), true, func(objects.Info) bool { isFolder = true; return false })
	if err != nil {
		return nil, err
	}
	if isFolder {
		return objectInfo{name: path.Base("/" + key), folder: true}, nil
	}
	info, err := bucket.Stat(b.ctx, key)
	if err != nil {
		return nil, err
	}
	return newObjectInfo(info), nil
}

func (b *bucket) list(p string) ([]fs.DirEntry, error) {
	_, key, _ := inBucket(p)
	folder := folderKey(key)
	b.mu.Lock()
	entries, known := b.listed[folder]
	b.mu.Unlock()
	if known {
		return entries, nil
	}
	bucket, err := b.opened()
	if err != nil {
		return nil, err
	}
	below, complete, err := b.collect(bucket, folder, true)
	if err == nil && !complete {
		below, _, err = b.collect(bucket, folder, false)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for other := range b.listed {
		if !strings.HasPrefix(folder, other) {
			delete(b.listed, other)
		}
	}
	for name, entries := range below {
		below[name] = inOrder(entries)
		if err == nil {
			b.listed[name] = below[name]
		}
	}
	return below[folder], err
}

// inOrder returns the entries of a folder in the order of their names. An object with the name of a folder follows it
// and cannot be opened, since a path leads to one of them. If it is empty, it only marks the folder and is omitted.
func inOrder(entries []fs.DirEntry) []fs.DirEntry {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int {
		return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(b.Type(), a.Type())) // fs.ModeDir is above 0
	})
	out := entries[:0]
	for _, e := range entries {
		if n := len(out); n > 0 && out[n-1].Name() == e.Name() {
			twin := e.(objectInfo)
			if twin.size == 0 {
				continue
			}
			twin.problem = folderToo
			e = twin
		}
		out = append(out, e)
	}
	return out
}

// collect lists the objects below a folder: all if deep is true, as far as they are not too many, and otherwise those
// in the folder itself.
func (b *bucket) collect(bucket *objects.Bucket, folder string, deep bool) (map[string][]fs.DirEntry, bool, error) {
	below, count := map[string][]fs.DirEntry{folder: nil}, 0
	known := map[string]bool{folder: true}
	err := bucket.List(b.ctx, folder, deep, func(i objects.Info) bool {
		if count++; deep && count > mostListed {
			return false
		}
		name := strings.TrimPrefix(i.Key, folder)
		if i.Folder() || strings.HasSuffix(name, "/") && i.Size == 0 { // programs mark folders by empty objects
			if name = strings.TrimSuffix(name, "/"); name != "" && objects.IsFileName(name) {
				addFolders(below, known, folder, name+"/")
			} else if name != "" {
				below[folder] = append(below[folder], unnameable(name))
			}
			return true
		}
		if !objects.IsFileName(name) {
			below[folder] = append(below[folder], unnameable(name))
			return true
		}
		addFolders(below, known, folder, name)
		parent, _ := path.Split(i.Key)
		below[parent] = append(below[parent], newObjectInfo(i))
		return true
	})
	complete := count <= mostListed
	if !deep { // the folders in it have not been listed
		below = map[string][]fs.DirEntry{folder: below[folder]}
	}
	return below, complete, err
}

// addFolders adds the folders in the name of an object below folder, unless they are known.
func addFolders(below map[string][]fs.DirEntry, known map[string]bool, folder, name string) {
	for parent := folder; ; {
		first, rest, ok := strings.Cut(name, "/")
		if !ok {
			return
		}
		child := parent + first + "/"
		if !known[child] {
			known[child] = true
			below[child] = nil
			below[parent] = append(below[parent], objectInfo{name: first, folder: true})
		}
		parent, name = child, rest
	}
}

// unnameable is the entry of an object whose key cannot be a path. It cannot be opened.
func unnameable(name string) fs.DirEntry {
	return objectInfo{name: strings.ReplaceAll(filepath.ToSlash(name), "/", "\u2215"), problem: unnameableKey}
}

var unnameableKey = &Error{Problem: "its key cannot be a path: it has empty parts or dots between slashes, or ends " +
	"with a slash", Kind: ErrUnsupported, Hint: "rename the object"}

var folderToo = &Error{Problem: "its key is also that of a folder", Kind: ErrUnsupported, Hint: "rename the object"}

func (b *bucket) open(p string) (source, error) {
	_, key, _ := inBucket(p)
	bucket, err := b.opened()
	if err != nil {
		return nil, err
	}
	if key == "" {
		return nil, notRegular
	}
	o, err := bucket.OpenObject(b.ctx, key)
	if err != nil {
		if info, statErr := b.stat(p); statErr == nil && info.IsDir() {
			return nil, notRegular
		}
		return nil, err
	}
	return object{o}, nil
}

func (b *bucket) holdsFile(folder string) bool {
	_, key, _ := inBucket(folder)
	info, err := b.ask(key)
	return err == nil && info.IsDir()
}

// object is an open object as a source.
type object struct{ *objects.Object }

// Stat describes the version that was opened. All reads are of this version.
func (o object) Stat() (fs.FileInfo, error) { return newObjectInfo(o.Info), nil }

// onDisk returns a source that any number of goroutines may read at any place: an object is copied to a temporary file.
func onDisk(ctx context.Context, f source, stamp fs.FileInfo) (source, error) {
	o, ok := f.(object)
	if !ok {
		return f, nil
	}
	copied, err := newSpool()
	if err != nil {
		return f, err
	}
	in := &counter{ctx: ctx, r: io.NewSectionReader(o, 0, stamp.Size())}
	if _, err = io.CopyBuffer(struct{ io.Writer }{copied}, in, make([]byte, 8<<20)); err == nil {
		err = copied.flush()
	}
	if err != nil {
		_ = copied.close()
		return f, damaged(err, "")
	}
	_ = f.Close() // nothing is lost
	return spooledObject{copied.file, copied, stamp}, nil
}

// spooledObject is an object in a temporary file.
type spooledObject struct {
	io.ReaderAt
	spool *spool
	stamp fs.FileInfo
}

// Stat describes the object.
func (s spooledObject) Stat() (fs.FileInfo, error) { return s.stamp, nil }

// Close removes the temporary file.
func (s spooledObject) Close() error { return s.spool.close() }

// objectInfo describes an object or a folder in a bucket, also as an entry of a folder.
type objectInfo struct {
	name     string
	size     int64
	modified time.Time
	etag     string
	folder   bool
	problem  *Error // why it cannot be listed, or nil
}

func newObjectInfo(i objects.Info) objectInfo {
	return objectInfo{name: path.Base(i.Key), size: i.Size, modified: i.Modified, etag: i.ETag}
}

func (i objectInfo) Name() string       { return i.name }
func (i objectInfo) Size() int64        { return i.size }
func (i objectInfo) ModTime() time.Time { return i.modified }
func (i objectInfo) IsDir() bool        { return i.folder }
func (i objectInfo) Sys() any           { return nil }

func (i objectInfo) Type() fs.FileMode          { return i.Mode().Type() }
func (i objectInfo) Info() (fs.FileInfo, error) { return i, nil }

// Mode returns permissions to read: those of a bucket are not known.
func (i objectInfo) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// version returns a number that differs between two versions of an object, also of equal size and time.
func (i objectInfo) version() int64 {
	sum := sha256.Sum256([]byte(i.etag))
	return int64(binary.LittleEndian.Uint64(sum[:]))
}
