package segment

import (
	"slices"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// rowsAt are marks of two boxes of 6 mm, the first at x from the middle and the second at −x.
func rowsAt(x int, names ...string) Marks {
	g := volume.Geometry{Size: [3]int{100, 10, 10}, Affine: [3][4]float64{{1, 0, 0, -49.5}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	m := Marks{Labels: volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}, Names: names}
	for n, middle := range []int{50 + x, 50 - x} {
		for v := range m.Data {
			if i := v % 100; i >= middle-3 && i < middle+3 {
				m.Data[v] = uint16(n + 1)
			}
		}
	}
	return m
}

// Rows that differ in the words medial and lateral show the side by their places; others do not.
func TestSidesOfRows(t *testing.T) {
	for _, c := range []struct {
		name    string
		marks   Marks
		tissues bool
		want    anatomy.Side
	}{
		{"right", rowsAt(17, "medial", "lateral"), true, anatomy.Right},
		{"left", rowsAt(-17, "medial", "lateral"), true, anatomy.Left},
		{"plates", rowsAt(-17, "medial-tibial", "lateral-tibial"), false, anatomy.Left},
		{"a word inside", rowsAt(9, "patellar-medial", "patellar-lateral"), false, anatomy.Right},
		{"menisci that are rows", rowsAt(17, "medial-meniscus", "lateral-meniscus"), true, anatomy.Right},
		{"tissues that are divided", rowsAt(17, "medial-meniscus", "lateral-meniscus"), false, anatomy.UnknownSide},
		{"too near", rowsAt(3, "medial", "lateral"), true, anatomy.UnknownSide},
		{"other names", rowsAt(17, "medial", "patellofemoral"), true, anatomy.UnknownSide},
		{"one without voxels", rowsAt(17, "medial", "other", "lateral"), true, anatomy.UnknownSide},
	} {
		claims := c.marks.Sides(c.tissues)
		side := anatomy.UnknownSide
		if len(claims) == 1 {
			side = claims[0].Side
		}
		if side != c.want || len(claims) > 1 {
			t.Errorf("%s: %v, want %v", c.name, claims, c.want)
		}
	}
}

// Rows count as cartilage of a knee by their names alone: the tubes of a phantom do not.
func TestKneeMaskRows(t *testing.T) {
	names := []string{"medial", "femoral", "sphere-1", "medial-meniscus", "tibial-cartilage"}
	m := Marks{Names: names}
	m.Size, m.Data = [3]int{5, 1, 1}, []uint16{1, 2, 3, 4, 5}
	want := []anatomy.Tissue{
		anatomy.FemoralCartilage, anatomy.FemoralCartilage, anatomy.NoTissue, anatomy.MedialMeniscus,
		anatomy.TibialCartilage,
	}
	if got := m.KneeMask().Data; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
