package protocol

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/t2fit"
)

// A protocol that is accepted has a hash and can be written, whatever number a key has: JSON has no infinity.
func TestNumbersOfEveryKeyAreRecorded(t *testing.T) {
	ofEPG := []string{"t1_ms", "b1_range", "refocusing_profile"}
	accepted, refused := 0, 0
	var try func(before, after string, keys []Key)
	try = func(before, after string, keys []Key) {
		for _, k := range keys {
			if k.Keys != nil {
				try(before+k.Name+": {", "}"+after, k.Keys)
				continue
			}
			for _, number := range []string{".inf", ".nan"} {
				for _, value := range []string{number, "[0, " + number + "]", "[0.5, " + number + "]",
					"[1, 1, " + number + "]", "{value: " + number + "}", "{value: 1, tolerance: " + number + "}",
					"{value: [1, 1, " + number + "]}", "{warn: " + number + "}", "{fail: " + number + "}",
					"{warn: " + number + ", fail: " + number + "}", "{warn: " + number + ", least: " + number + "}"} {
					text := before + k.Name + ": " + value + after + "\n"
					if slices.Contains(ofEPG, k.Name) {
						text += "method: epg\n"
					}
					p, err := readProtocolText(t, text)
					if err != nil {
						refused++
						continue
					}
					accepted++
					checkRecord(t, text, p)
				}
			}
		}
	}
	try("", "", Keys)
	t.Logf("%d protocols accepted, %d refused", accepted, refused)
	if accepted < 30 || refused < 50 {
		t.Error("the test tries too little")
	}
}

func checkRecord(t *testing.T, text string, p Protocol) {
	t.Helper()
	fit, err := p.Fit.Resolve()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer func() {
		if problem := recover(); problem != nil {
			t.Errorf("%s: %v", text, problem)
		}
	}()
	r := p.Record(fit)
	if _, err := json.Marshal(r); err != nil || len(r.SHA256) != 64 {
		t.Errorf("%s: hash %q, %v", text, r.SHA256, err)
	}
}

// A range without an end is refused, with what to write instead.
func TestRangeWithoutEnd(t *testing.T) {
	for _, high := range []float64{math.Inf(1), math.NaN()} {
		if _, err := Range(0, high); err == nil {
			t.Errorf("a range to %g is accepted", high)
		}
		if _, err := (t2fit.Options{T2Range: [2]float64{0, high}}).Resolve(); err == nil {
			t.Errorf("a fit with a T2 range to %g is accepted", high)
		}
		if _, err := Range(high, high); err == nil {
			t.Errorf("a range from %g is accepted", high)
		}
	}
	if _, err := readProtocolText(t, "t2_range_ms: [0, .inf]\n"); err == nil ||
		!strings.Contains(err.Error(), "t2_range_ms: the range 0 to +Inf has no end") {
		t.Error(err)
	}
}
