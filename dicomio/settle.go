package dicomio

import (
	"context"

	"github.com/t2map/t2map/files"
)

// Settle decides which chunks belong together. It reads the headers of all chunks that
// recall does not know, one after the other and the next one while one is in use.
//
// visit, if set, is called for each chunk that was read. It must close the finding when nothing
// more is read from it.
// If it turns out later that chunks belong together, visit is called for the joined chunk
// too: its finding replaces those of all chunks that have one of its Parts. So does that of
// a chunk that is shown again, with the same Parts, because masks were moved.
//
// recall, if set, returns the facts of a chunk with this Digest that were stored earlier.
// It may be asked for chunks that are joined or changed afterwards, so that the facts of all
// chunks that visit shows should be stored.
func (s *Search) Settle(ctx context.Context, recall func(*Chunk) (Facts, bool),
	visit func(Finding, Facts) error) error {
	if recall == nil {
		recall = func(*Chunk) (Facts, bool) { return Facts{}, false }
	}
	sets := newSets(len(s.survey.Chunks()))
	s.joinNested(sets)
	s.joinSingle(sets)
	facts := map[string]Facts{} // by Digest
	for {
		chunks := s.gather(sets)
		known := map[string]Facts{}
		err := s.learn(ctx, chunks, known, func(c *Chunk) (Facts, bool) {
			if f, ok := facts[c.Digest]; ok {
				return f, true
			}
			f, ok := recall(c)
			return f, ok && f.fit(c, len(s.roots))
		}, visit)
		if err != nil {
			return err
		}
		facts = known
		if !(joiner{sets, s.survey.Chunks(), chunks, facts}).join() {
			s.chunks = chunks
			break
		}
	}
	return s.settleGuests(ctx, facts, recall, visit)
}

// learn notes the facts of all chunks: it reads those that recall does not know.
func (s *Search) learn(ctx context.Context, chunks []*Chunk, facts map[string]Facts,
	recall func(*Chunk) (Facts, bool), visit func(Finding, Facts) error) error {
	var unread []*Chunk
	for _, c := range chunks {
		if f, ok := recall(c); ok {
			facts[c.Digest] = f
		} else {
			unread = append(unread, c)
		}
	}
	return s.inspect(ctx, unread, facts, visit)
}

// settleGuests moves guests and reads the chunks that are changed by it.
func (s *Search) settleGuests(ctx context.Context, facts map[string]Facts, recall func(*Chunk) (Facts, bool),
	visit func(Finding, Facts) error) error {
	moveGuests(s.chunks, facts)
	var changed []*Chunk
	for n, c := range s.chunks {
		if len(c.guests)+len(c.away) > 0 {
			c.Files += len(c.guests) - len(c.away)
			s.chunks[n] = s.seal(*c)
			changed = append(changed, s.chunks[n])
		}
	}
	return s.learn(ctx, changed, facts, recall, visit)
}

// inspect reads chunks and records their facts.
func (s *Search) inspect(ctx context.Context, chunks []*Chunk, facts map[string]Facts,
	visit func(Finding, Facts) error) error {
	for r, err := range s.prefetch(ctx, chunks) {
		if err != nil {
			return err
		}
		f, known := s.sortOut(r)
		facts[r.chunk.Digest] = known
		if visit != nil {
			err = visit(f, known)
		} else {
			err = f.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// gather returns the chunks that consist of joined chunks of the survey.
func (s *Search) gather(sets sets) []*Chunk {
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
	var out []*Chunk
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

// joinSingle joins the only folder or archive of a root with the files beside it. Both mostly
// belong to one study, such as its images and its mask, and would be joined after they were read.
func (s *Search) joinSingle(sets sets) {
	all := s.survey.Chunks()
	byRoot := make([][]int, len(s.roots))
	for n, p := range all {
		if !p.Empty {
			byRoot[p.Root] = append(byRoot[p.Root], n)
		}
	}
	for _, parts := range byRoot {
		if len(parts) == 2 && all[parts[0]].Loose != all[parts[1]].Loose {
			sets.join(parts[0], parts[1])
		}
	}
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
