package reader

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/drawing/tools"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/volume"
)

// origin says where the initial mask of a drawing comes from.
type origin struct {
	Start    string `json:"start"`
	Reader   string `json:"reader,omitempty"`
	Revision int    `json:"revision,omitempty"`
	Mask     string `json:"mask_sha256,omitempty"`
}

// The masks from which a drawing begins. A read of the reader is startRead with its revision, that of another reader, for
// adjudicators, startReader with the hash of its read.json.
const (
	startNothing = "nothing"
	startMask    = "mask"
	startRead    = "read-"
	startReader  = "reader-"
	startAverage = "average" // for adjudicators
)

// starts lists the masks from which a drawing can begin, the likeliest first.
func (s *Server) starts(c aCase, v *view) ([]Start, error) {
	out := []Start{}
	if c.user.Role == gate.Adjudicator {
		all, _, err := s.others(c, s.Store.Decisions)
		if err != nil {
			return nil, err
		}
		var signed []string
		for n, one := range all {
			if one.State == reads.Signed {
				signed = append(signed, s.readerName(n, one))
				out = append(out, Start{ID: startReader + one.Sum, Name: "the mask of " + s.readerName(n, one)})
			}
		}
		if len(signed) == 2 {
			out = append(out, Start{ID: startAverage, Name: "the average; where edges differ by one voxel, that of " + signed[0]})
		}
	}
	own, err := s.Store.Reads(c.user.Code, c.Key)
	if err != nil {
		return nil, err
	}
	for n := len(own) - 1; n >= 0; n-- {
		start := Start{ID: startRead + strconv.Itoa(own[n].Revision),
			Name: fmt.Sprintf("your revision %d (%s)", own[n].Revision, own[n].State)}
		if !own[n].HasScheme(s.scheme()) {
			start.Problem = "it has other labels, of the scheme " + printable.Short(own[n].Scheme)
		}
		out = append(out, start)
	}
	mask := Start{ID: startMask, Name: "the mask of the study"}
	if v.NoMask != nil {
		mask.Problem = "there is no mask that can be used"
		if s.Blinding == nil {
			mask.Problem = printable.Line(v.NoMask.Error())
		}
	}
	return append(out, mask, Start{ID: startNothing, Name: "nothing"}), nil
}

// initial returns the mask from which a drawing begins.
func (s *Server) initial(c aCase, v *view, start string) (volume.Labels, origin, error) {
	empty := volume.Labels{Geometry: v.Series.Geometry, Data: make([]uint16, v.Series.Voxels())}
	from := origin{Start: start}
	switch {
	case start == startNothing:
		return empty, from, nil
	case start == startMask && v.NoMask == nil:
		return v.Mask, from, nil
	case strings.HasPrefix(start, startRead):
		own, err := s.Store.Reads(c.user.Code, c.Key)
		n, _ := strconv.Atoi(strings.TrimPrefix(start, startRead))
		if err != nil || n < 1 || n > len(own) {
			return empty, from, cmp.Or(err, failure(http.StatusBadRequest, "there is no such revision"))
		}
		return s.maskOf(v, own[n-1], from)
	case strings.HasPrefix(start, startReader) && c.user.Role == gate.Adjudicator:
		all, _, err := s.others(c, s.Store.Decisions)
		n := slices.IndexFunc(all, func(m reads.SignedMask) bool { return startReader+m.Sum == start && m.State == reads.Signed })
		if err != nil || n < 0 {
			return empty, from, cmp.Or(err, failure(http.StatusConflict, "this read is no longer the last one of its reader"))
		}
		return s.maskOf(v, all[n].Read, from)
	case start == startAverage && c.user.Role == gate.Adjudicator:
		mask, err := s.average(c, v)
		return mask, from, err
	}
	return empty, from, failure(http.StatusBadRequest, "a drawing cannot begin from %.40q", start)
}

// average returns the mask between those of two readers.
func (s *Server) average(c aCase, v *view) (volume.Labels, error) {
	all, _, err := s.others(c, s.Store.Decisions)
	if err != nil {
		return volume.Labels{}, err
	}
	var masks []volume.Labels
	for _, one := range all {
		if one.State == reads.Signed {
			mask, err := s.signedMask(v, one.Read)
			if err != nil {
				return mask, err
			}
			masks = append(masks, mask)
		}
	}
	if len(masks) != 2 {
		return volume.Labels{}, failure(http.StatusBadRequest, "an average needs exactly two signed masks")
	}
	return tools.Average(masks[0], masks[1])
}

// maskOf returns the mask of a read.
func (s *Server) maskOf(v *view, r reads.Read, from origin) (volume.Labels, origin, error) {
	mask, err := s.signedMask(v, r)
	from.Reader, from.Revision, from.Mask = r.Reader, r.Revision, r.Mask
	return mask, from, err
}
