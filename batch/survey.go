package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// A run plans its work in three steps. It reads the cohort chunk by chunk and keeps a line of each study; it compares
// the lines with each other; and it reads those chunks again that have studies to map. So the headers of two chunks
// are in memory at a time. Chunks that have not changed since an earlier run are not read: their lines are in the
// index of the output folder.

// study is a study that the run can map.
type study struct {
	*intake.Line
	chunk  *chunk
	source *study // from which its mask is carried
	dir    string // the folder of its result
	// warnings are those about its identity that depend on other studies.
	warnings []string
	why      Why
	seen     *sighting
}

// warn adds a warning about the identity.
func (st *study) warn(text string) {
	st.warnings = append(st.warnings, text)
}

// identity returns the identity with all warnings.
func (st *study) identity() pipeline.Identity {
	id := st.Identity
	id.Warnings = slices.Concat(id.Warnings, st.warnings)
	return id
}

// request returns the request of its result.
func (st *study) request(all pipeline.Requests) string {
	source := ""
	if st.source != nil {
		source = st.source.request(all)
	}
	return all.Of(st.identity(), st.Facts, source)
}

// chunk is a part of the cohort after it was read.
type chunk struct {
	*dicomio.Chunk
	// kept is the finding, if it is still open.
	kept *dicomio.Finding
	// number is the index in cohort.chunks.
	number int
	*found
}

// found is what was found in a chunk.
type found struct {
	facts   dicomio.Facts
	passed  dicomio.Passed
	files   int
	notes   notes
	studies []*sighting
	strays  []error // damaged files that are not the reason for the failure of a study
	damaged []Problem
	// recalled says that it was not read, because an earlier run has read the same files.
	recalled bool
}

// sighting is a study in its chunk.
type sighting struct {
	intake.Line
	// err is the reason why the study cannot be mapped. The line then holds what was known before.
	err error
	// nameless says that err is about the identity, unlisted that the manifest does not list the study, and maskless that
	// err is about the mask.
	nameless, unlisted, maskless bool
	damaged                      []Problem
	// inputs is the hash of the list of inputs that the result was made from, if the files have not changed since.
	inputs digest
	// read is what readOf has returned, and unread says that err is that readers do not let the study be mapped. The index
	// has such a study: err follows from the reads.
	read   string
	unread bool
	// outside describes the mask if it lies outside of the searched folders.
	outside *stamp
}

// stamp identifies the content of a file without reading it.
type stamp struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Time int64  `json:"time"` // ns since 1970
	// Version is that of an object in a bucket.
	Version string `json:"version,omitempty"`
}

// unknownSize is the size in the stamp of a header whose voxels may lie in another file: it is read in each run.
const unknownSize = -2

// stampOf returns the stamp of a file; its size is -1 if there is none.
func stampOf(path string) stamp {
	info, err := files.Stat(context.Background(), path) // short, and repeated for 23 s at most
	if err != nil {
		return stamp{Path: path, Size: -1}
	}
	return stamp{path, info.Size(), info.ModTime().UnixNano(), files.Version(info)}
}

// mostKept is the largest number of files in chunks whose headers stay in memory until their studies are mapped,
// instead of being read twice. They take about 2 MiB.
var mostKept = 512 // a variable for tests

// cohort is what was found below the roots.
type cohort struct {
	search *dicomio.Search
	chunks []*chunk
	// replaced are the chunks that were read and then joined with others or changed. The search needs their facts.
	replaced []*chunk
	files    int // in chunks that are kept
	// forgotten says that what was found is in the index only.
	forgotten bool
}

// forget drops what was found in the chunks. It is in the index.
func (c *cohort) forget() {
	nothing := new(found)
	for _, part := range c.chunks {
		part.found = nothing
	}
	c.replaced, c.forgotten = nil, true
}

// close closes the findings that are still open.
func (c *cohort) close() error {
	var err error
	for _, part := range c.chunks {
		err = errors.Join(err, part.release())
	}
	return err
}

// describe takes the studies and the damaged files of a chunk that was read again.
func (c *chunk) describe(again *chunk) {
	c.studies, c.strays, c.damaged = again.studies, again.strays, again.damaged
}

// release closes the finding if it is still open.
func (c *chunk) release() error {
	if c.kept == nil {
		return nil
	}
	f := c.kept
	c.kept = nil
	return f.Close()
}

// checkRoots returns an error if a root does not exist.
func (s Settings) checkRoots(ctx context.Context) error {
	for _, root := range s.Roots {
		if _, err := files.Stat(ctx, root); errors.Is(err, os.ErrNotExist) {
			return hint.Errorf("name the folder that holds the studies", "%w", &protocol.MissingError{Path: root})
		}
	}
	return nil
}

func (s Settings) findOptions() dicomio.FindOptions {
	return dicomio.FindOptions{Workers: s.Workers, Exclude: s.Out, PhilipsScaling: s.Protocol.PhilipsScaling,
		Progress: s.progress(StageHeaders)}
}

// survey finds the studies below the roots.
func (r *session) survey(ctx context.Context) (*cohort, error) {
	if err := r.checkRoots(ctx); err != nil {
		return nil, err
	}
	search, err := dicomio.NewSearch(ctx, r.Roots, r.findOptions())
	if err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	c := &cohort{search: search}
	known := r.readIndex(search)
	used := map[string]*chunk{} // by digest
	studies := 0
	count := func(c *chunk) {
		studies += len(c.studies)
		r.collector.holdLines(studies)
	}
	err = search.Settle(ctx, func(part *dicomio.Chunk) (dicomio.Facts, bool) {
		stored := known[part.Digest]
		if stored == nil {
			return dicomio.Facts{}, false
		}
		used[part.Digest] = stored
		count(stored)
		return stored.facts, true
	}, func(f dicomio.Finding, facts dicomio.Facts) error {
		one := r.chunkOf(f)
		count(one)
		one.facts, used[f.Chunk.Digest] = facts, one
		return c.keep(one, f)
	})
	for _, part := range search.Chunks() {
		if one := used[part.Digest]; one != nil { // absent only after an error
			one.Chunk = part
			c.chunks = append(c.chunks, one)
			delete(used, part.Digest)
		}
	}
	for digest, one := range used {
		err = errors.Join(err, one.release())
		one.Chunk, one.studies = &dicomio.Chunk{Digest: digest}, nil
		c.replaced = append(c.replaced, one)
	}
	slices.SortFunc(c.replaced, func(a, b *chunk) int { return strings.Compare(a.Digest, b.Digest) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find: %w", err), c.close())
	}
	return c, c.checkFound()
}

// recalled reports whether no chunk was read.
func (c *cohort) recalled() bool {
	return !slices.ContainsFunc(c.chunks, func(part *chunk) bool { return !part.recalled })
}

// isSmall reports whether the headers of all chunks are in memory: reading them again takes no time.
func (c *cohort) isSmall() bool {
	return !slices.ContainsFunc(c.chunks, func(part *chunk) bool { return part.kept == nil })
}

// keep leaves the finding of a chunk open, or closes it if the open ones hold many files.
func (c *cohort) keep(part *chunk, f dicomio.Finding) error {
	if c.files+f.Files > mostKept {
		return f.Close()
	}
	c.files += f.Files
	part.kept = &f
	return nil
}

// checkFound returns an error if there is nothing to map or to report.
func (c *cohort) checkFound() error {
	e := NothingFoundError{}
	for _, part := range c.chunks {
		if len(part.studies)+len(part.damaged) > 0 {
			return nil
		}
		e.Files += part.files
		e.Passed = e.Passed.Plus(part.passed)
	}
	return errors.Join(&e, c.close())
}

// chunkOf returns a chunk with a line for each study of its finding.
func (r *session) chunkOf(f dicomio.Finding) *chunk {
	c := &chunk{Chunk: f.Chunk, found: &found{passed: f.Passed, files: f.Files, notes: notesOf(f.Tree)}}
	r.intake.Take(f)
	defer r.intake.Forget()
	var named []error // damaged files that are the reason for the failure of a study
	for _, st := range f.Studies {
		one := r.sightingOf(st)
		if spoiled := st.Spoiled; one.err != nil && len(spoiled) > 0 && errors.Is(one.err, spoiled[0]) {
			named = append(named, spoiled...)
		}
		c.studies = append(c.studies, one)
	}
	for _, err := range f.Damaged {
		c.damaged = append(c.damaged, problem(err))
		if !slices.Contains(named, err) {
			c.strays = append(c.strays, err)
		}
	}
	return c
}

// sightingOf returns the line of a study.
func (r *session) sightingOf(st dicomio.Study) *sighting {
	one := &sighting{}
	j, err := r.intake.Identify(st)
	one.unlisted = errors.Is(err, intake.ErrUnlisted)
	one.nameless = err != nil && !one.unlisted
	if err == nil {
		err = r.intake.ChooseSeries(&j)
		if one.maskless = err == nil; one.maskless {
			err = r.intake.ChooseMask(&j)
		}
	}
	one.Line = intake.LineOf(j, r.Workers)
	if one.unlisted {
		return one
	}
	one.err, one.read = err, r.readOf(one)
	var because *pipeline.ReasonError
	one.unread = errors.As(err, &because) && because.Reason == report.ReasonRead
	for _, e := range st.Damaged {
		p := problem(e)
		p.Folder, p.Study = st.Name(), st.Hash
		one.damaged = append(one.damaged, p)
	}
	if j.Mask.Path != "" && !r.intake.Searched(j.Mask.Path) {
		s := stampOf(j.Mask.Path)
		if pipeline.MayBeDetached(j.Mask.Path) {
			s.Size = unknownSize
		}
		one.outside = &s
	}
	return one
}
