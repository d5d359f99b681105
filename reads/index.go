package reads

import (
	"cmp"
	"os"
	"sync"
	"time"
)

// Index is the states of all studies at some readers, and what these have decided, at one moment. It is for lists. Use
// State, Reads and Decisions of the store, which read the files again, for what a signature depends on.
type Index struct {
	results string
	readers []string
	entries map[string]map[Key]entry // by reader
}

// entry is what a reader has made of a study.
type entry struct {
	// modified is the time of the last change of the folder before it was read. isSettled says that this was so long before
	// that each later change gives the folder another time.
	modified  time.Time
	isSettled bool
	state     State
	decision  *decision // nil if nothing is decided
	asked     bool      // the last revision is a question, and not that of an adjudicator
	err       error
}

// cache is the entries that the store knows, by reader. A call of Store.Index replaces maps and does not change them.
type cache struct {
	mu      sync.Mutex
	entries map[string]map[Key]entry
}

// settled is the age at which the modification time of a folder shows each later change. File systems count
// in steps of up to 2 s (FAT), and the clock of a file server may differ from that of this machine.
const settled = time.Minute

// Index returns the states and decisions of readers, or of all who have begun if none is named. It looks at each folder of
// a study but reads only those that have changed since the last call, which is why it does not see a read.json that
// somebody has replaced in its folder: State, Reads and t2map verify do. It costs as much as reading all reads at the first
// call.
func (s *Store) Index(readers ...string) (*Index, error) {
	if len(readers) == 0 {
		var err error
		if readers, err = (Archive{s}).Readers(); err != nil {
			return nil, err
		}
	}
	x := &Index{s.results, readers, map[string]map[Key]entry{}}
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	if s.index.entries == nil {
		s.index.entries = map[string]map[Key]entry{}
	}
	for _, reader := range readers {
		keys, err := Archive{s}.Keys(reader)
		if err != nil {
			return nil, err
		}
		fresh := make(map[Key]entry, len(keys))
		for _, k := range keys {
			fresh[k] = s.refreshed(s.index.entries[reader][k], reader, k)
		}
		s.index.entries[reader], x.entries[reader] = fresh, fresh
	}
	return x, nil
}

// refreshed returns the entry of a study at a reader: the known one, if the folder has not changed.
func (s *Store) refreshed(known entry, reader string, k Key) entry {
	// Not the information of a list, which Windows updates later.
	info, err := os.Lstat(s.path(Folder, reader, k.String()))
	if err == nil && known.isSettled && known.err == nil && info.ModTime().Equal(known.modified) {
		return known
	}
	e := s.entry(reader, k)
	if err == nil {
		e.modified, e.isSettled = info.ModTime(), time.Since(info.ModTime()) > settled
	}
	return e
}

// entry reads what a reader has made of a study.
func (s *Store) entry(reader string, k Key) (e entry) {
	h, err := s.history(reader, k)
	if err == nil {
		e.state, err = s.stateOf(h)
	}
	if e.err = err; err != nil {
		return e
	}
	if d, ok := h.decision(); ok {
		e.decision = &d
	}
	if n := len(h.reads); n > 0 {
		e.asked = h.reads[n-1].State == Query && !h.reads[n-1].IsAdjudicated()
	}
	return e
}

// Readers returns the readers of the index.
func (x *Index) Readers() []string { return x.readers }

// State returns the state of a study at a reader; ToRead for a reader that is not in the index. See Store.State.
func (x *Index) State(reader string, k Key) (State, error) {
	e := x.entries[reader][k]
	return cmp.Or(e.state, ToRead), e.err
}

// Decisions returns what the readers of the index have decided about a study. See Store.Decisions.
func (x *Index) Decisions(k Key) (all []SignedMask, asked bool, err error) {
	return decisions(x.results, x.readers, func(reader string) entry { return x.entries[reader][k] })
}

// Decisions returns what readers have decided about a study, in the order of their codes, without what adjudicators have.
// asked reports whether a reader has a question that is open. Index has the decisions about many studies.
func (s *Store) Decisions(k Key) (all []SignedMask, asked bool, err error) {
	readers, err := Archive{s}.Readers()
	if err != nil {
		return nil, false, err
	}
	return decisions(s.results, readers, func(reader string) entry { return s.entry(reader, k) })
}

// decisions collects the decisions of readers about a study.
func decisions(results string, readers []string, of func(reader string) entry) (all []SignedMask, asked bool, err error) {
	for _, reader := range readers {
		e := of(reader)
		if e.err != nil {
			return nil, false, e.err
		}
		asked = asked || e.asked
		if e.decision != nil && !e.decision.IsAdjudicated() {
			all = append(all, e.decision.mask(results))
		}
	}
	return all, asked, nil
}

// decision returns the revision that counts; false if nothing is decided.
func (h history) decision() (decision, bool) {
	for n := len(h.reads) - 1; n >= 0; n-- {
		if state := h.reads[n].State; state == Signed || state == Rejected {
			return decision{Read: h.reads[n], sum: h.sums[n]}, true
		}
	}
	return decision{}, false
}
