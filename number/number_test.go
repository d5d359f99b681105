package number

import (
	"encoding/json"
	"math"
	"testing"
)

func TestFloat(t *testing.T) {
	for x, want := range map[float64]string{0.1: "0.1", -4: "-4", 1e-7: "1e-7"} {
		if got, err := json.Marshal(Float(x)); err != nil || string(got) != want {
			t.Errorf("%g: %s, %v", x, got, err)
		}
	}
	if got, err := json.Marshal([]Float{Float(math.NaN()), 2}); err != nil || string(got) != "[null,2]" {
		t.Errorf("NaN: %s, %v", got, err)
	}
	if _, err := json.Marshal(Float(math.Inf(1))); err == nil {
		t.Error("an infinity was written")
	}
	if got := Finite(math.Inf(-1)); !math.IsNaN(float64(got)) || Finite(2.5) != 2.5 {
		t.Errorf("Finite of an infinity is %g", got)
	}
	var back struct{ A, B, C Float }
	back.C = 7
	if err := json.Unmarshal([]byte(`{"A": null, "B": 2.5}`), &back); err != nil || !math.IsNaN(float64(back.A)) ||
		back.B != 2.5 || back.C != 7 {
		t.Errorf("%+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"A": "x"}`), &back); err == nil {
		t.Error("a text was read as a number")
	}
}
