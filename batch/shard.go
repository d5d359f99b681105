package batch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
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
	planFile    = "plan.json" // in shardFolder: the hash of the plan that a shard has made last, see planSum
	planLock    = "plan.lock" // held by the shard that plans, so that headers are read once
)

// shardState is what a shard leaves for Merge.
type shardState struct {
	Shard Shard `json:"shard"`
	// Plan is the hash of the studies of the whole run and of their requests. It is the same in all shards of a run.
	Plan     string           `json:"plan"`
	Failures []report.Failure `json:"failures"`
	NotDone  []report.Failure `json:"not_done"`
	// Inputs holds what is known of the inputs of its studies.
	Inputs map[string]knownInputs `json:"inputs"`
}

// knownInputs is the hash of the list of inputs of a study, see sighting.inputs. It is valid as long as the chunk of the
// study has the same digest.
type knownInputs struct {
	Chunk string `json:"chunk"`
	Sum   digest `json:"sum"`
}

// planSum returns the hash of the studies of the run, of their requests and of the sizes and times of their files; ""
// without shards.
func (s Shard) planSum(studies []*study, requests pipeline.Requests) string {
	if s.whole() {
		return ""
	}
	var lines []string
	for _, st := range studies {
		lines = append(lines, st.Hash+" "+st.request(requests)+" "+st.chunk.Digest)
	}
	slices.Sort(lines)
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%s %d\n%s", pipeline.Version, s.Count,
		strings.Join(lines, "\n"))))
}

// shardPath returns the path of the state of a shard.
func (s Settings) shardPath(shard Shard) string {
	return filepath.Join(s.Out, stateFolder, shardFolder, fmt.Sprintf("%d-of-%d.json", shard.Index, shard.Count))
}

// noteKnown notes what a shard knows of the inputs of a study. The digest of its chunk says nothing about masks
// elsewhere.
func (r *session) noteKnown(st *study) {
	if !r.Shard.whole() && st.seen.inputs != (digest{}) && st.source == nil && st.seen.outside == nil {
		r.inputs[st.Hash] = knownInputs{st.chunk.Digest, st.seen.inputs}
	}
}

// writeShard writes the state of the shard that the run has mapped.
func (r *session) writeShard() error {
	state := shardState{Shard: r.Shard, Plan: r.planSum, Failures: r.out.Failures, NotDone: r.out.NotDone,
		Inputs: r.inputs}
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
//
// The last run is the one that has planned last. It is not the one with the newest state: the clocks of the nodes may
// differ, and shards of an earlier run may end late.
func (s Settings) readShards() ([]shardState, error) {
	folder := filepath.Join(s.Out, stateFolder, shardFolder)
	var last lastPlan
	if data, err := os.ReadFile(filepath.Join(folder, planFile)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	} else if json.Unmarshal(data, &last) != nil {
		return nil, nil // what it says is not known, and all shards are missing
	}
	var all []shardState
	for index := 1; index <= last.Count; index++ {
		state, err := s.readShard(Shard{index, last.Count})
		if err != nil {
			return nil, err
		}
		if state.Plan != last.Plan {
			state = shardState{}
		}
		all = append(all, state)
	}
	return all, nil
}

// readShard reads the state of a shard. It is zero if there is none, or if it cannot be understood.
func (s Settings) readShard(shard Shard) (shardState, error) {
	data, err := os.ReadFile(s.shardPath(shard))
	if errors.Is(err, fs.ErrNotExist) {
		return shardState{}, nil
	} else if err != nil {
		return shardState{}, err
	}
	var state shardState
	if json.Unmarshal(data, &state) != nil || state.Shard != shard {
		return shardState{}, nil
	}
	return state, nil
}

// checkShards returns a *MissingShardsError unless all shards, whose states readShards returns, have ended.
func (s Settings) checkShards(states []shardState) error {
	e := &MissingShardsError{Folder: s.Out}
	for n, state := range states {
		switch shard := (Shard{n + 1, len(states)}); {
		case state.Shard.whole():
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

// recallShard recalls what an earlier run of the shard has learned of its studies' inputs, and removes the state that it
// left: until this run ends, the shard is missing.
func (r *session) recallShard(c *cohort) error {
	if r.Shard.whole() {
		return nil
	}
	earlier, err := r.readShard(r.Shard)
	if err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	for _, part := range c.chunks {
		for _, one := range part.studies {
			if known := earlier.Inputs[one.Hash]; part.recalled && !r.VerifyInputs && known.Chunk == part.Digest {
				one.inputs = known.Sum
			}
		}
	}
	if r.DryRun {
		return nil
	}
	if err := os.Remove(r.shardPath(r.Shard)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("output folder: %w", err)
	}
	return nil
}

// lastPlan is the content of planFile.
type lastPlan struct {
	Plan  string `json:"plan"`
	Count int    `json:"count"`
}

// sharePlan leaves for the other shards what this one has read, and for Merge the hash of its plan. Call it while
// other shards wait to plan.
func (r *session) sharePlan() error {
	if r.Shard.whole() || r.DryRun {
		return nil
	}
	text, err := json.Marshal(lastPlan{r.planSum, r.Shard.Count})
	if err == nil {
		err = outfile.Replace(filepath.Join(r.Out, stateFolder, shardFolder, planFile), text)
	}
	if err == nil {
		err = r.writeEntries()
	}
	if err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	return nil
}

// checkFolders returns an error if a study of a sharded run needs the folder of an earlier result of another study,
// because their names were exchanged. One process must then move both: a shard knows only what it does itself.
func (r *session) checkFolders(studies []*study) error {
	if r.Shard.whole() {
		return nil
	}
	claims := map[string]*study{}
	for _, st := range studies {
		claims[filepath.Clean(st.dir)] = st
	}
	for e := range r.ledger.all().entries() {
		if st := claims[filepath.Clean(e.Dir)]; st != nil && st.Hash != e.Study {
			return hint.Errorf("map the studies once without --shard", "output folder: %s holds the result of a study "+
				"that has another name now, and another study needs the folder", printable.Short(e.Folder))
		}
	}
	return nil
}

// removeShards removes the states of shards after a run that needs no Merge.
func (s Settings) removeShards() error {
	return os.RemoveAll(filepath.Join(s.Out, stateFolder, shardFolder))
}
