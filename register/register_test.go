package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/sandbox"
	"github.com/t2map/t2map/volume"
)

// The module is the one that its README describes, and its elastix has the Version of the results.
func TestModule(t *testing.T) {
	wasm, err := readModule()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("wasm/README.md")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(wasm)
	if got := hex.EncodeToString(sum[:]); !strings.Contains(string(readme), got) {
		t.Errorf("SHA-256 %s is not in wasm/README.md", got)
	}
	if !bytes.Contains(wasm, []byte("elastix version "+Version)) ||
		!strings.Contains(string(readme), "elastix "+Version) {
		t.Errorf("elastix is not of version %s", Version)
	}
}

// transforms returns the number of random transforms, which T2MAP_REGISTER sets: a few suffice for everyday tests.
func transforms(t *testing.T) int {
	text := os.Getenv("T2MAP_REGISTER")
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("T2MAP_REGISTER=%s is not a number of transforms", text)
	}
	return n
}

// Random transforms of up to 10° and 10 mm between a thick T2 series and a thin series of another
// contrast are recovered within 0.3 mm, in the mean over the corners of the joint and at the
// farthest of them, and within 0.3°. The phantom's grids alone limit the agreement to about 0.05
// mm.
func TestRecovered(t *testing.T) {
	k := theKnee(t)
	joint := BoundingBox(k.labels, 0)
	r := rand.New(rand.NewPCG(11, 12))
	for n := range transforms(t) {
		want := random(r, mean(joint.corners()), 10, 10)
		start := time.Now()
		got, err := Rigid(t.Context(), k.first, volume.Map{Geometry: k.thin.Moved(want), Data: k.thin.Data}, Options{})
		if err != nil {
			t.Errorf("%d: %v", n, err)
			continue
		}
		average, corner, degrees := miss(got.Transform, want, joint)
		t.Logf("%4.1f° %4.1f mm: missed by %.3f mm, %.3f mm at a corner, %.3f°; metric %.3f to %.3f; %.1f s",
			got.Rotation, got.Shift, average, corner, degrees, got.Before, got.After, time.Since(start).Seconds())
		if corner > 0.3 || degrees > 0.3 {
			t.Errorf("%d: missed by %.3f mm and %.3f°", n, corner, degrees)
		}
		if got.After <= got.Before || got.Overlap < 0.9 || got.Still || got.Version == "" {
			t.Errorf("%d: %+v", n, got)
		}
	}
}

// Transforms near the limits of 15° and 30 mm are found too, with the field restricted to
// the joint; larger ones are refused, not mistaken for smaller ones.
func TestFar(t *testing.T) {
	k := theKnee(t)
	joint := BoundingBox(k.labels, 0)
	centre := mean(joint.corners())
	far := rotationAbout(centre, [3]float64{1, 2, -1}, 13, [3]float64{-20, 8, 17})
	o := Options{Field: BoundingBox(k.labels, 20)}
	got, err := Rigid(t.Context(), k.first, volume.Map{Geometry: k.thin.Moved(far), Data: k.thin.Data}, o)
	if _, corner, degrees := miss(got.Transform, far, joint); err != nil || corner > 0.3 || degrees > 0.3 {
		t.Errorf("13° and 27 mm: %v, missed by %.3f mm and %.3f°", err, corner, degrees)
	}
	var motion *MotionError
	tooFar := rotationAbout(centre, [3]float64{0, 1, 0}, 3, [3]float64{0, 0, 34})
	_, err = Rigid(t.Context(), k.first, volume.Map{Geometry: k.thin.Moved(tooFar), Data: k.thin.Data}, o)
	if !errors.As(err, &motion) || math.Abs(motion.Shift-34) > 1 {
		t.Errorf("34 mm: %v", err)
	}
	o.MaxRotation, o.Iterations = 5, 50
	_, err = Rigid(t.Context(), k.first, volume.Map{Geometry: k.thin.Moved(far), Data: k.thin.Data}, o)
	if !errors.As(err, &motion) || math.Abs(motion.Rotation-13) > 1 {
		t.Errorf("13° where 5° are accepted: %v", err)
	}
}

// quick suffices for images that are easily registered.
var quick = Options{Iterations: 50, Samples: 1000, Resolutions: 1}

// The same images give the same bits, and an image that did not move is not moved.
func TestSame(t *testing.T) {
	k := theKnee(t)
	moved := volume.Map{
		Geometry: k.thin.Moved(rotationAbout([3]float64{-90, 0, 0}, [3]float64{1, 1, 0}, 4, [3]float64{2, 1, -3})),
		Data:     k.thin.Data,
	}
	first, err := Rigid(t.Context(), k.first, moved, quick)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Rigid(t.Context(), k.first, moved, quick); again != first || err != nil {
		t.Errorf("%+v, then %+v, %v", first, again, err)
	}
	still, err := Rigid(t.Context(), k.first, k.first, quick)
	if _, corner, _ := miss(still.Transform, volume.Identity(), BoundingBox(k.labels, 0)); err != nil || corner > 0.1 {
		t.Errorf("the same image: %v, moved by %.3f mm", err, corner)
	}
}

// ball is a small image of two balls in a box, with some texture.
func ball(size [3]int, spacing [3]float64) volume.Map {
	m := volume.Map{Geometry: volume.Geometry{Size: size}}
	for c := range 3 {
		m.Affine[c][c] = spacing[c]
		m.Affine[c][3] = -spacing[c] * float64(size[c]-1) / 2
	}
	for k := range size[2] {
		for j := range size[1] {
			for i := range size[0] {
				p := m.Position(float64(i), float64(j), float64(k))
				v := 10 + 5*math.Sin(p[0]/5+1)*math.Sin(p[1]/7)*math.Sin(p[2]/6+2)
				if distance(p, [3]float64{-8, 3, 0}) < 9 {
					v += 100
				}
				if distance(p, [3]float64{9, -4, 5}) < 6 {
					v += 60
				}
				m.Data = append(m.Data, float32(v))
			}
		}
	}
	return m
}

func shifted(m volume.Map, shift [3]float64) volume.Map {
	t := volume.Identity()
	t.Shift = shift
	return volume.Map{Geometry: m.Moved(t), Data: m.Data}
}

// edited returns a copy with edited voxels.
func edited(m volume.Map, f func(v int, old float32) float32) volume.Map {
	out := volume.Map{Geometry: m.Geometry, Data: make([]float32, len(m.Data))}
	for v, old := range m.Data {
		out.Data[v] = f(v, old)
	}
	return out
}

func TestUnsuitable(t *testing.T) {
	good := ball([3]int{48, 48, 16}, [3]float64{1, 1, 3})
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	skewed, nowhere := good, good
	skewed.Affine[0][1] = 0.01
	nowhere.Affine[2] = [4]float64{}
	noise := rand.New(rand.NewPCG(3, 4))
	for name, c := range map[string]struct {
		image volume.Map
		want  Problem
	}{
		"flat":    {edited(good, func(int, float32) float32 { return 7 }), Flat},
		"all NaN": {edited(good, func(int, float32) float32 { return nan }), NotFinite},
		"mostly infinite": {edited(good,
			func(v int, old float32) float32 { return map[bool]float32{true: inf, false: old}[v%3 > 0] }), NotFinite},
		"one slice":          {ball([3]int{48, 48, 1}, [3]float64{1, 1, 3}), TooSmall},
		"two slices":         {ball([3]int{48, 48, 2}, [3]float64{1, 1, 5}), TooSmall},
		"tiny":               {ball([3]int{5, 5, 5}, [3]float64{1, 1, 1}), TooSmall},
		"thin":               {ball([3]int{48, 48, 10}, [3]float64{1, 1, 0.5}), TooSmall},
		"skewed":             {skewed, Skewed},
		"without a position": {nowhere, NoPosition},
		"incomplete":         {volume.Map{Geometry: good.Geometry, Data: good.Data[1:]}, Incomplete},
		"empty":              {volume.Map{}, Incomplete},
	} {
		var unsuitable *UnsuitableError
		if _, err := Rigid(t.Context(), c.image, good, quick); !errors.As(err, &unsuitable) ||
			*unsuitable != (UnsuitableError{Fixed, c.want}) {
			t.Errorf("%s, fixed: %v", name, err)
		}
		if _, err := Rigid(t.Context(), good, c.image, quick); !errors.As(err, &unsuitable) ||
			*unsuitable != (UnsuitableError{Moving, c.want}) {
			t.Errorf("%s, moving: %v", name, err)
		}
	}
	var overlap *OverlapError
	if _, err := Rigid(t.Context(), good, shifted(good, [3]float64{0, 500, 0}), quick); !errors.As(err, &overlap) ||
		math.Abs(overlap.Distance-500) > 1e-6 ||
		overlap.Overlap != 0 {
		t.Errorf("500 mm apart: %v", err)
	}
	var unsuitable *UnsuitableError
	elsewhere := Options{Field: Box{Min: [3]float64{900, 0, 0}, Max: [3]float64{910, 10, 10}}}
	_, err := Rigid(t.Context(), good, good, elsewhere)
	if !errors.As(err, &unsuitable) || unsuitable.Problem != NoField {
		t.Errorf("a field outside the image: %v", err)
	}
	var option *OptionError
	for _, o := range []Options{
		{MaxRotation: -1}, {MaxShift: math.NaN()}, {Resolutions: 20}, {Iterations: -3}, {Samples: 1},
	} {
		if _, err := Rigid(t.Context(), good, good, o); !errors.As(err, &option) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	// Noise has no mutual information with an image, wherever it is.
	random := edited(good, func(int, float32) float32 { return noise.Float32() })
	if r, err := Rigid(t.Context(), good, random, quick); err == nil && r.After > 0.1 {
		t.Errorf("noise: %+v", r)
	}
}

// Voxels that are not finite are background, three slices suffice, and bright outliers have no
// effect.
func TestPoor(t *testing.T) {
	good := ball([3]int{64, 64, 16}, [3]float64{1, 1, 3})
	want := [3]float64{3, -2, 4}
	for name, image := range map[string]volume.Map{
		"NaN outside": edited(good, func(v int, old float32) float32 {
			return map[bool]float32{true: float32(math.NaN()), false: old}[v%64 < 4]
		}),
		"one infinite": edited(good, func(v int, old float32) float32 {
			return map[bool]float32{true: float32(math.Inf(1)), false: old}[v == 30000]
		}),
		"outliers": edited(good,
			func(v int, old float32) float32 { return map[bool]float32{true: 1e6, false: old}[v%1000 == 7] }),
		"three slices": ball([3]int{64, 64, 3}, [3]float64{1, 1, 4}),
	} {
		limit := 0.5
		if image.Size[2] == 3 {
			limit = 1 // a quarter of a slice
		}
		r, err := Rigid(t.Context(), image, shifted(good, want), Options{Resolutions: 1, Iterations: 150})
		truth := volume.Rigid{Rotation: volume.Identity().Rotation, Shift: want}
		field := Box{Min: [3]float64{-15, -15, -8}, Max: [3]float64{15, 15, 8}}
		if _, corner, _ := miss(r.Transform, truth, field); err != nil || corner > limit {
			t.Errorf("%s: %v, missed by %.2f mm", name, err, corner)
		}
	}
}

// The registration ends soon after its context, and when its turns are used up.
func TestEnded(t *testing.T) {
	k := theKnee(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Rigid(ended, k.first, k.thin, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if _, err := elastix(); err != nil {
		t.Fatal(err)
	}
	p, err := prepare(k.first, k.thin, Options{}.fill())
	if err != nil {
		t.Fatal(err)
	}
	long := Options{Iterations: 10000}.fill()
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	_, err = run(soon, long.parameters(), p.fixed.picture, p.moving.picture, p.turns(long), p.memory())
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled while running: %v", err)
	}
	t.Logf("ended after %v", time.Since(start))
	var module *ModuleError
	if _, err = run(t.Context(), long.parameters(), p.fixed.picture, p.moving.picture, 1e6, p.memory()); !errors.As(
		err, &module,
	) ||
		!errors.Is(err, sandbox.ErrTurns) {
		t.Errorf("out of turns: %v", err)
	}
	_, err = run(t.Context(), long.parameters(), p.fixed.picture, p.moving.picture, p.turns(long), 8<<20)
	if !errors.As(err, &module) {
		t.Errorf("out of memory: %v", err)
	}
	bad := long.parameters()
	bad["Metric"] = []string{"NoSuchMetric"}
	_, err = run(t.Context(), bad, p.fixed.picture, p.moving.picture, p.turns(long), p.memory())
	if !errors.As(err, &module) || len(err.Error()) > 100 {
		t.Errorf("a metric that does not exist: %v", err)
	}
}

// The result has the same bits on every machine; the expected transform was computed on amd64. The
// images consist of whole numbers, so that they are the same everywhere too.
func TestSameBytesEverywhere(t *testing.T) {
	m := ball([3]int{48, 48, 16}, [3]float64{1, 1, 3})
	for v := range m.Data {
		x, y, z := v%48-24, v/48%48-24, 3*(v/48/48)-24
		value := (x*y + 7*z + x*z/4) % 17
		if x*x+2*y*y+z*z < 200 {
			value += 100
		}
		if (x-12)*(x-12)+(y+9)*(y+9)+(z-4)*(z-4) < 60 {
			value += 60
		}
		m.Data[v] = float32(value)
	}
	got, err := Rigid(t.Context(), m, shifted(m, [3]float64{3, -2, 4.5}), quick)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%v", got))
	if hex := hex.EncodeToString(sum[:8]); hex != "cf8778d3ec19095b" {
		t.Errorf("%s: %+v", hex, got)
	}
}
