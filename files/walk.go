package files

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
)

// walker collects files. Entries have the paths that the user sees; resolved paths tell
// whether a file or folder has been visited.
type walker struct {
	tree          *Tree
	root, exclude string
	prefix        string   // the root's name, before those of its files
	roots         []string // all roots, resolved
	met           *met
	chunk         int32        // the number of the chunk that is walked
	open          []openFolder // the folders that are being listed, from the root on
	survey        *surveyor    // takes notes instead of the tree, unless nil
	// surveyed, unless nil, are the folders and files that a survey met, and chosen the chunks
	// whose files are listed: nothing that belongs to another chunk is visited.
	surveyed *met
	chosen   map[int32]bool
}

// child is an entry of a folder that is being listed.
type child struct {
	name, path, real       string
	isDir, linked, dangles bool
	litter                 bool
	problem                *Error // why it cannot be listed, or nil
}

// look returns the entry of the folder at path. Its home is the place of that path.
func look(home place, path, real string, e fs.DirEntry) child {
	c := child{name: e.Name(), path: beneath(path, e.Name()), isDir: e.IsDir(), linked: e.Type()&fs.ModeSymlink != 0}
	if object, ok := e.(objectInfo); ok {
		c.problem = object.problem
	}
	switch {
	case c.linked:
		c.real = home.resolved(c.path)
		info, err := home.stat(c.path)
		c.dangles, c.isDir = errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir()
	case real == path:
		c.real = c.path
	default:
		c.real = beneath(real, c.name)
	}
	c.litter = litter(c.name, c.isDir)
	return c
}

// visit adds a file, or all files below a folder or in an archive, in the order of their
// names. A listed file is one that was met while its folder was listed, without a link. It
// returns the error of the context.
func (w *walker) visit(path, real string, isDir, listed bool) error {
	if w.reached(real, isDir, listed) || isDir && real == w.exclude && path != w.root {
		return nil
	}
	w.mark(real, isDir, listed)
	if !isDir {
		return w.file(path, real)
	}
	if err := w.tree.ctx.Err(); err != nil {
		return err
	}
	children, err := w.list(path, real)
	if err != nil {
		return err
	}
	home := w.tree.place(path)
	w.open = append(w.open, openFolder{key: keyOf(real)})
	defer func() { w.open = w.open[:len(w.open)-1] }()
	for _, e := range children {
		if err := w.entry(look(home, path, real, e)); err != nil {
			return err
		}
	}
	return nil
}

// list returns the entries of a folder. An error of the disk is an entry of the tree; any other
// ends the walk.
func (w *walker) list(path, real string) ([]fs.DirEntry, error) {
	found, err := w.tree.place(path).list(path)
	if err == nil {
		return found, nil
	}
	if err := w.final(path, err); err != nil {
		return nil, err
	}
	w.met.partial(real)
	w.add(path, ioError(err))
	return found, nil
}

// final returns the error that ends the walk because of the error at path, or nil: that of the
// context, or that of a bucket, whose other folders cannot be listed either.
func (w *walker) final(path string, err error) error {
	if w.tree.ctx.Err() != nil {
		return context.Cause(w.tree.ctx)
	}
	if _, _, remote := inBucket(path); remote {
		return err
	}
	return nil
}

// entry visits an entry of the folder that is being listed, which may be a chunk by itself.
func (w *walker) entry(c child) error {
	if w.survey == nil || !c.alone() {
		return w.follow(c)
	}
	w.chunk = w.survey.begin(c, w.label(c.path))
	err := w.follow(c)
	w.chunk = w.survey.end()
	return err
}

// follow visits an entry of the folder that is being listed.
func (w *walker) follow(c child) error {
	w.open[len(w.open)-1].current = c.name
	if c.litter {
		w.litter(c.path, c.isDir)
		return nil
	}
	if c.problem != nil {
		w.add(c.path, c.problem)
		return nil
	}
	if c.dangles {
		w.link(c.path, LinkDangling)
		w.add(c.path, &Error{Problem: "is a dangling link", Kind: ErrDangling,
			Hint: "copy the file itself, or mount the disk that the link leads to"})
		return nil
	}
	if c.linked && !w.reached(c.real, c.isDir, false) && w.outside(c.real) {
		w.link(c.path, LinkOutside)
	}
	return w.visit(c.path, c.real, c.isDir, !c.linked)
}

// outside reports whether a resolved path lies in no root.
func (w *walker) outside(real string) bool {
	return !slices.ContainsFunc(w.roots, func(root string) bool { return Inside(root, real) })
}

// link records the link at a path.
func (w *walker) link(path string, kind LinkKind) {
	if w.survey != nil {
		w.survey.note(noteLink, path)
		return
	}
	w.tree.links = append(w.tree.links, Link{w.label(path), kind})
}

// pack records a gzipped file that is skipped.
func (w *walker) pack(path string) {
	if w.survey != nil {
		w.survey.note(notePacked, path)
		return
	}
	w.tree.packed = append(w.tree.packed, w.label(path))
}

// litter counts a file or folder that is skipped.
func (w *walker) litter(p string, isDir bool) {
	if w.survey != nil {
		w.survey.note(noteLitter, p)
		return
	}
	w.tree.litter++
	if isDir && w.tree.place(p).holdsFile(p) {
		w.tree.litterFolders = append(w.tree.litterFolders, w.label(p))
	}
}

// add appends the entry of the file at path.
func (w *walker) add(p string, problem *Error) {
	if w.survey != nil {
		w.survey.add(p, problem)
		return
	}
	e := Entry{Root: w.root, RootName: w.prefix, Path: p, Name: w.label(p)}
	if problem != nil {
		e.Err = problem.withPath(e.Name)
	}
	w.tree.entries = append(w.tree.entries, e)
}

// file adds a file, or the entries of an archive. A file is opened only if it, or the
// target of the link to it, has the extension of an archive. A survey opens nothing.
func (w *walker) file(path, real string) error {
	if w.unpackedBeside(path) {
		w.pack(path)
		return nil
	}
	if w.survey != nil || !archiveName(path) && !archiveName(real) {
		w.add(path, nil)
		return nil
	}
	if k, err := w.tree.kindAt(path); Outage(err) {
		return err
	} else if err != nil || k == noArchive {
		w.add(path, nil) // whoever reads it gets the error
		return nil
	}
	index, err := w.index(path)
	var problem *Error
	switch {
	case errors.As(err, &problem) && !Outage(err):
		w.add(path, problem)
		return nil
	case err != nil:
		return err
	}
	w.tree.litter += index.litter
	for _, folder := range index.litterFolders {
		w.tree.litterFolders = append(w.tree.litterFolders, w.label(filepath.Join(path, filepath.FromSlash(folder))))
	}
	for _, name := range index.packed {
		w.tree.packed = append(w.tree.packed, w.label(filepath.Join(path, filepath.FromSlash(name))))
	}
	if index.fault != nil {
		w.add(path, index.fault)
	}
	for _, it := range index.items {
		w.add(filepath.Join(path, filepath.FromSlash(it.name)), it.err)
	}
	return nil
}

// unpackedBeside reports whether the file is a single gzipped file and lies beside its
// content. A root is read, unless its content is a root too.
func (w *walker) unpackedBeside(p string) bool {
	if !gzipName(p) {
		return false
	}
	plain := p[:len(p)-len(gzipEnding)]
	info, err := w.tree.place(plain).stat(plain)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0 &&
		(p != w.root || slices.Contains(w.roots, w.tree.resolved(plain)))
}

// index lists the entries of the archive and records its state.
func (w *walker) index(path string) (*index, error) {
	a, err := w.tree.openArchive(path, nil)
	if err != nil {
		return nil, err
	}
	defer a.close()
	w.tree.archives[path] = a.stamp
	return a.list(w.tree.ctx, w.tree.limits)
}
