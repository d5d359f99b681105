package reader

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// trial is a folder of results of phantoms, and its studies.
type trial struct {
	t        testing.TB
	dir      string
	settings batch.Settings
	results  []report.Result
}

// newTrial maps a small phantom for each subject.
func newTrial(t testing.TB, subjects ...string) *trial {
	t.Helper()
	scheme, err := segment.Named("compartments")
	if err != nil {
		t.Fatal(err)
	}
	x := &trial{t: t, dir: t.TempDir()}
	for n, subject := range subjects {
		p, err := phantom.New(t.Context(), phantom.Options{Subject: subject, Visit: "month12", Seed: uint64(n), Matrix: 64, Slices: 6})
		if err == nil {
			err = p.Write(t.Context(), filepath.Join(x.dir, "studies", fmt.Sprint("f", n)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	x.settings = batch.Settings{Roots: []string{filepath.Join(x.dir, "studies")}, Out: filepath.Join(x.dir, "results"),
		Protocol: protocol.Protocol{Scheme: scheme}}
	x.run()
	return x
}

// run maps what is new.
func (x *trial) run() batch.Outcome {
	x.t.Helper()
	s := x.settings
	x.results = nil
	s.Mapped = func(r report.Result) { x.results = append(x.results, r) }
	out, err := batch.Run(x.t.Context(), s)
	if err != nil {
		x.t.Fatal(err)
	}
	slices.SortFunc(x.results, func(a, b report.Result) int { return strings.Compare(a.Dir, b.Dir) })
	return out
}

// site is a running server.
type site struct {
	t       testing.TB
	trial   *trial
	server  *Server
	http    *httptest.Server
	address string
	store   *reads.Store
}

// serve starts a server for a user.
func (x *trial) serve(u gate.User, change ...func(*Options)) *site {
	t := x.t
	t.Helper()
	list, err := batch.OpenWorklist(t.Context(), x.settings)
	if err != nil {
		t.Fatal(err)
	}
	store, err := reads.Open(x.settings.Out)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Worklist: list, Store: store, Protocol: x.settings.Protocol, Version: "test"}
	for _, f := range change {
		f(&o)
	}
	server := New(o)
	at := httptest.NewUnstartedServer(nil)
	g, err := gate.New(gate.Options{Hosts: gate.LocalHosts(at.Listener.Addr().String()), Token: gate.NewToken(), User: u})
	if err != nil {
		t.Fatal(err)
	}
	at.Config.Handler = g.Handler(server)
	at.Start()
	s := &site{t: t, trial: x, server: server, http: at, store: store, address: g.Address()}
	at.Client().Jar, _ = cookiejar.New(nil)
	t.Cleanup(s.close)
	if r := s.send("GET", strings.TrimPrefix(g.Address(), at.URL), nil); r.status != http.StatusOK {
		t.Fatalf("%+v", r)
	}
	return s
}

func (s *site) close() {
	if s.http == nil {
		return
	}
	s.http.Close()
	s.http = nil
	if err := s.server.Close(); err != nil {
		s.t.Error(err)
	}
	_ = s.store.Close()
	_ = s.server.Worklist.Close()
}

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request; body is JSON, bytes or nil.
func (s *site) send(method, path string, body any) reply {
	s.t.Helper()
	text, isBytes := body.([]byte)
	if !isBytes && body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			s.t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.http.Client().Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, got}
}

// get returns the value that a path answers.
func get[T any](s *site, path string) (value T) {
	s.t.Helper()
	return decoded[T](s, s.send("GET", path, nil), path)
}

// post returns the value that a path answers to a request.
func post[T any](s *site, path string, body any) (value T) {
	s.t.Helper()
	return decoded[T](s, s.send("POST", path, body), path)
}

func decoded[T any](s *site, r reply, path string) (value T) {
	s.t.Helper()
	if r.status != http.StatusOK {
		s.t.Fatalf("%s: %d %s", path, r.status, r.body)
	}
	if err := json.Unmarshal(r.body, &value); err != nil {
		s.t.Fatalf("%s: %v", path, err)
	}
	return value
}

// refused fails unless a request is refused with a status.
func (s *site) refused(status int, method, path string, body any) Problem {
	s.t.Helper()
	r := s.send(method, path, body)
	var p Problem
	_ = json.Unmarshal(r.body, &p)
	if r.status != status {
		s.t.Errorf("%s %.80s: %d %.200s, want %d", method, path, r.status, r.body, status)
	}
	return p
}

// first returns the address of the first case.
func (s *site) first() string { return "/api/cases/" + get[[]Item](s, "/api/cases")[0].ID }

func floats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

func labelsOf(b []byte) []uint16 {
	out := make([]uint16, len(b)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return out
}

var readerOne = gate.User{Code: "R1", Role: gate.Reader}

// What the page shows is what the run has written: maps, mask, values. A voxel's estimate is that of the map.
func TestStudyIsThatOfTheRun(t *testing.T) {
	x := newTrial(t, "S01", "S02")
	s := x.serve(readerOne)
	items := get[[]Item](s, "/api/cases")
	if len(items) != 2 || items[0].Subject != "S01" || items[0].State != reads.ToRead {
		t.Fatalf("%+v", items)
	}
	at := "/api/cases/" + items[0].ID
	study := get[Study](s, at)
	if study.Grid.Plane != sagittal || study.Draft != nil || len(study.TE) != 7 || study.Fitted[0] || !study.Fitted[1] {
		t.Errorf("%+v", study)
	}
	dir := x.results[0].Dir
	want := readFloats(t, filepath.Join(dir, report.T2File))
	if got := floats(s.send("GET", at+"/maps/t2", nil).body); !equalFloats(got, want) {
		t.Error("the T2 map differs from t2.nii.gz")
	}
	mask := readLabels(t, filepath.Join(dir, report.CompartmentsFile))
	if got := labelsOf(s.send("GET", at+"/mask", nil).body); !slices.Equal(got, mask.Data) {
		t.Error("the mask differs from compartments.nii.gz")
	}
	values := get[Values](s, at+"/values")
	for n, row := range x.results[0].Compartments {
		got := values.Rows[n]
		if got.Name != row.Compartment || got.Voxels != row.Voxels || got.Used != row.Used || got.Mean != row.MeanT2 ||
			got.SD != row.SDT2 || got.Median != row.MedianT2 || sum(got.Counts) != row.Used {
			t.Errorf("%+v, in the result %+v", got, row)
		}
	}
	inside := slices.IndexFunc(mask.Data, func(l uint16) bool { return l > 0 })
	v := get[Voxel](s, fmt.Sprintf("%s/voxel?v=%d", at, inside))
	if float32(v.Fits[0].T2) != want[inside] || len(v.Signal) != 7 || v.Fits[0].Method != "nlls" || len(v.Fits) != 3 {
		t.Errorf("%+v", v)
	}
	if b := get[Voxel](s, fmt.Sprintf("%s/brush?v=%d&mm=3", at, inside)); b.Voxels < 2 || b.Fits[0].Status == "" {
		t.Errorf("%+v", b)
	}
	echo := floats(s.send("GET", at+"/echoes/2", nil).body)
	if float64(echo[inside]) != float64(v.Signal[2]) {
		t.Errorf("echo %g, signal %g", echo[inside], v.Signal[2])
	}
}

func sum(n []int) (total int) {
	for _, x := range n {
		total += x
	}
	return total
}

func equalFloats(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return x == y || x != x && y != y })
}

func readFloats(t testing.TB, path string) []float32 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, frames, err := nifti.ReadFrames(f)
	if err != nil {
		t.Fatal(err)
	}
	return frames[0]
}

func readLabels(t testing.TB, path string) volume.Labels {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// box is a gesture that paints a box of voxels: its outline lies between them.
func box(seen Version, label uint16, slice, i0, j0, i1, j1 int) Gesture {
	x0, y0, x1, y1 := float64(i0)-0.5, float64(j0)-0.5, float64(i1)+0.5, float64(j1)+0.5
	return Gesture{Version: seen, Tool: "polygon", Label: label, Slice: slice,
		Points: [][2]float64{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}}
}

// What is drawn is in the mask of the read, in the values of the page and in the next result, voxel for voxel. Undo and redo
// go back and forth. The study is mapped when the read is signed.
func TestDrawSignAndMap(t *testing.T) {
	x := newTrial(t, "S01")
	mapped := make(chan batch.Outcome, 1)
	s := x.serve(readerOne, func(o *Options) { o.Signed = func() { mapped <- x.run() } })
	at := s.first()
	draft := post[Draft](s, at+"/begin", Begin{Start: "nothing"})
	state := Version{draft.Drawing, draft.Step.Step}
	drawn := post[Step](s, at+"/stroke", box(state, 2, 3, 20, 30, 23, 34))
	if len(drawn.Changed) != 5 || drawn.Values.Rows[1].Voxels != 20 || drawn.Undo != 1 {
		t.Errorf("%+v", drawn)
	}
	state.Step = drawn.Step
	undone := post[Step](s, at+"/undo", state)
	if undone.Values.Rows[1].Voxels != 0 || undone.Redo != 1 || undone.Undo != 0 {
		t.Errorf("%+v", undone)
	}
	state.Step = undone.Step
	redone := post[Step](s, at+"/redo", state)
	if diff := cmp.Diff(drawn.Changed, redone.Changed); diff != "" {
		t.Error(diff)
	}
	state.Step = redone.Step
	study := get[Study](s, at)
	if study.Draft == nil || study.Draft.Step.Step != state.Step {
		t.Errorf("%+v", study.Draft)
	}
	if got := get[[]Item](s, "/api/cases")[0].State; got != reads.Draft {
		t.Error(got)
	}
	s.refused(http.StatusBadRequest, "POST", at+"/sign", Signature{Version: state, State: reads.Signed, Meaning: "I have drawn this mask"})
	// A tab that has not seen the drawing neither signs it nor ends it.
	s.refused(http.StatusConflict, "POST", at+"/sign", Signature{State: reads.Signed, Name: "R. Ader", Meaning: "I have drawn this mask"})
	s.refused(http.StatusConflict, "POST", at+"/sign", Signature{State: reads.Rejected, Reason: "motion"})
	done := post[Done](s, at+"/sign", Signature{Version: state, State: reads.Signed, Name: "R. Ader", Meaning: "I have drawn this mask"})
	if done.Revision != 1 || done.State != reads.Signed {
		t.Errorf("%+v", done)
	}
	if out := <-mapped; out.Mapped != 1 {
		t.Errorf("%+v", out)
	}
	s.server.follow.wait()
	result := x.results[0]
	key := reads.Key{Study: result.Study, Series: result.Series}
	read := readLabels(t, filepath.Join(x.settings.Out, "reads", "R1", key.String(), "1", "mask.nii.gz"))
	used := readLabels(t, filepath.Join(result.Dir, report.CompartmentsFile))
	for v := range read.Data {
		p, want := read.Index(v), uint16(0)
		if p[0] >= 20 && p[0] <= 23 && p[1] >= 30 && p[1] <= 34 && p[2] == 3 {
			want = 2
		}
		if read.Data[v] != want || used.Data[v] != want {
			t.Fatalf("voxel %v: signed %d, used %d, drawn %d", p, read.Data[v], used.Data[v], want)
		}
	}
	row, shown := result.Compartments[1], drawn.Values.Rows[1]
	if row.Voxels != 20 || row.MeanT2 != shown.Mean || row.SDT2 != shown.SD {
		t.Errorf("result %+v, shown %+v", row, shown)
	}

	// What is signed does not change.
	s.refused(http.StatusConflict, "POST", at+"/stroke", box(state, 1, 0, 1, 1, 2, 2))
	draft = post[Draft](s, at+"/begin", Begin{Start: "read-1"})
	state = Version{draft.Drawing, draft.Step.Step}
	if draft.Values.Rows[1].Voxels != 20 {
		t.Errorf("%+v", draft.Values.Rows)
	}
	again := Signature{Version: state, State: reads.Signed, Name: "R. Ader", Meaning: "I have checked this mask and changed nothing"}
	s.refused(http.StatusBadRequest, "POST", at+"/sign", again)
	again.Change = "asked by the monitor"
	if done := post[Done](s, at+"/sign", again); done.Revision != 2 || done.Change != again.Change {
		t.Errorf("%+v", done)
	}
	<-mapped
}

// A server that is killed loses nothing that it has answered.
func TestDrawingSurvives(t *testing.T) {
	x := newTrial(t, "S01")
	s := x.serve(readerOne)
	at := s.first()
	draft := post[Draft](s, at+"/begin", Begin{Start: "mask"})
	state := Version{draft.Drawing, draft.Step.Step}
	for n := range 5 {
		state.Step = post[Step](s, at+"/stroke", box(state, 1, n, 2, 2, 5, 5)).Step
	}
	want := s.send("GET", at+"/mask", nil)
	// As the disk is now, without an end of the server.
	y := *x
	y.dir = t.TempDir()
	y.settings.Out = filepath.Join(y.dir, "results")
	if err := os.CopyFS(y.settings.Out, os.DirFS(x.settings.Out)); err != nil {
		t.Fatal(err)
	}
	other := y.serve(readerOne)
	if got := other.send("GET", at+"/mask", nil); !bytes.Equal(got.body, want.body) || got.header.Get("Step") != fmt.Sprint(state.Step) {
		t.Errorf("step %s, want %d", got.header.Get("Step"), state.Step)
	}
	if got := post[Step](other, at+"/stroke", box(state, 1, 0, 9, 9, 9, 9)); got.Step != state.Step+1 || got.Undo != 6 {
		t.Errorf("%+v", got)
	}
}

// A damaged journal gives its steps before the damage, with a warning.
func TestDamagedJournal(t *testing.T) {
	x := newTrial(t, "S01")
	s := x.serve(readerOne)
	at := s.first()
	draft := post[Draft](s, at+"/begin", Begin{Start: "nothing"})
	state := Version{draft.Drawing, draft.Step.Step}
	for n := range 3 {
		state.Step = post[Step](s, at+"/stroke", box(state, 1, n, 2, 2, 5, 5)).Step
	}
	s.close()
	files, err := filepath.Glob(filepath.Join(x.settings.Out, "reads", "R1", "*", "draft.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(err, files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines[3] = bytes.Replace(lines[3], []byte("polygon"), []byte("POLYGON"), 1)
	if err := os.WriteFile(files[0], bytes.Join(lines, nil), 0o666); err != nil {
		t.Fatal(err)
	}
	study := get[Study](x.serve(readerOne), at)
	if study.Draft == nil || study.Draft.Warning == "" || study.Draft.Values.Rows[0].Voxels != 16 {
		t.Errorf("%+v", study.Draft)
	}
}

// A journal whose first line is damaged is set aside, with a warning until another drawing is begun.
func TestJournalDamagedAtOnce(t *testing.T) {
	x := newTrial(t, "S01")
	s := x.serve(readerOne)
	at := s.first()
	draft := post[Draft](s, at+"/begin", Begin{Start: "nothing"})
	state := Version{draft.Drawing, draft.Step.Step}
	post[Step](s, at+"/stroke", box(state, 1, 2, 2, 2, 5, 5))
	s.close()
	files, err := filepath.Glob(filepath.Join(x.settings.Out, "reads", "R1", "*", "draft.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(err, files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text[bytes.Index(text, []byte("compartments"))] ^= 1
	if err := os.WriteFile(files[0], text, 0o666); err != nil {
		t.Fatal(err)
	}
	s = x.serve(readerOne)
	s.refused(http.StatusConflict, "POST", at+"/stroke", box(state, 1, 2, 2, 2, 5, 5))
	for range 2 {
		if study := get[Study](s, at); study.Draft != nil || study.Warning == "" {
			t.Errorf("%+v, warning %q", study.Draft, study.Warning)
		}
	}
	if got := get[[]Item](s, "/api/cases")[0].State; got != reads.ToRead {
		t.Error(got)
	}
	if kept, err := os.ReadFile(filepath.Join(filepath.Dir(files[0]), "draft.damaged-1.jsonl")); err != nil ||
		!bytes.Equal(kept, text) {
		t.Errorf("the damaged journal is not kept: %v", err)
	}
	draft = post[Draft](s, at+"/begin", Begin{Start: "nothing"})
	if study := get[Study](s, at); study.Draft == nil || study.Draft.Drawing != draft.Drawing || study.Warning != "" {
		t.Errorf("%+v, warning %q", study.Draft, study.Warning)
	}
}

// What was drawn with a scheme is not signed, compared or changed with another one.
func TestOtherScheme(t *testing.T) {
	x := newTrial(t, "S01", "S02")
	one := x.serve(readerOne)
	var at []string
	for _, item := range get[[]Item](one, "/api/cases") {
		at = append(at, "/api/cases/"+item.ID)
	}
	open := post[Draft](one, at[0]+"/begin", Begin{Start: "nothing"})
	sign := func(s *site, at string) {
		t.Helper()
		d := post[Draft](s, at+"/begin", Begin{Start: "nothing"})
		post[Done](s, at+"/sign", Signature{Version: Version{d.Drawing, d.Step.Step}, State: reads.Signed, Name: "R. Ader",
			Meaning: "I have drawn this mask"})
	}
	sign(one, at[1])
	one.close()
	two := x.serve(gate.User{Code: "R2", Role: gate.Reader})
	sign(two, at[1])
	two.close()
	other := func(o *Options) {
		var err error
		if o.Protocol.Scheme, err = segment.Named("skm-tea"); err != nil {
			t.Fatal(err)
		}
	}
	s := x.serve(readerOne, other)
	state := Version{open.Drawing, open.Step.Step}
	for path, body := range map[string]any{"begin": Begin{Start: "nothing"}, "stroke": box(state, 1, 2, 2, 2, 5, 5),
		"sign": Signature{Version: state, State: reads.Signed, Name: "R. Ader", Meaning: "I have drawn this mask"}} {
		if p := s.refused(http.StatusConflict, "POST", at[0]+"/"+path, body); !strings.Contains(p.Error,
			"of the scheme compartments: finish it with the settings with which it was begun") {
			t.Errorf("%s: %s", path, p.Error)
		}
	}
	s.refused(http.StatusConflict, "GET", at[0], nil)
	s.refused(http.StatusConflict, "POST", at[1]+"/begin", Begin{Start: "read-1"})
	if study := get[Study](s, at[1]); study.Draft != nil {
		t.Errorf("%+v", study.Draft)
	}
	s.close()
	judge := x.serve(gate.User{Code: "A1", Role: gate.Adjudicator}, other)
	for _, start := range []string{"average"} {
		judge.refused(http.StatusConflict, "POST", at[1]+"/begin", Begin{Start: start})
	}
	judge.refused(http.StatusConflict, "GET", at[1]+"/masks", nil)
	judge.close()
	s = x.serve(readerOne) // with the settings of the beginning
	if got := get[Study](s, at[0]).Draft; got == nil || got.Drawing != open.Drawing {
		t.Errorf("%+v", got)
	}
	s.close()
}

// Masks on another grid than that of the series are not mixed with it.
func TestOtherGrid(t *testing.T) {
	x := newTrial(t, "S01")
	key := reads.Key{Study: x.results[0].Study, Series: x.results[0].Series}
	mask := readLabels(t, filepath.Join(x.results[0].Dir, report.CompartmentsFile))
	scheme := reads.Scheme{Name: x.settings.Protocol.Scheme.Name, SHA256: x.settings.Protocol.Scheme.Sum()}
	near, far, flat := mask, mask, mask
	near.Affine[0][3] += mask.Tolerance() / 2
	far.Affine[0][3] += 2 * mask.Tolerance()
	flat.Size[2], flat.Data = 1, mask.Data[:mask.Size[0]*mask.Size[1]]
	for n, mask := range []volume.Labels{near, far, flat} {
		user := gate.User{Code: fmt.Sprint("R", n), Role: gate.Reader}
		s := x.serve(user)
		at := s.first()
		d, err := s.store.Begin(user.Code, key, mask, []uint16{1, 2, 3}, scheme, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if get[Study](s, at).Draft == nil {
				t.Error("no draft")
			}
			s.close()
			continue
		}
		s.refused(http.StatusConflict, "GET", at, nil)
		if d, err = s.store.Resume(user.Code, key); err == nil {
			_, err = s.store.Sign(d, reads.Read{State: reads.Signed, Name: "R. Ader", Meaning: "I have drawn this mask"})
		}
		if err != nil {
			t.Fatal(err)
		}
		s.refused(http.StatusConflict, "POST", at+"/begin", Begin{Start: "read-1"})
		if got := s.send("GET", at+"/mask", nil); len(got.body) != 2*len(near.Data) {
			t.Errorf("%d bytes", len(got.body))
		}
		s.close()
	}
}

// Two tabs of one study are told of each other, and a stroke from an old state is refused.
func TestTwoTabs(t *testing.T) {
	x := newTrial(t, "S01")
	s := x.serve(readerOne)
	at := s.first()
	draft := post[Draft](s, at+"/begin", Begin{Start: "nothing"})
	state := Version{draft.Drawing, draft.Step.Step}
	if p := get[Pulse](s, at+"/pulse?tab=a"); p.Tabs != 0 || p.Version != state {
		t.Errorf("%+v", p)
	}
	if p := get[Pulse](s, at+"/pulse?tab=b"); p.Tabs != 1 {
		t.Errorf("%+v", p)
	}
	step := post[Step](s, at+"/stroke", box(state, 1, 0, 2, 2, 5, 5))
	s.refused(http.StatusConflict, "POST", at+"/stroke", box(state, 1, 0, 7, 7, 8, 8))
	if p := get[Pulse](s, at+"/pulse?tab=b"); p.Tabs != 1 || p.Step != step.Step {
		t.Errorf("%+v", p)
	}
}

// Readers see nothing of each other. An adjudicator sees both, takes one and signs; a run uses what the adjudicator signs.
func TestReadersAndAdjudicator(t *testing.T) {
	x := newTrial(t, "S01", "S02")
	sign := func(s *site, at string, extent int) {
		draft := post[Draft](s, at+"/begin", Begin{Start: "nothing"})
		step := post[Step](s, at+"/stroke", box(Version{draft.Drawing, draft.Step.Step}, 1, 2, 10, 10, 10+extent, 14))
		post[Done](s, at+"/sign", Signature{Version: Version{draft.Drawing, step.Step}, State: reads.Signed, Name: s.server.Version,
			Meaning: "I have drawn this mask"})
	}
	one := x.serve(readerOne)
	at := one.first()
	judge := x.serve(gate.User{Code: "A1", Role: gate.Adjudicator})
	sign(one, at, 9)
	post[Draft](one, at+"/begin", Begin{Start: "read-1"})
	two := x.serve(gate.User{Code: "R2", Role: gate.Reader})
	study := get[Study](two, at)
	if study.Draft != nil || len(study.Reads) != 0 || get[[]Item](two, "/api/cases")[0].State != reads.ToRead {
		t.Errorf("reader R2 sees %+v", study)
	}
	two.refused(http.StatusBadRequest, "POST", at+"/begin", Begin{Start: "read-1"})
	two.refused(http.StatusBadRequest, "POST", at+"/begin", Begin{Start: "reader-1"})
	judge.refused(http.StatusNotFound, "GET", at+"/masks", nil)
	two.refused(http.StatusForbidden, "GET", at+"/masks", nil)
	if items := get[[]Item](judge, "/api/cases"); len(items) != 0 {
		t.Errorf("nothing to decide yet: %+v", items)
	}
	sign(two, at, 4)
	if items := get[[]Item](judge, "/api/cases"); len(items) != 1 {
		t.Fatalf("%+v", items)
	}
	both := get[Comparison](judge, at+"/masks")
	if len(both.Reads) != 2 || both.Reads[0].Reader != "reader R1" || both.Reads[0].Values.Rows[0].Voxels != 50 ||
		both.Rows[0].Dice != 2*25./75 || len(both.Reads[1].Mask) != 5 {
		t.Errorf("%+v", both)
	}
	if out := x.run(); len(out.Failures) != 1 || out.Failures[0].Code != report.ReasonRead {
		t.Errorf("%+v", out.Failures)
	}
	draft := post[Draft](judge, at+"/begin", Begin{Start: "average"})
	if got := draft.Values.Rows[0].Voxels; got <= 25 || got >= 50 {
		t.Errorf("the average of 50 and 25 voxels has %d", got)
	}
	post[Done](judge, at+"/sign", Signature{Version: Version{draft.Drawing, draft.Step.Step}, State: reads.Query, Text: "later",
		Decides: []string{both.Reads[0].Sum, both.Reads[1].Sum}})
	decides := []string{both.Reads[0].Sum, both.Reads[1].Sum}
	draft = post[Draft](judge, at+"/begin", Begin{Start: "reader-" + both.Reads[1].Sum})
	unseen := Signature{Version: Version{draft.Drawing, draft.Step.Step}, State: reads.Signed, Name: "A. Judicator", Change: "x",
		Meaning: "I have decided between the readers", Reason: "the edge", Decides: []string{decides[0], "another"}}
	judge.refused(http.StatusConflict, "POST", at+"/sign", unseen)
	post[Done](judge, at+"/sign", Signature{Version: Version{draft.Drawing, draft.Step.Step}, State: reads.Signed, Name: "A. Judicator",
		Change: "decided", Reason: "the edge", Decides: decides, Meaning: "I have decided between the readers"})
	if out := x.run(); len(out.Failures) != 0 || x.results[0].Compartments[0].Voxels != 25 {
		t.Errorf("%+v", out.Failures)
	}
	if len(get[Study](one, at).Reads) != 1 {
		t.Error("reader R1 sees the read of the adjudicator")
	}
}

// If reads are blinded, no answer has a subject, a visit, a path or a hash that the tables have.
func TestBlinded(t *testing.T) {
	subjects := make([]string, 24)
	for n := range subjects {
		subjects[n] = fmt.Sprintf("SUBJ%02d", n)
	}
	x := newTrial(t, subjects...)
	s := x.serve(readerOne, func(o *Options) {
		b, err := o.Store.Blind(0.25)
		if err != nil {
			t.Fatal(err)
		}
		o.Blinding = b
	})
	items := get[[]Item](s, "/api/cases")
	if len(items) <= len(subjects) {
		t.Errorf("%d cases of %d studies: no repeat", len(items), len(subjects))
	}
	secrets := []string{"SUBJ", "month12", x.dir, "results", "studies", "/f0"}
	for _, r := range x.results {
		secrets = append(secrets, r.Study, r.Series)
	}
	check := func(path string, r reply) {
		t.Helper()
		for _, secret := range secrets {
			if bytes.Contains(r.body, []byte(secret)) || strings.Contains(fmt.Sprint(r.header), secret) {
				t.Errorf("%s: %.300s has %q", path, r.body, secret)
			}
		}
	}
	look := func(path string) { check(path, s.send("GET", path, nil)) }
	look("/api/session")
	look("/api/cases")
	look("/api/cases/none")
	for _, item := range items[:3] {
		at := "/api/cases/" + item.ID
		for _, path := range []string{"", "/values", "/voxel?v=5000", "/brush?v=5000&mm=2", "/pulse?tab=x", "/others/0", "/masks"} {
			look(at + path)
		}
		draft := s.send("POST", at+"/begin", Begin{Start: "mask"})
		check("begin", draft)
		var d Draft
		_ = json.Unmarshal(draft.body, &d)
		check("sign", s.send("POST", at+"/sign", Signature{Version: Version{d.Drawing, d.Step.Step}, State: reads.Query, Text: "?"}))
		look(at)
	}
	// A study whose files are gone.
	if err := os.Rename(filepath.Join(x.dir, "studies"), filepath.Join(x.dir, "moved")); err != nil {
		t.Fatal(err)
	}
	gone := 0
	for _, item := range items[3:] { // a repeat may be open
		if r := s.send("GET", "/api/cases/"+item.ID, nil); r.status != http.StatusOK {
			check("a study that is gone", r)
			gone++
		}
	}
	if gone == 0 {
		t.Error("all studies can be read")
	}
	for _, u := range x.results {
		s.refused(http.StatusNotFound, "GET", "/api/cases/"+reads.Key{Study: u.Study, Series: u.Series}.String(), nil)
	}
}

// Requests of other programs do no harm.
func TestHostileRequests(t *testing.T) {
	x := newTrial(t, "<b>S01</b>")
	s := x.serve(readerOne)
	at := s.first()
	draft := post[Draft](s, at+"/begin", Begin{Start: "nothing"})
	state := Version{draft.Drawing, draft.Step.Step}
	for _, bad := range []string{"..%2f..%2fetc%2fpasswd", "%2e%2e", "..%5c..", "%00", "a%0ab", strings.Repeat("x", 5000)} {
		s.refused(http.StatusNotFound, "GET", "/api/cases/"+bad, nil)
		s.refused(http.StatusNotFound, "GET", at+"/maps/"+bad, nil)
		s.refused(http.StatusNotFound, "GET", at+"/echoes/"+bad, nil)
		s.refused(http.StatusNotFound, "GET", at+"/others/"+bad, nil)
		s.refused(http.StatusBadRequest, "POST", at+"/begin", Begin{Start: bad})
		s.refused(http.StatusBadRequest, "GET", at+"/voxel?v="+bad, nil)
		r := s.send("GET", "/"+bad, nil)
		if page := s.send("GET", "/", nil); r.status == http.StatusOK && !bytes.Equal(r.body, page.body) {
			t.Errorf("%q: %.200s", bad, r.body)
		}
	}
	for _, bad := range []Gesture{
		{Version: state, Tool: "brush", Label: 9, Slice: 1, Points: [][2]float64{{5, 5}}, RadiusMM: 1},
		{Version: state, Tool: "brush", Label: 1, Slice: 99, Points: [][2]float64{{5, 5}}, RadiusMM: 1},
		{Version: state, Tool: "brush", Label: 1, Slice: 1, Points: [][2]float64{{5, 5}}, RadiusMM: 1e9},
		{Version: state, Tool: "laser", Label: 1, Slice: 1, Points: [][2]float64{{5, 5}}},
		{Version: state, Tool: "fill", Label: 1, Slice: 1, Points: [][2]float64{{5, 5}}, Only: "../t2"},
	} {
		s.refused(http.StatusBadRequest, "POST", at+"/stroke", bad)
	}
	large := bytes.Repeat([]byte(" "), 10<<20)
	s.refused(http.StatusRequestEntityTooLarge, "POST", at+"/stroke", append(large, '{'))
	s.refused(http.StatusBadRequest, "POST", at+"/stroke", []byte(`{"tool":"brush","surprise":1}`))
	if got := get[Pulse](s, at+"/pulse?tab=a"); got.Version != state {
		t.Errorf("%+v", got)
	}
	if page := s.send("GET", "/", nil); page.status != http.StatusOK || bytes.Contains(page.body, []byte("S01")) {
		t.Errorf("%d", page.status)
	}
	// A thousand strokes, one after the other as fast as the server answers.
	for n := range 1000 {
		step := post[Step](s, at+"/stroke", box(state, uint16(1+n/6%3), n%6, 20, 20, 39, 25))
		if step.Step != state.Step+1 {
			t.Fatalf("stroke %d: step %d", n, step.Step)
		}
		state.Step = step.Step
	}
}

// A question and a rejection need no drawing. The protocol gives the reasons.
func TestQueryAndReject(t *testing.T) {
	x := newTrial(t, "S01")
	x.settings.Protocol.Reads.Rejections = []string{"motion", "metal"}
	s := x.serve(readerOne)
	at := s.first()
	if diff := cmp.Diff([]string{"motion", "metal"}, get[Session](s, "/api/session").Reasons); diff != "" {
		t.Error(diff)
	}
	s.refused(http.StatusBadRequest, "POST", at+"/sign", Signature{State: reads.Query})
	if d := post[Done](s, at+"/sign", Signature{State: reads.Query, Text: "Which knee?"}); d.State != reads.Query {
		t.Errorf("%+v", d)
	}
	s.refused(http.StatusBadRequest, "POST", at+"/sign", Signature{State: reads.Rejected, Reason: "ugly", Change: "x"})
	if d := post[Done](s, at+"/sign", Signature{State: reads.Rejected, Reason: "motion", Change: "answered"}); d.Revision != 2 {
		t.Errorf("%+v", d)
	}
	if got := get[[]Item](s, "/api/cases")[0].State; got != reads.Rejected {
		t.Error(got)
	}
	if out := x.run(); len(out.Failures) != 1 || out.Failures[0].Code != report.ReasonRead {
		t.Errorf("%+v", out)
	}
}
