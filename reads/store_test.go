package reads

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/volume"
)

var scheme = Scheme{Name: "compartments", SHA256: strings.Repeat("5c", 32)}

var knee = Key{Study: "0123456789ab", Series: "435f996f079c"}

func store(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	s.now = func() time.Time { at = at.Add(time.Minute); return at }
	return s
}

// grid is oblique, with another spacing in each direction and flipped axes.
var grid = volume.Geometry{Size: [3]int{7, 5, 3}, Affine: [3][4]float64{{0, -0.1, 3, -20}, {-0.4, 0, 0.2, 30},
	{0.02, -0.5, 0, 11}}}

// draw begins a drawing and takes a step for each voxel.
func draw(t *testing.T, s *Store, reader string, voxels ...int) *Drawing {
	t.Helper()
	start := volume.Labels{Geometry: grid, Data: make([]uint16, grid.Voxels())}
	if all, err := s.Reads(reader, knee); err != nil {
		t.Fatal(err)
	} else if n := len(all); n > 0 {
		if start, err = s.Mask(all[n-1]); err != nil {
			t.Fatal(err)
		}
	}
	j, err := s.Begin(reader, knee, start, []uint16{1, 2, 3}, scheme, map[string]string{"kind": "test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range voxels {
		if _, err := j.Apply(drawing.Stroke{Tool: "brush", Runs: run(v)}); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

func signature() Read {
	return Read{State: Signed, Name: "R. Ader", Meaning: "I have drawn this mask", Scheme: "what the caller says"}
}

func sign(t *testing.T, s *Store, d *Drawing, r Read) *Read {
	t.Helper()
	signed, err := s.Sign(d, r)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func wantState(t *testing.T, s *Store, reader string, want State) {
	t.Helper()
	if got, err := s.State(reader, knee); err != nil || got != want {
		t.Errorf("%s: state %q, %v, want %q", reader, got, err, want)
	}
}

// A study is drawn, signed, changed with a reason, asked and rejected; each read stays as it was, in the record too.
func TestReads(t *testing.T) {
	s := store(t)
	wantState(t, s, "R1", ToRead)
	j := draw(t, s, "R1", 0, 50, 104)
	wantState(t, s, "R1", Draft)
	first := sign(t, s, j, signature())
	wantState(t, s, "R1", Signed)
	wantState(t, s, "R2", ToRead)
	if first.Scheme != scheme.Name || first.Labels != scheme.SHA256 {
		t.Errorf("scheme %q, %q", first.Scheme, first.Labels)
	}
	if first.Revision != 1 || string(first.From) != `{"kind":"test"}` || first.Time.Hour() != 12 {
		t.Errorf("%+v", first)
	}
	mask, err := s.Mask(*first)
	if err != nil || grid.Distance(mask.Geometry) > 1e-5 || mask.Size != grid.Size ||
		!slices.Equal(drawing.Runs(mask.Data), run(0, 50, 104)) {
		t.Errorf("%v, %v", mask, err)
	}
	replayed, err := drawing.Open(copied(t, s.path(Folder, "R1", knee.String(), "1", strokesFile)))
	if err != nil {
		t.Fatal(err)
	}
	if err := replayed.View(func(d *drawing.Drawing) {
		if !slices.Equal(d.Mask().Data, mask.Data) {
			t.Error("the strokes do not draw the mask")
		}
	}); err != nil {
		t.Error(err)
	}
	if err := replayed.Close(); err != nil {
		t.Error(err)
	}

	j = draw(t, s, "R1", 51)
	wantState(t, s, "R1", Draft)
	if _, err := s.Sign(j, signature()); !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "no change") {
		t.Errorf("a change without a reason: %v", err)
	}
	again := signature()
	again.Change = "one voxel was missing"
	sign(t, s, j, again)
	for state, r := range map[State]Read{
		Query:    {State: Query, Text: "Which knee?", Change: "a question"},
		Rejected: {State: Rejected, Reason: "motion", Change: "the answer"},
	} {
		sign(t, s, draw(t, s, "R1"), r)
		wantState(t, s, "R1", state)
	}
	all, err := s.Reads("R1", knee)
	if err != nil || len(all) != 4 || !same(all[0], *first) || all[1].Change != again.Change || all[1].Mask == first.Mask {
		t.Errorf("%+v, %v", all, err)
	}
	sign(t, s, draw(t, s, "R2", 7), signature())
	var events []string
	if _, faults, err := audit.Read(s.results, func(e audit.Event) {
		events = append(events, e.Reader+" "+e.State+" "+e.Folder)
		if sum, err := hashFile(s.path(e.Folder, readFile)); err != nil || sum != e.Read || e.Kind != audit.StudyRead ||
			e.Study != knee.Study || e.Series != knee.Series {
			t.Errorf("%+v, %v", e, err)
		}
	}); err != nil || len(faults) > 0 || len(events) != 5 || events[0] != "R1 signed reads/R1/"+knee.String()+"/1" {
		t.Errorf("%q, %v, %v", events, faults, err)
	}
}

// same reports whether two reads have the same JSON.
func same(a, b Read) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func copied(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(to, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return to
}

// A drawing is there after the program was killed at any moment: before it signed, while it signed, and after it.
func TestKilledWhileSigning(t *testing.T) {
	s := store(t)
	d := draw(t, s, "R1", 3)
	dir := s.path(Folder, "R1", knee.String())
	draft := filepath.Join(dir, draftFile)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := s.Resume("R1", knee)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(draft)
	if err != nil {
		t.Fatal(err)
	}
	signed := sign(t, s, d, signature())
	if _, err := s.Resume("R1", knee); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a signed drawing can be resumed: %v", err)
	}
	// After the read has its folder, and before the drawing is removed; its last step may be lost with the power.
	lines := bytes.SplitAfter(kept, []byte("\n"))
	if err := os.WriteFile(draft, slices.Concat(lines[:2]...), 0o666); err != nil { // with the initial mask
		t.Fatal(err)
	}
	wantState(t, s, "R1", Signed)
	if _, err := s.Resume("R1", knee); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a signed drawing can be resumed: %v", err)
	}
	// Before the read has its folder: a folder without a name, and an event.
	if err := os.Rename(filepath.Join(dir, "1"), filepath.Join(dir, unfinished+"X")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(draft, kept, 0o666); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, "R1", Draft)
	if d, err = s.Resume("R1", knee); err != nil {
		t.Fatal(err)
	}
	if again := sign(t, s, d, signature()); again.Mask != signed.Mask || again.Revision != 1 {
		t.Errorf("%+v", again)
	}
}

// A new drawing that starts as a signed one did is not taken for it: also if nothing was drawn in either.
func TestDrawingLikeTheOneBefore(t *testing.T) {
	s := store(t)
	sign(t, s, draw(t, s, "R1"), Read{State: Query, Text: "Which knee?"})
	d := draw(t, s, "R1")
	wantState(t, s, "R1", Draft)
	for v := range 5 {
		if _, err := d.Apply(drawing.Stroke{Tool: "brush", Runs: run(v)}); err != nil {
			t.Fatal(err)
		}
		wantState(t, s, "R1", Draft)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := s.Resume("R1", knee)
	if err != nil {
		t.Fatal(err)
	}
	if undo := steps(d); undo != 5 {
		t.Errorf("%d steps", undo)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func steps(d *Drawing) (undo int) {
	_ = d.View(func(one *drawing.Drawing) { undo, _ = one.History() })
	return undo
}

// Steps while a drawing is signed are in the read, or refused; of two signatures one counts; and after an error the
// drawing goes on.
func TestSignedAtOnce(t *testing.T) {
	s := store(t)
	d := draw(t, s, "R1")
	var done, signed atomic.Int64
	var all sync.WaitGroup
	all.Go(func() {
		for v := range 100 {
			if changed, err := d.Apply(drawing.Stroke{Tool: "brush", Runs: run(v)}); changed && err == nil {
				done.Add(1)
			}
		}
	})
	for range 3 {
		all.Go(func() {
			if r, err := s.Sign(d, signature()); r != nil && err == nil {
				signed.Add(1)
			}
		})
	}
	all.Wait()
	reads, err := s.Reads("R1", knee)
	if err != nil || len(reads) != 1 || signed.Load() != 1 {
		t.Fatalf("%d reads, %d signed, %v", len(reads), signed.Load(), err)
	}
	mask, err := s.Mask(reads[0])
	if err != nil || len(drawing.Runs(mask.Data)) > 0 && drawing.Runs(mask.Data)[0].Length != int(done.Load()) {
		t.Errorf("%v, %d steps were done, %v", drawing.Runs(mask.Data), done.Load(), err)
	}
	events := 0
	if _, _, err := audit.Read(s.results, func(audit.Event) { events++ }); err != nil || events != 1 {
		t.Errorf("%d events, %v", events, err)
	}
	// A file that takes the name of the read: nothing is recorded, and the drawing goes on.
	d = draw(t, s, "R2", 1)
	taken := s.path(Folder, "R2", knee.String(), "1")
	if err := os.WriteFile(taken, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Sign(d, signature()); r != nil || !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := d.Apply(drawing.Stroke{Tool: "brush", Runs: run(2)}); err != nil {
		t.Errorf("a step after an error: %v", err)
	}
	if err := os.Remove(taken); err != nil {
		t.Fatal(err)
	}
	sign(t, s, d, signature())
}

// A revision that is missing is an error, not a study to read: otherwise a new read would take its name.
func TestMissingRevision(t *testing.T) {
	s := store(t)
	sign(t, s, draw(t, s, "R1", 1), signature())
	again := signature()
	again.Change = "another voxel"
	sign(t, s, draw(t, s, "R1", 2), again)
	dir := s.path(Folder, "R1", knee.String())
	if err := os.Rename(filepath.Join(dir, "1"), filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	if state, err := s.State("R1", knee); err == nil || !strings.Contains(err.Error(), "/1 is missing") {
		t.Errorf("%q, %v", state, err)
	}
	if _, err := s.Begin("R1", knee, volume.Labels{}, nil, scheme, nil); err == nil {
		t.Error("a drawing begins")
	}
	if err := os.Rename(filepath.Join(dir, "away"), filepath.Join(dir, "1")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "1", readFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.State("R1", knee); err == nil {
		t.Error("a read without read.json is passed over")
	}
}

// Codes that differ in case only would share a folder on some systems.
func TestCaseOfReaders(t *testing.T) {
	s := store(t)
	if err := draw(t, s, "R1").Close(); err != nil {
		t.Fatal(err)
	}
	initial := volume.Labels{Geometry: grid, Data: make([]uint16, grid.Voxels())}
	if _, err := s.Begin("r1", knee, initial, nil, scheme, nil); err == nil || !strings.Contains(err.Error(), "there is a reader R1") {
		t.Errorf("%v", err)
	}
}

// A read without what its state requires is not signed, and the drawing goes on.
func TestIncompleteReads(t *testing.T) {
	s := store(t)
	j := draw(t, s, "R1", 1)
	for name, spoil := range map[string]func(*Read){
		"no name":        func(r *Read) { r.Name = " " },
		"no meaning":     func(r *Read) { r.Meaning = "" },
		"no text":        func(r *Read) { r.State = Query },
		"no reason":      func(r *Read) { r.State = Rejected },
		"an adjudicator": func(r *Read) { r.Adjudicates = []string{"a", "b"} },
		"state draft":    func(r *Read) { r.State = Draft },
		"no state":       func(r *Read) { r.State = "" },
	} {
		r := signature()
		spoil(&r)
		if _, err := s.Sign(j, r); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := j.Apply(drawing.Stroke{Tool: "brush", Runs: []drawing.Run{{First: 2, Length: 1, Label: 1}}}); err != nil {
		t.Error(err)
	}
	wantState(t, s, "R1", Draft)
	if _, err := s.Begin("R1", knee, volume.Labels{Geometry: grid, Data: make([]uint16, grid.Voxels())}, nil,
		scheme, nil); !errors.As(err, new(*drawing.BusyError)) {
		t.Errorf("a drawing began twice: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// Codes and keys that could lead out of the folder, or are no names of folders, are refused everywhere.
func TestHostileNames(t *testing.T) {
	s := store(t)
	for _, reader := range []string{"", ".", "..", "../R1", "R1/..", `R1\x`, "R 1", "-R", ".R", "CON", "lpt1", "Ä", "R\x00",
		strings.Repeat("R", 41), "<b>"} {
		if _, err := s.State(reader, knee); err == nil {
			t.Errorf("reader %q is accepted", reader)
		}
		if _, err := s.Begin(reader, knee, volume.Labels{}, nil, scheme, nil); err == nil {
			t.Errorf("reader %q may draw", reader)
		}
	}
	for _, k := range []Key{{}, {Study: "../../../../x", Series: knee.Series}, {Study: knee.Study, Series: "435F996F079C"},
		{Study: knee.Study, Series: knee.Series + "/"}, {knee.Study, knee.Series, -1}, {knee.Study, knee.Series, 10}} {
		if _, err := s.Resume("R1", k); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("key %+v: %v", k, err)
		}
	}
	if entries, err := os.ReadDir(s.results); err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() == Folder
	}) {
		t.Errorf("%v, %v", entries, err)
	}
}

// A read that somebody has changed is an error, and so is a mask that is not the one that was signed.
func TestChangedReads(t *testing.T) {
	s := store(t)
	r := sign(t, s, draw(t, s, "R1", 1), signature())
	mask := s.path(Folder, "R1", knee.String(), "1", maskFile)
	if err := os.WriteFile(mask, []byte("another"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Mask(*r); err == nil || !strings.Contains(err.Error(), "not the mask that was signed") {
		t.Errorf("%v", err)
	}
	path := s.path(Folder, "R1", knee.String(), "1", readFile)
	for name, text := range map[string]string{"not JSON": "{", "of another reader": `{"reader":"R2"}`} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := s.State("R1", knee); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// run returns the runs of single voxels with label 2.
func run(voxels ...int) (runs []drawing.Run) {
	for _, v := range voxels {
		runs = append(runs, drawing.Run{First: v, Length: 1, Label: 2})
	}
	return runs
}

// Check names each file of a read that is not as it was signed, and reads that only the folder or only the record has.
func TestCheck(t *testing.T) {
	s := store(t)
	if all, err := List(s.results); err != nil || len(all) != 0 {
		t.Errorf("%q in a folder without reads, %v", all, err)
	}
	for _, reader := range []string{"R1", "R2"} {
		sign(t, s, draw(t, s, reader, 1), signature())
	}
	if err := draw(t, s, "R3", 4).Close(); err != nil { // a draft
		t.Fatal(err)
	}
	recorded := map[string]string{}
	if _, _, err := audit.Read(s.results, func(e audit.Event) { recorded[e.Folder] = e.Read }); err != nil {
		t.Fatal(err)
	}
	check := func() (found []string) {
		all, err := List(s.results)
		if err != nil || len(all) > 2 {
			t.Errorf("%q, %v", all, err)
		}
		Check(s.results, all, recorded, func(path, problem string) {
			below, err := filepath.Rel(s.results, path)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, filepath.ToSlash(below)+" "+problem)
		})
		return found
	}
	if found := check(); len(found) > 0 {
		t.Errorf("%q", found)
	}
	one := "reads/R1/" + knee.String() + "/1"
	for _, c := range []struct{ name, text, want string }{
		{maskFile, "another", "/mask.nii.gz has changed since it was signed"},
		{strokesFile, "{}\n", "/strokes.jsonl has changed since it was signed"},
		{maskFile, "", "/mask.nii.gz is missing"},
		{readFile, "{", "/read.json has changed since it was signed"},
		{readFile, "", "/read.json is missing"},
	} {
		path := s.path(one, c.name)
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.text == "" {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, []byte(c.text), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		if found := check(); !slices.Equal(found, []string{one + c.want}) {
			t.Errorf("%s: %q", c.name, found)
		}
		if err := os.WriteFile(path, kept, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	extra := s.path(one, "mask (copy).nii.gz")
	if err := os.WriteFile(extra, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if found := check(); !slices.Equal(found, []string{one + "/mask (copy).nii.gz is not part of the read"}) {
		t.Errorf("%q", found)
	}
	if err := os.Remove(extra); err != nil {
		t.Fatal(err)
	}
	delete(recorded, one)
	recorded["reads/R9/"+knee.String()+"/1"] = "00"
	if found := check(); !slices.Equal(found, []string{one + " is not in the record: no reader has signed it",
		"reads/R9/" + knee.String() + "/1 is missing: the record says that a reader finished it"}) {
		t.Errorf("%q", found)
	}
}

// A drawing whose first line is damaged is set aside, unless it is open, and another one begins.
func TestSetAside(t *testing.T) {
	s := store(t)
	d := draw(t, s, "R1", 1)
	if _, err := s.SetAside("R1", knee); !errors.As(err, new(*drawing.BusyError)) {
		t.Errorf("while it is open: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	path := s.path(Folder, "R1", knee.String(), draftFile)
	damaged, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged[20] ^= 1
	if err := os.WriteFile(path, damaged, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(string, Key) (*Drawing, error){s.Resume, s.Recover} {
		if _, err := open("R1", knee); !errors.As(err, new(*drawing.DamagedError)) {
			t.Errorf("%v", err)
		}
	}
	kept, err := s.SetAside("R1", knee)
	if err != nil || kept != "reads/R1/"+knee.String()+"/draft.damaged-1.jsonl" {
		t.Errorf("%q, %v", kept, err)
	}
	if text, err := os.ReadFile(s.path(kept)); err != nil || !bytes.Equal(text, damaged) {
		t.Errorf("the journal has changed: %v", err)
	}
	wantState(t, s, "R1", ToRead)
	sign(t, s, draw(t, s, "R1", 2), signature())
}
