package mirror

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
)

// Names in a folder of results. Package batch and report write the files; here they are names alone.
const (
	resultFile = "result.json"      // completes a study
	auditFile  = "audit.jsonl"      // stored last
	stateDir   = ".t2map"           // hidden state
	lockName   = ".t2map/lock.json" // the lock object
	originDir  = ".stored"          // in folders of the mirror: the place of a study in the bucket, and ETags
	markFile   = ".t2map-mirror"    // in the mirror: the place that it mirrors
)

// sharedDirs are the folders that belong to no study.
var sharedDirs = map[string]bool{stateDir: true, "page": true}

// sharedNames are the files beside the folders that a run writes. No other objects there are read or removed.
var sharedNames = map[string]bool{auditFile: true, "timing.csv": true, "index.html": true, "failures.html": true,
	"compartments.csv": true, "studies.csv": true, "qc.csv": true,
	"compartments.parquet": true, "studies.parquet": true, "qc.parquet": true}

// asides are the folders of earlier results, which no run reads.
var asides = map[string]bool{"superseded": true, "set-aside": true}

// Settings describe a mirror.
type Settings struct {
	// Place is the folder of results in a bucket.
	Place objects.Location
	// Dir is the local folder. It must be empty or a mirror of the same place. With "" it is a temporary folder.
	Dir string
	// ReadOnly mirrors the results without a lock and stores nothing.
	ReadOnly bool
	// Wait waits while another run holds the lock; otherwise that is a *BusyError. Waiting, if not nil, is called once
	// before the wait.
	Wait    bool
	Waiting func(Holder)
	// StaleAfter is the age at which a lock that is not refreshed is taken over; 0 means five minutes. A holder that
	// does not succeed in refreshing it stops a tenth of that time earlier.
	StaleAfter time.Duration
	// StoreTime limits the time in which Close stores what is left after an interrupted run; 0 means ten minutes.
	StoreTime time.Duration
	// Pause, unless 0, is the pause before the first repetition of a request.
	Pause time.Duration
}

// Mirror is a local folder of results whose content is kept in a bucket.
type Mirror struct {
	// Dir is the local folder.
	Dir string
	// Remarks are notes for the user.
	Remarks []string

	Settings
	bucket    *objects.Bucket
	lock      *lock
	ctx       context.Context // of the run: ends when the lock is lost or results cannot be stored, too
	storing   context.Context // of the writes: goes on when the context of Open ends, so that done studies are stored
	stop      context.CancelCauseFunc
	temporary bool

	tails tails

	mu       sync.Mutex        // guards the fields below
	shared   map[string]string // the MD5 of the files outside of studies that the bucket has, by name
	storedAt time.Time         // when the hidden state was last stored
	// moved are the folders of movedFrom by their origin, or nil before they are listed.
	moved map[string][]string
}

// sharedEvery is the time between two uploads of the hidden state during a run.
const sharedEvery = time.Minute

// Open locks the place in the bucket and mirrors it.
func Open(ctx context.Context, s Settings) (*Mirror, error) {
	m := &Mirror{Settings: s, Dir: s.Dir, shared: map[string]string{}, storedAt: time.Now()}
	m.StaleAfter = cmp.Or(m.StaleAfter, 5*time.Minute)
	m.StoreTime = cmp.Or(m.StoreTime, 10*time.Minute)
	var err error
	if m.bucket, err = objects.Open(s.Place.Bucket); err != nil {
		return nil, err
	}
	if s.Pause > 0 {
		m.bucket = m.bucket.WithPause(s.Pause)
	}
	var stopRun, stopStoring context.CancelCauseFunc
	m.ctx, stopRun = context.WithCancelCause(ctx)
	m.storing, stopStoring = context.WithCancelCause(context.WithoutCancel(ctx))
	m.stop = func(cause error) { stopRun(cause); stopStoring(cause) }
	if err := m.makeDir(); err != nil {
		return nil, err
	}
	if !s.ReadOnly {
		if m.lock, err = m.takeLock(); err != nil {
			return nil, errors.Join(err, m.removeDir())
		}
	}
	if err = m.pull(); err == nil {
		err = m.addTails()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("earlier results: %w", err), m.release())
	}
	return m, nil
}

// Context returns the context of the run. It ends with that of Open, when another run takes over, and when results
// cannot be stored.
func (m *Mirror) Context() context.Context { return m.ctx }

// makeDir makes the local folder.
func (m *Mirror) makeDir() (err error) {
	if m.Dir == "" {
		m.temporary = true
		m.Dir, err = os.MkdirTemp("", "t2map-results-*")
		return err
	}
	if err := os.MkdirAll(m.Dir, 0o777); err != nil {
		return hint.Errorf("choose another folder with --scratch", "%w", err)
	}
	mark := filepath.Join(m.Dir, markFile)
	content, err := os.ReadFile(mark)
	entries, listErr := os.ReadDir(m.Dir)
	switch {
	case listErr != nil:
		return listErr
	case err == nil && string(content) != m.Place.String(), err != nil && len(entries) > 0:
		return hint.Errorf("name an empty folder", "--scratch %s: holds other files than a mirror of %s", m.Dir,
			m.Place)
	}
	return os.WriteFile(mark, []byte(m.Place.String()), 0o666)
}

func (m *Mirror) removeDir() error {
	if !m.temporary {
		return nil
	}
	return os.RemoveAll(m.Dir)
}

// release gives the lock back and removes a temporary folder.
func (m *Mirror) release() error {
	var err error
	if m.lock != nil {
		err = m.lock.release()
	}
	m.stop(nil)
	return errors.Join(err, m.removeDir())
}

// Close stores what has not been stored yet, also after the context has ended, and gives the lock back. Nothing is
// stored after the lock was lost.
func (m *Mirror) Close() error {
	if m.ReadOnly {
		return m.release()
	}
	var lost *LostError
	if errors.As(context.Cause(m.storing), &lost) {
		return errors.Join(m.removeDir(), lost)
	}
	ctx, stop := m.closing()
	defer stop()
	err := m.lock.watch(ctx, func(ctx context.Context) error { return m.storeAll(ctx) })
	if err != nil {
		m.stop(err)
		kept := ""
		if m.temporary {
			m.temporary, kept = false, "; what could not be stored is in "+m.Dir
		}
		err = fmt.Errorf("results cannot be stored: %w%s", err, kept)
	}
	return errors.Join(err, m.release())
}

// closing returns a context for the writes of Close. It has no limit of time unless the run is interrupted, also during
// Close.
func (m *Mirror) closing() (context.Context, func()) {
	ctx, stop := context.WithCancelCause(context.WithoutCancel(m.ctx))
	go func() {
		select {
		case <-m.ctx.Done():
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(m.StoreTime):
			stop(fmt.Errorf("this took more than %v after the run had ended early", m.StoreTime))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(nil) }
}

// name returns the name of a local file in the bucket, with slashes.
func (m *Mirror) name(path string) (string, error) {
	name, err := filepath.Rel(m.Dir, path)
	return filepath.ToSlash(name), err
}

func (m *Mirror) path(name string) string { return filepath.Join(m.Dir, filepath.FromSlash(name)) }

// marked is the modification time of markers, files whose content is in the bucket only: a second after the beginning
// of the clock of Unix. It stays with a file that is moved.
var marked = time.Unix(1, 0)

// makeMarker makes an empty file of that size. File systems do not store its zeros.
func makeMarker(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close(), os.Chtimes(path, marked, marked))
}

func isMarker(i fs.FileInfo) bool { return i.ModTime().Equal(marked) }

// private reports whether a file with hidden state is not mirrored as a file: files of this run alone, which begin with
// a dot, locks, what a lock needs, and the tails of the record.
func private(name string) bool {
	below, hidden := strings.CutPrefix(name, stateDir+"/")
	return hidden && (strings.HasPrefix(path.Base(below), ".") || strings.HasSuffix(below, ".lock") || name == lockName ||
		strings.HasPrefix(name, tailName) || strings.HasPrefix(below, "probe-"))
}

// read reports whether a run reads a file of an earlier study.
func read(name string) bool { return name == resultFile || filepath.Ext(name) == ".jpg" }

// originOf returns the name of the folder in the bucket, with a slash at its end, whose content a study's folder of the
// mirror has. It is an error of kind fs.ErrNotExist if the study is not stored.
func originOf(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, originDir, "origin"))
	return string(data), err
}

// setOrigin notes where a study is stored. The note lies in a folder of its own, because all files of the study's
// folder are those of the study, and moves with it.
func setOrigin(dir, name string) error {
	if err := os.MkdirAll(filepath.Join(dir, originDir), 0o777); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, originDir, "origin"), []byte(name), 0o666)
}

// outputs returns the hashes of the files that result.json names.
func outputs(dir string) (map[string]string, error) {
	data, err := os.ReadFile(filepath.Join(dir, resultFile))
	if err != nil {
		return nil, err
	}
	var r struct {
		Outputs []struct{ Path, SHA256 string }
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", resultFile, err)
	}
	out := map[string]string{}
	for _, f := range r.Outputs {
		out[f.Path] = f.SHA256
	}
	return out, nil
}
