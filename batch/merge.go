package batch

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"

	"github.com/t2map/t2map/hint"
)

// Merge writes the tables of a folder whose studies were mapped in shards, as Run without shards writes them. It may be
// called again. If partial is set, shards may be missing; their studies are then not in the tables.
//
// It returns a *MissingShardsError if shards are missing, a *BusyError if a run writes to the folder, and the errors of
// Tables.
func Merge(ctx context.Context, s Settings, partial bool) (Outcome, error) {
	if err := checkResults(s.Out); err != nil {
		return Outcome{}, err
	}
	states, err := s.readShards()
	if err != nil {
		return Outcome{}, err
	}
	if len(states) == 0 {
		return Outcome{}, hint.Errorf("map the shards with t2map run --shard, or rebuild the tables of a run without "+
			"shards: "+tablesCommand(s.Out), "%s holds no shards", filepath.Base(s.Out))
	}
	if err := s.checkShards(states); err != nil && !partial {
		return Outcome{}, err
	}
	lock, l, err := s.open(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer lock.release()
	if err := l.checkAlike(); err != nil {
		return Outcome{}, err
	}
	lock.unfinished = true
	r := session{Settings: s, ledger: l}
	inputs := map[string]string{}
	for _, state := range states {
		r.out.Failures = append(r.out.Failures, state.Failures...)
		r.out.NotDone = append(r.out.NotDone, state.NotDone...)
		for study, sum := range state.Inputs {
			inputs[study] = sum
		}
	}
	err = errors.Join(r.writeTables(), r.noteInputs(inputs), r.writeEntries())
	lock.unfinished = err != nil
	return r.out, err
}

// noteInputs adds to the index the hashes of the lists of inputs that shards have found.
func (r *session) noteInputs(inputs map[string]string) error {
	path := filepath.Join(r.Out, stateFolder, indexFile)
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
				if sum := inputs[st.Line.Hash]; sum != "" {
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
