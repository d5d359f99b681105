package dicomio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"sync"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/parallel"
)

// Search is a search in chunks: parts of the searched folders that are read one after the
// other, so that only the headers of two chunks are in memory. All chunks together hold what
// Find returns for the same folders.
//
// A chunk is a folder or archive in a root, or the files directly in a root. Chunks with
// files of one study are one chunk, and so are all chunks of a root in which only one study
// is multi-echo, because the root is its home. If a root lies in another one, all its
// chunks and the chunk of the other root that contains it are one chunk.
//
// The chunks are known after Settle.
type Search struct {
	options FindOptions
	survey  *files.Survey
	roots   []string
	chunks  []Chunk
}

// Chunk is a part of a search that is read by itself.
type Chunk struct {
	// Name is the first of Parts.
	Name string
	// Parts are the names of its folders and archives, as in Entry.Name of package files,
	// and of the roots whose own files it contains, with a slash at their ends. They do not
	// change as long as the roots and their order are the same.
	Parts []string
	// Digest is a SHA-256, in hex, of the names of the parts, and of the names, sizes,
	// modification times and permissions of their files. As long as it and the options are the same, reading
	// the chunk again has the same result, unless a file was changed without a trace.
	Digest string
	// Files is the number of files; an archive counts as one.
	Files int

	members []int    // indices in the survey
	shared  []string // roots with files in other chunks
}

// NewSearch lists the files under the roots, without opening one. Errors are those of Find.
func NewSearch(ctx context.Context, roots []string, o FindOptions) (*Search, error) {
	survey, err := files.NewSurvey(ctx, roots, o.Exclude, files.Limits{})
	if err != nil {
		return nil, err
	}
	return &Search{options: o, survey: survey, roots: survey.Roots()}, nil
}

// Chunks returns the chunks in the order of the roots and of their first parts, once Settle
// is done.
func (s *Search) Chunks() []Chunk { return s.chunks }

// Find reads a chunk. The caller must close the finding when nothing more is read from it.
func (s *Search) Find(ctx context.Context, c Chunk) (Finding, error) {
	r, err := s.read(ctx, ctx, c, s.tally(c.Files))
	if err != nil {
		return Finding{}, err
	}
	f, _ := s.sortOut(r)
	return f, nil
}

// List lists the files of a chunk without opening one. The caller must close the tree.
func (s *Search) List(ctx context.Context, c Chunk) (*files.Tree, error) {
	return s.survey.List(ctx, c.members...)
}

// Roots returns the absolute paths of the searched folders.
func (s *Search) Roots() []string { return s.roots }

// Each reads chunks, the next one while the caller works on one. The caller must close each
// finding. The loop ends after an error, which is that of ctx or concerns the whole search.
func (s *Search) Each(ctx context.Context, chunks []Chunk) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		for r, err := range s.prefetch(ctx, chunks) {
			if err != nil {
				yield(Finding{}, err)
				return
			}
			if f, _ := s.sortOut(r); !yield(f, nil) {
				return
			}
		}
	}
}

// FindEach is Find in bounded memory: it yields one finding for each chunk of a Search, and
// reads the next one while the caller works on one. The caller must close each finding. It
// reads every header twice; Search reads it once.
func FindEach(ctx context.Context, roots []string, o FindOptions) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		s, err := NewSearch(ctx, roots, o)
		if err == nil {
			err = s.Settle(ctx, nil, nil)
		}
		if err != nil {
			yield(Finding{}, err)
			return
		}
		s.Each(ctx, s.chunks)(yield)
	}
}

// loaded is a chunk with the headers of its files.
type loaded struct {
	chunk   Chunk
	tree    *files.Tree
	entries []*entry
}

// prefetch reads the chunks, the next one while one is used.
func (s *Search) prefetch(ctx context.Context, chunks []Chunk) iter.Seq2[loaded, error] {
	all := 0
	for _, c := range chunks {
		all += c.Files
	}
	t := s.tally(all)
	return parallel.Prefetch(ctx, len(chunks), func(reading context.Context, i int) (loaded, error) {
		return s.read(ctx, reading, chunks[i], t) // archives are opened after the loop too
	}, func(r loaded) { _ = r.tree.Close() }) // removes temporary files only
}

// read reads a chunk. The end of ctx ends the unpacking of archives, now and later, and that
// of reading ends the reading of headers.
func (s *Search) read(ctx, reading context.Context, c Chunk, t *tally) (loaded, error) {
	tree, err := s.survey.List(ctx, c.members...)
	if err != nil {
		return loaded{}, err
	}
	t.more(tree.Len() - c.Files)
	entries, err := readAll(reading, tree, s.options, t.one)
	return loaded{c, tree, entries}, err
}

func (s *Search) sortOut(r loaded) (Finding, Facts) {
	part := &scope{roots: s.roots, shared: r.chunk.shared}
	for _, n := range r.chunk.members {
		if c := s.survey.Chunks()[n]; !c.Loose {
			part.paths = append(part.paths, c.Path)
		}
	}
	f := finding(r.tree, r.entries, s.options, part)
	f.Chunk = r.chunk
	return f, part.facts
}

// newChunk returns the chunk that consists of chunks of the survey.
func (s *Search) newChunk(members []int, shared []string) Chunk {
	c := Chunk{members: members, shared: shared}
	sum := sha256.New()
	for _, n := range members {
		part := s.survey.Chunks()[n]
		c.Parts, c.Files = append(c.Parts, part.Name), c.Files+part.Files
		fmt.Fprintf(sum, "%q %x\n", part.Name, part.Digest)
	}
	fmt.Fprintf(sum, "%q\n", shared) // on which the homes of its studies depend
	c.Name, c.Digest = c.Parts[0], hex.EncodeToString(sum.Sum(nil))
	return c
}

// tally counts the files that were read.
type tally struct {
	mu        sync.Mutex
	done, all int
	report    func(done, all int)
}

func (s *Search) tally(all int) *tally { return &tally{all: all, report: s.options.Progress} }

// more adds files that have not been read. An archive has one until it is listed.
func (t *tally) more(files int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all += files
}

// one counts a file that was read.
func (t *tally) one() {
	if t.report == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	t.report(t.done, t.all)
}
