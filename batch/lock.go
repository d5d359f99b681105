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

// lockFile is locked by the run that writes into an output folder. The system frees the
// lock when the process ends, however it ends, so that there are no stale ones. The file
// stays, because two runs could lock two files of one name. It is empty if the tables were written;
// otherwise it names the run that ended before it wrote them.
const lockFile = ".t2map.lock"

// holderAt is where the lock file names its holder. Windows keeps others from reading
// what is locked, and the first byte is.
const holderAt = 1

// Holder is the process that writes into an output folder.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
}

// String names the process, as far as it is known.
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

// BusyError says that another run writes into the output folder.
type BusyError struct {
	// Folder is the output folder as it was given.
	Folder string
	Holder Holder
}

// Error names the folder and who holds it.
func (e *BusyError) Error() string {
	return fmt.Sprintf("output folder %s: %s writes into it", e.Folder, e.Holder)
}

// lock is an output folder that no other run writes into.
type lock struct {
	file *flock.Flock // nil if the file system does not support locks
	// unfinished says that the tables do not fit the folders of the studies.
	unfinished bool
}

// waitEvery is the time between two looks at a lock that another run holds.
const waitEvery = 200 * time.Millisecond

// lockOut locks the output folder, which must be there. If another run holds it, that
// is a *BusyError, or the settings say to wait.
func (s Settings) lockOut(ctx context.Context) (*lock, error) {
	name := filepath.Join(s.Out, lockFile)
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() { // it may lead to a file of somebody else
		return nil, hint.Errorf("remove "+lockFile+" from the output folder", "output folder: %s is a link, or not a "+
			"file at all; it is not written to", lockFile)
	}
	f := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	for told := false; ; told = true {
		locked, err := f.TryLock()
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil, hint.Errorf("choose another folder with --out, or check the permissions of "+lockFile+" in it",
				"output folder: %w", err)
		case err != nil:
			// Some network file systems have no locks; a run can do without.
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
		if !told && s.Waiting != nil {
			s.Waiting(holder)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(waitEvery):
		}
	}
}

// sign writes into the lock file who holds the lock. Nothing but a message needs it, so
// that what cannot be written is not an error.
func (l *lock) sign() {
	host, _ := os.Hostname()
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Started: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		l.note(text)
	}
}

// note replaces the text of the lock file. If it cannot be cut it still begins with the text.
func (l *lock) note(text []byte) {
	f, err := os.OpenFile(l.file.Path(), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if f.Truncate(0) != nil && len(text) == 0 {
		text = []byte("{} ") // nobody
	}
	if len(text) > 0 {
		_, _ = f.WriteAt(text, holderAt)
	}
}

// release frees the folder. The name of the run stays where the tables are not written.
func (l *lock) release() {
	if l == nil || l.file == nil {
		return
	}
	if !l.unfinished {
		l.note(nil)
	}
	_ = l.file.Close()
}

// held reports whether nobody else can write into the folder.
func (l *lock) held() bool { return l != nil && l.file != nil }

// holderOf reads who holds the folder; the zero value where that is not known.
func holderOf(out string) Holder {
	var h Holder
	f, err := os.Open(filepath.Join(out, lockFile))
	if err != nil {
		return h
	}
	defer f.Close()
	const longest = 4096
	if json.NewDecoder(io.NewSectionReader(f, holderAt, longest)).Decode(&h) != nil {
		return Holder{}
	}
	return h
}

// UnfinishedError says that the last run into a folder of results ended before it wrote the tables.
type UnfinishedError struct {
	// Folder is the folder as it was given.
	Folder string
	Holder Holder
}

// Error names the folder and the run.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("results %s: the last run into this folder ended before it wrote the tables (%s)", e.Folder,
		e.Holder)
}

// CheckIdle returns a *BusyError when a run writes into the folder of results at the
// moment: its tables and its studies' folders do not fit together until it has ended. It is an
// *UnfinishedError where a run was killed, or could not write the tables, and none has written them since.
func CheckIdle(out string) error {
	name := filepath.Join(out, lockFile)
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f := flock.New(name, flock.SetFlag(os.O_RDONLY))
	free, err := f.TryRLock()
	if err != nil {
		return nil // no locks here, or none that this user may look at
	}
	if free {
		if h := holderOf(out); (h != Holder{}) {
			return errors.Join(hint.Errorf("run it again, or write the tables of what is there: "+tablesCommand(out),
				"%w", &UnfinishedError{Folder: out, Holder: h}), f.Close())
		}
		return f.Close()
	}
	return hint.Errorf("wait until it has ended", "%w", &BusyError{Folder: out, Holder: holderOf(out)})
}
