package dicomio

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// readFrames reads all frames and sorts the voxels.
func (r *segmentReader) readFrames(ctx context.Context) error {
	for n := range r.groups {
		if err := ctx.Err(); err != nil {
			return err
		}
		frame, err := r.place(n)
		if err != nil {
			return err
		}
		pixels, err := r.pixelFrame(n)
		if err != nil {
			return err
		}
		if err := r.fill(n, frame, pixels); err != nil {
			return err
		}
	}
	for i := range r.segments {
		s := &r.segments[i]
		if slices.Sort(s.Voxels); len(slices.Compact(slices.Clone(s.Voxels))) != len(s.Voxels) {
			return r.invalid("segment %d: two frames show the same voxel", s.Number).
				withHint(hintTwice)
		}
		s.Voxels = slices.Clip(s.Voxels)
	}
	return nil
}

// framePixels is the place of a frame in the grid: pixel (c, r) is voxel first + c·column +
// r·row.
type framePixels struct {
	first       [3]int
	column, row [3]int // one of −1, 0, 1 along each axis
	segment     int    // index in segments; −1 in a label map
}

// normal returns the axis of the grid across the frame.
func (f framePixels) normal() int { return 3 - axis(f.column) - axis(f.row) }

// group returns a macro of one frame's functional groups or, if it is absent there, of the
// shared ones.
func (r *segmentReader) group(n int, t tag.Tag) (elements.Dataset, error) {
	for _, d := range []elements.Dataset{r.groups[n], r.shared} {
		item, exists, err := r.onlyItem(d, t)
		if exists || err != nil {
			return item, err
		}
	}
	return elements.Dataset{}, r.frameError(n, r.wrong(t, "missing"))
}

// numbers returns count numbers from a functional group of a frame.
func (r *segmentReader) numbers(n int, macro, t tag.Tag, count int) ([]float64, error) {
	item, err := r.group(n, macro)
	if err != nil {
		return nil, err
	}
	v, err := item.Decimals(t)
	switch {
	case err != nil:
		return nil, r.frameError(n, r.wrong(t, "%v", err))
	case len(v) == 0:
		return nil, r.frameError(n, r.wrong(t, "missing"))
	case len(v) != count:
		return nil, r.frameError(n, r.wrong(t, "%d values, want %d", len(v), count))
	}
	return v, nil
}

// frameError adds the number of the frame to an error.
func (r *segmentReader) frameError(n int, e *FileError) *FileError {
	e.Problem = fmt.Sprintf("frame %d: %s", n+1, e.Problem)
	return e
}

// place finds the voxels of a frame.
func (r *segmentReader) place(n int) (framePixels, error) {
	frame := framePixels{segment: -1}
	position, err := r.numbers(n, tag.PlanePositionSequence, tag.ImagePositionPatient, 3)
	if err != nil {
		return frame, err
	}
	orientation, err := r.numbers(n, tag.PlaneOrientationSequence, tag.ImageOrientationPatient, 6)
	if err != nil {
		return frame, err
	}
	spacing, err := r.numbers(n, tag.PixelMeasuresSequence, tag.PixelSpacing, 2)
	if err != nil {
		return frame, err
	}
	if !(spacing[0] > 0) || !(spacing[1] > 0) {
		return frame, r.frameError(n, r.wrong(tag.PixelSpacing, `%g\%g mm is not a spacing`, spacing[0], spacing[1]))
	}
	// PixelSpacing gives the distance between rows first.
	var column, row [3]float64
	for i := range 3 {
		column[i], row[i] = orientation[i]*spacing[1], orientation[3+i]*spacing[0]
	}
	if err := r.align(n, &frame, [3][3]float64{[3]float64(position), column, row}); err != nil {
		return frame, err
	}
	if r.kind != labelMapType {
		if frame.segment, err = r.segmentOf(n); err != nil {
			return frame, err
		}
	}
	normal := frame.normal()
	key := [3]int{frame.segment, normal, frame.first[normal]}
	if r.seen[key] {
		content := "slice %d of the series appears twice"
		if frame.segment >= 0 {
			content += fmt.Sprintf(" for segment %d", r.segments[frame.segment].Number)
		}
		e := r.frameError(n, r.wrong(tag.PlanePositionSequence, content, frame.first[normal]+1))
		e.Hint = hintTwice
		return frame, e
	}
	r.seen[key] = true
	return frame, nil
}

// hintTwice is the hint about a place that occurs twice for one segment.
const hintTwice = "one of the two may be an earlier state: save the segmentation again with one frame for each " +
	"slice of a segment"

// segmentOf returns the index in segments of the frame's segment.
func (r *segmentReader) segmentOf(n int) (int, error) {
	id, err := r.group(n, tag.SegmentIdentificationSequence)
	if err != nil {
		return 0, err
	}
	s, wrong := r.referenced(id, tag.ReferencedSegmentNumber)
	if wrong != nil {
		return 0, r.frameError(n, wrong)
	}
	return s, nil
}

// align rounds the frame's first voxel and its steps to whole numbers, and refuses the
// frame if that moves a pixel farther than the tolerance. The columns of place hold the
// position of the first pixel and the steps from column to column and from row to row, in
// mm.
func (r *segmentReader) align(n int, frame *framePixels, place [3][3]float64) error {
	exact := [3][3]float64{r.target.index(place[0]), r.target.direction(place[1]), r.target.direction(place[2])}
	for i, voxel := range []*[3]int{&frame.first, &frame.column, &frame.row} {
		for d, v := range exact[i] {
			if !(math.Abs(v) < math.MaxInt32) {
				return r.frameError(n, r.wrong(tag.ImagePositionPatient, "not a valid position"))
			}
			voxel[d] = int(math.Round(v))
		}
	}
	if !isAxis(frame.column) || !isAxis(frame.row) || axis(frame.column) == axis(frame.row) {
		e := r.frameError(n, r.wrong(tag.ImageOrientationPatient,
			"its pixels do not lie on the voxels of the series: rows and columns run %.3g and %.3g voxels from "+
				"pixel to pixel", exact[1], exact[2]))
		e.Hint = "draw the mask on this series, or resample it onto its grid"
		return e
	}
	// The difference of two affine maps is largest at a corner.
	farthest := 0.0
	for corner := range 4 {
		c, w := float64(corner&1*(r.columns-1)), float64(corner>>1*(r.rows-1))
		var d float64
		for i := range 3 {
			truth := place[0][i] + c*place[1][i] + w*place[2][i]
			v := [3]float64{}
			for k := range v {
				v[k] = float64(frame.first[k]) + c*float64(frame.column[k]) + w*float64(frame.row[k])
			}
			x := r.target.Position(v[0], v[1], v[2])[i] - truth
			d += x * x
		}
		farthest = max(farthest, math.Sqrt(d))
	}
	normal := frame.normal()
	nearest := min(max(frame.first[normal], 0), r.target.Size[normal]-1)
	problem := ""
	distance := math.Abs(exact[0][normal]-float64(nearest)) * r.target.spacing[normal]
	if !(distance <= r.target.tolerance) {
		problem = fmt.Sprintf("it lies %.2f mm from the nearest slice of the series", distance)
	} else if !(farthest <= r.target.tolerance) {
		problem = fmt.Sprintf("its pixels lie up to %.2f mm from the voxels of the series", farthest)
	}
	if problem != "" {
		e := r.frameError(n, r.wrong(tag.ImagePositionPatient, "%s (allowed %.2f mm)", problem, r.target.tolerance))
		e.Hint = "draw the mask on this series, or resample it onto its grid"
		return e
	}
	return nil
}

// isAxis reports whether the step goes to a neighbour along one axis.
func isAxis(step [3]int) bool {
	return step[0]*step[0]+step[1]*step[1]+step[2]*step[2] == 1
}

// axis returns the axis of a step.
func axis(step [3]int) int {
	switch {
	case step[0] != 0:
		return 0
	case step[1] != 0:
		return 1
	}
	return 2
}

// fill adds the frame's pixels to their segments. They must lie in the grid
// unless they are background.
func (r *segmentReader) fill(n int, frame framePixels, pixels []byte) error {
	wide := r.allocated == 16
	if want := r.rows * r.columns * ((r.allocated + 7) / 8); len(pixels) != want {
		return r.frameError(n, r.wrong(tag.PixelData, "%d bytes, want %d", len(pixels), want))
	}
	outside := 0
	for i := range r.rows * r.columns {
		var value int
		if wide {
			value = int(binary.LittleEndian.Uint16(pixels[2*i:]))
		} else {
			value = int(pixels[i])
		}
		s := int(r.means[value])
		switch s {
		case noSegment:
			continue
		case member:
			s = frame.segment
		case invalid:
			e := r.frameError(n, r.wrong(tag.PixelData, "value %d has no meaning in this object", value))
			e.Hint = hintAgain
			return e
		}
		v, inside := r.voxel(frame, i%r.columns, i/r.columns)
		if !inside {
			outside++
			continue
		}
		if err := r.target.count(r.header, 1); err != nil {
			return err
		}
		r.segments[s].Voxels = append(r.segments[s].Voxels, v)
	}
	if outside > 0 {
		e := r.frameError(n, r.wrong(tag.ImagePositionPatient, "%d pixels of segments lie outside the series", outside))
		e.Hint = "draw the mask on this series, or crop it to its grid"
		return e
	}
	return nil
}

// voxel returns the index of the voxel at a pixel of the frame.
func (r *segmentReader) voxel(frame framePixels, column, row int) (uint32, bool) {
	v, stride := 0, 1
	for d, size := range r.target.Size {
		i := frame.first[d] + column*frame.column[d] + row*frame.row[d]
		if i < 0 || i >= size {
			return 0, false
		}
		v += i * stride
		stride *= size
	}
	return uint32(v), true
}
