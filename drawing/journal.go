package drawing

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
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

	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/volume"
)

// Journal is a drawing on the disk: a file with a JSON object in each line. The first line says what is drawn, the second
// is the initial mask, and the others are the steps. Each line holds the SHA-256 of the line before it. A line is in the
// file when the method that writes it returns, so that it survives the end of the program. It is on the disk within
// SyncDelay, so that it then survives a loss of power.
//
// Its methods may be used concurrently.
type Journal struct {
	mu       sync.Mutex
	path     string
	file     *os.File
	lock     *flock.Flock
	drawing  *Drawing
	first    beginning
	previous string // the hash of the last line
	end      int64  // of the file
	steps    int    // lines after the initial mask
	timer    *time.Timer
	sealed   bool
	err      error // of a sync that nobody waited for, or of a line that is not complete
}

// SyncDelay is the longest time until a step is on the disk.
const SyncDelay = 500 * time.Millisecond

// The operations in a journal.
const (
	opBegin  = "begin"
	opMask   = "mask"
	opStroke = "stroke"
	opUndo   = "undo"
	opRedo   = "redo"
)

// line is a line of a journal.
type line struct {
	Previous string `json:"previous"`
	Op       string `json:"op"`
	*beginning
	Tool string `json:"tool,omitempty"`
	Runs []Run  `json:"runs,omitempty"` // of the stroke, or of the initial mask
}

// opening is the number of lines that every drawing has: the first line and the initial mask.
const opening = 2

// Scheme says what the labels of a mask mean. A journal keeps it and does not interpret it.
type Scheme struct {
	// Name is that of a scheme, and SHA256 a hash of its labels with their meanings.
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// beginning is what only the first line has. It is short, so that IDOf is fast.
type beginning struct {
	ID     string          `json:"id"`
	Scheme Scheme          `json:"scheme"`
	Size   [3]int          `json:"size"`
	Affine [3][4]float64   `json:"affine"`
	Values []uint16        `json:"values"`
	From   json.RawMessage `json:"from"`
}

// BusyError says that another program draws in a journal, or has changed it.
type BusyError struct{}

// Error returns the text of the error.
func (*BusyError) Error() string { return "the drawing is open in another program" }

// ErrSealed is the error of a step after Seal.
var ErrSealed = errors.New("the drawing is being signed")

// DamagedError says that a line of a journal is not as it was written.
type DamagedError struct {
	Line int // from 1
	Err  error
}

// Error names the line.
func (e *DamagedError) Error() string { return fmt.Sprintf("journal: line %d: %v", e.Line, e.Err) }

// Unwrap returns the problem of the line.
func (e *DamagedError) Unwrap() error { return e.Err }

// Create begins a journal in a new file. values are the labels that voxels may get, in the given scheme. from says where
// the initial mask comes from; it is kept as JSON. The caller must close the journal.
func Create(path string, initial volume.Labels, values []uint16, scheme Scheme, from any) (*Journal, error) {
	d, err := New(initial, values)
	if err != nil {
		return nil, err
	}
	origin, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	first, err := json.Marshal(line{Op: opBegin, beginning: &beginning{rand.Text(), scheme, initial.Size, initial.Affine,
		d.values, origin}})
	if err != nil {
		return nil, err
	}
	mask, err := json.Marshal(line{Previous: hashOf(first), Op: opMask, Runs: Runs(initial.Data)})
	if err != nil {
		return nil, err
	}
	text := slices.Concat(first, []byte("\n"), mask, []byte("\n"))
	lock, err := lockFor(path)
	if err != nil {
		return nil, err
	}
	if _, err = os.Lstat(path); err == nil {
		err = &os.PathError{Op: "create", Path: path, Err: os.ErrExist}
	} else if errors.Is(err, os.ErrNotExist) {
		err = replace(path, text) // so that no journal is without an initial mask
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return opened(path, lock)
}

// Open opens a journal and repeats its steps. A last line that is not complete, because the program was killed while it
// wrote it, is removed: nobody was told that this step is done. The error is a *BusyError if another program has opened
// the journal, and a *DamagedError if a line is not as it was written. The caller must close the journal.
func Open(path string) (*Journal, error) {
	lock, err := lockFor(path)
	if err != nil {
		return nil, err
	}
	return opened(path, lock)
}

// opened opens a journal that is locked. After an error it is not locked.
func opened(path string, lock *flock.Flock) (*Journal, error) {
	j := &Journal{path: path, lock: lock}
	var err error
	if j.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if j.end, err = j.replay(); err == nil {
		err = j.cut()
	}
	if err != nil {
		return nil, errors.Join(err, j.file.Close(), lock.Close())
	}
	return j, nil
}

// cut removes everything after the last complete line.
func (j *Journal) cut() error {
	info, err := j.file.Stat()
	if err == nil && info.Size() > j.end {
		err = j.file.Truncate(j.end)
	}
	return err
}

// replace writes a file and waits until it and its name are on the disk.
func replace(path string, text []byte) error {
	if err := outfile.Replace(path, text); err != nil {
		return err
	}
	return outfile.SyncFolder(filepath.Dir(path))
}

// lockFor locks the journal with that path, in a file beside it. Some network file systems have no locks: there, the
// journal is not locked, and unchanged notices what another program writes.
func lockFor(path string) (*flock.Flock, error) {
	lock := flock.New(path+".lock", flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	ok, err := lock.TryLock()
	if err = lockError(ok, err); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// lockError returns why a journal must not be opened after an attempt to lock it, or nil. Systems have several errors for
// a file system without locks (ENOLCK, ENOTSUP, ENOSYS), so that only a missing permission is one.
func lockError(ok bool, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return err
	case err == nil && !ok:
		return &BusyError{}
	}
	return nil
}

// replay reads the lines and repeats their steps. It returns the end of the last line that is complete and not known to
// be damaged, and 0 if that is not the initial mask or a line after it.
func (j *Journal) replay() (end int64, err error) {
	before := int64(0) // the end of the line before the last
	for r, number := bufio.NewReader(j.file), 1; ; number++ {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if number <= opening {
				return 0, &DamagedError{number, errors.New("the line is not complete")}
			}
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		text = text[:len(text)-1]
		if err := j.repeat(number, text); err != nil {
			if errors.Is(err, errFollow) && !isDamaged(text, r) {
				number, end = number-1, before
			}
			if number <= opening {
				end = 0
			}
			return end, &DamagedError{number, err}
		}
		before, end, j.steps = end, end+int64(len(text))+1, max(0, number-opening)
		j.previous = hashOf(text)
	}
}

// isDamaged reports whether a line that does not follow the line before it was itself changed, as the next line shows.
// Otherwise the line before may have been changed.
func isDamaged(text []byte, rest *bufio.Reader) bool {
	next, err := rest.ReadBytes('\n')
	var l line
	return err == nil && json.Unmarshal(next, &l) == nil && l.Previous != hashOf(text)
}

// repeat repeats the step of a line.
func (j *Journal) repeat(number int, text []byte) error {
	l := line{beginning: &beginning{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&l); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it has more than one JSON value")
	}
	if l.Previous != j.previous {
		return errFollow
	}
	if (l.Op == opBegin) != (number == 1) || (l.Op == opMask) != (number == opening) {
		return fmt.Errorf("%.20q is not expected here", l.Op)
	}
	var changed bool
	var err error
	switch l.Op {
	case opBegin:
		return j.begin(l)
	case opMask:
		return j.start(l.Runs)
	case opStroke:
		changed, err = j.drawing.Apply(Stroke{l.Tool, l.Runs})
	case opUndo:
		_, changed = j.drawing.Undo()
	case opRedo:
		_, changed = j.drawing.Redo()
	default:
		err = fmt.Errorf("%.20q is not an operation", l.Op)
	}
	if err == nil && !changed {
		err = errors.New("it changes nothing")
	}
	return err
}

var errFollow = errors.New("two lines do not follow each other: one of them was changed, or lines between them are missing")

// mostVoxels is the largest number of voxels, 512 × 512 × 512, so that a damaged size does not fill the memory.
const mostVoxels = 1 << 27

// begin takes what the first line says.
func (j *Journal) begin(l line) error {
	voxels := 1
	for _, n := range l.Size {
		if n <= 0 || n > mostVoxels/voxels {
			return fmt.Errorf("the size %v is not possible", l.Size)
		}
		voxels *= n
	}
	j.first = *l.beginning
	return nil
}

// start makes the drawing from its initial mask.
func (j *Journal) start(runs []Run) error {
	g := volume.Geometry{Size: j.first.Size, Affine: j.first.Affine}
	if err := checkRuns(runs, g.Voxels()); err != nil {
		return err
	}
	initial := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	paint(initial.Data, runs)
	var err error
	j.drawing, err = New(initial, j.first.Values)
	return err
}

// write writes a line after the last one.
func (j *Journal) write(l line) error {
	l.Previous = j.previous
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	sum := hashOf(text)
	if j.err = j.unchanged(); j.err != nil {
		return j.err
	}
	if _, j.err = j.file.WriteAt(append(text, '\n'), j.end); j.err != nil { // nothing may follow a part of a line
		return j.err
	}
	j.previous, j.end, j.steps = sum, j.end+int64(len(text))+1, j.steps+1
	return nil
}

// unchanged returns an error if another program has written to the file, replaced or removed it, as may happen where the
// file system has no locks.
func (j *Journal) unchanged() error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	if named, err := os.Stat(j.path); err != nil || !os.SameFile(info, named) || info.Size() != j.end {
		return &BusyError{}
	}
	return nil
}

// Apply is like Drawing.Apply. The error is ErrSealed after Seal. After an error that is neither that nor wraps ErrStroke, the
// journal must be closed: what it has is what Open reads.
func (j *Journal) Apply(s Stroke) (changed bool, err error) {
	var refused error
	err = j.step(line{Op: opStroke, Tool: s.Tool, Runs: s.Runs}, func() bool {
		changed, refused = j.drawing.Apply(s)
		return changed
	})
	return changed && err == nil, cmp.Or(err, refused)
}

// Undo is like Drawing.Undo. Errors are those of Apply.
func (j *Journal) Undo() (changed []Run, done bool, err error) {
	err = j.step(line{Op: opUndo}, func() bool { changed, done = j.drawing.Undo(); return done })
	return changed, done, err
}

// Redo is like Drawing.Redo. Errors are those of Apply.
func (j *Journal) Redo() (changed []Run, done bool, err error) {
	err = j.step(line{Op: opRedo}, func() bool { changed, done = j.drawing.Redo(); return done })
	return changed, done, err
}

// step takes a step and writes its line, unless take returns false: then nothing has changed.
func (j *Journal) step(l line, take func() bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	if j.sealed {
		return ErrSealed
	}
	if !take() {
		return nil
	}
	if err := j.write(l); err != nil {
		return err
	}
	if j.timer == nil {
		j.timer = time.AfterFunc(SyncDelay/2, j.syncLater)
	}
	return nil
}

// View calls look with the drawing, which must not be used afterwards. It is an error if the drawing has a step that the
// file does not have.
func (j *Journal) View(look func(*Drawing)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		look(j.drawing)
	}
	return j.err
}

// Seal waits until all steps are on the disk and calls use with the drawing and the bytes of its journal, neither of which
// must be used afterwards. No step can be taken from then on, until the journal is unsealed. It returns the error of use,
// or that of View.
func (j *Journal) Seal(use func(d *Drawing, journal io.Reader) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.sealed {
		return ErrSealed
	}
	if j.err == nil {
		j.err = cmp.Or(j.unchanged(), j.file.Sync())
	}
	if j.err != nil {
		return j.err
	}
	j.sealed = true
	return use(j.drawing, io.NewSectionReader(j.file, 0, j.end))
}

// Unseal makes steps possible again.
func (j *Journal) Unseal() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sealed = false
}

// Steps returns the number of strokes, undos and redos since the initial mask. It only grows, even after the journal was
// closed and opened again.
func (j *Journal) Steps() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.steps
}

// ID returns the unique ID of the drawing.
func (j *Journal) ID() string { return j.first.ID }

// Scheme returns the scheme of the labels.
func (j *Journal) Scheme() Scheme { return j.first.Scheme }

// From returns where the initial mask comes from, as JSON.
func (j *Journal) From() json.RawMessage { return j.first.From }

// Close waits until all steps are on the disk and closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.timer != nil {
		j.timer.Stop()
	}
	return errors.Join(j.err, j.file.Sync(), j.file.Close(), j.lock.Close())
}

// Remove closes the journal and removes its file, if it is still there.
func (j *Journal) Remove() error {
	err := j.file.Close() // Windows does not remove a file that is open
	if removeErr := os.Remove(j.path); !errors.Is(removeErr, os.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.timer != nil {
		j.timer.Stop()
	}
	return errors.Join(err, j.lock.Close())
}

func (j *Journal) syncLater() {
	j.mu.Lock()
	file := j.file
	j.timer = nil
	j.mu.Unlock()
	if err := file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.err = errors.Join(j.err, err)
	}
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
