package drawing

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/outfile"
)

// Recover keeps a copy of a damaged journal under another name, which it returns, and opens the journal with the steps
// before the damage. It returns a *DamagedError if the initial mask is damaged, and an error if the journal is not
// damaged.
func Recover(path string) (j *Journal, kept string, err error) {
	lock, err := lockFor(path)
	if err != nil {
		return nil, "", err
	}
	sound, kept, err := saveSound(path)
	if err == nil {
		err = replace(path, sound)
	}
	if err != nil {
		return nil, kept, errors.Join(err, lock.Close())
	}
	j, err = opened(path, lock)
	return j, kept, err
}

// saveSound copies a damaged journal to another name and returns its sound lines.
func saveSound(path string) (sound []byte, kept string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	end, damage := (&Journal{file: file}).replay()
	if err := file.Close(); err != nil {
		return nil, "", err
	}
	if damage == nil {
		return nil, "", errors.New("the journal is not damaged")
	}
	if !errors.As(damage, new(*DamagedError)) || end == 0 {
		return nil, "", damage
	}
	if kept, err = damagedName(path); err != nil {
		return nil, "", err
	}
	return text[:end], kept, replace(kept, text)
}

// damagedName returns an unused name for a damaged journal in the same folder, such as draft.damaged-1.jsonl.
func damagedName(path string) (string, error) {
	ext := filepath.Ext(path)
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.damaged-%d%s", strings.TrimSuffix(path, ext), n, ext)
		if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
	}
}

// SetAside renames a journal that can be neither opened nor recovered, so that a new one can begin, and returns its new
// name. The error is a *BusyError if another program has opened the journal.
func SetAside(path string) (kept string, err error) {
	lock, err := lockFor(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	end, damage := (&Journal{file: file}).replay()
	if err := file.Close(); err != nil { // Windows does not rename a file that is open
		return "", err
	}
	switch {
	case damage == nil || end > 0:
		return "", errors.New("the journal can be opened or recovered")
	case !errors.As(damage, new(*DamagedError)):
		return "", damage
	}
	if kept, err = damagedName(path); err != nil {
		return "", err
	}
	if err := outfile.Patiently(func() error { return os.Rename(path, kept) }); err != nil {
		return "", err
	}
	return kept, outfile.SyncFolder(filepath.Dir(path))
}

// IDOf returns the ID of the journal in a file, from its first line alone.
func IDOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := bufio.NewReader(file).ReadBytes('\n')
	l := line{beginning: &beginning{}}
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil || l.ID == "" {
		return "", &DamagedError{1, cmp.Or(err, errors.New("it has no id"))}
	}
	return l.ID, nil
}
