package reads

import (
	"fmt"
	"path"
	"strings"

	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/volume"
)

// Archive gives access to the reads in a folder of results. Unlike a Store it does not open the record and changes nothing.
type Archive struct{ store *Store }

// Look returns the reads in a folder of results.
func Look(results string) Archive { return Archive{&Store{results: results}} }

// Readers returns the codes of the readers, in the order of their folders.
func (a Archive) Readers() ([]string, error) {
	return a.names(Folder, readers.MatchString)
}

// Keys returns what a reader has read or begun to draw, in the order of the folders.
func (a Archive) Keys(reader string) ([]Key, error) {
	if err := CheckReader(reader); err != nil {
		return nil, err
	}
	names, err := a.names(path.Join(Folder, reader), keys.MatchString)
	var all []Key
	for _, name := range names {
		all = append(all, keyNamed(name))
	}
	return all, err
}

// names returns the names of the folders in a folder.
func (a Archive) names(dir string, wanted func(string) bool) ([]string, error) {
	folders, err := subfolders(a.store.results, dir, wanted)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, outfile.Bare(err))
	}
	for n, folder := range folders {
		folders[n] = path.Base(folder)
	}
	return folders, nil
}

// keyNamed returns the key whose folder has that name, which matches keys.
func keyNamed(name string) Key {
	parts := strings.Split(name, "-")
	k := Key{Study: parts[0], Series: parts[1]}
	if len(parts) > 2 {
		k.Repeat = int(parts[2][0] - '0')
	}
	return k
}

// Reads is like Store.Reads.
func (a Archive) Reads(reader string, k Key) ([]Read, error) { return a.store.Reads(reader, k) }

// State is like Store.State.
func (a Archive) State(reader string, k Key) (State, error) { return a.store.State(reader, k) }

// Mask is like Store.Mask.
func (a Archive) Mask(r Read) (volume.Labels, error) { return a.store.Mask(r) }

// Standing returns the revision whose mask stands: the last signed one. A later question does not change that. ok is false
// if there is no signed revision or a later one rejects the study. revisions are those of Reads.
func Standing(revisions []Read) (r Read, ok bool) {
	for n := len(revisions) - 1; n >= 0; n-- {
		switch revisions[n].State {
		case Signed:
			return revisions[n], true
		case Rejected:
			return Read{}, false
		}
	}
	return Read{}, false
}
