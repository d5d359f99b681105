package segment

import (
	"fmt"
	"slices"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// row identifies a summary: a compartment, a region of it, and a layer; the latter two may be All.
type row struct{ compartment, region, layer string }

// IsMeniscus reports whether the row is of one or both menisci, which are not cartilage.
func IsMeniscus(name string) bool {
	return anatomy.TissueNamed(name).Structure() == anatomy.Menisci.Structure()
}

// layerName returns the name of a layer, counted from the bone.
func layerName(layer, layers int) string {
	switch {
	case layers == 2 && layer == 1:
		return "deep"
	case layers == 2 && layer == 2:
		return "superficial"
	}
	return fmt.Sprintf("layer-%d", layer)
}

// LayerNames returns the names of layers from bone to joint: deep and superficial, or
// layer-1 and so on.
func LayerNames(layers int) []string {
	var out []string
	for l := range layers {
		out = append(out, layerName(l+1, layers))
	}
	return out
}

// partRows returns the rows below the compartments and, for each part, the indices of its rows. A plate
// with one region, such as the trochlea, has one row for both.
func (r Regions) partRows() (rows []row, rowsOf [][]int) {
	layers := r.Layers
	for _, name := range r.Names {
		var regions []string
		for _, p := range anatomy.Plates() {
			if p.Compartment() == name && string(p) != name {
				regions = append(regions, string(p))
			}
		}
		for _, reg := range anatomy.Regions() {
			if reg.Compartment() == name && len(reg.Plate().Regions()) > 1 {
				regions = append(regions, reg.String())
			}
		}
		for _, region := range append([]string{All}, regions...) {
			if !slices.ContainsFunc(
				r.Parts, func(p Part) bool { return p.Region != "" && p.in(row{name, region, All}, layers) },
			) {
				continue
			}
			if region != All {
				rows = append(rows, row{name, region, All})
			}
			if IsMeniscus(name) {
				continue // layers are of cartilage
			}
			for _, l := range LayerNames(layers) {
				rows = append(rows, row{name, region, l})
			}
		}
	}
	rowsOf = make([][]int, len(r.Parts))
	for i, p := range r.Parts {
		for n, row := range rows {
			if p.in(row, layers) {
				rowsOf[i] = append(rowsOf[i], n)
			}
		}
	}
	return rows, rowsOf
}

// in reports whether the part lies in the row.
func (p Part) in(r row, layers int) bool {
	return p.Compartment == r.compartment &&
		(r.region == All || r.region == p.Region || r.region == p.Plate) &&
		(r.layer == All || p.Layer > 0 && layerName(p.Layer, layers) == r.layer)
}

// Members returns the parts that belong to a row, and the part of each voxel: Part, or Data if parts are
// compartments.
func (r Regions) Members(s Summary) (parts []uint16, member []uint16) {
	if r.Part == nil {
		return []uint16{uint16(slices.Index(r.Names, s.Compartment) + 1)}, r.Data
	}
	for n, p := range r.Parts {
		if p.in(row{s.Compartment, s.Region, s.Layer}, r.Layers) {
			parts = append(parts, uint16(n+1))
		}
	}
	return parts, r.Part
}

// Renumbered returns a label map in which the voxels of part n have the label number[n]; number[0] is the
// label of the voxels outside.
func (r Regions) Renumbered(number []uint16) volume.Labels {
	l := volume.Labels{Geometry: r.Geometry, Data: make([]uint16, len(r.Part))}
	for v, n := range r.Part {
		l.Data[v] = number[n]
	}
	return l
}
