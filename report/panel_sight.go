package report

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/volume"
)

// sight is where one visit is looked at.
type sight struct {
	missing string // why nothing is seen
	folder  string
	result  Result
	mask    volume.Labels
	box     image.Rectangle // of the mask's voxels, in i and j
	most    int             // slice with the most voxels of compartments
	slice   int             // that is shown
	place   [2]string       // where it lies, for people: the position, and the number of the slice
	notes   []string        // what is off about it
	flags   []string        // what was said of the visit
}

// turned is the angle in degrees from which on two slices are said to lie askew.
const turned = 5

// look opens the visits of a row and finds the slice of each.
func look(ctx context.Context, row PanelRow) ([]sight, error) {
	sights := make([]sight, len(row.Visits))
	base := -1
	for n, v := range row.Visits {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &sights[n]
		*s = newSight(v)
		if s.missing != "" {
			continue
		}
		if base < 0 {
			base = n
			s.choose(row.At)
			if n > 0 {
				s.notes = append(s.notes, "the slice is chosen here, for want of an earlier visit")
			}
		} else {
			s.follow(&sights[base])
		}
		s.place = s.where()
	}
	for n := range sights {
		sights[n].mask.Data = nil // read again with the maps: one visit at a time is in memory
	}
	return sights, nil
}

// newSight reads the mask of a visit, or says why there is none.
func newSight(v PanelVisit) sight {
	s := sight{folder: v.Folder}
	for _, n := range v.Notes {
		s.flags = append(s.flags, strings.TrimSpace(printable.Line(n)))
	}
	if v.Folder == "" {
		if s.missing = strings.TrimSpace(printable.Line(v.Missing)); s.missing == "" {
			s.missing = "no study"
		}
		return s
	}
	var err error
	if s.result, err = ReadResult(filepath.Join(v.Folder, ResultFile)); err != nil {
		s.missing = "its result.json cannot be read"
		if errors.Is(err, fs.ErrNotExist) {
			s.missing = "its folder holds no result.json"
		}
		return s
	}
	if s.result.Protocol.Maps == "none" {
		s.missing = "no maps: mapped with --maps none"
		return s
	}
	if s.mask, err = s.readMask(); err != nil {
		s.missing = err.Error()
		return s
	}
	e := extentOf(s.mask)
	if e.voxels == 0 {
		s.missing = "no voxel of the mask is in a compartment"
		return s
	}
	s.box = e.box
	best := 0
	for _, k := range e.slices {
		n := 0
		for _, r := range slice(s.mask.Geometry, s.mask.Data, k) {
			if r != 0 {
				n++
			}
		}
		if n > best {
			s.most, best = k, n
		}
	}
	return s
}

// readMask reads compartments.nii.gz.
func (s *sight) readMask() (volume.Labels, error) {
	f, err := s.open(compartmentsFile)
	if err != nil {
		return volume.Labels{}, err
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return l, unreadable(compartmentsFile)
	}
	return l, nil
}

// open opens a file of the study's folder; its errors are words for a tile.
func (s *sight) open(name string) (*os.File, error) {
	f, err := os.Open(filepath.Join(s.folder, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: map the study again", name)
	case err != nil:
		return nil, unreadable(name)
	}
	return f, nil
}

func unreadable(name string) error {
	return fmt.Errorf("%s cannot be read: map the study again", name)
}

// middle is the centre of the mask's box in i and j.
func (s *sight) middle() (i, j float64) {
	return float64(s.box.Min.X+s.box.Max.X-1) / 2, float64(s.box.Min.Y+s.box.Max.Y-1) / 2
}

// at returns the patient position of the middle of the mask in a slice, mm LPS.
func (s *sight) at(k int) [3]float64 {
	i, j := s.middle()
	return s.mask.Position(i, j, float64(k))
}

// extent is how much room the visit takes in mm, across and down; none where it is missing.
func (s *sight) extent() [2]float64 {
	if s.missing != "" {
		return [2]float64{}
	}
	sp := s.mask.Spacing()
	return [2]float64{float64(s.box.Dx())*sp[0] + 2*cropMarginMM, float64(s.box.Dy())*sp[1] + 2*cropMarginMM}
}

// axes are the directions of a row, a column and the normal, of length 1.
func (s *sight) axes() (a [3][3]float64) {
	sp := s.mask.Spacing()
	for c := range 2 {
		for r := range 3 {
			a[c][r] = s.mask.Affine[r][c] / sp[c]
		}
	}
	x, y := a[0], a[1]
	a[2] = [3]float64{x[1]*y[2] - x[2]*y[1], x[2]*y[0] - x[0]*y[2], x[0]*y[1] - x[1]*y[0]}
	return a
}

// follows returns the axis of the patient (0, 1, 2: x, y, z) that the slices follow.
func (s *sight) follows() int {
	n, best := s.axes()[2], 0
	for r := range 3 {
		if math.Abs(n[r]) > math.Abs(n[best])+1e-6 {
			best = r
		}
	}
	return best
}

// choose takes the slice at a position in mm, or the one with the most voxels.
func (s *sight) choose(position *float64) {
	s.slice = s.most
	if position == nil {
		return
	}
	axis := s.follows()
	off := func(k int) float64 { return s.at(k)[axis] - *position }
	for k := range s.mask.Size[2] {
		if math.Abs(off(k)) < math.Abs(off(s.slice)) {
			s.slice = k
		}
	}
	s.noteDistance(off(s.slice), "from the position asked for")
}

// follow takes the slice nearest to that of the baseline, and notes how it differs.
func (s *sight) follow(base *sight) {
	to := base.at(base.slice)
	axes := s.axes()
	off := func(k int) float64 {
		p := s.at(k)
		return dot3(axes[2], [3]float64{p[0] - to[0], p[1] - to[1], p[2] - to[2]})
	}
	for k := range s.mask.Size[2] {
		if math.Abs(off(k)) < math.Abs(off(s.slice)) {
			s.slice = k
		}
	}
	s.noteDistance(off(s.slice), "from the slice at baseline")
	was := base.axes()
	tilt := angle(axes[2], was[2])
	most := max(min(tilt, 180-tilt), angle(axes[0], was[0]), angle(axes[1], was[1]))
	if most > turned {
		s.notes = append(s.notes, fmt.Sprintf("turned by %.0f° against baseline", most))
	}
	if a, b := s.result.Side, base.result.Side; a != b && a != "" && b != "" {
		s.notes = append(s.notes, fmt.Sprintf("the %s knee, at baseline the %s", printable.Line(a), printable.Line(b)))
	}
}

// noteDistance notes a distance of more than half a slice.
func (s *sight) noteDistance(off float64, from string) {
	if off = math.Abs(off); !(off <= s.mask.Spacing()[2]/2+1e-6) {
		s.notes = append(s.notes, fmt.Sprintf("%.1f mm %s", off, from))
	}
}

// where says where the slice lies: L 23.4 mm, and slice 6 of 12.
func (s *sight) where() [2]string {
	axis := s.follows()
	x := s.at(s.slice)[axis]
	// LPS: positions grow to the left, the back and the head.
	letter := [3][2]string{{"R", "L"}, {"A", "P"}, {"I", "S"}}[axis][1]
	if x < 0 {
		letter = [3]string{"R", "A", "I"}[axis]
	}
	return [2]string{fmt.Sprintf("%s %.1f mm", letter, math.Abs(x)), fmt.Sprintf("slice %d of %d", s.slice+1, s.mask.Size[2])}
}
