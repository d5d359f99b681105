package dicomio

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/files"
)

// Facts are what a search must know of a chunk to decide which chunks belong together. They
// take one line for each study and hold no text from a header. They may be stored, and are
// valid as long as the chunk has the same Digest and the roots are the same.
type Facts struct {
	// Studies are the hashes of all StudyInstanceUIDs that the files name.
	Studies []string `json:"studies,omitempty"`
	// MultiEcho are the studies that may need a mask.
	MultiEcho []PartStudy `json:"multi_echo,omitempty"`
	// Guests are masks of which the study may be in another chunk.
	Guests []Guest `json:"guests,omitempty"`
	// Pieces may belong to studies that were given several UIDs, with images in other chunks.
	Pieces []Piece `json:"pieces,omitempty"`
}

// PartStudy is a study, and the indices in Chunk.Parts of the parts that contain files of it
// other than masks.
type PartStudy struct {
	Hash  string `json:"hash"`
	Parts []int  `json:"parts"`
}

// fit reports whether stored facts may be those of the chunk, in a search of some roots.
func (f Facts) fit(c *Chunk, roots int) bool {
	for _, g := range f.Guests {
		if g.Root < 0 || g.Root >= roots || !filepath.IsLocal(filepath.FromSlash(g.Below)) {
			return false
		}
	}
	for _, study := range f.MultiEcho {
		for _, part := range study.Parts {
			if part < 0 || part >= len(c.members) {
				return false
			}
		}
	}
	return !slices.ContainsFunc(f.Pieces, func(p Piece) bool { return len(p.Grid) != 0 && len(p.Grid) != gridNumbers })
}

// gridNumbers is the number of values of Piece.Grid.
const gridNumbers = 2 + 2 + 6

// Piece describes the MR images of one UID.
type Piece struct {
	// Folder is the deepest folder that contains them.
	Folder string `json:"folder"`
	// Patient is the beginning of a hash of PatientID: enough to tell most patients apart, and too
	// little to recognise one.
	Patient uint16 `json:"patient,omitempty"`
	// Grid is the grid of the first image: rows, columns, spacing and orientation. It is
	// empty if the images form a train, or the first has no grid.
	Grid []float64 `json:"grid,omitempty"`
	// TE are the different echo times in ms, and Places the positions, each at most as often
	// as an image of a train needs it.
	TE     []float64    `json:"te,omitempty"`
	Places [][3]float64 `json:"places,omitempty"`
}

// scope is the part of a search that is read. A nil scope is the whole search.
type scope struct {
	roots  []string      // all searched folders
	parts  []files.Chunk // of the chunk
	shared []string      // divided folders with files outside of the chunk, which are no study's home
	facts  Facts
	whole  map[rootPath]int // the indices of folders, archives and files, by path
	loose  map[rootPath]int // and of those of loose files, by the path of their folder
}

// rootPath is a path in a root.
type rootPath struct{ root, path string }

// newScope returns the scope of a chunk that consists of these parts.
func newScope(parts []files.Chunk, roots, shared []string) *scope {
	s := &scope{roots: roots, parts: parts, shared: shared, whole: map[rootPath]int{}, loose: map[rootPath]int{}}
	for n, p := range parts {
		if p.Loose {
			s.loose[rootPath{roots[p.Root], p.Path}] = n
		} else {
			s.whole[rootPath{roots[p.Root], p.Path}] = n
		}
	}
	return s
}

// part returns the index of the part that contains the file, or −1.
func (s *scope) part(e *entry) int {
	for path := e.path; ; path = filepath.Dir(path) {
		if n, ok := s.whole[rootPath{e.root, path}]; ok {
			return n
		}
		if path == e.root || path == filepath.Dir(path) {
			break
		}
	}
	if n, ok := s.loose[rootPath{e.root, filepath.Dir(e.path)}]; ok {
		return n
	}
	return -1
}

// noteStudies notes the UIDs.
func (s *scope) noteStudies(groups map[string][]*entry, damaged []*entry) {
	if s == nil {
		return
	}
	for uid := range groups {
		s.facts.Studies = append(s.facts.Studies, hash(uid))
	}
	for _, e := range damaged {
		if e.study != "" {
			s.facts.Studies = append(s.facts.Studies, hash(e.study))
		}
	}
	slices.Sort(s.facts.Studies)
	s.facts.Studies = slices.Compact(s.facts.Studies)
}

// noteTrains notes the multi-echo studies.
func (s *scope) noteTrains(groups map[string][]*entry, studies map[string]Study) {
	if s == nil {
		return
	}
	for uid, entries := range groups {
		if !studies[uid].MultiEcho() {
			continue
		}
		r := PartStudy{Hash: studies[uid].Hash}
		last := rootPath{}
		for _, e := range entries {
			folder := rootPath{e.root, filepath.Dir(e.path)}
			if folder == last || e.isMask() {
				continue
			}
			last = folder
			if n := s.part(e); n >= 0 && !slices.Contains(r.Parts, n) {
				r.Parts = append(r.Parts, n)
			}
		}
		slices.Sort(r.Parts)
		s.facts.MultiEcho = append(s.facts.MultiEcho, r)
	}
	slices.SortFunc(s.facts.MultiEcho, func(a, b PartStudy) int { return cmp.Compare(a.Hash, b.Hash) })
}

// close makes sure that no shared folder is the home of a study.
func (s *scope) close(h homes) {
	if s == nil {
		return
	}
	for _, folder := range s.shared {
		h[folder] = map[string]bool{"": true, "of another chunk": true}
	}
}

// notePart notes a part that joinScattered may join with parts in other chunks: those in the
// same folder or, if they are not trains, in folders beside it.
func (s *scope) notePart(p part, folder, patient string, isWhole bool) {
	if s == nil {
		return
	}
	hasGrid := !isWhole && len(p.images) > 0 && p.images[0].hasGrid()
	for _, own := range s.parts {
		if !own.Loose && files.Inside(own.Path, folder) && (folder != own.Path || !hasGrid) {
			return
		}
	}
	sum := sha256.Sum256([]byte(patient))
	piece := Piece{Folder: filepath.ToSlash(folder), Patient: binary.BigEndian.Uint16(sum[:])}
	if hasGrid {
		h := p.images[0]
		piece.Grid = append(piece.Grid, float64(h.rows), float64(h.columns))
		piece.Grid = append(append(piece.Grid, h.spacing[:]...), h.orientation[:]...)
		count := map[[3]float64]int{}
		for _, h := range p.images {
			if !math.IsNaN(h.te) {
				piece.TE = append(piece.TE, h.te)
			}
			if count[h.position] < minTrain && !slices.ContainsFunc(h.position[:], math.IsNaN) {
				count[h.position]++
				piece.Places = append(piece.Places, h.position)
			}
		}
		slices.Sort(piece.TE)
		piece.TE = slices.Compact(piece.TE)
	}
	s.facts.Pieces = append(s.facts.Pieces, piece)
	slices.SortFunc(s.facts.Pieces, func(a, b Piece) int {
		return cmp.Or(cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Patient, b.Patient),
			slices.Compare(a.Grid, b.Grid), slices.Compare(a.TE, b.TE))
	})
}

// images returns headers with the echo times and places of the piece.
func (p Piece) images() []*header {
	var out []*header
	nan := math.NaN()
	for _, te := range p.TE {
		out = append(out, &header{te: te, position: [3]float64{nan, nan, nan}})
	}
	for _, place := range p.Places {
		out = append(out, &header{te: nan, position: place})
	}
	return out
}

// grid returns a header with the grid of the piece.
func (p Piece) grid() *header {
	return &header{rows: int(p.Grid[0]), columns: int(p.Grid[1]), spacing: [2]float64(p.Grid[2:4]),
		orientation: [6]float64(p.Grid[4:10])}
}

// possibleTrains returns the sets of pieces that may form a train: they have one grid, and
// together three echo times and three images in one place. That is less than joinScattered
// asks for, because the rest of their headers is not known.
func possibleTrains(pieces []Piece) (sets [][]int) {
	var grids []*header
	var images [][]*header
	for i, p := range pieces {
		if len(p.Grid) == 0 {
			continue
		}
		h := p.grid()
		n := slices.IndexFunc(grids, func(g *header) bool {
			return g.rows == h.rows && g.columns == h.columns && sameSpacing(g, h) && sameOrientation(g, h)
		})
		if n < 0 {
			if len(grids) == mostGrids {
				continue
			}
			grids, images, sets, n = append(grids, h), append(images, nil), append(sets, nil), len(grids)
		}
		images[n], sets[n] = append(images[n], p.images()...), append(sets[n], i)
	}
	var out [][]int
	for n, set := range sets {
		if len(echoes(images[n])) >= minTrain && crowded(images[n]) {
			out = append(out, set)
		}
	}
	return out
}
