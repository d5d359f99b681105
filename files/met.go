package files

import (
	"crypto/sha256"
	"path/filepath"
)

// key is the beginning of the SHA-256 of a resolved path.
type key [16]byte

func keyOf(path string) key {
	sum := sha256.Sum256([]byte(path))
	return key(sum[:len(key{})])
}

// met records what a walk has met, with the numbers of the chunks. A file that was met when
// its folder was listed is not recorded, because the folder is: a cohort has hundreds of
// files in a folder.
type met struct {
	folders map[key]int32
	// files were reached through links, are roots, or lie in folders that could not be
	// listed completely.
	files map[key]int32
	// parts are the folders that could not be listed completely.
	parts map[key]bool
}

func newMet() *met {
	return &met{folders: map[key]int32{}, files: map[key]int32{}, parts: map[key]bool{}}
}

func (m *met) partial(folder string) { m.parts[keyOf(folder)] = true }

// openFolder is a folder that is being listed, up to the entry named current.
type openFolder struct {
	key     key
	current string
}

// mark records a folder or file.
func (w *walker) mark(real string, isDir, listed bool) {
	switch {
	case isDir:
		w.met.folders[keyOf(real)] = w.chunk
	case !listed || len(w.met.parts) > 0 && w.met.parts[keyOf(filepath.Dir(real))]:
		w.met.files[keyOf(real)] = w.chunk
	}
}

// reached reports whether a folder or file has been visited, or belongs to a chunk that is
// not listed. The parameters are those of visit.
func (w *walker) reached(real string, isDir, listed bool) bool {
	if w.surveyed != nil && w.foreign(real, isDir, listed) {
		return true
	}
	if isDir {
		_, ok := w.met.folders[keyOf(real)]
		return ok
	}
	if len(w.met.files) > 0 {
		if _, ok := w.met.files[keyOf(real)]; ok {
			return true
		}
	}
	if listed {
		return false
	}
	folder, name := keyOf(filepath.Dir(real)), filepath.Base(real)
	if _, ok := w.met.folders[folder]; !ok || w.met.parts[folder] || litter(name, false) {
		return false
	}
	for _, listed := range w.open {
		if listed.key == folder {
			return name < listed.current // the names are in order
		}
	}
	return true
}

// foreign reports whether a folder or file belongs to a chunk that was not chosen.
func (w *walker) foreign(real string, isDir, listed bool) bool {
	m := w.surveyed
	if isDir {
		chunk, ok := m.folders[keyOf(real)]
		return ok && !w.chosen[chunk]
	}
	if len(m.files) > 0 {
		if chunk, ok := m.files[keyOf(real)]; ok {
			return !w.chosen[chunk]
		}
	}
	if listed {
		return false
	}
	folder := keyOf(filepath.Dir(real))
	chunk, ok := m.folders[folder]
	return ok && !w.chosen[chunk] && !m.parts[folder] && !litter(filepath.Base(real), false)
}
