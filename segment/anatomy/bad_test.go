package anatomy_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// coarse returns a knee with voxels of 1 mm, from which tests of bad input start.
func coarse(t testing.TB, name string) (anatomy.Mask, []anatomy.Region) {
	k := knee(t, name, 3)
	return sample(t, k, k.Grid([3]float64{1, 1, 1}))
}

// without returns the mask without tissues.
func without(m anatomy.Mask, gone ...anatomy.Tissue) anatomy.Mask {
	out := anatomy.Mask{Geometry: m.Geometry, Data: slices.Clone(m.Data)}
	for v, t := range out.Data {
		if slices.Contains(gone, t) {
			out.Data[v] = anatomy.NoTissue
		}
	}
	return out
}

// change returns the mask with f applied to each voxel and its index.
func change(m anatomy.Mask, f func(t anatomy.Tissue, i, j, k int) anatomy.Tissue) anatomy.Mask {
	out := anatomy.Mask{Geometry: m.Geometry, Data: make([]anatomy.Tissue, len(m.Data))}
	for v, t := range m.Data {
		out.Data[v] = f(t, v%m.Size[0], v/m.Size[0]%m.Size[1], v/(m.Size[0]*m.Size[1]))
	}
	return out
}

// mirrored returns the mask with its slices in reverse order on the same grid.
func mirrored(m anatomy.Mask) anatomy.Mask {
	n := m.Size[0] * m.Size[1]
	return change(m, func(_ anatomy.Tissue, i, j, k int) anatomy.Tissue {
		return m.Data[i+m.Size[0]*j+n*(m.Size[2]-1-k)]
	})
}

func problem(err error) string {
	var e *anatomy.Error
	var s *anatomy.SideError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &s):
		return "side"
	case errors.As(err, &e):
		return fmt.Sprint(e.Problem)
	}
	return err.Error()
}

func want(p anatomy.Problem) string { return fmt.Sprint(p) }

// Each bad mask is refused for its own reason.
func TestBadMasks(t *testing.T) {
	m, _ := coarse(t, "R")
	bones := []anatomy.Tissue{anatomy.Femur, anatomy.Tibia, anatomy.Patella, anatomy.Fibula}
	behind := func(t anatomy.Tissue) bool { return t == anatomy.PatellarCartilage || t == anatomy.Patella }
	for _, c := range []struct {
		name string
		mask anatomy.Mask
		side anatomy.Side
		want string
	}{
		{"sound", m, anatomy.Right, ""},
		{"empty", anatomy.Mask{Geometry: m.Geometry, Data: make([]anatomy.Tissue, len(m.Data))}, anatomy.Right,
			want(anatomy.Empty)},
		{"bones alone", change(m, func(t anatomy.Tissue, _, _, _ int) anatomy.Tissue {
			if slices.Contains(bones, t) {
				return t
			}
			return 0
		}), anatomy.Right, want(anatomy.Empty)},
		{"wrong size", anatomy.Mask{Geometry: m.Geometry, Data: m.Data[1:]}, anatomy.Right, want(anatomy.WrongSize)},
		{"one voxel", change(m, func(_ anatomy.Tissue, i, j, k int) anatomy.Tissue {
			if i == 40 && j == 50 && k == 30 {
				return anatomy.FemoralCartilage
			}
			return 0
		}), anatomy.Right, want(anatomy.TooFew)},
		{"one slice", change(m, func(t anatomy.Tissue, _, _, k int) anatomy.Tissue {
			if k == 20 {
				return t
			}
			return 0
		}), anatomy.Right, want(anatomy.Flat)},
		{"the other knee", m, anatomy.Left, "side"},
		{"mirrored in its grid", mirrored(m), anatomy.Right, "side"},
		{"medial and lateral tibia exchanged", change(m, func(t anatomy.Tissue, _, _, _ int) anatomy.Tissue {
			switch t {
			case anatomy.MedialTibialCartilage:
				return anatomy.LateralTibialCartilage
			case anatomy.LateralTibialCartilage:
				return anatomy.MedialTibialCartilage
			}
			return t
		}), anatomy.Right, "side"},
		{"both plateaus as the medial one", change(m, tibiaAs(anatomy.MedialTibialCartilage)), anatomy.Right,
			want(anatomy.BothSides)},
		{"both plateaus as the lateral one, no femur",
			without(change(m, tibiaAs(anatomy.LateralTibialCartilage)), anatomy.FemoralCartilage),
			anatomy.Right, want(anatomy.BothSides)},
		{"both menisci as the medial one", change(m, func(t anatomy.Tissue, _, _, _ int) anatomy.Tissue {
			if t == anatomy.LateralMeniscus {
				return anatomy.MedialMeniscus
			}
			return t
		}), anatomy.Right, want(anatomy.BothSides)},
		{"one plateau alone", without(m, anatomy.LateralTibialCartilage), anatomy.Right, ""},
		{"two patellae", change(m, func(t anatomy.Tissue, i, j, k int) anatomy.Tissue {
			if i+60 < m.Size[0] && t == 0 {
				return 0
			}
			if i >= 75 && t == 0 && m.Data[i-75+m.Size[0]*(j+m.Size[1]*k)] == anatomy.PatellarCartilage {
				return anatomy.PatellarCartilage
			}
			return t
		}), anatomy.Right, want(anatomy.TwoPatellae)},
		{"patella behind", without(change(m, func(t anatomy.Tissue, i, j, k int) anatomy.Tissue {
			if i >= 85 && behind(m.Data[i-85+m.Size[0]*(j+m.Size[1]*k)]) {
				return m.Data[i-85+m.Size[0]*(j+m.Size[1]*k)]
			}
			if behind(t) {
				return 0
			}
			return t
		})), anatomy.Right, want(anatomy.Askew)},
		{"upside down", func() anatomy.Mask {
			out := m
			for c := range 4 {
				out.Affine[1][c], out.Affine[2][c] = -out.Affine[1][c], -out.Affine[2][c]
			}
			return out
		}(), anatomy.Right, want(anatomy.Askew)},
		{"x and y exchanged in sign, as RAS for LPS", func() anatomy.Mask {
			out := m
			for c := range 4 {
				out.Affine[0][c], out.Affine[1][c] = -out.Affine[0][c], -out.Affine[1][c]
			}
			return out
		}(), anatomy.Right, want(anatomy.Askew)},
		{"half a femur", change(m, func(t anatomy.Tissue, _, _, k int) anatomy.Tissue {
			if k < m.Size[2]/2-6 && t == anatomy.FemoralCartilage {
				return 0
			}
			return t
		}), anatomy.Right, want(anatomy.NoNotch)},
		{"no side", change(without(m, anatomy.Fibula, anatomy.MedialMeniscus, anatomy.LateralMeniscus), undivided),
			anatomy.UnknownSide, want(anatomy.NoSide)},
	} {
		if _, err := anatomy.Divide(t.Context(), c.mask, c.side); problem(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// tibiaAs gives both plateaus one tissue.
func tibiaAs(one anatomy.Tissue) func(anatomy.Tissue, int, int, int) anatomy.Tissue {
	return func(t anatomy.Tissue, _, _, _ int) anatomy.Tissue {
		if t == anatomy.MedialTibialCartilage || t == anatomy.LateralTibialCartilage {
			return one
		}
		return t
	}
}

// undivided is the tibia in one label.
func undivided(t anatomy.Tissue, _, _, _ int) anatomy.Tissue {
	if t == anatomy.MedialTibialCartilage || t == anatomy.LateralTibialCartilage {
		return anatomy.TibialCartilage
	}
	return t
}

// Masks that lack tissues, or whose tissues are undivided or already divided, have the same regions.
func TestLessAndMore(t *testing.T) {
	m, truth := coarse(t, "L")
	tibia := []anatomy.Tissue{anatomy.MedialTibialCartilage, anatomy.LateralTibialCartilage}
	menisci := []anatomy.Tissue{anatomy.MedialMeniscus, anatomy.LateralMeniscus}
	bones := []anatomy.Tissue{anatomy.Femur, anatomy.Tibia, anatomy.Patella, anatomy.Fibula}
	for _, c := range []struct {
		name  string
		mask  anatomy.Mask
		least float64 // of the voxels of each region
		note  anatomy.NoteKind
	}{
		{"whole", m, 0.95, 0},
		{"no bones", without(m, bones...), 0.95, 0},
		{"no patella", without(m, anatomy.PatellarCartilage, anatomy.Patella), 0.95, anatomy.TrochleaAlone},
		{"no femur", without(m, anatomy.FemoralCartilage, anatomy.Femur), 0.93, anatomy.NoFemur},
		{"no tibia", without(m, tibia...), 0.9, anatomy.AxesByMenisci},
		{"femur and patella alone", without(without(m, append(tibia, menisci...)...), bones...), 0.65, anatomy.AxesByFemur},
		{"undivided tibia", change(m, undivided), 0.95, 0},
		{"menisci in one", change(m, func(t anatomy.Tissue, _, _, _ int) anatomy.Tissue {
			if slices.Contains(menisci, t) {
				return anatomy.Menisci
			}
			return t
		}), 0.95, 0},
		{"condyles named", withRegions(m, truth, true), 0.95, 0},
		{"all named", withRegions(m, truth, false), 0.95, 0},
		{"crumbs", change(m, func(t anatomy.Tissue, i, j, k int) anatomy.Tissue {
			if t == 0 && i%29 == 3 && j%31 == 5 && k%17 == 2 {
				return anatomy.FemoralCartilage
			}
			return t
		}), 0.95, anatomy.Omitted},
	} {
		d, err := anatomy.Divide(t.Context(), c.mask, anatomy.Left)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		have := make([]anatomy.Region, len(truth))
		for v, x := range c.mask.Data {
			if x != 0 {
				have[v] = truth[v]
			}
		}
		parts, least := right(d.Data, have)
		if least < c.least {
			t.Errorf("%s: %v", c.name, parts)
		}
		if c.note != 0 && !slices.ContainsFunc(d.Notes, func(n anatomy.Note) bool { return n.Kind == c.note }) {
			t.Errorf("%s: no note %d in %v", c.name, c.note, d.Notes)
		}
		for v, r := range d.Data {
			if r == 0 && truth[v] == 0 { // an omitted piece
				continue
			}
			x := c.mask.Data[v]
			if (r != 0) != (x.Cartilage() || x >= anatomy.Menisci && x <= anatomy.LateralMeniscus) {
				t.Fatalf("%s: a voxel of %v is %v", c.name, c.mask.Data[v], r)
			}
		}
		t.Logf("%s: %.4f", c.name, least)
	}
}

// withRegions returns the mask with femoral cartilage divided into the tissues of the true regions.
func withRegions(m anatomy.Mask, truth []anatomy.Region, condyles bool) anatomy.Mask {
	tissueOf := map[anatomy.Region]anatomy.Tissue{
		anatomy.Trochlear:               anatomy.TrochlearCartilage,
		anatomy.MedialFemoralCentral:    anatomy.MedialCentralFemoralCartilage,
		anatomy.MedialFemoralPosterior:  anatomy.MedialPosteriorFemoralCartilage,
		anatomy.LateralFemoralCentral:   anatomy.LateralCentralFemoralCartilage,
		anatomy.LateralFemoralPosterior: anatomy.LateralPosteriorFemoralCartilage,
	}
	if condyles {
		tissueOf[anatomy.MedialFemoralCentral] = anatomy.MedialFemoralCartilage
		tissueOf[anatomy.MedialFemoralPosterior] = anatomy.MedialFemoralCartilage
		tissueOf[anatomy.LateralFemoralCentral] = anatomy.LateralFemoralCartilage
		tissueOf[anatomy.LateralFemoralPosterior] = anatomy.LateralFemoralCartilage
	}
	out := without(m)
	for v, t := range out.Data {
		if t == anatomy.FemoralCartilage {
			out.Data[v] = tissueOf[truth[v]]
		}
	}
	return out
}

// A mask of part of a knee is refused, or divided like the whole.
func TestHalf(t *testing.T) {
	m, _ := coarse(t, "R")
	whole, err := anatomy.Divide(t.Context(), m, anatomy.Right)
	if err != nil {
		t.Fatal(err)
	}
	for axis := range 3 {
		for _, upper := range []bool{false, true} {
			for _, part := range []float64{0.4, 0.5, 0.6, 0.75} {
				half, truth := crop(m, whole.Data, axis, part, upper)
				d, err := anatomy.Divide(t.Context(), half, anatomy.Right)
				if err != nil {
					t.Logf("axis %d, upper %v, %g: %v", axis, upper, part, err)
					continue
				}
				parts, least := right(d.Data, truth)
				t.Logf("axis %d, upper %v, %g: %.4f", axis, upper, part, least)
				if least < 0.98 {
					t.Errorf("axis %d, upper %v, %g: %v", axis, upper, part, parts)
				}
			}
		}
	}
}

// crop returns a part of the mask and of the regions along an axis.
func crop(
	m anatomy.Mask, regions []anatomy.Region, axis int, part float64, upper bool,
) (anatomy.Mask, []anatomy.Region) {
	n := int(part * float64(m.Size[axis]))
	start := [3]int{}
	if upper {
		start[axis] = m.Size[axis] - n
	}
	out := anatomy.Mask{Geometry: m.Geometry}
	out.Size[axis] = n
	for r := range 3 {
		out.Affine[r][3] += float64(start[axis]) * m.Affine[r][axis]
	}
	var truth []anatomy.Region
	for k := range out.Size[2] {
		for j := range out.Size[1] {
			for i := range out.Size[0] {
				v := i + start[0] + m.Size[0]*(j+start[1]+m.Size[1]*(k+start[2]))
				out.Data = append(out.Data, m.Data[v])
				truth = append(truth, regions[v])
			}
		}
	}
	return out, truth
}

// Knees separates two knees; Divide refuses them.
func TestTwoKnees(t *testing.T) {
	r, _ := coarse(t, "R")
	l, _ := coarse(t, "L")
	g := volume.Geometry{Size: [3]int{260, 140, 150}}
	for a := range 3 {
		g.Affine[a][a] = 1
	}
	centre := knee(t, "R", 3).Position(0, 0, 0)
	g.Affine[0][3], g.Affine[1][3], g.Affine[2][3] = -130, centre[1]-75, centre[2]-70
	m := anatomy.Mask{Geometry: g, Data: make([]anatomy.Tissue, g.Voxels())}
	for _, one := range []anatomy.Mask{r, l} {
		for v, tissue := range one.Data {
			p := one.Position(
				float64(v%one.Size[0]), float64(v/one.Size[0]%one.Size[1]), float64(v/(one.Size[0]*one.Size[1])),
			)
			i, j, k := int(
				math.Round(p[0]-g.Affine[0][3]),
			), int(
				math.Round(p[1]-g.Affine[1][3]),
			), int(
				math.Round(p[2]-g.Affine[2][3]),
			)
			if tissue != 0 && i >= 0 && i < 260 && j >= 0 && j < 140 && k >= 0 && k < 150 {
				m.Data[i+260*(j+140*k)] = tissue
			}
		}
	}
	if _, err := anatomy.Divide(t.Context(), m, anatomy.Right); problem(err) != want(anatomy.TwoKnees) {
		t.Errorf("two knees: %v", err)
	}
	knees, err := anatomy.Knees(t.Context(), m)
	if err != nil || len(knees) != 2 {
		t.Fatalf("%d knees, %v", len(knees), err)
	}
	for n, want := range []anatomy.Side{anatomy.Right, anatomy.Left} {
		k, err := anatomy.Examine(t.Context(), knees[n])
		if err != nil {
			t.Fatal(err)
		}
		if got := k.Side(); got.Side != want {
			t.Errorf("knee %d: %+v, want %v", n, got, want)
		}
	}
	if one, err := anatomy.Knees(t.Context(), r); err != nil || len(one) != 1 {
		t.Errorf("one knee: %d, %v", len(one), err)
	}
}

// The error lists the side according to each source.
func TestAgree(t *testing.T) {
	m, _ := coarse(t, "R")
	k, err := anatomy.Examine(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	e := k.Side()
	if got, err := e.Agree(anatomy.Claim{Source: "Laterality", Side: anatomy.Right},
		anatomy.Claim{Source: "manifest"}); got != anatomy.Right ||
		err != nil {
		t.Errorf("%v, %v", got, err)
	}
	_, err = e.Agree(anatomy.Claim{Source: "Laterality", Side: anatomy.Left})
	const text = "the sources contradict each other about the side of the knee: Laterality says left, " +
		"medial-tibial-cartilage in the mask says right, medial-meniscus in the mask says right, " +
		"fibula in the mask says right"
	if err == nil || err.Error() != text {
		t.Errorf("got %v, want %s", err, text)
	}
	k, err = anatomy.Examine(
		t.Context(), change(without(m, anatomy.Fibula, anatomy.MedialMeniscus, anatomy.LateralMeniscus), undivided),
	)
	if err != nil {
		t.Fatal(err)
	}
	if e := k.Side(); e.Decided() || e.Contradictory() {
		t.Errorf("an undivided tibia shows %+v", e)
	}
}
