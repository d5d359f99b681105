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
)

// tailName is the object with the lines of the record that audit.jsonl in the bucket may not have yet. Its first line
// is the number of bytes of the record that come before them. It is stored before each result.json, so that the record
// names every result of a run that is killed, and removed when the whole record is stored.
const tailName = stateDir + "/audit.tail"

// mostTail is the largest number of bytes in the tail. When there are more, the whole record is stored. The tail is
// stored with each study: for 10,000 studies, whose record takes 4 MB, tails of 64 KiB take as much as the whole records
// and all together a third of the results.
const mostTail = 1 << 16

// storeTail stores the lines of the record that the bucket does not have.
func (m *Mirror) storeTail(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := os.Open(m.path(auditFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	lines, err := io.ReadAll(io.NewSectionReader(f, m.recorded, mostTail+1))
	if err != nil {
		return err
	}
	if len(lines) > mostTail {
		return m.putShared(ctx, auditFile)
	}
	lines = lines[:bytes.LastIndexByte(lines, '\n')+1] // another study's line may be half written
	if len(lines) == 0 {
		return nil
	}
	m.hasTail = true // even if the answer is lost
	_, err = m.bucket.Put(ctx, m.Place.Key(tailName), fmt.Appendf(nil, "%d\n%s", m.recorded, lines), false, "")
	return err
}

// addTail adds the tail, which a run that was killed has left, to the record of the mirror. The hashes that connect the
// lines stay valid, because the bytes are those of the record of that run.
func (m *Mirror) addTail() error {
	data, _, err := m.bucket.Get(m.ctx, m.Place.Key(tailName), mostTail+32)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	m.hasTail = true
	record, err := os.ReadFile(m.path(auditFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(m.path(auditFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(newLines(record, data))
	return errors.Join(err, f.Close())
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

// removeTail removes the tail after the whole record was stored.
func (m *Mirror) removeTail(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.hasTail {
		return nil
	}
	err := m.bucket.Remove(ctx, m.Place.Key(tailName))
	m.hasTail = err != nil
	return err
}

// putShared stores a file outside of studies unless the bucket has it. The caller holds m.mu.
func (m *Mirror) putShared(ctx context.Context, name string) error {
	sum, size, err := sumOf(m.path(name))
	if err != nil || m.shared[name] == sum {
		return err
	}
	if err := m.bucket.PutFile(ctx, m.Place.Key(name), m.path(name)); err != nil {
		return err
	}
	m.shared[name] = sum
	if name == auditFile {
		m.recorded = size // or more
	}
	return nil
}
