package dicomio

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/volume"
)

// structureWish selects the attributes of a structure set (PS3.3 C.8.8.5, C.8.8.6 and
// C.8.8.8).
var structureWish = elements.Wish{
	tag.StructureSetROISequence: {tag.ROINumber: nil, tag.ROIName: nil, tag.ReferencedFrameOfReferenceUID: nil},
	tag.ROIContourSequence: {
		tag.ReferencedROINumber: nil,
		tag.ContourSequence: {tag.ContourGeometricType: nil, tag.NumberOfContourPoints: nil, tag.ContourData: nil,
			contourOffset: nil},
	},
	tag.RTROIObservationsSequence: {
		tag.ReferencedROINumber:               nil,
		tag.SegmentedPropertyTypeCodeSequence: typeWish, tag.AnatomicRegionSequence: regionWish,
	},
}

// contourOffset is ContourOffsetVector (retired), which shifts the points of a contour.
var contourOffset = tag.Tag{Group: 0x3006, Element: 0x0045}

// structureReader reads one structure set.
type structureReader struct {
	*maskReader
	home  string // MaskOptions.Frame
	slice *raster
}

// readStructures reads the structures of a structure set.
func readStructures(ctx context.Context, m *maskReader, opt MaskOptions) error {
	r := &structureReader{maskReader: m, home: opt.Frame, slice: newRaster(m.target.Size[0], m.target.Size[1])}
	findFrame := func(s *volume.Segment, item elements.Dataset) error {
		s.Problem = r.findFrame(s, item)
		return nil
	}
	if err := r.declare(tag.StructureSetROISequence, tag.ROINumber, tag.ROIName, findFrame); err != nil {
		return err
	}
	if err := r.observe(); err != nil {
		return err
	}
	return r.draw(ctx)
}

// findFrame records the structure's frame of reference, which is its own or otherwise the
// only one of the structure set, and returns an error if it is missing or not that of the
// series.
func (r *structureReader) findFrame(s *volume.Segment, item elements.Dataset) error {
	uid := item.Text(tag.ReferencedFrameOfReferenceUID)
	if uid == "" {
		switch all := r.framesOfReference(); len(all) {
		case 0:
			return nil
		case 1:
			uid = all[0]
		default:
			return unplaced(r.wrong(tag.ReferencedFrameOfReferenceUID,
				"missing, and the structure set is in %d frames of reference", len(all)),
				"draw the structure on this series"+orIgnore)
		}
	}
	if s.Frame = hash(uid); r.home != "" && s.Frame != r.home {
		return unplaced(r.wrong(tag.ReferencedFrameOfReferenceUID,
			"it is drawn in frame %s, but the series is in frame %s", s.Frame, r.home),
			"draw the structure on this series"+orIgnore)
	}
	return nil
}

// observe reads the codes of the structures, if there are any.
func (r *structureReader) observe() error {
	coded := map[int]bool{}
	for _, item := range r.data.Items(tag.RTROIObservationsSequence) {
		if !item.Has(tag.SegmentedPropertyTypeCodeSequence) && !item.Has(tag.AnatomicRegionSequence) {
			continue
		}
		i, wrong := r.referenced(item, tag.ReferencedROINumber)
		if wrong != nil {
			return wrong
		}
		if coded[i] {
			return r.wrong(tag.RTROIObservationsSequence, "structure %d has two observations with codes",
				r.segments[i].Number)
		}
		coded[i] = true
		if err := r.describe(&r.segments[i], item); err != nil {
			return err
		}
	}
	return nil
}

// draw finds the voxels of every structure.
func (r *structureReader) draw(ctx context.Context) error {
	drawn := map[int]bool{}
	for _, item := range r.data.Items(tag.ROIContourSequence) {
		i, wrong := r.referenced(item, tag.ReferencedROINumber)
		if wrong != nil {
			return wrong
		}
		s := &r.segments[i]
		if drawn[i] {
			return r.wrong(tag.ROIContourSequence, "structure %d appears twice", s.Number)
		}
		drawn[i] = true
		contours, problem, err := r.contours(ctx, s.Number, item.Items(tag.ContourSequence))
		if err != nil {
			return err
		}
		if s.Problem = cmp.Or(s.Problem, problem); s.Problem != nil {
			continue
		}
		if err := r.fill(ctx, s, contours); err != nil {
			return err
		}
	}
	return nil
}

// planar is a contour on a slice of the series.
type planar struct {
	slice  int
	points []point
}

// orIgnore is the other hint about a structure that does not lie on the series.
const orIgnore = ", or, if it is not wanted, give it to `ignore` under `segments` in a scheme file"

// unplaced turns an error into the Problem of a segment, which names file and segment
// itself.
func unplaced(e *FileError, hint string) error {
	e.Path, e.Hint = "", hint
	return e
}

// contours returns the contours of a structure in the grid. The problem says why
// well-formed contours enclose none of its voxels.
func (r *structureReader) contours(ctx context.Context, number int, items []elements.Dataset) (out []planar, problem,
	err error) {
	xor := 0
	for n, item := range items {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		fault := func(e *FileError) *FileError {
			e.Problem = fmt.Sprintf("structure %d, contour %d: %s", number, n+1, e.Problem)
			return e
		}
		misplaced := func(e *FileError, hint string) error {
			e.Problem = fmt.Sprintf("contour %d: %s", n+1, e.Problem)
			return cmp.Or(problem, unplaced(e, hint))
		}
		kind := item.Text(tag.ContourGeometricType)
		points, wrong := r.points(item)
		if wrong != nil {
			return nil, nil, fault(wrong)
		}
		switch kind {
		case "":
			return nil, nil, fault(r.wrong(tag.ContourGeometricType, "missing"))
		case "CLOSED_PLANAR":
		case "CLOSED_PLANAR_XOR", "CLOSEDPLANAR_XOR":
			xor++
		default:
			problem = misplaced(r.wrong(tag.ContourGeometricType, "%.20q encloses no area, want CLOSED_PLANAR", kind),
				"draw the structure as closed contours"+orIgnore)
			continue
		}
		if len(points) < 3 {
			return nil, nil, fault(r.wrong(tag.ContourData, "%d points enclose no area", len(points)))
		}
		c, wrong := r.onSlice(points)
		if wrong != nil {
			problem = misplaced(wrong, "draw the structure on the slices of this series"+orIgnore)
			continue
		}
		out = append(out, c)
	}
	if xor > 0 && xor < len(items) {
		// PS3.3 C.8.8.6.3: all contours must have this type.
		return nil, nil, r.wrong(tag.ContourGeometricType,
			"structure %d: %d of its %d contours are CLOSEDPLANAR_XOR, want all or none", number, xor, len(items))
	}
	return out, problem, nil
}

// points reads the patient positions of a contour.
func (r *structureReader) points(item elements.Dataset) ([][3]float64, *FileError) {
	raw := bytes.TrimRight(item.Bytes(tag.ContourData), " \x00")
	if len(raw) == 0 {
		return nil, r.wrong(tag.ContourData, "missing")
	}
	if v, err := item.Decimals(contourOffset); err != nil ||
		slices.ContainsFunc(v, func(x float64) bool { return x != 0 }) {
		return nil, r.wrong(contourOffset, "shifted contours are not supported")
	}
	count := bytes.Count(raw, []byte{'\\'}) + 1
	if count%3 != 0 {
		return nil, r.wrong(tag.ContourData, "%d numbers are not points of three coordinates", count)
	}
	n, exists, err := item.Integer(tag.NumberOfContourPoints)
	if err != nil {
		return nil, r.wrong(tag.NumberOfContourPoints, "%v", err)
	}
	if exists && n != count/3 {
		return nil, r.wrong(tag.NumberOfContourPoints, "%d, but ContourData (3006,0050) holds %d points", n, count/3)
	}
	out := make([][3]float64, count/3)
	for i := range count {
		text, rest, _ := bytes.Cut(raw, []byte{'\\'})
		raw = rest
		v, err := strconv.ParseFloat(string(bytes.Trim(text, " \x00")), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, r.wrong(tag.ContourData, "%.32q is not a number", text)
		}
		out[i/3][i%3] = v
	}
	return out, nil
}

// onSlice returns the contour on the slice that contains all of its points within
// Geometry.Tolerance: the positions of contours and of slices come from the same headers.
// It must not extend beyond the edge of the slice, half a voxel outside the outermost
// centres, since there is no T2 outside.
func (r *structureReader) onSlice(points [][3]float64) (planar, *FileError) {
	c := planar{points: make([]point, len(points))}
	for n, p := range points {
		voxel := r.target.index(p)
		if far := max(math.Abs(voxel[0]), math.Abs(voxel[1]), math.Abs(voxel[2])); !(far < math.MaxInt32) {
			return c, r.wrong(tag.ContourData, "point %d lies far outside the series", n+1)
		}
		if n == 0 { // the nearest slice
			c.slice = int(min(max(math.Round(voxel[2]), 0), float64(r.target.Size[2]-1)))
		}
		if distance := math.Abs(voxel[2]-float64(c.slice)) * r.target.spacing[2]; !(distance <= r.target.tolerance) {
			return c, r.wrong(tag.ContourData, "point %d lies %.2f mm from slice %d of the series (allowed %.2f mm)",
				n+1, distance, c.slice+1, r.target.tolerance)
		}
		for d := range 2 {
			last := float64(r.target.Size[d]) - 0.5
			if distance := max(-0.5-voxel[d], voxel[d]-last) * r.target.spacing[d]; !(distance <= r.target.tolerance) {
				return c, r.wrong(tag.ContourData, "point %d lies %.2f mm outside the series", n+1, distance)
			}
		}
		c.points[n] = point{voxel[0], voxel[1]}
	}
	return c, nil
}

// fill gives the structure the voxels inside its contours, slice by slice.
func (r *structureReader) fill(ctx context.Context, s *volume.Segment, contours []planar) error {
	slices.SortStableFunc(contours, func(a, b planar) int { return cmp.Compare(a.slice, b.slice) })
	for n, c := range contours {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.slice.add(c.points)
		if n+1 < len(contours) && contours[n+1].slice == c.slice {
			continue
		}
		before := len(s.Voxels)
		s.Voxels = r.slice.collect(s.Voxels, uint32(c.slice*r.target.SliceVoxels()))
		if err := r.target.count(r.header, len(s.Voxels)-before); err != nil {
			return err
		}
	}
	s.Voxels = slices.Clip(s.Voxels)
	return nil
}
