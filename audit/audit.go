// Package audit keeps the record of a folder of results: who ran what and when, and what became of each study. The
// record is audit.jsonl, one JSON object per line, and only grows. Each line holds the SHA-256 of the line before it,
// so that a line that is changed, removed or inserted is found, and where the record ended after the last run is in a
// second file, so that its last lines are not lost unnoticed. It shows no more than that: who can write the files can
// write all of them again.
//
// Times, users and hosts are only here. Results do not have them, so that the same inputs give the same bytes.
package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
)

// File is the name of the record in a folder of results.
const File = "audit.jsonl"

// lockFile is locked while a line is written. It is another file than the record, because Windows prevents a process
// from reading what it has locked under another handle.
const lockFile = ".t2map/audit.lock"

// headFile says where the record ended with the last event whose kind is one of noted.
const headFile = ".t2map/audit.head"

// head is a place in a record: the number of bytes up to the end of a line, and the SHA-256 of that line.
type head struct {
	Size int64  `json:"size"`
	Sum  string `json:"sha256"`
}

// Kind is the kind of an event.
type Kind string

// The kinds.
const (
	RunStarted  Kind = "run started"
	RunEnded    Kind = "run ended"
	StudyDone   Kind = "study done"
	StudyFailed Kind = "study failed"
	// TablesWritten: the tables and the page were written.
	TablesWritten Kind = "tables written"
	// StudyRead: a reader has signed or rejected a study, or asked about it.
	StudyRead Kind = "study read"
	// ReadsBlinded: reads are blinded from now on. ReadsUnblinded: somebody was told what the codes mean.
	ReadsBlinded   Kind = "reads blinded"
	ReadsUnblinded Kind = "reads unblinded"
	// Superseded: the result of a study was moved to make room for a new one, or because the study failed.
	Superseded Kind = "result superseded"
)

// noted are the kinds of events that must not be lost unnoticed.
var noted = []Kind{RunEnded, TablesWritten, StudyRead, ReadsBlinded, ReadsUnblinded}

// Event is a line of the record. Empty fields are omitted.
type Event struct {
	// Time is when the event was recorded, in UTC, to the millisecond. Append fills it in if it is zero.
	Time time.Time `json:"time"`
	Kind Kind      `json:"event"`
	// Run names the run; all events of a run have it.
	Run string `json:"run,omitempty"`
	// User, Host and Version are set for RunStarted and TablesWritten, Protocol (the SHA-256 of the settings) and Options
	// for RunStarted.
	User     string   `json:"user,omitempty"`
	Host     string   `json:"host,omitempty"`
	Version  string   `json:"version,omitempty"`
	Protocol string   `json:"protocol_sha256,omitempty"`
	Options  []string `json:"options,omitempty"`
	// Study and Series are hashes of UIDs. Folder is that of the result below the folder of results, and Result the
	// SHA-256 of its result.json.
	Study   string `json:"study,omitempty"`
	Series  string `json:"series,omitempty"`
	Subject string `json:"subject,omitempty"`
	Visit   string `json:"visit,omitempty"`
	Folder  string `json:"folder,omitempty"`
	Result  string `json:"result_sha256,omitempty"`
	// Reader is the code of a reader, State what the reader has decided, Read the SHA-256 of the read.json in Folder, and
	// Drawing the ID of what was drawn, of StudyRead.
	Reader  string `json:"reader,omitempty"`
	State   string `json:"state,omitempty"`
	Read    string `json:"read_sha256,omitempty"`
	Drawing string `json:"drawing,omitempty"`
	// Commitment is the SHA-256 of the seed of ReadsBlinded and ReadsUnblinded.
	Commitment string `json:"commitment,omitempty"`
	// Files are the hashes of the tables and of the files of the page by their names, of TablesWritten.
	Files map[string]string `json:"files,omitempty"`
	// Reason says why a study failed or a result was superseded, or how a run ended.
	Reason string `json:"reason,omitempty"`
	// Seconds is the time from the start of a study to its end, to the millisecond, and PeakBytes the most memory that
	// the process had held until then, of StudyDone and StudyFailed. They are absent if they are not known.
	Seconds   float64 `json:"seconds,omitempty"`
	PeakBytes int64   `json:"peak_bytes,omitempty"`
	// Previous is the SHA-256 of the line before, without its end of line; empty in the first line.
	Previous string `json:"previous"`
}

// Log appends to a record. Its methods may be used concurrently, and several processes may append to one record if the
// file system supports locks.
type Log struct {
	dir  string
	mu   sync.Mutex
	file *os.File
	lock *flock.Flock

	failure struct {
		mu  sync.Mutex
		err error // the first one of a sync
	}
}

// Open opens the record of a folder of results, and creates it if it does not exist. The caller must close it.
func Open(dir string) (*Log, error) {
	path := filepath.Join(dir, File)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() { // a link may lead to a file of another user
		return nil, hint.Errorf("remove "+File+" from the folder", "%s is a link or not a regular file", File)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	if _, _, err := lastLine(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", File, err), f.Close())
	}
	lock := filepath.Join(dir, lockFile)
	_ = os.MkdirAll(filepath.Dir(lock), 0o777) // without it, the record is not locked
	shared := flock.New(lock, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	return &Log{dir: dir, file: f, lock: shared}, nil
}

// Close closes the record.
func (l *Log) Close() error { return errors.Join(l.lock.Close(), l.file.Close()) }

// Append adds an event and waits until it is on the disk.
func (l *Log) Append(e Event) error {
	if err := l.add(e); err != nil || e.Kind == RunStarted { // which is synced with the next event
		return err
	}
	return l.sync() // together with the events that others have added
}

// sync waits until the record is on the disk. The system reports a failure once, which may concern the events of several
// callers: it is returned from then on.
func (l *Log) sync() error {
	err := l.file.Sync()
	l.failure.mu.Lock()
	defer l.failure.mu.Unlock()
	l.failure.err = cmp.Or(l.failure.err, err)
	return l.failure.err
}

// add adds an event. If it ends a run, names tables or concerns reads, it waits until the event is on the disk and notes
// that the record ends there, before another process can add one.
func (l *Log) add(e Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock.Lock() == nil { // else the file system has no locks
		defer func() { _ = l.lock.Unlock() }()
	}
	end, err := l.write(e)
	if err != nil || !slices.Contains(noted, e.Kind) {
		return err
	}
	if err := l.sync(); err != nil {
		return err
	}
	l.noteHead(end)
	return nil
}

// write writes an event and returns the end of the record with it.
func (l *Log) write(e Event) (head, error) {
	last, ended, err := lastLine(l.file)
	if err != nil {
		return head{}, err
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time, e.Previous = e.Time.UTC().Truncate(time.Millisecond), ""
	if len(last) > 0 {
		e.Previous = hashOf(last)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return head{}, err
	}
	end := head{Sum: hashOf(line)}
	text := append(line, '\n')
	if len(last) > 0 && !ended { // its writer was killed, or the disk was full
		text = append([]byte{'\n'}, text...)
	}
	if _, err := l.file.Write(text); err != nil {
		return head{}, err
	}
	if info, err := l.file.Stat(); err == nil {
		end.Size = info.Size()
	}
	return end, nil
}

// noteHead notes where the record ends. The note is complete or the earlier one: without a note, Read does not notice
// that the last lines are missing.
func (l *Log) noteHead(end head) {
	if text, err := json.Marshal(end); err == nil && end.Size > 0 {
		_ = outfile.Replace(filepath.Join(l.dir, headFile), text)
	}
}

// readHead returns the head that was noted last, or zero if none can be read.
func readHead(dir string) head {
	var h head
	text, err := os.ReadFile(filepath.Join(dir, headFile))
	if err != nil || json.Unmarshal(text, &h) != nil {
		return head{}
	}
	return h
}

func hashOf(line []byte) string { return fmt.Sprintf("%x", sha256.Sum256(line)) }

// lastLine returns the last line of a file without its end, and whether it has one.
func lastLine(f *os.File) (line []byte, ended bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	const piece = 1 << 12
	for end := info.Size(); end > 0; {
		start := max(0, end-piece)
		part := make([]byte, end-start)
		if _, err := f.ReadAt(part, start); err != nil && !errors.Is(err, io.EOF) {
			return nil, false, err
		}
		line, end = append(part, line...), start
		body := bytes.TrimSuffix(line, []byte{'\n'})
		if k := bytes.LastIndexByte(body, '\n'); k >= 0 {
			return body[k+1:], len(body) < len(line), nil
		} else if start == 0 {
			return body, len(body) < len(line), nil
		}
	}
	return nil, true, nil
}

// Fault is a line of a record that is not as it was written.
type Fault struct {
	// Line counts from 1.
	Line    int
	Problem string
}

// Read reads the record of a folder line by line. It calls visit with each event, and returns the number of lines and
// those that are not as they were written. A folder without a record has no lines.
func Read(dir string, visit func(Event)) (lines int, faults []Fault, err error) {
	f, err := os.Open(filepath.Join(dir, File))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, nil
	} else if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	end, position := readHead(dir), int64(0)
	reached := end == head{}
	previous, unread := "", false // the line before: its hash, and whether it cannot be read
	for r := bufio.NewReader(f); ; {
		text, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return lines, faults, err
		}
		if len(text) == 0 {
			if !reached && len(faults) == 0 { // with other faults, the place may be wrong
				faults = append(faults, Fault{lines, "is not the line with which the last run ended the record: lines at the " +
					"end were changed or removed"})
			}
			return lines, faults, nil
		}
		lines++
		line, ended := bytes.CutSuffix(text, []byte{'\n'})
		var e Event
		invalid := json.Unmarshal(line, &e)
		if invalid == nil && unread && e.Previous == previous {
			// The writer of the line before was killed, and the next one began a new line. It does not hide another line.
			faults = faults[:len(faults)-1]
		}
		switch {
		case invalid != nil && !ended:
			faults = append(faults, Fault{lines, "incomplete: its writer was killed, or the disk was full"})
		case invalid != nil:
			faults = append(faults, Fault{lines, "cannot be read"})
		case e.Previous != previous:
			faults = append(faults, Fault{lines, "does not follow the line before it: one of them was changed, or lines " +
				"between them were removed or inserted"})
		}
		if invalid == nil {
			visit(e)
		}
		previous, unread = hashOf(line), invalid != nil
		position += int64(len(text))
		reached = reached || end == head{position, previous}
	}
}
