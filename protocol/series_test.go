package protocol

import (
	"testing"

	"github.com/t2map/t2map/dicomio"
)

func TestSeriesPatterns(t *testing.T) {
	train := dicomio.Train{Number: 123456, Hash: "abcdef012345", Description: "SAG T2/MAP [x]"}
	for text, want := range map[string]bool{
		"123456": true, "12345": false, "abcdef": true, "ABCDEF01": true, "abcde": false, "bcdef0": false,
		"*": true, "sag*map*": true, "SAG T2/MAP [x]": true, "SAG T2/MAP [y]": false, "[": false, "0": false,
		"S?G*": true,
	} {
		if got := (SeriesRule{anyOf: text}).Matches(train); got != want {
			t.Errorf("--series %q: %t", text, got)
		}
	}
}
