package resample

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/t2map/t2map/volume"
)

// TestCancelled: resampling stops when the context ends, without a result.
func TestCancelled(t *testing.T) {
	g := volume.Geometry{Size: [3]int{60, 60, 60}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	mask := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	for v := range mask.Data {
		mask.Data[v] = uint16(v % 2)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := ComputeFractions(ended, mask, g, Options{}); !errors.Is(err, context.Canceled) ||
		!reflect.ValueOf(got).IsZero() {
		t.Errorf("ended before: %v", err)
	}
}
