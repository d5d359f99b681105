package phantom

import (
	"context"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// small is a study that is made in a few ms.
func small() Options { return Options{Matrix: 48, Slices: 6, Echoes: 4, Seed: 3} }

func mustNew(t testing.TB, o Options) *Study {
	t.Helper()
	s, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWithoutNoiseEveryVoxelDecaysAsItsTruth(t *testing.T) {
	o := small()
	o.SNR = math.Inf(1)
	s := mustNew(t, o)
	for v, s0 := range s.S0.Data {
		t2 := float64(s.T2.Data[v])
		if (s0 == 0) != math.IsNaN(t2) {
			t.Fatalf("voxel %d: S0 %v with T2 %v", v, s0, t2)
		}
		for e, te := range s.Echoes.TE {
			want := 0.0
			if s0 != 0 {
				want = float64(s0) * math.Exp(-te/t2)
			}
			// Magnitudes are whole numbers.
			if got := float64(s.Echoes.Echo[e][v]); math.Abs(got-want) > 0.5+1e-6 {
				t.Fatalf("voxel %d, TE %v: got %v, want %v", v, te, got, want)
			}
		}
	}
}

// The moments of the Rice distribution: E[M²] = S² + 2σ², and where S = 0
// E[M] = σ·√(π/2). Bounds are four standard errors; rounding adds 1/12 to a
// second moment.
func TestNoiseIsRician(t *testing.T) {
	s := mustNew(t, Options{Matrix: 96, Slices: 8, Echoes: 3, SNR: 25})
	sigma := s.Sigma
	for e, te := range s.Echoes.TE {
		var air, inside, excess, spread float64
		var n, m int
		for v, s0 := range s.S0.Data {
			x := float64(s.Echoes.Echo[e][v])
			if s0 == 0 {
				air += x
				n++
				continue
			}
			signal := float64(s0) * math.Exp(-te/float64(s.T2.Data[v]))
			d := x*x - signal*signal - 1.0/12
			excess += d
			spread += d * d
			inside += signal
			m++
		}
		if got, want := air/float64(n), sigma*math.Sqrt(math.Pi/2); math.Abs(got-want) > 4*0.655*sigma/math.Sqrt(float64(n)) {
			t.Errorf("TE %v: mean in air: got %v, want %v", te, got, want)
		}
		got, want := excess/float64(m), 2*sigma*sigma
		if bound := 4 * math.Sqrt(spread) / float64(m); math.Abs(got-want) > bound {
			t.Errorf("TE %v: mean of M² − S²: got %v, want %v ± %v", te, got, want, bound)
		}
	}
}

// A plain Gauss-Newton fit of both parameters to the echoes after the first.
func fitT2(te []float64, y []float64) float64 {
	s0, rate := 2*y[0], 1/35.0
	for range 40 {
		var a, b, c, u, w float64
		for i, t := range te {
			f := math.Exp(-rate * t)
			js, jr := f, -s0*t*f
			r := y[i] - s0*f
			a, b, c = a+js*js, b+js*jr, c+jr*jr
			u, w = u+js*r, w+jr*r
		}
		det := a*c - b*b
		s0 += (c*u - b*w) / det
		rate += (a*w - b*u) / det
	}
	return 1 / rate
}

func TestFitFindsTheTruthOfEachCompartment(t *testing.T) {
	s := mustNew(t, Options{Seed: 1, Shift: [3]float64{2, 0, -1}})
	var sum [4]float64
	y := make([]float64, len(s.Echoes.TE)-1)
	for v, l := range s.Labels.Data {
		if l == 0 {
			continue
		}
		for e := range y {
			y[e] = float64(s.Echoes.Echo[e+1][v])
		}
		sum[l] += fitT2(s.Echoes.TE[1:], y)
	}
	for c, truth := range s.Truth() {
		got := sum[c+1] / float64(truth.Voxels)
		deviation := 100 * (got/truth.MeanT2 - 1)
		t.Logf("%s: %d voxels, true mean %.2f ms, fitted %.2f ms (%+.2f %%)", truth.Name, truth.Voxels, truth.MeanT2, got,
			deviation)
		// The floor of the last echoes and the curvature of the fit leave about
		// 0.2 % at this SNR; the demo promises well under 1 %.
		if !(math.Abs(deviation) < 0.5) {
			t.Errorf("%s: fitted mean deviates by %.2f %%", truth.Name, deviation)
		}
		// Typical of the OAI: tibia 28–32 to femur 36–40 ms, give or take the person.
		if truth.Voxels < 1000 || truth.MeanT2 < 29 || truth.MeanT2 > 43 {
			t.Errorf("%s: %d voxels of mean T2 %v", truth.Name, truth.Voxels, truth.MeanT2)
		}
	}
}

func TestShiftMovesItsCompartmentAlone(t *testing.T) {
	o := small()
	before := mustNew(t, o).Truth()
	o.Shift = [3]float64{4, 0, -2}
	after := mustNew(t, o).Truth()
	for c, want := range o.Shift {
		if got := after[c].MeanT2 - before[c].MeanT2; math.Abs(got-want) > 1e-5 { // T2 is float32
			t.Errorf("%s: moved by %v ms, want %v", after[c].Name, got, want)
		}
	}
}

func TestSameStudyOnAnyNumberOfProcessors(t *testing.T) {
	want := mustNew(t, small())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, n := range []int{1, 7} {
		runtime.GOMAXPROCS(n)
		got := mustNew(t, small())
		if !sameEchoes(got, want) || !slices.Equal(got.Labels.Data, want.Labels.Data) ||
			got.Labels.Geometry != want.Labels.Geometry {
			t.Errorf("%d processors: another study", n)
		}
	}
}

func sameEchoes(a, b *Study) bool {
	return slices.EqualFunc(a.Echoes.Echo, b.Echoes.Echo, slices.Equal[[]float32])
}

func TestSeedAndVisitChangeTheNoise(t *testing.T) {
	base := mustNew(t, small())
	for name, change := range map[string]func(*Options){
		"seed":    func(o *Options) { o.Seed++ },
		"visit":   func(o *Options) { o.Visit = "month03" },
		"subject": func(o *Options) { o.Subject = "S02" },
	} {
		o := small()
		change(&o)
		if sameEchoes(mustNew(t, o), base) {
			t.Errorf("%s: the same noise", name)
		}
	}
	// Nor do two echoes or slices share it: equal noise would make the air equal.
	n, echo := base.Echoes.SliceVoxels(), base.Echoes.Echo
	if slices.Equal(echo[0][:48], echo[1][:48]) || slices.Equal(echo[0][:48], echo[0][n:n+48]) {
		t.Error("two echoes or slices share their noise")
	}
}

// A left knee is the mirror image of a right one, and in both the medial side
// faces the midline, the trochlea the front.
func TestSides(t *testing.T) {
	o := Options{Matrix: 64, Slices: 12, Echoes: 1, Seed: 5}
	right := mustNew(t, o)
	o.Side = "L"
	left := mustNew(t, o)
	n := right.Labels.SliceVoxels()
	for k := range o.Slices {
		mirrored := (o.Slices - 1 - k) * n
		if !slices.Equal(right.Labels.Data[k*n:(k+1)*n], left.Labels.Data[mirrored:mirrored+n]) {
			t.Errorf("slice %d is not the mirror image", k)
		}
	}
	for _, s := range []*Study{right, left} {
		at := centroids(s)
		sign := 1.0
		if s.Options.Side == "R" {
			sign = -1
		}
		if medial, lateral := sign*at[Medial][0], sign*at[Lateral][0]; !(0 < medial && medial+25 < lateral) {
			t.Errorf("side %s: medial at x = %v, lateral at %v mm", s.Options.Side, at[Medial][0], at[Lateral][0])
		}
		for _, c := range []int{Medial, Lateral} {
			if !(at[Patellofemoral][1] < at[c][1]-20 && at[Patellofemoral][2] > at[c][2]+5) {
				t.Errorf("side %s: patellofemoral at %v, %s at %v mm", s.Options.Side, at[Patellofemoral], Compartments[c], at[c])
			}
		}
	}
}

// centroids returns the mean position of each label in mm LPS.
func centroids(s *Study) [4][3]float64 {
	var at [4][3]float64
	var n [4]float64
	nx, ny := s.Labels.Size[0], s.Labels.Size[1]
	for v, l := range s.Labels.Data {
		p := s.Labels.Position(float64(v%nx), float64(v/nx%ny), float64(v/nx/ny))
		n[l]++
		for r := range p {
			at[l][r] += p[r]
		}
	}
	for l := range at {
		for r := range at[l] {
			at[l][r] /= n[l]
		}
	}
	return at
}

func TestGeometry(t *testing.T) {
	for _, side := range []string{"L", "R"} {
		g := mustNew(t, Options{Matrix: 20, Slices: 10, Echoes: 1, Side: side, Seed: 9}).Echoes.Geometry
		for c, want := range []float64{fieldOfView / 20, fieldOfView / 20, slabWidth / 10} {
			if got := g.Spacing()[c]; math.Abs(got-want) > 1e-9 {
				t.Errorf("side %s: spacing %d: got %v, want %v", side, c, got, want)
			}
		}
		// Orthogonal and right-handed: the volume is the product of the spacings.
		if got, want := g.VoxelVolume(), fieldOfView/20*fieldOfView/20*slabWidth/10; math.Abs(got-want) > 1e-9 {
			t.Errorf("side %s: voxel volume: got %v, want %v", side, got, want)
		}
		// Rows run to posterior, columns to the feet, slices to the right.
		if a := g.Affine; !(a[1][0] > 0.97*fieldOfView/20 && a[2][1] < -0.97*fieldOfView/20 && a[0][2] < -0.97*slabWidth/10) {
			t.Errorf("side %s: affine %v", side, a)
		}
	}
}

// T2 rises from the bone to the surface: a line from the middle of the medial
// condyle straight down crosses cortex and the layers of cartilage.
func TestCartilageIsLayered(t *testing.T) {
	k := &knee{size: 1, cartilage: 2.5, subcutaneous: 7, effusion: 2, patellaHeight: 31}
	s := newSection(k, 20)
	var tissues []tissue
	last := 0.0
	for h := 20.0; h > 0; h -= 0.1 {
		r := s.row(h)
		v := r.voxel(8)
		if len(tissues) == 0 || tissues[len(tissues)-1] != v.tissue {
			tissues = append(tissues, v.tissue)
		}
		if v.tissue != cartilage {
			continue
		}
		if v.label != Medial {
			t.Errorf("h = %.1f: label %d, want medial", h, v.label)
		}
		if v.t2 < last-0.1 { // texture may dip by a little
			t.Errorf("h = %.1f: T2 %v after %v", h, v.t2, last)
		}
		last = v.t2
	}
	if want := []tissue{marrow, cortex, cartilage}; len(tissues) < 3 || !slices.Equal(tissues[:3], want) {
		t.Errorf("down from the condyle: got %v, want first %v", tissues, want)
	}
	if last < 40 {
		t.Errorf("T2 at the surface: got %v, want above 40 ms", last)
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for _, c := range []struct {
		want string
		o    Options
	}{
		{`side: got "left", want L or R`, Options{Side: "left"}},
		{"matrix: got 5", Options{Matrix: 5}},
		{"matrix: got -1", Options{Matrix: -1}},
		{"slices: got 1000", Options{Slices: 1000}},
		{"echoes: got -3", Options{Echoes: -3}},
		{"echo spacing: got -1 ms", Options{EchoSpacing: -1}},
		{"echo spacing: got NaN ms", Options{EchoSpacing: math.NaN()}},
		{"SNR: got -1", Options{SNR: -1}},
	} {
		if _, err := New(context.Background(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(ctx, small()); err != context.Canceled {
		t.Errorf("cancelled: got %v", err)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		mustNew(b, Options{})
	}
}
