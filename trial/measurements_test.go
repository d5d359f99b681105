package trial

import (
	"math"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

func TestMeasurements(t *testing.T) {
	res, err := ReadResults(Source{Name: "compartments.csv",
		Data: []byte("subject,visit,side,compartment,mean_t2_ms,note,scanner\n" +
			"S1,a,left,medial,38.5,,X\nS1,b,left,medial,,no voxels in the mask,Y\n")}, Source{}, Plan{})
	if err != nil {
		t.Fatal(err)
	}
	m := res.Measurements()
	if len(m) != 2 || m[0].T2 != 38.5 || m[0].Side != "left" || m[0].Missing.Kind != Present ||
		m[0].Scanner != "X" || m[0].Line != 2 {
		t.Errorf("%+v", m)
	}
	if !math.IsNaN(m[1].T2) || m[1].Missing != (Missing{Kind: Noted, Detail: "no voxels in the mask"}) ||
		m[1].Visit != "b" {
		t.Errorf("%+v", m[1])
	}
}

// Numbers from which no statistic can be computed are refused when they are read.
func TestExtremeNumbers(t *testing.T) {
	for _, x := range []string{"1e200", "1e-300", "-1e31", "1e999", "NaN", "Inf", "0x10p400", "0x10", "4_0",
		"1_000.5"} {
		_, err := ReadResults(Source{Name: "compartments.csv",
			Data: []byte("subject,visit,compartment,mean_t2_ms\nS1,a,medial," + x + "\n")}, Source{}, Plan{})
		if err == nil || !strings.Contains(err.Error(), "line 2: mean_t2_ms") || hint.Find(err) == "" {
			t.Errorf("%s: %v", x, err)
		}
	}
}
