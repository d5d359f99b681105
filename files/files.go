package files

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Entry is a file that was found, or the reason why something cannot be listed.
type Entry struct {
	// Root is the searched folder, file or archive that contains it, as an absolute path.
	// RootName is the beginning of Name if several roots are searched, and otherwise empty.
	Root, RootName string
	// Path opens the entry: an absolute path, which may lead through an archive,
	// /data/study.zip/dicom/IM1.
	Path string
	// Name is the path relative to the root, with slashes, after RootName. The name of a
	// root that is a file is the name of the file.
	Name string
	// Err is an *Error that says why the folder, archive or file at Path cannot be read, or
	// nil.
	Err error
}

// Tree is the result of List. Its methods may be used concurrently.
type Tree struct {
	ctx      context.Context // of List: it also ends unpacking, which may take minutes
	limits   Limits
	roots    []Entry        // without a Path
	rootAt   map[string]int // the index of the first root with that path
	entries  []Entry
	links    []Link
	litter   int
	packed   []string
	archives map[string]os.FileInfo // by path, with their state when they were listed
	cache    *archiveCache
	places   places

	litterFolders []string
}

// List returns all files under the roots in the order of their names, each file once even
// if several paths or links lead to it. Symbolic links are followed outside of archives. In
// archives, links to another entry are omitted, and other links are entries with an error.
// Links that lead out of the roots are followed and recorded (Links); dangling ones are
// recorded and are entries with ErrDangling. Files that operating systems and editors leave
// beside data (._*, .DS_Store, Thumbs.db, *~) are skipped by their names and counted
// (Litter), unless they are roots. A gzipped file whose content lies beside it is skipped
// too (Packed). The folder exclude is not entered unless it is a root itself; "" excludes
// nothing.
//
// A folder, archive or file that cannot be read is an entry with an error. It is an error
// if a root does not exist or ctx ends. The end of ctx also ends the unpacking of archives
// by Open.
func List(ctx context.Context, roots []string, exclude string, l Limits) (*Tree, error) {
	t := newTree(ctx, l)
	if err := newWalker(t, roots, exclude).visitRoots(roots); err != nil {
		return nil, err
	}
	return t, nil
}

func newTree(ctx context.Context, l Limits) *Tree {
	t := &Tree{ctx: ctx, limits: l.defaults(), archives: map[string]os.FileInfo{}, rootAt: map[string]int{}}
	t.places.disk = newDisk(ctx)
	t.cache = newArchiveCache(t.limits.OpenArchives, t.unpack)
	return t
}

func newWalker(t *Tree, roots []string, exclude string) *walker {
	w := &walker{tree: t, met: newMet()}
	if exclude != "" {
		w.exclude = t.resolved(Absolute(exclude))
	}
	for _, root := range roots {
		w.roots = append(w.roots, t.resolved(Absolute(root)))
	}
	return w
}

// visitRoots visits all roots and records them in the tree.
func (w *walker) visitRoots(roots []string) error {
	t, names := w.tree, rootNames(roots)
	for i, root := range roots {
		info, err := t.place(Absolute(root)).stat(Absolute(root))
		if err != nil {
			return err
		}
		w.root, w.prefix = Absolute(root), names[i]
		t.roots = append(t.roots, Entry{Root: w.root, RootName: w.prefix})
		if _, duplicate := t.rootAt[w.root]; !duplicate {
			t.rootAt[w.root] = i
		}
		if w.survey != nil {
			w.chunk = w.survey.enter(i, info.IsDir())
		}
		if err := w.visit(w.root, w.roots[i], info.IsDir(), false); err != nil {
			return err
		}
		if w.survey != nil {
			w.survey.leave(info.IsDir())
		}
	}
	return nil
}

// Entries returns the files found, root by root and in the order of names.
func (t *Tree) Entries() []Entry { return slices.Clone(t.entries) }

// Len returns the number of entries.
func (t *Tree) Len() int { return len(t.entries) }

// Forget releases the list of files, which takes some hundred bytes for each. Entries
// returns nothing afterwards; files can still be opened.
func (t *Tree) Forget() { t.entries = nil }

// Open opens a listed file, or any other: a path may lead to a file of the file system or
// through an archive, listed or not. The caller must close the file.
//
// Errors are *Error: of kind ErrNotRegular for folders, pipes and devices, which are not
// waited for; of kind fs.ErrNotExist if there is no such file; and for archives, the fault
// of the archive or its change since it was listed. The error of List's context is returned
// as it is.
//
// A single gzipped file, IM_0001.dcm.gz, or IM_0001.dcm that begins like gzip, is opened
// uncompressed, but a gzipped NIfTI file is opened as it is.
func (t *Tree) Open(path string) (*File, error) {
	path = Absolute(path)
	f, err := t.open(path)
	if err != nil || !mayBeGzip(path) {
		return f, err
	}
	plain, err := gunzipped(t.ctx, f, t.limits.defaults())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return plain, nil
}

// OpenStored opens a file as Open does, but never uncompresses a single gzipped file.
func (t *Tree) OpenStored(path string) (*File, error) { return t.open(Absolute(path)) }

// open opens the file at the absolute path without uncompressing it.
func (t *Tree) open(path string) (*File, error) {
	if archive, inner, ok := t.split(path); ok {
		return t.openInside(archive, inner)
	}
	name := t.name(path)
	f, err := t.place(path).open(path)
	if err != nil {
		return nil, named(openError(err), name)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(ioError(err).withPath(name), f.Close())
	}
	return &File{name: name, size: info.Size(), content: f, close: f.Close, stored: f, stamp: info}, nil
}

// Close removes the temporary copies of archives. Open files stay open until they are
// closed; no more files in archives can be opened.
func (t *Tree) Close() error { return t.cache.close() }

// split divides a path that leads through an archive. The archive is the outermost one,
// since an archive in an archive is a file.
func (t *Tree) split(path string) (archive, inner string, ok bool) {
	for i := 1; i < len(path); i++ {
		if !os.IsPathSeparator(path[i]) {
			continue
		}
		if _, listed := t.archives[path[:i]]; listed || archiveName(path[:i]) && t.isArchive(path[:i]) {
			return path[:i], filepath.ToSlash(path[i+1:]), true
		}
	}
	return "", "", false
}

// openInside opens an entry of an archive.
func (t *Tree) openInside(archive, inner string) (*File, error) {
	name := t.name(filepath.Join(archive, filepath.FromSlash(inner)))
	opened, err := t.cache.take(archive)
	if err != nil {
		return nil, named(err, t.name(archive))
	}
	f, err := opened.open(inner, t.limits)
	if err != nil {
		t.cache.release(opened)
		if errors.Is(err, errChanged) {
			name = t.name(archive)
		}
		return nil, named(err, name)
	}
	f.name = name
	closeEntry := f.close
	f.close = func() error {
		defer t.cache.release(opened)
		return closeEntry()
	}
	return f, nil
}

// unpack opens the archive and prepares it for reading.
func (t *Tree) unpack(path string) (*archive, error) {
	a, err := t.openArchive(path, t.archives[path])
	if err != nil {
		return nil, err
	}
	if err := a.ready(t.ctx, t.limits); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// name returns the name of the file for people: relative to the first root that contains
// it, or otherwise its base name. A cohort can have thousands of roots; they are looked up
// by the folders above the file.
func (t *Tree) name(p string) string {
	first := len(t.roots)
	for dir := p; ; dir = filepath.Dir(dir) {
		if i, ok := t.rootAt[dir]; ok {
			first = min(first, i)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if first == len(t.roots) {
		return filepath.Base(p)
	}
	return path.Join(t.roots[first].RootName, Below(t.roots[first].Root, p))
}
