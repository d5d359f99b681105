package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io/fs"
	"path"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/objects"
)

// Survey is a division of searched folders into chunks, each of which can be listed by
// itself. It takes some hundred bytes for each chunk and some ten for each folder, not for
// each file.
type Survey struct {
	exclude string
	limits  Limits
	tree    *Tree    // with the roots only
	real    []string // the roots, resolved
	met     *met
	chunks  []Chunk
}

// Chunk is a folder or archive in a root, all other files directly in a root, or a root that
// is a file itself.
type Chunk struct {
	// Root is the index of the root. Name is the name of the folder or archive as in
	// Entry.Name. The name of the other files is that of the root with a slash at its end.
	Root int
	Name string
	// Path is the absolute path of the folder or archive, or that of the root.
	Path string
	// Loose says that the chunk consists of the files directly in the root.
	Loose bool
	// Files is the number of files. An archive counts as one.
	Files int
	// Empty says that the chunk has neither files nor anything to report, such as litter.
	Empty bool
	// Digest is a SHA-256 of the names, sizes, modification times and permissions of all
	// files, and of the names of all files that are skipped. No file is opened to compute
	// it. An archive counts as one file.
	Digest [sha256.Size]byte

	child string // the name of the folder or archive in its root
}

// NewSurvey walks through the roots as List does, opens no file, and divides them into
// chunks. The parameters and errors are those of List.
func NewSurvey(ctx context.Context, roots []string, exclude string, l Limits) (*Survey, error) {
	t := newTree(ctx, l)
	w := newWalker(t, roots, exclude)
	s := &Survey{exclude: exclude, limits: l, tree: t, real: w.roots, met: w.met}
	w.survey = &surveyor{survey: s}
	if err := w.visitRoots(roots); err != nil {
		return nil, err
	}
	return s, nil
}

// Chunks returns all chunks in the order of their roots and names. A chunk is known by its
// index.
func (s *Survey) Chunks() []Chunk { return s.chunks }

// Roots returns the absolute paths of the roots.
func (s *Survey) Roots() []string {
	out := make([]string, len(s.tree.roots))
	for i, r := range s.tree.roots {
		out[i] = r.Root
	}
	return out
}

// Enclosing returns the chunks that contain another root, with the index of that root.
func (s *Survey) Enclosing() map[int][]int {
	inner := map[string][]int{}
	for i, r := range s.tree.roots {
		for dir := r.Root; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if _, isRoot := s.tree.rootAt[filepath.Dir(dir)]; isRoot {
				inner[dir] = append(inner[dir], i)
			}
		}
	}
	out := map[int][]int{}
	for n, c := range s.chunks {
		if !c.Loose && len(inner[c.Path]) > 0 {
			out[n] = inner[c.Path]
		}
	}
	return out
}

// List lists some chunks. The entries have the names and the order that List of this package
// gives them, and a file that several chunks reach belongs to the first of all chunks that
// reaches it. A file that is new since the survey may be in several chunks. If a chunk is no
// longer there, it is an entry with an error. Empty chunks remain empty.
func (s *Survey) List(ctx context.Context, chunks ...int) (*Tree, error) {
	t := newTree(ctx, s.limits)
	t.roots, t.rootAt = s.tree.roots, s.tree.rootAt
	w := newWalker(t, nil, s.exclude)
	w.roots, w.surveyed, w.chosen = s.real, s.met, map[int32]bool{}
	sorted := slices.DeleteFunc(slices.Sorted(slices.Values(chunks)), func(n int) bool { return s.chunks[n].Empty })
	for _, n := range sorted {
		w.chosen[int32(n)] = true
	}
	for first := 0; first < len(sorted); {
		root, last := s.chunks[sorted[first]].Root, first
		for last < len(sorted) && s.chunks[sorted[last]].Root == root {
			last++
		}
		if err := s.listRoot(w, root, sorted[first:last]); err != nil {
			return nil, err
		}
		first = last
	}
	return t, nil
}

// listRoot lists chunks of one root.
func (s *Survey) listRoot(w *walker, root int, chunks []int) error {
	w.root, w.prefix = s.tree.roots[root].Root, s.tree.roots[root].RootName
	real := s.real[root]
	if c := s.chunks[chunks[0]]; !c.Loose && c.child == "" {
		w.chunk = int32(chunks[0])
		return w.visit(w.root, real, false, false)
	}
	w.met.folders[keyOf(real)] = 0
	w.open = []openFolder{{key: keyOf(real)}}
	var children []child
	for _, n := range chunks {
		if s.chunks[n].Loose {
			found, err := w.tree.at(w.root).list(w.root)
			if errors.As(err, new(*objects.Error)) {
				return err
			}
			if err != nil {
				w.met.partial(real)
				w.add(w.root, ioError(err))
			}
			for _, e := range found {
				if c := look(w.root, real, e); !c.alone() {
					children = append(children, c)
				}
			}
			continue
		}
		info, err := w.tree.at(w.root).lstat(s.chunks[n].Path)
		if err != nil {
			w.add(s.chunks[n].Path, ioError(err))
			continue
		}
		children = append(children, look(w.root, real, fs.FileInfoToDirEntry(info)))
	}
	slices.SortFunc(children, func(a, b child) int { return cmp.Compare(a.name, b.name) })
	for _, c := range children {
		if err := w.follow(c); err != nil {
			return err
		}
	}
	w.open = nil
	return nil
}

// alone reports whether an entry of a root is a chunk by itself: a folder, or a file with
// the extension of an archive.
func (c child) alone() bool {
	return !litter(c.name, c.isDir) && !c.dangles && (c.isDir || archiveName(c.path) || archiveName(c.real))
}

// surveyor divides a walk into chunks and computes their digests.
type surveyor struct {
	survey         *Survey
	root           int
	current, loose int // chunks
	sums           map[int]hash.Hash
	buf            []byte
}

// enter begins a root and returns the chunk of its own files.
func (v *surveyor) enter(root int, isDir bool) int32 {
	r := v.survey.tree.roots[root]
	v.root, v.sums = root, map[int]hash.Hash{}
	name := cmp.Or(r.RootName, filepath.Base(r.Root))
	if isDir {
		name = r.RootName + "/"
	}
	v.loose = v.open(Chunk{Name: name, Path: r.Root, Loose: isDir})
	return int32(v.loose)
}

// begin returns the chunk of an entry of the root.
func (v *surveyor) begin(c child) int32 {
	if v.current != v.loose {
		v.close(v.current)
	}
	v.current = v.loose
	if c.alone() {
		name := path.Join(v.survey.tree.roots[v.root].RootName, filepath.ToSlash(c.name))
		v.current = v.open(Chunk{Name: name, Path: c.path, child: c.name})
	}
	return int32(v.current)
}

// leave ends a root.
func (v *surveyor) leave() {
	if v.current != v.loose {
		v.close(v.current)
	}
	v.close(v.loose)
}

func (v *surveyor) open(c Chunk) int {
	c.Root, c.Empty = v.root, true
	v.survey.chunks = append(v.survey.chunks, c)
	v.current = len(v.survey.chunks) - 1
	v.sums[v.current] = sha256.New()
	return v.current
}

func (v *surveyor) close(chunk int) {
	v.sums[chunk].Sum(v.survey.chunks[chunk].Digest[:0])
	delete(v.sums, chunk)
}

// The kinds of notes in a digest.
const (
	noteFile = iota
	noteProblem
	noteLink
	noteLitter
	notePacked
)

// add notes a file.
func (v *surveyor) add(name, file string, problem *Error) {
	v.survey.chunks[v.current].Files++
	if problem != nil {
		v.note(noteProblem, name)
		return
	}
	info, err := v.survey.tree.at(file).stat(file)
	if err != nil {
		v.note(noteProblem, name)
		return
	}
	numbers := []int64{info.Size(), info.ModTime().UnixNano(), int64(info.Mode())}
	if object, ok := info.(objectInfo); ok {
		numbers = append(numbers, object.version())
	}
	v.note(noteFile, name, numbers...)
}

// note adds a name and numbers to the digest of the current chunk.
func (v *surveyor) note(kind byte, name string, numbers ...int64) {
	v.survey.chunks[v.current].Empty = false
	v.buf = binary.LittleEndian.AppendUint64(append(v.buf[:0], kind), uint64(len(name)))
	v.buf = append(v.buf, name...)
	for _, n := range numbers {
		v.buf = binary.LittleEndian.AppendUint64(v.buf, uint64(n))
	}
	v.sums[v.current].Write(v.buf)
}
