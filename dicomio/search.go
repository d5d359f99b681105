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
// A chunk is a folder or archive in a divided folder, or the files directly in a divided
// folder. All roots are divided, and large folders in them (FindOptions.ChunkFiles). Chunks
// with files of one study are one chunk, and so are all chunks of a divided folder in which
// only one study is multi-echo, because the folder may be its home. If a root lies in another
// one, all its chunks and the chunk of the other root that contains it are one chunk. A DICOM
// mask does not join chunks, unless it is in an archive: it is moved to the chunk that has its
// study.
//
// The chunks are known after Settle.
type Search struct {
	options FindOptions
	survey  *files.Survey
	roots   []string
	chunks  []*Chunk
}

// Chunk is a part of a search that is read by itself.
type Chunk struct {
	// Name is the first of Parts.
	Name string
	// Parts are the names of its folders and archives, as in Entry.Name of package files,
	// and of the divided folders whose own files it contains, with a slash at their ends. They
	// do not change as long as the roots and their order are the same, until a folder becomes
	// so large, or so small, that it is divided differently.
	Parts []string
	// Digest is a SHA-256, in hex, of the names of the parts, and of the names, sizes,
	// modification times and permissions of their files, without masks that were moved to other
	// chunks and with those that were moved here. As long as it and the options are the same, reading
	// the chunk again has the same result, unless a file was changed without a trace.
	Digest string
	// Files is the number of files; an archive counts as one.
	Files int

	members      []int    // indices in the survey
	shared       []string // divided folders with files in other chunks
	guests, away []Guest  // masks that were moved here, and to other chunks
}

// NewSearch lists the files under the roots, without opening one. Errors are those of Find.
func NewSearch(ctx context.Context, roots []string, o FindOptions) (*Search, error) {
	survey, err := files.NewSurvey(ctx, roots, files.SurveyOptions{Exclude: o.Exclude, ChunkFiles: o.ChunkFiles})
	if err != nil {
		return nil, err
	}
	return &Search{options: o, survey: survey, roots: survey.Roots()}, nil
}

// Chunks returns the chunks in the order of the roots and of their first parts, once Settle
// is done.
func (s *Search) Chunks() []*Chunk { return s.chunks }

// Find reads a chunk. The caller must close the finding when nothing more is read from it.
func (s *Search) Find(ctx context.Context, c *Chunk) (Finding, error) {
	r, err := s.read(ctx, ctx, c, s.tally(c.Files))
	if err != nil {
		return Finding{}, err
	}
	f, _ := s.sortOut(r)
	return f, nil
}

// List lists the files of a chunk without opening one. The caller must close the tree.
func (s *Search) List(ctx context.Context, c *Chunk) (*files.Tree, error) {
	return s.survey.List(ctx, c.members...)
}

// Roots returns the absolute paths of the searched folders.
func (s *Search) Roots() []string { return s.roots }

// Each reads chunks, the next one while the caller works on one. The caller must close each
// finding. The loop ends after an error, which is that of ctx or concerns the whole search.
func (s *Search) Each(ctx context.Context, chunks []*Chunk) iter.Seq2[Finding, error] {
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
	chunk   *Chunk
	tree    *files.Tree
	entries []*entry
}

// prefetch reads the chunks, the next one while one is used.
func (s *Search) prefetch(ctx context.Context, chunks []*Chunk) iter.Seq2[loaded, error] {
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
func (s *Search) read(ctx, reading context.Context, c *Chunk, t *tally) (loaded, error) {
	tree, err := s.survey.List(ctx, c.members...)
	if err != nil {
		return loaded{}, err
	}
	tree.Exchange(spots(c.away), spots(c.guests))
	t.more(tree.Len() - c.Files)
	entries, err := readAll(reading, tree, s.options, t.one)
	return loaded{c, tree, entries}, err
}

func (s *Search) sortOut(r loaded) (Finding, Facts) {
	var parts []files.Chunk
	for _, n := range r.chunk.members {
		parts = append(parts, s.survey.Chunks()[n])
	}
	part := newScope(parts, s.roots, r.chunk.shared)
	f := finding(r.tree, r.entries, s.options, part)
	f.Chunk = r.chunk
	return f, part.facts
}

// newChunk returns the chunk that consists of chunks of the survey.
func (s *Search) newChunk(members []int, shared []string) *Chunk {
	c := Chunk{members: members, shared: shared}
	for _, n := range members {
		part := s.survey.Chunks()[n]
		c.Parts, c.Files = append(c.Parts, part.Name), c.Files+part.Files
	}
	c.Name = c.Parts[0]
	return s.seal(c)
}

// seal returns the chunk with its digest.
func (s *Search) seal(c Chunk) *Chunk {
	sum := sha256.New()
	for _, n := range c.members {
		part := s.survey.Chunks()[n]
		fmt.Fprintf(sum, "%q %x\n", part.Name, part.Digest)
	}
	fmt.Fprintf(sum, "%q\n", c.shared) // on which the homes of its studies depend
	writeGuests(sum, "guest", c.guests)
	writeGuests(sum, "away", c.away)
	c.Digest = hex.EncodeToString(sum.Sum(nil))
	return &c
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
