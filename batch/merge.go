package batch

import (
	"context"
	"errors"
	"fmt"
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
