package dicomio

import (
	"path/filepath"

	"github.com/t2map/t2map/files"
)

// joiner decides which chunks belong together.
type joiner struct {
	sets   sets             // of the chunks of the survey
	parts  []files.Chunk    // the chunks of the survey
	chunks []*Chunk         // which consist of these
	facts  map[string]Facts // of the chunks, by Digest
}

// join joins chunks that belong together, and reports whether there are any.
func (j joiner) join() bool {
	joined := j.joinStudies()
	joined = j.joinPieces() || joined
	return joined || j.joinHomes()
}

// joinStudies joins the chunks with files of one study. Guests are moved instead.
func (j joiner) joinStudies() (joined bool) {
	first := map[string]int{}
	for _, c := range j.chunks {
		f := j.facts[c.Digest]
		visitors := f.visitors()
		for _, study := range f.Studies {
			if visitors[study] {
				continue
			}
			if n, ok := first[study]; ok {
				joined = j.sets.join(n, c.members[0]) || joined
			} else {
				first[study] = c.members[0]
			}
		}
	}
	return joined
}

// joinPieces joins the chunks with images that joinScattered may join: those in one folder,
// and those of one patient in folders beside each other that may form a train.
func (j joiner) joinPieces() (joined bool) {
	inFolder := map[string]int{}
	type siblings struct {
		pieces []Piece
		chunks []int
	}
	type visit struct {
		folder  string
		patient uint16
	}
	byVisit := map[visit]*siblings{}
	for _, c := range j.chunks {
		for _, p := range j.facts[c.Digest].Pieces {
			if n, ok := inFolder[p.Folder]; ok {
				joined = j.sets.join(n, c.members[0]) || joined
			} else {
				inFolder[p.Folder] = c.members[0]
			}
			v := visit{filepath.Dir(filepath.FromSlash(p.Folder)), p.Patient}
			if byVisit[v] == nil {
				byVisit[v] = &siblings{}
			}
			b := byVisit[v]
			b.pieces, b.chunks = append(b.pieces, p), append(b.chunks, c.members[0])
		}
	}
	for _, b := range byVisit {
		for _, set := range possibleTrains(b.pieces) {
			for _, n := range set[1:] {
				joined = j.sets.join(b.chunks[set[0]], b.chunks[n]) || joined
			}
		}
	}
	return joined
}

// joinHomes joins the chunks of each divided folder in which only one study is multi-echo.
func (j joiner) joinHomes() (joined bool) {
	const several = "several"
	studies := make([]string, len(j.parts)) // that of each divided folder
	for _, c := range j.chunks {
		for _, study := range j.facts[c.Digest].MultiEcho {
			for _, part := range study.Parts {
				// Folders above one that has the study, or several, have them too.
				d := folderOf(j.parts, c.members[part])
				for ; d >= 0 && studies[d] != study.Hash && studies[d] != several; d = j.parts[d].Parent {
					if studies[d] == "" {
						studies[d] = study.Hash
					} else {
						studies[d] = several
					}
				}
			}
		}
	}
	for n := range j.parts { // even an empty chunk, which may contain another root
		for d := folderOf(j.parts, n); d >= 0; d = j.parts[d].Parent {
			if studies[d] != "" && studies[d] != several {
				joined = j.sets.join(d, n) || joined
			}
		}
	}
	return joined
}

// sets are disjoint sets of numbers: each number leads to another of its set, and one of
// them to itself.
type sets []int

func newSets(n int) sets {
	out := make(sets, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func (s sets) find(n int) int {
	for s[n] != n {
		s[n] = s[s[n]]
		n = s[n]
	}
	return n
}

// join joins the sets of two numbers, and reports whether they were different.
func (s sets) join(a, b int) bool {
	a, b = s.find(a), s.find(b)
	s[max(a, b)] = min(a, b)
	return a != b
}
