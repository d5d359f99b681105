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
	"time"

	"github.com/gofrs/flock"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
)

// lockFile is locked by the run that writes to an output folder. The system releases the lock when the process ends,
// even by a crash, so that no lock is stale. The file is not removed, because otherwise two runs could lock two files
// of the same name. It is empty if the tables were written; otherwise it names the run that ended before it wrote
// them.
const lockFile = ".t2map.lock"

// holderOffset is the offset in bytes at which the lock file names its holder. The first byte is locked, and Windows
// prevents other processes from reading locked bytes.
const holderOffset = 1

// Holder is the process that writes to an output folder.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
}

// String describes the process. The zero Holder is "another run".
func (h Holder) String() string {
	if h.PID == 0 {
		return "another run"
	}
	host := ""
	if h.Host != "" {
		host = " on " + printable.Short(h.Host)
	}
	return fmt.Sprintf("process %d%s, which started at %s", h.PID, host,
		h.Started.Local().Format("2006-01-02 15:04:05"))
}

// BusyError says that another run is writing to the output folder.
type BusyError struct {
	// Folder is the output folder as named in the settings.
	Folder string
	Holder Holder
}

// Error names the folder and the process.
func (e *BusyError) Error() string {
	return fmt.Sprintf("output folder %s: %s is writing to it", e.Folder, e.Holder)
}

// lock is the lock of an output folder.
type lock struct {
	file *flock.Flock // nil if the file system does not support locks
	// unfinished reports that the tables do not match the folders of the studies.
	unfinished bool
}

// pollInterval is the time between attempts to take a lock that another run holds.
const pollInterval = 200 * time.Millisecond

// lockOut locks the output folder, which must exist. The shards of a run share the lock. If another run holds the lock,
// lockOut waits if the settings say so; otherwise it returns a *BusyError.
func (s Settings) lockOut(ctx context.Context) (*lock, error) {
	name := filepath.Join(s.Out, lockFile)
	// A link may lead to a file of another user.
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, hint.Errorf("remove "+lockFile+" from the output folder",
			"output folder: %s is a link or not a regular file", lockFile)
	}
	f := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	try := f.TryLock
	if !s.Shard.whole() {
		try = f.TryRLock // the other shards of the run write too
	}
	for attempt := 0; ; attempt++ {
		locked, err := try()
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil, hint.Errorf("choose another folder with --out, or check the permissions of "+lockFile+" in it",
				"output folder: %w", err)
		case err != nil:
			// Some network file systems do not support locks.
			return &lock{}, nil
		case locked:
			l := &lock{file: f, unfinished: holderOf(s.Out) != Holder{}}
			l.sign()
			return l, nil
		}
		holder := holderOf(s.Out)
		if !s.Wait {
			return nil, hint.Errorf("wait until it has ended (--wait does), or choose another folder with --out", "%w",
				&BusyError{Folder: s.Out, Holder: holder})
		}
		if attempt == 0 && s.Waiting != nil {
			s.Waiting(holder)
		}
		if err := pause(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

// sign writes the holder into the lock file. Only messages use it, so that a failure to write is not an error.
func (l *lock) sign() {
	host, _ := os.Hostname()
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Started: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		l.note(text)
	}
}

// note replaces the text of the lock file. If the file cannot be truncated, the new text overwrites its beginning.
func (l *lock) note(text []byte) {
	f, err := os.OpenFile(l.file.Path(), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if f.Truncate(0) != nil && len(text) == 0 {
		text = []byte("{} ") // the zero Holder
	}
	if len(text) > 0 {
		_, _ = f.WriteAt(text, holderOffset)
	}
}

// release releases the lock. The lock file keeps the name of the run if the tables are not written.
func (l *lock) release() {
	if l == nil || l.file == nil {
		return
	}
	if !l.unfinished {
		l.note(nil)
	}
	_ = l.file.Close()
}

// held reports whether the folder is locked, so that no other run can write to it.
func (l *lock) held() bool { return l != nil && l.file != nil }

// holderOf reads the holder from the lock file of a folder. It is zero if the file does not name one.
func holderOf(out string) Holder { return holderIn(filepath.Join(out, lockFile)) }

// holderIn reads the holder from a lock file.
func holderIn(path string) Holder {
	var h Holder
	f, err := os.Open(path)
	if err != nil {
		return h
	}
	defer f.Close()
	const maxLength = 4096
	if json.NewDecoder(io.NewSectionReader(f, holderOffset, maxLength)).Decode(&h) != nil {
		return Holder{}
	}
	return h
}

// UnfinishedError says that the last run in a folder of results ended before it wrote the tables.
type UnfinishedError struct {
	// Folder is the folder as the caller named it.
	Folder string
	Holder Holder
}

// Error names the folder and the run.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("results %s: the last run in this folder ended before it wrote the tables (%s)", e.Folder,
		e.Holder)
}

// CheckIdle returns a *BusyError while a run writes to the folder of results, because the tables and the folders of
// the studies do not match until it ends. It returns an *UnfinishedError if a run was killed or could not write the
// tables, and no later run has written them.
func CheckIdle(out string) error {
	name := filepath.Join(out, lockFile)
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f := flock.New(name, flock.SetFlag(os.O_RDONLY))
	free, err := f.TryRLock()
	if err != nil {
		return nil // the file system has no locks, or this user must not read the file
	}
	if free {
		if h := holderOf(out); (h != Holder{}) {
			return errors.Join(hint.Errorf("run it again, or rebuild the tables: "+tablesCommand(out),
				"%w", &UnfinishedError{Folder: out, Holder: h}), f.Close())
		}
		return f.Close()
	}
	return hint.Errorf("wait until it has ended", "%w", &BusyError{Folder: out, Holder: holderOf(out)})
}
