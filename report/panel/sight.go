package panel

import (
	"cmp"
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
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// sight is the slice of one visit that a tile shows.
type sight struct {
	missing   string // why there is no slice; "" if there is one
	folder    string
	row       string // Options.Row
	result    report.Result
	mask      volume.Labels
	box       image.Rectangle // of the mask's voxels, in i and j
	fullest   int             // slice with the most voxels of the row, or of all compartments if the row has none
	slice     int             // the slice that is shown
	place     [2]string       // position and number of the slice, as text
	absentRow string          // the row that determines the slice, if the mask has no voxel of it
	notes     []string        // how the slice differs from the expected one
	flags     []string        // Visit.Notes
}

// turned is the angle in degrees between two slices above which a note says so.
const turned = 5

// openRow reads the visits of a row and selects the slice of each.
func openRow(ctx context.Context, row Row, wanted string) ([]sight, error) {
	sights := make([]sight, len(row.Visits))
	base := -1
	for n, v := range row.Visits {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &sights[n]
		*s = newSight(v, wanted)
		if s.missing != "" {
			continue
		}
		if base < 0 {
			base = n
			s.chooseSlice(row)
			if s.absentRow != "" && row.Position == nil && row.Slice == 0 {
				s.notes = append(s.notes, "no voxel of "+brief(s.absentRow)+": the slice with the most voxels of all compartments")
			}
			if n > 0 {
				s.notes = append(s.notes, "the slice is chosen at this visit, since no earlier one has maps")
			}
		} else {
			s.followBaseline(&sights[base])
		}
		s.place = s.placeOfSlice()
	}
	for n := range sights {
		sights[n].mask.Data = nil // it is read again with the maps, so that memory holds one visit at a time
	}
	return sights, nil
}

// newSight reads the mask of a visit and finds the slice with the most voxels of a row of the results, or
// of all compartments if row is "".
func newSight(v Visit, row string) sight {
	s := sight{folder: v.Folder, row: row, flags: v.notes(), missing: v.missing()}
	if s.missing != "" {
		return s
	}
	var err error
	if s.result, err = readResult(v.Folder); err != nil {
		s.missing = err.Error()
		return s
	}
	if s.result.Protocol.Maps == "none" {
		s.missing = "no maps: mapped with --maps none"
		return s
	}
	if carried := s.result.Mask.Carried(); carried != "" {
		s.notes = append(s.notes, brief(printable.Line(carried)))
	}
	if s.mask, err = s.readMask(); err != nil {
		s.missing = err.Error()
		return s
	}
	e := s.mask.Extent()
	if e.Voxels == 0 {
		s.missing = "no voxel of the mask is in a compartment"
		return s
	}
	s.box = e.Box
	if !s.chooseMost(e, compartmentOf(s.result, row)) {
		s.chooseMost(e, 0)
		s.absentRow = row
	}
	return s
}

// missing returns the reason why a visit has no folder; "" if it has one.
func (v Visit) missing() string {
	if v.Folder != "" {
		return ""
	}
	return cmp.Or(strings.TrimSpace(printable.Line(v.Missing)), "no study")
}

// notes returns the notes on a visit, each on one line.
func (v Visit) notes() []string {
	var lines []string
	for _, n := range v.Notes {
		lines = append(lines, strings.TrimSpace(printable.Line(n)))
	}
	return lines
}

// chooseMost sets most to the slice with the most voxels of a compartment, counted from 1, or
// of all with 0. It reports whether there are any.
func (s *sight) chooseMost(e volume.Extent, compartment int) bool {
	best := 0
	for _, k := range e.Slices {
		n := 0
		for _, r := range volume.Slice(s.mask.Geometry, s.mask.Data, k) {
			if r != 0 && (compartment == 0 || int(r) == compartment) {
				n++
			}
		}
		if n > best {
			s.fullest, best = k, n
		}
	}
	return best > 0
}

// compartmentOf returns the number in compartments.nii.gz of the compartment of a row of the tables. The
// row is the compartment itself, a plate or region of it, or a layer of one of these. The number is 0 for
// "", and math.MaxInt if the result has no such row.
func compartmentOf(r report.Result, row string) int {
	if row == "" {
		return 0
	}
	for n, s := range r.Compartments {
		if s.Compartment == row {
			return n + 1
		}
	}
	for _, s := range r.Regions {
		name := s.Region
		if name == segment.All {
			name = s.Compartment
		}
		if s.Layer != segment.All {
			name += " " + s.Layer
		}
		if name == row {
			return compartmentOf(r, s.Compartment)
		}
	}
	return math.MaxInt
}

// readMask reads compartments.nii.gz.
func (s *sight) readMask() (volume.Labels, error) {
	f, err := openFile(s.folder, report.CompartmentsFile)
	if err != nil {
		return volume.Labels{}, err
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return l, unreadable(report.CompartmentsFile)
	}
	return l, nil
}

// openFile opens a file in a study's folder. Its errors are texts for a tile.
func openFile(folder, name string) (*os.File, error) {
	f, err := os.Open(filepath.Join(folder, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: map the study again", name)
	case err != nil:
		return nil, unreadable(name)
	}
	return f, nil
}

// readResult reads the result.json in a study's folder. Its errors are texts for a tile.
func readResult(folder string) (report.Result, error) {
	r, err := report.ReadResult(filepath.Join(folder, report.ResultFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, errors.New("its folder holds no result.json")
	case err != nil:
		return r, errors.New("its result.json cannot be read")
	}
	return r, nil
}

func unreadable(name string) error {
	return fmt.Errorf("%s cannot be read: map the study again", name)
}

// middle returns the centre of the mask's box in i and j.
func (s *sight) middle() (i, j float64) {
	return float64(s.box.Min.X+s.box.Max.X-1) / 2, float64(s.box.Min.Y+s.box.Max.Y-1) / 2
}

// centreOf returns the patient position of the middle of the mask in a slice, mm LPS.
func (s *sight) centreOf(k int) [3]float64 {
	i, j := s.middle()
	return s.mask.Position(i, j, float64(k))
}

// extent returns the size in mm, across and down, of the mask with its margin; 0 if the visit is missing.
func (s *sight) extent() [2]float64 {
	if s.missing != "" {
		return [2]float64{}
	}
	sp := s.mask.Spacing()
	const margins = 2 * report.CropMarginMM
	return [2]float64{float64(s.box.Dx())*sp[0] + margins, float64(s.box.Dy())*sp[1] + margins}
}

// axes returns the unit vectors of a row, a column and the normal.
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

// sliceAxis returns the axis of the patient (0, 1, 2: x, y, z) that is closest to the normal.
func (s *sight) sliceAxis() int {
	n, best := s.axes()[2], 0
	for r := range 3 {
		if math.Abs(n[r]) > math.Abs(n[best])+1e-6 {
			best = r
		}
	}
	return best
}

// chooseSlice selects the slice of the number or nearest to the position of the row or, if it has neither, the one
// with the most voxels.
func (s *sight) chooseSlice(row Row) {
	s.slice = s.fullest
	position := row.Position
	switch {
	case row.Slice > s.mask.Size[2]:
		s.notes = append(s.notes, fmt.Sprintf("there is no slice %d: the slice with the most voxels", row.Slice))
		return
	case row.Slice > 0:
		s.slice = row.Slice - 1
		return
	case position == nil:
		return
	}
	axis := s.sliceAxis()
	offset := func(k int) float64 { return s.centreOf(k)[axis] - *position }
	for k := range s.mask.Size[2] {
		if math.Abs(offset(k)) < math.Abs(offset(s.slice)) {
			s.slice = k
		}
	}
	s.noteDistance(offset(s.slice), "from the requested position")
}

// followBaseline selects the slice nearest to the one at baseline, and notes differences.
func (s *sight) followBaseline(base *sight) {
	baseline := base.centreOf(base.slice)
	axes := s.axes()
	offset := func(k int) float64 {
		p := s.centreOf(k)
		return dot3(axes[2], [3]float64{p[0] - baseline[0], p[1] - baseline[1], p[2] - baseline[2]})
	}
	for k := range s.mask.Size[2] {
		if math.Abs(offset(k)) < math.Abs(offset(s.slice)) {
			s.slice = k
		}
	}
	s.noteDistance(offset(s.slice), "from the slice at baseline")
	baseAxes := base.axes()
	tilt := angle(axes[2], baseAxes[2])
	turn := max(min(tilt, 180-tilt), angle(axes[0], baseAxes[0]), angle(axes[1], baseAxes[1]))
	if turn > turned {
		s.notes = append(s.notes, fmt.Sprintf("turned by %.0f° from baseline", turn))
	}
	if a, b := s.result.Side, base.result.Side; a != b && a != "" && b != "" {
		s.notes = append(s.notes, fmt.Sprintf("the %s knee, at baseline the %s", printable.Line(a), printable.Line(b)))
	}
}

// noteDistance notes a distance of more than half a slice.
func (s *sight) noteDistance(distance float64, reference string) {
	if distance = math.Abs(distance); !(distance <= s.mask.Spacing()[2]/2+1e-6) {
		s.notes = append(s.notes, fmt.Sprintf("%.1f mm %s", distance, reference))
	}
}

// placeOfSlice returns position and number of the slice: "L 23.4 mm" and "slice 6 of 12".
func (s *sight) placeOfSlice() [2]string {
	axis := s.sliceAxis()
	x := s.centreOf(s.slice)[axis]
	// In LPS, positions grow to the left, to posterior and to superior.
	letter := volume.PatientLetters[axis][1]
	if x < 0 {
		letter = volume.PatientLetters[axis][0]
	}
	return [2]string{fmt.Sprintf("%s %.1f mm", letter, math.Abs(x)),
		fmt.Sprintf("slice %d of %d", s.slice+1, s.mask.Size[2])}
}
