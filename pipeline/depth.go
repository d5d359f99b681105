package pipeline

import (
	"context"
	"fmt"
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
	p.noteEmpty(r)
	p.noteShares(r)
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
	for _, list := range [][]segment.Summary{r.Compartments, r.Regions} {
		for n := range list {
			if list[n].Layer != segment.All {
				continue
			}
			own, member := p.regions.Members(list[n])
			rows, parts, labels.Data = append(rows, &list[n]), append(parts, own), member
		}
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

// join puts two notes into one cell.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// thinVoxels is the number of voxels of the series below which cartilage is too thin to be
// divided into two layers.
const thinVoxels = 2

// noteThin notes on the rows of layers where the cartilage is thin compared with the voxels of the series.
func (p placedMask) noteThin(r *report.Result) error {
	if p.depths == nil {
		return nil
	}
	series := p.regions.Geometry
	if p.transform != nil {
		series = series.Moved(*p.transform)
	}
	thinness := map[[2]string]depth.Thin{} // layers of one row share it
	for n := range r.Regions {
		row := &r.Regions[n]
		if row.Layer == segment.All || row.Voxels == 0 {
			continue
		}
		key := [2]string{row.Compartment, row.Region}
		thin, known := thinness[key]
		if !known {
			var err error
			if thin, err = p.depths.ThinFor(series, thinVoxels, func(v int) bool {
				return p.parts.InRow(p.sheet[v],
					row.Compartment, row.Region)
			}); err != nil {
				return err
			}
			thinness[key] = thin
		}
		if thin.Across < thinVoxels {
			row.Note = join(row.Note, fmt.Sprintf("the cartilage is %.1f mm thick, %.1f voxels of the series: its "+
				"layers share voxels", thin.Thickness, math.Floor(10*thin.Across)/10))
		}
	}
	return nil
}

// plateWords are the plates as notes name them, and the tissues whose absence leaves them empty.
var plateWords = map[anatomy.Plate][2]string{
	anatomy.PlateMedialTibial: {"the medial tibia",
		"medial tibial cartilage"}, anatomy.PlateLateralTibial: {"the lateral tibia", "lateral tibial cartilage"},
	anatomy.PlateMedialFemoral: {"the medial femur",
		"cartilage of the medial condyle"}, anatomy.PlateLateralFemoral: {"the lateral femur", "cartilage of the " +
		"lateral condyle"},
	anatomy.PlateTrochlear: {"the trochlea", "trochlea"}, anatomy.PlatePatellar: {"the patella", "patella"},
}

// notePlates notes on a compartment that one of its plates has no voxels, and why, so that it is the
// other one alone. A compartment with voxels beside its plates has those of the mask's own rows.
func (p placedMask) notePlates(r *report.Result) {
	for n := range r.Compartments {
		row := &r.Compartments[n]
		var present, missing []anatomy.Plate
		voxels := 0
		for _, plate := range anatomy.Plates() {
			if plate.Compartment() != row.Compartment || plateWords[plate][0] == "" {
				continue
			}
			count := 0
			for _, part := range r.Regions {
				if part.Region == string(plate) && part.Layer == segment.All {
					count = part.Voxels
				}
			}
			if voxels += count; count > 0 {
				present = append(present, plate)
			} else {
				missing = append(missing, plate)
			}
		}
		if len(present) == 1 && len(missing) == 1 && voxels == row.Voxels {
			row.Note = join(row.Note, fmt.Sprintf("%s alone: %s", plateWords[present[0]][0],
				p.missingPlate(missing[0])))
		}
	}
}

// noteLayers notes on a compartment or region how many of its voxels are in no layer: where
// the mask is one voxel thick, or no bone side is near. Menisci have no layers, nor have voxels
// that the mask marks with a row of the results; these are counted apart.
func (p placedMask) noteLayers(r *report.Result) {
	if p.regions.Part == nil {
		return
	}
	count := make([]int, len(p.regions.Parts)+1)
	for _, part := range p.regions.Part {
		count[part]++
	}
	for _, rows := range [][]segment.Summary{r.Compartments, r.Regions} {
		for n := range rows {
			s := &rows[n]
			if s.Layer != segment.All {
				continue
			}
			parts, _ := p.regions.Members(*s)
			divided, unlayered := 0, 0
			for _, n := range parts {
				switch part := p.regions.Parts[n-1]; {
				case part.Region == "":
					continue
				case part.Layer == 0 && r.Division.Layers > 0 && !segment.IsMeniscus(part.Compartment):
					unlayered += count[n]
				}
				divided += count[n]
			}
			if unlayered > 0 {
				s.Note = join(s.Note, fmt.Sprintf("%d of %d voxels are in no layer: their depth is not known",
					unlayered, s.Voxels))
			}
			if marked := s.Voxels - divided; marked > 0 && divided > 0 {
				s.Note = join(s.Note, fmt.Sprintf("%d of %d voxels are in no region: the mask marks them as %s",
					marked, s.Voxels, s.Compartment))
			}
		}
	}
}

// profileBins is the number of bins of depth in a profile: a bin of cartilage of 2.5 mm is
// as deep as a pixel.
const profileBins = 10

// measureDepth fills in T2 against depth of each plate.
func (p placedMask) measureDepth(r *report.Result, maps volume.Maps) error {
	if p.depths == nil {
		return nil
	}
	byVoxel := resample.MeanOnto(p.depths.Geometry, p.depths.Voxels, p.depths.Depth, p.regions.Geometry, p.transform)
	depths := make([]float32, len(byVoxel)) // of the plate, and NaN elsewhere
	for _, plate := range anatomy.Plates() {
		if segment.IsMeniscus(string(plate)) {
			continue // which have no bone
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
			Start: b.From, End: b.To, Used: b.N, Excluded: b.Excluded,
			Depth: segment.Number(b.Depth), MeanT2: segment.Number(b.Mean), SDT2: segment.Number(b.SD),
		})
	}
	return out
}

// unrolled returns the femoral cartilage unrolled from its cylinder, or nil if the mask
// has none.
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
		Down: down, Back: p.axes.Posterior, Across: p.columnWidth(cylinder.Axis),
	})
	if err != nil {
		return nil, err
	}
	return &report.Unrolled{Map: m, Side: p.sideName()}, nil
}

// columnWidth is the width in mm of the columns of the unrolled map, so that no column between
// two slices stays empty. The axis of the cylinder may be in the space of the mask.
func (p placedMask) columnWidth(axis [3]float64) float64 {
	if p.transform != nil {
		axis = volume.Rigid{Rotation: p.transform.Inverse().Rotation}.Apply(axis)
	}
	return columnWidth(p.regions.Geometry, axis)
}

// columnWidth is the longest step of the grid along an axis of length 1, rounded up to 0.1 mm,
// and at least 3 mm. The grid's direction nearest to the axis counts in full, so that the maps
// of two visits have the same cells although the knee lay a few degrees differently.
func columnWidth(g volume.Geometry, axis [3]float64) float64 {
	const least = 3 // mm: slices of most series
	width, nearest := float64(least), 0.0
	spacing := g.Spacing()
	full := 0.0 // the step of the direction nearest to the axis
	for c := range 3 {
		along := 0.0
		for r, a := range g.Affine {
			along += a[c] * axis[r]
		}
		along = math.Abs(along)
		width = max(width, along)
		if cos := along / spacing[c]; cos > nearest {
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
		out = append(out, unroll.Point{At: position, T2: float64(maps.T2[v]), Weight: weight})
	}
	return out
}
