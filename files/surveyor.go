package files

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"path/filepath"
)

// surveyor divides a walk into chunks and computes their digests. While a folder is walked,
// each folder and archive in it has a chunk of its own. At its end they stay, or become one.
type surveyor struct {
	survey *Survey
	root   int
	open   []*frame // the folders, and at the end the archive, that are being walked
	free   []*frame
	// owner is the chunk of each folder and archive by the number that the walk gave it.
	owner []int32
	buf   []byte
}

// frame is a folder or an archive that is being walked.
type frame struct {
	chunk   int
	number  int // in owner; those inside follow
	files   int // of it and of all folders and archives in it
	alone   int // the folders and archives directly in it that are not empty
	divided bool
	used    bool // whether it has something to list or report itself
	sum     hash.Hash
}

// enter begins a root.
func (v *surveyor) enter(root int, isDir bool) int32 {
	r := v.survey.tree.roots[root]
	v.root = root
	name := r.RootName
	if !isDir {
		name = cmp.Or(name, filepath.Base(r.Root))
	}
	return v.push(Chunk{Root: root, Name: name, Path: r.Root, Parent: -1})
}

// begin begins an entry of the innermost folder that is a chunk by itself, and returns its
// number.
func (v *surveyor) begin(c child, label string) int32 {
	return v.push(Chunk{Root: v.root, Name: label, Path: c.path, Parent: v.top().chunk})
}

func (v *surveyor) top() *frame { return v.open[len(v.open)-1] }

func (v *surveyor) push(c Chunk) int32 {
	f := &frame{sum: sha256.New()}
	if n := len(v.free); n > 0 {
		f, v.free = v.free[n-1], v.free[:n-1]
		f.sum.Reset()
	}
	*f = frame{chunk: len(v.survey.chunks), number: len(v.owner), sum: f.sum}
	v.survey.chunks = append(v.survey.chunks, c)
	v.owner = append(v.owner, int32(f.chunk))
	v.open = append(v.open, f)
	return int32(f.number)
}

// end ends the innermost folder or archive and returns the number of the one that contains
// it.
func (v *surveyor) end() int32 {
	f := v.top()
	v.open = v.open[:len(v.open)-1]
	v.free = append(v.free, f)
	c := &v.survey.chunks[f.chunk]
	divided := f.files > v.survey.most && (f.alone > 1 || f.divided)
	if divided {
		v.divide(f, c)
	} else {
		v.unite(f, c)
	}
	if len(v.open) == 0 {
		return 0
	}
	above := v.top()
	above.files += f.files
	above.divided = above.divided || divided
	if divided || !c.Empty {
		above.alone++
	}
	return int32(above.number)
}

// leave ends a root.
func (v *surveyor) leave(isDir bool) {
	if !isDir {
		v.end()
		return
	}
	f := v.top()
	v.divide(f, &v.survey.chunks[f.chunk])
	v.open, v.free = v.open[:0], append(v.free, f)
}

// divide leaves the chunks in a folder as they are, beside the one of its loose files, which
// are counted already.
func (v *surveyor) divide(f *frame, c *Chunk) {
	c.Name, c.Loose, c.Empty = c.Name+"/", true, !f.used
	f.sum.Sum(c.Digest[:0])
}

// unite makes one chunk of the chunks in a folder. None of them is divided.
func (v *surveyor) unite(f *frame, c *Chunk) {
	c.Empty = !f.used
	for _, inner := range v.survey.chunks[f.chunk+1:] {
		if inner.Empty {
			continue
		}
		c.Empty = false
		c.Files += inner.Files
		v.buf = append(v.head(noteChunk, filepath.Base(inner.Path)), inner.Digest[:]...)
		f.sum.Write(v.buf)
	}
	f.sum.Sum(c.Digest[:0])
	v.survey.chunks = v.survey.chunks[:f.chunk+1]
	for n := f.number; n < len(v.owner); n++ {
		v.owner[n] = int32(f.chunk)
	}
}

// finish replaces the numbers of folders and archives by those of their chunks.
func (v *surveyor) finish() {
	for _, m := range []map[key]int32{v.survey.met.folders, v.survey.met.files} {
		for k, number := range m {
			m[k] = v.owner[number]
		}
	}
}

// The kinds of notes in a digest.
const (
	noteFile = iota
	noteProblem
	noteLink
	noteLitter
	notePacked
	noteChunk
)

// add notes a file of the innermost folder. Its name is the last part of its path.
func (v *surveyor) add(path string, problem *Error) {
	f := v.top()
	f.files++
	v.survey.chunks[f.chunk].Files++
	if problem != nil {
		v.note(noteProblem, path)
		return
	}
	info, err := v.survey.tree.place(path).stat(path)
	if err != nil {
		v.note(noteProblem, path)
		return
	}
	v.note(noteFile, path, state(info)...)
}

// note adds the name of the file at path and numbers to the digest of the innermost folder.
func (v *surveyor) note(kind byte, path string, numbers ...int64) {
	f := v.top()
	f.used = true
	v.buf = v.head(kind, filepath.Base(path))
	for _, n := range numbers {
		v.buf = binary.LittleEndian.AppendUint64(v.buf, uint64(n))
	}
	f.sum.Write(v.buf)
}

func (v *surveyor) head(kind byte, name string) []byte {
	return append(binary.LittleEndian.AppendUint64(append(v.buf[:0], kind), uint64(len(name))), name...)
}
