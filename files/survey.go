package files

import (
	"context"
	"crypto/sha256"
	"path/filepath"
)

// Survey is a division of searched folders into chunks, each of which can be listed by
// itself. It takes some hundred bytes for each chunk and some ten for each folder, not for
// each file.
//
// A root is divided into its folders, its archives and its other files. Each of these folders
// is divided in the same way if it has more than SurveyOptions.ChunkFiles files and two or more
// folders or archives, or one folder that is divided itself. The division depends on nothing
// but the number of files in each folder.
type Survey struct {
	exclude string
	limits  Limits
	most    int
	tree    *Tree    // with the roots only
	real    []string // the roots, resolved
	met     *met
	chunks  []Chunk
}

// SurveyOptions say how to survey. The zero value has the defaults.
type SurveyOptions struct {
	// Exclude is a folder that is not entered, as in List.
	Exclude string
	// ChunkFiles is the largest number of files in a folder that is not divided; 0 means
	// 4096. A visit with all its series has some thousand files and remains whole, and the
	// headers of 4096 files take some 6 MB.
	ChunkFiles int
	// Limits are the limits of archives.
	Limits Limits
}

const defaultChunkFiles = 4096

// Chunk is a folder or archive, all other files directly in a divided folder, or a root that
// is a file itself.
type Chunk struct {
	// Root is the index of the root. Name is the name of the folder or archive as in
	// Entry.Name. The name of the other files is that of the divided folder with a slash at
	// its end.
	Root int
	Name string
	// Path is the absolute path of the folder or archive, or that of the divided folder.
	Path string
	// Parent is the index of the chunk with the other files of the folder that contains this
	// one, or −1 for a root.
	Parent int
	// Loose says that the chunk consists of the files directly in a divided folder.
	Loose bool
	// Files is the number of files. An archive counts as one.
	Files int
	// Empty says that the chunk has neither files nor anything to report, such as litter.
	Empty bool
	// Digest is a SHA-256 of the names, sizes, modification times and permissions of all
	// files, and of the names of all files that are skipped. No file is opened to compute
	// it. An archive counts as one file.
	Digest [sha256.Size]byte
}

// NewSurvey walks through the roots as List does, opens no file, and divides them into
// chunks. The errors are those of List.
func NewSurvey(ctx context.Context, roots []string, o SurveyOptions) (*Survey, error) {
	t := newTree(ctx, o.Limits)
	w := newWalker(t, roots, o.Exclude)
	s := &Survey{exclude: o.Exclude, limits: o.Limits, most: o.ChunkFiles, tree: t, real: w.roots, met: w.met}
	if s.most <= 0 {
		s.most = defaultChunkFiles
	}
	w.survey = &surveyor{survey: s}
	if err := w.visitRoots(roots); err != nil {
		return nil, err
	}
	w.survey.finish()
	return s, nil
}

// Chunks returns all chunks in the order of their roots and names. A chunk is known by its
// index. That with the loose files of a folder is before those of its folders and archives.
func (s *Survey) Chunks() []Chunk { return s.chunks }

// Roots returns the absolute paths of the roots.
func (s *Survey) Roots() []string {
	out := make([]string, len(s.tree.roots))
	for i, r := range s.tree.roots {
		out[i] = r.Root
	}
	return out
}

// Enclosing returns the chunks that contain another root, with the index of that root. If
// the root lies in a divided folder, but in none of its chunks, it is the chunk of its loose
// files.
func (s *Survey) Enclosing() map[int][]int {
	above := map[string][]int{} // the inner roots below each folder
	for i, r := range s.tree.roots {
		var folders []string
		last := 0 // up to the outermost root
		for dir := r.Root; ; dir = filepath.Dir(dir) {
			if folders = append(folders, dir); dir != r.Root {
				if _, isRoot := s.tree.rootAt[dir]; isRoot {
					last = len(folders)
				}
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
		for _, dir := range folders[:last] {
			above[dir] = append(above[dir], i)
		}
	}
	if len(above) == 0 {
		return nil
	}
	type pair struct{ outer, inner int }
	deepest := map[pair]int{} // chunks; those of a folder follow that of its loose files
	for n, c := range s.chunks {
		for _, i := range above[c.Path] {
			outer, inner := s.tree.roots[c.Root].Root, s.tree.roots[i].Root
			if outer != inner && Inside(outer, inner) {
				deepest[pair{c.Root, i}] = n
			}
		}
	}
	out := map[int][]int{}
	for p, n := range deepest {
		out[n] = append(out[n], p.inner)
	}
	return out
}

// alone reports whether an entry of a divided folder is a chunk by itself: a folder, or a
// file with the extension of an archive.
func (c child) alone() bool {
	return !c.litter && !c.dangles && c.problem == nil &&
		(c.isDir || archiveName(c.path) || c.linked && archiveName(c.real))
}
