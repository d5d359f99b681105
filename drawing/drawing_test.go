package drawing

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

func empty(size [3]int) volume.Labels {
	g := volume.Geometry{Size: size}
	for d := range 3 {
		g.Affine[d][d] = 1
	}
	return volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
}

// randomStroke returns a stroke with labels up to 3 in a mask of n voxels.
func randomStroke(r *rand.Rand, n int) Stroke {
	s := Stroke{Tool: "brush"}
	for end := r.IntN(n/2 + 1); end < n; end += r.IntN(n) {
		length := 1 + r.IntN(min(20, n-end))
		s.Runs = append(s.Runs, Run{end, length, uint16(r.IntN(4))})
		end += length
	}
	return s
}

// After any steps, the mask is that of an oracle that keeps a copy of the mask for each step.
func TestDrawing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	start := empty([3]int{7, 5, 4})
	start.Data[3], start.Data[60] = 2, 3
	d, err := New(start, []uint16{3, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	copies, at := [][]uint16{slices.Clone(start.Data)}, 0
	for range 4000 {
		before := slices.Clone(d.labels)
		var changed []Run
		switch r.IntN(5) {
		case 0, 1:
			s := randomStroke(r, len(before))
			next := slices.Clone(before)
			for _, run := range s.Runs {
				for v := range run.Length {
					next[run.First+v] = run.Label
				}
			}
			isStep, err := d.Apply(s)
			if err != nil || isStep == slices.Equal(before, next) {
				t.Fatalf("%v, %v: %+v", isStep, err, s)
			}
			if isStep {
				copies, at = append(copies[:at+1], next), at+1
			}
		case 2, 3:
			var done bool
			if changed, done = d.Undo(); done != (at > 0 && len(copies)-at <= len(copies)) {
				t.Fatalf("undo: %v at step %d of %d", done, at, len(copies))
			} else if done {
				at--
			}
		default:
			var done bool
			if changed, done = d.Redo(); done != (at < len(copies)-1) {
				t.Fatalf("redo: %v at step %d of %d", done, at, len(copies))
			} else if done {
				at++
			}
		}
		if !slices.Equal(d.Mask().Data, copies[at]) {
			t.Fatal("the mask differs from the oracle")
		}
		if changed != nil { // what is returned, painted on the mask before, is the mask
			if paint(before, changed); !slices.Equal(before, copies[at]) {
				t.Fatal("the runs of a step differ from the mask")
			}
		}
		if undo, redo := d.History(); undo != at || redo != len(copies)-1-at {
			t.Fatalf("%d and %d steps, want %d and %d", undo, redo, at, len(copies)-1-at)
		}
		if at > 100 { // so that the oracle stays small, and no step is forgotten
			d, _ = New(d.Mask(), []uint16{1, 2, 3})
			copies, at = [][]uint16{slices.Clone(d.labels)}, 0
		}
	}
}

// The last Steps steps can be undone.
func TestSteps(t *testing.T) {
	d, err := New(empty([3]int{Steps, 2, 1}), []uint16{1})
	if err != nil {
		t.Fatal(err)
	}
	for v := range 2 * Steps {
		if changed, err := d.Apply(Stroke{"brush", []Run{{v, 1, 1}}}); err != nil || !changed {
			t.Fatal(changed, err)
		}
	}
	n := 0
	for _, done := d.Undo(); done; _, done = d.Undo() {
		n++
	}
	if want := []Run{{0, Steps, 1}}; n != Steps || !slices.Equal(Runs(d.labels), want) {
		t.Errorf("%d steps undone, %v left, want %d and %v", n, Runs(d.labels), Steps, want)
	}
}

// A stroke that does not fit changes nothing.
func TestStrokesThatDoNotFit(t *testing.T) {
	d, err := New(empty([3]int{4, 3, 2}), []uint16{1, 5})
	if err != nil {
		t.Fatal(err)
	}
	const most = int(^uint(0) >> 1)
	for _, runs := range [][]Run{
		{{-1, 2, 1}}, {{0, 0, 1}}, {{0, -1, 1}}, {{24, 1, 1}}, {{23, 2, 1}}, {{0, most, 1}}, {{1, most, 1}}, {{most, 1, 1}},
		{{5, 1, 1}, {5, 1, 1}}, {{5, 2, 1}, {6, 1, 1}}, {{5, 1, 1}, {0, 1, 1}}, {{0, 1, 2}}, {{0, 1, 65535}},
		make([]Run, MostRuns+1),
	} {
		if changed, err := d.Apply(Stroke{"brush", runs}); changed || !errors.Is(err, ErrStroke) {
			t.Errorf("%.3v: %v, %v", runs, changed, err)
		}
	}
	for _, tool := range []string{"", "Brush", "<b>", "a\nb", strings.Repeat("a", 31)} {
		if changed, err := d.Apply(Stroke{tool, []Run{{0, 1, 1}}}); changed || !errors.Is(err, ErrStroke) {
			t.Errorf("tool %q: %v, %v", tool, changed, err)
		}
	}
	if undo, _ := d.History(); undo != 0 || len(Runs(d.labels)) != 0 {
		t.Errorf("%d steps, %v", undo, Runs(d.labels))
	}
	for _, start := range []volume.Labels{{}, {Geometry: d.geometry}, {Geometry: d.geometry, Data: make([]uint16, 23)}} {
		if _, err := New(start, nil); err == nil {
			t.Errorf("%v with %d labels: no error", start.Size, len(start.Data))
		}
	}
}

// Runs are read as they were written, and nothing else is.
func TestRunJSON(t *testing.T) {
	text, err := json.Marshal([]Run{{0, 1, 65535}, {1 << 40, 7, 0}})
	if want := "[[0,1,65535],[1099511627776,7,0]]"; err != nil || string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
	var runs []Run
	if err := json.Unmarshal(text, &runs); err != nil || runs[1] != (Run{1 << 40, 7, 0}) {
		t.Errorf("%v, %v", runs, err)
	}
	for _, text := range []string{"[1,2]", "[1,2,3,4]", "[1,2,-1]", "[1,2,65536]", "[1.5,2,3]", `"a"`, "{}", "[1e99,1,1]"} {
		if err := json.Unmarshal([]byte(text), new(Run)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// Steps with very many runs are forgotten earlier, so that the history does not fill the memory.
func TestLargeSteps(t *testing.T) {
	const voxels = 2 * MostRuns
	d, err := New(empty([3]int{voxels, 1, 1}), []uint16{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	runs := make([]Run, MostRuns)
	for step := range 12 {
		for n := range runs {
			runs[n] = Run{2 * n, 1, uint16(1 + step%2)}
		}
		if changed, err := d.Apply(Stroke{"fill", runs}); err != nil || !changed {
			t.Fatal(changed, err)
		}
	}
	if undo, _ := d.History(); undo != mostHistory/(2*MostRuns) {
		t.Errorf("%d steps can be undone, want %d", undo, mostHistory/(2*MostRuns))
	}
}
