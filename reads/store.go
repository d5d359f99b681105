package reads

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
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/volume"
)

// Folder is the folder of all reads in a folder of results.
const Folder = "reads"

// The files of a read, and the journal beside the reads.
const (
	readFile    = "read.json"
	maskFile    = "mask.nii.gz"
	strokesFile = "strokes.jsonl"
	draftFile   = "draft.jsonl"
)

// Store gives access to the reads in a folder of results. It may be used concurrently, even by several programs.
type Store struct {
	results string
	log     *audit.Log
	now     func() time.Time
	signing sync.Mutex // one read is signed at a time
	index   cache
}

// Open opens the reads in a folder of results, which it creates if it does not exist. The caller must close the store.
func Open(results string) (*Store, error) {
	if err := os.MkdirAll(results, 0o777); err != nil {
		return nil, fmt.Errorf("reads: %w", err)
	}
	log, err := audit.Open(results)
	if err != nil {
		return nil, fmt.Errorf("reads: %w", err)
	}
	return &Store{results: results, log: log, now: time.Now}, nil
}

// Close closes the record.
func (s *Store) Close() error { return s.log.Close() }

// Drawing is a drawing of a reader that is not signed. While it is open, nobody else draws or signs it.
type Drawing struct {
	*drawing.Journal
	reader string
	key    Key
}

// folder returns the folder of a reader's reads of a study below the folder of results, with slashes.
func folder(reader string, k Key) (string, error) {
	if err := errors.Join(CheckReader(reader), k.check()); err != nil {
		return "", err
	}
	return path.Join(Folder, reader, k.String()), nil
}

func (s *Store) path(parts ...string) string {
	return filepath.Join(s.results, filepath.FromSlash(path.Join(parts...)))
}

// Begin begins a drawing. See drawing.Create.
func (s *Store) Begin(
	reader string, k Key, initial volume.Labels, values []uint16, scheme Scheme, from any,
) (*Drawing, error) {
	dir, err := folder(reader, k)
	if err == nil {
		err = s.checkCase(reader)
	}
	if err == nil {
		err = s.makeFolders(dir)
	}
	if err == nil {
		err = s.dropSigned(reader, k)
	}
	if err != nil {
		return nil, err
	}
	j, err := drawing.Create(s.path(dir, draftFile), initial, values, scheme, from)
	if err != nil {
		return nil, err
	}
	return &Drawing{j, reader, k}, nil
}

// checkCase returns an error if there is a reader whose code differs only in case: some file systems do not distinguish them.
func (s *Store) checkCase(reader string) error {
	entries, err := os.ReadDir(s.path(Folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reads: %w", outfile.Bare(err))
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name(), reader) && e.Name() != reader {
			return hint.Errorf("use "+e.Name()+", or another code", "reader %s: there is a reader %s", reader, e.Name())
		}
	}
	return nil
}

// makeFolders makes a folder below the folder of results and waits until its name is on the disk.
func (s *Store) makeFolders(dir string) error {
	for folder, parts := "", strings.Split(dir, "/"); len(parts) > 0; parts = parts[1:] {
		parent := folder
		folder = path.Join(folder, parts[0])
		err := os.Mkdir(s.path(folder), 0o777)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = outfile.SyncFolder(s.path(parent))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", folder, outfile.Bare(err))
		}
	}
	return nil
}

// Resume opens a drawing that is not signed. The error is fs.ErrNotExist if there is none, and otherwise that of
// drawing.Open.
func (s *Store) Resume(reader string, k Key) (*Drawing, error) {
	dir, err := folder(reader, k)
	if err == nil {
		err = s.dropSigned(reader, k)
	}
	if err != nil {
		return nil, err
	}
	j, err := drawing.Open(s.path(dir, draftFile))
	if err != nil {
		return nil, err
	}
	return &Drawing{j, reader, k}, nil
}

// Recover opens a drawing whose journal is damaged, with the steps before the damage. A copy of the journal is kept in the
// folder of the reader's reads of the study. See drawing.Recover.
func (s *Store) Recover(reader string, k Key) (*Drawing, error) {
	dir, err := folder(reader, k)
	if err != nil {
		return nil, err
	}
	j, _, err := drawing.Recover(s.path(dir, draftFile))
	if err != nil {
		return nil, err
	}
	return &Drawing{j, reader, k}, nil
}

// SetAside gives the journal of a drawing that can be neither resumed nor recovered another name in its folder, so that a
// new drawing can begin. It returns the path of the journal below the folder of results, with slashes. See
// drawing.SetAside.
func (s *Store) SetAside(reader string, k Key) (kept string, err error) {
	dir, err := folder(reader, k)
	if err != nil {
		return "", err
	}
	if kept, err = drawing.SetAside(s.path(dir, draftFile)); kept != "" {
		kept = path.Join(dir, filepath.Base(kept))
	}
	return kept, err
}

// draft returns whether there is a drawing, and whether the last of the reads is its read: then the program was killed
// after it had signed.
func (s *Store) draft(dir string, all []Read) (exists, isSigned bool, err error) {
	id, err := drawing.IDOf(s.path(dir, draftFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, false, nil
	case errors.As(err, new(*drawing.DamagedError)):
		return true, false, nil // Open says what is wrong
	case err != nil:
		return false, false, fmt.Errorf("%s/%s: %w", dir, draftFile, outfile.Bare(err))
	}
	return true, len(all) > 0 && all[len(all)-1].Drawing == id, nil
}

// dropSigned removes a drawing that is signed, unless it is open.
func (s *Store) dropSigned(reader string, k Key) error {
	all, err := s.Reads(reader, k)
	if err != nil {
		return err
	}
	dir, _ := folder(reader, k) // Reads has checked it
	_, isSigned, err := s.draft(dir, all)
	if err != nil || !isSigned {
		return err
	}
	j, err := drawing.Open(s.path(dir, draftFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = j.Remove()
	}
	return err
}

// Reads returns the revisions of a reader's reads of a study, in their order; none if there is no read. It is an error if
// a revision is missing or cannot be read.
func (s *Store) Reads(reader string, k Key) ([]Read, error) {
	h, err := s.history(reader, k)
	return h.reads, err
}

// history is the revisions of a reader's reads of a study.
type history struct {
	folder string // below the folder of results, with slashes
	reads  []Read
	sums   []string // of read.json
}

// history returns what Reads does, and the SHA-256 of each read.json.
func (s *Store) history(reader string, k Key) (history, error) {
	dir, err := folder(reader, k)
	if err != nil {
		return history{}, err
	}
	names, err := subfolders(s.results, dir, isRevision)
	if err != nil {
		return history{}, fmt.Errorf("%s: %w", dir, outfile.Bare(err))
	}
	h := history{folder: dir}
	for n := range len(names) {
		name := path.Join(dir, strconv.Itoa(n+1))
		if !slices.Contains(names, name) {
			return history{}, hint.Errorf("see t2map verify", "%s is missing", name)
		}
		r, sum, err := readRead(s.path(name, readFile))
		if err == nil && (r.Reader != reader || r.Key != k || r.Revision != n+1) {
			err = fmt.Errorf("%s belongs to another folder", readFile)
		}
		if err != nil {
			return history{}, hint.Errorf("see t2map verify", "%s: %w", name, err)
		}
		h.reads, h.sums = append(h.reads, r), append(h.sums, sum)
	}
	return h, nil
}

// readRead reads a read, and returns the SHA-256 of its file.
func readRead(path string) (r Read, sum string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Read{}, "", fmt.Errorf("%s: %w", readFile, outfile.Bare(err))
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return Read{}, "", fmt.Errorf("%s: %w", readFile, err)
	}
	hash := sha256.Sum256(text)
	return r, hex.EncodeToString(hash[:]), nil
}

// State returns the state of a study at a reader. It changes nothing. Index has the states of many studies.
func (s *Store) State(reader string, k Key) (State, error) {
	h, err := s.history(reader, k)
	if err != nil {
		return "", err
	}
	return s.stateOf(h)
}

// stateOf returns the state of a study with that history.
func (s *Store) stateOf(h history) (State, error) {
	exists, isSigned, err := s.draft(h.folder, h.reads)
	switch {
	case err != nil:
		return "", err
	case exists && !isSigned:
		return Draft, nil
	case len(h.reads) == 0:
		return ToRead, nil
	}
	return h.reads[len(h.reads)-1].State, nil
}

// Sign ends a drawing with a read: the next revision, which has the mask and the strokes of the drawing. Of r, it fills in
// Reader, Key, Revision, Time, Drawing, From, Scheme, Labels, Mask and Strokes. It returns the read, and closes the drawing.
//
// If there is an error and no read, the drawing is still open and can be signed again. The error wraps ErrIncomplete if
// the read lacks what its state requires, and drawing.ErrSealed if the drawing is being signed. If there is a read and an
// error, the read is signed, but it may not survive a loss of power, or its drawing could not be removed.
func (s *Store) Sign(d *Drawing, r Read) (*Read, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	r.Reader, r.Key = d.reader, d.key
	earlier, err := s.Reads(r.Reader, r.Key)
	if err == nil {
		err = r.check(len(earlier) == 0)
	}
	if err != nil {
		return nil, err
	}
	dir, err := folder(r.Reader, r.Key)
	if err != nil {
		return nil, err
	}
	r.Revision, r.Time = len(earlier)+1, s.now().UTC().Truncate(time.Millisecond)
	r.Drawing, r.From = d.ID(), d.From()
	r.Scheme, r.Labels = d.Scheme().Name, d.Scheme().SHA256
	final := path.Join(dir, strconv.Itoa(r.Revision))
	if err := s.write(d, &r, final); err != nil {
		return nil, fmt.Errorf("%s: %w", final, err)
	}
	return &r, errors.Join(outfile.SyncFolder(s.path(dir)), d.Remove())
}

// write writes the folder of a read under another name, adds the event to the record, and renames the folder. A program
// that is killed between the last two leaves an event without a read, and a drawing that can be signed again.
func (s *Store) write(d *Drawing, r *Read, final string) (err error) {
	if _, err := os.Lstat(s.path(final)); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(outfile.Bare(err), fs.ErrExist) // before it is in the record
	}
	tmp := s.path(path.Dir(final), unfinished+rand.Text())
	if err := os.Mkdir(tmp, 0o777); err != nil {
		return outfile.Bare(err)
	}
	sealed := false
	defer func() {
		if err == nil {
			return
		}
		if err = errors.Join(err, os.RemoveAll(tmp)); sealed {
			d.Unseal()
		}
	}()
	err = d.Seal(func(one *drawing.Drawing, journal io.Reader) (err error) {
		sealed = true
		mask := one.Mask()
		r.Mask, err = writeFile(tmp, maskFile, func(w io.Writer) error {
			return nifti.WriteLabels(w, mask.Geometry, mask.Data, "mask, scheme "+r.Scheme) // equal masks have equal bytes
		})
		if err == nil {
			r.Strokes, err = writeFile(tmp, strokesFile, func(w io.Writer) error { _, err := io.Copy(w, journal); return err })
		}
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	sum, err := writeFile(tmp, readFile, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err })
	if err == nil {
		err = outfile.SyncFolder(tmp)
	}
	if err == nil {
		err = s.log.Append(audit.Event{Kind: audit.StudyRead, Time: r.Time, Study: r.Study, Series: r.Series,
			Folder: final, Reader: r.Reader, State: string(r.State), Read: sum, Drawing: r.Drawing})
	}
	if err == nil {
		err = outfile.Bare(outfile.Patiently(func() error { return os.Rename(tmp, s.path(final)) }))
	}
	return err
}

// unfinished begins the names of folders of reads that are being written. A program that was killed leaves them.
const unfinished = ".read-"

// writeFile writes a new file into a folder, waits until it is on the disk, and returns its SHA-256.
func writeFile(dir, name string, write func(io.Writer) error) (sum string, err error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, outfile.Bare(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	buffered := bufio.NewWriter(io.MultiWriter(f, hash))
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, outfile.Bare(err))
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// hashFile returns the SHA-256 of a file.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", outfile.Bare(err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", outfile.Bare(err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Mask returns the mask of a read, and checks that its file is the one that was signed.
func (s *Store) Mask(r Read) (volume.Labels, error) {
	dir, err := folder(r.Reader, r.Key)
	if err != nil {
		return volume.Labels{}, err
	}
	name := path.Join(dir, strconv.Itoa(r.Revision), maskFile)
	data, err := os.ReadFile(s.path(name))
	if err != nil {
		return volume.Labels{}, fmt.Errorf("%s: %w", name, outfile.Bare(err))
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != r.Mask {
		return volume.Labels{}, fmt.Errorf("%s: it is not the mask that was signed", name)
	}
	mask, err := nifti.ReadLabels(bytes.NewReader(data))
	if err != nil {
		return volume.Labels{}, fmt.Errorf("%s: %w", name, err)
	}
	return mask, nil
}
