package anatomy_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
)

// realTissues are the labels of the real knee; see its README.
var realTissues = [...]anatomy.Tissue{
	anatomy.NoTissue, anatomy.FemoralCartilage, anatomy.MedialTibialCartilage, anatomy.LateralTibialCartilage,
	anatomy.PatellarCartilage,
	anatomy.Femur, anatomy.Tibia, anatomy.Patella, anatomy.Fibula, anatomy.LateralMeniscus, anatomy.MedialMeniscus,
}

// realKnee reads the right knee of ../shared/data/knee-dess-seg: one NRRD file of bytes in
// gzip, in LPS.
func realKnee(t testing.TB) anatomy.Mask {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "knee-dess-seg", "labels.nrrd"))
	if err != nil {
		t.Skipf("the real knee is not here: %v", err)
	}
	header, data, _ := bytes.Cut(file, []byte("\n\n"))
	var m anatomy.Mask
	for line := range strings.Lines(string(header)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		value = strings.NewReplacer("(", " ", ")", " ", ",", " ").Replace(value)
		switch key {
		case "sizes":
			_, err = fmt.Sscan(value, &m.Size[0], &m.Size[1], &m.Size[2])
		case "space directions":
			a := &m.Affine
			_, err = fmt.Sscan(
				value, &a[0][0], &a[1][0], &a[2][0], &a[0][1], &a[1][1], &a[2][1], &a[0][2], &a[1][2], &a[2][2],
			)
		case "space origin":
			_, err = fmt.Sscan(value, &m.Affine[0][3], &m.Affine[1][3], &m.Affine[2][3])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	labels, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	m.Data = make([]anatomy.Tissue, len(labels))
	for v, l := range labels {
		m.Data[v] = realTissues[l]
	}
	return m
}

// The real knee is a right one, with a notch between condyles that are each in one piece
// over their tibial plateaus.
func TestRealKnee(t *testing.T) {
	m := realKnee(t)
	k, err := anatomy.Examine(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if e := k.Side(); e.Side != anatomy.Right || len(e.Findings) != 3 {
		t.Errorf("side: %+v", e)
	}
	d, err := k.Divide(t.Context(), anatomy.UnknownSide)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Notes) != 0 {
		t.Errorf("notes: %+v", d.Notes)
	}
	centre, count := centres(d)
	for _, r := range anatomy.Regions() {
		t.Logf("%s: %d voxels", r, count[r])
		if count[r] < 1000 {
			t.Errorf("%s: %d voxels", r, count[r])
		}
	}
	f := d.Femur
	t.Logf(
		"notch %.1f, central to %.1f, end %.1f mm, left %.3f, superior %.3f", f.Notch, f.Central, f.End, f.Axes.Left,
		f.Axes.Superior,
	)
	project := func(p, axis [3]float64) float64 {
		return (p[0]-f.Notch[0])*axis[0] + (p[1]-f.Notch[1])*axis[1] + (p[2]-f.Notch[2])*axis[2]
	}
	for _, r := range anatomy.Regions() {
		aside, behind := project(centre[r], f.Axes.Left), project(centre[r], f.Axes.Posterior)
		switch plate := r.Plate(); {
		case plate == anatomy.PlateMedialFemoral || plate == anatomy.PlateMedialTibial: // a right knee: to the patient's left
			if aside < 10 || aside > 35 {
				t.Errorf("%s lies %.1f mm medial of the notch", r, aside)
			}
		case plate == anatomy.PlateLateralFemoral || plate == anatomy.PlateLateralTibial:
			if aside > -10 || aside < -35 {
				t.Errorf("%s lies %.1f mm lateral of the notch", r, -aside)
			}
		case r == anatomy.Trochlear && (behind > -5 || behind < -40):
			t.Errorf("the trochlea lies %.1f mm behind the notch", behind)
		}
	}
	// Each plate is in one piece: 99 % of its voxels or more.
	for _, plate := range []anatomy.Plate{anatomy.PlateMedialFemoral, anatomy.PlateLateralFemoral,
		anatomy.PlateTrochlear} {
		if part := mainPart(d, plate); part < 0.99 {
			t.Errorf("%s: the largest piece has %.4f of the voxels", plate, part)
		}
	}
}

// centres returns the centroid and the number of voxels of each region.
func centres(d anatomy.Division) (centre map[anatomy.Region][3]float64, count map[anatomy.Region]int) {
	centre, count = map[anatomy.Region][3]float64{}, map[anatomy.Region]int{}
	var sum [32][4]float64
	for v, r := range d.Data {
		if r != 0 {
			p := d.Position(float64(v%d.Size[0]), float64(v/d.Size[0]%d.Size[1]), float64(v/(d.Size[0]*d.Size[1])))
			for a := range p {
				sum[r][a] += p[a]
			}
			sum[r][3]++
		}
	}
	for r, s := range sum {
		if s[3] > 0 {
			centre[anatomy.Region(r)] = [3]float64{s[0] / s[3], s[1] / s[3], s[2] / s[3]}
			count[anatomy.Region(r)] = int(s[3])
		}
	}
	return centre, count
}

// mainPart returns the part of the plate's voxels in its largest piece (26 neighbours).
func mainPart(d anatomy.Division, plate anatomy.Plate) float64 {
	seen := make([]bool, len(d.Data))
	in := func(v int) bool { return d.Data[v] != 0 && d.Data[v].Plate() == plate }
	all, largest := 0, 0
	for first := range d.Data {
		if seen[first] || !in(first) {
			continue
		}
		seen[first] = true
		stack, n := []int{first}, 0
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			n++
			for step := range 27 { // cartilage does not reach the faces of this grid
				w := v + step%3 - 1 + d.Size[0]*(step/3%3-1+d.Size[1]*(step/9-1))
				if !seen[w] && in(w) {
					seen[w] = true
					stack = append(stack, w)
				}
			}
		}
		all += n
		largest = max(largest, n)
	}
	return float64(largest) / float64(all)
}

// A mirrored affine changes the side and nothing else.
func TestMirroredAffine(t *testing.T) {
	m := realKnee(t)
	d, err := anatomy.Divide(t.Context(), m, anatomy.Right)
	if err != nil {
		t.Fatal(err)
	}
	for c := range 4 {
		m.Affine[0][c] = -m.Affine[0][c]
	}
	mirror, err := anatomy.Divide(t.Context(), m, anatomy.UnknownSide)
	if err != nil {
		t.Fatal(err)
	}
	if mirror.Side != anatomy.Left {
		t.Errorf("side %v, want left", mirror.Side)
	}
	for v, r := range d.Data {
		if mirror.Data[v] != r {
			t.Fatalf("voxel %d: %v, mirrored %v", v, r, mirror.Data[v])
		}
	}
	if _, err := anatomy.Divide(t.Context(), m, anatomy.Right); problem(err) != "side" {
		t.Errorf("a right knee with a mirrored affine: %v", err)
	}
}

// The order and direction of the grid's axes change nothing.
func TestOrderOfAxes(t *testing.T) {
	m, _ := coarse(t, "R")
	whole, err := anatomy.Divide(t.Context(), m, anatomy.Right)
	if err != nil {
		t.Fatal(err)
	}
	for n, axes := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		flip := [3]bool{n%2 == 0, n%3 == 0, n > 2}
		out := anatomy.Mask{Data: make([]anatomy.Tissue, len(m.Data))}
		for a, source := range axes {
			out.Size[a] = m.Size[source]
		}
		for r := range 3 {
			out.Affine[r][3] = m.Affine[r][3]
			for a, source := range axes {
				out.Affine[r][a] = m.Affine[r][source]
				if flip[a] {
					out.Affine[r][a] = -m.Affine[r][source]
					out.Affine[r][3] += float64(m.Size[source]-1) * m.Affine[r][source]
				}
			}
		}
		place := make([]int, len(m.Data)) // of each voxel of m in out
		for v := range m.Data {
			old := [3]int{v % m.Size[0], v / m.Size[0] % m.Size[1], v / (m.Size[0] * m.Size[1])}
			var index [3]int
			for a, source := range axes {
				if index[a] = old[source]; flip[a] {
					index[a] = m.Size[source] - 1 - index[a]
				}
			}
			place[v] = index[0] + out.Size[0]*(index[1]+out.Size[1]*index[2])
			out.Data[place[v]] = m.Data[v]
		}
		d, err := anatomy.Divide(t.Context(), out, anatomy.Right)
		if err != nil {
			t.Fatal(err)
		}
		for v, r := range whole.Data {
			if d.Data[place[v]] != r {
				t.Errorf("axes %v, flipped %v: a voxel of %v is %v", axes, flip, r, d.Data[place[v]])
				break
			}
		}
	}
}

// BenchmarkRealKnee is side and division of 384 × 384 × 160 voxels.
func BenchmarkRealKnee(b *testing.B) {
	m := realKnee(b)
	b.ReportAllocs()
	for b.Loop() {
		k, err := anatomy.Examine(b.Context(), m)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Divide(b.Context(), k.Side().Side); err != nil {
			b.Fatal(err)
		}
	}
}
