package drawing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var knees = Scheme{Name: "compartments", SHA256: "5c4e"}

// head returns the number of bytes up to the end of the initial mask.
func head(journal []byte) int {
	first := bytes.IndexByte(journal, '\n') + 1
	return first + bytes.IndexByte(journal[first:], '\n') + 1
}

// drawn makes a journal with random steps and returns the mask after each line of it, from the second.
func drawn(t testing.TB, path string, steps int) (masks [][]uint16) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	start := empty([3]int{9, 6, 3})
	start.Data[50] = 7 // not a label that may be drawn
	j, err := Create(path, start, []uint16{1, 2, 3}, knees, map[string]string{"mask": "labels.nii.gz"})
	if err != nil {
		t.Fatal(err)
	}
	note := func() { masks = append(masks, slices.Clone(j.drawing.labels)) }
	for note(); len(masks) <= steps; {
		isStep := false
		switch r.IntN(4) {
		case 0:
			_, isStep, err = j.Undo()
		case 1:
			_, isStep, err = j.Redo()
		default:
			isStep, err = j.Apply(randomStroke(r, start.Voxels()))
		}
		if err != nil {
			t.Fatal(err)
		}
		if isStep {
			note()
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return masks
}

// maskOf opens a journal and returns its mask.
func maskOf(t *testing.T, path string) []uint16 {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	return slices.Clone(j.drawing.labels)
}

// Wherever the program is killed, the journal has the mask after the last complete line, and takes more steps.
func TestJournalCutAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	masks := drawn(t, path, 12)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := head(whole)
	for n := first; n <= len(whole); n++ {
		if err := os.WriteFile(path, whole[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		want := masks[bytes.Count(whole[:n], []byte("\n"))-opening]
		if got := maskOf(t, path); !slices.Equal(got, want) {
			t.Fatalf("%d of %d bytes: the mask differs", n, len(whole))
		}
	}
	if err := os.WriteFile(path, whole[:len(whole)-1], 0o666); err != nil {
		t.Fatal(err)
	}
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(j.From()) != `{"mask":"labels.nii.gz"}` || j.ID() == "" || j.Scheme() != knees || j.drawing.geometry.Affine != empty([3]int{9, 6, 3}).Affine {
		t.Errorf("%s, %v, %v", j.From(), j.Scheme(), j.drawing.geometry)
	}
	if changed, err := j.Apply(Stroke{Tool: "brush", Runs: []Run{{0, 1, 1}, {1, 1, 2}}}); err != nil || !changed {
		t.Fatal(changed, err)
	}
	want := slices.Clone(j.drawing.labels)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := maskOf(t, path); !slices.Equal(got, want) {
		t.Error("a step after a cut is lost")
	}
	for n := range first {
		if err := os.WriteFile(path, whole[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.As(err, new(*DamagedError)) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

// A change of any byte is found, and Recover keeps the steps before it.
func TestJournalDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	masks := drawn(t, path, 10)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first := head(whole) - 1
	last := len(whole)
	for range 3 { // the ends of the last line, and of the two before it
		last = bytes.LastIndexByte(whole[:last], '\n')
	}
	for n := 0; n < last; n += 3 { // the last two lines have no line after them that shows which of them was changed
		damaged := slices.Clone(whole)
		if damaged[n] ^= 1; damaged[n] == '\n' {
			continue // a line that is cut in two is tested below
		}
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		line := 1 + bytes.Count(whole[:n], []byte("\n"))
		_, err := Open(path)
		var damage *DamagedError
		if !errors.As(err, &damage) || damage.Line != line {
			t.Fatalf("byte %d in line %d: %v", n, line, err)
		}
		j, kept, err := Recover(path)
		if (err == nil) != (n > first) {
			t.Fatalf("byte %d in line %d: recovered: %v", n, line, err)
		}
		if aside, err := SetAside(path); n > first && err == nil {
			t.Fatalf("byte %d in line %d: set aside, though it can be recovered", n, line)
		} else if n < first {
			if text, readErr := os.ReadFile(aside); err != nil || readErr != nil || !bytes.Equal(text, damaged) {
				t.Fatalf("byte %d in line %d: set aside as %q: %v, %v", n, line, aside, err, readErr)
			}
			if _, err := Open(path); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("byte %d in line %d: %v", n, line, err)
			}
			if err := os.Remove(aside); err != nil {
				t.Fatal(err)
			}
		}
		if err == nil {
			if text, err := os.ReadFile(kept); err != nil || !bytes.Equal(text, damaged) {
				t.Fatalf("%v: what was kept is not the damaged journal", err)
			}
			if !slices.Equal(j.drawing.labels, masks[line-1-opening]) { // that of the line before the damaged one
				t.Fatalf("byte %d in line %d: the mask differs", n, line)
			}
			if err := errors.Join(j.Close(), os.Remove(kept)); err != nil {
				t.Fatal(err)
			}
		}
	}
	lines := strings.SplitAfter(string(whole), "\n")
	lines = lines[:len(lines)-1]
	for name, text := range map[string]string{
		"a line removed":   strings.Join(slices.Delete(slices.Clone(lines), 5, 6), ""),
		"a line repeated":  strings.Join(slices.Insert(slices.Clone(lines), 5, lines[4]), ""),
		"two lines joined": strings.Replace(string(whole), "}\n{", "}{", 1),
		"a line cut":       strings.Replace(string(whole), ",\"op\"", "\n,\"op\"", 3),
		"two steps in one": strings.TrimSuffix(string(whole), "\n") + lines[len(lines)-1],
		"an empty line":    strings.Replace(string(whole), "}\n{", "}\n\n{", 1),
		"another file":     "PK\x03\x04\n",
		"large":            `{"previous":"","op":"begin","size":[1000000,1000000,1000000]}` + "\n",
		"negative":         `{"previous":"","op":"begin","size":[-1,-1,1]}` + "\n",
		"no mask":          lines[0],
		"two masks":        lines[0] + lines[1] + lines[1],
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.As(err, new(*DamagedError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One program draws at a time.
func TestJournalBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	j, err := Create(path, empty([3]int{2, 2, 2}), []uint16{1}, knees, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() error{
		"Open":     func() error { _, err := Open(path); return err },
		"Recover":  func() error { _, _, err := Recover(path); return err },
		"SetAside": func() error { _, err := SetAside(path); return err },
		"Create":   func() error { _, err := Create(path, empty([3]int{1, 1, 1}), nil, knees, nil); return err },
	} {
		if err := open(); !errors.As(err, new(*BusyError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, empty([3]int{1, 1, 1}), nil, knees, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("a journal was replaced: %v", err)
	}
	if _, _, err := Recover(path); err == nil {
		t.Error("a journal that is not damaged was recovered")
	}
	if kept, err := SetAside(path); err == nil {
		t.Errorf("a journal that is not damaged is now %s", kept)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// Steps of several goroutines are all in the journal, while it is synced; refused strokes are not.
func TestJournalTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	j, err := Create(path, empty([3]int{100, 8, 1}), []uint16{1}, knees, nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var all sync.WaitGroup
	for row := range 8 {
		all.Go(func() {
			for n := range 100 {
				if changed, err := j.Apply(Stroke{"brush", []Run{{100*row + n, 1, 1}}}); err != nil || !changed {
					t.Error(changed, err)
				}
				if changed, err := j.Apply(Stroke{"brush", []Run{{100*row + n, 1, 2}}}); changed || !errors.Is(err, ErrStroke) {
					t.Error(changed, err)
				}
				if n == 50 {
					time.Sleep(SyncDelay)
				}
			}
		})
	}
	all.Wait()
	t.Logf("800 steps and a pause of %v in %v", SyncDelay, time.Since(start))
	if err := j.View(func(d *Drawing) {
		if undo, _ := d.History(); undo != Steps {
			t.Errorf("%d steps can be undone", undo)
		}
	}); err != nil {
		t.Error(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := Runs(maskOf(t, path)); !slices.Equal(got, []Run{{0, 800, 1}}) {
		t.Errorf("%v", got)
	}
}

// After a line that could not be written, the journal takes no steps; what is in the file is what Open reads.
func TestJournalCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	j, err := Create(path, empty([3]int{2, 2, 2}), []uint16{1}, knees, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Apply(Stroke{"brush", []Run{{0, 1, 1}}}); err != nil {
		t.Fatal(err)
	}
	j.file.Close()
	for range 2 {
		if _, err := j.Apply(Stroke{"brush", []Run{{1, 1, 1}}}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	if err := j.View(func(*Drawing) { t.Error("the step that is not in the file is shown") }); err == nil {
		t.Error("no error")
	}
	_ = j.Close()
	if got := Runs(maskOf(t, path)); !slices.Equal(got, []Run{{0, 1, 1}}) {
		t.Errorf("%v", got)
	}
}

// No journal makes Open panic or take much memory.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "draft.jsonl")
	drawn(f, path, 10)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"previous":"","op":"begin","id":"A","size":[2,2,2],"values":[1]}` + "\n" +
		`{"previous":"` + hashOf([]byte(`{"previous":"","op":"begin","id":"A","size":[2,2,2],"values":[1]}`)) +
		`","op":"mask","runs":[[0,8,1]]}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "draft.jsonl")
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		j, err := Open(path)
		if err != nil {
			return
		}
		if n := j.drawing.geometry.Voxels(); n != len(j.drawing.labels) || n <= 0 {
			t.Errorf("%d labels for %d voxels", len(j.drawing.labels), n)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Where the file system has no locks, a program notices that another one has written to the journal, or removed it.
func TestJournalOfAnotherProgram(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return replace(path, []byte("{}\n")) },
		"longer": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err == nil {
				_, err = f.WriteString("x")
				err = errors.Join(err, f.Close())
			}
			return err
		},
	} {
		path := filepath.Join(t.TempDir(), "draft.jsonl")
		j, err := Create(path, empty([3]int{2, 2, 2}), []uint16{1}, knees, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Apply(Stroke{"brush", []Run{{0, 1, 1}}}); !errors.As(err, new(*BusyError)) {
			t.Errorf("%s: %v", name, err)
		}
		if err := j.Close(); !errors.As(err, new(*BusyError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file system without locks does not prevent drawing; a missing permission and another program do.
func TestJournalWithoutLocks(t *testing.T) {
	for _, c := range []struct {
		ok   bool
		err  error
		want error
	}{
		{true, nil, nil}, {false, nil, &BusyError{}}, {false, syscall.ENOLCK, nil}, {false, syscall.ENOSYS, nil},
		{false, errors.ErrUnsupported, nil}, {false, fs.ErrPermission, fs.ErrPermission},
	} {
		if got := lockError(c.ok, c.err); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v, %v: %v, want %v", c.ok, c.err, got, c.want)
		}
	}
	if runtime.GOOS == "windows" {
		t.Skip("Windows takes a folder in place of a file for a missing permission")
	}
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	if err := os.Mkdir(path+".lock", 0o777); err != nil { // which cannot be locked
		t.Fatal(err)
	}
	first, err := Create(path, empty([3]int{2, 2, 2}), []uint16{1}, knees, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := first.Apply(Stroke{"brush", []Run{{0, 1, 1}}}); err != nil || !changed {
		t.Errorf("%v, %v", changed, err)
	}
	if _, err := second.Apply(Stroke{"brush", []Run{{1, 1, 1}}}); !errors.As(err, new(*BusyError)) {
		t.Errorf("two programs draw in a journal: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	_ = second.Close() // says again that another program has written
}

// After Seal, no step is taken until the journal is unsealed.
func TestSeal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	j, err := Create(path, empty([3]int{2, 2, 2}), []uint16{1}, knees, nil)
	if err != nil {
		t.Fatal(err)
	}
	one := Stroke{"brush", []Run{{0, 1, 1}}}
	if _, err := j.Apply(one); err != nil {
		t.Fatal(err)
	}
	var text []byte
	if err := j.Seal(func(_ *Drawing, journal io.Reader) (err error) { text, err = io.ReadAll(journal); return err }); err != nil {
		t.Fatal(err)
	}
	if file, err := os.ReadFile(path); err != nil || !bytes.Equal(file, text) {
		t.Errorf("%v: the journal differs from its file", err)
	}
	if _, err := j.Apply(Stroke{"brush", []Run{{1, 1, 1}}}); !errors.Is(err, ErrSealed) {
		t.Errorf("%v", err)
	}
	if _, _, err := j.Undo(); !errors.Is(err, ErrSealed) {
		t.Errorf("%v", err)
	}
	if err := j.Seal(nil); !errors.Is(err, ErrSealed) {
		t.Errorf("%v", err)
	}
	j.Unseal()
	if _, done, err := j.Undo(); err != nil || !done {
		t.Errorf("%v, %v", done, err)
	}
	if id, err := IDOf(path); err != nil || id != j.ID() {
		t.Errorf("%q, %v, want %q", id, err, j.ID())
	}
	for range 2 {
		if err := j.Remove(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
	if _, err := IDOf(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// The ID of a drawing is read at once, however many runs its initial mask has: here every voxel is one.
func BenchmarkIDOf(b *testing.B) {
	for name, step := range map[string]int{"plain": 64, "noisy": 1} {
		start := empty([3]int{384, 384, 30})
		for v := range start.Data {
			start.Data[v] = uint16(1 + v/step%2)
		}
		path := filepath.Join(b.TempDir(), "draft.jsonl")
		j, err := Create(path, start, []uint16{1, 2}, knees, nil)
		if err == nil {
			err = j.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := IDOf(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Two damaged journals of one drawing are kept under two names.
func TestSetAsideTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "draft.jsonl")
	for n := range 2 {
		if err := os.WriteFile(path, []byte("{}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		want := filepath.Join(filepath.Dir(path), fmt.Sprintf("draft.damaged-%d.jsonl", n+1))
		if kept, err := SetAside(path); err != nil || kept != want {
			t.Errorf("%q, %v, want %q", kept, err, want)
		}
	}
	if _, err := SetAside(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no journal: %v", err)
	}
}
