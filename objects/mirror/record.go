package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"
)

// tailName begins the names of the tails of the record, objects with the lines that audit.jsonl in the bucket may not
// have yet, which are numbered from 0. The first line of each is the number of bytes of the record that come before its
// lines. Tails are stored before each result.json, so that the record names every result of a run that is killed, and
// removed when the whole record is stored.
const tailName = stateDir + "/audit.tail-"

// A tail of fullTail bytes or more is not stored again: the next one begins. mostTail is the most that a tail may have.
const (
	fullTail = 1 << 16
	mostTail = 1 << 26
)

// tails is the state of the tails of the record.
type tails struct {
	mu      sync.Mutex
	objects int   // the number of tails that the bucket may have
	current int   // the number of the one that is not full
	start   int64 // the bytes of the record before it
}

func (m *Mirror) tailKey(n int) string { return m.Place.Key(tailName + strconv.Itoa(n)) }

// storeTail stores the lines of the record that the bucket does not have.
func (m *Mirror) storeTail(ctx context.Context) error {
	t := &m.tails
	t.mu.Lock()
	defer t.mu.Unlock()
	f, err := os.Open(m.path(auditFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	lines, err := io.ReadAll(io.NewSectionReader(f, t.start, mostTail/2))
	if err != nil {
		return err
	}
	lines = lines[:bytes.LastIndexByte(lines, '\n')+1] // another study's line may be half written
	if len(lines) == 0 {
		return nil
	}
	t.objects = t.current + 1 // even if the answer is lost
	if _, err := m.bucket.Put(ctx, m.tailKey(t.current), fmt.Appendf(nil, "%d\n%s", t.start, lines), false, ""); err != nil {
		return err
	}
	if len(lines) >= fullTail {
		t.current, t.start = t.current+1, t.start+int64(len(lines))
	}
	return nil
}

// addTails adds the tails, which a run that was killed has left, to the record of the mirror. The hashes that connect
// the lines stay valid, because the bytes are those of the record of that run.
func (m *Mirror) addTails() error {
	record, err := os.ReadFile(m.path(auditFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	stored := len(record)
	t := &m.tails
	for ; ; t.objects++ {
		data, _, err := m.bucket.Get(m.ctx, m.tailKey(t.objects), mostTail)
		if errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		record = append(record, newLines(record, data)...)
	}
	t.current, t.start = t.objects, int64(len(record))
	if len(record) == stored {
		return nil
	}
	return os.WriteFile(m.path(auditFile), record, 0o666)
}

// newLines returns the lines of a tail that a record does not have. There are none if the tail does not belong to the
// record, or if the record was stored later.
func newLines(record, tail []byte) []byte {
	first, lines, _ := bytes.Cut(tail, []byte{'\n'})
	before, err := strconv.Atoi(string(first))
	if err != nil || before < 0 || before > len(record) {
		return nil
	}
	if added, ok := bytes.CutPrefix(lines, record[before:]); ok {
		return added
	}
	return nil
}

// removeTails removes the tails after the whole record was stored. The last comes first, so that no number is missing
// before those that are left.
func (m *Mirror) removeTails(ctx context.Context) error {
	t := &m.tails
	t.mu.Lock()
	defer t.mu.Unlock()
	for ; t.objects > 0; t.objects-- {
		if err := m.bucket.Remove(ctx, m.tailKey(t.objects-1)); err != nil {
			return err
		}
	}
	return nil
}
