package batch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// Why says why a study is mapped again, or that it is not.
type Why string

// The reasons, in the order in which they are looked for.
const (
	// Forced: Settings.Force maps every study.
	Forced Why = "--force"
	// New: there is no result.
	New Why = "new"
	// OtherFolder: its result is in another folder, under another name.
	OtherFolder Why = "its folder has another name"
	// OtherRequest: the version, a setting, the identity, the headers or the choice of the files differ from those of
	// the result.
	OtherRequest Why = "settings, headers or files chosen have changed"
	// Incomplete: a file of the result is missing.
	Incomplete Why = "a file of its result is missing"
	// OtherInputs: the contents of a file differ from those that the result was made from.
	OtherInputs Why = "the contents of its files have changed"
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

// resume removes from the jobs those whose results need not be made again, and records the choice for each study.
// tree lists the files.
func (r *session) resume(ctx context.Context, jobs []pipeline.Job, tree *files.Tree) ([]pipeline.Job, error) {
	c := comparison{session: r, inputs: newInputs(tree)}
	reasons := make([]Why, len(jobs))
	progress := r.progress(StageResults)
	done := 0
	err := parallel.Each(ctx, len(jobs), r.Workers, func(n int) (err error) {
		reasons[n], err = c.reason(jobs[n])
		r.count(progress, &done, len(jobs))
		return err
	})
	if err != nil {
		return nil, err
	}
	var left []pipeline.Job
	for n, j := range jobs {
		r.out.Choices = append(r.out.Choices, Choice{files.Below(r.Out, j.Dir), reasons[n]})
		if reasons[n] != Done {
			left = append(left, j)
		}
	}
	return left, nil
}

// count reports that one more of all studies is compared.
func (r *session) count(report func(done, all int), done *int, all int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*done++
	if report != nil {
		report(*done, all)
	}
}

// comparison compares jobs with the results of earlier runs.
type comparison struct {
	*session
	*inputs
}

// reason returns why a job is mapped, or Done.
func (c *comparison) reason(j pipeline.Job) (Why, error) {
	if c.Force {
		return Forced, nil
	}
	known := c.ledger.byStudy[j.Study.Hash]
	n := slices.IndexFunc(known, func(r report.Result) bool { return sameRows(r, claim(j)) })
	if n < 0 {
		return New, nil
	}
	if !samePath(known[n].Dir, j.Dir) {
		return OtherFolder, nil
	}
	result, err := report.ReadResult(filepath.Join(j.Dir, report.ResultFile))
	if err != nil {
		return New, nil // it was readable before: another program writes to the folder
	}
	request, err := j.Request(c.Protocol)
	if err != nil {
		return "", err
	}
	switch {
	case request != result.Request:
		return OtherRequest, nil
	case !complete(result):
		return Incomplete, nil
	case !c.sameInputs(j, result):
		return OtherInputs, nil
	}
	return Done, nil
}

// complete reports whether the files of a result exist.
func complete(r report.Result) bool {
	for _, f := range r.Outputs {
		if info, err := os.Stat(filepath.Join(r.Dir, filepath.FromSlash(f.Path))); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// sameInputs reports whether the files that a result was made from have the same contents.
func (c *comparison) sameInputs(j pipeline.Job, r report.Result) bool {
	for _, f := range r.Inputs {
		path, listed := c.paths[f.Path]
		if !listed && j.Mask.Path != "" && pipeline.MaskName(j.Study, j.Mask.Path) == f.Path {
			path, listed = j.Mask.Path, true // a mask that the manifest names, outside of the searched folders
		}
		if !listed || !c.has(path, f.SHA256) {
			return false
		}
	}
	return len(r.Inputs) > 0
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
