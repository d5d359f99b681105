package dicomio

import (
	"context"
	"errors"

	"github.com/t2map/t2map/files"
)

// Settle decides which chunks belong together. It reads the headers of all chunks that
// recall does not know, one after the other and the next one while one is in use.
//
// visit, if set, is called for each chunk that was read. The finding is closed afterwards.
// If it turns out later that chunks belong together, visit is called for the joined chunk
// too: its finding replaces those of all chunks that have one of its Parts.
//
// recall, if set, returns the facts of a chunk with this Digest that were stored earlier.
// It may be asked for chunks that are joined afterwards.
func (s *Search) Settle(ctx context.Context, recall func(Chunk) (Facts, bool),
	visit func(Finding, Facts) error) error {
	if recall == nil {
		recall = func(Chunk) (Facts, bool) { return Facts{}, false }
	}
	sets := newSets(len(s.survey.Chunks()))
	s.joinNested(sets)
	for facts := map[string]Facts{}; ; { // by Digest
		chunks := s.gather(sets)
		known := map[string]Facts{}
		var unread []Chunk
		for _, c := range chunks {
			f, ok := facts[c.Digest]
			if !ok {
				if f, ok = recall(c); ok {
					ok = f.fit(c)
				}
			}
			if ok {
				known[c.Digest] = f
			} else {
				unread = append(unread, c)
			}
		}
		if err := s.inspect(ctx, unread, known, visit); err != nil {
			return err
		}
		facts = known
		if !(joiner{sets, s.survey.Chunks(), chunks, facts}).join() {
			s.chunks = chunks
			return nil
		}
	}
}

// inspect reads chunks and records their facts.
func (s *Search) inspect(ctx context.Context, chunks []Chunk, facts map[string]Facts,
	visit func(Finding, Facts) error) error {
	for r, err := range s.prefetch(ctx, chunks) {
		if err != nil {
			return err
		}
		f, known := s.sortOut(r)
		facts[r.chunk.Digest] = known
		if visit != nil {
			err = visit(f, known)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// gather returns the chunks that consist of joined chunks of the survey.
func (s *Search) gather(sets sets) []Chunk {
	parts := s.survey.Chunks()
	members := map[int][]int{}
	var order []int
	for n, p := range parts {
		if p.Empty {
			continue
		}
		set := sets.find(n)
		if members[set] == nil {
			order = append(order, set)
		}
		members[set] = append(members[set], n)
	}
	several := withSeveral(parts, sets)
	listed := make([]int, len(parts)) // the set for which a folder was listed last, and 1
	var out []Chunk
	for _, set := range order {
		var shared []string
		for _, n := range members[set] {
			for d := folderOf(parts, n); d >= 0 && listed[d] != set+1; d = parts[d].Parent {
				if listed[d] = set + 1; several[d] {
					shared = append(shared, parts[d].Path)
				}
			}
		}
		out = append(out, s.newChunk(members[set], shared))
	}
	return out
}

// withSeveral returns which folders have chunks of several sets. A folder has the index of its
// loose files.
func withSeveral(parts []files.Chunk, sets sets) (several []bool) {
	several = make([]bool, len(parts))
	first := make([]int, len(parts)) // the first set in each folder, and 1
	for n, p := range parts {
		if p.Empty {
			continue
		}
		set := sets.find(n) + 1
		for d := folderOf(parts, n); d >= 0 && !several[d]; d = parts[d].Parent {
			several[d] = first[d] != 0 && first[d] != set
			first[d] = set
		}
	}
	return several
}

// folderOf returns the divided folder that contains a chunk, or −1.
func folderOf(parts []files.Chunk, n int) int {
	if parts[n].Loose {
		return n
	}
	return parts[n].Parent
}

// joinNested joins the chunks of each root that lies in another with the chunk that contains
// it: their folders are folders of both.
func (s *Search) joinNested(sets sets) {
	enclosing := s.survey.Enclosing()
	if len(enclosing) == 0 {
		return
	}
	byRoot := make([][]int, len(s.roots))
	for n, p := range s.survey.Chunks() {
		byRoot[p.Root] = append(byRoot[p.Root], n)
	}
	for n, inner := range enclosing {
		for _, root := range inner {
			for _, member := range byRoot[root] {
				sets.join(n, member)
			}
		}
	}
}
