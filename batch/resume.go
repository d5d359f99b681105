package batch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// Why says why a study is mapped, or that it is not, in words that follow a number of studies: "3 with changed files".
type Why string

// The reasons, in the order in which they are looked for.
const (
	// Forced: Settings.Force maps every study.
	Forced Why = "forced"
	// New: there is no result.
	New Why = "new"
	// OtherFolder: its result is in another folder, under another name.
	OtherFolder Why = "under another name"
	// OtherRequest: the version, a setting, the identity, the headers or the choice of the files differ from those of
	// the result.
	OtherRequest Why = "with other settings, headers or choice of files"
	// Incomplete: a file of the result is missing.
	Incomplete Why = "with incomplete results"
	// OtherInputs: the contents of a file differ from those that the result was made from.
	OtherInputs Why = "with changed files"
	// Done: the result is that of the same files and settings. The study is not mapped.
	Done Why = "done"
)

// Whys are all reasons.
var Whys = []Why{New, OtherInputs, OtherRequest, OtherFolder, Incomplete, Forced, Done}

// Choice is what a run does with a study.
type Choice struct {
	// Folder is that of the result, with slashes and relative to the output folder.
	Folder string
	Why    Why
}

// resume returns the studies whose results must be made, and records the choice for each study.
func (r *session) resume(ctx context.Context, c *cohort, studies []*study) ([]*study, error) {
	requests, err := pipeline.NewRequests(r.Protocol)
	if err != nil {
		return nil, err
	}
	for _, st := range studies {
		if st.source != nil && !st.source.unchanged() {
			st.seen.inputs = digest{} // the index, which says that it is unchanged from now on, must not say more
		}
	}
	r.out.Studies, r.planSum = len(studies), r.Shard.planSum(studies, requests)
	studies = slices.DeleteFunc(slices.Clone(studies), func(st *study) bool { return !r.Shard.has(st.Hash) })
	reasons := comparison{session: r, search: c.search, requests: requests}
	if err := reasons.find(ctx, studies); err != nil {
		return nil, err
	}
	var left []*study
	r.out.Choices = map[Why]int{}
	for _, st := range studies {
		if !r.Shard.whole() {
			r.noteKnown(st)
		}
		r.out.Choices[st.why]++
		if r.Chosen != nil {
			r.Chosen(Choice{files.Below(r.Out, st.dir), st.why})
		}
		if st.why != Done {
			left = append(left, st)
		}
	}
	return left, nil
}

// comparison compares studies with the results of earlier runs.
type comparison struct {
	*session
	search   *dicomio.Search
	requests pipeline.Requests
}

// find finds out for each study why it is mapped.
func (c comparison) find(ctx context.Context, studies []*study) error {
	progress := c.progress(StageResults)
	doubtful := map[*chunk][]*study{} // whose inputs must be read
	var parts []*chunk
	for n, st := range studies {
		isKnown := false
		if st.why, isKnown = c.reason(st); !isKnown {
			if doubtful[st.chunk] == nil {
				parts = append(parts, st.chunk)
			}
			doubtful[st.chunk] = append(doubtful[st.chunk], st)
		}
		if progress != nil {
			progress(n+1, len(studies))
		}
	}
	return parallel.Each(ctx, len(parts), c.Workers, func(n int) error {
		return c.compareInputs(ctx, parts[n], doubtful[parts[n]])
	})
}

// reason returns why a study is mapped, or Done. It returns false if its inputs must be compared.
func (c comparison) reason(st *study) (Why, bool) {
	if c.Force {
		return Forced, true
	}
	e, ok := c.ledger.find(st.Knee())
	switch {
	case !ok:
		return New, true
	case !samePath(e.Dir, st.dir):
		return OtherFolder, true
	case e.Request != digestOf(st.request(c.requests)):
		return OtherRequest, true
	case !e.complete():
		return Incomplete, true
	}
	return Done, st.seen.inputs == e.Inputs && st.unchanged() && (st.source == nil || st.source.unchanged())
}

// unchanged reports whether the files of a study are those of an earlier run, by their sizes and times.
func (st *study) unchanged() bool {
	return st.chunk.recalled && (st.seen.outside == nil || *st.seen.outside == stampOf(st.seen.outside.Path))
}

// compareInputs compares the contents of the inputs of studies in one chunk with the hashes in their results.
func (c comparison) compareInputs(ctx context.Context, part *chunk, studies []*study) error {
	lists := map[*chunk]*inputs{} // of the chunk, and of those with masks that are carried to it
	defer func() {
		for _, list := range lists {
			list.close()
		}
	}()
	list := func(part *chunk) error {
		if lists[part] != nil {
			return nil
		}
		list, err := c.newInputs(ctx, part)
		if err == nil {
			lists[part] = list
		}
		return err
	}
	for _, st := range studies {
		if err := list(part); err != nil {
			return err
		}
		all := []*inputs{lists[part]}
		if st.source != nil && st.source.chunk != part {
			if err := list(st.source.chunk); err != nil {
				return err
			}
			all = append(all, lists[st.source.chunk])
		}
		st.why = c.compare(st, all)
	}
	return nil
}

// compare returns Done if the inputs of a study have the hashes in its result.
func (c comparison) compare(st *study, all []*inputs) Why {
	e, _ := c.ledger.find(st.Knee())
	result, err := e.result()
	if err != nil {
		return New // it was readable before: another program writes to the folder
	}
	for _, f := range result.Inputs {
		same := slices.ContainsFunc(all, func(in *inputs) bool { return in.hasInput(f) })
		if outside := st.seen.outside; !same && outside != nil { // the mask, or the voxels of its header
			same = all[0].has(filepath.Join(filepath.Dir(outside.Path), path.Base(f.Path)), f.SHA256)
		}
		if !same {
			return OtherInputs
		}
	}
	if len(result.Inputs) == 0 {
		return OtherInputs
	}
	st.seen.inputs = e.Inputs
	return Done
}

// inputs finds the files that results were made from.
type inputs struct {
	tree  *files.Tree
	paths map[string]string // by their names in results
}

func newInputs(tree *files.Tree) *inputs {
	in := &inputs{tree: tree, paths: map[string]string{}}
	for _, e := range tree.Entries() {
		in.paths[e.Name] = e.Path
	}
	return in
}

// newInputs lists the files of a chunk.
func (c comparison) newInputs(ctx context.Context, part *chunk) (*inputs, error) {
	tree, err := c.search.List(ctx, part.Chunk)
	if err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	return newInputs(tree), nil
}

// close removes the temporary files of archives.
func (in *inputs) close() { _ = in.tree.Close() }

// hasInput reports whether an input is there and has its hash.
func (in *inputs) hasInput(f report.File) bool {
	file, listed := in.paths[f.Path]
	return listed && in.has(file, f.SHA256)
}

// has reports whether a file has contents with the hash: its own or, of a single file in gzip, the uncompressed ones.
func (in *inputs) has(path, sum string) bool {
	for _, open := range []func(string) (*files.File, error){in.tree.Open, in.tree.OpenStored} {
		f, err := open(path)
		if err != nil {
			continue
		}
		hash := sha256.New()
		_, err = io.Copy(hash, io.NewSectionReader(f, 0, f.Size()))
		if err = errors.Join(err, f.Close()); err == nil && fmt.Sprintf("%x", hash.Sum(nil)) == sum {
			return true
		}
	}
	return false
}
