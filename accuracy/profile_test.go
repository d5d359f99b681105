package accuracy

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/t2fit"
)

// pulse is a slice-selective pulse: a sinc of two lobes on either side under a Hamming
// window (time × bandwidth 4), the usual one of 2D spin-echo sequences.
type pulse struct {
	angle float64 // nominal, in radians
	width float64 // of the slice, in units of the nominal slice
}

// turn returns the rotation that the pulse is at the position z, in units of the nominal
// slice: what it leaves of magnetisation along z, across and along. The Bloch equations
// are solved without relaxation, by short rotations about the effective field.
func (p pulse) turn(z float64) (transverse, longitudinal float64) {
	const steps, product = 400, 4.0
	var shape [steps]float64
	var area float64
	for n := range shape {
		t := (float64(n)+0.5)/steps - 0.5
		shape[n] = (0.54 + 0.46*math.Cos(2*math.Pi*t)) * sinc(product*t)
		area += shape[n]
	}
	x, y, m := 0.0, 0.0, 1.0
	for n := range shape {
		b := p.angle * shape[n] / area
		g := 2 * math.Pi * product * z / p.width / steps
		angle := math.Hypot(b, g)
		if angle == 0 {
			continue
		}
		sin, cos := math.Sincos(angle)
		u, w := b/angle, g/angle // the axis (u, 0, w)
		dot := (u*x + w*m) * (1 - cos)
		x, y, m = x*cos-w*y*sin+u*dot, y*cos+(w*x-u*m)*sin, m*cos+u*y*sin+w*dot
	}
	return math.Hypot(x, y), m
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// sliceProfile returns the fractions of 180° by which the refocusing pulse turns, at places
// that each hold the same share of the excited magnetisation. Ratio is the width of
// the refocused slice over that of the excited one.
func sliceProfile(ratio float64, places int) []float64 {
	const points, reach = 1200, 1.5
	excite, refocus := pulse{math.Pi / 2, 1}, pulse{math.Pi, ratio}
	var amount, fraction [points]float64
	var all float64
	for n := range points {
		z := (float64(n) + 0.5) / points * reach // the profile is symmetric
		amount[n], _ = excite.turn(z)
		_, longitudinal := refocus.turn(z)
		fraction[n] = math.Acos(max(-1, min(1, longitudinal))) / math.Pi
		all += amount[n]
	}
	out := make([]float64, places)
	n, sum := 0, amount[0]
	for k := range out {
		for sum < (float64(k)+0.5)/float64(places)*all {
			n++
			sum += amount[n]
		}
		out[k] = max(fraction[n], 1e-3)
	}
	return out
}

// meanSignal is the train's signal of a slice of that profile.
func meanSignal(train phantom.Train, t2 float64, profile []float64) []float64 {
	mean := make([]float64, train.Echoes)
	for _, b1 := range profile {
		for e, s := range train.Signal(t2, b1) {
			mean[e] += 1000 * s / float64(len(profile))
		}
	}
	return mean
}

// TestSliceProfile shows what slices of real pulses do to T2 of 40 ms on 7 echoes of 10 ms,
// without noise, and holds docs/protocol.md to it: a plain exponential reads long, epg
// without the profile longer still, and epg with it right.
func TestSliceProfile(t *testing.T) {
	const t2 = 40
	train := phantom.Train{Echoes: 7, Spacing: 10}
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, ratio := range []float64{1, 1.2, 1.5, 2} {
		signal := meanSignal(train, t2, sliceProfile(ratio, 400))
		bias := func(o t2fit.Options) float64 {
			est, _ := t2fit.Curve(train.TE(), signal, o)
			return 100 * (est.T2/t2 - 1)
		}
		nlls := bias(t2fit.Options{})
		plain := bias(t2fit.Options{Method: t2fit.EPG})
		matched := bias(t2fit.Options{Method: t2fit.EPG, RefocusingProfile: sliceProfile(ratio, 16)})
		rows = append(rows, fmt.Sprintf("| %.1f | %+.1f %% | %+.1f %% | %+.1f %% |", ratio, nlls, plain, matched))
		// Sixteen places instead of 400 are what is left.
		if math.Abs(matched) > 0.5 {
			t.Errorf("ratio %g: %.2f %% with the matched profile, want 0.5 %% at most", ratio, matched)
		}
		if plain <= nlls {
			t.Errorf("ratio %g: epg without a profile %.2f %%, nlls %.2f %%: docs/protocol.md says that the first "+
				"is worse", ratio, plain, nlls)
		}
	}
	if table := strings.Join(rows, "\n"); !strings.Contains(string(text), table) {
		t.Errorf("docs/protocol.md does not hold this table:\n%s", table)
	}
	var profile []string
	for _, f := range sliceProfile(1.2, 8) {
		profile = append(profile, fmt.Sprintf("%.2f", f))
	}
	t.Log("\n"+strings.Join(rows, "\n"), "\na profile of ratio 1.2:", strings.Join(profile, ","))
	if !strings.Contains(string(text), strings.Join(profile, ",")) {
		t.Error("docs/protocol.md shows another profile for ratio 1.2")
	}
}
