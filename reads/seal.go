package reads

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
)

// The files of a blinding, in the folder of all reads: the sealed seed, and the seed after the reads were unblinded.
const (
	sealedFile = "blinding.json"
	openedFile = "unblinded.json"
)

// Blind returns the blinding of the reads. The first call makes it, with the given fraction of repeats, seals it in a file
// that only the owner can read, and adds its commitment to the record, which is on the disk when Blind returns. It is an
// error if the blinding has another fraction of repeats, or if reads were unblinded.
func (s *Store) Blind(repeats float64) (*Blinding, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	if _, err := os.Lstat(s.path(Folder, openedFile)); err == nil {
		return nil, errUnblinded
	}
	b, err := s.readBlinding(sealedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s.seal(NewBlinding(repeats))
	}
	if err != nil {
		return nil, err
	}
	if b.Repeats != repeats {
		return nil, hint.Errorf("set `repeats` of `reads` in the protocol to that value",
			"the reads were blinded with %g %% repeats, not %g %%", 100*b.Repeats, 100*repeats)
	}
	opened, err := s.commit(*b)
	if err == nil && opened {
		err = errUnblinded
	}
	return b, err
}

var errUnblinded = hint.Errorf("the record says when; further studies can be read without --blind",
	"the reads were unblinded: readers may know what the codes mean")

// Blinded reports whether the reads are blinded, and were not unblinded.
func (a Archive) Blinded() (bool, error) {
	_, err := os.Lstat(a.store.path(Folder, sealedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, outfile.Bare(err)
}

// Codes returns the codes of a reader's cases by their keys. They are those of Cases, except that Cases gives a case
// another code if its own is that of a case that is not among keys.
func (b Blinding) Codes(reader string, keys []Key) (map[Key]string, error) {
	seed, err := b.check()
	if err == nil {
		err = CheckReader(reader)
	}
	if err != nil {
		return nil, err
	}
	codes := map[Key]string{}
	for _, c := range (draws{seed, reader}).coded(keys) {
		codes[c.Key] = c.Code
	}
	return codes, nil
}

// Unblind opens the blinding, which it returns, and adds to the record that it was opened. The event is on the disk when
// Unblind returns. From then on Blind is an error.
func (s *Store) Unblind() (*Blinding, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	b, err := s.readBlinding(sealedFile)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = s.readBlinding(openedFile); errors.Is(err, fs.ErrNotExist) {
			return nil, errors.New("the reads are not blinded")
		}
		return b, err
	}
	if err != nil {
		return nil, err
	}
	opened, err := s.commit(*b)
	if err == nil && !opened {
		err = s.note(audit.ReadsUnblinded, *b)
	}
	if err == nil {
		err = outfile.Bare(os.Rename(s.path(Folder, sealedFile), s.path(Folder, openedFile)))
	}
	if err != nil {
		return nil, err
	}
	return b, outfile.SyncFolder(s.path(Folder))
}

// commit adds the commitment of a sealed blinding to the record if it is not there, because the program was killed after
// it had written the seed; nobody has read with it. opened reports whether the record says that the blinding was opened;
// then the program was killed before it renamed the file.
func (s *Store) commit(b Blinding) (opened bool, err error) {
	sum, err := b.Commitment()
	if err != nil {
		return false, err
	}
	committed := false
	if _, _, err := audit.Read(s.results, func(e audit.Event) {
		committed = committed || e.Kind == audit.ReadsBlinded && e.Commitment == sum
		opened = opened || e.Kind == audit.ReadsUnblinded && e.Commitment == sum
	}); err != nil {
		return false, fmt.Errorf("%s: %w", audit.File, outfile.Bare(err))
	}
	if committed {
		return opened, nil
	}
	return opened, s.note(audit.ReadsBlinded, b)
}

func (s *Store) readBlinding(name string) (*Blinding, error) {
	text, err := os.ReadFile(s.path(Folder, name))
	if err != nil {
		return nil, outfile.Bare(err)
	}
	var b Blinding
	if err = json.Unmarshal(text, &b); err == nil {
		_, err = b.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", Folder, name, err)
	}
	return &b, nil
}

// seal writes a new blinding.
func (s *Store) seal(b Blinding) (*Blinding, error) {
	if _, err := b.check(); err != nil {
		return nil, err
	}
	if err := s.makeFolders(Folder); err != nil {
		return nil, err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	const onlyOwner = 0o600
	f, err := os.OpenFile(s.path(Folder, sealedFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, onlyOwner)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", Folder, sealedFile, outfile.Bare(err))
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close(), outfile.SyncFolder(s.path(Folder))); err != nil {
		return nil, err
	}
	return &b, s.note(audit.ReadsBlinded, b)
}

// note adds an event about the blinding to the record, and waits until it is on the disk, with the name of the record.
func (s *Store) note(kind audit.Kind, b Blinding) error {
	sum, err := b.Commitment()
	if err != nil {
		return err
	}
	e := audit.Event{Kind: kind, Commitment: sum}
	e.Host, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		e.User = u.Username
	}
	return errors.Join(s.log.Append(e), outfile.SyncFolder(s.results))
}
