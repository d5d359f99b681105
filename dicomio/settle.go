package dicomio

import "context"

// Settle decides which chunks belong together. It reads the headers of all chunks that
// recall does not know, one after the other and the next one while one is in use.
//
// visit, if set, is called for each chunk that was read. It must close the finding when nothing
// more is read from it.
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
				f, ok = recall(c)
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
		if !(joiner{sets, s.survey.Chunks(), chunks, facts, len(s.roots)}).join() {
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
func (s *Search) gather(sets sets) []Chunk {
	parts := s.survey.Chunks()
	members := map[int][]int{}
	roots := make([]map[int]bool, len(s.roots)) // the sets in each root
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
		if roots[p.Root] == nil {
			roots[p.Root] = map[int]bool{}
		}
		roots[p.Root][set] = true
	}
	var out []Chunk
	for _, set := range order {
		var shared []string
		last := -1
		for _, n := range members[set] {
			if root := parts[n].Root; root != last && len(roots[root]) > 1 {
				shared = append(shared, s.roots[root])
				last = root
			}
		}
		out = append(out, s.newChunk(members[set], shared))
	}
	return out
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
