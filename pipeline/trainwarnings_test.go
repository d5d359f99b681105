package pipeline

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
)

// A ProtocolName that says T1ρ beside T2 causes a warning.
func TestProtocolOfTwoQuantities(t *testing.T) {
	got := trainWarnings(dicomio.Train{TE: []float64{10, 20, 30}, Mention: &dicomio.Claim{Quantity: dicomio.T1rho,
		Attribute: "ProtocolName (0018,1030)", Words: "T1RHO"}}, protocol.Protocol{})
	if len(got) != 1 || !strings.HasPrefix(got[0], `ProtocolName (0018,1030) says "T1RHO" beside T2`) {
		t.Errorf("%q", got)
	}
}

// A TR that differs between slices causes a warning.
func TestRepetitionTimesOfSlices(t *testing.T) {
	train := dicomio.Train{TE: []float64{10, 20, 30}, SliceTR: [2]float64{1500, 2700.5}}
	got := trainWarnings(train, protocol.Protocol{})
	const want = "RepetitionTime (0018,0080) differs between slices, from 1500 ms to 2700.5 ms"
	if len(got) != 1 || !strings.Contains(got[0], want) {
		t.Errorf("%q", got)
	}
}
