package dicomio

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/t2map/t2map/files"
)

// Guest is a DICOM mask in a chunk that has nothing else of its study. It does not join
// chunks: it is moved to the chunk that has the study. A folder that contains the masks of
// all studies would otherwise join the chunks of a whole cohort.
type Guest struct {
	Study string `json:"study"` // its hash
	// Root is the index of the root, and Below the path of the file in it, with slashes.
	Root  int    `json:"root"`
	Below string `json:"below"`
	// Stamp changes with the file.
	Stamp string `json:"stamp"`
}

func (g Guest) spot() files.Spot { return files.Spot{Root: g.Root, Below: g.Below} }

func spots(guests []Guest) []files.Spot {
	var out []files.Spot
	for _, g := range guests {
		out = append(out, g.spot())
	}
	return out
}

func compareGuests(a, b Guest) int {
	return cmp.Or(cmp.Compare(a.Root, b.Root), cmp.Compare(a.Below, b.Below))
}

// noteGuests notes the masks of studies of which there is nothing else. Masks in archives
// are not moved.
func (s *scope) noteGuests(groups map[string][]*entry, damaged []*entry) {
	if s == nil {
		return
	}
	named := map[string]bool{}
	for _, e := range damaged {
		named[e.study] = true
	}
	for uid, entries := range groups {
		if named[uid] {
			continue
		}
		var guests []Guest
		for _, e := range entries {
			g := Guest{Study: hash(uid), Root: slices.Index(s.roots, e.root)}
			if e.isMask() && e.path != e.root && g.Root >= 0 {
				g.Below, g.Stamp = files.Below(e.root, e.path), e.tree.Stamp(e.path)
			}
			if g.Stamp == "" {
				guests = nil
				break
			}
			guests = append(guests, g)
		}
		s.facts.Guests = append(s.facts.Guests, guests...)
	}
	slices.SortFunc(s.facts.Guests, compareGuests)
}

// visitors returns the studies of which the chunk has guests only.
func (f Facts) visitors() map[string]bool {
	if len(f.Guests) == 0 {
		return nil
	}
	out := map[string]bool{}
	for _, g := range f.Guests {
		out[g.Study] = true
	}
	return out
}

// moveGuests moves each guest to the chunk that has its study. A guest without one stays.
func moveGuests(chunks []*Chunk, facts map[string]Facts) {
	hosts := map[string]int{} // of the studies of all guests, and −1 if there is none
	for _, c := range chunks {
		for _, g := range facts[c.Digest].Guests {
			hosts[g.Study] = -1
		}
	}
	if len(hosts) == 0 {
		return
	}
	for n, c := range chunks {
		f := facts[c.Digest]
		visitors := f.visitors()
		for _, study := range f.Studies {
			if _, wanted := hosts[study]; wanted && !visitors[study] {
				hosts[study] = n
			}
		}
	}
	for n, c := range chunks { // findings have the chunks as they were
		copied := *c
		chunks[n] = &copied
	}
	for n := range chunks {
		for _, g := range facts[chunks[n].Digest].Guests {
			if host := hosts[g.Study]; host >= 0 {
				chunks[n].away = append(chunks[n].away, g)
				chunks[host].guests = append(chunks[host].guests, g)
			}
		}
	}
}

// writeGuests adds moved files to the digest of a chunk. A write never fails.
func writeGuests(w io.Writer, what string, guests []Guest) {
	for _, g := range guests {
		fmt.Fprintf(w, "%s %d %q %s\n", what, g.Root, g.Below, g.Stamp)
	}
}
