package segment

import (
	"math"
	"slices"
	"strings"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// leastAside is the least distance in mm between the centres of a medial and a lateral row that show the
// side, as in package anatomy.
const leastAside = 8

// Sides returns claims about the side of the knee by rows that the mask marks: each pair of names that
// differ only in the words medial and lateral, such as medial-tibial and lateral-tibial. In a right knee
// medial is to the patient's left. If tissues is true, the names of tissues count as well, which is right
// if nothing is divided; otherwise package anatomy evaluates them.
func (m Marks) Sides(tissues bool) []anatomy.Claim {
	middle := m.middles()
	var out []anatomy.Claim
	for n, name := range m.Names {
		other := slices.Index(m.Names, otherSide(name))
		if other < 0 || !tissues && anatomy.TissueNamed(name) != anatomy.NoTissue {
			continue
		}
		d := middle[n] - middle[other] // NaN where one has no voxels
		if !(math.Abs(d) >= leastAside) {
			continue
		}
		c := anatomy.Claim{Source: name + " and " + m.Names[other] + " in the mask", Side: anatomy.Right}
		if d < 0 {
			c.Side = anatomy.Left
		}
		out = append(out, c)
	}
	return out
}

// otherSide returns the name with lateral in place of medial; "" if it does not contain medial.
func otherSide(name string) string {
	words := strings.Split(name, "-")
	n := slices.Index(words, "medial")
	if n < 0 {
		return ""
	}
	words[n] = "lateral"
	return strings.Join(words, "-")
}

// middles returns the mean position of the voxels of each name along the left–right axis, mm LPS; NaN
// without voxels.
func (m Marks) middles() []float64 {
	count, sum := make([]float64, len(m.Names)), make([]float64, len(m.Names))
	x := m.Affine[0]
	m.each(func(v, n int, mark uint16) {
		i := m.Index(v)
		// The centre of n voxels in a row of the grid.
		place := x[0]*(float64(i[0])+float64(n-1)/2) + x[1]*float64(i[1]) + x[2]*float64(i[2]) + x[3]
		count[mark-1] += float64(n)
		sum[mark-1] += place * float64(n)
	})
	for n := range sum {
		sum[n] /= count[n]
	}
	return sum
}

// each calls do for each run of n marked voxels in a row of the grid, from v.
func (m Marks) each(do func(v, n int, mark uint16)) {
	for v := 0; v < len(m.Data); {
		n := run(m.Data[v:])
		if mark := m.Data[v]; mark != 0 {
			for start := v; start < v+n; {
				end := min(v+n, (start/m.Size[0]+1)*m.Size[0])
				do(start, end-start, mark)
				start = end
			}
		}
		v += n
	}
}

// KneeMask returns a mask in which the knees can be counted: the tissues, and the rows that are cartilage
// of a knee as femoral cartilage. Other rows, such as the tubes of a phantom, are not in it.
func (m Marks) KneeMask() anatomy.Mask {
	out := m.Tissues()
	m.each(func(v, n int, mark uint16) {
		if kneeRow(m.Names[mark-1]) {
			fill(out.Data[v:v+n], anatomy.FemoralCartilage)
		}
	})
	return out
}

// kneeRow reports whether the name is that of a row of the cartilage of a knee.
func kneeRow(name string) bool {
	return slices.Contains(ranked[:], name) || slices.ContainsFunc(anatomy.Tissues(), func(t anatomy.Tissue) bool {
		return t.Cartilage() && undividedRow(t.String()) == name
	})
}

// OnSide returns the marks on one side of a plane between two knees.
func (m Marks) OnSide(p anatomy.Plane, side anatomy.Side) Marks {
	m.Labels = volume.Labels{Geometry: m.Geometry, Data: slices.Clone(m.Data)}
	for v, mark := range m.Data {
		if mark == 0 {
			continue
		}
		if i := m.Index(v); !p.OnSide(m.Position(float64(i[0]), float64(i[1]), float64(i[2])), side) {
			m.Data[v] = 0
		}
	}
	return m
}
