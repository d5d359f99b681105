package files

import (
	"errors"
	"io/fs"
	"os"
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
	seen          map[string]bool
}

// visit adds a file, or all files below a folder or in an archive, in the order of their
// names. It returns the error of the context.
func (w *walker) visit(path, real string, isDir bool) error {
	if w.seen[real] || isDir && real == w.exclude && path != w.root {
		return nil
	}
	w.seen[real] = true
	if !isDir {
		return w.file(path, real)
	}
	if err := w.tree.ctx.Err(); err != nil {
		return err
	}
	children, err := os.ReadDir(path)
	if err != nil {
		w.add(path, ioError(err))
	}
	for _, c := range children {
		child, childReal, childIsDir := filepath.Join(path, c.Name()), filepath.Join(real, c.Name()), c.IsDir()
		var dangling bool
		if c.Type()&fs.ModeSymlink != 0 {
			childReal = resolved(child)
			info, err := os.Stat(child)
			dangling, childIsDir = errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir()
		}
		if litter(c.Name(), childIsDir) {
			w.litter(child, childIsDir)
			continue
		}
		if dangling {
			w.tree.links = append(w.tree.links, Link{w.label(child), LinkDangling})
			w.add(child, &Error{Problem: "is a dangling link", Kind: ErrDangling,
				Hint: "copy the file itself, or mount the disk that the link leads to"})
			continue
		}
		if c.Type()&fs.ModeSymlink != 0 && !w.seen[childReal] &&
			!slices.ContainsFunc(w.roots, func(root string) bool { return Inside(root, childReal) }) {
			w.tree.links = append(w.tree.links, Link{w.label(child), LinkOutside})
		}
		if err := w.visit(child, childReal, childIsDir); err != nil {
			return err
		}
	}
	return nil
}

// litter counts a file or folder that is skipped.
func (w *walker) litter(p string, isDir bool) {
	w.tree.litter++
	if isDir && holdsFile(p) {
		w.tree.litterFolders = append(w.tree.litterFolders, w.label(p))
	}
}

// add appends the entry of the file at path.
func (w *walker) add(p string, problem *Error) {
	e := Entry{Root: w.root, RootName: w.prefix, Path: p, Name: w.label(p)}
	if problem != nil {
		e.Err = problem.withPath(e.Name)
	}
	w.tree.entries = append(w.tree.entries, e)
}

// file adds a file, or the entries of an archive. A file is opened only if it, or the
// target of the link to it, has the extension of an archive.
func (w *walker) file(path, real string) error {
	if w.unpackedBeside(path) {
		w.tree.packed = append(w.tree.packed, w.label(path))
		return nil
	}
	if !archiveName(path) && !archiveName(real) || !isArchive(path) {
		w.add(path, nil)
		return nil
	}
	index, err := w.index(path)
	var problem *Error
	switch {
	case errors.As(err, &problem):
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
	info, err := os.Stat(plain)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0 &&
		(p != w.root || slices.Contains(w.roots, resolved(plain)))
}

// index lists the entries of the archive and records its state.
func (w *walker) index(path string) (*index, error) {
	a, err := openArchive(path, nil)
	if err != nil {
		return nil, err
	}
	defer a.close()
	w.tree.archives[path] = a.stamp
	return a.list(w.tree.ctx, w.tree.limits)
}
