package t2fit

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/t2map/t2map/volume"
)

// A limit of T2 hides part of a change, because it excludes more voxels after it. A true +10 ms of a compartment
// whose voxels have 60 ± 20 ms (log-normal) remains within 0.5 ms with the default range; with 100 ms, the limit
// of earlier versions, 1 ms and more are lost.
func TestDefaultRangeKeepsAChange(t *testing.T) {
	te := []float64{10, 20, 30, 40, 50, 60, 70}
	const n, mean, sd, change = 2000, 60.0, 20.0, 10.0
	log := math.Sqrt(math.Log(1 + sd*sd/mean/mean))
	measured := func(snr float64, o Options) float64 {
		var means [2]float64
		for visit := range means {
			r := rand.New(rand.NewPCG(13, 1)) // the same voxels at both visits
			sum, used := 0.0, 0.0
			for range n {
				t2 := mean*math.Exp(log*r.NormFloat64()-log*log/2) + change*float64(visit)
				y := decayOf(te, t2, snr)
				for e := range y {
					y[e] = math.Hypot(y[e]+r.NormFloat64(), r.NormFloat64())
				}
				got, err := Curve(te, y, o)
				if err != nil {
					t.Fatal(err)
				}
				if got.Status == volume.Fitted {
					sum, used = sum+got.T2, used+1
				}
			}
			means[visit] = sum / used
		}
		return means[1] - means[0]
	}
	for _, snr := range []float64{50, 20} {
		now, before := measured(snr, Options{}), measured(snr, Options{T2Range: [2]float64{0, 100}})
		t.Logf("SNR %g: +%.1f ms by default, +%.1f ms up to 100 ms", snr, now, before)
		if math.Abs(now-change) > 0.5 || before > change-1 {
			t.Errorf("SNR %g: +%.2f ms by default, +%.2f ms up to 100 ms", snr, now, before)
		}
	}
}
