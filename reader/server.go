package reader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// Options describe what a server shows.
type Options struct {
	// Worklist is the studies, and Store the reads of their folder of results.
	Worklist *batch.Worklist
	Store    *reads.Store
	// Protocol is that of the worklist: its scheme has the labels that can be drawn.
	Protocol protocol.Protocol
	// Blinding hides subjects and visits; nil shows them.
	Blinding *reads.Blinding
	// Assigned reports whether a reader reads a study; nil means that every reader reads every study.
	Assigned func(reader string, st batch.ListedStudy) bool
	// Signed, if not nil, is called after each read that may change a mask, which a query does not, one call at a time, in
	// the background.
	Signed func()
	// Log gets errors that the page must not show.
	Log *slog.Logger
	// Version is that of the program.
	Version string
}

// Server answers the requests of the page. Its methods may be called concurrently.
type Server struct {
	Options
	mux     *http.ServeMux
	lists   map[gate.User]*caseList
	listsMu sync.Mutex // guards lists
	opened  *views
	drafts  drafts
	follow  follower
	now     func() time.Time
}

// New returns a server. The caller must close it.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Options: o, mux: http.NewServeMux(), lists: map[gate.User]*caseList{}, now: time.Now}
	s.opened = newViews(o.Worklist)
	s.follow.call = o.Signed
	s.routes()
	return s
}

// Close closes the drawings, which can be resumed, and waits for the call of Options.Signed that is running.
func (s *Server) Close() error {
	err := s.drafts.closeIdle(s.now().Add(time.Hour))
	s.follow.wait()
	return err
}

// ServeHTTP answers a request that a gate has let pass.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // images of patients do not stay in caches
	s.mux.ServeHTTP(w, r)
}

// routes registers the functions that answer requests.
func (s *Server) routes() {
	s.mux.HandleFunc("GET /", sendPage)
	s.get("/api/session", s.session)
	s.get("/api/cases", s.cases)
	s.get("/api/cases/{id}", s.study)
	s.get("/api/cases/{id}/echoes/{n}", s.echo)
	s.get("/api/cases/{id}/maps/{name}", s.mapBytes)
	s.get("/api/cases/{id}/others/{other}", s.other)
	s.get("/api/cases/{id}/others/{other}/voxels", s.otherBytes)
	s.get("/api/cases/{id}/mask", s.mask)
	s.get("/api/cases/{id}/values", s.values)
	s.get("/api/cases/{id}/voxel", s.voxel)
	s.get("/api/cases/{id}/brush", s.brush)
	s.get("/api/cases/{id}/pulse", s.pulse)
	s.get("/api/cases/{id}/masks", s.compare)
	s.post("/api/cases/{id}/begin", s.begin)
	s.post("/api/cases/{id}/stroke", s.stroke)
	s.post("/api/cases/{id}/undo", s.undo)
	s.post("/api/cases/{id}/redo", s.redo)
	s.post("/api/cases/{id}/sign", s.sign)
}

// answer is the answer to a request: a value, which is sent as JSON, or bytes.
type answer struct {
	value any
	bytes func(io.Writer) error
	step  int // of a mask
}

type handler func(r *http.Request) (answer, error)

func (s *Server) get(path string, h handler)  { s.mux.HandleFunc("GET "+path, s.serve(h)) }
func (s *Server) post(path string, h handler) { s.mux.HandleFunc("POST "+path, s.serve(h)) }

// mostBody is the largest body of a request in bytes: a stroke of 10 000 points with all of their digits has less.
const mostBody = 1 << 20

// serve writes what a handler answers.
func (s *Server) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		a, err := h(r)
		switch {
		case err != nil:
			s.refuse(w, r, err)
		case a.bytes != nil:
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Step", fmt.Sprint(a.step))
			if err := a.bytes(w); err != nil {
				s.Log.Debug("answer", "error", err) // the browser has gone
			}
		default:
			writeJSON(w, http.StatusOK, a.value)
		}
	}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil { // a NaN that is not a number.Float, which is a mistake in this package
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// statusError is an error with the status of its answer. Its text may be shown to every reader.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

func failure(status int, format string, args ...any) error {
	return &statusError{status, fmt.Errorf(format, args...)}
}

var errNoCase = failure(http.StatusNotFound, "there is no such study in your list")

// refuse answers with an error. If reads are blinded, texts that may name a subject or a file go to the log only.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *statusError
	var tooLarge *http.MaxBytesError
	status, shown := http.StatusInternalServerError, false
	switch {
	case errors.As(err, &tooLarge):
		err, status, shown = errors.New("the request is too large"), http.StatusRequestEntityTooLarge, true
	case errors.As(err, &known):
		status, shown = known.status, true
	case errors.Is(err, drawing.ErrStroke), errors.Is(err, reads.ErrIncomplete):
		status, shown = http.StatusBadRequest, true
	case errors.Is(err, drawing.ErrSealed), errors.As(err, new(*drawing.BusyError)):
		status, shown = http.StatusLocked, true
	case errors.Is(err, context.Canceled):
		status, shown = http.StatusServiceUnavailable, true
	}
	if !shown {
		s.Log.Error("request failed", "path", r.URL.Path, "error", printable.Line(err.Error()))
	}
	p := Problem{Error: printable.Line(err.Error()), Hint: printable.Line(hint.Find(err))}
	if !shown && s.Blinding != nil {
		p = Problem{Error: "the study cannot be shown", Hint: "the output of the server has the reason"}
	}
	writeJSON(w, status, p)
}

// decode reads the body of a request.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return err
		}
		return failure(http.StatusBadRequest, "the request is not valid JSON: %v", err)
	}
	return nil
}

// follower calls a function after reads, one call at a time. Reads during a call have one call after it.
type follower struct {
	call    func()
	mu      sync.Mutex
	running bool
	again   bool
	group   sync.WaitGroup
}

func (f *follower) start() {
	if f.call == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running {
		f.again = true
		return
	}
	f.running = true
	f.group.Go(f.run)
}

func (f *follower) run() {
	for {
		f.call()
		f.mu.Lock()
		if !f.again {
			f.running = false
			f.mu.Unlock()
			return
		}
		f.again = false
		f.mu.Unlock()
	}
}

func (f *follower) wait() { f.group.Wait() }

// user returns the user of a request.
func user(r *http.Request) gate.User { return gate.UserOf(r) }
