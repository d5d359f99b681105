package pipeline

import (
	"testing"

	"github.com/t2map/t2map/dicomio"
)

// The note on ignored files names the kinds that are present, and no others.
func TestIgnoredFiles(t *testing.T) {
	for want, n := range map[string]dicomio.Passed{
		"":                             {},
		"56 MR images of other series": {OtherSeries: 56, NotDICOM: 3},
		"2 MR images of other series, 1 map or phase image, 4 files of other modalities": {OtherSeries: 2, Derived: 1,
			OtherModality: 4},
	} {
		if got := ignoredFiles(n); got != want {
			t.Errorf("%+v: %q, want %q", n, got, want)
		}
	}
}
