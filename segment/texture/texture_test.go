package texture

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/volume"
)

// reference is a texture by scikit-image.
type reference struct {
	// Case is columns, rows, slices, levels, distance, roughness and the part in 8 that is outside.
	Case                                                                    [7]int
	Pairs                                                                   int
	Contrast, Dissimilarity, Homogeneity, ASM, Energy, Correlation, Entropy float64
}

// image makes the image of a case as reference.py does: T2 in the middle of its levels, of which
// 0 to 100 ms have as many as the case says, and a mask.
func image(c [7]int) (volume.Maps, volume.Labels) {
	g := volume.Geometry{Size: [3]int{c[0], c[1], c[2]}}
	n := g.Voxels()
	m := volume.Maps{Geometry: g, T2: make([]float32, n), Status: make([]volume.Status, n)}
	l := volume.Labels{Geometry: g, Data: make([]uint16, n)}
	levels, rough := c[3], c[5]
	state := 12345
	for v := range n {
		i, j, k := v%c[0], v/c[0]%c[1], v/(c[0]*c[1])
		state = (state*1103515245 + 12345) % (1 << 31)
		noise := (state>>16)%(2*rough+1) - rough
		level := (i*levels/c[0]+2*(j*levels/c[1]))/3 + k + noise
		level = min(max(level, 0), levels-1)
		m.T2[v] = float32((float64(level) + 0.5) * 100 / float64(levels))
		m.Status[v] = volume.Fitted
		if (state>>10)%8 >= c[6] {
			l.Data[v] = 1
		}
	}
	return m, l
}

func references(t *testing.T) []reference {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []reference
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func maskOf(x Texture) reference {
	return reference{
		Pairs: x.Pairs, Contrast: x.Contrast, Dissimilarity: x.Dissimilarity,
		Homogeneity: x.Homogeneity, ASM: x.ASM, Energy: x.Energy, Correlation: x.Correlation, Entropy: x.Entropy,
	}
}

// near allows for sums in another order.
var near = cmpopts.EquateApprox(1e-11, 1e-11)

// All figures are those of scikit-image: whole rectangles, masks, several slices and distances.
// Voxels may be excluded because they are outside the region, or not fitted.
func TestAgainstScikitImage(t *testing.T) {
	all := references(t)
	if len(all) < 9 {
		t.Fatalf("%d references", len(all))
	}
	for _, want := range all {
		c := want.Case
		m, l := image(c)
		o := Options{Levels: c[3], Distance: c[4]}
		want.Case = [7]int{}
		for _, byName := range []string{"region", "status", "another region"} {
			for v := range l.Data {
				switch outside := l.Data[v] != 1; {
				case outside && byName == "status":
					l.Data[v], m.Status[v] = 1, volume.OutOfRange
				case outside && byName == "another region":
					l.Data[v] = 2
				}
			}
			got, err := Compute(m, l, [][]uint16{{1}}, o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, maskOf(got[0]), near); d != "" {
				t.Errorf("case %v, masked by %s:\n%s", c, byName, d)
			}
			m, l = image(c)
		}
	}
}

// The reference file equals the output of its script.
func TestReference(t *testing.T) {
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(python, "-c", "import skimage").Run() != nil {
			continue
		}
		out, err := exec.Command(python, filepath.Join("testdata", "reference.py")).Output()
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			t.Fatalf("%v\n%s", err, failed.Stderr)
		} else if err != nil {
			t.Fatal(err)
		}
		var fresh []reference
		if err := json.Unmarshal(out, &fresh); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(fresh, references(t), near); d != "" {
			t.Errorf("reference.json is not what reference.py prints:\n%s", d)
		}
		return
	}
	t.Skip("python with scikit-image (Debian: python3-skimage) is not installed")
}

// Rows share labels: pairs across two labels belong to the rows that have both.
func TestRows(t *testing.T) {
	m, whole := image([7]int{30, 26, 4, 32, 1, 4, 0})
	parts := volume.Labels{Geometry: whole.Geometry, Data: make([]uint16, len(whole.Data))}
	for v := range parts.Data {
		parts.Data[v] = uint16(1 + v%30/10) // three stripes
	}
	one, err := Compute(m, whole, [][]uint16{{1}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Compute(m, parts, [][]uint16{{3, 1, 2, 2}, {1}, {1, 3}, {2, 3}, {}, {9}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(one[0], got[0], near); d != "" {
		t.Errorf("stripes together:\n%s", d)
	}
	// A stripe of 10 × 26 voxels has 9·26 + 10·25 + 2·9·25 pairs in each of four slices; the
	// border of two stripes 26 + 2·25.
	const stripe, border = 4 * (9*26 + 10*25 + 2*9*25), 4 * (26 + 2*25)
	for r, want := range []int{3*stripe + 2*border, stripe, 2 * stripe, 2*stripe + border, 0, 0} {
		if got[r].Pairs != want {
			t.Errorf("row %d: %d pairs, want %d", r, got[r].Pairs, want)
		}
	}
	if got[4].Missing != TooFewPairs || got[5].Voxels != 0 {
		t.Errorf("%+v", got[4:])
	}
}

// square is a region of n × n voxels with that T2.
func square(n int, t2 func(i, j int) float64) (volume.Maps, volume.Labels) {
	m, l := image([7]int{n, n, 1, 32, 1, 0, 0})
	for v := range m.T2 {
		m.T2[v] = float32(t2(v%n, v/n))
	}
	return m, l
}

// Regions without texture, regions that are too small, and T2 outside the range.
func TestLimits(t *testing.T) {
	// 2·n·(n − 1) + 2·(n − 1)² pairs: 72 of 5 × 5 voxels, 110 of 6 × 6.
	m, l := square(5, func(i, _ int) float64 { return 10 * float64(i) })
	got, _ := Compute(m, l, [][]uint16{{1}}, Options{})
	x := got[0]
	if x.Missing != TooFewPairs || x.Pairs != 72 || !math.IsNaN(x.Contrast) || !math.IsNaN(x.Entropy) ||
		!math.IsNaN(x.Correlation) ||
		x.Missing.String() != "fewer than 100 pairs of voxels" {
		t.Errorf("%+v", x)
	}
	m, l = square(6, func(i, _ int) float64 { return 40 })
	got, _ = Compute(m, l, [][]uint16{{1}}, Options{})
	x = got[0]
	if x.Pairs != 110 || x.Contrast != 0 || x.Homogeneity != 1 || x.ASM != 1 || x.Entropy != 0 ||
		math.Signbit(x.Entropy) ||
		!math.IsNaN(x.Correlation) ||
		x.Missing != OneLevel ||
		x.Missing.String() == "" {
		t.Errorf("%+v", x)
	}
	// 0, 100 and 100.1 ms, of which the last is out of range; 4 levels of 25 ms; columns alternate.
	m, l = square(6, func(i, j int) float64 { return []float64{0, 100, 0, 100.1, 0, 24.9}[i] })
	got, _ = Compute(m, l, [][]uint16{{1}}, Options{Levels: 4})
	x = got[0]
	// Levels 0 3 0 3 0 0: across, 4 of 5 neighbours differ by 3, along the diagonals too; down none.
	want := (4*6 + 2*4*5) * 9.0 / 110
	if x.OutOfRange != 6 || x.Voxels != 36 || math.Abs(x.Contrast-want) > 1e-12 ||
		math.Abs(x.Dissimilarity-want/3) > 1e-12 ||
		x.Missing != NotMissing {
		t.Errorf("%+v, want a contrast of %g", x, want)
	}
	m, l = square(6, func(i, j int) float64 { return -5 })
	if got, _ = Compute(m, l, [][]uint16{{1}}, Options{RangeMS: [2]float64{20, 80}}); got[0].OutOfRange != 36 {
		t.Errorf("%+v", got[0])
	}
}

func TestOptions(t *testing.T) {
	m, l := square(6, func(i, j int) float64 { return 40 })
	for _, o := range []Options{{Levels: 1}, {Levels: 257}, {Levels: -1}, {Distance: -1},
		{RangeMS: [2]float64{50, 50}}, {RangeMS: [2]float64{50, 20}}, {RangeMS: [2]float64{0,
			math.NaN()}}, {RangeMS: [2]float64{0, math.Inf(1)}}} {
		if _, err := Compute(m, l, nil, o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	want := Options{RangeMS: [2]float64{0, 100}, Levels: 32, Distance: 1}
	if got, err := (Options{}).defaults(); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func BenchmarkCompute(b *testing.B) {
	m, l := image([7]int{384, 384, 30, 32, 1, 3, 0})
	for v := range l.Data { // 60,000 voxels, as in a knee
		if l.Data[v] = 0; v%384/6 == 20 || v/384%384/6 == 30 && v%384 < 340 {
			l.Data[v] = uint16(1 + v%6)
		}
	}
	rows := [][]uint16{{1, 2, 3, 4, 5, 6}, {1, 2}, {3, 4}, {5, 6}, {1}, {2}, {3}, {4}, {5}, {6}}
	for b.Loop() {
		if _, err := Compute(m, l, rows, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
