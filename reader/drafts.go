package reader

import (
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/t2map/t2map/drawing"
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
	}
	if err != nil {
		one.mu.Unlock()
		return nil, false, err
	}
	d.mu.Lock()
	delete(d.aside, draftName(c))
	d.mu.Unlock()
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
