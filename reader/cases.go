package reader

import (
	"cmp"
	"net/http"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// session answers with what is the same for all studies.
func (s *Server) session(r *http.Request) (answer, error) {
	u := user(r)
	return answer{value: Session{
		User: u.Code, Role: string(u.Role), Blind: s.Blinding != nil, Password: gate.NeedsPassword(r), Labels: s.labels(),
		Reasons: append([]string{}, s.Protocol.Reads.Rejections...), Meanings: meanings(u.Role), States: states(),
		Ramp: ramp(), Version: s.Version,
	}}, nil
}

// meanings returns what a signature can mean.
func meanings(role gate.Role) []string {
	if role == gate.Adjudicator {
		return []string{"I have decided between the readers", "I have drawn this mask", "I have checked this mask"}
	}
	return []string{"I have drawn this mask", "I have corrected this mask", "I have checked this mask and changed nothing"}
}

// aCase is a study as a user sees it.
type aCase struct {
	id string
	reads.Key
	batch.ListedStudy
	user gate.User
}

// name returns the name of the study that the user may see: a code, or subject and visit.
func (s *Server) name(c aCase) string {
	if s.Blinding != nil {
		return c.id
	}
	return printable.Join(" · ", printable.Short(c.Subject), printable.Short(c.Visit), c.Side)
}

// caseList is the studies of a user in the order in which they are read, and those that can be opened by their IDs.
type caseList struct {
	all  []aCase
	byID map[string]aCase
}

// casesOf returns the studies of a user. They do not change while the server runs.
func (s *Server) casesOf(u gate.User) (*caseList, error) {
	s.listsMu.Lock()
	defer s.listsMu.Unlock()
	if known := s.lists[u]; known != nil {
		return known, nil
	}
	list := &caseList{all: s.assigned(u), byID: map[string]aCase{}}
	if s.Blinding != nil {
		var err error
		if list.all, err = s.blinded(u, list.all); err != nil {
			return nil, err
		}
	}
	for _, c := range list.all {
		if c.Problem == nil {
			list.byID[c.id] = c
		}
	}
	s.lists[u] = list
	return list, nil
}

// assigned returns the studies of a user in the order of the worklist.
func (s *Server) assigned(u gate.User) (all []aCase) {
	for _, st := range s.Worklist.Studies {
		if s.Assigned == nil || u.Role != gate.Reader || s.Assigned(u.Code, st) {
			all = append(all, aCase{st.Key.String(), st.Key, st, u})
		}
	}
	return all
}

// blinded returns the cases of a blinded user: codes in random order, with repeats for readers. Studies that cannot be
// opened are omitted, since their errors may name them.
func (s *Server) blinded(u gate.User, studies []aCase) (all []aCase, err error) {
	listed := map[reads.Key]batch.ListedStudy{}
	var keys []reads.Key
	for _, c := range studies {
		if c.Problem == nil {
			listed[c.Key] = c.ListedStudy
			keys = append(keys, c.Key)
		}
	}
	b := *s.Blinding
	if u.Role != gate.Reader {
		b.Repeats = 0 // only readers have repeats
	}
	ordered, err := b.Cases(u.Code, keys)
	for _, c := range ordered {
		first := c.Key
		first.Repeat = 0
		all = append(all, aCase{c.Code, c.Key, listed[first], u})
	}
	return all, err
}

// cases answers with the worklist.
func (s *Server) cases(r *http.Request) (answer, error) {
	u := user(r)
	list, err := s.casesOf(u)
	if err != nil {
		return answer{}, err
	}
	readers := []string{u.Code}
	if u.Role != gate.Reader {
		readers = nil // all
	}
	index, err := s.Store.Index(readers...)
	if err != nil {
		return answer{}, err
	}
	items := []Item{}
	for _, c := range list.all {
		open, err := s.isOpenTo(c, index.Decisions)
		if err != nil || open {
			items = append(items, s.item(c, index, err))
		}
	}
	return answer{value: items}, nil
}

// item describes a case. err is the error of its reads, or nil.
func (s *Server) item(c aCase, index *reads.Index, err error) Item {
	item := Item{ID: c.id, Name: s.name(c)}
	if s.Blinding == nil {
		item.Subject, item.Visit = printable.Short(c.Subject), printable.Short(c.Visit)
	}
	if err = cmp.Or(c.Problem, err); err == nil {
		item.State, err = index.State(c.user.Code, c.Key)
	}
	if err == nil && c.user.Role == gate.Manager {
		item.Readers, err = statesOf(index, c.Key)
	}
	if err != nil {
		item.Problem = s.hidden(err)
	}
	return item
}

// statesOf returns the states of a study at all readers who have begun.
func statesOf(index *reads.Index, k reads.Key) (out []ReaderState, err error) {
	for _, reader := range index.Readers() {
		state, stateErr := index.State(reader, k)
		if err = cmp.Or(err, stateErr); err == nil && state != reads.ToRead {
			out = append(out, ReaderState{reader, state})
		}
	}
	return out, err
}

// hidden returns the text of an error, or, if reads are blinded, that there is one.
func (s *Server) hidden(err error) string {
	if s.Blinding != nil {
		s.Log.Error("study", "error", printable.Line(err.Error()))
		return "the study cannot be read; the output of the server has the reason"
	}
	return printable.Line(err.Error())
}

// find returns the case of a request. Adjudicators do not see studies before two readers have finished.
func (s *Server) find(r *http.Request) (aCase, error) {
	list, err := s.casesOf(user(r))
	if err != nil {
		return aCase{}, err
	}
	c, ok := list.byID[r.PathValue("id")]
	if !ok {
		return aCase{}, errNoCase
	}
	if open, err := s.isOpenTo(c, s.Store.Decisions); err != nil || !open {
		return aCase{}, cmp.Or(err, errNoCase)
	}
	return c, nil
}

// notAllowed is the error of a request that the role of the user does not allow.
func notAllowed(what string) error {
	return failure(http.StatusForbidden, "your role does not allow you to %s", what)
}
