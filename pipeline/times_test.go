package pipeline

import (
	"encoding/json"
	"testing"

	"github.com/t2map/t2map/report"
)

// Echo times in results and in the output of inspect have no noise of binary fractions. Times without such noise do
// not change.
func TestReadableTimes(t *testing.T) {
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
