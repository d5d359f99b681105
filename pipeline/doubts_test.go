package pipeline

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// Echo times in results and in what inspect prints are free of the noise of binary
// fractions, and the same numbers as before where there is none.
func TestEchoTimesWithoutNoise(t *testing.T) {
	twelve := 12.0
	noisy := []float64{twelve * 2.9, float64(float32(46.4)), 58, 0.1 * 116 * 6}
	text, err := json.Marshal(report.Result{TE: ReadableTimes(noisy)}.TE)
	if err != nil || string(text) != "[34.8,46.4,58,69.6]" {
		t.Errorf("%s, %v", text, err)
	}
	for n := 1; n < 50_000; n++ { // every microsecond to 50 ms
		if v := float64(n) / 1000; readable(v) != v {
			t.Fatalf("%v became %v", v, readable(v))
		}
	}
}

// A protocol's name that says T1ρ beside T2 is a warning.
func TestProtocolOfTwoQuantities(t *testing.T) {
	got := doubts(dicomio.Train{TE: []float64{10, 20, 30}, Mention: &dicomio.Claim{Quantity: dicomio.T1rho,
		Attribute: "ProtocolName (0018,1030)", Words: "T1RHO"}}, protocol.Protocol{})
	if len(got) != 1 || !strings.HasPrefix(got[0], `ProtocolName (0018,1030) says "T1RHO" beside T2`) {
		t.Errorf("%q", got)
	}
}

// A TR that differs between slices is a warning.
func TestRepetitionTimesOfSlices(t *testing.T) {
	got := doubts(dicomio.Train{TE: []float64{10, 20, 30}, SliceTR: [2]float64{1500, 2700.5}}, protocol.Protocol{})
	if len(got) != 1 || !strings.Contains(got[0], "RepetitionTime (0018,0080) differs between slices, from 1500 ms to "+
		"2700.5 ms") {
		t.Errorf("%q", got)
	}
}
