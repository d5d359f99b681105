package reader

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/drawing/tools"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/volume"
)

// drafts are the drawings that are open, by reader and study. A draft is locked while it is opened, so that readers do not
// wait for each other's files.
type drafts struct {
	mu  sync.Mutex // guards the maps; nothing is read or written while it is locked
	all map[string]*draft
	// aside are those whose journal was set aside, until another one is begun.
	aside map[string]bool
	// tabs are the tabs in which a study is shown, and when each was noticed last.
	tabs map[string]map[string]time.Time
}

// draft is a drawing that is in progress. Drawing is nil if it is not open.
type draft struct {
	mu sync.Mutex // one step is taken at a time; locked after drafts.mu is unlocked
	*reads.Drawing
	recovered bool // its journal was damaged
	used      time.Time
}

// A tab that is not noticed for tabLimit is closed. A draft that is not used for draftLimit is closed, so that another
// program can open it; it can be resumed.
const (
	tabLimit   = 70 * time.Second // browsers let a tab that is not shown act once per minute
	draftLimit = 15 * time.Minute
)

func draftName(c aCase) string { return c.user.Code + "/" + c.Key.String() }

// lock returns the place of a draft, locked. Its drawing is nil if it is not open.
func (d *drafts) lock(c aCase, now time.Time) *draft {
	d.mu.Lock()
	one := d.all[draftName(c)]
	if one == nil {
		one = &draft{}
		if d.all == nil {
			d.all = map[string]*draft{}
		}
		d.all[draftName(c)] = one
	}
	one.used = now
	d.mu.Unlock()
	one.mu.Lock()
	return one
}

// resume returns the drawing of a case, locked: one that is open, or one that was begun earlier. The caller must unlock it.
// The error is fs.ErrNotExist if there is none.
func (d *drafts) resume(s *Server, c aCase) (*draft, error) {
	one := d.lock(c, s.now())
	err := one.open(s, c)
	if err != nil {
		one.mu.Unlock()
		return nil, err
	}
	return one, nil
}

// open opens the drawing that was begun earlier, unless it is open.
func (d *draft) open(s *Server, c aCase) error {
	if d.Drawing != nil {
		return nil
	}
	j, err := s.Store.Resume(c.user.Code, c.Key)
	d.recovered = false
	if errors.As(err, new(*drawing.DamagedError)) {
		s.Log.Error("the journal of a drawing is damaged", "reader", c.user.Code, "case", c.id, "error", err)
		j, err = s.Store.Recover(c.user.Code, c.Key)
		d.recovered = true
	}
	if errors.As(err, new(*drawing.DamagedError)) {
		err = s.drafts.setAside(s, c)
	}
	if err == nil {
		if err = s.checkDrawing(c, j); err != nil {
			return errors.Join(err, j.Close())
		}
		d.Drawing = j
	}
	return err
}

// setAside renames the journal of a drawing, so that the study can be drawn again. It returns fs.ErrNotExist, or the error
// if that is not possible.
func (d *drafts) setAside(s *Server, c aCase) error {
	kept, err := s.Store.SetAside(c.user.Code, c.Key)
	if err != nil {
		return err
	}
	s.Log.Error("the journal of a drawing cannot be recovered", "reader", c.user.Code, "kept as", kept)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.aside == nil {
		d.aside = map[string]bool{}
	}
	d.aside[draftName(c)] = true
	return fs.ErrNotExist
}

// warning returns the warning about a drawing that was set aside, or "".
func (d *drafts) warning(c aCase) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.aside[draftName(c)] {
		return ""
	}
	return "The file of your drawing was damaged and could not be recovered. It was kept under another name, which is in " +
		"the output of the server. Begin again."
}

// begin begins a drawing, which it returns locked. If there is one already, it returns that: another tab has begun it.
func (d *drafts) begin(s *Server, c aCase, initial volume.Labels, from any) (one *draft, isNew bool, err error) {
	one = d.lock(c, s.now())
	if err = one.open(s, c); errors.Is(err, fs.ErrNotExist) {
		var values []uint16
		for _, l := range s.labels() {
			values = append(values, l.Value)
		}
		isNew = true
		one.Drawing, err = s.Store.Begin(c.user.Code, c.Key, initial, values, s.scheme(), from)
		d.mu.Lock()
		delete(d.aside, draftName(c))
		d.mu.Unlock()
	}
	if err != nil {
		one.mu.Unlock()
		return nil, false, err
	}
	return one, isNew, nil
}

// closeIdle closes the drawings that were not used since a time.
func (d *drafts) closeIdle(since time.Time) error {
	d.mu.Lock()
	var idle []*draft
	for name, one := range d.all {
		if one.used.Before(since) {
			idle = append(idle, one)
			delete(d.all, name)
		}
	}
	d.mu.Unlock()
	var err error
	for _, one := range idle {
		one.mu.Lock()
		if one.Drawing != nil {
			err = errors.Join(err, one.Close())
			one.Drawing = nil
		}
		one.mu.Unlock()
	}
	return err
}

// noteTab notes that a tab shows a study, and returns the number of other tabs of the same user.
func (d *drafts) noteTab(c aCase, tab string, now time.Time) (others int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for study, tabs := range d.tabs {
		maps.DeleteFunc(tabs, func(_ string, last time.Time) bool { return now.Sub(last) > tabLimit })
		if len(tabs) == 0 {
			delete(d.tabs, study)
		}
	}
	if d.tabs == nil {
		d.tabs = map[string]map[string]time.Time{}
	}
	tabs := d.tabs[draftName(c)]
	if tabs == nil {
		tabs = map[string]time.Time{}
		d.tabs[draftName(c)] = tabs
	}
	const most = 100
	if _, known := tabs[tab]; known || len(tabs) < most {
		tabs[tab] = now
	}
	return len(tabs) - 1
}

// forgetTab notes that a tab no longer shows a study.
func (d *drafts) forgetTab(c aCase, tab string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.tabs[draftName(c)], tab)
}

// version returns the state of the drawing.
func (d *draft) version() Version { return Version{Drawing: d.ID(), Step: d.Steps()} }

// errElsewhere is the error of a request that names another state of a drawing than the present one.
var errElsewhere = failure(http.StatusConflict, "the drawing was changed elsewhere")

// describe returns the state of a draft, which is locked.
func (s *Server) describe(v *view, d *draft) (Draft, error) {
	step, err := s.stepOf(v, d, nil)
	out := Draft{Drawing: d.ID(), Step: step}
	if d.recovered {
		out.Warning = "The file of this drawing was damaged. The strokes before the damage were recovered; a copy of the " +
			"file was kept."
	}
	return out, err
}

// begin answers with a new drawing.
func (s *Server) begin(r *http.Request) (answer, error) {
	c, v, err := s.look(r)
	if err == nil && c.user.Role == gate.Manager {
		err = notAllowed("draw")
	}
	if err != nil {
		return answer{}, err
	}
	var b Begin
	if err := decode(r, &b); err != nil {
		return answer{}, err
	}
	initial, from, err := s.initial(c, v, b.Start)
	if err != nil {
		return answer{}, err
	}
	d, _, err := s.drafts.begin(s, c, initial, from)
	if err != nil {
		return answer{}, err
	}
	defer d.mu.Unlock()
	out, err := s.describe(v, d)
	return answer{value: out}, err
}

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

// mask answers with the voxels of the drawing, or those of the study's mask if there is no drawing.
func (s *Server) mask(r *http.Request) (answer, error) {
	c, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	mask, step, err := s.present(c, v)
	return answer{step: step, bytes: func(w io.Writer) error { _, err := w.Write(maskBytes(mask.Data)); return err }}, err
}

func maskBytes(labels []uint16) []byte {
	b := make([]byte, 0, 2*len(labels))
	for _, l := range labels {
		b = binary.LittleEndian.AppendUint16(b, l)
	}
	return b
}

// stroke answers with the step that a gesture makes.
func (s *Server) stroke(r *http.Request) (answer, error) {
	var g Gesture
	return s.step(r, &g, &g.Version, func(v *view, d *draft) (runs []drawing.Run, err error) {
		gesture, err := toolOf(v, g)
		if err != nil {
			return nil, err
		}
		var stroke drawing.Stroke
		var refused error
		if err := d.View(func(one *drawing.Drawing) { stroke, refused = gesture.Stroke(one.Mask()) }); err != nil {
			return nil, err
		}
		if refused != nil {
			return nil, refused
		}
		if len(stroke.Runs) == 0 {
			return []drawing.Run{}, nil
		}
		_, err = d.Apply(stroke)
		return stroke.Runs, err
	})
}

// toolOf returns the gesture for package tools.
func toolOf(v *view, g Gesture) (tools.Gesture, error) {
	out := tools.Gesture{Tool: tools.Tool(g.Tool), Label: g.Label, Slice: g.Slice, Points: g.Points, RadiusMM: g.RadiusMM,
		Keep: g.Keep, Erase: g.Erase, From: g.From, All: g.All}
	if g.Only == "" {
		return out, nil
	}
	voxels, ok := v.mapNamed(g.Only)
	if text, isEcho := strings.CutPrefix(g.Only, "echo-"); isEcho {
		if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < len(v.Series.Echo) {
			voxels, ok = v.Series.Echo[n], true
		}
	}
	if !ok {
		return out, failure(http.StatusBadRequest, "there is no map %.40q", g.Only)
	}
	out.Only = &tools.Limits{Map: voxels, Low: g.Limits[0], High: g.Limits[1]}
	return out, nil
}

func (s *Server) undo(r *http.Request) (answer, error) {
	var seen Version
	return s.step(r, &seen, &seen, func(_ *view, d *draft) ([]drawing.Run, error) {
		runs, _, err := d.Undo()
		return runs, err
	})
}

func (s *Server) redo(r *http.Request) (answer, error) {
	var seen Version
	return s.step(r, &seen, &seen, func(_ *view, d *draft) ([]drawing.Run, error) {
		runs, _, err := d.Redo()
		return runs, err
	})
}

// step decodes a request, of which seen is a part, and takes a step if the drawing is in the state that the request names.
func (s *Server) step(
	r *http.Request, request any, seen *Version, take func(*view, *draft) ([]drawing.Run, error),
) (answer, error) {
	c, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	if err := decode(r, request); err != nil {
		return answer{}, err
	}
	d, err := s.drafts.resume(s, c)
	if errors.Is(err, fs.ErrNotExist) {
		return answer{}, errElsewhere
	}
	if err != nil {
		return answer{}, err
	}
	defer d.mu.Unlock()
	if d.version() != *seen {
		return answer{}, errElsewhere
	}
	runs, err := take(v, d)
	if err != nil {
		if !errors.Is(err, drawing.ErrStroke) && !errors.Is(err, drawing.ErrSealed) && !errors.As(err, new(*statusError)) {
			err = errors.Join(err, d.Close()) // only what the journal has counts
			d.Drawing = nil
		}
		return answer{}, err
	}
	out, err := s.stepOf(v, d, runs)
	return answer{value: out}, err
}

// stepOf returns the state of a drawing after a step. The draft is locked.
func (s *Server) stepOf(v *view, d *draft, changed []drawing.Run) (Step, error) {
	out := Step{Step: d.Steps(), Changed: changed}
	if changed == nil {
		out.Changed = []drawing.Run{}
	}
	var mask volume.Labels
	err := d.View(func(one *drawing.Drawing) {
		out.Undo, out.Redo = one.History()
		mask = volume.Labels{Geometry: one.Mask().Geometry, Data: slices.Clone(one.Mask().Data)}
	})
	if err == nil {
		out.Values, err = valuesOf(v, mask, false)
	}
	return out, err
}

// pulse answers with what other tabs do with the study.
func (s *Server) pulse(r *http.Request) (answer, error) {
	c, _, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	now := s.now()
	if err := s.drafts.closeIdle(now.Add(-draftLimit)); err != nil {
		s.Log.Error("drawing", "error", err)
	}
	tab := r.URL.Query().Get("tab")
	const longest = 64
	if tab == "" || len(tab) > longest {
		return answer{}, failure(http.StatusBadRequest, "a tab needs a name of up to %d characters", longest)
	}
	if r.URL.Query().Has("gone") {
		s.drafts.forgetTab(c, tab)
		return answer{value: Pulse{}}, nil
	}
	out := Pulse{Tabs: s.drafts.noteTab(c, tab, now)}
	d, err := s.drafts.resume(s, c)
	switch {
	case err == nil:
		defer d.mu.Unlock()
		out.Version = d.version()
	case !errors.Is(err, fs.ErrNotExist):
		return answer{}, err
	}
	return answer{value: out}, nil
}
