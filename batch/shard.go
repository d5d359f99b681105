package batch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// Shard is a part of the studies of a run: those whose hashes fall to it. Several processes, on one machine or on
// several that share the output folder, map the shards of a run, and Merge writes the tables.
type Shard struct {
	// Index counts from 1 to Count. The zero value is the whole run.
	Index, Count int
}

// String returns the index and the count, as in 3/8.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// whole reports whether the run has no shards.
func (s Shard) whole() bool { return s.Count == 0 }

// check returns an error if the index or the count is not valid.
func (s Shard) check() error {
	if s != (Shard{}) && (s.Index < 1 || s.Index > s.Count) {
		return fmt.Errorf("shard %s: the index is not between 1 and the count", s)
	}
	return nil
}

// has reports whether a study falls to the shard. What belongs to no study falls to the first.
func (s Shard) has(study string) bool {
	if s.whole() {
		return true
	}
	if study == "" {
		return s.Index == 1
	}
	sum := sha256.Sum256([]byte(study))
	return int(binary.BigEndian.Uint64(sum[:8])%uint64(s.Count)) == s.Index-1
}

// The state of shards.
const (
	shardFolder = "shards"    // in the state folder: a file for each shard that has ended
	planLock    = "plan.lock" // held by the shard that plans, so that headers are read once
)

// shardState is what a shard leaves for Merge.
type shardState struct {
	Shard Shard `json:"shard"`
	// Plan is the hash of the studies of the whole run and of their requests. It is the same in all shards of a run.
	Plan     string           `json:"plan"`
	Failures []report.Failure `json:"failures"`
	NotDone  []report.Failure `json:"not_done"`
	// Inputs holds the hashes of the lists of inputs of its studies, see sighting.inputs.
	Inputs map[string]string `json:"inputs"`
}

// planSum returns the hash of the studies of the run and of their requests.
func planSum(count int, studies []*study) string {
	var lines []string
	for _, st := range studies {
		lines = append(lines, st.Hash+" "+st.request)
	}
	slices.Sort(lines)
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s %d\n%s", pipeline.Version, count,
		strings.Join(lines, "\n"))))
}

// shardPath returns the path of the state of a shard.
func (s Settings) shardPath(shard Shard) string {
	return filepath.Join(s.Out, stateFolder, shardFolder, fmt.Sprintf("%d-of-%d.json", shard.Index, shard.Count))
}

// writeShard writes the state of the shard that the run has mapped.
func (r *session) writeShard() error {
	state := shardState{Shard: r.Shard, Plan: r.planSum, Failures: r.out.Failures, NotDone: r.out.NotDone,
		Inputs: map[string]string{}}
	for _, st := range r.own {
		if st.seen.inputs != "" {
			state.Inputs[st.Hash] = st.seen.inputs
		}
	}
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	path := r.shardPath(r.Shard)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return outfile.Replace(path, text)
}

// lockShard locks the shard, so that no other process maps it. The returned function releases it.
func (s Settings) lockShard() (release func(), err error) {
	if s.Shard.whole() || s.DryRun {
		return func() {}, nil
	}
	path := s.shardPath(s.Shard) + ".lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	f := flock.New(path)
	locked, err := f.TryLock()
	switch {
	case err != nil:
		return func() {}, nil // the file system has no locks
	case !locked:
		return nil, hint.Errorf("wait until it has ended, or map another shard", "shard %s: %w", s.Shard,
			&BusyError{Folder: s.Out, Holder: holderOf(s.Out)})
	}
	return func() { _ = f.Close() }, nil
}

// lockPlan waits until no other shard plans. The returned function lets the next one plan.
func (s Settings) lockPlan() (release func()) {
	if s.Shard.whole() || s.DryRun {
		return func() {}
	}
	f := flock.New(filepath.Join(s.Out, stateFolder, planLock))
	if f.Lock() != nil {
		return func() {} // the file system has no locks: headers are read more than once
	}
	return func() { _ = f.Close() }
}

// MissingShardsError says that shards of a run have not ended, or have studies left.
type MissingShardsError struct {
	Folder string
	// Missing are the shards that have not ended. Unfinished are those that ended with studies that are not done.
	Missing, Unfinished []Shard
}

// Error lists the shards.
func (e *MissingShardsError) Error() string {
	var parts []string
	for _, group := range []struct {
		words  string
		shards []Shard
	}{{"not mapped", e.Missing}, {"with studies that are not done", e.Unfinished}} {
		if len(group.shards) == 0 {
			continue
		}
		const shown = 8
		var names []string
		for _, s := range group.shards[:min(shown, len(group.shards))] {
			names = append(names, s.String())
		}
		text := strings.Join(names, ", ")
		if n := len(group.shards) - shown; n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		parts = append(parts, fmt.Sprintf("shards %s: %s", group.words, text))
	}
	return fmt.Sprintf("results %s: %s", e.Folder, strings.Join(parts, "; "))
}

// readShards returns the states of the shards of the last run in the folder. Shards of other runs, with other studies,
// settings or another count, are missing. Without a shard it returns none.
func (s Settings) readShards() ([]shardState, error) {
	names, err := filepath.Glob(filepath.Join(s.Out, stateFolder, shardFolder, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []shardState
	var latest time.Time
	plan := ""
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var state shardState
		if json.Unmarshal(data, &state) != nil || state.Shard.check() != nil || state.Shard.whole() {
			continue // it is missing
		}
		all = append(all, state)
		if info.ModTime().After(latest) {
			latest, plan = info.ModTime(), state.Plan
		}
	}
	all = slices.DeleteFunc(all, func(state shardState) bool { return state.Plan != plan })
	slices.SortFunc(all, func(a, b shardState) int { return a.Shard.Index - b.Shard.Index })
	return all, nil
}

// checkShards returns a *MissingShardsError unless all shards have ended.
func (s Settings) checkShards(states []shardState) error {
	e := &MissingShardsError{Folder: s.Out}
	byIndex := map[int]shardState{}
	for _, state := range states {
		byIndex[state.Shard.Index] = state
	}
	count := states[0].Shard.Count
	for index := 1; index <= count; index++ {
		state, ended := byIndex[index]
		switch shard := (Shard{index, count}); {
		case !ended:
			e.Missing = append(e.Missing, shard)
		case len(state.NotDone) > 0:
			e.Unfinished = append(e.Unfinished, shard)
		}
	}
	if len(e.Missing)+len(e.Unfinished) == 0 {
		return nil
	}
	return hint.Errorf("map them with --shard, or add --partial to write the tables without them", "%w", e)
}

// removeShards removes the states of shards after a run that needs no Merge.
func (s Settings) removeShards() error {
	err := os.RemoveAll(filepath.Join(s.Out, stateFolder, shardFolder))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
