package reader

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/drawing/tools"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/volume"
)

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

// pulse answers with what other tabs do with the study. It opens no study for a tab that only shows one.
func (s *Server) pulse(r *http.Request) (answer, error) {
	c, err := s.find(r)
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
