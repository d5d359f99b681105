package reader

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// mostText is the largest number of characters of a text that a reader writes.
const mostText = 2000

// sign signs a drawing, asks about its study or rejects it.
func (s *Server) sign(r *http.Request) (answer, error) {
	c, v, err := s.look(r)
	if err == nil && c.user.Role == gate.Manager {
		err = notAllowed("sign")
	}
	if err != nil {
		return answer{}, err
	}
	var g Signature
	if err := decode(r, &g); err != nil {
		return answer{}, err
	}
	if err := s.checkSignature(c, g); err != nil {
		return answer{}, err
	}
	if err := confirm(r, g); err != nil {
		return answer{}, err
	}
	d, isNew, err := s.drawingOf(c, v, g)
	if err != nil {
		return answer{}, err
	}
	defer d.mu.Unlock()
	read, err := s.readOf(c, v, g)
	var signed *reads.Read
	if err == nil {
		signed, err = s.Store.Sign(d.Drawing, read)
	}
	if signed == nil {
		if isNew {
			err = errors.Join(err, d.Remove())
			d.Drawing = nil
		}
		return answer{}, err
	}
	if err != nil {
		s.Log.Error("the read is signed, but with an error", "error", err)
	}
	d.Drawing = nil
	if signed.State != reads.Query { // a question changes no mask
		s.follow.start()
	}
	return answer{value: doneOf(*signed)}, nil
}

// confirm returns an error if a signature needs a password and has another one.
func confirm(r *http.Request, g Signature) error {
	if g.State != reads.Signed {
		return nil
	}
	switch ok, wait := gate.Confirm(r, g.Password); {
	case wait > 0:
		return failure(http.StatusForbidden, "nothing was signed: too many attempts, try again in %d s", int(wait.Seconds())+1)
	case !ok:
		return failure(http.StatusForbidden, "nothing was signed: the password is not correct")
	}
	return nil
}

// drawingOf returns the drawing that a signature is for, locked. A question and a rejection need none, and get one.
func (s *Server) drawingOf(c aCase, v *view, g Signature) (d *draft, isNew bool, err error) {
	if g.Drawing == "" && g.State != reads.Signed {
		d, isNew, err = s.beginFor(c, v)
	} else {
		d, err = s.drafts.resume(s, c)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errElsewhere
	}
	if err == nil && !isNew && d.version() != g.Version { // another tab has drawn
		d.mu.Unlock()
		err = errElsewhere
	}
	return d, isNew, err
}

// readOf returns the read that a signature makes of a drawing.
func (s *Server) readOf(c aCase, v *view, g Signature) (reads.Read, error) {
	read := reads.Read{State: g.State, Name: g.Name, Meaning: g.Meaning, Text: g.Text, Reason: g.Reason, Change: g.Change,
		Result: v.result}
	if s.Blinding != nil {
		read.Code = c.id
	}
	if c.user.Role != gate.Adjudicator {
		return read, nil
	}
	present, err := s.decided(c)
	if err == nil && !slices.Equal(present, g.Decides) {
		err = failure(http.StatusConflict, "a reader has signed again: look at the masks once more")
	}
	read.Adjudicates = present
	return read, err
}

// beginFor begins a drawing from the mask of the study, or from nothing, unless there is a drawing.
func (s *Server) beginFor(c aCase, v *view) (d *draft, isNew bool, err error) {
	start := startMask
	if v.NoMask != nil {
		start = startNothing
	}
	initial, from, err := s.initial(c, v, start)
	if err != nil {
		return nil, false, err
	}
	return s.drafts.begin(s, c, initial, from)
}

// checkSignature checks what the store does not: the texts, and that the protocol knows the reason of a rejection.
func (s *Server) checkSignature(c aCase, g Signature) error {
	for _, text := range []string{g.Name, g.Meaning, g.Text, g.Reason, g.Change} {
		if utf8.RuneCountInString(text) > mostText || !utf8.ValidString(text) {
			return failure(http.StatusBadRequest, "a text has more than %d characters", mostText)
		}
	}
	if reasons := s.Protocol.Reads.Rejections; g.State == reads.Rejected && len(reasons) > 0 &&
		!s.Protocol.Reads.Rejects(g.Reason) {
		return failure(http.StatusBadRequest, "the protocol does not have this reason to reject a study; its reasons are: %s",
			printable.Line(strings.Join(reasons, "; ")))
	}
	if g.State == reads.Signed && !slices.Contains(meanings(c.user.Role), g.Meaning) {
		return failure(http.StatusBadRequest, "a signature cannot mean %.80q", g.Meaning)
	}
	return nil
}

// done returns the reader's own reads of a study.
func (s *Server) done(c aCase) ([]Done, error) {
	own, err := s.Store.Reads(c.user.Code, c.Key)
	out := []Done{}
	for _, r := range own {
		out = append(out, doneOf(r))
	}
	return out, err
}

func doneOf(r reads.Read) Done {
	return Done{Revision: r.Revision, State: r.State, Time: r.Time, Name: r.Name, Meaning: r.Meaning, Text: r.Text,
		Reason: r.Reason, Change: r.Change, Mask: r.Mask}
}
