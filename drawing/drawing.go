package drawing

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/t2map/t2map/volume"
)

// Run is a number of consecutive voxels with a label that they have or get.
type Run struct {
	First, Length int
	Label         uint16
}

// Runs returns the voxels of a mask that are not 0 as runs in increasing order.
func Runs(labels []uint16) []Run {
	var runs []Run
	for v := 0; v < len(labels); {
		first, label := v, labels[v]
		for v++; v < len(labels) && labels[v] == label; v++ {
		}
		if label != 0 {
			runs = append(runs, Run{first, v - first, label})
		}
	}
	return runs
}

// Stroke is one step of a reader: a line with a brush, a filled polygon, a slice that was copied.
type Stroke struct {
	// Tool names the tool for the journal.
	Tool string
	// Runs are in increasing order and do not overlap. Label 0 erases.
	Runs []Run
}

// MostRuns is the largest number of runs of a stroke. A stroke that changes every other voxel of three slices of 384 ×
// 384 has no more.
const MostRuns = 1 << 18

// ErrStroke marks a stroke that does not fit the mask. The mask is unchanged.
var ErrStroke = errors.New("the stroke does not fit the mask")

// Steps is the largest number of steps that can be undone; together they have at most mostHistory runs. Earlier ones are
// forgotten.
const (
	Steps       = 500
	mostHistory = 4 << 20 // 100 MB
)

// tools matches the names of tools.
var tools = regexp.MustCompile(`^[a-z][a-z -]{0,29}$`)

// Drawing is a mask with its history. Its methods must not be called concurrently.
type Drawing struct {
	geometry volume.Geometry
	values   []uint16 // that a voxel may have, in increasing order; 0 is always allowed
	labels   []uint16
	done     []change
	undone   []change
}

// change is a step with what it has replaced.
type change struct{ before, after []Run }

// New returns a drawing that begins with a copy of the initial mask and whose voxels may get the given labels or 0. The
// initial mask may have other labels. It is an error if the number of its labels is not that of the voxels of its grid.
func New(initial volume.Labels, values []uint16) (*Drawing, error) {
	if n := initial.Voxels(); len(initial.Data) != n || n <= 0 {
		return nil, fmt.Errorf("mask: %d labels, want %d for the grid %v", len(initial.Data), n, initial.Size)
	}
	d := &Drawing{geometry: initial.Geometry, values: slices.Sorted(slices.Values(values)),
		labels: slices.Clone(initial.Data)}
	return d, nil
}

// Mask returns the mask. Its data change with the next step.
func (d *Drawing) Mask() volume.Labels { return volume.Labels{Geometry: d.geometry, Data: d.labels} }

// Apply changes the mask and reports whether it did: a stroke that changes nothing is not a step. What was undone before
// can no longer be redone. An error wraps ErrStroke.
func (d *Drawing) Apply(s Stroke) (changed bool, err error) {
	if err := d.check(s); err != nil {
		return false, fmt.Errorf("%w: %w", ErrStroke, err)
	}
	before, after := d.under(s.Runs), merged(s.Runs)
	if slices.Equal(before, after) {
		return false, nil
	}
	paint(d.labels, after)
	d.undone = nil
	d.done = append(d.done, change{before, after})
	d.forget()
	return true, nil
}

// forget forgets the first steps if there are too many. The last one can always be undone.
func (d *Drawing) forget() {
	runs, keep := 0, 0
	for keep < min(len(d.done), Steps) {
		c := d.done[len(d.done)-1-keep]
		if runs += len(c.before) + len(c.after); runs > mostHistory && keep > 0 {
			break
		}
		keep++
	}
	d.done = slices.Delete(d.done, 0, len(d.done)-keep)
}

// check returns an error if a stroke does not fit the mask.
func (d *Drawing) check(s Stroke) error {
	if len(s.Runs) > MostRuns {
		return fmt.Errorf("%d runs, want at most %d", len(s.Runs), MostRuns)
	}
	if !tools.MatchString(s.Tool) {
		return fmt.Errorf("tool %.30q, want lower-case words", s.Tool)
	}
	for n, r := range s.Runs {
		if _, ok := slices.BinarySearch(d.values, r.Label); !ok && r.Label != 0 {
			return fmt.Errorf("run %d: label %d, want 0 or one of %v", n, r.Label, d.values)
		}
	}
	return checkRuns(s.Runs, len(d.labels))
}

// checkRuns returns an error if runs are not in increasing order, or not in a mask with that many voxels.
func checkRuns(runs []Run, voxels int) error {
	end := 0
	for n, r := range runs {
		if r.First < end {
			return fmt.Errorf("run %d begins at voxel %d, want %d or more", n, r.First, end)
		}
		if r.Length <= 0 || r.Length > voxels-r.First {
			return fmt.Errorf("run %d: %d voxels from %d on, in a mask of %d", n, r.Length, r.First, voxels)
		}
		end = r.First + r.Length
	}
	return nil
}

// under returns the present labels of the voxels of runs.
func (d *Drawing) under(runs []Run) []Run {
	var out []Run
	for _, r := range runs {
		for v := r.First; v < r.First+r.Length; {
			first, label := v, d.labels[v]
			for v++; v < r.First+r.Length && d.labels[v] == label; v++ {
			}
			out = append(out, Run{first, v - first, label})
		}
	}
	return merged(out)
}

// merged returns runs in which neighbours with one label are one run.
func merged(runs []Run) []Run {
	var out []Run
	for _, r := range runs {
		if n := len(out) - 1; n >= 0 && out[n].Label == r.Label && out[n].First+out[n].Length == r.First {
			out[n].Length += r.Length
			continue
		}
		out = append(out, r)
	}
	return out
}

// paint gives voxels the labels of runs.
func paint(labels []uint16, runs []Run) {
	for _, r := range runs {
		voxels := labels[r.First : r.First+r.Length]
		for n := range voxels {
			voxels[n] = r.Label
		}
	}
}

// Undo undoes the last step. It returns the voxels that have changed, with their labels, and false if there is no step to
// undo.
func (d *Drawing) Undo() ([]Run, bool) {
	return d.step(&d.done, &d.undone, func(c change) []Run { return c.before })
}

// Redo repeats the last step that was undone. It returns what Undo returns.
func (d *Drawing) Redo() ([]Run, bool) {
	return d.step(&d.undone, &d.done, func(c change) []Run { return c.after })
}

// step moves the last change of one list to the other, and paints a side of it.
func (d *Drawing) step(from, to *[]change, side func(change) []Run) ([]Run, bool) {
	last := len(*from) - 1
	if last < 0 {
		return nil, false
	}
	c := (*from)[last]
	*from, *to = (*from)[:last], append(*to, c)
	paint(d.labels, side(c))
	return slices.Clone(side(c)), true
}

// History returns the numbers of steps that can be undone and redone.
func (d *Drawing) History() (undo, redo int) { return len(d.done), len(d.undone) }

// MarshalJSON returns [first, length, label].
func (r Run) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%d,%d,%d]", r.First, r.Length, r.Label), nil
}

// UnmarshalJSON parses what MarshalJSON returns.
func (r *Run) UnmarshalJSON(text []byte) error {
	var numbers []int
	if err := json.Unmarshal(text, &numbers); err != nil {
		return err
	}
	if len(numbers) != 3 || numbers[2] < 0 || numbers[2] > math.MaxUint16 {
		return fmt.Errorf("%.80q is not a run: want [first, length, label]", text)
	}
	*r = Run{numbers[0], numbers[1], uint16(numbers[2])}
	return nil
}
