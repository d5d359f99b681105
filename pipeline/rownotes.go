package pipeline

import (
	"cmp"
	"fmt"
	"math"

	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/depth"
)

// rowsOf returns the compartments and the regions of a result.
func rowsOf(r *report.Result) []*segment.Summary {
	var out []*segment.Summary
	for _, rows := range [][]segment.Summary{r.Compartments, r.Regions} {
		for n := range rows {
			out = append(out, &rows[n])
		}
	}
	return out
}

// noteExtents notes on rows without voxels why they have none, if the mask marks them, and on the others how much of
// them lies in the field of view and how much of them erosion left.
func (p placedMask) noteExtents(r *report.Result) {
	for _, s := range rowsOf(r) {
		e := p.rowExtent(*s)
		switch {
		case e.marked == 0:
			continue
		case s.Voxels == 0:
			s.Note = cmp.Or(p.absence(e), s.Note)
			continue
		}
		if e.inView < wholeInView {
			s.Note = join(s.Note, percent(e.inView)+" of it lies in the field of view of the series")
		}
		if e.left < e.marked {
			s.Note = join(s.Note, fmt.Sprintf("erosion left %s of it", percent(float64(e.left)/float64(e.marked))))
		}
	}
}

// absence is the reason why none of the marked voxels is on the series; "" if the mask marks none.
func (p placedMask) absence(e extent) string {
	switch {
	case e.marked == 0:
		return ""
	case e.inView == 0:
		return "outside the field of view of the series"
	case e.inView < leastCovered:
		return fmt.Sprintf("mostly outside the field of view of the series (%s of it lies in view, %.0f %% needed)",
			percent(e.inView), 100*leastCovered)
	case e.left == 0:
		return "removed by erosion"
	case p.coverage == nil:
		return ""
	}
	return "too small for the voxels of the series: none of them belongs to it"
}

// notePlates notes on a compartment that consists of only one of its two plates that the other has no voxels, and
// why. A compartment with more voxels than its plates holds voxels that the mask marks with the compartment itself.
func (p placedMask) notePlates(r *report.Result) {
	for n := range r.Compartments {
		row := &r.Compartments[n]
		var present, missing []anatomy.Plate
		voxels := 0
		for _, plate := range anatomy.Plates() {
			if plate.Compartment() != row.Compartment || plateWords[plate].plate == "" {
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
			row.Note = join(row.Note, fmt.Sprintf("%s alone: %s", plateWords[present[0]].plate,
				p.missingPlate(missing[0])))
		}
	}
}

// plateWords are the names of the plates in notes, and the tissues without which they are empty.
var plateWords = map[anatomy.Plate]struct{ plate, tissue string }{
	anatomy.PlateMedialTibial:   {"the medial tibia", "medial tibial cartilage"},
	anatomy.PlateLateralTibial:  {"the lateral tibia", "lateral tibial cartilage"},
	anatomy.PlateMedialFemoral:  {"the medial femur", "cartilage of the medial condyle"},
	anatomy.PlateLateralFemoral: {"the lateral femur", "cartilage of the lateral condyle"},
	anatomy.PlateTrochlear:      {"the trochlea", "trochlea"},
	anatomy.PlatePatellar:       {"the patella", "patella"},
}

// missingPlate says why a plate has no voxels, as a part of a note.
func (p placedMask) missingPlate(plate anatomy.Plate) string {
	if text := p.absence(p.plateExtent(plate)); text != "" {
		return plateWords[plate].plate + " is " + text
	}
	return "the mask has no " + plateWords[plate].tissue
}

// noteLayers notes on a compartment or region how many of its voxels are in no layer, because the mask is one voxel
// thick or no bone is near. Menisci have no layers. Voxels that the mask marks with a row of the results have none
// either; they are counted separately.
func (p placedMask) noteLayers(r *report.Result) {
	if p.regions.Part == nil {
		return
	}
	count := make([]int, len(p.regions.Parts)+1)
	for _, part := range p.regions.Part {
		count[part]++
	}
	for _, s := range rowsOf(r) {
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

// thinVoxels is the number of voxels of the series below which cartilage is too thin to be
// divided into two layers.
const thinVoxels = 2

// noteThin notes on the rows of layers that the cartilage is thin compared with the voxels of the series.
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
			thin, err = p.depths.ThinFor(series, thinVoxels, func(v int) bool {
				return p.parts.InRegion(p.sheet[v], row.Compartment, row.Region)
			})
			if err != nil {
				return err
			}
			thinness[key] = thin
		}
		if thin.VoxelsAcross < thinVoxels {
			row.Note = join(row.Note, fmt.Sprintf("the cartilage is %.1f mm thick, %.1f voxels of the series: its "+
				"layers share voxels", thin.Thickness, math.Floor(10*thin.VoxelsAcross)/10))
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

// percent formats a share below 1. A positive share below 0.01 is "less than 1 %".
func percent(share float64) string {
	n := math.Floor(100 * share)
	if n == 0 && share > 0 {
		return "less than 1 %"
	}
	return fmt.Sprintf("%.0f %%", n)
}
