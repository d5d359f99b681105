package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/outfile"
)

// mostWaiting is the largest number of studies that wait in memory until they are mapped. Those of a larger cohort wait
// in a file, because they would take 1.3 KB of memory each.
var mostWaiting = 512 // a variable for tests

// queue holds the studies that a run maps, chunk by chunk in the order of the cohort.
type queue struct {
	chunks []*chunk // all of the cohort
	parts  []*queued
	length int      // the number of studies
	memory int64    // the most that one of them takes
	file   *os.File // with the studies if they are many; otherwise nil
}

// queued is a chunk with studies to map.
type queued struct {
	*chunk
	studies []*study // if they wait in memory
	// first and end are the places in the file between which the studies are.
	first, end int64
	started    bool
}

// waiting is a study in the file, a line of JSON.
type waiting struct {
	Line     intake.Line `json:"line"`
	Chunk    int         `json:"chunk"` // the index in queue.chunks
	Dir      string      `json:"dir"`
	Warnings []string    `json:"warnings,omitempty"`
	Outside  *stamp      `json:"outside,omitempty"`
	Source   *waiting    `json:"source,omitempty"`
}

// enqueue returns the queue of the studies. If there are many, it leaves what was found in the cohort to the index,
// which must have been written. The caller must close the queue.
func (r *session) enqueue(c *cohort, studies []*study) *queue {
	q := &queue{chunks: c.chunks, length: len(studies)}
	byChunk := map[*chunk][]*study{}
	for _, st := range studies {
		byChunk[st.chunk] = append(byChunk[st.chunk], st)
		q.memory = max(q.memory, st.Memory)
	}
	for n, part := range c.chunks {
		if part.number = n; len(byChunk[part]) > 0 {
			q.parts = append(q.parts, &queued{chunk: part, studies: byChunk[part]})
		} else if err := part.release(); err != nil {
			r.log().Debug("close", "error", err) // temporary files remain
		}
	}
	if len(studies) <= mostWaiting {
		return q
	}
	if err := q.store(filepath.Join(r.Out, stateFolder)); err != nil {
		r.log().Warn("the studies wait in memory", "error", err)
		return q
	}
	c.forget()
	return q
}

// store moves the studies to a file in the folder. The next run removes it if this one is killed. After an error they
// still wait in memory.
func (q *queue) store(folder string) error {
	file, err := os.CreateTemp(folder, ".queue-*.json")
	if err != nil {
		return err
	}
	if err := q.write(file); err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name()) // otherwise the next run removes it
		return err
	}
	for _, part := range q.parts {
		part.studies = nil
	}
	q.file = file
	return nil
}

// write writes the studies and notes where those of each part are.
func (q *queue) write(w io.Writer) error {
	buffered, place := bufio.NewWriterSize(w, 1<<16), int64(0)
	for _, part := range q.parts {
		part.first = place
		for _, st := range part.studies {
			line, err := json.Marshal(st.waiting())
			if err != nil {
				return err
			}
			n, err := buffered.Write(append(line, '\n'))
			if place += int64(n); err != nil {
				return err
			}
		}
		part.end = place
	}
	return buffered.Flush()
}

// waiting returns the study as it waits in a file, without the codes that must not be stored: the plan needed them.
func (st *study) waiting() *waiting {
	if st == nil {
		return nil
	}
	line := *st.Line
	line.PatientID, line.TrialSubject = "", ""
	return &waiting{line, st.chunk.number, st.dir, st.warnings, st.seen.outside, st.source.waiting()}
}

// study returns the study that was waiting.
func (w *waiting) study(chunks []*chunk) *study {
	if w == nil {
		return nil
	}
	seen := &sighting{Line: w.Line, outside: w.Outside}
	return &study{Line: &seen.Line, seen: seen, chunk: chunks[w.Chunk], dir: w.Dir, warnings: w.Warnings,
		source: w.Source.study(chunks)}
}

// take returns the studies of a part.
func (q *queue) take(part *queued) ([]*study, error) {
	if q.file == nil {
		return part.studies, nil
	}
	text := make([]byte, part.end-part.first)
	if _, err := q.file.ReadAt(text, part.first); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("output folder: %s: %w", stateFolder, outfile.Bare(err))
	}
	var studies []*study
	for line := range bytes.Lines(text) {
		var one waiting
		if err := json.Unmarshal(line, &one); err != nil || one.Chunk < 0 || one.Chunk >= len(q.chunks) {
			return nil, fmt.Errorf("output folder: %s: another program has changed the file of studies to map",
				stateFolder)
		}
		studies = append(studies, one.study(q.chunks))
	}
	return studies, nil
}

// close removes the file.
func (q *queue) close() {
	if q.file != nil {
		_ = q.file.Close()
		_ = os.Remove(q.file.Name()) // otherwise the next run removes it
	}
}
