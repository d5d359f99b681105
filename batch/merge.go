package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/hint"
)

// Merge writes the tables of a folder whose studies were mapped in shards, as Run without shards writes them. It may be
// called again. If partial is set, shards may be missing; their studies are then not in the tables.
//
// It returns a *MissingShardsError if shards are missing, a *BusyError if a run writes to the folder, and the errors of
// Tables.
func Merge(ctx context.Context, s Settings, partial bool) (Outcome, error) {
	collector := tightenCollector()
	defer collector.restore()
	if err := s.checkSharded(); err != nil {
		return Outcome{}, err
	}
	lock, l, err := s.open(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer lock.release()
	states, err := s.readShards() // no shard is mapped while the folder is locked
	if err == nil {
		err = s.checkShards(states)
	}
	if err != nil && !(partial && errors.As(err, new(*MissingShardsError))) {
		return Outcome{}, err
	}
	if err := l.checkAlike(); err != nil {
		return Outcome{}, err
	}
	lock.unfinished = true
	r := session{Settings: s, ledger: l, collector: collector}
	if r.record, err = s.openRecord(); err != nil {
		return Outcome{}, err
	}
	defer r.record.log.Close() // each event is synced
	r.out.Merged = mergedOf(states)
	inputs := map[string]knownInputs{}
	for _, state := range states {
		r.out.Failures = append(r.out.Failures, state.Failures...)
		r.out.NotDone = append(r.out.NotDone, state.NotDone...)
		for study, sum := range state.Inputs {
			inputs[study] = sum
		}
	}
	// Files may have changed after the shard has read them, and before another one has planned.
	known := func(st storedStudy, chunk string) digest {
		if one := inputs[st.Line.Hash]; one.Chunk == chunk {
			return one.Sum
		}
		return digest{}
	}
	err = errors.Join(r.writeTables(), r.noteInputs(known), r.writeEntries())
	lock.unfinished = err != nil
	return r.out, err
}

// checkSharded returns an error if the folder does not exist or holds no shards. Nothing is written to such a folder, not
// even the lock.
func (s Settings) checkSharded() error {
	states, err := s.readShards()
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	if len(states) > 0 {
		return nil
	}
	if err := checkResults(s.Out); err != nil {
		return err
	}
	return hint.Errorf("map the shards with t2map run --shard, or rebuild the tables of a run without shards: "+
		tablesCommand(s.Out), "%s holds no shards", filepath.Base(s.Out))
}

// mergedOf counts the shards that have ended.
func mergedOf(states []shardState) Merged {
	m := Merged{Shards: len(states)}
	for _, state := range states {
		if !state.Shard.whole() {
			m.Ended++
		}
	}
	return m
}

// newInputs returns the hash of the list of inputs of a study in the index, if this run has mapped it.
func (r *session) newInputs(st storedStudy, _ string) digest {
	if e, ok := r.ledger.find(st.Line.Knee()); ok && e.mapped {
		return e.Inputs
	}
	return digest{}
}

// noteInputs adds to the index the hashes of the lists of inputs that are known of its studies. find returns that of a
// study in a chunk with a digest, or zero.
func (r *session) noteInputs(find func(st storedStudy, chunk string) digest) error {
	path := filepath.Join(r.Out, stateFolder, indexFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // somebody has removed it: the next run reads all headers
	}
	return r.writeState(indexFile, func(write func(any) error) error {
		first := true
		err := eachLine(path, func(line []byte) error {
			if first { // the settings
				first = false
				return write(json.RawMessage(line))
			}
			var c storedChunk
			if err := json.Unmarshal(line, &c); err != nil {
				return nil // the chunk is read again
			}
			for n, st := range c.Studies {
				if sum := find(st, c.Digest); sum != (digest{}) {
					c.Studies[n].Inputs = sum
				}
			}
			return write(c)
		})
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
}
