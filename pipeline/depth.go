package pipeline

import (
	"context"
	"math"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/depth"
	"github.com/t2map/t2map/segment/resample"
	"github.com/t2map/t2map/segment/texture"
	"github.com/t2map/t2map/segment/unroll"
	"github.com/t2map/t2map/volume"
)

// summarize fills in the values of compartments, regions and layers.
func (p placedMask) summarize(r *report.Result, maps volume.Maps) (err error) {
	if r.Compartments, err = segment.Summarize(maps, p.regions); err != nil {
		return err
	}
	if r.Regions, err = segment.SummarizeParts(maps, p.regions); err != nil {
		return err
	}
	segment.SetPlateMeans(r.Compartments, r.Regions)
	if err := p.measureTexture(r, maps); err != nil {
		return err
	}
	p.noteExtents(r)
	if p.record != nil {
		p.notePlates(r)
		p.noteLayers(r)
	}
	return p.noteThin(r)
}

// measureTexture sets the texture of compartments and regions.
func (p placedMask) measureTexture(r *report.Result, maps volume.Maps) error {
	var rows []*segment.Summary
	var parts [][]uint16
	labels := volume.Labels{Geometry: p.regions.Geometry}
	for _, row := range rowsOf(r) {
		if row.Layer != segment.All {
			continue
		}
		own, member := p.regions.Members(*row)
		rows, parts, labels.Data = append(rows, row), append(parts, own), member
	}
	if len(rows) == 0 {
		return nil
	}
	all, err := texture.Compute(maps, labels, parts, texture.Options{})
	if err != nil {
		return err
	}
	for n, t := range all {
		rows[n].Texture = segment.Texture{
			Pairs: t.Pairs, Contrast: segment.Number(t.Contrast), Entropy: segment.Number(t.Entropy),
			Homogeneity: segment.Number(t.Homogeneity),
		}
	}
	return nil
}

// profileBins is the number of bins of depth in a profile: a tenth of cartilage of 2.5 mm is as deep as a pixel.
const profileBins = 10

// measureDepth fills in T2 against depth of each plate.
func (p placedMask) measureDepth(r *report.Result, maps volume.Maps) error {
	if p.depths == nil {
		return nil
	}
	byVoxel := resample.VoxelMeans(p.depths.Geometry, p.depths.Voxels, p.depths.Depth, p.regions.Geometry, p.transform)
	depths := make([]float32, len(byVoxel)) // of the plate, and NaN elsewhere
	for _, plate := range anatomy.Plates() {
		if segment.IsMeniscus(string(plate)) {
			continue // a meniscus has no bone, and thus no depth
		}
		measured := false
		for v, d := range byVoxel {
			depths[v] = float32(math.NaN())
			if part := p.regions.Part[v]; part != 0 && p.regions.Parts[part-1].Plate == string(plate) &&
				!math.IsNaN(float64(d)) {
				depths[v], measured = d, true
			}
		}
		if !measured {
			continue
		}
		bins, err := depth.Profile(depths, maps.T2, maps.Status, profileBins)
		if err != nil {
			return err
		}
		r.Profiles = append(r.Profiles, profileOf(plate, bins))
	}
	return nil
}

func profileOf(plate anatomy.Plate, bins []depth.Bin) report.Profile {
	out := report.Profile{Plate: string(plate)}
	for _, b := range bins {
		out.Bins = append(out.Bins, report.ProfileBin{
			Start: b.Low, End: b.High, Used: b.N, Excluded: b.Excluded,
			Depth: segment.Number(b.Depth), MeanT2: segment.Number(b.Mean), SDT2: segment.Number(b.SD),
		})
	}
	return out
}

// unrolled returns the femoral cartilage unrolled from its cylinder, or nil if the mask has no femoral cartilage.
func (p placedMask) unrolled(ctx context.Context, maps volume.Maps) (*report.Unrolled, error) {
	if p.depths == nil {
		return nil, nil
	}
	cylinder, ok, err := unroll.FitCylinder(ctx, p.depths.Sheets[anatomy.OfFemur].Bone, p.axes.Left)
	if !ok {
		return nil, err
	}
	down := p.axes.Superior
	for i := range down {
		down[i] = -down[i]
	}
	m, err := cylinder.Unroll(ctx, p.femoralPoints(maps), unroll.Options{
		Down: down, Back: p.axes.Posterior, Width: p.columnWidth(cylinder.Axis),
	})
	if err != nil {
		return nil, err
	}
	return &report.Unrolled{Map: m, Side: p.sideName()}, nil
}

// columnWidth is the width in mm of the columns of the unrolled map, large enough that no column between two slices
// is empty. The axis is that of the cylinder, in the space of the mask.
func (p placedMask) columnWidth(axis [3]float64) float64 {
	if p.transform != nil {
		axis = volume.Rigid{Rotation: p.transform.Inverse().Rotation}.Apply(axis)
	}
	return columnWidth(p.regions.Geometry, axis)
}

// columnWidth is the longest step of the grid along an axis of length 1, rounded up to 0.1 mm, and at least 3 mm. For
// the direction of the grid nearest to the axis the full step counts, so that the maps of two visits have the same
// cells although the position of the knee differs by a few degrees.
func columnWidth(g volume.Geometry, axis [3]float64) float64 {
	const least = 3 // mm: slices of most series
	width, nearest := float64(least), 0.0
	spacing := g.Spacing()
	full := 0.0 // the step of the direction nearest to the axis
	for c := range 3 {
		step := 0.0
		for r, a := range g.Affine {
			step += a[c] * axis[r]
		}
		step = math.Abs(step)
		width = max(width, step)
		if cos := step / spacing[c]; cos > nearest {
			nearest, full = cos, spacing[c]
		}
	}
	const rounding = 1e-6 // mm: a spacing of 3.3 is not 3.4
	return math.Ceil(10*(max(width, full)-rounding)) / 10
}

// femoralPoints are the used voxels of the femoral cartilage, in the space of the mask.
func (p placedMask) femoralPoints(maps volume.Maps) []unroll.Point {
	femoral := map[string]bool{string(anatomy.PlateMedialFemoral): true, string(anatomy.PlateLateralFemoral): true,
		string(anatomy.PlateTrochlear): true}
	g := p.regions.Geometry
	var out []unroll.Point
	for v, part := range p.regions.Part {
		if part == 0 || maps.Status[v] != volume.Fitted || !femoral[p.regions.Parts[part-1].Plate] {
			continue
		}
		position := g.Position(float64(v%g.Size[0]), float64(v/g.Size[0]%g.Size[1]), float64(v/g.Size[0]/g.Size[1]))
		if p.transform != nil {
			position = p.transform.Apply(position)
		}
		weight := 1.0
		if p.regions.Fraction != nil {
			weight = float64(p.regions.Fraction[v])
		}
		out = append(out, unroll.Point{Position: position, T2: float64(maps.T2[v]), Weight: weight})
	}
	return out
}
