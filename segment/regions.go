package segment

import (
	"cmp"
	"slices"
	"strings"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// Part is the finest division of a mask: the voxels of one compartment, region and layer.
type Part struct {
	// Compartment is a row of the results.
	Compartment string `json:"compartment"`
	// Plate and Region are those of package anatomy; "" if the mask marks the compartment itself.
	Plate  string `json:"plate"`
	Region string `json:"region"`
	// Tissue is the tissue of the mask, if the region consists of several; otherwise "".
	Tissue string `json:"tissue,omitempty"`
	// Layer counts from the bone, 1 to the number of layers; 0 without layers.
	Layer int `json:"layer"`
}

// Parts is a divided mask on its own grid: a voxel with Data p > 0 belongs to Part[p−1].
type Parts struct {
	volume.Labels
	Part []Part
	// Tissue holds the number n of the tissue or row of each part; Marked[n−1] is its name. See Groups
	// for the parts that compete as one for the voxels of another grid.
	Tissue []uint16
	Marked []string
	// Compartments are the rows of the scheme in their order, including those without parts.
	Compartments []string
	// Layers is the number of layers of the cartilage; 0 without layers.
	Layers   int
	Readings []Reading
}

// Groups returns, for each value of Data, a number that the parts of one structure share. A structure is
// the cartilage of a bone, the menisci, or a row that the mask marks, however many labels divide it. The
// number is the lowest of its numbers in Tissue; it is 0 for the background.
func (p Parts) Groups() []uint16 {
	out := make([]uint16, len(p.Part)+1)
	lowest := map[anatomy.Structure]uint16{}
	for _, mark := range p.Tissue {
		s := anatomy.TissueNamed(p.Marked[mark-1]).Structure()
		if known := lowest[s]; known == 0 || mark < known {
			lowest[s] = mark
		}
	}
	for n, mark := range p.Tissue {
		out[n+1] = mark
		if s := anatomy.TissueNamed(p.Marked[mark-1]).Structure(); s != anatomy.NoStructure {
			out[n+1] = lowest[s]
		}
	}
	return out
}

// Whole returns the marks with one part per name, all of which are rows. It is for schemes without
// tissues.
func (m Marks) Whole() Parts {
	p := Parts{Labels: m.Labels, Marked: m.Names, Compartments: m.Names, Readings: m.Readings}
	for n, name := range m.Names {
		p.Part = append(p.Part, Part{Compartment: name})
		p.Tissue = append(p.Tissue, uint16(n+1))
	}
	return p
}

// HasTissue reports whether a voxel is marked with a tissue.
func (m Marks) HasTissue() bool {
	tissue := make([]bool, len(m.Names)+1)
	for n, name := range m.Names {
		tissue[n+1] = anatomy.TissueNamed(name) != anatomy.NoTissue
	}
	for v := 0; v < len(m.Data); v += run(m.Data[v:]) {
		if tissue[m.Data[v]] {
			return true
		}
	}
	return false
}

// Tissues returns the marks as a mask of tissues. Voxels that are marked with a row have NoTissue.
func (m Marks) Tissues() anatomy.Mask {
	lut := make([]anatomy.Tissue, len(m.Names)+1)
	for n, name := range m.Names {
		lut[n+1] = anatomy.TissueNamed(name)
	}
	out := anatomy.Mask{Geometry: m.Geometry, Data: make([]anatomy.Tissue, len(m.Data))}
	shareOut(len(m.Data), func(_, start, end int) {
		for v := start; v < end; {
			n := run(m.Data[v:end])
			if t := lut[m.Data[v]]; t != anatomy.NoTissue {
				fill(out.Data[v:v+n], t)
			}
			v += n
		}
	})
	return out
}

// Divided combines the marks with the region of each voxel and its layer, from 1 at the bone to layers.
// layer is nil without layers, and region is nil if nothing was divided. Voxels of a tissue that have no
// region, such as bone, belong to no part. Voxels that are marked with a row stay in it.
func (m Marks) Divided(region []anatomy.Region, layer []uint8, layers int) Parts {
	t := newPartTable(m.Names, layers)
	out := make([]uint16, len(m.Data))
	used := make([][]bool, shares(len(out))) // of the table, by each share of the voxels
	shareOut(len(out), func(share, start, end int) {
		used[share] = make([]bool, len(t.used))
		m.eachPart(start, end, t, region, layer, func(_, _, index int) { used[share][index] = true })
	})
	for _, own := range used {
		for index, u := range own {
			t.used[index] = t.used[index] || u
		}
	}
	parts, tissue := t.number()
	shareOut(len(out), func(_, start, end int) {
		m.eachPart(start, end, t, region, layer, func(v, end, index int) { fill(out[v:end], t.part[index]) })
	})
	return Parts{
		Labels: volume.Labels{Geometry: m.Geometry, Data: out}, Part: parts, Tissue: tissue,
		Marked: m.Names, Compartments: m.dividedRows(), Layers: layers, Readings: m.Readings,
	}
}

// eachPart calls do with the index in the table of the voxels of the range that belong to a part: for a
// tissue voxel by voxel, as v and v + 1, and for a row run by run.
func (m Marks) eachPart(
	first, last int, t *partTable, region []anatomy.Region, layer []uint8, do func(v, end, index int),
) {
	for v := first; v < last; {
		mark, end := m.Data[v], v+run(m.Data[v:last])
		switch {
		case mark == 0:
		case !t.isTissue[mark]:
			do(v, end, t.index(mark, anatomy.NoRegion, 0))
		case region != nil:
			for w := v; w < end; w++ {
				if region[w] == anatomy.NoRegion {
					continue
				}
				own := uint8(0)
				if layer != nil {
					own = layer[w]
				}
				do(w, w+1, t.index(mark, region[w], own))
			}
		}
		v = end
	}
}

// partTable numbers the parts of a mask by mark, region and layer, in this order. Parts without voxels
// have no number, unless they are rows.
type partTable struct {
	names    []string
	isTissue []bool // of each mark
	layers   int
	regions  int // the number of regions, including NoRegion
	used     []bool
	part     []uint16
}

func newPartTable(names []string, layers int) *partTable {
	t := &partTable{names: names, isTissue: make([]bool, len(names)+1), layers: layers}
	for n, name := range names {
		t.isTissue[n+1] = anatomy.TissueNamed(name) != anatomy.NoTissue
	}
	t.regions = len(anatomy.Regions()) + 1
	n := (len(names) + 1) * t.regions * (layers + 1)
	t.used, t.part = make([]bool, n), make([]uint16, n)
	return t
}

// index returns the index of a part in the table. Rows have no region and no layer.
func (t *partTable) index(mark uint16, r anatomy.Region, layer uint8) int {
	if !t.isTissue[mark] {
		r, layer = anatomy.NoRegion, 0
	}
	return (int(mark)*t.regions+int(r))*(t.layers+1) + int(layer)
}

// number numbers the used parts, and returns them with the mark of each.
func (t *partTable) number() (parts []Part, tissue []uint16) {
	for n, name := range t.names {
		mark := uint16(n + 1)
		if !t.isTissue[mark] {
			parts, tissue = append(parts, Part{Compartment: name}), append(tissue, mark)
			t.part[t.index(mark, anatomy.NoRegion, 0)] = uint16(len(parts))
			continue
		}
		for _, r := range anatomy.Regions() {
			for layer := range t.layers + 1 {
				if i := t.index(mark, r, uint8(layer)); t.used[i] {
					parts = append(
						parts,
						Part{Compartment: r.Compartment(), Plate: string(r.Plate()), Region: r.String(), Layer: layer},
					)
					tissue = append(tissue, mark)
					t.part[i] = uint16(len(parts))
				}
			}
		}
	}
	for n, p := range parts {
		shared := func(m int) bool { return parts[m].Region == p.Region && tissue[m] != tissue[n] }
		for m := range parts {
			if p.Region != "" && shared(m) {
				parts[n].Tissue = t.names[tissue[n]-1]
			}
		}
	}
	return parts, tissue
}

// dividedRows returns the rows of a divided mask: the compartments of its tissues, and the rows that it
// marks.
func (m Marks) dividedRows() []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range m.Names {
		for _, row := range compartmentsOf(name) {
			add(row)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), Natural(a, b)) })
	return names
}

// compartmentsOf returns the compartments that a meaning contributes to.
func compartmentsOf(name string) []string {
	switch t := anatomy.TissueNamed(name); t {
	case anatomy.NoTissue:
		return []string{name}
	case anatomy.FemoralCartilage:
		return []string{Medial, Lateral, Patellofemoral}
	case anatomy.TibialCartilage:
		return []string{Medial, Lateral}
	case anatomy.PatellarCartilage, anatomy.TrochlearCartilage:
		return []string{Patellofemoral}
	case anatomy.Menisci:
		return []string{string(anatomy.PlateMedialMeniscus), string(anatomy.PlateLateralMeniscus)}
	case anatomy.MedialMeniscus, anatomy.LateralMeniscus:
		return []string{name}
	default:
		if !t.Cartilage() {
			return nil // bone
		}
		side, _, _ := strings.Cut(name, "-")
		return []string{side}
	}
}

// InRow reports whether part n, as in Data, belongs to the row of the summary. Part 0 belongs to none.
func (p Parts) InRow(n uint16, s Summary) bool {
	return n != 0 && p.Part[n-1].in(row{s.Compartment, s.Region, s.Layer}, p.Layers)
}

// InRegion reports whether part n, as in Data, belongs to the compartment and, unless that is All,
// to the plate or region. Part 0 belongs to none.
func (p Parts) InRegion(n uint16, compartment, region string) bool {
	return n != 0 && p.Part[n-1].in(row{compartment, region, All}, 0)
}

// Regions is a divided mask on the grid of the series: a voxel with Data r > 0 belongs to
// the compartment Names[r−1], one with 0 to none.
type Regions struct {
	volume.Labels
	Names []string
	// Readings is copied from Marks.
	Readings []Reading
	// Part holds the part of each voxel, as Parts.Data does; nil if parts are compartments.
	Part  []uint16
	Parts []Part
	// Layers is copied from Parts.
	Layers int
	// Fraction holds the fraction of each voxel that its assigned tissue covers, 0 outside; nil if the
	// mask is on the grid of the series.
	Fraction []float32
}

// OnGrid returns the parts as regions of a series on the grid g. part is the part of each of its voxels,
// and fraction the fraction of the voxel that the part covers; fraction is nil if the mask is on that
// grid.
func (p Parts) OnGrid(g volume.Geometry, part []uint16, fraction []float32) Regions {
	r := Regions{
		Labels: volume.Labels{Geometry: g, Data: part}, Names: p.Compartments, Readings: p.Readings,
		Fraction: fraction,
	}
	lut := make([]uint16, len(p.Part)+1)
	same := true // parts have the numbers of their compartments
	for n, part := range p.Part {
		lut[n+1] = uint16(slices.Index(r.Names, part.Compartment) + 1)
		same = same && lut[n+1] == uint16(n+1)
	}
	if same && !slices.ContainsFunc(p.Part, func(p Part) bool { return p.Region != "" }) {
		return r // parts are compartments
	}
	r.Part, r.Parts, r.Layers, r.Data = part, p.Part, p.Layers, make([]uint16, len(part))
	for v := 0; v < len(part); {
		n := run(part[v:])
		if name := lut[part[v]]; name != 0 {
			fill(r.Data[v:v+n], name)
		}
		v += n
	}
	return r
}
