package reader

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/agreement"
	"github.com/t2map/t2map/volume"
)

// decisionsFunc returns what the readers of a study have decided, and whether one of them has a question.
type decisionsFunc func(k reads.Key) (all []reads.SignedMask, asked bool, err error)

// others returns what the readers of a study have decided. If reads are blinded, their order does not reveal the readers.
func (s *Server) others(c aCase, decisions decisionsFunc) (all []reads.SignedMask, asked bool, err error) {
	k := c.Key
	k.Repeat = 0
	all, asked, err = decisions(k)
	all = slices.DeleteFunc(all, func(m reads.SignedMask) bool { return m.Reader == c.user.Code })
	if s.Blinding != nil {
		slices.SortFunc(all, func(a, b reads.SignedMask) int { return cmp.Compare(a.Sum, b.Sum) })
	}
	return all, asked, err
}

// readerName names a reader for an adjudicator.
func (s *Server) readerName(n int, m reads.SignedMask) string {
	if s.Blinding != nil {
		return fmt.Sprintf("reader %d", n+1)
	}
	return "reader " + m.Reader
}

// isOpenTo reports whether a user can look at a study: an adjudicator, if as many readers have finished as the protocol
// wants, two or more, and none has a question.
func (s *Server) isOpenTo(c aCase, decisions decisionsFunc) (bool, error) {
	if c.user.Role != gate.Adjudicator {
		return true, nil
	}
	if c.Problem != nil {
		return false, nil
	}
	all, asked, err := s.others(c, decisions)
	return len(all) >= max(leastReaders, s.Protocol.Reads.Readers) && !asked, err
}

// leastReaders is the smallest number of readers between whom an adjudicator decides.
const leastReaders = 2

// decided returns the hashes of the reads between which an adjudicator decides.
func (s *Server) decided(c aCase) ([]string, error) {
	all, _, err := s.others(c, s.Store.Decisions)
	if err != nil {
		return nil, err
	}
	if len(all) < leastReaders {
		return nil, failure(http.StatusConflict, "two readers must have signed or rejected the study before an adjudicator decides")
	}
	var sums []string
	for _, m := range all {
		sums = append(sums, m.Sum)
	}
	return sums, nil
}

// compare answers an adjudicator with the masks of the readers and their agreement.
func (s *Server) compare(r *http.Request) (answer, error) {
	c, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	if c.user.Role != gate.Adjudicator {
		return answer{}, notAllowed("see the reads of others")
	}
	all, _, err := s.others(c, s.Store.Decisions)
	if err != nil {
		return answer{}, err
	}
	out := Comparison{Reads: []Compared{}, Rows: []ComparedRow{}}
	var masks []volume.Labels
	for n, m := range all {
		one := Compared{Reader: s.readerName(n, m), Sum: m.Sum, State: m.State, Reason: printable.Line(m.Reason), Revision: m.Revision,
			Mask: []drawing.Run{}}
		if m.State == reads.Signed {
			mask, err := s.signedMask(v, m.Read)
			if err != nil {
				return answer{}, err
			}
			one.Mask = drawing.Runs(mask.Data)
			if one.Values, err = valuesOf(v, mask, false); err != nil {
				return answer{}, err
			}
			masks = append(masks, mask)
		}
		out.Reads = append(out.Reads, one)
	}
	if len(masks) >= 2 {
		if out.Rows, err = agreementOf(r.Context(), v, masks[0], masks[1]); err != nil {
			return answer{}, err
		}
	}
	return answer{value: out}, nil
}

// agreementOf returns the agreement of two masks by label.
func agreementOf(ctx context.Context, v *view, a, b volume.Labels) ([]ComparedRow, error) {
	var values []uint16
	names := map[uint16]string{}
	for _, l := range v.Scheme().Labels {
		if l.Name != segment.Ignore {
			values, names[l.Value] = append(values, l.Value), l.Name
		}
	}
	all, err := agreement.Compare(ctx, a, b, values)
	rows := []ComparedRow{}
	for _, one := range all {
		rows = append(rows, ComparedRow{Name: printable.Short(names[one.Value]), Label: one.Value,
			Dice: number.Float(one.Dice), P95MM: number.Float(one.P95MM)})
	}
	return rows, err
}
