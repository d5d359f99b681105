package files

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"path/filepath"
	"slices"
)

// Spot is a file in a root, not in an archive.
type Spot struct {
	Root  int    // its index
	Below string // the path below the root, with slashes
}

func (t *Tree) spotPath(s Spot) string {
	return filepath.Join(t.roots[s.Root].Root, filepath.FromSlash(s.Below))
}

// Exchange omits some files from the list and adds others, in the order of all names.
func (t *Tree) Exchange(omit, add []Spot) {
	if len(omit)+len(add) == 0 {
		return
	}
	omitted := map[string]bool{}
	for _, s := range omit {
		omitted[t.spotPath(s)] = true
	}
	t.entries = slices.DeleteFunc(t.entries, func(e Entry) bool { return omitted[e.Path] })
	for _, s := range add {
		r := t.roots[s.Root]
		t.entries = append(t.entries, Entry{Root: r.Root, RootName: r.RootName, Path: t.spotPath(s),
			Name: path.Join(r.RootName, s.Below)})
	}
	slices.SortStableFunc(t.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(t.rootAt[a.Root], t.rootAt[b.Root]), walkOrder(a.Name, b.Name))
	})
}

// Stamp returns a text that changes with the size, the modification time, the permissions and,
// in a bucket, the version of the file, or "" if it lies in an archive or is not there.
func (t *Tree) Stamp(path string) string {
	info, err := t.place(path).stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	sum := sha256.Sum256(fmt.Append(nil, state(info)))
	return hex.EncodeToString(sum[:16])
}
